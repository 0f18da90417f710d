//! The door between an instance and the guard around it.
//!
//! The framework's wrapper stands between the two and passes on only what it knows. What else they
//! have to tell each other, they leave here. Everything is atomic: either side may be the audio
//! thread.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use synth::COUNT;

use crate::params::Params;

thread_local! {
    /// The door of the instance that is being made on this thread.
    static OPENING: RefCell<Option<Arc<Door>>> = const { RefCell::new(None) };
}

/// Kinds of sidechain that a host gives in a block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Sidechain {
    /// No buffers.
    #[default]
    Unconnected = 0,
    /// Silent buffers.
    Silent = 1,
    /// A single channel, which the instance gets as its left one.
    Mono = 2,
    /// Two channels.
    Stereo = 3,
}

/// State that instance and guard share, as atomics.
#[derive(Debug)]
pub struct Door {
    /// The host's modulation of each row, normalised, as bits of f32.
    modulation: [AtomicU32; COUNT],
    changed: AtomicBool,
    refused: AtomicBool,
    /// Number of the guard's next edits that belong together.
    group: AtomicUsize,
    offline: AtomicBool,
    resuming: AtomicBool,
    sidechain: AtomicU8,
    hears_reference: AtomicBool,
    block: AtomicU64,
    sounding: AtomicBool,
    tail: AtomicU32,
    params: OnceLock<Weak<Params>>,
}

impl Default for Door {
    fn default() -> Self {
        Self {
            modulation: [const { AtomicU32::new(0) }; COUNT],
            changed: AtomicBool::default(),
            refused: AtomicBool::default(),
            group: AtomicUsize::default(),
            offline: AtomicBool::default(),
            resuming: AtomicBool::default(),
            sidechain: AtomicU8::default(),
            hears_reference: AtomicBool::default(),
            block: AtomicU64::default(),
            sounding: AtomicBool::default(),
            tail: AtomicU32::default(),
            params: OnceLock::new(),
        }
    }
}

impl Door {
    /// Calls `make`, in which the framework makes an instance on this thread, so that the instance
    /// finds this door.
    pub fn open<R>(self: &Arc<Self>, make: impl FnOnce() -> R) -> R {
        let outer = OPENING.replace(Some(self.clone()));
        let made = make();
        OPENING.set(outer);
        made
    }

    /// The door for an instance that is being made on this thread: its guard's, or one of its own
    /// where there is none (standalone, tests).
    pub fn of_this_instance() -> Arc<Self> {
        OPENING.with_borrow(|door| door.clone()).unwrap_or_default()
    }

    /// Shows the guard the instance's parameters and state, once.
    pub fn introduce(&self, params: &Arc<Params>) {
        // A second instance behind one door would be a mistake of the framework's.
        let _ = self.params.set(Arc::downgrade(params));
    }

    /// The instance's parameters and state, while it lives.
    pub fn params(&self) -> Option<Arc<Params>> {
        self.params.get()?.upgrade()
    }

    /// Notes that something the project saves has changed. Wait-free.
    pub fn mark_changed(&self) {
        self.changed.store(true, Ordering::Release);
    }

    /// Whether something changed since the last call. Wait-free.
    pub fn take_changed(&self) -> bool {
        self.changed.swap(false, Ordering::AcqRel)
    }

    /// Announces that the next `edits` gestures are one step for the host's undo.
    pub fn group_edits(&self, edits: usize) {
        self.group.store(edits, Ordering::Release);
    }

    /// The number of gestures from the next one on that are one step, once.
    pub fn take_group(&self) -> usize {
        self.group.swap(0, Ordering::AcqRel)
    }

    /// Notes that a state could not be read and was refused.
    pub fn mark_refused(&self) {
        self.refused.store(true, Ordering::Release);
    }

    /// Whether a state was refused since the last call.
    pub fn take_refused(&self) -> bool {
        self.refused.swap(false, Ordering::AcqRel)
    }

