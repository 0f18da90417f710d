//! Loading a preset that the host has chosen, by its place: one of the factory's by its name, or a
//! patch file.

use std::ffi::{CStr, CString, c_char};
use std::path::Path;

use clap_sys::ext::preset_load::clap_plugin_preset_load;
use clap_sys::factory::preset_discovery::*;
use clap_sys::plugin::clap_plugin;

use super::instance::Guard;
use crate::history;
use crate::patches::{self, NamedPatch};

/// The extension.
pub static PRESET_LOAD: clap_plugin_preset_load = clap_plugin_preset_load {
    from_location: Some(from_location),
};

/// Place of a preset as the host names it: its own pointers, which may be null.
#[derive(Clone, Copy)]
pub struct Preset {
    /// Kind of the location.
    pub kind: clap_preset_discovery_location_kind,
    /// Path of a file.
    pub location: *const c_char,
    /// Name within the location.
    pub key: *const c_char,
}

/// Reason for which there is no preset.
pub struct Fault {
    /// Number of the system's error; 0 where it is none of the system's.
    pub os_error: i32,
    /// Sentence for the player: what is wrong, and what to do.
    pub text: CString,
}

impl Fault {
    fn new(text: String) -> Self {
        Self {
            os_error: 0,
            text: c_string(&text),
        }
    }
}

/// A text for the host. Zeros, which would end it, are left out.
pub fn c_string(text: &str) -> CString {
    CString::new(text.replace('\0', "")).unwrap_or_default()
}

/// A text of the host's; `None` for a null pointer and for what is not UTF-8.
///
/// # Safety
/// A string that is not null ends with a zero, and lives as long as the text.
unsafe fn text<'a>(string: *const c_char) -> Option<&'a str> {
    // SAFETY: see above.
    (!string.is_null()).then(|| unsafe { CStr::from_ptr(string) }.to_str().ok())?
}

/// Reads the patch file at a host's location. The second value names parameters that this version
/// doesn't have.
///
/// # Errors
///
/// Says what is wrong with the location or the file.
///
/// # Safety
/// A location that is not null ends with a zero.
pub unsafe fn read_file(location: *const c_char) -> Result<(NamedPatch, Vec<String>), Fault> {
    // SAFETY: see above.
    let Some(path) = (unsafe { text(location) }) else {
        let text = "The host named no file. Choose a patch file, which ends in .json.";
        return Err(Fault::new(text.into()));
    };
    patches::read(Path::new(path)).map_err(|error| Fault {
        os_error: error.raw_os_error().unwrap_or(0),
        text: c_string(&format!(
            "{path} holds no patch ({error}). Choose a patch file, which ends in .json."
        )),
    })
}

/// The preset at a place.
///
/// # Safety
/// Strings that are not null end with a zero.
unsafe fn find(preset: &Preset) -> Result<(NamedPatch, Vec<String>), Fault> {
    match preset.kind {
        CLAP_PRESET_DISCOVERY_LOCATION_PLUGIN => {
            // SAFETY: see above.
            let name = unsafe { text(preset.key) }.unwrap_or_default();
            let found = patches::factory().iter().find(|patch| patch.name == name);
            let found = found.ok_or_else(|| {
                Fault::new(format!(
                    "MirrorNet has no factory patch named \"{name}\". Let the host look for \
                     presets again."
                ))
            })?;
            Ok((found.clone(), Vec::new()))
        }
        // SAFETY: see above.
        CLAP_PRESET_DISCOVERY_LOCATION_FILE => unsafe { read_file(preset.location) },
        other => Err(Fault::new(format!(
            "The host named a preset in a place of kind {other}, which MirrorNet does not know. \
             Choose a factory patch or a patch file."
        ))),
    }
}

unsafe extern "C" fn from_location(
    plugin: *const clap_plugin,
    kind: clap_preset_discovery_location_kind,
    location: *const c_char,
    key: *const c_char,
) -> bool {
    let preset = Preset {
        kind,
        location,
        key,
    };
    // SAFETY: the host's promise.
    let Some(guard) = (unsafe { Guard::of(plugin) }) else {
        return false;
    };
    // SAFETY: strings of the host's.
    let found = unsafe { find(&preset) };
    let (patch, unknown) = match found {
        Ok(found) => found,
        Err(fault) => {
            guard
                .host
                .preset_refused(&preset, fault.os_error, &fault.text);
            return false;
        }
    };
    let Some(params) = guard.door.params() else {
        return false;
    };
    history::load_for_host(&patch.name, &patch.patch, &params);
    if !unknown.is_empty() {
        let text = patches::loaded(&patch.name, &unknown);
        params.state.set_message(Some(text));
    }
    guard.host.rescan_values();
    guard.host.preset_loaded(&preset);
    guard.pass_on_changes();
    true
}
