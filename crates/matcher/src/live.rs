//! The live loop: an audio-thread end, a listener thread, and an end for the editor.
// Seam sketch: the plugin is written against these signatures.

use crate::{Inference, engine::Engine};
use ear::{CHANNELS, PitchFrame};
use synth::{MATCHED_COUNT, Patch};

/// Time from a frame's end to its inference's effect, in seconds.
pub const DELAY: f64 = 0.120;

/// Audio-thread end. No method allocates, locks or calls the system, but for [`AudioEnd::wait`].
pub struct AudioEnd {}

impl AudioEnd {
    /// Hands a block of the reference to the listener; when the ring is full the block is dropped
    /// (its time still passes) and counted. Advances this end's clock by the block's length.
    pub fn push(&mut self, _mono: &[f32]) {}
    /// Offline only: waits, at most 250 ms in all, until the inference due in the pushed block (if
    /// one is due) has come.
    pub fn wait(&mut self) {}
    /// The next inference due within the block last pushed: sample offset in the block, and the
    /// inference. Late ones come at offset 0 and are counted. Call until `None`.
    pub fn next_due(&mut self) -> Option<(usize, Inference)> {
        None
    }
    /// Starts a new stream: clock to zero, listener reset. The held inference is kept by the caller.
    pub fn reset(&mut self) {}
}

/// What the editor shows. All cheap copies.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// The latest frames, oldest first, at most 4 s.
    pub frames: Vec<[f32; CHANNELS]>,
    /// Pitch of the newest frame.
    pub pitch: PitchFrame,
    /// Newest held inference.
    pub inference: Option<Inference>,
    /// Confidence of the newest window.
    pub confidence: f32,
    /// Whether the match moves or holds, in words ("following", "holding: silence", ...).
    pub state: String,
    /// Samples dropped because the listener fell behind.
    pub dropped: u64,
    /// Inferences that came too late.
    pub late: u64,
}

/// Owner's and editor's end. Dropping it ends the listener thread.
pub struct View {}

impl View {
    /// Latest state for the editor.
    pub fn snapshot(&self) -> Snapshot {
        todo!()
    }
    /// Switches listening on or off.
    pub fn set_listening(&self, _on: bool) {}
    /// Forgets the held inference (a patch was loaded).
    pub fn clear(&self) {}
    /// The engine in use.
    pub fn engine(&self) -> &Engine {
        todo!()
    }
}

/// Starts listening at `sample_rate` Hz: both ends and the thread between them.
pub fn live(_sample_rate: f64, _engine: Engine) -> (AudioEnd, View) {
    todo!()
}

/// knob + amount * (inferred - knob) for each matched row that is not locked; others stay.
/// `amount` 0 to 1; `locks` in the order of [`synth::MATCHED`].
pub fn effective(
    _knobs: &Patch,
    _inferred: &Inference,
    _amount: f32,
    _locks: &[bool; MATCHED_COUNT],
) -> Patch {
    todo!()
}
