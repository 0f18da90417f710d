//! libtorch, as the `tch` crate wants it: fetched from PyPI by pip into a per-user cache.
//!
//! The wheels on PyPI are for Python, and on Linux for CUDA; a CPU process needs a part of them. That
//! part becomes a prefix with `include/` and `lib/`. A cache that fails its check is made anew.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

use crate::files;
use crate::manifest;
use crate::project;
use crate::python;

/// The version `tch` 0.26 expects.
const VERSION: &str = "2.13.0";

/// Names the recipe below in the cache's manifest: change it when the recipe changes.
const STAMP: &str = "MirrorNet libtorch 2.13.0, recipe 1";

/// Takes the wanted members out of a wheel. Python is there for pip, and its zipfile checks the sums.
const UNPACK: &str = include_str!("unpack.py");

/// Which libtorch cargo shall use.
pub enum Libtorch {
    /// Ours: the prefix in the per-user cache.
    Cached(PathBuf),
    /// The user's own, named by `LIBTORCH` or `LIBTORCH_USE_PYTORCH` in the environment.
    Users,
}

impl Libtorch {
    /// The folder of its shared libraries.
    pub fn lib_folder(&self) -> anyhow::Result<PathBuf> {
        if let Self::Cached(prefix) = self {
            return Ok(prefix.join("lib"));
        }
        if env::var_os("LIBTORCH_USE_PYTORCH").is_some() {
            let print = "import pathlib, torch; print(pathlib.Path(torch.__file__).parent / 'lib')";
            let folder = project::output(python::command().args(["-c", print]))
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
    let prefix = files::cache_folder()?.join(format!("libtorch-{VERSION}"));
    if manifest::check(&prefix, STAMP).is_err() {
        let _lock = files::lock_cache()?;
        // Another xtask may have fetched it while this one waited.
        if let Err(reason) = manifest::check(&prefix, STAMP) {
            if prefix.exists() {
                eprintln!("    the cached libtorch is damaged and is fetched again: {reason:#}");
            }
            let platform = Platform::here()?;
            files::replace(&prefix, |new| platform.make(new))?;
        }
    }
    Ok(Libtorch::Cached(prefix))
}

/// A wheel to fetch, and what to keep of it.
struct Wheel {
    /// For pip: `name==version`.
    requirement: &'static str,
    /// Hash of the file, in hexadecimal.
    sha256: &'static str,
    /// The folder in it that becomes the prefix.
    root: &'static str,
    /// Files below `root`; folders end with "/".
    keep: &'static [&'static str],
}

/// What to fetch for one operating system and processor.
struct Platform {
    /// Platform tags for pip, so that it takes these wheels whatever Python it runs in.
    tags: &'static [&'static str],
    wheels: &'static [Wheel],
}

const LINUX_X86_64: Platform = Platform {
    tags: &[
        "manylinux_2_28_x86_64",
        "manylinux_2_25_x86_64",
        "manylinux2014_x86_64",
    ],
    wheels: &[
        Wheel {
            requirement: "torch==2.13.0",
            sha256: "60fcdcb2f3876e21146cb4524ef06397d727ca9ad5f020818547e25075fe3cb7",
            root: "torch/",
            keep: &[
                "include/",
                "lib/libtorch_cpu.so",
                "lib/libc10.so",
                "lib/libgomp.so.1",
            ],
        },
        Wheel {
            requirement: "nvidia-cuda-runtime==13.0.96",
            sha256: "7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548",
            root: "nvidia/cu13/",
            keep: &["lib/libcudart.so.13"],
        },
        Wheel {
            requirement: "nvidia-cuda-cupti==13.0.85",
            sha256: "4eb01c08e859bf924d222250d2e8f8b8ff6d3db4721288cf35d14252a4d933c8",
            root: "nvidia/cu13/",
            keep: &["lib/libcupti.so.13"],
        },
    ],
};

