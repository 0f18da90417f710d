//! The delay in the song's tempo.

#[path = "common/sine.rs"]
mod sine;

use sine::{RATE, peak, sine};
use synth::{Event, EventKind, Patch, Synth, Transport, params};

/// Amplitude that a note has within its first samples, and that what leaks past a delay with a mix
/// of 100 % has not: it is the cosine of a right angle in single precision.
const HEARD: f32 = 2e-6;
/// Starts the note.
const START: Event = Event {
    time: 0,
    kind: EventKind::NoteOn {
        id: -1,
        channel: 0,
        key: 57.0,
        velocity: 1.0,
    },
};

/// A sine that is heard through the delay alone.
fn echo(sync: &str) -> Patch {
    let mut patch = sine();
    let names = params::DELAY_SYNCS;
    let index = names.iter().position(|name| *name == sync);
    for (row, v) in [
        (params::DELAY_SYNC, index.expect("a name") as f32),
        (params::DELAY_TIME, 0.05),
        (params::DELAY_TONE, 18_000.0),
        (params::DELAY_FEEDBACK, 0.5),
        (params::DELAY_MIX, 1.0),
    ] {
        patch.set_plain(row, v);
    }
    patch
}

/// A synth with this patch, whose mix has arrived.
fn settled(patch: &Patch) -> Synth {
    let mut synth = Synth::new(RATE);
    synth.set_patch(patch, 0.0);
    let [mut left, mut right] = [[0.0; 64]; 2];
    synth.process(&mut left, &mut right, &[]);
    synth
}

/// Plays a note for `len` samples in blocks; the host reports each tempo from its sample on, with
/// every block.
fn play(patch: &Patch, len: usize, block: usize, tempos: &[(usize, f64)]) -> Vec<f32> {
    let mut synth = settled(patch);
    let (mut left, mut right) = (vec![0.0; len], vec![0.0; len]);
    let mut at = 0;
    while at < len {
        let next = tempos.iter().map(|&(from, _)| from).find(|&from| from > at);
        let end = len.min(at + block).min(next.unwrap_or(len));
        if let Some(&(_, tempo)) = tempos.iter().rfind(|&&(from, _)| from <= at) {
            synth.set_transport(&Transport { tempo, beats: None });
        }
        let events = if at == 0 { &[START][..] } else { &[] };
        synth.process(&mut left[at..end], &mut right[at..end], events);
        at = end;
    }
    left
}

/// Index of the first sample that is heard.
fn first(samples: &[f32]) -> usize {
    let heard = samples.iter().position(|x| x.abs() > HEARD);
    heard.expect("something is heard")
}

/// Samples from a note to its echo.
fn delay(sync: &str, block: usize, tempos: &[(usize, f64)], len: usize) -> usize {
    let patch = echo(sync);
    let mut dry = patch;
    dry.set_plain(params::DELAY_MIX, 0.0);
    first(&play(&patch, len, block, tempos)) - first(&play(&dry, 1_000, block, tempos))
}

#[test]
fn echoes_come_on_the_songs_beat_whatever_the_blocks() {
    for (sync, tempo, beats) in [
        ("1/4", 120.0, 1.0),
        ("1/8 D", 133.0, 0.75),
        ("1/8 T", 90.0, 1.0 / 3.0),
        ("1/16", 174.0, 0.25),
        ("1/32", 61.5, 0.125),
        ("1 bar", 140.0, 4.0),
    ] {
        let samples = (beats * 60.0 / tempo * f64::from(RATE)).round() as usize;
        let tempos = [(0, tempo)];
        let len = samples + 2_000;
        assert_eq!(delay(sync, len, &tempos, len), samples, "{sync} at {tempo}");
        let whole = play(&echo(sync), len, len, &tempos);
        for block in [1, 64, 777] {
            let cut = play(&echo(sync), len, block, &tempos);
            assert!(cut == whole, "{sync} at {tempo} in blocks of {block}");
        }
    }
}

#[test]
fn without_a_host_the_song_has_120_beats_a_minute() {
    assert_eq!(delay("1/8", 512, &[], 20_000), 12_000);
}

/// The line is four seconds long.
#[test]
fn a_time_that_is_too_long_is_halved_until_it_fits() {
    for (sync, tempo, seconds) in [
        ("1 bar", 60.0, 4.0),
        ("1 bar", 50.0, 2.4),
        ("1/2 D", 20.0, 2.25),
    ] {
        let samples = (seconds * RATE) as usize;
        let len = samples + 2_000;
        assert_eq!(delay(sync, 4_096, &[(0, tempo)], len), samples, "{sync}");
    }
}

#[test]
fn a_new_tempo_is_taken_up_as_a_turn_of_the_knob_is() {
    let (len, change) = (48_000, 24_000);
    let patch = echo("1/16");
    let played = play(&patch, len, 480, &[(0, 120.0), (change, 97.0)]);
    let turned = {
        let mut patch = echo("Off");
        patch.set_plain(params::DELAY_TIME, 0.125);
        let mut synth = settled(&patch);
        let (mut left, mut right) = (vec![0.0; len], vec![0.0; len]);
        synth.process(&mut left[..change], &mut right[..change], &[START]);
        patch.set_plain(params::DELAY_TIME, 0.25 * 60.0 / 97.0);
        synth.set_patch(&patch, 0.0);
        synth.process(&mut left[change..], &mut right[change..], &[]);
        left
    };
    assert!(played == turned);
    // A step is no larger than the steady sound's, and what the fade of 60 ms adds.
    let step = |samples: &[f32]| {
        let steps = samples.windows(2).map(|pair| (pair[1] - pair[0]).abs());
        steps.fold(0.0f32, f32::max)
    };
    let steady = step(&played[change - 4_000..change]);
    let fading = step(&played[change..change + 8_000]);
    assert!(steady > 0.0 && fading > 0.0);
    assert!(
        fading < 1.2 * steady + 2.0 * peak(&played) * 1.5 / (0.06 * RATE),
        "{fading}, steady {steady}"
    );
    // And the echo does change.
    let as_before = play(&patch, len, 480, &[(0, 120.0)]);
    assert!(played[change + 4_000..] != as_before[change + 4_000..]);
}

#[test]
fn a_patch_without_it_has_its_own_time_in_any_tempo() {
    let mut json = echo("Off").to_json();
    let own = json["params"].as_object_mut().expect("values by id");
    own.remove("delay_sync").expect("it was written");
    let (patch, unknown) = Patch::from_json(&json.to_string()).expect("a patch");
    assert!(unknown.is_empty());
    assert_eq!(patch.plain(params::DELAY_SYNC), 0.0);
    let tempos = [20.0, 120.0, 300.0];
    let played = tempos.map(|tempo| play(&patch, 20_000, 512, &[(0, tempo)]));
    assert!(played[0] == played[1] && played[1] == played[2]);
    assert_eq!(first(&played[0]) as f32, 0.05 * RATE + dry_start());
}

/// First sample of the note itself.
fn dry_start() -> f32 {
    let mut dry = echo("Off");
    dry.set_plain(params::DELAY_MIX, 0.0);
    first(&play(&dry, 1_000, 1_000, &[])) as f32
}
