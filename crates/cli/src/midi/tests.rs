//! Whole, damaged and unusual files.

use super::*;
use proptest::prelude::*;

#[test]
fn a_melody_round_trips() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mid");
    let notes = [
        (0.25, 0.5, 60.0, 0.8),
        (0.75, 0.25, 60.0, 0.5),
        (0.9, 1.0, 67.4, 1.0),
    ]
    .map(|(onset, duration, key, velocity)| Note {
        onset,
        duration,
        key,
        velocity,
    });
    write(&path, &notes).unwrap();
    let back = read(&path).unwrap().notes();
    assert_eq!(back.len(), notes.len());
    for (a, b) in notes.iter().zip(&back) {
        assert!(
            (a.onset - b.onset).abs() < 1e-3 && (a.duration - b.duration).abs() < 2e-3,
            "{a:?} {b:?}"
        );
        assert!(
            a.key.round() == b.key && (a.velocity - b.velocity).abs() < 0.005,
            "{a:?} {b:?}"
        );
    }
}

#[test]
fn what_is_no_midi_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mid");
    std::fs::write(&path, b"RIFF").unwrap();
    assert!(read(&path).unwrap_err().to_string().contains("a.mid"));
    assert!(
        read(&folder.path().join("none.mid"))
            .unwrap_err()
            .to_string()
            .contains("none.mid")
    );
}

/// A file of one track at 480 ticks a beat, 120 beats a minute.
fn file(track: &[u8]) -> Vec<u8> {
    file_with(track, track.len())
}

fn file_with(track: &[u8], length: usize) -> Vec<u8> {
    let mut bytes = b"MThd\0\0\0\x06\0\x01\0\x01\x01\xE0".to_vec();
    bytes.extend(b"MTrk");
    bytes.extend((length as u32).to_be_bytes());
    bytes.extend(track);
    bytes
}

fn song(bytes: &[u8]) -> Song {
    parse(bytes, Path::new("test.mid")).unwrap()
}

/// Key, onset and length in beats, and velocity of each note.
fn beats(song: &Song) -> Vec<(f32, f64, f64, f32)> {
    let notes = song.notes();
    let shown = notes
        .iter()
        .map(|n| (n.key, 2.0 * n.onset, 2.0 * n.duration, 127.0 * n.velocity));
    shown.collect()
}

/// The keys of the notes, and what was said.
fn kept(bytes: &[u8]) -> (Vec<f32>, String) {
    let song = song(bytes);
    let keys = song.notes().iter().map(|n| n.key).collect();
    (keys, song.remarks.join("; "))
}

const END: [u8; 4] = [0, 0xFF, 0x2F, 0];
/// A beat: 480 ticks.
const BEAT: [u8; 2] = [0x83, 0x60];

/// Bytes that press and release a key, a beat long, with or without status bytes.
fn note(key: u8, with_status: bool) -> Vec<u8> {
    let status = |s: u8| if with_status { vec![s] } else { vec![] };
    [
        &[0][..],
        &status(0x90),
        &[key, 100],
        &BEAT,
        &status(0x80),
        &[key, if with_status { 64 } else { 0 }],
    ]
    .concat()
}

fn track(parts: &[&[u8]]) -> Vec<u8> {
    [&parts.concat()[..], &END].concat()
}

/// Running status that continues over text and SysEx.
#[test]
fn running_status_goes_on_over_text_and_sysex() {
    let text = [0, 0xFF, 1, 2, b'h', b'i'];
    let sysex = [0, 0xF0, 3, 0x41, 0x10, 0xF7];
    for between in [&text[..], &sysex] {
        let bytes = file(&track(&[
            &[0, 0x90, 60, 100],
            &BEAT,
            &[60, 0],
            between,
            &note(62, false),
        ]));
        let (keys, said) = kept(&bytes);
        assert_eq!(keys, [60.0, 62.0]);
        assert!(said.contains("track 1: events without a status"), "{said}");
    }
    // By the standard there is nothing to say.
    let plain = file(&track(&[&note(60, true), &text, &note(62, true)]));
    assert_eq!(kept(&plain), (vec![60.0, 62.0], String::new()));
}

