//! Rules for the whole tree: arrows between crates, documents that name real files, comments of
//! readable width, no trace of a machine.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use tests::sandbox::workspace;

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

/// Folders whose comments keep to [`COLUMNS`].
const NARROW: [&str; 4] = ["crates", "plugin", "tests", "xtask"];

/// Most columns of a line that is a comment.
const COLUMNS: usize = 100;

#[test]
fn comments_keep_to_their_width() {
    let root = workspace();
    let mut wide = Vec::new();
    for path in files().iter().filter(|path| is_rust(path)) {
        if !NARROW.iter().any(|f| path.starts_with(root.join(f))) {
            continue;
        }
        for (number, line) in read(path).unwrap_or_default().lines().enumerate() {
            if is_comment(line) && line.chars().count() > COLUMNS {
                wide.push(place(path, number, line));
            }
        }
    }
    assert!(
        wide.is_empty(),
        "comments of more than {COLUMNS} columns:\n{}",
        wide.join("\n")
    );
}

#[test]
fn files_named_in_documents_and_comments_exist() {
    let files = files();
    let mut missing = Vec::new();
    for path in &files {
        let document = path.extension().is_some_and(|e| e == "md");
        if !document && !is_rust(path) {
            continue;
        }
        for (number, line) in read(path).unwrap_or_default().lines().enumerate() {
            if !document && !is_comment(line) {
                continue;
            }
            let mut named = named_files(line);
            if document {
                named.extend(linked_files(line));
            }
            // Relative to the document, or the end of the path of any file.
            let exists = |name: &str| {
                let beside = path.parent().is_some_and(|f| f.join(name).exists());
                beside || files.iter().any(|file| file.ends_with(name))
            };
            if named.iter().any(|name| !exists(name)) {
                missing.push(place(path, number, line));
            }
        }
    }
    assert!(
        missing.is_empty(),
        "these lines name files that don't exist:\n{}",
        missing.join("\n")
    );
}

/// Names of source files and documents in a line of text.
fn named_files(line: &str) -> Vec<&str> {
    const KINDS: [&str; 4] = [".rs", ".md", ".py", ".toml"];
    line.split(|c: char| !c.is_alphanumeric() && !"_-./".contains(c))
        .map(|word| word.trim_end_matches('.'))
        .filter(|word| {
            let stem = KINDS.iter().find_map(|kind| word.strip_suffix(kind));
            // Addresses begin with slashes here, their scheme having been split off.
            stem.is_some_and(|s| !s.is_empty() && !s.ends_with('/')) && !word.starts_with("//")
        })
        .collect()
}

/// Files that a line of Markdown links to.
fn linked_files(line: &str) -> Vec<&str> {
    line.split("](")
        .skip(1)
        .filter_map(|rest| rest.split([')', '#']).next())
        .filter(|target| !target.is_empty() && !target.contains("://"))
        .collect()
}

#[test]
fn file_names_are_found_in_text() {
    assert_eq!(
        named_files(
            "//! See NOTES.md's list, `a/b-c.rs` and x.py: not .rs, a.rst, https://a.b/c.md."
        ),
        ["NOTES.md", "a/b-c.rs", "x.py"]
    );
    assert_eq!(
        linked_files("[a](docs/a.md#b), ![c](c.png), [d](https://e.f/g.md), [h](#i)"),
        ["docs/a.md", "c.png"]
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

fn is_rust(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == "rs")
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with("//")
}

/// A line with its file and its number, which counts from 0 here.
fn place(path: &Path, number: usize, line: &str) -> String {
    format!("{}:{}: {}", path.display(), number + 1, line.trim())
}

/// The text of a file; `None` for other contents.
fn read(path: &Path) -> Option<String> {
    std::fs::read(path)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
}
