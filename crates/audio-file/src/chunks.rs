//! The chunks of a RIFF file or its big-endian twin (AIFF, RIFX), whatever its sizes claim.

/// Sizes from here on stand for "not known yet" when the file is shorter: encoders that write to a
/// pipe leave 0xFFFFFFFF or the largest even number that they dare.
const STREAMED: u64 = 0x7FFF_0000;

/// The order of a number's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Little-endian: RIFF, RF64.
    Little,
    /// Big-endian: AIFF, RIFX.
    Big,
}

impl Order {
    /// The unsigned number of two bytes at `at`.
    pub fn u16(self, bytes: &[u8], at: usize) -> Option<u16> {
        let two = bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(match self {
            Self::Little => u16::from_le_bytes(two),
            Self::Big => u16::from_be_bytes(two),
        })
    }

    /// The unsigned number of four bytes at `at`.
    pub fn u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        let four = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(match self {
            Self::Little => u32::from_le_bytes(four),
            Self::Big => u32::from_be_bytes(four),
        })
    }
}

/// Relation of a chunk's announced size to the bytes that are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// The chunk is as long as announced.
    Whole,
    /// The writer could not know the size; the chunk extends to the end of the file.
    Streamed,
    /// The writer did not get to fill in the size; the chunk extends to the end of the file.
    Unfinished,
    /// The file ends before the chunk does.
    Truncated {
        /// Size in bytes that the chunk announces.
        announced: u64,
    },
}

/// A chunk of a file.
#[derive(Clone, Copy, Debug)]
pub struct Chunk<'a> {
    /// Identifier of four characters.
    pub id: [u8; 4],
    /// The bytes that are there.
    pub body: &'a [u8],
    /// Relation of the bytes that are there to the announced size.
    pub extent: Extent,
}

/// Splits `bytes`, which follow the file's form, into chunks. `sound` is the id of the chunk of
/// samples, whose size may be missing; `size64` is its size where the file gives it elsewhere
/// (RF64).
pub fn split<'a>(
    mut bytes: &'a [u8],
    order: Order,
    sound: &[u8; 4],
    mut size64: impl FnMut(&Chunk<'a>) -> Option<u64>,
) -> Vec<Chunk<'a>> {
    let mut chunks = Vec::new();
    let mut given = None;
    while bytes.len() >= 8 {
        let id = [bytes[0], bytes[1], bytes[2], bytes[3]];
        let size = u64::from(order.u32(bytes, 4).unwrap_or(0));
        let rest = &bytes[8..];
        let is_sound = id == *sound;
        let size = match given {
            Some(given) if is_sound && size == u64::from(u32::MAX) => given,
            _ => size,
        };
        let (body, extent) = if is_sound && size == 0 && !is_chain(rest, order) {
            (rest, Extent::Unfinished)
        } else if size <= rest.len() as u64 {
            (&rest[..size as usize], Extent::Whole)
        } else if is_sound && given.is_none() && size >= STREAMED {
            (rest, Extent::Streamed)
        } else {
            (rest, Extent::Truncated { announced: size })
        };
        let chunk = Chunk { id, body, extent };
        given = given.or_else(|| size64(&chunk));
        chunks.push(chunk);
        bytes = &rest[body.len()..];
        // A chunk of odd size is padded; some writers forget it.
        let padded = bytes.get(1..).unwrap_or(&[]);
        if body.len() % 2 == 1 && (is_id(padded) || !is_id(bytes)) {
            bytes = padded;
        }
    }
    chunks
}

/// Returns whether `bytes` begin with a possible id of a chunk: four printable characters.
fn is_id(bytes: &[u8]) -> bool {
    bytes.len() >= 4 && bytes[..4].iter().all(|b| (0x20..0x7F).contains(b))
}

/// Returns whether `bytes` are a sequence of whole chunks.
fn is_chain(mut bytes: &[u8], order: Order) -> bool {
    while !bytes.is_empty() {
        let Some(size) = order.u32(bytes, 4).filter(|_| is_id(bytes)) else {
            return false;
        };
        let end = 8 + u64::from(size);
        if end > bytes.len() as u64 {
            return false;
        }
        let padded = (end as usize + size as usize % 2).min(bytes.len());
        bytes = &bytes[padded..];
    }
    true
}