/// Track lengths that are too short, and too long.
#[test]
fn a_wrong_track_length_loses_nothing() {
    let notes = track(&[&note(60, true), &note(62, true), &note(64, true)]);
    for short in 1..notes.len() - 1 {
        let bytes = file_with(&notes, notes.len() - short);
        let (keys, said) = kept(&bytes);
        assert_eq!(keys, [60.0, 62.0, 64.0], "{short} bytes short");
        assert!(said.contains("too short"), "{said}");
    }
    // A second track behind, and a length that spans it.
    let second = track(&[&note(72, true)]);
    for wrong in [-9i64, -1, 1, 5, 20, 1_000] {
        let mut bytes = file_with(&notes, (notes.len() as i64 + wrong) as usize);
        bytes.extend(&file(&second)[14..]);
        let (mut keys, said) = kept(&bytes);
        keys.sort_by(f32::total_cmp);
        assert_eq!(keys, [60.0, 62.0, 64.0, 72.0], "length off by {wrong}");
        assert!(
            said.contains("too short") || said.contains("too long"),
            "{said}"
        );
    }
}

/// Real-time bytes between events, and within them as in a live stream.
#[test]
fn realtime_bytes_are_left_out() {
    let (first, second) = (note(60, true), note(62, true));
    let inside = [&[0, 0x90, 62, 0xF8, 100][..], &BEAT, &[0x80, 0xFE, 62, 64]].concat();
    for (parts, count) in [
        // As an event with a time.
        (vec![&first[..], &[0, 0xF8], &second], 1),
        // Between a time and its event.
        (vec![&first, &[0, 0xF8], &second[1..]], 1),
        (vec![&first, &inside], 2),
        // System messages with data.
        (
            vec![&first, &[0, 0xF2, 1, 2, 0, 0xF1, 3, 0, 0xF6], &second],
            3,
        ),
    ] {
        let song = song(&file(&track(&parts)));
        let keys: Vec<f32> = song.notes().iter().map(|n| n.key).collect();
        assert_eq!(keys, [60.0, 62.0], "{parts:02X?}");
        assert_eq!(beats(&song)[1].1, 1.0);
        let said = song.remarks.join("; ");
        assert!(
            said.contains(&format!("realtime or system bytes left out: {count}")),
            "{said}"
        );
    }
}

/// Data bytes above 127.
#[test]
fn data_bytes_above_127_cost_at_most_their_event() {
    let first = note(60, true);
    // A velocity.
    let loud = [&[0, 0x90, 62, 0xE4][..], &BEAT, &[0x80, 62, 0]].concat();
    let read = song(&file(&track(&[&first, &loud, &note(64, true)])));
    let got = beats(&read);
    assert_eq!(got[1], (62.0, 1.0, 1.0, 127.0));
    assert_eq!(got.len(), 3);
    assert!(
        read.remarks[0].contains("values above 127, taken for 127: 1"),
        "{:?}",
        read.remarks
    );
    // A key, which nobody knows.
    let lost = [&[0, 0x90, 0xBE, 100][..], &BEAT, &[0x80, 62, 0]].concat();
    let (keys, said) = kept(&file(&track(&[&first, &lost, &note(64, true)])));
    assert_eq!(keys, [60.0, 64.0]);
    assert!(said.contains("incomplete events left out: 1"), "{said}");
}

