//! libtorch, as the `tch` crate wants it: fetched from PyPI by pip into a per-user cache.
//!
//! The wheels on PyPI are for Python, and on Linux for CUDA; a CPU process needs a part of them.
//! That part becomes a prefix with `include/` and `lib/`. A cache that fails its check is rebuilt.

mod wheels;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

use crate::files;
use crate::manifest;
use crate::process;
use crate::project::Project;
use crate::python;
use wheels::{
    LINUX_AARCH64, LINUX_X86_64, LINUX_X86_64_CUDA, MACOS_AARCH64, Platform, WINDOWS_X86_64,
};

/// The version `tch` 0.26 expects.
const VERSION: &str = "2.13.0";

/// Variants of libtorch.
#[derive(Clone, Copy)]
pub enum Build {
    /// The libraries for training and inference on the CPU.
    Cpu,
    /// The same with the CUDA part, for training on an NVIDIA GPU.
    Cuda,
}

impl Build {
    /// Name of the recipe in the cache's manifest; it must change whenever the recipe does.
    fn stamp(self) -> &'static str {
        match self {
            Self::Cpu => "MirrorNet libtorch 2.13.0, recipe 1",
            Self::Cuda => "MirrorNet libtorch 2.13.0 for CUDA, recipe 1",
        }
    }

    /// Name of the variant's folder in the cache.
    fn folder(self) -> String {
        match self {
            Self::Cpu => format!("libtorch-{VERSION}"),
            Self::Cuda => format!("libtorch-{VERSION}-cuda"),
        }
    }
}

/// Script that extracts the wanted members of a wheel. Python is needed for pip anyway, and its
/// zipfile checks the sums.
const UNPACK: &str = include_str!("unpack.py");

/// The libtorch that cargo uses.
pub enum Libtorch {
    /// The prefix in the per-user cache.
    Cached(PathBuf),
    /// The user's own, named by `LIBTORCH` or `LIBTORCH_USE_PYTORCH` in the environment.
    Users,
}

impl Libtorch {
    /// `cargo` on `project`, for crates that need this libtorch. Every call uses the same
    /// environment: torch-sys is rebuilt (minutes) when `LIBTORCH` changes.
    pub fn cargo(&self, project: &Project) -> Command {
        let mut cargo = project.cargo();
        if let Self::Cached(prefix) = self {
            cargo.env("LIBTORCH", prefix);
        }
        cargo
    }

    /// The folder of its shared libraries.
    pub fn lib_folder(&self) -> anyhow::Result<PathBuf> {
        if let Self::Cached(prefix) = self {
            return Ok(prefix.join("lib"));
        }
        if env::var_os("LIBTORCH_USE_PYTORCH").is_some() {
            let print = "import pathlib, torch; print(pathlib.Path(torch.__file__).parent / 'lib')";
            let folder = process::output(python::command().args(["-c", print]))
                .context("LIBTORCH_USE_PYTORCH is set, but Python cannot import torch")?;
            return Ok(folder.trim().into());
        }
        let prefix = env::var_os("LIBTORCH_LIB").or_else(|| env::var_os("LIBTORCH"));
        Ok(PathBuf::from(prefix.context("LIBTORCH is not set")?).join("lib"))
    }
}

/// The user's libtorch where the environment names one, else the cached one, fetched when it is
/// missing or damaged.
pub fn provide() -> anyhow::Result<Libtorch> {
    if ["LIBTORCH", "LIBTORCH_USE_PYTORCH"]
        .iter()
        .any(|name| env::var_os(name).is_some())
    {
        let folder = Libtorch::Users.lib_folder()?;
        ensure!(
            folder.is_dir(),
            "the environment names a libtorch in {}, but there is no such folder: correct or unset \
             LIBTORCH, LIBTORCH_LIB or LIBTORCH_USE_PYTORCH",
            folder.display()
        );
        return Ok(Libtorch::Users);
    }
    cached(Build::Cpu).map(Libtorch::Cached)
}

/// The prefix in the cache, fetched when it is missing or damaged.
pub fn cached(build: Build) -> anyhow::Result<PathBuf> {
    let prefix = files::cache_folder()?.join(build.folder());
    if manifest::check(&prefix, build.stamp()).is_err() {
        let _lock = files::lock_cache()?;
        // Another xtask may have fetched it while this one waited.
        if let Err(reason) = manifest::check(&prefix, build.stamp()) {
            if prefix.exists() {
                eprintln!("    the cached libtorch is damaged and is fetched again: {reason:#}");
            }
            let platform = Platform::here(build)?;
            files::replace(&prefix, |new| {
                platform.make(new)?;
                manifest::write(new, build.stamp())
            })?;
        }
    }
    Ok(prefix)
}

