//! Random and changed bytes: a sound that keeps its promises comes out, or a reason.

use super::*;
use proptest::prelude::*;

/// Reads any bytes: the result is a sound within its documented bounds, or an error.
fn check(bytes: &[u8]) {
    if let Ok(sound) = read(bytes) {
        let frames = sound.channels[0].len();
        assert!(frames > 0 && (4_000..=192_000).contains(&sound.rate));
        assert!(sound.channels.len() <= MOST_CHANNELS);
        assert!(sound.channels.iter().all(|c| c.len() == frames));
        assert!(sound.channels.iter().flatten().all(|x| x.is_finite()));
        // Nothing is made up: FLAC's constant blocks are the densest of all.
        assert!(frames * sound.channels.len() <= 40_000 * (bytes.len() + 100));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn random_bytes_never_panic(
        start in prop::sample::select(vec![
            &b"RIFF\xFF\0\0\0WAVEfmt "[..], b"RF64\xFF\xFF\xFF\xFFWAVEds64", b"FORM\0\0\xFF\0AIFFCOMM",
            b"fLaC", b"OggS", b"caff\0\x01\0\0desc", b"\xFF\xFB\x90\0", b"ID3", b"",
        ]),
        bytes in prop::collection::vec(any::<u8>(), 0..600),
    ) {
        check(&[start, &bytes].concat());
    }

    #[test]
    fn changed_files_never_panic(
        which in 0usize..12,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), any::<bool>()), 1..8),
        length in any::<prop::sample::Index>(),
        cut in any::<bool>(),
    ) {
        let ((_, bytes), _) = encoded()[which];
        let mut bytes = bytes.to_vec();
        for (at, value, in_header) in changes {
            let n = if in_header { bytes.len().min(100) } else { bytes.len() };
            let at = at.index(n);
            bytes[at] = value;
        }
        if cut {
            bytes.truncate(length.index(bytes.len()));
        }
        check(&bytes);
    }

    #[test]
    fn any_samples_round_trip(
        data in prop::collection::vec(any::<i16>(), 1..300),
        channels in 1u16..6,
        rate in 8_000u32..=192_000,
        list in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let frames = data.len() / usize::from(channels);
        let bytes: Vec<u8> = data.iter().flat_map(|x| x.to_le_bytes()).collect();
        let whole = frames * usize::from(channels) * 2;
        let body = format(1, channels, rate, 2, 16);
        let chunks = [chunk(b"fmt ", &body), chunk(b"LIST", &list), chunk(b"data", &bytes[..whole])];
        match read(&riff(&chunks)) {
            Ok(sound) => {
                prop_assert_eq!(sound.rate, rate);
                for (i, x) in data[..whole / 2].iter().enumerate() {
                    let got = sound.channels[i % usize::from(channels)][i / usize::from(channels)];
                    prop_assert_eq!(got, f32::from(*x) / 32_768.0);
                }
            }
            Err(e) => prop_assert!(frames == 0, "{e}"),
        }
    }
}
