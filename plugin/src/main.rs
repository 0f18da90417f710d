//! MirrorNet without a host: `--help` lists the options. The reference comes from the JACK
//! sidechain ports.
//!
//! `--write-vst3-presets FOLDER` only writes the factory's patches as `.vstpreset` files, for
//! `cargo xtask install`.

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    if arguments
        .next()
        .is_some_and(|first| first == "--write-vst3-presets")
    {
        let Some(folder) = arguments.next() else {
            eprintln!("error: --write-vst3-presets needs a folder to write into");
            return ExitCode::FAILURE;
        };
        return match plugin::write_vst3_presets(Path::new(&folder)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!(
                    "error: cannot write presets into {}: {error}",
                    folder.display()
                );
                ExitCode::FAILURE
            }
        };
    }
    match nice_plug::nice_export_standalone::<plugin::MirrorNet>() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
