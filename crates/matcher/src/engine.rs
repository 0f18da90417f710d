//! The engine's client: one child process per host process, shared by all instances.
// Seam sketch.

use crate::encoder::{Encoder, EncoderError, Inference};

/// Where the engine stands.
#[derive(Clone, Debug, PartialEq)]
pub enum EngineStatus {
    /// Nothing asked of it yet.
    Idle,
    /// Starting.
    Starting,
    /// Answering.
    Running { /// Engine's version.
        version: String },
    /// Not installed; says where it was looked for and what to do.
    Missing { /// Folder looked in.
        expected: std::path::PathBuf },
    /// Ended unexpectedly; restarts by itself in so many seconds.
    Restarting { /// Why.
        reason: String, /// Seconds left.
        seconds: u64 },
    /// Gave up until [`Engine::restart`].
    Stopped { /// Why.
        reason: String },
}

impl EngineStatus {
    /// A sentence or two for the player: what is, and what to do.
    pub fn text(&self) -> String { todo!() }
}

/// Folder of the engine: the user's data folder, then MirrorNet/engine/VERSION.
pub fn engine_folder() -> Option<std::path::PathBuf> { todo!() }

/// Handle to the shared engine; clones share it. The process starts at the first inference asked
/// for, and ends when the last handle is dropped.
#[derive(Clone)]
pub struct Engine {}

impl Engine {
    /// The engine of this host process, from [`engine_folder`].
    pub fn shared() -> Self { todo!() }
    /// An engine of its own from `folder` (tests, tools).
    pub fn at(_folder: &std::path::Path) -> Self { todo!() }
    /// Where it stands.
    pub fn status(&self) -> EngineStatus { todo!() }
    /// Starts anew after a stop, at the player's click.
    pub fn restart(&self) {}
    /// An encoder that asks this engine.
    pub fn encoder(&self) -> EngineEncoder { todo!() }
    /// Process id while running (tests kill it).
    pub fn pid(&self) -> Option<u32> { todo!() }
}

/// [`Encoder`] over the engine process. Requests of several encoders waiting at once go as one batch.
pub struct EngineEncoder {}

impl Encoder for EngineEncoder {
    fn infer(&mut self, _windows: &[u8]) -> Result<Vec<Inference>, EncoderError> { todo!() }
}
