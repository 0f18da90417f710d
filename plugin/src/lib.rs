//! The shell: MirrorNet as CLAP, VST3 and standalone. Wiring, parameters, state and editor.

mod door;
mod downmix;
mod editor;
mod events;
mod feed;
mod guard;
mod history;
mod offline;
mod params;
mod patches;
mod plugin;
mod processor;
mod reference;
mod remote_controls;
mod state;
mod touch;
mod vst3_presets;

pub use guard::clap::clap_entry;
pub use guard::vst3::GetPluginFactory;
pub use plugin::MirrorNet;
pub use vst3_presets::write as write_vst3_presets;
