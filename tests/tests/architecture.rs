//! Rules for the whole tree: arrows between crates, a purpose for every file, no trace of a
//! machine.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use tests::sandbox::workspace;
use tests::tree::{files, is_rust, place, read};

/// Crates between which every arrow is accounted for.
const NAMES: [&str; 14] = [
    "simd",
    "synth",
    "ear",
    "matcher",
    "audio-file",
    "mirrornet",
    "trainer",
    "plugin",
    "tests",
    "xtask",
    "tch",
    "nice-plug",
    "nice-plug-egui",
    "egui",
];

/// ARCHITECTURE.md's arrows, and no other. `tests` may know all.
const ARROWS: [(&str, &[&str]); 9] = [
    ("simd", &[]),
    ("synth", &["simd"]),
    ("ear", &["simd"]),
    ("matcher", &["synth", "ear", "simd"]),
    ("audio-file", &["ear"]),
    ("mirrornet", &["audio-file", "matcher", "synth", "ear"]),
    ("trainer", &["mirrornet", "matcher", "synth", "ear", "tch"]),
    (
        "plugin",
        &[
            "audio-file",
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
fn arrows_between_the_crates_are_those_of_the_architecture() {
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
fn every_source_file_opens_with_its_purpose() {
    let mut silent = Vec::new();
    for path in files() {
        if is_rust(&path) {
            let text = read(&path).unwrap_or_default();
            if !text.starts_with("//! ") {
                silent.push(path);
            }
        }
    }
    assert!(
        silent.is_empty(),
        "these files don't open with `//!` and their purpose: {silent:#?}"
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
                    found.push(place(&path, number, line));
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
