//! The architecture's rules: who may know whom, files that say what they are, no trace of a machine.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use tests::sandbox::workspace;

/// Crates between which every arrow is accounted for.
const NAMES: [&str; 12] = [
    "simd",
    "synth",
    "ear",
    "matcher",
    "mirrornet",
    "plugin",
    "tests",
    "xtask",
    "tch",
    "nice-plug",
    "nice-plug-egui",
    "egui",
];

/// ARCHITECTURE.md's arrows, and no other. `tests` may know all.
const ARROWS: [(&str, &[&str]); 7] = [
    ("simd", &[]),
    ("synth", &["simd"]),
    ("ear", &["simd"]),
    ("matcher", &["synth", "ear", "simd"]),
    ("mirrornet", &["matcher", "synth", "ear", "tch"]),
    (
        "plugin",
        &[
            "matcher",
            "synth",
            "ear",
            "nice-plug",
            "nice-plug-egui",
            "egui",
        ],
    ),
    ("xtask", &[]),
];

#[test]
fn arrows_between_the_crates_are_the_ones_drawn() {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .current_dir(workspace())
        .output()
        .expect("cargo runs this test");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo writes JSON");
    let name = |value: &Value| value["name"].as_str().expect("a name").to_string();
    // Development and build dependencies count too.
    let found: BTreeMap<String, BTreeSet<String>> = metadata["packages"]
        .as_array()
        .expect("packages")
        .iter()
        .map(|package| {
            let all = package["dependencies"]
                .as_array()
                .expect("dependencies")
                .iter()
                .map(name);
            (
                name(package),
                all.filter(|n| NAMES.contains(&n.as_str())).collect(),
            )
        })
        .filter(|(package, _)| package != "tests")
        .collect();
    let drawn: BTreeMap<String, BTreeSet<String>> = ARROWS
        .iter()
        .map(|(from, to)| (from.to_string(), to.iter().map(|n| n.to_string()).collect()))
        .collect();
    assert_eq!(found, drawn, "(left: Cargo.toml, right: ARCHITECTURE.md)");
}

#[test]
fn every_source_file_says_what_it_is() {
    let mut silent = Vec::new();
    for path in files() {
        if path.extension().is_some_and(|e| e == "rs") {
            let text = read(&path).unwrap_or_default();
            if !text.starts_with("//! ") {
                silent.push(path);
            }
        }
    }
    assert!(
        silent.is_empty(),
        "these files don't open with `//!` and what they are: {silent:#?}"
    );
}

#[test]
fn no_file_names_a_machine() {
    // In pieces, so that this file does not accuse itself.
    let traces = [
        ["/ho", "me/"],
        ["/ro", "ot/"],
        ["/Us", "ers/"],
        ["/wo", "rk/"],
        ["/tm", "p/"],
        ["C:", "\\"],
    ]
    .map(|pieces| pieces.concat());
    let mut found = Vec::new();
    for path in files() {
        let Some(text) = read(&path) else { continue };
        for (number, line) in text.lines().enumerate() {
            for trace in &traces {
                // A path begins there: what stands before is no part of a name or an address.
                let begins = |at: usize| {
                    !line[..at].ends_with(|c: char| c.is_alphanumeric() || "./_-$}*".contains(c))
                };
                if line.match_indices(trace.as_str()).any(|(at, _)| begins(at)) {
                    found.push(format!(
                        "{}:{}: {}",
                        path.display(),
                        number + 1,
                        line.trim()
                    ));
                }
            }
        }
    }
    assert!(
        found.is_empty(),
        "absolute paths of some machine:\n{}",
        found.join("\n")
    );
}

/// Files of the project: what git would track, found without git.
fn files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    collect(&workspace(), &mut files);
    assert!(
        files.len() > 40,
        "only {} files under {}",
        files.len(),
        workspace().display()
    );
    files
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    const SKIPPED: [&str; 4] = ["target", ".git", "__pycache__", "Cargo.lock"];
    for entry in std::fs::read_dir(folder).expect("the workspace is readable") {
        let path = entry.expect("the workspace is readable").path();
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or("");
        if SKIPPED.contains(&name) {
            continue;
        }
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}

/// The text of a file; `None` when it holds something else.
fn read(path: &Path) -> Option<String> {
    std::fs::read(path)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
}
