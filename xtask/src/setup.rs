//! `setup`: system packages and libtorch, which a build of the trainer and the engine needs.

use crate::libtorch::{self, Build, Libtorch};
use crate::python;
use crate::steps::Steps;
use crate::system;

/// Sets up and says how to use the result with bare cargo.
pub fn run(steps: &mut Steps) -> anyhow::Result<()> {
    match prepare(steps, &[system::BUILD])? {
        Libtorch::Cached(prefix) => eprintln!(
            "Ready. `cargo xtask` commands find libtorch themselves; for bare cargo on the \
             trainer crate set\n  LIBTORCH={}",
            prefix.display()
        ),
        Libtorch::Users => eprintln!("Ready, with the libtorch of your environment."),
    }
    Ok(())
}

/// Sets up libtorch with its CUDA part next to the ordinary one, and prints how to train with it.
pub fn run_cuda(steps: &mut Steps) -> anyhow::Result<()> {
    install_packages(steps, &[system::COMPILER])?;
    let prefix = steps.step("libtorch for CUDA", || libtorch::cached(Build::Cuda))?;
    eprintln!(
        "Ready. Train with\n  LIBTORCH={} cargo xtask train --device cuda\nand leave LIBTORCH away for \
         the rest: a bundle needs no CUDA.",
        prefix.display()
    );
    Ok(())
}

/// Makes sure of libtorch, what fetches it, and the system's `packages`.
pub fn prepare(steps: &mut Steps, packages: &[&[&str]]) -> anyhow::Result<Libtorch> {
    install_packages(steps, packages)?;
    steps.step("libtorch", libtorch::provide)
}

/// Installs the system's `packages`, and Python's where the user's Python can't fetch libtorch.
fn install_packages(steps: &mut Steps, packages: &[&[&str]]) -> anyhow::Result<()> {
    steps.step("system packages", || {
        let mut packages = packages.to_vec();
        if !python::has_pip_and_venv() {
            packages.push(system::PYTHON);
        }
        system::install(&packages)
    })
}
