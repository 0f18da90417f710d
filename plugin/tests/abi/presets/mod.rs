//! Presets as hosts know them: found by CLAP's factory, loaded by its extension, and as files for
//! VST3.

mod discovery;
mod loading;

use std::ffi::{CStr, c_char};
use std::path::{Path, PathBuf};

use clap_sys::factory::preset_discovery::*;
use serde_json::{Value, json};
use synth::{PARAMS, Patch};

use crate::both::Host;
use crate::vst3_host;

const BUILT_IN: u32 = CLAP_PRESET_DISCOVERY_LOCATION_PLUGIN;
const FILE: u32 = CLAP_PRESET_DISCOVERY_LOCATION_FILE;

/// The factory's patch files.
fn files() -> Vec<(Value, Patch)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/patches");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("it is in the tree")
        .map(|entry| entry.expect("it can be read").path())
        .filter(|file| file.extension().is_some_and(|end| end == "json"))
        .collect();
    files.sort();
    files
        .iter()
        .map(|file| {
            let text = std::fs::read_to_string(file).expect("it can be read");
            let value = serde_json::from_str(&text).expect("JSON");
            (value, Patch::from_json(&text).expect("a patch").0)
        })
        .collect()
}

/// The factory's patch of this name.
fn factory(name: &str) -> Patch {
    let mut all = files().into_iter();
    all.find(|(value, _)| value["name"] == name)
        .expect("it is one of the factory's")
        .1
}

/// A text of the plugin's; `None` for a null pointer.
unsafe fn text(string: *const c_char) -> Option<String> {
    // SAFETY: a string that ends with a zero.
    (!string.is_null()).then(|| {
        unsafe { CStr::from_ptr(string) }
            .to_string_lossy()
            .into_owned()
    })
}

/// The parameters of a state differ by no more than a text file's rounding from those of a patch.
fn assert_plays(state: &Value, patch: &Patch) {
    for (row, param) in PARAMS.iter().enumerate() {
        let saved = &state["params"][param.id];
        match saved["i32"].as_i64() {
            Some(saved) => assert_eq!(saved, patch.plain(row).round() as i64, "{}", param.id),
            None => {
                let saved = saved["f32"].as_f64().expect("a quantity");
                assert!(
                    (saved - f64::from(patch.get(row))).abs() < 1e-6,
                    "{}",
                    param.id
                );
            }
        }
    }
}

fn container(state: &Value) -> Value {
    let text = state["fields"]["mirrornet"].as_str().expect("text");
    serde_json::from_str(text).expect("JSON")
}

/// Reads the files as the format's definition says, and loads each into an instance that was
/// turned, locked and switched off.
#[test]
fn every_preset_file_loads_its_patch_in_vst3() {
    let folder = tempfile::tempdir().expect("a folder");
    plugin::write_vst3_presets(folder.path()).expect("they can be written");
    let plugin = <vst3_host::Plugin as Host>::new();
    let before = plugin.save();
    let files = files();
    let written = std::fs::read_dir(folder.path()).expect("it is there");
    assert_eq!(written.count(), files.len());
    for (file, patch) in files {
        let name = file["name"].as_str().expect("a name");
        let bytes = std::fs::read(folder.path().join(format!("{name}.vstpreset")))
            .expect("a file for each patch");
        let number =
            |at: usize| i64::from_le_bytes(bytes[at..at + 8].try_into().expect("8 bytes")) as usize;
        assert_eq!(&bytes[..8], b"VST3\x01\0\0\0");
        // `MirrorNetSynth01`.
        assert_eq!(&bytes[8..40], b"4D6972726F724E657453796E74683031");
        let list = number(40);
        assert_eq!(&bytes[list..list + 12], b"List\x01\0\0\0Comp");
        let (start, size) = (number(list + 12), number(list + 20));
        assert_eq!(bytes.len(), list + 28);

        plugin.automate(&[("Cutoff", 0.123), ("Match", 0.5), ("Search", 0.0)]);
        assert!(Host::load(&plugin, &bytes[start..start + size]));
        let state = plugin.save();
        assert_plays(&state, &patch);
        assert_eq!(container(&state)["patch"], name);
        for id in ["match", "match_glide", "output", "listen", "match_search"] {
            assert_eq!(state["params"][id], before["params"][id], "{id}");
        }
        plugin.automate(&[]);
        assert_eq!(container(&plugin.save())["locks"], json!([]));
    }
}
