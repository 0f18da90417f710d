//! NumPy files of spectrograms.

use crate::config::CHANNELS;
use crate::spectrogram::Spectrogram;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// Writes `spectrogram` as a NumPy file: float32, (frames, 128), little-endian.
///
/// The file appears whole or not at all: it is written under a temporary name and renamed.
pub fn write_npy(path: &Path, spectrogram: &Spectrogram) -> io::Result<()> {
    let name = path.file_name().ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidInput, "the .npy path names no file")
    })?;
    let mut temporary = name.to_os_string();
    temporary.push(format!(".{}.part", std::process::id()));
    let temporary = path.with_file_name(temporary);
    let written =
        write_npy_to(&temporary, spectrogram).and_then(|()| std::fs::rename(&temporary, path));
    if written.is_err() {
        // Nothing more can be done if even this fails; the first error is the one to report.
        let _ = std::fs::remove_file(&temporary);
    }
    written
}

fn write_npy_to(path: &Path, spectrogram: &Spectrogram) -> io::Result<()> {
    let mut header = format!(
        "{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {CHANNELS}), }}",
        spectrogram.frames()
    );
    // Magic, version and length take 10 bytes; the whole is padded to 64 and ends with a newline.
    while (10 + header.len() + 1) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let mut file = BufWriter::new(File::create(path)?);
    file.write_all(b"\x93NUMPY\x01\x00")?;
    file.write_all(&(header.len() as u16).to_le_bytes())?;
    file.write_all(header.as_bytes())?;
    for value in &spectrogram.data {
        file.write_all(&value.to_le_bytes())?;
    }
    file.into_inner()
        .map_err(io::IntoInnerError::into_error)?
        .sync_all()
}
