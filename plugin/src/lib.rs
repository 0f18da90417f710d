//! The shell: MirrorNet as CLAP, VST3 and standalone. Wiring, parameters, state and editor.

mod door;
mod downmix;
mod editor;
mod events;
mod guard;
mod history;
mod offline;
mod params;
mod plugin;
mod processor;
mod state;
mod touch;

pub use guard::clap::clap_entry;
pub use guard::vst3::GetPluginFactory;
pub use plugin::MirrorNet;