#[test]
fn what_follows_garbage_is_read() {
    let (first, second, third) = (note(60, true), note(62, true), note(64, true));
    let garbage = [0xFF, 0xFF, 0xFF, 0xFF, 0x99, 0xF4, 0xFF];
    let (keys, said) = kept(&file(&track(&[&first, &garbage, &second, &third])));
    assert_eq!((keys[0], *keys.last().unwrap()), (60.0, 64.0), "{said}");
    assert!(said.contains("can't be read"), "{said}");
    // A lost byte costs a note next to it.
    let bytes = track(&[&first, &[0, 0x90, 61], &second, &third]);
    let (keys, said) = kept(&file(&bytes));
    assert!(
        keys.starts_with(&[60.0]) && keys.ends_with(&[64.0]),
        "{keys:?} {said}"
    );
    assert!(!said.is_empty());
    // A file that ends in the midst of an event.
    let whole = file(&track(&[&first, &second, &third]));
    let (keys, said) = kept(&whole[..whole.len() - 6]);
    assert_eq!(keys, [60.0, 62.0, 64.0]);
    assert!(said.contains("cut off"), "{said}");
}

#[test]
fn what_is_held_at_the_end_lasts_until_then() {
    let held = file(&track(&[
        &[0, 0x90, 60, 100],
        &BEAT[..],
        &[0xFF, 1, 0],
        &[0x60],
    ]));
    // The end mark's own time counts: 96 ticks after a beat.
    let mut held = held;
    let end = held.len() - END.len();
    held.remove(end);
    assert_eq!(beats(&song(&held)), [(60.0, 0.0, 1.2, 100.0)]);
}

#[test]
fn a_file_within_others_is_read() {
    let inner = file(&track(&[&note(60, true)]));
    let wrapped = [&b"RIFF\0\0\0\0RMIDdata\0\0\0\0"[..], &inner].concat();
    assert_eq!(kept(&wrapped).0, [60.0]);
    // A foreign chunk in front of the track, a longer header.
    let mut bytes = b"MThd\0\0\0\x08\0\0\0\x01\x01\xE0\0\0XFIH\0\0\0\x03abc".to_vec();
    bytes.extend(&inner[14..]);
    assert_eq!(kept(&bytes), (vec![60.0], String::new()));
}

/// The sustain pedal.
#[test]
fn the_pedal_holds_notes_as_in_the_plugin() {
    let parts: &[&[u8]] = &[
        &[0, 0xB0, 64, 127],
        &note(60, true),
        &BEAT,
        &[0xB0, 64, 0],
        &note(62, true),
    ];
    let pedal = song(&file(&track(parts)));
    assert_eq!(
        beats(&pedal),
        [(60.0, 0.0, 2.0, 100.0), (62.0, 2.0, 1.0, 100.0)]
    );
    assert_eq!(pedal.remarks, [""; 0]);
    assert_eq!(pedal.beyond_notes(), None);
    // A key struck again, another channel's pedal, all notes off, and a pedal nobody lifts.
    let parts: &[&[u8]] = &[
        &[0, 0xB0, 64, 127],
        &note(60, true),
        &note(60, true),
        &[0, 0xB1, 64, 0],
        &BEAT,
        &[0xB0, 123, 0],
        &note(62, true),
        &BEAT,
        &[0xFF, 1, 0],
        &note(64, true),
    ];
    let got = beats(&song(&file(&track(parts))));
    assert_eq!(got[..2], [(60.0, 0.0, 1.0, 100.0), (60.0, 1.0, 2.0, 100.0)]);
    assert_eq!(got[2..], [(62.0, 3.0, 3.0, 100.0), (64.0, 5.0, 1.0, 100.0)]);
    // The synth's own pedal plays the same as the lengths that it makes.
    let (patch, rate) = (synth::Patch::default(), 16_000.0);
    let played = pedal.render(&patch.into(), 2.0, rate, 1);
    assert!(played == synth::render(&patch, &pedal.notes(), 2.0, rate, 1));
    let mut dry = pedal.clone();
    dry.controls.clear();
    assert!(played != dry.render(&patch.into(), 2.0, rate, 1));
}

