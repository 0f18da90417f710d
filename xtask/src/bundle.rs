//! `bundle`: release builds of the plugin and the engine, laid out under target/bundled.

use std::env;
use std::fs;
use std::path::Path;

use anyhow::Context;
use nice_plug_xtask::{Architecture, BundleType, CompilationTarget};

use crate::files;
use crate::libtorch::Libtorch;
use crate::project::{self, Project};
use crate::setup;
use crate::steps::Steps;
use crate::system;

/// The package that bundler.toml gives the name MirrorNet.
const PLUGIN: &str = "plugin";

/// Sets up, builds, bundles, and says what came out and what to do with it.
pub fn run(project: &Project, steps: &mut Steps) -> anyhow::Result<()> {
    let libtorch = setup::prepare(steps, &[system::BUILD])?;
    make(project, steps, &libtorch)?;
    steps.summary();
    eprintln!("\nIn {}:", project.bundled().display());
    for name in [
        "MirrorNet.clap",
        "MirrorNet.vst3",
        &standalone_name(),
        "engine",
    ] {
        let size = files::size(&project.bundled().join(name))?;
        eprintln!("{:9.1} MB  {name}", size as f64 / 1e6);
    }
    eprintln!(
        "\nNext: `cargo xtask install` puts the plugins where hosts look and the engine where they \
         find it;\n      `cargo xtask run` starts the standalone."
    );
    Ok(())
}

/// Builds and bundles with a libtorch that is ready.
pub fn make(project: &Project, steps: &mut Steps, libtorch: &Libtorch) -> anyhow::Result<()> {
    // One package a call: cargo then enables the same features as when each is built for itself.
    steps.step("build the plugin and the standalone", || {
        build(project, libtorch, PLUGIN)
    })?;
    steps.step("build the engine", || build_mirrornet(project, libtorch))?;
    steps.step("bundle", || {
        bundle_plugin(project)?;
        files::replace(&project.bundled().join("engine"), |new| {
            fill_engine(project, libtorch, new)
        })
    })
}

/// Builds the `mirrornet` command in release mode.
pub fn build_mirrornet(project: &Project, libtorch: &Libtorch) -> anyhow::Result<()> {
    build(project, libtorch, "mirrornet")
}

/// The standalone in target/bundled: an application folder on macOS, else an executable.
pub fn standalone_name() -> String {
    if cfg!(target_os = "macos") {
        "MirrorNet.app".into()
    } else {
        format!("MirrorNet{}", env::consts::EXE_SUFFIX)
    }
}

fn build(project: &Project, libtorch: &Libtorch, package: &str) -> anyhow::Result<()> {
    project::run(
        project
            .cargo(libtorch)
            .args(["build", "--release", "--package", package])
            .stdout(std::io::stderr()),
    )
}

fn bundle_plugin(project: &Project) -> anyhow::Result<()> {
    // The bundler reads bundler.toml from the working folder.
    let before = env::current_dir().context("the working folder is gone")?;
    env::set_current_dir(&project.root)?;
    let bundled = nice_plug_xtask::bundle(&project.target, PLUGIN, &["--release".into()], false);
    env::set_current_dir(before)?;
    bundled?;

    if cfg!(target_os = "macos") {
        // The bundler derives identifiers from the package's name, and "plugin" would not be
        // unique.
        let target = CompilationTarget::MacOS(Architecture::AArch64);
        for (name, kind) in [
            ("MirrorNet.clap", BundleType::Plugin),
            ("MirrorNet.vst3", BundleType::Plugin),
            ("MirrorNet.app", BundleType::Binary),
        ] {
            let bundle = project.bundled().join(name);
            nice_plug_xtask::maybe_create_macos_bundle_metadata(
                "MirrorNet",
                "MirrorNet",
                &bundle,
                target,
                kind,
            )?;
            nice_plug_xtask::maybe_codesign(&bundle, target);
        }
    }
    Ok(())
}

/// The engine: the `mirrornet` command, the libraries it loads, and the shipped model.
fn fill_engine(project: &Project, libtorch: &Libtorch, engine: &Path) -> anyhow::Result<()> {
    let cannot_write = || format!("cannot write {}", engine.display());
    fs::create_dir(engine).with_context(cannot_write)?;
    let command = project.mirrornet();
    let name = command.file_name().with_context(cannot_write)?;
    files::copy(&command, &engine.join(name))?;
    // Where the plugin tells the engine to look: matcher::engine::MODEL_FOLDER.
    let model = engine.join("model");
    fs::create_dir(&model).with_context(cannot_write)?;
    for item in fs::read_dir(project.root.join("model-weights"))? {
        let item = item?;
        files::copy(&item.path(), &model.join(item.file_name()))?;
    }

    let libraries = libtorch.lib_folder()?;
    if cfg!(windows) {
        // Windows looks for libraries beside the executable.
        return link_libraries(&libraries, engine);
    }
    let lib = engine.join("lib");
    match libtorch {
        Libtorch::Cached(_) => {
            fs::create_dir(&lib).with_context(cannot_write)?;
            link_libraries(&libraries, &lib)
        }
        // The user's own may be gigabytes of CUDA, with libraries elsewhere that it finds from its
        // place.
        Libtorch::Users => files::link_folder(&libraries, &lib).with_context(cannot_write),
    }
}

/// Links what a running process loads; not the linker's script and import libraries.
fn link_libraries(from: &Path, to: &Path) -> anyhow::Result<()> {
    for item in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let name = item?.file_name();
        let text = name.to_string_lossy();
        if text != "libtorch.so" && !text.ends_with(".lib") {
            files::link(&from.join(&name), &to.join(&name))?;
        }
    }
    Ok(())
}
