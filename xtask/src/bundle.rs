//! `bundle`: the plugin and the engine, laid out under target/bundled.

use std::env;
use std::fs;
use std::path::Path;

use anyhow::Context;
use nice_plug_xtask::{Architecture, BundleType, CompilationTarget};

use crate::files;
use crate::libtorch::Libtorch;
use crate::notices;
use crate::process;
use crate::programs::Program;
use crate::project::{Profile, Project};
use crate::setup;
use crate::steps::Steps;
use crate::system;

/// The package that bundler.toml gives the name MirrorNet.
const PLUGIN: &str = "plugin";
/// The engine's folder in target/bundled.
const ENGINE: &str = "engine";

/// Contents of a bundle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Parts {
    /// Plugins, standalone and engine.
    All,
    /// Plugins and standalone, which play and match with the built-in encoder.
    WithoutEngine,
}

/// Sets up, builds, bundles, and says what came out and what to do with it.
pub fn run(project: &Project, steps: &mut Steps, parts: Parts) -> anyhow::Result<()> {
    let libtorch = match parts {
        Parts::All => Some(setup::prepare(steps, &[system::BUILD])?),
        Parts::WithoutEngine => {
            steps.step("system packages", || system::install(&[system::BUILD]))?;
            None
        }
    };
    make(project, steps, libtorch.as_ref())?;
    steps.summary();
    eprintln!("\nIn {}:", project.bundled().display());
    let standalone = standalone_name();
    let mut names = vec!["MirrorNet.clap", "MirrorNet.vst3", &standalone];
    names.extend(libtorch.is_some().then_some(ENGINE));
    for name in names {
        let size = files::size(&project.bundled().join(name))?;
        eprintln!("{:9.1} MB  {name}", size as f64 / 1e6);
    }
    let (install, run) = match parts {
        Parts::All => (
            "`cargo xtask install` puts the plugins where hosts look and the engine where they \
             find it",
            "`cargo xtask run`",
        ),
        Parts::WithoutEngine => (
            "`cargo xtask install --without-engine` puts the plugins where hosts look",
            "`cargo xtask run --without-engine`",
        ),
    };
    eprintln!("\nNext: {install};\n      {run} starts the standalone.");
    Ok(())
}

/// Builds and bundles; the engine, too, where there is a `libtorch` for it.
pub fn make(
    project: &Project,
    steps: &mut Steps,
    libtorch: Option<&Libtorch>,
) -> anyhow::Result<()> {
    // One package a call: cargo then enables the same features as when each is built for itself.
    steps.step("build the plugin and the standalone", || {
        process::build(project.cargo(), PLUGIN)
    })?;
    if let Some(libtorch) = libtorch {
        steps.step("build the engine", || {
            process::build(libtorch.cargo(project), Program::Trainer.package())
        })?;
    }
    lay_out(project, steps, libtorch, Profile::Release)
}

/// Builds everything with the profile of the tests, so that nothing is built twice, and bundles it.
pub fn make_for_tests(
    project: &Project,
    steps: &mut Steps,
    libtorch: &Libtorch,
) -> anyhow::Result<()> {
    steps.step("build the plugin and the engine", || {
        process::run(
            libtorch
                .cargo(project)
                .args(["build", "--workspace"])
                .stdout(std::io::stderr()),
        )
    })?;
    lay_out(project, steps, Some(libtorch), Profile::Dev)
}

/// Copies the build products to the folder that they are installed and tested from.
fn lay_out(
    project: &Project,
    steps: &mut Steps,
    libtorch: Option<&Libtorch>,
    profile: Profile,
) -> anyhow::Result<()> {
    steps.step("bundle", || {
        bundle_plugin(project, profile)?;
        put_notices(project)?;
        match libtorch {
            Some(libtorch) => files::replace(&project.bundled().join(ENGINE), |new| {
                let program = project.built(Program::Trainer.name(), profile);
                fill_engine(project, libtorch, &program, new)
            }),
            None => Ok(()),
        }
    })
}

/// Writes the licence notices next to the plugin's files, and into those that are folders.
fn put_notices(project: &Project) -> anyhow::Result<()> {
    let text = notices::text(project, &[PLUGIN], false)?;
    let bundled = project.bundled();
    for folder in [
        Path::new(""),
        Path::new("MirrorNet.vst3/Contents/Resources"),
        Path::new("MirrorNet.clap/Contents/Resources"),
    ] {
        let folder = bundled.join(folder);
        // The CLAP is a file on most systems.
        if folder.parent().is_some_and(Path::is_dir) {
            let path = folder.join(notices::FILE);
            let cannot_write = || format!("cannot write {}", path.display());
            fs::create_dir_all(&folder).with_context(cannot_write)?;
            fs::write(&path, &text).with_context(cannot_write)?;
        }
    }
    Ok(())
}

/// The standalone in target/bundled: an application folder on macOS, else an executable.
pub fn standalone_name() -> String {
    if cfg!(target_os = "macos") {
        "MirrorNet.app".into()
    } else {
        format!("MirrorNet{}", env::consts::EXE_SUFFIX)
    }
}

fn bundle_plugin(project: &Project, profile: Profile) -> anyhow::Result<()> {
    // The bundler reads bundler.toml from the working folder.
    let before = env::current_dir().context("the working folder is gone")?;
    env::set_current_dir(&project.root)?;
    let args: Vec<String> = profile.args().iter().map(|&arg| arg.into()).collect();
    let bundled = nice_plug_xtask::bundle(&project.target, PLUGIN, &args, false);
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

/// Fills the engine's folder: the trainer's program, the libraries it loads, and the shipped model.
fn fill_engine(
    project: &Project,
    libtorch: &Libtorch,
    program: &Path,
    engine: &Path,
) -> anyhow::Result<()> {
    let cannot_write = || format!("cannot write {}", engine.display());
    fs::create_dir(engine).with_context(cannot_write)?;
    // The name that the plugin starts: matcher::engine::engine_program.
    let name = program.file_name().with_context(cannot_write)?;
    files::copy(program, &engine.join(name))?;
    let text = notices::text(project, &[Program::Trainer.package()], true)?;
    fs::write(engine.join(notices::FILE), text).with_context(cannot_write)?;
    // Where the plugin tells the engine to look: matcher::engine::MODEL_FOLDER.
    let model = engine.join("model");
    fs::create_dir(&model).with_context(cannot_write)?;
    for item in fs::read_dir(project.root.join("model-weights"))? {
        let item = item?;
        files::copy(&item.path(), &model.join(item.file_name()))?;
    }

    let libraries = libtorch.lib_folder()?;
    if cfg!(windows) {
        // Windows looks for libraries next to the executable.
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

/// Links the libraries that a running process loads, without linker scripts and import libraries.
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
