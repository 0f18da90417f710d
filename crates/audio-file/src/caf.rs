//! CAF files that are cut off, brought into a form that the decoder reads: it looks for chunks
//! behind the samples, and gives up where the file ends before.

use super::Plain;
use super::chunks::Order;

/// Bytes of the file's header, and of a chunk's.
const HEADER: usize = 8;
const CHUNK: usize = 12;
/// Bytes before the samples in their chunk: the number of edits.
const EDITS: u64 = 4;

/// Brings a CAF file into the plain form.
pub fn plain(bytes: &[u8]) -> Plain<'_> {
    let mut plain = Plain::as_it_is("caf", bytes);
    let u32_at = |at: usize| Order::Big.u32(bytes, at).map_or(0, u64::from);
    let mut at = HEADER;
    // Frames in a byte, as frames and bytes of a packet; 0 bytes where packets differ.
    let mut packet = (0, 0);
    while let Some(size) = bytes.get(at + 4..at + CHUNK) {
        let size = u64::from_be_bytes(size.try_into().unwrap_or_default());
        let body = at + CHUNK;
        let rest = (bytes.len() - body) as u64;
        match &bytes[at..at + 4] {
            b"desc" => packet = (u32_at(body + 20), u32_at(body + 16)),
            b"data" if size > rest => {
                plain.body.to_mut()[at + 4..body].copy_from_slice(&rest.to_be_bytes());
                let (frames, size_of) = packet;
                let packets = size.saturating_sub(EDITS).checked_div(size_of);
                let announced = packets.map(|packets| packets.saturating_mul(frames));
                // All ones stand for a size that was not known, to the end of the file.
                plain.announced = announced.filter(|_| size != u64::MAX);
                break;
            }
            _ if size > rest => break,
            _ => {}
        }
        at = body + size as usize;
    }
    plain
}