/// The pedal that holds what was down, and no later notes.
#[test]
fn sostenuto_holds_notes_as_in_the_plugin() {
    let parts: &[&[u8]] = &[
        &[0, 0x90, 60, 100],
        &[0x60, 0xB0, 66, 127],
        &[0x60, 0x80, 60, 0],
        &note(62, true),
        &BEAT,
        &[0xB0, 66, 0],
        &note(64, true),
    ];
    let song = song(&file(&track(parts)));
    let keys: Vec<f32> = song.notes().iter().map(|n| n.key).collect();
    assert_eq!(keys, [60.0, 62.0, 64.0]);
    let [first, second, third] = [0, 1, 2].map(|n| song.notes()[n]);
    let end = first.onset + first.duration;
    assert!((end - third.onset).abs() < 1e-9, "{end}");
    assert!(second.onset + second.duration < end - 0.1);
    let (patch, rate) = (synth::Patch::default(), 16_000.0);
    let played = song.render(&patch.into(), 3.0, rate, 1);
    assert!(played == synth::render(&patch, &song.notes(), 3.0, rate, 1));
}

#[test]
fn a_bend_bends() {
    let up = [0, 0xE0, 0x7F, 0x7F];
    let bent = song(&file(&track(&[&up, &note(60, true)])));
    assert_eq!(bent.beyond_notes().as_deref(), Some("pitch bend"));
    let rate = 16_000.0;
    let pitch = |sound: &[Vec<f32>; 2]| {
        let ups = sound[0][2_000..6_000]
            .windows(2)
            .filter(|w| w[0] < 0.0 && w[1] >= 0.0);
        ups.count() as f64
    };
    let mut patch = synth::Patch::default();
    // A sine crosses zero twice a period.
    patch.set_plain(synth::params::FILTER_CUTOFF, 100.0);
    let plain = song(&file(&track(&[&note(60, true)])));
    let [bent, flat] = [bent, plain].map(|s| pitch(&s.render(&patch.into(), 0.5, rate, 1)));
    let ratio = bent / flat;
    assert!(
        (ratio - 2f64.powf(2.0 / 12.0)).abs() < 0.03,
        "{bent} {flat}"
    );
    // The middle is no bend.
    let middle = song(&file(&track(&[&[0, 0xE0, 0, 0x40], &note(60, true)])));
    assert_eq!(middle.beyond_notes(), None);
}

/// Drums next to a melody.
#[test]
fn drums_are_left_out_where_there_is_a_melody() {
    let drum = [&[0, 0x99, 36, 100][..], &BEAT, &[0x89, 36, 64]].concat();
    let both = file(&track(&[&note(60, true), &drum]));
    let (keys, said) = kept(&both);
    assert_eq!(
        (keys, said.as_str()),
        (vec![60.0], "notes of channel 10 (drums) left out: 1")
    );
    assert_eq!(kept(&file(&track(&[&drum]))), (vec![36.0], String::new()));
}

#[test]
fn plain_notes_sound_as_before() {
    let notes: Vec<Note> = (0..8)
        .map(|i| Note {
            onset: 0.2 * f64::from(i % 6),
            duration: 0.15 + 0.1 * f64::from(i % 3),
            key: 50.0 + 3.0 * i as f32,
            velocity: 0.8,
        })
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mid");
    write(&path, &notes).unwrap();
    let song = read(&path).unwrap();
    let mut late = synth::Patch::default();
    late.set_plain(synth::params::FILTER_CUTOFF, 500.0);
    let automation = synth::Automation {
        patch: synth::Patch::default(),
        points: vec![(0.4, late), (0.7, synth::Patch::default()), (9.0, late)],
    };
    let rate = 22_050.0;
    assert!(
        song.render(&automation, 1.5, rate, 3) == automation.render(&song.notes(), 1.5, rate, 3)
    );
}

/// Events as another reader, midly's, gets them.
fn by_midly(bytes: &[u8]) -> Vec<(u64, event::Message)> {
    let mut events = Vec::new();
    for track in &Smf::parse(bytes).unwrap().tracks {
        let mut tick = 0;
        for event in track {
            tick += u64::from(event.delta.as_int());
            match event.kind {
                TrackEventKind::Midi { channel, message } => {
                    events.push((tick, event::Message::Channel(channel.as_int(), message)));
                }
                TrackEventKind::Meta(MetaMessage::Tempo(us)) => {
                    events.push((tick, event::Message::Tempo(us.as_int())));
                }
                _ => {}
            }
        }
    }
    events
}

