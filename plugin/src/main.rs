//! MirrorNet without a host: `--help` lists the options. The reference comes from the JACK
//! sidechain ports.

fn main() -> std::process::ExitCode {
    match nice_plug::nice_export_standalone::<plugin::MirrorNet>() {
        true => std::process::ExitCode::SUCCESS,
        false => std::process::ExitCode::FAILURE,
    }
}
