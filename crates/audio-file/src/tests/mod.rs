//! Files of every kind: WAV and AIFF as written here, byte by byte, others as encoders made them.

macro_rules! sound {
    ($name:literal) => {
        ($name, &include_bytes!(concat!("../../sounds/", $name))[..])
    };
}

mod any_bytes;
mod encoders;
mod headers;

use super::*;

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

/// A tone as written by several encoders, with the largest difference that the codec makes, and
/// whether it keeps the length.
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
