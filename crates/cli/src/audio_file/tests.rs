//! Files of every kind: WAV and AIFF as written here, byte by byte, others as encoders made them.

use super::*;
use proptest::prelude::*;

/// 16-bit samples of a melody of sorts.
fn samples() -> Vec<i16> {
    (0..600)
        .map(|i| (f64::from(i * i) * 0.01).sin() * 20_000.0)
        .map(|x| x as i16)
        .collect()
}

fn wanted() -> Vec<f32> {
    samples().iter().map(|x| f32::from(*x) / 32_768.0).collect()
}

fn bytes_16() -> Vec<u8> {
    samples().iter().flat_map(|x| x.to_le_bytes()).collect()
}

fn chunk(id: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let size = (body.len() as u32).to_le_bytes();
    let pad = vec![0; body.len() % 2];
    [&id[..], &size, body, &pad].concat()
}

/// A format chunk's body.
fn format(tag: u16, channels: u16, rate: u32, width: u16, bits: u16) -> Vec<u8> {
    let block = channels * width;
    let bytes = rate.wrapping_mul(u32::from(block));
    let mut body = Vec::new();
    body.extend(tag.to_le_bytes());
    body.extend(channels.to_le_bytes());
    body.extend(rate.to_le_bytes());
    body.extend(bytes.to_le_bytes());
    body.extend(block.to_le_bytes());
    body.extend(bits.to_le_bytes());
    body
}

/// The format chunk's body of WAVE_FORMAT_EXTENSIBLE.
fn extensible(tag: u16, rate: u32, width: u16, valid: u16) -> Vec<u8> {
    let mut body = format(0xFFFE, 1, rate, width, 8 * width);
    body.extend(22u16.to_le_bytes());
    body.extend(valid.to_le_bytes());
    body.extend(4u32.to_le_bytes());
    body.extend(tag.to_le_bytes());
    body.extend([0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71]);
    body
}

fn riff(chunks: &[Vec<u8>]) -> Vec<u8> {
    let body = [&b"WAVE"[..], &chunks.concat()].concat();
    chunk(b"RIFF", &body)
}

fn pcm_16() -> Vec<u8> {
    format(1, 1, 22_050, 2, 16)
}

#[track_caller]
fn assert_close(bytes: &[u8], error: f32) -> Audio {
    let sound = read(bytes).unwrap();
    assert_eq!((sound.rate, sound.channels.len()), (22_050, 1));
    assert_eq!(sound.channels[0].len(), wanted().len());
    for (x, y) in sound.channels[0].iter().zip(wanted()) {
        assert!((x - y).abs() <= error, "{x} {y}");
    }
    sound
}

/// Reads as the samples wanted, without a remark.
#[track_caller]
fn assert_plain(bytes: &[u8], error: f32) {
    assert_eq!(assert_close(bytes, error).remarks, [""; 0]);
}

#[test]
fn integers_of_every_width_are_read() {
    for width in 1..=4u16 {
        let data: Vec<u8> = samples()
            .iter()
            .flat_map(|x| match width {
                1 => vec![((i32::from(*x) >> 8) + 128) as u8],
                _ => (i32::from(*x) << 16).to_le_bytes()[4 - usize::from(width)..].to_vec(),
            })
            .collect();
        let error = if width == 1 { 1.0 / 128.0 } else { 0.0 };
        for body in [
            format(1, 1, 22_050, width, 8 * width),
            extensible(1, 22_050, width, 8 * width),
            // Bits that count only what is used.
            format(1, 1, 22_050, width, 8 * width - 3),
            extensible(1, 22_050, width, 8 * width - 3),
            // A block that says nothing.
            [
                &format(1, 1, 22_050, width, 8 * width)[..12],
                &[0, 0, 8 * width as u8, 0],
            ]
            .concat(),
        ] {
            let file = riff(&[chunk(b"fmt ", &body), chunk(b"data", &data)]);
            assert_plain(&file, error);
        }
    }
}

/// As in `w07-ext24in32.wav`: it was read as noise.
#[test]
fn twenty_four_valid_bits_in_thirty_two_are_the_upper_ones() {
    let data: Vec<u8> = samples()
        .iter()
        .flat_map(|x| (i32::from(*x) << 16).to_le_bytes())
        .collect();
    let file = riff(&[
        chunk(b"fmt ", &extensible(1, 22_050, 4, 24)),
        chunk(b"data", &data),
    ]);
    assert_plain(&file, 0.0);
    let file = riff(&[
        chunk(b"fmt ", &format(1, 1, 22_050, 4, 24)),
        chunk(b"data", &data),
    ]);
    assert_plain(&file, 0.0);
}

