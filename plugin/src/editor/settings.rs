//! Settings of a user, over all projects: zoom and favourite patches.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::patches::write_whole;

/// Zooms on offer.
pub const ZOOMS: [f32; 6] = [0.75, 1.0, 1.25, 1.5, 1.75, 2.0];

/// The user's settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Host's points in one of the editor's.
    pub zoom: f32,
    /// Names of favourite patches.
    pub favourites: BTreeSet<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            zoom: 1.0,
            favourites: BTreeSet::new(),
        }
    }
}

impl Settings {
    /// The settings in `file`; the defaults where it is missing or can't be read.
    pub fn load(file: Option<PathBuf>) -> Self {
        let text = file.and_then(|file| std::fs::read_to_string(file).ok());
        let mut settings: Self = text
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default();
        if !ZOOMS.contains(&settings.zoom) {
            settings.zoom = 1.0;
        }
        settings
    }

    /// Writes the settings to `file`, as a whole or not at all.
    ///
    /// # Errors
    ///
    /// Returns what the system says where the file can't be written.
    pub fn save(&self, file: Option<PathBuf>) -> std::io::Result<()> {
        let file = file.ok_or(std::io::ErrorKind::NotFound)?;
        write_whole(&file, &serde_json::to_vec_pretty(self)?)
    }
}

/// File of the settings: MirrorNet/editor.json in the user's configuration folder.
pub fn file() -> Option<PathBuf> {
    let base = directories::BaseDirs::new()?;
    Some(base.config_dir().join("MirrorNet").join("editor.json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_come_back_and_damaged_ones_are_the_defaults() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a").join("editor.json");
        let settings = Settings {
            zoom: 1.5,
            favourites: ["Harp".to_owned()].into(),
        };
        settings.save(Some(file.clone())).unwrap();
        assert_eq!(Settings::load(Some(file.clone())), settings);
        for text in ["{", r#"{"zoom": 1e9}"#, r#"{"zoom": "large"}"#] {
            std::fs::write(&file, text).unwrap();
            assert_eq!(Settings::load(Some(file.clone())), Settings::default());
        }
        assert_eq!(Settings::load(None), Settings::default());
    }
}
