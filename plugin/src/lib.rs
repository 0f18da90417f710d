//! The shell: MirrorNet as CLAP, VST3 and standalone. Wiring, parameters, state and editor.

mod door;
mod editor;
mod events;
mod offline;
mod params;
mod plugin;
mod processor;
mod state;
mod touch;

pub use plugin::MirrorNet;

nice_plug::nice_export_clap!(MirrorNet);
nice_plug::nice_export_vst3!(MirrorNet);