/// As the clips that the paper's authors publish.
#[test]
fn floats_may_be_beyond_full_scale() {
    let peaks = [0.25f64, -1.75, 2.5, 0.0, -0.5];
    for (width, tag) in [(8u16, 3u16), (4, 3)] {
        let data: Vec<u8> = peaks
            .iter()
            .flat_map(|x| match width {
                8 => x.to_le_bytes().to_vec(),
                _ => (*x as f32).to_le_bytes().to_vec(),
            })
            .collect();
        for body in [
            format(tag, 1, 22_050, width, 8 * width),
            extensible(tag, 22_050, width, 8 * width),
        ] {
            let file = riff(&[chunk(b"fmt ", &body), chunk(b"data", &data)]);
            let sound = read(&file).unwrap();
            assert_eq!(sound.channels, [[0.25f32, -1.75, 2.5, 0.0, -0.5]]);
            assert_eq!(sound.remarks, [""; 0]);
        }
    }
}

#[test]
fn numbers_that_are_none_become_silence_with_a_word() {
    let data: Vec<u8> = [0.5, f64::NAN, f64::INFINITY, f64::MAX, -0.5]
        .iter()
        .flat_map(|x| x.to_le_bytes())
        .collect();
    let file = riff(&[
        chunk(b"fmt ", &format(3, 1, 22_050, 8, 64)),
        chunk(b"data", &data),
    ]);
    let sound = read(&file).unwrap();
    assert_eq!(sound.channels, [[0.5f32, 0.0, 0.0, 0.0, -0.5]]);
    assert!(sound.remarks[0].ends_with("set to 0: 3"), "{sound:?}");
}

#[test]
fn a_law_and_mu_law_are_read() {
    // Segments' ends by G.711: full scale, zero, and the smallest step.
    for (tag, codes, values) in [
        (
            7u16,
            [0x80u8, 0x00, 0xFF, 0xFE],
            [32_124.0, -32_124.0, 0.0, 8.0],
        ),
        (
            6,
            [0xAA, 0x2A, 0xD5, 0x55],
            [32_256.0, -32_256.0, 8.0, -8.0],
        ),
    ] {
        for body in [
            [&format(tag, 1, 8_000, 1, 8)[..], &[0, 0]].concat(),
            // Without the size of an extension, as some write it.
            format(tag, 1, 8_000, 1, 8),
        ] {
            let file = riff(&[chunk(b"fmt ", &body), chunk(b"data", &codes)]);
            let sound = read(&file).unwrap();
            assert_eq!(
                sound.channels,
                [values.map(|x: f32| x / 32_768.0)],
                "tag {tag}"
            );
        }
    }
}

#[test]
fn odd_chunks_may_be_anywhere_padded_or_not() {
    let list = chunk(b"LIST", b"INFOISFT\x05\0\0\0qa 1\0");
    assert_eq!(list.len() % 2, 0);
    let [fmt, data] = [chunk(b"fmt ", &pcm_16()), chunk(b"data", &bytes_16())];
    for chunks in [
        vec![fmt.clone(), list.clone(), data.clone()],
        vec![list.clone(), fmt.clone(), data.clone(), list.clone()],
        // Without the padding byte.
        vec![fmt.clone(), list[..list.len() - 1].to_vec(), data.clone()],
        vec![
            chunk(b"junk", &[1, 2, 3]),
            fmt.clone(),
            data.clone(),
            b"id".to_vec(),
        ],
        // The samples before their format.
        vec![data.clone(), fmt.clone()],
        // An extension of a size that nobody reads.
        vec![
            chunk(b"fmt ", &[&pcm_16()[..], &[9; 11]].concat()),
            data.clone(),
        ],
    ] {
        assert_plain(&riff(&chunks), 0.0);
    }
}

fn with_size(id: &[u8; 4], data: &[u8], size: u32) -> Vec<u8> {
    [&id[..], &size.to_le_bytes(), data].concat()
}

#[test]
fn streamed_files_are_read_to_their_end() {
    for size in [
        u32::MAX,
        u32::MAX - 1,
        0x8000_0000,
        0x7FFF_FFFF,
        0x7FFF_F000,
    ] {
        let data = with_size(b"data", &bytes_16(), size);
        let mut file = riff(&[chunk(b"fmt ", &pcm_16()), data]);
        file[4..8].copy_from_slice(&size.to_le_bytes());
        assert_plain(&file, 0.0);
    }
}

