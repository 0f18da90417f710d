//! The shell: MirrorNet as CLAP, VST3 and standalone. Wiring, parameters, state and editor.

mod core;
mod editor;
mod events;
mod hand;
mod pace;
mod params;
mod plugin;
mod state;

pub use plugin::MirrorNet;

nice_plug::nice_export_clap!(MirrorNet);
nice_plug::nice_export_vst3!(MirrorNet);
