//! `deny`: checks the licences and sources of the libraries with cargo-deny.

use std::process::Command;

use anyhow::bail;

use crate::process;
use crate::project::Project;

/// Checks bans, licences and sources; with `advisories` also known vulnerabilities, which needs a
/// network.
pub fn run(project: &Project, advisories: bool) -> anyhow::Result<()> {
    let version = process::output(Command::new("cargo-deny").arg("--version"));
    if version.is_err() {
        bail!(
            "cargo-deny is not installed: `cargo install --locked cargo-deny` builds it (minutes), \
             and its releases have it built for most systems \
             (https://github.com/EmbarkStudios/cargo-deny/releases)"
        );
    }
    let mut checks = vec!["bans", "licenses", "sources"];
    checks.extend(advisories.then_some("advisories"));
    process::run(project.cargo().args(["deny", "check"]).args(checks))
}