#[test]
fn a_crashed_recorders_file_is_read_with_a_word() {
    let data = with_size(b"data", &bytes_16(), 0);
    let mut file = riff(&[chunk(b"fmt ", &pcm_16()), data]);
    file[4..8].copy_from_slice(&[0; 4]);
    let sound = assert_close(&file, 0.0);
    assert!(
        sound.remarks[0].contains("stopped abruptly"),
        "{:?}",
        sound.remarks
    );
    // One that is truly empty, with a list behind.
    let list = chunk(b"LIST", b"INFO");
    let file = riff(&[chunk(b"fmt ", &pcm_16()), chunk(b"data", &[]), list]);
    assert!(matches!(read(&file), Err(AudioError::Empty)));
}

#[test]
fn a_truncated_file_is_read_with_a_word() {
    let whole = riff(&[chunk(b"fmt ", &pcm_16()), chunk(b"data", &bytes_16())]);
    for cut in [1, 2, 399, 400, 1_000] {
        let sound = read(&whole[..whole.len() - cut]).unwrap();
        let frames = (2 * 600 - cut) / 2;
        assert_eq!(sound.channels[0], wanted()[..frames], "cut by {cut}");
        assert!(
            sound.remarks[0].contains("truncated"),
            "{:?}",
            sound.remarks
        );
    }
    assert!(read(&whole[..44]).is_err());
    assert!(
        read(&whole[..30])
            .unwrap_err()
            .to_string()
            .contains("format chunk is cut off")
    );
}

#[test]
fn sixty_four_bit_sizes_are_understood() {
    for id in [b"RF64", b"BW64"] {
        for (given, list) in [(1_200u64, true), (0, false)] {
            let mut sizes = Vec::new();
            sizes.extend(5_000u64.to_le_bytes());
            sizes.extend(given.to_le_bytes());
            sizes.extend(600u64.to_le_bytes());
            sizes.extend([0; 4]);
            let data = with_size(b"data", &bytes_16(), u32::MAX);
            let mut chunks = vec![chunk(b"ds64", &sizes), chunk(b"fmt ", &pcm_16()), data];
            if list {
                // It isn't taken for samples.
                chunks.push(chunk(b"LIST", b"INFO"));
            }
            let mut file = riff(&chunks);
            file[..4].copy_from_slice(id);
            file[4..8].copy_from_slice(&[0xFF; 4]);
            assert_close(&file, 0.0);
        }
    }
}

#[test]
fn big_endian_files_are_read() {
    let swap = |body: &[u8], sizes: &[usize]| -> Vec<u8> {
        let mut out = Vec::new();
        let mut rest = body;
        for size in sizes {
            let (number, tail) = rest.split_at(*size);
            out.extend(number.iter().rev());
            rest = tail;
        }
        out
    };
    let big =
        |id: &[u8; 4], body: &[u8]| [&id[..], &(body.len() as u32).to_be_bytes(), body].concat();
    let data: Vec<u8> = samples().iter().flat_map(|x| x.to_be_bytes()).collect();
    let body = [
        &b"WAVE"[..],
        &big(b"fmt ", &swap(&pcm_16(), &[2, 2, 4, 4, 2, 2])),
        &big(b"data", &data),
    ]
    .concat();
    assert_plain(&big(b"RIFX", &body), 0.0);
}

/// The rate 22,050 Hz as AIFF writes it.
const RATE_80: [u8; 10] = [0x40, 0x0D, 0xAC, 0x44, 0, 0, 0, 0, 0, 0];

fn aiff(bits: u16, data: &[u8], offset: u32, size: Option<u32>) -> Vec<u8> {
    let mut common = vec![0, 1];
    common.extend(600u32.to_be_bytes());
    common.extend(bits.to_be_bytes());
    common.extend(RATE_80);
    let mut sound = offset.to_be_bytes().to_vec();
    sound.extend([0; 4]);
    sound.extend(vec![7; offset as usize]);
    sound.extend(data);
    let big = |id: &[u8; 4], body: &[u8], size: Option<u32>| {
        let size = size.unwrap_or(body.len() as u32).to_be_bytes();
        [&id[..], &size, body, &vec![0; body.len() % 2]].concat()
    };
    let name = big(b"NAME", b"odd", None);
    let body = [
        &b"AIFF"[..],
        &name,
        &big(b"COMM", &common, None),
        &big(b"SSND", &sound, size),
    ];
    big(b"FORM", &body.concat(), None)
}

