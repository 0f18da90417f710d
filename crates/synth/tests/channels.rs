//! MIDI channels: controllers that every synthesizer knows, and the members of MPE zones.

#[path = "common/play.rs"]
mod play;
#[path = "common/sine.rs"]
mod sine;

use play::{on as first, play};
use sine::{key, peak, sine};
use synth::{EventKind, Patch, params};

/// A sine that rings on for a second.
fn ringing() -> Patch {
    let mut patch = sine();
    patch.set_plain(params::AMP_RELEASE, 1.0);
    patch
}

fn mpe() -> Patch {
    let mut patch = ringing();
    patch.set_plain(params::MPE, 1.0);
    patch
}

fn on(channel: u8, key: f32) -> EventKind {
    EventKind::NoteOn {
        id: -1,
        channel,
        key,
        velocity: 1.0,
    }
}

fn off(channel: u8, key: f32) -> EventKind {
    EventKind::NoteOff {
        id: -1,
        channel,
        key,
    }
}

fn bend(channel: u8, value: f32) -> EventKind {
    EventKind::PitchBend { channel, value }
}

/// A MIDI controller, 0 to 127.
fn cc(channel: u8, controller: u8, value: u8) -> EventKind {
    EventKind::of_controller(channel, controller, f32::from(value) / 127.0).unwrap()
}

/// Messages of a member's channel after its note was released are meant for the next note.
#[test]
fn a_released_member_keeps_its_bend() {
    let begin = [(0, on(2, 60.0)), (0, bend(2, 0.1)), (9_600, off(2, 60.0))];
    let next = [(12_000, bend(2, -0.5)), (12_000, cc(2, 74, 127))];
    let sound = |patch: &Patch, more: &[(u32, EventKind)]| {
        play(patch, 24_000, &[&begin[..], more].concat())
    };
    assert!(
        sound(&mpe(), &next) == sound(&mpe(), &[]),
        "it follows its channel"
    );
    assert!(
        sound(&ringing(), &next) != sound(&ringing(), &[]),
        "outside of a zone it does"
    );
    // The master's bend is for all.
    assert!(sound(&mpe(), &[(12_000, bend(0, 1.0))]) != sound(&mpe(), &[]));
    // Held by the pedal, too.
    let pedal = [(9_000, cc(0, 64, 127)), begin[2]];
    let held =
        |more: &[(u32, EventKind)]| play(&mpe(), 24_000, &[&begin[..2], &pedal, more].concat());
    assert!(held(&next) == held(&[]));
    // The next note has the channel's bend.
    let both = sound(&mpe(), &[next[0], (12_000, on(2, 72.0))]);
    let alone = play(&mpe(), 24_000, &[(0, bend(2, -0.5)), (12_000, on(2, 72.0))]);
    assert!((key(&alone[0][14_000..]) - 48.0).abs() < 0.05);
    assert!(both != alone);
}

/// Volume and expression, of a channel and with its zone's master's.
#[test]
fn volume_and_expression_are_gains() {
    let level = |patch: &Patch, events: &[(u32, EventKind)]| {
        let notes = [(0, on(1, 60.0))];
        peak(&play(patch, 24_000, &[events, &notes].concat())[0][12_000..])
    };
    let full = level(&ringing(), &[]);
    let half = 0.2539; // 64 of 127, squared
    for (events, gain) in [
        (&[(0, cc(1, 7, 127)), (0, cc(1, 11, 127))][..], 1.0),
        (&[(0, cc(1, 7, 64))], half),
        (&[(0, cc(1, 11, 64))], half),
        (&[(0, cc(1, 7, 64)), (0, cc(1, 11, 64))], half * half),
        (
            &[(0, cc(1, 7, 64)), (0, cc(1, 11, 64)), (0, cc(1, 121, 0))],
            half,
        ),
        (&[(0, cc(2, 7, 0))], 1.0),
        (&[(0, cc(1, 11, 0))], 0.0),
    ] {
        let got = level(&ringing(), events) / full;
        assert!(
            (got - gain).abs() < 2e-3,
            "{events:?}: {got}, expected {gain}"
        );
    }
    let got = level(&mpe(), &[(0, cc(0, 7, 64)), (0, cc(1, 11, 64))]) / full;
    assert!((got - half * half).abs() < 2e-3, "{got}");
    // While it sounds, without a click: nothing falls faster than in 2 ms.
    let fade = play(
        &ringing(),
        24_000,
        &[(0, on(1, 60.0)), (12_000, cc(1, 7, 0))],
    );
    let jump = |x: &[f32]| x.windows(2).fold(0.0f32, |m, w| m.max((w[1] - w[0]).abs()));
    assert!(jump(&fade[0][11_900..]) < 2.0 * jump(&fade[0][9_000..11_900]));
    assert_eq!(peak(&fade[0][22_000..]), 0.0);
}

