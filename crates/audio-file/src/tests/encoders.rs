//! Files that encoders wrote, and those that can't be read.

use super::*;

#[test]
fn what_encoders_write_is_read() {
    let (_, tone) = sound!("tone.wav");
    let tone = read(tone).unwrap().mono();
    assert!(tone.iter().any(|x| x.abs() > 0.2) && tone.len() == 2_000);
    for ((name, bytes), error) in encoded() {
        let sound = read(bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(sound.rate, 8_000, "{name}");
        assert_eq!(sound.remarks, [""; 0], "{name}");
        let mono = sound.mono();
        // Codecs of blocks may add to the end, and MP3 without a tag to the start.
        assert!(
            (2_000..4_700).contains(&mono.len()),
            "{name}: {}",
            mono.len()
        );
        let distance = |late: usize| {
            let both = tone.iter().zip(&mono[late..]).skip(100).take(1_800);
            both.fold(0.0f32, |m, (x, y)| m.max((x - y).abs()))
        };
        let best = (0..=mono.len() - 2_000)
            .map(distance)
            .fold(f32::MAX, f32::min);
        assert!(best <= error, "{name}: off by {best}");
        if error == 0.0 {
            assert_eq!((mono.len(), distance(0)), (2_000, 0.0), "{name}");
        }
    }
}

#[test]
fn truncation_of_any_kind_is_said() {
    for ((name, bytes), _) in encoded() {
        // Of so short an Ogg file most is the codec's tables.
        let (bytes, most) = match name {
            "tone.ogg" => (sound!("long.ogg").1, 24_000),
            _ => (bytes, 2_000 + 800),
        };
        let cut = &bytes[..bytes.len() * 7 / 10];
        // The sizes of ALAC's packets are at the end, and ADPCM has one block here.
        if ["tone-alac.caf", "tone-ms.wav", "tone-ima.wav"].contains(&name) {
            assert!(read(cut).is_err(), "{name}");
            continue;
        }
        let sound = read(cut).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(sound.channels[0].len() < most, "{name}");
        let said = sound.remarks.iter().any(|r| r.contains("truncated"));
        // An MP3 stream without a tag has no length.
        assert!(
            said || name == "tone-mp3.wav",
            "{name}: {:?}",
            sound.remarks
        );
    }
}

#[test]
fn what_cannot_be_read_is_named_with_what_to_do() {
    let text = |bytes: &[u8]| read(bytes).unwrap_err().to_string();
    for ((_, bytes), name) in [
        (sound!("opus.ogg"), "Opus"),
        (sound!("aac.m4a"), "MPEG-4"),
        (sound!("wave.w64"), "Wave64"),
        (sound!("sun.au"), "Sun AU"),
    ] {
        let error = text(bytes);
        assert!(error.contains(name) && error.contains("ffmpeg"), "{error}");
        assert!(error.contains("expected WAV, AIFF, FLAC"), "{error}");
    }
    assert!(text(b"MThd\0\0\0\x06").contains("MIDI"));
    assert!(text(b"hello").contains("known kind"));
    assert!(text(b"").contains("no sound"));
    for (body, what) in [
        (format(0x31, 1, 8_000, 1, 0), "GSM"),
        (format(1, 1, 8_000, 8, 64), "8 bytes"),
        (format(3, 1, 8_000, 2, 16), "16 bits"),
        (format(1, 1, 7_999, 2, 16), "8000 to 384000 Hz"),
        (format(1, 1, 384_001, 2, 16), "8000 to 384000 Hz"),
        (format(1, 0, 8_000, 2, 16), "1 to 26 channels"),
        (format(1, 27, 8_000, 2, 16), "1 to 26 channels"),
    ] {
        let error = text(&riff(&[chunk(b"fmt ", &body), chunk(b"data", &[1; 2_000])]));
        assert!(error.contains(what) && error.contains("ffmpeg"), "{error}");
    }
}

#[test]
fn a_streamed_caf_is_read_to_its_end() {
    let (_, whole) = sound!("tone.caf");
    let mut streamed = whole.to_vec();
    let at = whole.windows(4).position(|w| w == b"data").unwrap();
    streamed[at + 4..at + 12].fill(0xFF);
    assert_eq!(read(&streamed).unwrap(), read(whole).unwrap());
}
