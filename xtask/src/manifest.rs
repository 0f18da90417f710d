//! A list of a folder's files with their sizes and times of change, to tell whether all of them are
//! still what was put there, in milliseconds (hashing libtorch would take seconds).

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::time::UNIX_EPOCH;

use anyhow::{Context, bail};

/// The list's own name in the folder.
const NAME: &str = "manifest.txt";

/// Lists the files of `folder` in it, under a first line `stamp` that names the recipe.
pub fn write(folder: &Path, stamp: &str) -> anyhow::Result<()> {
    let mut text = format!("{stamp}\n");
    list(folder, folder, &mut text)?;
    let path = folder.join(NAME);
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// Checks that `folder` was made by the recipe `stamp` and no listed file is missing or changed.
/// The error names the first difference.
pub fn check(folder: &Path, stamp: &str) -> anyhow::Result<()> {
    let path = folder.join(NAME);
    let text =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut lines = text.lines();
    let found = lines.next().unwrap_or_default();
    if found != stamp {
        bail!("expected the stamp \"{stamp}\", got \"{found}\"");
    }
    for line in lines {
        let name = line.splitn(3, ' ').nth(2).unwrap_or_default();
        let now = entry(&folder.join(name), name)?;
        if now != line {
            bail!("{name} was changed: expected \"{line}\", got \"{now}\"");
        }
    }
    Ok(())
}

fn list(root: &Path, folder: &Path, text: &mut String) -> anyhow::Result<()> {
    let cannot_read = || format!("cannot read {}", folder.display());
    for item in fs::read_dir(folder).with_context(cannot_read)? {
        let path = item.with_context(cannot_read)?.path();
        if path.is_dir() {
            list(root, &path, text)?;
        } else {
            let name = path.strip_prefix(root).expect("listed under the root");
            let name = name.to_str().context("a file name is not Unicode")?;
            writeln!(text, "{}", entry(&path, name)?).expect("writing to a string");
        }
    }
    Ok(())
}

/// One line: size in bytes, time of change in nanoseconds since 1970, name.
fn entry(path: &Path, name: &str) -> anyhow::Result<String> {
    let metadata = path
        .metadata()
        .with_context(|| format!("{name} is missing"))?;
    let changed = metadata
        .modified()?
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Ok(format!("{} {} {name}", metadata.len(), changed.as_nanos()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("lib")).unwrap();
        fs::write(folder.path().join("lib/a b.so"), "some code").unwrap();
        fs::write(folder.path().join("build-version"), "2.13.0").unwrap();
        write(folder.path(), "recipe 1").unwrap();
        folder
    }

    fn complaint(folder: &Path, stamp: &str) -> String {
        format!("{:#}", check(folder, stamp).unwrap_err())
    }

    #[test]
    fn an_untouched_folder_passes_also_after_a_rename() {
        let folder = folder();
        check(folder.path(), "recipe 1").unwrap();
        let parent = tempfile::tempdir().unwrap();
        let moved = parent.path().join("moved");
        fs::rename(folder.path(), &moved).unwrap();
        check(&moved, "recipe 1").unwrap();
    }

    #[test]
    fn truncated_overwritten_and_missing_files_are_noticed() {
        let truncated = folder();
        let library = truncated.path().join("lib/a b.so");
        fs::write(&library, "some").unwrap();
        assert!(complaint(truncated.path(), "recipe 1").contains("a b.so was changed"));

        let overwritten = folder();
        let library = overwritten.path().join("lib/a b.so");
        let before = library.metadata().unwrap().modified().unwrap();
        fs::write(&library, "same size").unwrap();
        let file = fs::File::options().write(true).open(&library).unwrap();
        file.set_modified(before + std::time::Duration::from_nanos(1000))
            .unwrap();
        assert!(complaint(overwritten.path(), "recipe 1").contains("a b.so was changed"));

        let missing = folder();
        fs::remove_file(missing.path().join("build-version")).unwrap();
        assert!(complaint(missing.path(), "recipe 1").contains("build-version is missing"));
    }

    #[test]
    fn another_recipe_or_an_empty_folder_is_refused() {
        assert!(complaint(folder().path(), "recipe 2").contains("recipe 2"));
        let empty = tempfile::tempdir().unwrap();
        assert!(complaint(empty.path(), "recipe 1").contains("manifest.txt"));
    }
}