#[test]
fn pan_moves_a_channel() {
    let sides = |value| {
        let events = [(0, cc(0, 10, value)), (0, first(60.0, 1.0))];
        let sound = play(&ringing(), 12_000, &events);
        sound.map(|side| peak(&side[6_000..]))
    };
    let [left, right] = sides(0);
    assert!(left > 0.1 && right < 1e-4, "{left} {right}");
    let [left, right] = sides(64);
    assert_eq!(left, right);
    let [left, right] = sides(127);
    assert!(left < 1e-4 && right > 0.1, "{left} {right}");
}

/// The pedal in the middle holds the notes that were down, and no later ones.
#[test]
fn sostenuto_holds_what_was_down() {
    for mode in [0.0, 1.0, 2.0] {
        let mut patch = ringing();
        patch.set_plain(params::AMP_RELEASE, 0.01);
        patch.set_plain(params::PLAY_MODE, mode);
        let level = |events: &[(u32, EventKind)]| peak(&play(&patch, 24_000, events)[0][20_000..]);
        let chord = [(0, on(1, 60.0)), (1_000, cc(1, 66, 127))];
        let later = [(2_000, off(1, 60.0))];
        let held = [&chord[..], &later].concat();
        assert!(level(&held) > 0.1, "mode {mode}: it is held");
        let up = [&held[..], &[(4_000, cc(1, 66, 0))]].concat();
        assert_eq!(level(&up), 0.0, "mode {mode}: it is let go");
        let reset = [&held[..], &[(4_000, cc(1, 121, 0))]].concat();
        assert_eq!(level(&reset), 0.0);
        // Still under a finger.
        let finger = [&chord[..], &[(4_000, cc(1, 66, 0))]].concat();
        assert!(level(&finger) > 0.1);
        // A note struck later; and a second message of a pedal on its way down catches no more.
        let after = [
            (0, cc(1, 66, 100)),
            (0, on(1, 60.0)),
            (500, cc(1, 66, 127)),
            (2_000, off(1, 60.0)),
        ];
        assert_eq!(level(&after), 0.0, "mode {mode}: it was not down");
        // The other pedal and another channel.
        let both = [&held[..], &[(3_000, cc(1, 64, 127)), (4_000, cc(1, 66, 0))]].concat();
        assert!(level(&both) > 0.1);
        let other = [&chord[..1], &[(1_000, cc(2, 66, 127))], &later].concat();
        assert_eq!(level(&other), 0.0);
    }
}

/// Registered parameters 0 and 6.
#[test]
fn bend_ranges_and_zones_are_set_by_message() {
    let set = |channel, parameter, value| {
        [
            (0, cc(channel, 101, 0)),
            (0, cc(channel, 100, parameter)),
            (0, cc(channel, 6, value)),
        ]
    };
    let pitch = |patch: &Patch, events: &[(u32, EventKind)]| {
        let notes = [(0, on(1, 60.0)), (0, bend(1, 0.5)), (0, bend(0, 0.5))];
        key(&play(patch, 24_000, &[events, &notes].concat())[0][4_000..])
    };
    let near = |got: f32, want: f32| assert!((got - want).abs() < 0.02, "{got}, expected {want}");
    near(pitch(&ringing(), &[]), 61.0);
    near(pitch(&ringing(), &set(1, 0, 12)), 66.0);
    near(pitch(&ringing(), &set(0, 0, 12)), 61.0);
    near(pitch(&ringing(), &set(0, 6, 15)), 60.0 + 24.0 + 1.0);
    near(pitch(&mpe(), &set(9, 0, 12)), 60.0 + 6.0 + 1.0);
    near(pitch(&mpe(), &set(0, 6, 0)), 61.0);
}
