//! The audio thread's end of the live loop.

use super::target::Target;
use super::{Due, LONGEST_WAIT, Mark, MarkKind, Readiness, Shared};
use rtrb::{Consumer, Producer};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::Thread;
use std::time::{Duration, Instant};

/// Audio-thread end. No method allocates, locks or calls the system, but for [`AudioEnd::wait`].
pub struct AudioEnd {
    samples: Producer<f32>,
    marks: Producer<Mark>,
    due: Consumer<Due>,
    pub(super) shared: Arc<Shared>,
    listener: Option<Thread>,
    /// The block last pushed begins and ends here.
    begin: u64,
    pub(super) end: u64,
    /// Position of the stream's start.
    base: u64,
    /// Samples put into the ring so far.
    written: u64,
    /// A reset that no mark tells of yet.
    unmarked_reset: bool,
    /// Dropped samples that no mark tells of yet.
    pub(super) unmarked_gap: u64,
    /// Samples of 80 ms: see [`AudioEnd::wait`].
    slack: u64,
}

impl AudioEnd {
    pub(super) fn new(
        (samples, marks, due): (Producer<f32>, Producer<Mark>, Consumer<Due>),
        shared: Arc<Shared>,
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
        }
    }

    /// Hands a block of the reference to the listener; when the ring is full the block is dropped
    /// (its time still passes) and counted. Advances this end's clock by the block's length.
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

    /// Queues what is unmarked; `false` when the queue is full.
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
        true
    }

    /// Offline only: waits, at most 250 ms in all, until the inferences due in the pushed block have
    /// come. While the engine starts it waits for that; when no inference can come it returns at once.
    pub fn wait(&mut self) {
        // What is due in this block was heard at least 120 ms before its end; the ear is given 40 of
        // them for its own delay.
        let wanted = (self.end - self.unmarked_gap).saturating_sub(self.slack);
        // Said anew with each block, and true for some blocks more: the listener may be ahead of it.
        let offline = self.end + 8 * self.slack;
        self.shared.offline.store(offline, Ordering::Release);
        let until = Instant::now() + LONGEST_WAIT;
        loop {
            let readiness = self.shared.readiness.load(Ordering::Acquire);
            let here = self.shared.heard.load(Ordering::Acquire) >= wanted;
            if readiness == Readiness::Absent as u8 || (readiness == Readiness::Ready as u8 && here)
            {
                return;
            }
            if Instant::now() >= until {
                return;
            }
            if let Some(listener) = &self.listener {
                listener.unpark();
            }
            std::thread::sleep(Duration::from_micros(100));
        }
    }

    /// The next inference due within the block last pushed: sample offset in the block, and the
    /// inference. Late ones come at offset 0 and are counted. Call until `None`.
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

    /// Starts a new stream: clock to zero, listener reset. The held inference is kept by the caller.
    pub fn reset(&mut self) {
        self.begin = self.end;
        self.base = self.end;
        self.unmarked_reset = true;
        self.unmarked_gap = 0;
    }
}
