//! `install`, `uninstall` and `run`: the bundles in this user's folders.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::Context;
use directories::BaseDirs;

use crate::bundle::{self, Parts};
use crate::files;
use crate::presets;
use crate::process::{self, become_command};
use crate::project::{Project, VERSION};
use crate::steps::Steps;

/// Bundles and installs the plugins and, unless it is left out, the engine.
pub fn install(project: &Project, steps: &mut Steps, parts: Parts) -> anyhow::Result<()> {
    bundle::run(project, steps, parts)?;
    let places = Places::of(&files::user_folders()?);
    place_plugins(&project.bundled(), &places)?;
    place_presets(&standalone(project), &places)?;
    let mut installed = vec![&places.clap, &places.vst3, &places.presets];
    if parts == Parts::All {
        place_engine(&project.bundled(), &places)?;
        installed.push(&places.engine);
    }
    eprintln!("\nInstalled:");
    for path in installed {
        eprintln!("  {}", path.display());
    }
    eprintln!(
        "Hosts find MirrorNet at their next plugin scan. `cargo xtask uninstall` removes it."
    );
    Ok(())
}

/// Removes what [`install`] puts there, and folders of ours that are empty then.
pub fn uninstall() -> anyhow::Result<()> {
    let removed = remove_all(&Places::of(&files::user_folders()?))?;
    if removed.is_empty() {
        eprintln!("Nothing of MirrorNet {VERSION} is installed for this user.");
    }
    for path in removed {
        eprintln!("Removed {}", path.display());
    }
    Ok(())
}

/// Bundles, installs the engine unless it is left out, and becomes the standalone.
pub fn start_standalone(
    project: &Project,
    steps: &mut Steps,
    parts: Parts,
    args: &[OsString],
) -> anyhow::Result<ExitCode> {
    bundle::run(project, steps, parts)?;
    if parts == Parts::All {
        place_engine(&project.bundled(), &Places::of(&files::user_folders()?))?;
    }
    become_command(Command::new(standalone(project)).args(args))
}

/// The bundled standalone's executable.
fn standalone(project: &Project) -> PathBuf {
    let mut standalone = project.bundled().join(bundle::standalone_name());
    if cfg!(target_os = "macos") {
        standalone.push("Contents/MacOS/MirrorNet");
    }
    standalone
}

/// Folders in which this user's hosts and our plugins look.
struct Places {
    clap: PathBuf,
    vst3: PathBuf,
    /// Folder of VST3 presets, which hosts write to as well.
    presets: PathBuf,
    /// Copies of the presets put there, to know them again.
    preset_copies: PathBuf,
    engine: PathBuf,
    /// The player's own model, which installations never touch.
    model: PathBuf,
}

impl Places {
    fn of(user: &BaseDirs) -> Self {
        // The user's places of presets are from Steinberg's "Preset Locations".
        let [clap, vst3, presets] = if cfg!(target_os = "macos") {
            let audio = user.home_dir().join("Library/Audio");
            ["Plug-Ins/CLAP", "Plug-Ins/VST3", "Presets"].map(|folder| audio.join(folder))
        } else if cfg!(windows) {
            let common = user.data_local_dir().join("Programs").join("Common");
            let presets = user.data_dir().join("VST3 Presets");
            [common.join("CLAP"), common.join("VST3"), presets]
        } else {
            [".clap", ".vst3", ".vst3/presets"].map(|folder| user.home_dir().join(folder))
        };
        Self::in_folders(&clap, &vst3, &presets, user.data_dir())
    }

    fn in_folders(clap: &Path, vst3: &Path, presets: &Path, data: &Path) -> Self {
        Self {
            clap: clap.join("MirrorNet.clap"),
            vst3: vst3.join("MirrorNet.vst3"),
            presets: presets.join("MirrorNet").join("MirrorNet"),
            preset_copies: data.join("MirrorNet").join("vst3-presets"),
            engine: data.join("MirrorNet").join("engine").join(VERSION),
            model: data.join("MirrorNet").join("model"),
        }
    }

