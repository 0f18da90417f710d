//! No allocation in `process`, `set_patch` and `reset`, whatever is played.

#![allow(unsafe_code)] // A global allocator can't be written without.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use synth::{Event, EventKind, Patch, Synth, Transport, params};

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

/// The system's allocator, counting this thread's calls.
struct Counting;

// SAFETY: every call is handed on unchanged to the system's allocator; the counter is a
// const-initialised thread-local without a destructor and allocates nothing itself.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn playing_never_allocates() {
    let mut synth = Synth::new(48_000.0);
    let mut patches = [Patch::default(); 6];
    patches[1].set(params::GLIDE, 0.5);
    patches[2].set(params::NOISE_LEVEL, 1.0);
    patches[3].set(params::OSC1_SHAPE, 0.9);
    patches[4].set_plain(params::PLAY_MODE, 1.0);
    for (row, v) in [
        (params::MOD1_SOURCE, 3.0),
        (params::MOD1_AMOUNT, 0.5),
        (params::MOD1_DEST, 17.0),
        (params::LFO2_START, 1.0),
        (params::LFO2_SYNC, 3.0),
        (params::DELAY_SYNC, 6.0),
        (params::DELAY_MIX, 0.5),
        (params::VOICES, 64.0),
    ] {
        patches[5].set_plain(row, v);
    }
    for (patch, row) in [
        (1, params::CHORUS_MIX),
        (2, params::DELAY_MIX),
        (2, params::REVERB_MIX),
        (3, params::REVERB_MIX),
    ] {
        patches[patch].set(row, 0.5);
    }
    let events: Vec<Vec<Event>> = (0..50u32)
        .map(|b| {
            let note = |i: u32| (100 * b + i * 7 % 60) as f32 % 90.0 + 20.0;
            let on = |i| EventKind::NoteOn {
                id: (i % 12) as i32 - 1,
                channel: 0,
                key: note(i),
                velocity: 0.9,
            };
            let mut block: Vec<Event> = (0..30)
                .map(|i| Event {
                    time: i * 11,
                    kind: on(i),
                })
                .collect();
            let kinds = [
                EventKind::PitchBend {
                    channel: 0,
                    value: 0.3,
                },
                EventKind::ModWheel {
                    channel: 0,
                    value: 0.7,
                },
                EventKind::Modulation {
                    id: 7,
                    row: params::FILTER_CUTOFF,
                    offset: 0.1,
                },
                EventKind::Sustain {
                    channel: 0,
                    down: b % 2 == 0,
                },
                EventKind::Sostenuto {
                    channel: 0,
                    down: b % 3 == 0,
                },
                EventKind::ChannelVolume {
                    channel: 0,
                    value: 0.8,
                },
                EventKind::NoteOff {
                    id: -1,
                    channel: 0,
                    key: note(3),
                },
                EventKind::Pan {
                    id: -1,
                    channel: 0,
                    key: note(4),
                    pan: 0.4,
                },
                if b % 9 == 8 {
                    EventKind::AllSoundOff { channel: 0 }
                } else {
                    EventKind::AllNotesOff { channel: 0 }
                },
            ];
            block.extend(kinds.map(|kind| Event { time: 400, kind }));
            block
        })
        .collect();
    let [mut left, mut right] = [[0.0; 512]; 2];

    let before = COUNT.get();
    let mut peak = 0.0f32;
    for (i, block) in events.iter().enumerate() {
        synth.set_patch(&patches[i % 6], 0.02 * (i % 3) as f32);
        synth.set_transport(&Transport {
            tempo: 100.0 + i as f64,
            beats: Some(i as f64),
        });
        synth.process(&mut left, &mut right, block);
        peak = left.iter().fold(peak, |p, x| p.max(x.abs()));
        if i == 30 {
            synth.reset();
        }
    }
    let calls = COUNT.get() - before;
    assert_eq!(calls, 0, "{calls} calls of the allocator");
    assert!(peak > 0.01, "the test plays something");
    drop(vec![0u8; 10]);
    assert!(COUNT.get() > before, "the counter counts");
}
