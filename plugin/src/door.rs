//! The door between an instance and the guard around it.
//!
//! The framework's wrapper stands between the two and passes on only what it knows. What else they
//! have to tell each other, they leave here. Everything is atomic: either side may be the audio
//! thread.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

thread_local! {
    /// The door of the instance that is being made on this thread.
    static OPENING: RefCell<Option<Arc<Door>>> = const { RefCell::new(None) };
}

/// What instance and guard tell each other.
#[derive(Debug, Default)]
pub struct Door {
    changed: AtomicBool,
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

    /// Notes that something the project saves has changed. Wait-free.
    pub fn mark_changed(&self) {
        self.changed.store(true, Ordering::Release);
    }

    /// Whether something changed since the last call. Wait-free.
    pub fn take_changed(&self) -> bool {
        self.changed.swap(false, Ordering::AcqRel)
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
}
