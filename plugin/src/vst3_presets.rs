//! The factory's patches as `.vstpreset` files, by which hosts know a VST3 plugin's presets.
//!
//! The files' layout is Steinberg's ("VST 3 Preset File Format Definition", `vstpresetfile.h` of
//! the VST 3 SDK): a header, the chunks, and a list of them at the end. The only chunk is the
//! component's state, which is all that the plugin has.

use std::path::Path;
use std::sync::Arc;

use nice_plug::prelude::{Params as _, PluginState, Vst3Plugin};
use synth::PARAMS;

use crate::MirrorNet;
use crate::history;
use crate::params::{self, Params};
use crate::patches::{self, NamedPatch};
use crate::state::InstanceState;

/// Version of the files' layout.
const FORMAT: i32 = 1;
/// Bytes of the header.
const HEADER: usize = 48;

/// Writes a file for each of the factory's patches into a folder, which is made where it is
/// missing. A file of the same name is replaced, as a whole or not at all.
///
/// # Errors
///
/// Returns what the system says where a file can't be written.
pub fn write(folder: &Path) -> std::io::Result<()> {
    for patch in patches::factory() {
        let path = folder.join(file_name(&patch.name));
        patches::write_whole(&path, &file(&state(patch)?))?;
    }
    Ok(())
}

/// The file's name: the patch's without what Steinberg's list of locations forbids.
fn file_name(name: &str) -> String {
    let allowed = |c| if r#"\*?/:<>|""#.contains(c) { '_' } else { c };
    name.chars()
        .map(allowed)
        .chain(".vstpreset".chars())
        .collect()
}

/// The state of a fresh instance into which a patch was loaded.
fn state(patch: &NamedPatch) -> std::io::Result<Vec<u8>> {
    let params = Params::new(Arc::new(InstanceState::new().0));
    history::load_for_host(&patch.name, &patch.patch, &params);
    let rows = PARAMS.iter().zip(&params.rows);
    let mut state = PluginState {
        version: env!("CARGO_PKG_VERSION").into(),
        params: rows
            .map(|(row, param)| (row.id.to_owned(), param.saved()))
            .collect(),
        fields: params.serialize_fields(),
    };
    // The plugin's own parameters at their defaults.
    params::migrate(&mut state);
    Ok(serde_json::to_vec(&state)?)
}

/// A preset file that holds a state.
fn file(state: &[u8]) -> Vec<u8> {
    let class: String = MirrorNet::VST3_CLASS_ID
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect();
    let list = HEADER + state.len();
    let mut file = Vec::with_capacity(list + 28);
    file.extend(b"VST3");
    file.extend(FORMAT.to_le_bytes());
    file.extend(class.bytes());
    file.extend((list as i64).to_le_bytes());
    file.extend(state);
    file.extend(b"List");
    file.extend(1i32.to_le_bytes());
    file.extend(b"Comp");
    file.extend((HEADER as i64).to_le_bytes());
    file.extend((state.len() as i64).to_le_bytes());
    file
}
