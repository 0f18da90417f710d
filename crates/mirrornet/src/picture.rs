//! Pictures: the little that plots share.

use plotters::style::{FontStyle, register_font};
use std::path::Path;
use std::sync::Once;

/// Makes the family `sans-serif` known to plotters, which brings no font of its own.
pub fn fonts() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Fails only for bytes that are no font.
        let _ = register_font(
            "sans-serif",
            FontStyle::Normal,
            epaint_default_fonts::UBUNTU_LIGHT,
        );
    });
}

/// Draws to a temporary PNG beside `path` by `draw`, then renames it.
pub fn save(path: &Path, draw: impl FnOnce(&Path) -> Result<(), String>) -> Result<(), String> {
    fonts();
    let temporary = path.with_extension(format!("{}.png", std::process::id()));
    draw(&temporary)
        .and_then(|()| std::fs::rename(&temporary, path).map_err(|e| e.to_string()))
        .inspect_err(|_| {
            let _ = std::fs::remove_file(&temporary);
        })
}
