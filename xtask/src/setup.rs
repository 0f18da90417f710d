//! `setup`: what a build needs before cargo can start: system packages and libtorch.

use crate::libtorch::{self, Build, Libtorch};
use crate::steps::Steps;
use crate::system;

/// Sets up and says how to use the result with bare cargo.
pub fn run(steps: &mut Steps) -> anyhow::Result<()> {
    match prepare(steps, &[system::BUILD])? {
        Libtorch::Cached(prefix) => eprintln!(
            "Ready. `cargo xtask` commands find libtorch themselves; for bare cargo on the \
             mirrornet crate set\n  LIBTORCH={}",
            prefix.display()
        ),
        Libtorch::Users => eprintln!("Ready, with the libtorch of your environment."),
    }
    Ok(())
}

/// Sets up libtorch with its CUDA part beside the ordinary one, and says how to train with it.
pub fn run_cuda(steps: &mut Steps) -> anyhow::Result<()> {
    steps.step("system packages", || system::install(&[system::COMPILER]))?;
    let prefix = steps.step("libtorch for CUDA", || libtorch::cached(Build::Cuda))?;
    eprintln!(
        "Ready. Train with
  LIBTORCH={} cargo xtask train --device cuda
and leave LIBTORCH away for the          rest: a bundle needs no CUDA.",
        prefix.display()
    );
    Ok(())
}

/// Makes sure of libtorch, what fetches it, and the system's `packages`.
pub fn prepare(steps: &mut Steps, packages: &[&[&str]]) -> anyhow::Result<Libtorch> {
    steps.step("system packages", || system::install(packages))?;
    steps.step("libtorch", libtorch::provide)
}