    fn all(&self) -> [&Path; 3] {
        [&self.clap, &self.vst3, &self.engine]
    }
}

fn place_plugins(bundled: &Path, places: &Places) -> anyhow::Result<()> {
    for (name, place) in [
        ("MirrorNet.clap", &places.clap),
        ("MirrorNet.vst3", &places.vst3),
    ] {
        files::replace(place, |new| files::copy(&bundled.join(name), new))?;
    }
    Ok(())
}

/// File name of a model's contract, and of the copy that shows later whether it is still the
/// shipped one.
const CONTRACT: &str = "encoder.json";
const INSTALLED: &str = "model.installed.json";

fn place_engine(bundled: &Path, places: &Places) -> anyhow::Result<()> {
    keep_own_model(places)?;
    files::replace(&places.engine, |new| {
        files::link(&bundled.join("engine"), new)?;
        let contract = new.join("model").join(CONTRACT);
        if contract.is_file() {
            fs::copy(contract, new.join(INSTALLED)).context("cannot copy the model's contract")?;
        }
        Ok(())
    })
}

/// Moves a model that the player has put into the engine's folder to the folder for own models, or
/// next to it if that is taken.
fn keep_own_model(places: &Places) -> anyhow::Result<()> {
    let model = places.engine.join("model");
    let contract = |path: PathBuf| fs::read(path).ok();
    let (now, installed) = (
        contract(model.join(CONTRACT)),
        contract(places.engine.join(INSTALLED)),
    );
    if now.is_none() || installed.is_none() || now == installed {
        return Ok(());
    }
    let beside = (1..).map(|n| places.model.with_file_name(format!("model.{n}")));
    let mut free = std::iter::once(places.model.clone()).chain(beside);
    let Some(to) = free.find(|place| place.symlink_metadata().is_err()) else {
        return Ok(());
    };
    fs::rename(&model, &to)
        .with_context(|| format!("cannot move {} to {}", model.display(), to.display()))?;
    eprintln!("Your own model is in {} now.", to.display());
    Ok(())
}

/// Writes the factory's presets by the standalone, which knows them.
fn place_presets(standalone: &Path, places: &Places) -> anyhow::Result<()> {
    presets::replace(&places.presets, &places.preset_copies, |new| {
        let mut write = Command::new(standalone);
        process::run(write.arg("--write-vst3-presets").arg(new))
    })
}

