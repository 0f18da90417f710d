//! WAV and AIFF files, whatever their headers say.

use super::*;

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

/// 24 valid bits in 32, which were once read as noise.
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

/// Float samples beyond full scale, as in the clips that the paper's authors publish.
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
