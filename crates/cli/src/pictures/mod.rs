//! PNG pictures: what all plots share.

pub mod spectrogram;

use crate::files::replace_with;
use plotters::style::{FontStyle, register_font};
use std::io;
use std::path::Path;
use std::sync::Once;

/// Makes the family `sans-serif` known to plotters, which brings no font of its own.
fn register_fonts() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Fails only for bytes that are not a font.
        let _ = register_font(
            "sans-serif",
            FontStyle::Normal,
            epaint_default_fonts::UBUNTU_LIGHT,
        );
    });
}

/// Saves the picture that `draw` writes to the path it is given as the PNG file `path`. The file
/// appears whole or not at all.
pub fn save(
    path: &Path,
    draw: impl FnOnce(&Path) -> Result<(), Box<dyn std::error::Error>>,
) -> io::Result<()> {
    register_fonts();
    replace_with(path, |temporary| {
        draw(temporary).map_err(|e| io::Error::other(e.to_string()))
    })
}
