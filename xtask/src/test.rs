//! `test`: what a clean machine needs for the tests, then all tests.

use std::ffi::OsString;

use crate::bundle;
use crate::process;
use crate::project::Project;
use crate::python;
use crate::setup;
use crate::steps::Steps;
use crate::system;

/// Prepares and runs the tests; `long` includes the ignored ones and the benchmarks, `args` go on
/// to `cargo test`.
pub fn run(
    project: &Project,
    steps: &mut Steps,
    long: bool,
    args: &[OsString],
) -> anyhow::Result<()> {
    let libtorch = setup::prepare(steps, &[system::BUILD, system::TESTS])?;
    bundle::make_for_tests(project, steps, &libtorch)?;
    let python = steps.step("Python environment of the host tests", || {
        python::environment(&project.root.join("tests").join("requirements.txt"))
    })?;
    let tested = steps.step("cargo test", || {
        process::run(
            libtorch
                .cargo(project)
                .args(["test", "--workspace", "--no-fail-fast"])
                .args(with_ignored(args, long))
                .env("MIRRORNET_TEST_PYTHON", &python)
                .env("MIRRORNET_BUNDLED", project.bundled()),
        )
    });
    let measured = match long {
        true => steps.step("cargo bench", || {
            let mut bench = libtorch.cargo(project);
            bench.arg("bench");
            for package in ["ear", "synth", "matcher", "trainer", "tests"] {
                bench.args(["-p", package]);
            }
            process::run(&mut bench)?;
            let window = ["test", "--release", "-p", "plugin", "--test", "window"];
            process::run(libtorch.cargo(project).args(window))
        }),
        false => Ok(()),
    };
    steps.summary();
    tested.and(measured)
}

/// `args` of `cargo test`, asking the test programs for the ignored tests as well when `long`.
fn with_ignored(args: &[OsString], long: bool) -> Vec<OsString> {
    let mut args = args.to_vec();
    if long {
        if !args.iter().any(|arg| arg == "--") {
            args.push("--".into());
        }
        args.push("--include-ignored".into());
    }
    args
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_tests_are_asked_of_the_test_programs() {
        let args = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
        assert_eq!(with_ignored(&args(&["--lib"]), false), args(&["--lib"]));
        assert_eq!(
            with_ignored(&args(&["--lib"]), true),
            args(&["--lib", "--", "--include-ignored"])
        );
        assert_eq!(
            with_ignored(&args(&["--", "--nocapture"]), true),
            args(&["--", "--nocapture", "--include-ignored"])
        );
    }
}
