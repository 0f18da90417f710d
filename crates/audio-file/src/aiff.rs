//! AIFF and AIFF-C files, brought into the plain form that the decoder reads.

use super::chunks::{Extent, Order, split};
use super::{AudioError, Plain};

/// Bytes of the common chunk of AIFF; of AIFF-C the codec follows.
const COMMON: usize = 18;

/// Brings an AIFF file into the plain form: its format and its samples, with their true size.
pub fn plain(bytes: &[u8]) -> Result<Plain<'_>, AudioError> {
    let broken = |reason: &str| AudioError::Broken("an AIFF file", reason.into());
    let form = &bytes[8..12];
    let order = Order::Big;
    let chunks = split(&bytes[12..], order, b"SSND", |_| None);
    let find = |id: &[u8; 4]| chunks.iter().find(|c| c.id == *id);
    let common = find(b"COMM").ok_or_else(|| broken("it has no common chunk"))?;
    let mut common = common.body.to_vec();
    if common.len() < COMMON {
        return Err(broken("its common chunk is cut off"));
    }
    let sound = find(b"SSND").ok_or_else(|| broken("it has no sound chunk"))?;
    let channels = order.u16(&common, 0).unwrap_or(0);
    let frames = order.u32(&common, 2).unwrap_or(0);
    let bits = order.u16(&common, 6).unwrap_or(0);
    super::check_shape(channels.into(), extended(&common[8..18]))?;
    let width = match common.get(COMMON..COMMON + 4).filter(|_| form == b"AIFC") {
        Some(b"alaw" | b"ALAW" | b"ulaw" | b"ULAW") => 1,
        Some(b"fl32" | b"FL32") => 4,
        Some(b"fl64" | b"FL64") => 8,
        Some(b"NONE" | b"none" | b"sowt" | b"SOWT" | b"twos" | b"TWOS" | b"raw " | b"RAW ")
        | Some(b"in24" | b"IN24" | b"23ni" | b"23NI" | b"in32" | b"IN32")
        | None => usize::from(bits).div_ceil(8),
        Some(codec) => {
            let name = String::from_utf8_lossy(codec).into_owned();
            return Err(AudioError::Codec(
                "an AIFF file",
                format!("the codec {name:?}"),
            ));
        }
    };
    if !matches!(width, 1..=4 | 8) {
        return Err(AudioError::Codec(
            "an AIFF file",
            format!("samples of {bits} bits"),
        ));
    }
    if width <= 4 && form == b"AIFF" {
        // Samples of 12 bits are the upper ones of two bytes.
        common[6..8].copy_from_slice(&(8 * width as u16).to_be_bytes());
    }
    // The samples may begin later in their chunk.
    let offset = order.u32(sound.body, 0).unwrap_or(0) as usize;
    let body = sound
        .body
        .get(offset.saturating_add(8)..)
        .ok_or_else(|| broken("its sound chunk is cut off"))?;
    let block = usize::from(channels) * width;
    let whole = body.len() / block * block;
    super::check_length(whole / width)?;
    let mut remarks = Vec::new();
    let announced = match sound.extent {
        Extent::Truncated { .. } => Some(u64::from(frames)),
        Extent::Unfinished => {
            remarks.push("its sound chunk has no size: read to its end".into());
            None
        }
        Extent::Whole | Extent::Streamed => None,
    };
    let size = u32::try_from(whole + 8).map_err(|_| AudioError::TooLong)?;
    let mut header = b"FORM".to_vec();
    header.extend((size.saturating_add(common.len() as u32 + 30)).to_be_bytes());
    header.extend(form);
    header.extend(b"COMM");
    header.extend((common.len() as u32).to_be_bytes());
    header.extend(&common);
    header.extend(std::iter::repeat_n(0, common.len() % 2));
    header.extend(b"SSND");
    header.extend(size.to_be_bytes());
    header.extend([0; 8]);
    Ok(Plain {
        extension: "aiff",
        header,
        body: body[..whole].into(),
        announced,
        remarks,
    })
}

/// An 80-bit floating-point number, as a rate in Hz; 0 where it is none.
fn extended(bytes: &[u8]) -> u32 {
    let exponent = i32::from(Order::Big.u16(bytes, 0).unwrap_or(0)) - 16_383;
    let mantissa = Order::Big.u32(bytes, 2).unwrap_or(0);
    match exponent {
        0..=31 => mantissa >> (31 - exponent),
        _ => 0,
    }
}
