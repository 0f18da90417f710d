//! System packages: which are missing, and installing them where that is allowed.

use std::process::{Command, Stdio};

use anyhow::bail;

use crate::process;

/// Packages for building the trainer on Debian and Ubuntu.
pub const COMPILER: &[&str] = &["g++"];

/// Packages for building everything: the plugin has a window, the standalone an audio backend.
pub const BUILD: &[&str] = &[
    "g++",
    "libasound2-dev",
    "libgl1-mesa-dev",
    "libjack-jackd2-dev",
    "libx11-dev",
    "libx11-xcb-dev",
    "libxcb-dri2-0-dev",
    "libxcb-icccm4-dev",
    "libxcb1-dev",
    "libxcursor-dev",
    "libxkbcommon-dev",
    "libxkbcommon-x11-dev",
    "pkg-config",
];

/// Packages of the tests: a soundfont of 5 MB, and an X server without a screen.
pub const TESTS: &[&str] = &["timgm6mb-soundfont", "libgl1-mesa-dri", "libxtst6", "xvfb"];
/// SoundFonts that `references` plays its melodies with.
pub const REFERENCES: &[&str] = &["fluid-soundfont-gm", "csound-soundfont", "opl3-soundfont"];

/// pip and venv of the system's Python; not needed when the user's Python has them.
pub const PYTHON: &[&str] = &["python3", "python3-pip", "python3-venv"];

/// Installs what is missing of `packages`. Elsewhere than on Debian and its relatives it only says
/// what is wanted: macOS and Windows need nothing beyond their compilers.
pub fn install(packages: &[&[&str]]) -> anyhow::Result<()> {
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    let wanted = packages.concat();
    let Some(installed) = installed(&wanted) else {
        eprintln!(
            "    no dpkg here: if the build misses something, install your system's equivalents of\n    {}",
            wanted.join(" ")
        );
        return Ok(());
    };
    let missing = missing(&wanted, &installed);
    if missing.is_empty() {
        return Ok(());
    }
    let install = [
        &["apt-get", "install", "-y", "--no-install-recommends"],
        &missing[..],
    ]
    .concat();
    let Some(prefix) = privilege() else {
        bail!(
            "these system packages are missing and may not be installed from here; run\n  sudo {}",
            install.join(" ")
        );
    };
    let apt = |words: &[&str]| {
        let words = [prefix, &["env", "DEBIAN_FRONTEND=noninteractive"], words].concat();
        process::run(
            Command::new(words[0])
                .args(&words[1..])
                .stdin(Stdio::null())
                .stdout(std::io::stderr()),
        )
    };
    eprintln!("    installing {}", missing.join(" "));
    apt(&["apt-get", "update", "-q"])?;
    apt(&install)
}

/// dpkg's report on `packages`, one `name status` a line; none where there is no dpkg.
fn installed(packages: &[&str]) -> Option<String> {
    let output = Command::new("dpkg-query")
        .args(["-W", "-f", "${Package} ${db:Status-Abbrev}\n"])
        .args(packages)
        .output()
        .ok()?;
    // A package it has never heard of makes the status 1; the rest of the report stands.
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The packages of `wanted` that `report` does not list as installed.
fn missing<'a>(wanted: &[&'a str], report: &str) -> Vec<&'a str> {
    let is_installed = |package: &str| {
        report.lines().any(|line| {
            let mut words = line.split_whitespace();
            words.next() == Some(package) && words.next() == Some("ii")
        })
    };
    let mut missing = wanted.to_vec();
    missing.retain(|package| !is_installed(package));
    missing
}

/// Prefix that runs a command as root without a password prompt; `None` where that is not allowed.
fn privilege() -> Option<&'static [&'static str]> {
    let succeeds = |program: &str, args: &[&str]| {
        let output = Command::new(program).args(args).output().ok()?;
        output.status.success().then_some(output.stdout)
    };
    if succeeds("id", &["-u"])?.trim_ascii() == b"0" {
        Some(&[])
    } else {
        succeeds("sudo", &["-n", "true"]).map(|_| &["sudo", "-n"][..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_fully_installed_packages_count() {
        // "rc" is removed with its configuration left, "iU" unpacked but not configured.
        let report = "g++ ii \nmake rc \npkg-config iU \nlibx11-dev ii \n";
        let wanted = ["g++", "make", "pkg-config", "libx11-dev", "libx11-xcb-dev"];
        assert_eq!(
            missing(&wanted, report),
            ["make", "pkg-config", "libx11-xcb-dev"]
        );
    }

    #[test]
    fn a_package_whose_name_begins_like_another_is_not_it() {
        assert_eq!(missing(&["libx11"], "libx11-dev ii \n"), ["libx11"]);
    }
}