/// Any event of a whole file.
fn any_event() -> impl Strategy<Value = Vec<u8>> {
    let byte = 0u8..128;
    let delta = prop_oneof![
        (0u8..128).prop_map(|d| vec![d]),
        (128u8..=255, 0u8..128).prop_map(|(a, b)| vec![a, b]),
    ];
    let body = prop::collection::vec(any::<u8>(), 0..20);
    let event = prop_oneof![
        4 => (0x80u8..0xC0, byte.clone(), byte.clone()).prop_map(|(s, a, b)| vec![s, a, b]),
        1 => (0xC0u8..0xE0, byte.clone()).prop_map(|(s, a)| vec![s, a]),
        1 => (0xE0u8..0xF0, byte.clone(), byte).prop_map(|(s, a, b)| vec![s, a, b]),
        1 => any::<[u8; 3]>().prop_map(|t| [&[0xFF, 0x51, 3][..], &t].concat()),
        1 => body.clone().prop_map(|b| [&[0xFF, 1, b.len() as u8][..], &b].concat()),
        1 => body.prop_map(|b| [&[0xF0, b.len() as u8][..], &b].concat()),
    ];
    (delta, event).prop_map(|(delta, event)| [delta, event].concat())
}

proptest! {
    #[test]
    fn whole_files_are_read_as_by_midly(
        tracks in prop::collection::vec(prop::collection::vec(any_event(), 0..30), 1..4),
    ) {
        let mut bytes = b"MThd\0\0\0\x06\0\x01\0\0\x01\xE0".to_vec();
        bytes[11] = tracks.len() as u8;
        for events in &tracks {
            let events: Vec<&[u8]> = events.iter().map(Vec::as_slice).collect();
            bytes.extend(&file(&track(&events))[14..]);
        }
        let read = track::tracks(&bytes[14..]);
        prop_assert_eq!(read.len(), tracks.len());
        for track in &read {
            prop_assert!(track.remarks.is_empty(), "{:?}", track.remarks);
        }
        let ours: Vec<_> = read.into_iter().flat_map(|t| t.events).collect();
        prop_assert_eq!(ours, by_midly(&bytes));
    }

    #[test]
    fn any_bytes_are_read_or_refused(
        events in prop::collection::vec(any_event(), 0..20),
        garbage in prop::collection::vec(any::<u8>(), 0..200),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        length in any::<u32>(),
    ) {
        let events: Vec<&[u8]> = events.iter().map(Vec::as_slice).collect();
        let mut bytes = file_with(&track(&events), length as usize % 400);
        bytes.extend(garbage);
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Ok(song) = parse(&bytes, Path::new("test.mid")) {
            // A note takes at least three bytes.
            prop_assert!(song.notes().len() <= bytes.len() / 2);
            for note in song.notes() {
                prop_assert!(note.onset >= 0.0 && note.duration > 0.0 && note.onset.is_finite());
                prop_assert!((0.0..=127.0).contains(&note.key));
                prop_assert!((0.0..=1.0).contains(&note.velocity));
            }
        }
    }
}

/// A large file that is all damage takes no longer than a large whole one.
#[test]
fn large_garbage_is_read_in_time() {
    let started = std::time::Instant::now();
    for pattern in [
        &[0xFF][..],
        &[0x90],
        &[0x00, 0x90, 0x3C, 0xF8],
        &[0x80],
        b"MTrk\0\0\0\0",
    ] {
        let bytes = file(
            &pattern
                .iter()
                .copied()
                .cycle()
                .take(1 << 20)
                .collect::<Vec<u8>>(),
        );
        let _ = parse(&bytes, Path::new("test.mid"));
    }
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}
