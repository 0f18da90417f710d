//! The audio thread's end of the live loop does not allocate, and works with a real engine process.

use matcher::engine::{Engine, EngineStatus, engine_program};
use matcher::live::{Runtime, live};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator, counting what this thread asks of it.
struct Counting;

thread_local! {
    static CALLS: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    // Fails only while the thread ends.
    let _ = CALLS.try_with(|calls| calls.set(calls.get() + 1));
}

#[allow(unsafe_code)]
// SAFETY: hands every call on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count();
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Allocations and frees of this thread during `f`.
fn calls<T>(f: impl FnOnce() -> T) -> (u64, T) {
    let before = CALLS.with(Cell::get);
    let out = f();
    (CALLS.with(Cell::get) - before, out)
}

#[test]
fn the_counter_counts() {
    assert!(calls(|| vec![1u8; 100]).0 > 0);
}

#[test]
fn nothing_is_allocated_and_the_engines_answers_arrive() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join(engine_program());
    #[cfg(unix)]
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_fake_engine"), program).unwrap();
    #[cfg(not(unix))]
    std::fs::copy(env!("CARGO_BIN_EXE_fake_engine"), program).unwrap();
    std::fs::write(folder.path().join("mode"), "ok").unwrap();

    let rate = 48_000.0;
    let (mut end, view) = live(rate, Engine::at(folder.path()), None);
    assert_eq!(
        view.engine().status(),
        EngineStatus::Idle,
        "nothing was heard yet"
    );
    let sound: Vec<f32> = (0..480)
        .map(|i| 0.3 * (i as f32 * std::f32::consts::TAU / 96.0).sin())
        .collect();
    let mut allocated = 0;
    for block in 0..200 {
        allocated += calls(|| end.push(&sound)).0;
        end.wait(std::time::Instant::now() + matcher::live::LONGEST_WAIT);
        for _ in 0.. {
            let (n, due) = calls(|| end.next_due());
            allocated += n;
            if due.is_none() {
                break;
            }
        }
        if block == 150 {
            allocated += calls(|| end.reset()).0;
        }
    }
    // Started, waited for and answered from the very first window on: an offline render misses
    // nothing.
    let seen = view.snapshot();
    assert_eq!((seen.answering, seen.changes), (Some(Runtime::Engine), 0));
    assert_eq!((seen.late, seen.dropped), (0, 0));
    // The ring overflows: still no allocation.
    allocated += calls(|| (0..1000).for_each(|_| end.push(&sound))).0;
    assert_eq!(allocated, 0);
    assert!(matches!(
        view.engine().status(),
        EngineStatus::Running { .. }
    ));
}
