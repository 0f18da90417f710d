//! The project's own files, for tests of rules that hold for all of them.

use crate::sandbox::workspace;
use std::path::{Path, PathBuf};

/// Files of the project: those that git would track, found without git.
///
/// # Panics
/// When the workspace can't be read.
pub fn files() -> Vec<PathBuf> {
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

/// Returns whether this is a Rust source file.
pub fn is_rust(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == "rs")
}

/// Returns whether this is a document in Markdown.
pub fn is_document(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == "md")
}

/// Returns whether a line of Rust is a comment.
pub fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with("//")
}

/// Formats a line with its file and its number, which counts from 0 here.
pub fn place(path: &Path, number: usize, line: &str) -> String {
    format!("{}:{}: {}", path.display(), number + 1, line.trim())
}

/// Reads the text of a file; `None` for other contents.
pub fn read(path: &Path) -> Option<String> {
    std::fs::read(path)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
}