/// Removes the places, then their parent folders that are of this name, as long as they are empty.
fn remove_all(places: &Places) -> anyhow::Result<Vec<PathBuf>> {
    let mut removed = Vec::new();
    if presets::remove(&places.presets, &places.preset_copies)? {
        removed.push(places.presets.clone());
    }
    for path in places.all() {
        if files::remove(path)? {
            removed.push(path.to_path_buf());
        }
    }
    for (place, parents) in [
        (&places.engine, 2),
        (&places.preset_copies, 1),
        (&places.presets, 1),
    ] {
        for parent in place.ancestors().skip(1).take(parents) {
            // Fails when another version or anything else is in it, and then it shall stay.
            if fs::remove_dir(parent).is_err() {
                break;
            }
        }
    }
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with bundles in it, and places in a pretended home.
    fn scene() -> (tempfile::TempDir, PathBuf, Places) {
        let folder = tempfile::tempdir().unwrap();
        let bundled = folder.path().join("bundled");
        fs::create_dir_all(bundled.join("MirrorNet.vst3/Contents/x")).unwrap();
        fs::create_dir_all(bundled.join("engine/lib")).unwrap();
        for file in [
            "MirrorNet.clap",
            "MirrorNet.vst3/Contents/x/MirrorNet.so",
            "engine/mirrornet-trainer",
            "engine/lib/libtorch_cpu.so",
        ] {
            fs::write(bundled.join(file), file).unwrap();
        }
        let home = folder.path().join("home");
        let places = Places::in_folders(
            &home.join(".clap"),
            &home.join(".vst3"),
            &home.join(".vst3/presets"),
            &home.join("data"),
        );
        (folder, bundled, places)
    }

    fn install_into(bundled: &Path, places: &Places) {
        place_plugins(bundled, places).unwrap();
        presets::replace(&places.presets, &places.preset_copies, |new| {
            fs::create_dir_all(new)?;
            Ok(fs::write(new.join("Harp.vstpreset"), "harp")?)
        })
        .unwrap();
        place_engine(bundled, places).unwrap();
    }

    #[test]
    fn install_twice_then_uninstall_leaves_everything_else_alone() {
        let (folder, bundled, places) = scene();
        let home = folder.path().join("home");
        fs::create_dir_all(home.join(".clap")).unwrap();
        fs::write(home.join(".clap/Other.clap"), "other").unwrap();
        install_into(&bundled, &places);
        install_into(&bundled, &places);
        assert_eq!(fs::read_to_string(&places.clap).unwrap(), "MirrorNet.clap");
        assert!(places.vst3.join("Contents/x/MirrorNet.so").exists());
        assert!(
            home.join("data/MirrorNet/engine")
                .join(VERSION)
                .join("lib/libtorch_cpu.so")
                .exists()
        );

        let removed = remove_all(&places).unwrap();
        assert_eq!(removed[0], places.presets);
        assert_eq!(removed[1..], places.all());
        assert!(!home.join("data/MirrorNet").exists());
        assert!(!home.join(".vst3/presets/MirrorNet").exists());
        assert!(home.join(".clap/Other.clap").exists());
        assert_eq!(fs::read_dir(home.join(".clap")).unwrap().count(), 1);
        assert!(remove_all(&places).unwrap().is_empty());
    }

    #[test]
    fn a_players_own_model_is_never_replaced() {
        let (_folder, bundled, places) = scene();
        let shipped = bundled.join("engine/model");
        fs::create_dir(&shipped).unwrap();
        fs::write(shipped.join(CONTRACT), "shipped").unwrap();
        let read = |folder: &Path| fs::read_to_string(folder.join(CONTRACT)).unwrap_or_default();
        let engines = places.engine.join("model");
        // A model of its own.
        fs::create_dir_all(&places.model).unwrap();
        fs::write(places.model.join(CONTRACT), "own").unwrap();
        install_into(&bundled, &places);
        install_into(&bundled, &places);
        assert_eq!([read(&places.model), read(&engines)], ["own", "shipped"]);
        // One that replaced the engine's, as was the way before.
        fs::remove_file(engines.join(CONTRACT)).unwrap();
        fs::write(engines.join(CONTRACT), "other").unwrap();
        fs::write(shipped.join(CONTRACT), "newer").unwrap();
        install_into(&bundled, &places);
        assert_eq!([read(&places.model), read(&engines)], ["own", "newer"]);
        assert_eq!(read(&places.model.with_file_name("model.1")), "other");
        remove_all(&places).unwrap();
        assert_eq!(read(&places.model), "own");
    }

    #[test]
    fn another_version_of_the_engine_stays() {
        let (_folder, bundled, places) = scene();
        install_into(&bundled, &places);
        let other = places.engine.with_file_name("99.0.0");
        fs::create_dir(&other).unwrap();
        remove_all(&places).unwrap();
        assert!(other.exists() && !places.engine.exists());
    }

    #[test]
    fn a_rebuilt_bundle_does_not_reach_into_the_installed_one() {
        let (_folder, bundled, places) = scene();
        install_into(&bundled, &places);
        fs::write(bundled.join("MirrorNet.clap"), "newer").unwrap();
        assert_eq!(fs::read_to_string(&places.clap).unwrap(), "MirrorNet.clap");
    }
}
