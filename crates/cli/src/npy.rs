//! Spectrograms as NumPy files.

use crate::files::write_atomically;
use ear::{CHANNELS, Spectrogram};
use std::io;
use std::path::Path;

/// Writes `spectrogram` as a NumPy file: little-endian float32 of shape (frames, 128). The file
/// appears whole or not at all.
pub fn write(path: &Path, spectrogram: &Spectrogram) -> io::Result<()> {
    let mut header = format!(
        "{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {CHANNELS}), }}",
        spectrogram.frames()
    );
    // Magic, version and length take 10 bytes; the whole is padded to 64 and ends with a newline.
    while (10 + header.len() + 1) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(spectrogram.data.iter().flat_map(|v| v.to_le_bytes()));
    write_atomically(path, &bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_npy_file_holds_the_spectrogram() {
        let data: Vec<f32> = (0..3 * CHANNELS).map(|x| x as f32 * 0.5).collect();
        let written = Spectrogram {
            data: data.clone(),
            pitch: Vec::new(),
            frame_rate: 125.0,
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("heard.npy");
        write(&path, &written).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let header = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
        assert_eq!((&bytes[..8], header % 64), (&b"\x93NUMPY\x01\x00"[..], 0));
        let text = std::str::from_utf8(&bytes[10..header]).unwrap();
        assert!(text.contains("'<f4'") && text.contains("(3, 128)") && text.ends_with('\n'));
        let read: Vec<f32> = bytes[header..]
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes(b.try_into().unwrap()))
            .collect();
        assert_eq!(read, data);
        assert_eq!(
            std::fs::read_dir(folder.path()).unwrap().count(),
            1,
            "a temporary file was left"
        );
        assert!(write(&folder.path().join("missing/heard.npy"), &written).is_err());
    }
}
