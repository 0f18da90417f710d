//! States that versions of the plugin have saved, kept in `fixtures/states`: a folder for each
//! version, made by the `state_fixtures` program of that version.

use crate::sandbox::workspace;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A saved state and its meaning for the version that saved it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Fixture {
    /// Name of the state.
    pub name: String,
    /// Description of the content.
    pub content: String,
    /// Normalised values of the quantities that are not at their defaults, by id.
    pub quantities: BTreeMap<String, f32>,
    /// Names of the choices and numbers of the counts that are not at their defaults, by id.
    pub choices: BTreeMap<String, String>,
    /// Ids of the locked parameters.
    pub locks: Vec<String>,
    /// The held inference: normalised values by id; empty if none is held.
    pub held: BTreeMap<String, f32>,
    /// The state as the framework writes it, without the length that CLAP's begins with.
    pub state: Value,
}

/// Folder of the fixtures.
pub fn folder() -> PathBuf {
    workspace().join("tests/fixtures/states")
}

/// A state as a CLAP host keeps it: its length, then its text.
pub fn to_clap(state: &Value) -> Vec<u8> {
    let text = state.to_string().into_bytes();
    [&(text.len() as u64).to_le_bytes()[..], &text].concat()
}

/// All fixtures, with their versions.
///
/// # Panics
/// When one can't be read.
pub fn all() -> Vec<(String, Fixture)> {
    let list = |path: PathBuf| {
        let entries = std::fs::read_dir(&path).expect("the folder is committed");
        let mut paths: Vec<PathBuf> = entries
            .map(|entry| entry.expect("readable").path())
            .collect();
        paths.sort();
        paths
    };
    let mut fixtures = Vec::new();
    for version in list(folder()) {
        let name = version.file_name().expect("it has one").to_string_lossy();
        for path in list(version.clone()) {
            let text = std::fs::read_to_string(&path).expect("readable");
            let fixture =
                serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            fixtures.push((name.clone().into_owned(), fixture));
        }
    }
    fixtures
}
