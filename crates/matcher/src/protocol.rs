//! Frames between the engine's client and the engine process. Written by the matcher's owner.
//!
//! Every frame: u32 little-endian length of what follows, u8 kind, payload. Longer than
//! [`MAX_FRAME`] = protocol error.

/// Version of this protocol; the handshake refuses another.
pub const PROTOCOL_VERSION: u32 = 1;
/// Longest frame in bytes.
pub const MAX_FRAME: u32 = 8 << 20;
/// Most windows in one request.
pub const MAX_BATCH: usize = 64;

/// A message in either direction.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// Client -> engine, first: protocol version.
    Hello { /// [`PROTOCOL_VERSION`].
        protocol: u32 },
    /// Engine -> client: versions and the model's contract (JSON).
    Ready { /// [`PROTOCOL_VERSION`].
        protocol: u32, /// Crate version.
        version: String, /// `encoder.json`.
        contract: String },
    /// Client -> engine: quantised windows.
    Infer { /// Echoed in the answer.
        id: u32, /// n x INPUT_LEN bytes.
        windows: Vec<u8> },
    /// Engine -> client: n x 2 x MATCHED_COUNT numbers, per window means then sigmas.
    Inferred { /// Of the request.
        id: u32, /// The numbers.
        values: Vec<f32> },
    /// Engine -> client: why it can't serve; the engine exits after it.
    Failed { /// For the player.
        message: String },
}

/// Writes one frame and flushes.
pub fn write(_to: &mut impl std::io::Write, _message: &Message) -> std::io::Result<()> { todo!() }
/// Reads one frame; `Ok(None)` at a clean end of file.
pub fn read(_from: &mut impl std::io::Read) -> std::io::Result<Option<Message>> { todo!() }