impl Platform {
    /// The recipe of the machine this runs on.
    fn here(build: Build) -> anyhow::Result<&'static Self> {
        match (env::consts::OS, env::consts::ARCH, build) {
            ("linux", "x86_64", Build::Cpu) => Some(&LINUX_X86_64),
            ("linux", "x86_64", Build::Cuda) => Some(&LINUX_X86_64_CUDA),
            ("linux", "aarch64", Build::Cpu) => Some(&LINUX_AARCH64),
            ("macos", "aarch64", Build::Cpu) => Some(&MACOS_AARCH64),
            ("windows", "x86_64", Build::Cpu) => Some(&WINDOWS_X86_64),
            _ => None,
        }
        .with_context(|| {
            format!(
                "there is no {} to fetch for {} on {}: install one and name it in LIBTORCH",
                build.folder(),
                env::consts::OS,
                env::consts::ARCH
            )
        })
    }

    /// Fetches the wheels and makes the prefix `new` of them.
    fn make(&self, new: &Path) -> anyhow::Result<()> {
        // Beside the prefix, on a disk with room for it; gone when this returns.
        let wheels = new.with_file_name("wheels");
        self.download(&wheels)?;
        let unpack = wheels.join("unpack.py");
        fs::write(&unpack, UNPACK).with_context(|| format!("cannot write {}", unpack.display()))?;
        for wheel in self.wheels {
            process::run(
                python::command()
                    .arg(&unpack)
                    .arg(find_wheel(&wheels, wheel.requirement)?)
                    .arg(new)
                    .arg(wheel.root)
                    .args(wheel.keep),
            )?;
        }
        let write = |name: &str, text: &str| {
            let path = new.join(name);
            fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
        };
        if cfg!(target_os = "linux") {
            // The libtorch.so of the wheel holds no code, but drags CUDA in; the linker takes a
            // script.
            write("lib/libtorch.so", "INPUT(libtorch_cpu.so libc10.so)\n")?;
            strip(&new.join("lib"))?;
        }
        write("build-version", &format!("{VERSION}\n"))
    }

    /// Downloads the wheels with pip, which takes none whose hash differs.
    fn download(&self, folder: &Path) -> anyhow::Result<()> {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
        let requirements = folder.join("requirements.txt");
        let lines: Vec<String> = self
            .wheels
            .iter()
            .map(|wheel| format!("{} --hash=sha256:{}\n", wheel.requirement, wheel.sha256))
            .collect();
        fs::write(&requirements, lines.concat())
            .with_context(|| format!("cannot write {}", requirements.display()))?;
        let mut pip = python::command();
        pip.args(["-m", "pip", "download", "--disable-pip-version-check"])
            .args(["--no-cache-dir", "--no-deps", "--only-binary=:all:"])
            .args([
                "--implementation",
                "cp",
                "--python-version",
                "3.11",
                "--abi",
                "cp311",
            ]);
        for tag in self.tags {
            pip.args(["--platform", tag]);
        }
        pip.arg("--dest")
            .arg(folder)
            .arg("--requirement")
            .arg(&requirements);
        process::run(pip.stdout(std::io::stderr()))
    }
}

/// The wheel of `requirement` (`name==version`) among the downloaded files.
fn find_wheel(folder: &Path, requirement: &str) -> anyhow::Result<PathBuf> {
    let start = requirement.replace('-', "_").replace("==", "-") + "-";
    fs::read_dir(folder)?
        .filter_map(|item| Some(item.ok()?.path()))
        .find(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with(&start) && name.ends_with(".whl")
        })
        .with_context(|| format!("pip left no {start}*.whl in {}", folder.display()))
}

/// Strips symbols only a debugger reads (a fifth of the size), where binutils are installed.
fn strip(folder: &Path) -> anyhow::Result<()> {
    let libtorch = folder.join("libtorch_cpu.so");
    match Command::new("strip")
        .arg("--strip-unneeded")
        .arg(&libtorch)
        .output()
    {
        Ok(output) => ensure!(
            output.status.success(),
            "strip failed on {}: {}",
            libtorch.display(),
            String::from_utf8_lossy(&output.stderr)
        ),
        Err(_) => eprintln!("    no `strip` here: libtorch stays 90 MB larger"),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wheels_are_found_by_name_and_version() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "torch-2.13.0-cp311-cp311-any.whl",
            "nvidia_cuda_cupti-13.0.85-py3-none-any.whl",
            "torch-2.13.0-notes.txt",
        ] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let found = |requirement| find_wheel(folder.path(), requirement);
        assert!(
            found("torch==2.13.0")
                .unwrap()
                .ends_with("torch-2.13.0-cp311-cp311-any.whl")
        );
        assert!(found("nvidia-cuda-cupti==13.0.85").is_ok());
        assert!(found("torch==2.13").is_err());
    }

    #[test]
    fn every_platform_fetches_the_version_tch_expects_with_headers_and_full_hashes() {
        for platform in [
            LINUX_X86_64,
            LINUX_X86_64_CUDA,
            LINUX_AARCH64,
            MACOS_AARCH64,
            WINDOWS_X86_64,
        ] {
            let torch = &platform.wheels[0];
            assert_eq!(torch.requirement, format!("torch=={VERSION}"));
            assert!(torch.keep.contains(&"include/"));
            for wheel in platform.wheels {
                let hash = wheel.sha256;
                assert!(hash.len() == 64 && hash.chars().all(|c| c.is_ascii_hexdigit()));
            }
        }
        for build in [Build::Cpu, Build::Cuda] {
            assert!(build.stamp().contains(VERSION) && build.folder().contains(VERSION));
        }
    }
}
