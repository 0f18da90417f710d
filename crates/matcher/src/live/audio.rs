//! The audio thread's end of the live loop.

use super::target::{Settings, Target};
use super::{Due, LoopState, Mark, MarkKind, Readiness};
use rtrb::{Consumer, Producer};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::Thread;
use std::time::{Duration, Instant};

/// Audio-thread end. No method except [`AudioEnd::wait`] allocates, locks or calls the system.
pub struct AudioEnd {
    samples: Producer<f32>,
    marks: Producer<Mark>,
    due: Consumer<Due>,
    pub(super) shared: Arc<LoopState>,
    listener: Option<Thread>,
    /// Positions at which the last pushed block begins and ends.
    begin: u64,
    pub(super) end: u64,
    /// Position of the stream's start.
    base: u64,
    /// Number of samples put into the ring so far.
    written: u64,
    /// True while a reset has no mark yet.
    unmarked_reset: bool,
    /// Number of dropped samples that have no mark yet.
    pub(super) unmarked_gap: u64,
    /// Number of samples in 80 ms: see [`AudioEnd::wait`].
    slack: u64,
    /// The player's settings, and those that the listener knows, with the position of their mark.
    settings: Option<Settings>,
    told: Option<(Settings, u64)>,
}

impl AudioEnd {
    pub(super) fn new(
        (samples, marks, due): (Producer<f32>, Producer<Mark>, Consumer<Due>),
        shared: Arc<LoopState>,
        listener: Option<Thread>,
        sample_rate: f64,
    ) -> Self {
        Self {
            samples,
            marks,
            due,
            shared,
            listener,
            begin: 0,
            end: 0,
            base: 0,
            written: 0,
            unmarked_reset: false,
            unmarked_gap: 0,
            slack: (0.080 * sample_rate) as u64,
            settings: None,
            told: None,
        }
    }

    /// Hands a block of the reference to the listener; a block that the ring has no room for is
    /// dropped (its time still passes) and counted. Advances this end's clock by the block's
    /// length.
    pub fn push(&mut self, mono: &[f32]) {
        let length = mono.len() as u64;
        self.begin = self.end;
        self.end += length;
        if self.mark() && self.samples.push_entire_slice(mono).is_ok() {
            self.written += length;
        } else {
            self.unmarked_gap += length;
            self.shared.dropped.fetch_add(length, Ordering::Relaxed);
        }
    }

    /// Takes what the player has set, for the blocks pushed from now on. What changes all the time
    /// reaches the listener every 80 ms.
    pub fn set(&mut self, settings: &Settings) {
        self.settings = Some(*settings);
    }

    /// Queues the settings where the listener doesn't know them.
    fn tell(&mut self) {
        let Some(settings) = self.settings else {
            return;
        };
        let known = |(told, since): (Settings, u64)| {
            let soon = self.end.saturating_sub(since) < self.slack;
            told == settings || (soon && told.offline == settings.offline)
        };
        let mark = Mark {
            at: self.written,
            kind: MarkKind::Set(settings),
        };
        if !self.told.is_some_and(known) && self.marks.push(mark).is_ok() {
            self.told = Some((settings, self.end));
        }
    }

    /// Queues the missing marks; returns `false` when the queue is full.
    fn mark(&mut self) -> bool {
        let at = self.written;
        if self.unmarked_reset {
            if self
                .marks
                .push(Mark {
                    at,
                    kind: MarkKind::Reset(self.base),
                })
                .is_err()
            {
                return false;
            }
            self.unmarked_reset = false;
        }
        // Only together with samples that follow, so that one stretch of drops is one mark.
        if self.unmarked_gap > 0 && self.samples.slots() > 0 {
            if self
                .marks
                .push(Mark {
                    at,
                    kind: MarkKind::Gap(self.unmarked_gap),
                })
                .is_err()
            {
                return false;
            }
            self.unmarked_gap = 0;
        }
        self.tell();
        true
    }

    /// Waits for what is due in the pushed block, at most until `until`, and for a search as long
    /// as it makes steps; for offline rendering only. Also waits while the engine starts; returns
    /// at once when no inference can come.
    pub fn wait(&mut self, until: Instant) {
        // Inferences due in this block were heard at least 120 ms before its end, of which 40 are
        // for the ear's own delay.
        let wanted = (self.end - self.unmarked_gap).saturating_sub(self.slack);
        // Renewed with each block, with a margin of some blocks: the listener may be ahead of it.
        let offline = self.end + 8 * self.slack;
        self.shared.offline.store(offline, Ordering::Release);
        loop {
            // In this order: the readiness is set before what it is for counts as heard.
            let heard = self.shared.heard.load(Ordering::Acquire);
            let readiness = self.shared.readiness.load(Ordering::Acquire);
            let all = self.end - self.unmarked_gap;
            if readiness == Readiness::Absent as u8
                || (readiness == Readiness::Ready as u8 && heard >= wanted)
                // The first sound starts the engine, which is then waited for.
                || (readiness == Readiness::Resting as u8 && heard >= all)
            {
                return;
            }
            let searching = self.shared.searching.load(Ordering::Acquire);
            if Instant::now() >= until && !searching {
                return;
            }
            if let Some(listener) = &self.listener {
                listener.unpark();
            }
            std::thread::sleep(Duration::from_micros(100));
        }
    }

    /// Takes the next inference due within the block last pushed: sample offset in the block, and
    /// the target. Late ones come at offset 0 and are counted. Call until `None`.
    pub fn next_due(&mut self) -> Option<(usize, Target)> {
        loop {
            let next = *self.due.peek().ok()?;
            let stale = next.base != self.base
                || next.generation != self.shared.generation.load(Ordering::Acquire);
            if !stale && next.position >= self.end {
                return None;
            }
            let _ = self.due.pop();
            if stale {
                continue;
            }
            if next.position < self.begin {
                self.shared.late.fetch_add(1, Ordering::Relaxed);
            }
            return Some((
                next.position.saturating_sub(self.begin) as usize,
                next.target,
            ));
        }
    }

    /// Starts a new stream: resets the clock to zero, and the listener. The caller keeps the held
    /// inference.
    pub fn reset(&mut self) {
        self.begin = self.end;
        self.base = self.end;
        self.unmarked_reset = true;
        self.unmarked_gap = 0;
    }
}