const LINUX_AARCH64: Platform = Platform {
    tags: &[
        "manylinux_2_28_aarch64",
        "manylinux_2_25_aarch64",
        "manylinux2014_aarch64",
    ],
    wheels: &[
        Wheel {
            requirement: "torch==2.13.0",
            sha256: "092790c696a760c729fd5722835f50b9d81fd7c8f141571f3f3cf4081a8f664c",
            root: "torch/",
            keep: &[
                "include/",
                "lib/libtorch_cpu.so",
                "lib/libc10.so",
                "lib/libgomp.so.1",
                "lib/libarm_compute.so",
                "lib/libarm_compute_graph.so",
                "lib/libnvpl_blas_core.so.0",
                "lib/libnvpl_blas_lp64_gomp.so.0",
                "lib/libnvpl_lapack_core.so.0",
                "lib/libnvpl_lapack_lp64_gomp.so.0",
            ],
        },
        Wheel {
            requirement: "nvidia-cuda-runtime==13.0.96",
            sha256: "ef9bcbe90493a2b9d810e43d249adb3d02e98dd30200d86607d8d02687c43f55",
            root: "nvidia/cu13/",
            keep: &["lib/libcudart.so.13"],
        },
        Wheel {
            requirement: "nvidia-cuda-cupti==13.0.85",
            sha256: "796bd679890ee55fb14a94629b698b6db54bcfd833d391d5e94017dd9d7d3151",
            root: "nvidia/cu13/",
            keep: &["lib/libcupti.so.13"],
        },
    ],
};

const MACOS_AARCH64: Platform = Platform {
    tags: &["macosx_14_0_arm64"],
    wheels: &[Wheel {
        requirement: "torch==2.13.0",
        sha256: "e76f9bcecc52b8ff711239a2f7547d5353df95878ab232f0773c1d95928b92f8",
        root: "torch/",
        keep: &[
            "include/",
            "lib/libtorch.dylib",
            "lib/libtorch_cpu.dylib",
            "lib/libc10.dylib",
            "lib/libomp.dylib",
        ],
    }],
};

const WINDOWS_X86_64: Platform = Platform {
    tags: &["win_amd64"],
    wheels: &[Wheel {
        requirement: "torch==2.13.0",
        sha256: "a0d8b11f16a48d60e2015d8213aa0390744cbebb98e58b62b3514dddc656e330",
        root: "torch/",
        keep: &[
            "include/",
            "lib/torch.dll",
            "lib/torch.lib",
            "lib/torch_cpu.dll",
            "lib/torch_cpu.lib",
            "lib/c10.dll",
            "lib/c10.lib",
            "lib/libiomp5md.dll",
            "lib/uv.dll",
        ],
    }],
};

impl Platform {
    /// The recipe of the machine this runs on.
    fn here() -> anyhow::Result<&'static Self> {
        match (env::consts::OS, env::consts::ARCH) {
            ("linux", "x86_64") => Some(&LINUX_X86_64),
            ("linux", "aarch64") => Some(&LINUX_AARCH64),
            ("macos", "aarch64") => Some(&MACOS_AARCH64),
            ("windows", "x86_64") => Some(&WINDOWS_X86_64),
            _ => None,
        }
        .with_context(|| {
            format!(
                "there is no libtorch {VERSION} to fetch for {} on {}: install one and name it in \
                 LIBTORCH",
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
            project::run(
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
            // The libtorch.so of the wheel holds no code, but drags CUDA in; the linker takes a script.
            write("lib/libtorch.so", "INPUT(libtorch_cpu.so libc10.so)\n")?;
            strip(&new.join("lib"))?;
        }
        write("build-version", &format!("{VERSION}\n"))?;
        manifest::write(new, STAMP)
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
        project::run(pip.stdout(std::io::stderr()))
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
        for platform in [LINUX_X86_64, LINUX_AARCH64, MACOS_AARCH64, WINDOWS_X86_64] {
            let torch = &platform.wheels[0];
            assert_eq!(torch.requirement, format!("torch=={VERSION}"));
            assert!(torch.keep.contains(&"include/"));
            for wheel in platform.wheels {
                let hash = wheel.sha256;
                assert!(hash.len() == 64 && hash.chars().all(|c| c.is_ascii_hexdigit()));
            }
        }
        assert!(STAMP.contains(VERSION));
    }
}
