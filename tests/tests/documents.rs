//! Rules for documents and comments: they name real files, summaries name things, decimals have a
//! zero, lines have a readable width.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use tests::sandbox::workspace;
use tests::tree::{files, is_comment, is_document, is_rust, place, read};

/// Folders whose comments keep to [`COLUMNS`].
const NARROW: [&str; 4] = ["crates", "plugin", "tests", "xtask"];

/// Largest number of columns of a line that is a comment.
const COLUMNS: usize = 100;

/// Visits the lines of all documents, and the comments of all source files.
fn for_each_line(mut visit: impl FnMut(&Path, usize, &str)) {
    for path in files() {
        let document = is_document(&path);
        if !document && !is_rust(&path) {
            continue;
        }
        for (number, line) in read(&path).unwrap_or_default().lines().enumerate() {
            if document || is_comment(line) {
                visit(&path, number, line);
            }
        }
    }
}

/// Fails with the lines that break a rule.
fn none(broken: &[String], rule: &str) {
    assert!(broken.is_empty(), "{rule}:\n{}", broken.join("\n"));
}

#[test]
fn comments_keep_to_their_width() {
    let root = workspace();
    let mut wide = Vec::new();
    for_each_line(|path, number, line| {
        let narrow = NARROW.iter().any(|f| path.starts_with(root.join(f)));
        if narrow && is_rust(path) && line.chars().count() > COLUMNS {
            wide.push(place(path, number, line));
        }
    });
    none(&wide, &format!("comments of more than {COLUMNS} columns"));
}

#[test]
fn files_named_in_documents_and_comments_exist() {
    let paths = files_and_folders();
    let root = workspace();
    let top: BTreeSet<&str> = paths
        .iter()
        .filter_map(|path| path.strip_prefix(&root).ok()?.iter().next()?.to_str())
        .collect();
    let mut missing = Vec::new();
    for_each_line(|path, number, line| {
        let mut named = named_files(line);
        named.extend(rooted_paths(line, &top));
        if is_document(path) {
            named.extend(linked_files(line));
        }
        // Relative to the document, or the end of the path of any file or folder.
        let exists = |name: &str| {
            let beside = path.parent().is_some_and(|f| f.join(name).exists());
            beside || paths.iter().any(|path| path.ends_with(name))
        };
        if named.iter().any(|name| !exists(name)) {
            missing.push(place(path, number, line));
        }
    });
    none(&missing, "these lines name files that don't exist");
}

#[test]
fn no_summary_begins_with_what() {
    let mut riddles = Vec::new();
    for path in files().into_iter().filter(|path| is_rust(path)) {
        let text = read(&path).unwrap_or_default();
        for (number, line) in summaries(&text) {
            if line.split_whitespace().nth(1) == Some("What") {
                riddles.push(place(&path, number, line));
            }
        }
    }
    none(
        &riddles,
        "a summary names the thing with a noun or says what it does with a verb",
    );
}

#[test]
fn decimals_have_a_zero() {
    let mut bare = Vec::new();
    for_each_line(|path, number, line| {
        if has_bare_decimal(line) {
            bare.push(place(path, number, line));
        }
    });
    none(&bare, "write 0.5 instead of .5");
}

/// Files of the project, and the folders that hold them.
fn files_and_folders() -> Vec<PathBuf> {
    let root = workspace();
    let files = files();
    let folders: BTreeSet<PathBuf> = files
        .iter()
        .flat_map(|file| file.ancestors().skip(1))
        .filter(|folder| folder.starts_with(&root))
        .map(Path::to_path_buf)
        .collect();
    files.into_iter().chain(folders).collect()
}

/// Words of a line that may be paths.
fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !c.is_alphanumeric() && !"_-./".contains(c))
        .map(|word| word.trim_end_matches(['.', '/']))
}

/// Names of source files and documents in a line of text.
fn named_files(line: &str) -> Vec<&str> {
    const KINDS: [&str; 4] = [".rs", ".md", ".py", ".toml"];
    words(line)
        .filter(|word| {
            let stem = KINDS.iter().find_map(|kind| word.strip_suffix(kind));
            // Addresses begin with slashes here, their scheme having been split off.
            stem.is_some_and(|s| !s.is_empty() && !s.ends_with('/')) && !word.starts_with("//")
        })
        .collect()
}

/// Paths in a line of text, of files of any kind and of folders, that begin in one of the folders
/// `top` of the project.
fn rooted_paths<'a>(line: &'a str, top: &BTreeSet<&str>) -> Vec<&'a str> {
    words(line)
        .filter(|word| {
            word.split_once('/')
                .is_some_and(|(first, _)| top.contains(first))
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

/// First lines of the documentation comments of a source file, with their numbers from 0.
fn summaries(text: &str) -> Vec<(usize, &str)> {
    fn kind(line: &str) -> Option<&str> {
        ["/// ", "//! "]
            .into_iter()
            .find(|kind| line.trim_start().starts_with(kind))
    }
    let lines: Vec<&str> = text.lines().collect();
    let continues = |at: usize| {
        let before = at.checked_sub(1).map(|before| lines[before].trim_start());
        before.is_some_and(|before| before.starts_with("///") || before.starts_with("//!"))
    };
    (0..lines.len())
        .filter(|&at| kind(lines[at]).is_some() && !continues(at))
        .map(|at| (at, lines[at]))
        .collect()
}

/// Returns whether a line has a decimal fraction without a zero before its point.
fn has_bare_decimal(line: &str) -> bool {
    let bytes = line.as_bytes();
    (0..bytes.len()).any(|i| {
        let digit = bytes.get(i + 1).is_some_and(u8::is_ascii_digit);
        let free = i == 0 || b" (,<>=~+-|".contains(&bytes[i - 1]);
        bytes[i] == b'.' && digit && free
    })
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
        rooted_paths("//! In a/b.wav, `a/c/`: not b/a/d, a.", &["a"].into()),
        ["a/b.wav", "a/c"]
    );
    assert_eq!(
        linked_files("[a](docs/a.md#b), ![c](c.png), [d](https://e.f/g.md), [h](#i)"),
        ["docs/a.md", "c.png"]
    );
}

#[test]
fn summaries_and_decimals_are_found_in_text() {
    let text =
        "//! One.\n//! More.\n\n/// Two.\n///\n/// More.\n#[a]\n    /// Three.\nx // None.\n";
    let numbers: Vec<usize> = summaries(text).iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, [0, 3, 7]);
    for bare in [".5", "is .5", "(.5)", "-.5", "a=.5", "|.5|"] {
        assert!(has_bare_decimal(bare), "{bare}");
    }
    for fine in ["0.5", "x.0", "1..5", "a.5", "v1.2.3", "`{:.3}`", "../5"] {
        assert!(!has_bare_decimal(fine), "{fine}");
    }
}