#[test]
fn aiff_is_read_whole_truncated_and_unfinished() {
    let data: Vec<u8> = samples().iter().flat_map(|x| x.to_be_bytes()).collect();
    assert_plain(&aiff(16, &data, 0, None), 0.0);
    // Bits that count only what is used, and samples that begin later.
    assert_plain(&aiff(12, &data, 0, None), 0.0);
    assert_plain(&aiff(16, &data, 6, None), 0.0);
    let whole = aiff(16, &data, 0, None);
    let sound = read(&whole[..whole.len() - 401]).unwrap();
    assert_eq!(sound.channels[0], wanted()[..399]);
    assert!(
        sound.remarks[0].contains("truncated"),
        "{:?}",
        sound.remarks
    );
    for size in [0, u32::MAX] {
        assert_close(&aiff(16, &data, 0, Some(size)), 0.0);
    }
}

macro_rules! sound {
    ($name:literal) => {
        (
            $name,
            &include_bytes!(concat!("../../tests/sounds/", $name))[..],
        )
    };
}

/// What encoders made of a tone, with the largest difference that their codec makes, and whether
/// it keeps the length.
fn encoded() -> [((&'static str, &'static [u8]), f32); 12] {
    [
        (sound!("tone.wav"), 0.0),
        (sound!("tone.flac"), 0.0),
        (sound!("tone-24.flac"), 0.0),
        (sound!("tone.aiff"), 0.0),
        (sound!("tone-f32.aifc"), 0.0),
        (sound!("tone.caf"), 0.0),
        (sound!("tone-alac.caf"), 0.0),
        (sound!("tone-ms.wav"), 0.1),
        (sound!("tone-ima.wav"), 0.1),
        (sound!("tone.mp3"), 0.1),
        (sound!("tone-mp3.wav"), 0.1),
        (sound!("tone.ogg"), 0.1),
    ]
}

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
        let cut = &bytes[..bytes.len() * 6 / 10];
        // The sizes of ALAC's packets are at the end, and ADPCM has one block here.
        if ["tone-alac.caf", "tone-ms.wav", "tone-ima.wav"].contains(&name) {
            assert!(read(cut).is_err(), "{name}");
            continue;
        }
        let sound = read(cut).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(sound.channels[0].len() < 2_000 + 800, "{name}");
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
fn every_rate_is_read_and_those_beyond_the_ear_are_halved() {
    for (rate, wanted, frames) in [
        (8_000, 8_000, 600),
        (44_100, 44_100, 600),
        (192_000, 192_000, 600),
        (384_000, 192_000, 300),
        (352_800, 176_400, 300),
    ] {
        let body = format(1, 1, rate, 2, 16);
        let sound = read(&riff(&[chunk(b"fmt ", &body), chunk(b"data", &bytes_16())])).unwrap();
        assert_eq!((sound.rate, sound.channels[0].len()), (wanted, frames));
        assert_eq!(sound.remarks.len(), usize::from(rate != wanted));
    }
}

#[test]
fn many_channels_are_read() {
    let body = format(1, 26, 48_000, 2, 16);
    let data = &bytes_16()[..26 * 2 * 20];
    let sound = read(&riff(&[chunk(b"fmt ", &body), chunk(b"data", data)])).unwrap();
    assert_eq!((sound.channels.len(), sound.channels[0].len()), (26, 20));
    assert_eq!(sound.channels[3][1], wanted()[29]);
}

#[test]
fn a_folder_is_searched_without_going_in_circles() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::create_dir_all(path("b/c")).unwrap();
    for name in [
        "b/c/x.FLAC",
        "a.wav",
        "b/y.mp3",
        "b/z.txt",
        "._a.wav",
        "b/n.mid",
    ] {
        std::fs::write(path(name), "").unwrap();
    }
    #[cfg(unix)]
    std::os::unix::fs::symlink(folder.path(), path("b/c/back")).unwrap();
    let found = sound_files(folder.path()).unwrap();
    assert_eq!(
        found.files,
        [path("a.wav"), path("b/c/x.FLAC"), path("b/y.mp3")]
    );
    assert!(found.closed.is_empty());
    assert!(sound_files(&path("missing")).is_err());
}

#[test]
fn a_streamed_caf_is_read_to_its_end() {
    let (_, whole) = sound!("tone.caf");
    let mut streamed = whole.to_vec();
    let at = whole.windows(4).position(|w| w == b"data").unwrap();
    streamed[at + 4..at + 12].fill(0xFF);
    assert_eq!(read(&streamed).unwrap(), read(whole).unwrap());
}

/// Whatever the bytes, a sound comes out that keeps its promises, or a reason.
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
