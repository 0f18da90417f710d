//! WAV files of every kind, brought into the plain form that the decoder reads.

use super::chunks::{Chunk, Extent, Order, split};
use super::{AudioError, Plain};

/// The tail of the identifiers that stand for a format tag in WAVE_FORMAT_EXTENSIBLE.
const SUBTYPE: [u8; 14] = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71];
/// End of the sub-format's GUID for Ambisonics.
const AMBISONIC: [u8; 14] = [
    0, 0, 0x21, 0x07, 0xD3, 0x11, 0x86, 0x44, 0xC8, 0xC1, 0xCA, 0, 0, 0,
];

/// Format tags.
mod tag {
    pub const PCM: u16 = 1;
    pub const MS_ADPCM: u16 = 2;
    pub const FLOAT: u16 = 3;
    pub const A_LAW: u16 = 6;
    pub const MU_LAW: u16 = 7;
    pub const IMA_ADPCM: u16 = 0x11;
    pub const MP3: u16 = 0x55;
    pub const EXTENSIBLE: u16 = 0xFFFE;
}

/// Content of the format chunk.
struct Format<'a> {
    tag: u16,
    channels: u16,
    rate: u32,
    block: u16,
    bits: u16,
    /// Bytes of the chunk.
    body: &'a [u8],
}

/// Brings a WAV file into the plain form.
pub fn plain(bytes: &[u8]) -> Result<Plain<'_>, AudioError> {
    let broken = |reason: &str| AudioError::Broken("a WAV file", reason.into());
    let order = match bytes.starts_with(b"RIFX") {
        true => Order::Big,
        false => Order::Little,
    };
    let is_64 = bytes.starts_with(b"RF64") || bytes.starts_with(b"BW64");
    let chunks = split(&bytes[12..], order, b"data", |chunk| {
        let size = chunk
            .body
            .get(8..16)
            .filter(|_| is_64 && chunk.id == *b"ds64")?;
        size.try_into().ok().map(u64::from_le_bytes)
    });
    let find = |id: &[u8; 4]| chunks.iter().find(|c| c.id == *id);
    let format = find(b"fmt ").ok_or_else(|| broken("it has no format chunk"))?;
    let format = Format::read(format.body, order)?;
    let data = find(b"data").ok_or_else(|| broken("it has no data chunk"))?;
    format.plain(data, order)
}

impl<'a> Format<'a> {
    fn read(body: &'a [u8], order: Order) -> Result<Self, AudioError> {
        let broken = |reason: &str| AudioError::Broken("a WAV file", reason.into());
        let short = || broken("its format chunk is cut off");
        let u16_at = |at| order.u16(body, at).ok_or_else(short);
        let mut format = Self {
            tag: u16_at(0)?,
            channels: u16_at(2)?,
            rate: order.u32(body, 4).ok_or_else(short)?,
            block: u16_at(12)?,
            bits: u16_at(14)?,
            body,
        };
        if format.tag == tag::EXTENSIBLE {
            let known = body
                .get(26..40)
                .is_some_and(|t| t == SUBTYPE || t == AMBISONIC);
            if !known {
                return Err(broken("its sub-format is unknown"));
            }
            format.tag = u16_at(24)?;
        }
        Ok(format)
    }

    /// Bytes of a sample. The block decides where it fits, for the bits may count only those that
    /// are used: 24 in four bytes, 12 in two. They are the upper ones, by the standard.
    fn width(&self) -> usize {
        let bytes = usize::from(self.bits).div_ceil(8);
        let channels = usize::from(self.channels);
        match usize::from(self.block) / channels {
            block if block >= bytes && usize::from(self.block) % channels == 0 && block <= 8 => {
                block
            }
            _ => bytes,
        }
    }

    fn plain(&self, data: &Chunk<'a>, order: Order) -> Result<Plain<'a>, AudioError> {
        super::check_shape(self.channels.into(), self.rate)?;
        let width = match self.tag {
            tag::A_LAW | tag::MU_LAW => 1,
            _ => self.width(),
        };
        let mut body = std::borrow::Cow::Borrowed(data.body);
        let (block, header) = match self.tag {
            tag::MP3 => {
                return Ok(Plain::as_it_is("mp3", body));
            }
            tag::MS_ADPCM | tag::IMA_ADPCM if order == Order::Little && self.block > 0 => {
                (usize::from(self.block), self.body.to_vec())
            }
            tag::PCM if (1..=4).contains(&width) => self.header(width),
            tag::FLOAT if width == 4 || width == 8 => self.header(width),
            tag::A_LAW | tag::MU_LAW => self.header(width),
            other => return Err(AudioError::Codec("a WAV file", self.name(other, width))),
        };
        if order == Order::Big && width > 1 {
            body.to_mut()
                .chunks_exact_mut(width)
                .for_each(<[u8]>::reverse);
        }
        let frames = |bytes: u64| bytes / block as u64;
        let announced = match data.extent {
            Extent::Truncated { announced } => Some(frames(announced)),
            _ => None,
        };
        let mut remarks = Vec::new();
        if data.extent == Extent::Unfinished {
            remarks.push(
                "its header says that it is empty, as a recorder leaves it that was stopped \
                 abruptly: read to its end"
                    .into(),
            );
        }
        let whole = body.len() / block * block;
        if whole < body.len() && announced.is_none() {
            remarks.push("it ends in the middle of a sample, which is left out".into());
        }
        match &mut body {
            std::borrow::Cow::Borrowed(bytes) => *bytes = &bytes[..whole],
            std::borrow::Cow::Owned(bytes) => bytes.truncate(whole),
        }
        super::check_length(match self.tag {
            // A sample has four bits.
            tag::MS_ADPCM | tag::IMA_ADPCM => 2 * whole,
            _ => whole / width,
        })?;
        let size = u32::try_from(whole + header.len() + 20).map_err(|_| AudioError::TooLong)?;
        let mut file = b"RIFF".to_vec();
        file.extend(size.to_le_bytes());
        file.extend(b"WAVEfmt ");
        file.extend((header.len() as u32).to_le_bytes());
        file.extend(&header);
        file.extend(b"data");
        file.extend((whole as u32).to_le_bytes());
        Ok(Plain {
            extension: "wav",
            header: file,
            body,
            announced,
            remarks,
        })
    }

    /// Bytes of a frame, and a format chunk without anything optional.
    fn header(&self, width: usize) -> (usize, Vec<u8>) {
        let block = usize::from(self.channels) * width;
        let mut header = Vec::with_capacity(18);
        header.extend(self.tag.to_le_bytes());
        header.extend(self.channels.to_le_bytes());
        header.extend(self.rate.to_le_bytes());
        header.extend((self.rate.saturating_mul(block as u32)).to_le_bytes());
        header.extend((block as u16).to_le_bytes());
        header.extend((8 * width as u16).to_le_bytes());
        // The size of what follows: nothing.
        header.extend([0, 0]);
        (block, header)
    }

    fn name(&self, tag: u16, width: usize) -> String {
        let name = match tag {
            tag::PCM => return format!("whole numbers of {} bytes", width),
            tag::FLOAT => return format!("floating-point numbers of {} bits", self.bits),
            0x31 => "GSM 6.10",
            0x40 | 0x45 | 0x64 => "G.726",
            0x50 => "MPEG layer I or II",
            0x160..=0x163 => "Windows Media",
            0xFF | 0x1600..=0x1610 => "AAC",
            0x2000 => "AC-3",
            _ => "unknown",
        };
        format!("the codec 0x{tag:04X} ({name})")
    }
}