    /// The host's modulation of a row for all notes, normalised. The framework knows only as much
    /// of it as fits between the knob and the end of its range. Wait-free.
    pub fn modulation(&self, row: usize) -> f32 {
        f32::from_bits(self.modulation[row].load(Ordering::Acquire))
    }

    /// Notes the modulation of a row. Wait-free.
    pub fn set_modulation(&self, row: usize, offset: f32) {
        self.modulation[row].store(offset.to_bits(), Ordering::Release);
    }

    /// Whether the host says that the current block is rendered offline. Wait-free.
    pub fn is_offline(&self) -> bool {
        self.offline.load(Ordering::Acquire)
    }

    /// Notes whether the host says that it renders offline. Wait-free.
    pub fn set_offline(&self, offline: bool) {
        self.offline.store(offline, Ordering::Release);
    }

    /// Whether the reset that the instance is now asked for belongs to a host that only goes on
    /// processing, so that nothing may be silenced. Wait-free.
    pub fn is_resuming(&self) -> bool {
        self.resuming.load(Ordering::Acquire)
    }

    /// Announces that the next reset is of that kind, or no longer. Wait-free.
    pub fn set_resuming(&self, resuming: bool) {
        self.resuming.store(resuming, Ordering::Release);
    }

    /// The kind of sidechain of the current block. Wait-free.
    pub fn sidechain(&self) -> Sidechain {
        match self.sidechain.load(Ordering::Acquire) {
            1 => Sidechain::Silent,
            2 => Sidechain::Mono,
            3 => Sidechain::Stereo,
            _ => Sidechain::Unconnected,
        }
    }

    /// Notes the kind of sidechain of the block to come. Wait-free.
    pub fn set_sidechain(&self, kind: Sidechain) {
        self.sidechain.store(kind as u8, Ordering::Release);
    }

    /// Whether the reference sounds, or did within the last two seconds. Wait-free.
    pub fn hears_reference(&self) -> bool {
        self.hears_reference.load(Ordering::Acquire)
    }

    /// Notes whether the reference sounds, or did a moment ago. Wait-free.
    pub fn set_hears_reference(&self, hears: bool) {
        self.hears_reference.store(hears, Ordering::Release);
    }

    /// Number of the host's current block. The framework cuts blocks at parameter changes, so
    /// several calls of the instance may belong to one. Wait-free.
    pub fn block(&self) -> u64 {
        self.block.load(Ordering::Acquire)
    }

    /// Begins a block of the host's. Wait-free.
    pub fn begin_block(&self) {
        self.block.fetch_add(1, Ordering::AcqRel);
    }

    /// Whether the instance sounds, or will without further notes. Wait-free.
    pub fn is_sounding(&self) -> bool {
        self.sounding.load(Ordering::Acquire)
    }

    /// Time from the last note's end to silence, in samples. Wait-free.
    pub fn tail(&self) -> u32 {
        self.tail.load(Ordering::Acquire)
    }

    /// Notes whether the instance sounds, and its tail in samples. Wait-free.
    pub fn set_sound(&self, sounding: bool, tail: u32) {
        self.sounding.store(sounding, Ordering::Release);
        self.tail.store(tail, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_finds_the_door_it_is_made_behind_and_only_there() {
        let door = Arc::new(Door::default());
        door.open(|| Door::of_this_instance().mark_changed());
        assert!(!Door::of_this_instance().take_changed());
        assert!(door.take_changed());
        assert!(!door.take_changed());
    }

    #[test]
    fn the_kind_of_sidechain_comes_through() {
        let door = Door::default();
        use Sidechain::{Mono, Silent, Stereo, Unconnected};
        assert_eq!(door.sidechain(), Unconnected);
        for kind in [Silent, Mono, Stereo, Unconnected] {
            door.set_sidechain(kind);
            assert_eq!(door.sidechain(), kind);
        }
    }
}
