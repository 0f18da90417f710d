//! Licence notices of the third-party parts of a bundle: fonts, libraries, libtorch.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::Context;
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package, PackageId};

use crate::project::Project;

/// Name of the file, in the bundle and in the engine's folder.
pub const FILE: &str = "NOTICES.txt";

/// Notice of libtorch, a binary whose parts cargo doesn't know.
const LIBTORCH: &str = include_str!("libtorch_notice.txt");

/// The notices of everything that is linked into the packages `roots`, with libtorch's where there
/// is an `engine` that loads it.
pub fn text(project: &Project, roots: &[&str], engine: bool) -> anyhow::Result<String> {
    let metadata = MetadataCommand::new()
        .manifest_path(project.root.join("Cargo.toml"))
        .exec()
        .context("cargo can't list the libraries")?;
    let mut text = String::from(
        "MirrorNet contains the following software and fonts. Each part's licence is named, and \
         its notices follow below.\n\n",
    );
    let packages = linked(&metadata, roots);
    for package in &packages {
        let licence = package.license.as_deref().unwrap_or("see its notice");
        let _ = writeln!(text, "{} {}: {licence}", package.name, package.version);
    }
    // Many have the same text.
    let mut notices: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in &packages {
        let folder = package
            .manifest_path
            .parent()
            .context("it is in a folder")?;
        for notice in notices_in(folder.as_std_path())? {
            let names = notices.entry(notice).or_default();
            names.insert(format!("{} {}", package.name, package.version));
        }
    }
    for (notice, names) in notices {
        let names: Vec<_> = names.into_iter().collect();
        let _ = write!(
            text,
            "\n{}\n{}\n\n{notice}\n",
            "-".repeat(78),
            names.join(", ")
        );
    }
    if engine {
        let _ = write!(text, "\n{}\n{LIBTORCH}", "-".repeat(78));
    }
    Ok(text)
}

/// Packages of others that are linked into `roots`, in order of their names.
fn linked<'a>(metadata: &'a Metadata, roots: &[&str]) -> Vec<&'a Package> {
    let nodes: BTreeMap<&PackageId, _> = metadata
        .resolve
        .iter()
        .flat_map(|resolve| &resolve.nodes)
        .map(|node| (&node.id, node))
        .collect();
    let is_root = |package: &&Package| roots.contains(&package.name.as_str());
    let workspace = metadata.workspace_packages();
    let mut todo: Vec<&PackageId> = workspace
        .iter()
        .copied()
        .filter(is_root)
        .map(|package| &package.id)
        .collect();
    let mut seen: BTreeSet<&PackageId> = todo.iter().copied().collect();
    while let Some(id) = todo.pop() {
        for dependency in nodes.get(id).iter().flat_map(|node| &node.deps) {
            let normal = |kind: &cargo_metadata::DepKindInfo| kind.kind == DependencyKind::Normal;
            if dependency.dep_kinds.iter().any(normal) && seen.insert(&dependency.pkg) {
                todo.push(&dependency.pkg);
            }
        }
    }
    let mut packages: Vec<&Package> = metadata
        .packages
        .iter()
        .filter(|package| seen.contains(&package.id) && package.source.is_some())
        .collect();
    packages.sort_by_key(|package| (package.name.to_string(), package.version.clone()));
    packages
}

/// Texts of licences and notices in a package's folder, and of its fonts.
fn notices_in(folder: &Path) -> anyhow::Result<Vec<String>> {
    const NAMES: [&str; 5] = ["licen", "copying", "copyright", "notice", "unlicense"];
    let mut texts = Vec::new();
    let is_notice = |name: &str| NAMES.iter().any(|word| name.starts_with(word));
    let fonts = folder.join("fonts");
    for (folder, every_text) in [(folder, false), (&fonts, true)] {
        let Ok(items) = fs::read_dir(folder) else {
            continue;
        };
        for item in items {
            let path = item?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let name = name.to_ascii_lowercase();
            let wanted = is_notice(&name) || (every_text && name.ends_with(".txt"));
            if wanted && path.is_file() {
                let bytes =
                    fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
                texts.push(String::from_utf8_lossy(&bytes).trim().to_owned());
            }
        }
    }
    Ok(texts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fonts_libraries_and_libtorch_are_named_with_their_licences() {
        let project = Project::find().unwrap();
        let text = text(&project, &["plugin", "trainer"], true).unwrap();
        for word in [
            "epaint_default_fonts",
            "OFL-1.1",
            "Ubuntu-font-1.0",
            "SIL OPEN FONT LICENSE",
            "nice-plug 0.4.2: ",
            "libtorch 2.13.0",
            "Redistributions in binary form",
        ] {
            assert!(text.to_uppercase().contains(&word.to_uppercase()), "{word}");
        }
        // What only tests use is not bundled.
        assert!(!text.contains("\nproptest "));
        let names_home = std::env::var("HOME").is_ok_and(|home| text.contains(&home));
        assert!(!names_home, "it names folders of this machine");
    }
}
