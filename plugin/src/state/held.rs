//! The held inference, exchanged wait-free between the audio thread and the others.
//!
//! Both sides may replace it: the audio thread by following the reference, the others by loading a
//! patch or a project. Each load begins a new generation, so that a report from an earlier one
//! doesn't bring back an inference that the load has replaced.

use matcher::live::Target;
use parking_lot::Mutex;

/// A held target with the generation it belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Entry {
    generation: u32,
    target: Option<Target>,
}

/// The writing end of the recalls, with the last one.
struct Recall {
    input: triple_buffer::Input<Entry>,
    last: Entry,
}

/// The editor's and the host's end.
pub struct HeldTarget {
    recall: Mutex<Recall>,
    reported: Mutex<triple_buffer::Output<Entry>>,
}

/// The audio thread's end.
pub struct Mailbox {
    recalled: triple_buffer::Output<Entry>,
    reported: triple_buffer::Input<Entry>,
    generation: u32,
    /// The target last recalled or reported.
    last: Option<Target>,
}

/// Both ends, holding nothing.
pub fn held() -> (HeldTarget, Mailbox) {
    let (recall, recalled) = triple_buffer::triple_buffer(&Entry::default());
    let (report, reported) = triple_buffer::triple_buffer(&Entry::default());
    let held = HeldTarget {
        recall: Mutex::new(Recall {
            input: recall,
            last: Entry::default(),
        }),
        reported: Mutex::new(reported),
    };
    let mailbox = Mailbox {
        recalled,
        reported: report,
        generation: 0,
        last: None,
    };
    (held, mailbox)
}

impl Mailbox {
    /// The newly recalled target (`Some(None)`: nothing is held any more), once. Wait-free.
    pub fn recalled(&mut self) -> Option<Option<Target>> {
        if !self.recalled.update() {
            return None;
        }
        let entry = *self.recalled.output_buffer();
        self.generation = entry.generation;
        self.last = entry.target;
        Some(entry.target)
    }

    /// Publishes the target now held. Wait-free.
    pub fn report(&mut self, target: Option<Target>) {
        self.last = target;
        self.reported.write(Entry {
            generation: self.generation,
            target,
        });
    }
}

impl Mailbox {
    /// The target last recalled or reported: the one that the project keeps.
    pub fn reported(&self) -> Option<Target> {
        self.last
    }
}

impl HeldTarget {
    /// The target now held: the audio thread's, or a recalled one that it hasn't taken up yet.
    pub fn get(&self) -> Option<Target> {
        let last = self.recall.lock().last;
        let reported = *self.reported.lock().read();
        if reported.generation == last.generation {
            reported.target
        } else {
            last.target
        }
    }

    /// Replaces the held target and begins a new generation.
    pub fn recall(&self, target: Option<Target>) {
        let mut recall = self.recall.lock();
        recall.last = Entry {
            generation: recall.last.generation.wrapping_add(1),
            target,
        };
        let last = recall.last;
        recall.input.write(last);
    }
}
