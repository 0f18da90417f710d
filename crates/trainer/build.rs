//! Tells the trainer its commit and its libtorch's version, and our programs where libtorch's
//! libraries are at run time: in `lib` next to the program, which in an engine folder holds them,
//! and in cargo's target folder is a link made here to where they are. A program searches no path
//! of the machine that built it.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    if let Some(commit) = commit() {
        println!("cargo::rustc-env=TRAINER_COMMIT={commit}");
    }
    println!("cargo::rerun-if-changed=build.rs");
    let system = env::var("CARGO_CFG_TARGET_OS").expect("cargo tells the target");
    // Test programs lie in `deps`, one folder deeper.
    match system.as_str() {
        "macos" => {
            for folder in ["lib", "../lib"] {
                println!("cargo::rustc-link-arg=-Wl,-rpath,@loader_path/{folder}");
            }
        }
        "windows" => {}
        _ => println!("cargo::rustc-link-arg=-Wl,-rpath,$ORIGIN/lib:$ORIGIN/../lib"),
    }

    // torch-sys says where it found libtorch; on Windows it does not.
    println!("cargo::rerun-if-env-changed=LIBTORCH");
    let libraries = env::var_os("DEP_TCH_LIBTORCH_LIB")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(env::var_os("LIBTORCH")?).join("lib")));
    let version = libraries.as_deref().and_then(version);
    let version = version.unwrap_or_else(|| "unknown".into());
    println!("cargo::rustc-env=TRAINER_TORCH_VERSION={version}");
    // OUT_DIR is <target>/<profile>/build/<package>/out.
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo gives a folder"));
    let (Some(libraries), Some(profile)) = (libraries, out.ancestors().nth(3)) else {
        return;
    };
    // Nothing of ours names a symbol of libtorch's CUDA part: the linker would leave it out.
    if libraries.join("libtorch_cuda.so").exists() {
        println!("cargo::rustc-link-arg=-Wl,--no-as-needed,-ltorch_cuda,--as-needed");
    }
    if let Err(error) = offer(&libraries, profile, system == "windows") {
        println!(
            "cargo::warning=programs in {} will not find libtorch: {error}",
            profile.display()
        );
    }
}

/// The commit of this tree, `-changed` where files under `crates` differ from it; `None` outside
/// git.
fn commit() -> Option<String> {
    let git = |arguments: &[&str]| {
        let output = Command::new("git")
            .arg("--no-optional-locks")
            .args(arguments)
            .output()
            .ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| text.trim().to_owned())
    };
    println!("cargo::rerun-if-changed=..");
    // It grows with each commit and checkout.
    let log = git(&["rev-parse", "--git-path", "logs/HEAD"])?;
    if Path::new(&log).exists() {
        println!("cargo::rerun-if-changed={log}");
    }
    let changes = git(&["status", "--porcelain", "--untracked-files=no", ".."])?;
    let changed = if changes.is_empty() { "" } else { "-changed" };
    Some(git(&["rev-parse", "HEAD"])? + changed)
}

/// The version of the libtorch whose libraries these are, from a file next to their folder:
/// `build-version` in a C++ distribution, the module `version` in Python's.
fn version(libraries: &Path) -> Option<String> {
    let prefix = libraries.parent()?;
    if let Ok(text) = fs::read_to_string(prefix.join("build-version")) {
        return Some(text.trim().into());
    }
    let text = fs::read_to_string(prefix.join("version.py")).ok()?;
    let mut lines = text.lines();
    let value = lines.find_map(|line| line.strip_prefix("__version__ = "))?;
    Some(value.trim_matches(['\'', '"']).into())
}

/// Makes `libraries` visible to the programs in `profile` and in its `deps`.
fn offer(libraries: &Path, profile: &Path, windows: bool) -> io::Result<()> {
    if windows {
        // Windows looks in the folder of the program, nowhere else.
        for item in fs::read_dir(libraries)? {
            let path = item?.path();
            if path.extension().is_some_and(|extension| extension == "dll") {
                let name = path.file_name().expect("listed in a folder");
                for folder in [profile.to_path_buf(), profile.join("deps")] {
                    fs::copy(&path, folder.join(name))?;
                }
            }
        }
        return Ok(());
    }
    let link = profile.join("lib");
    println!("cargo::rerun-if-changed={}", link.display());
    if fs::read_link(&link).is_ok_and(|target| target == libraries) {
        return Ok(());
    }
    if link.symlink_metadata().is_ok() {
        fs::remove_file(&link)?;
    }
    symlink(libraries, &link)
}

#[cfg(unix)]
fn symlink(target: &Path, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

#[cfg(not(unix))]
fn symlink(_target: &Path, _link: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
