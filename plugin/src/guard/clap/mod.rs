//! The guard in CLAP: the library's entry and its factories.
//!
//! The framework's callbacks read nothing of the plugin they are called with but its `plugin_data`.
//! So a host gets a `clap_plugin` of ours with the same `plugin_data` and other function pointers.

mod discovery;
mod events;
mod extensions;
mod gui;
mod host;
mod instance;
mod presets;
mod process;

use std::ffi::{CStr, c_char, c_void};
use std::ptr::null;
use std::sync::OnceLock;

use clap_sys::entry::clap_plugin_entry;
use clap_sys::factory::plugin_factory::{CLAP_PLUGIN_FACTORY_ID, clap_plugin_factory};
use clap_sys::factory::preset_discovery::{
    CLAP_PRESET_DISCOVERY_FACTORY_ID, CLAP_PRESET_DISCOVERY_FACTORY_ID_COMPAT,
};
use clap_sys::host::clap_host;
use clap_sys::plugin::{clap_plugin, clap_plugin_descriptor};
use clap_sys::version::CLAP_VERSION;
use nice_plug::wrapper::clap::PluginDescriptor;
use nice_plug::wrapper::setup_logger;

use crate::MirrorNet;
use extensions::is_one_of;

/// The library's entry for CLAP hosts.
#[unsafe(no_mangle)]
#[used]
#[allow(non_upper_case_globals)] // The format's name.
pub static clap_entry: clap_plugin_entry = clap_plugin_entry {
    clap_version: CLAP_VERSION,
    init: Some(init),
    deinit: Some(deinit),
    get_factory: Some(get_factory),
};

/// Names of the preset factory: today's, and the one that it had as a draft.
const PRESET_DISCOVERY: [&CStr; 2] = [
    CLAP_PRESET_DISCOVERY_FACTORY_ID,
    CLAP_PRESET_DISCOVERY_FACTORY_ID_COMPAT,
];

static FACTORY: clap_plugin_factory = clap_plugin_factory {
    get_plugin_count: Some(plugin_count),
    get_plugin_descriptor: Some(plugin_descriptor),
    create_plugin: Some(create_plugin),
};

fn descriptor() -> &'static PluginDescriptor {
    static DESCRIPTOR: OnceLock<PluginDescriptor> = OnceLock::new();
    DESCRIPTOR.get_or_init(PluginDescriptor::for_plugin::<MirrorNet>)
}

unsafe extern "C" fn init(_path: *const c_char) -> bool {
    setup_logger::<MirrorNet>();
    true
}

unsafe extern "C" fn deinit() {}

unsafe extern "C" fn get_factory(id: *const c_char) -> *const c_void {
    // SAFETY: a string of the host's.
    unsafe {
        if is_one_of(id, &[CLAP_PLUGIN_FACTORY_ID]) {
            (&raw const FACTORY).cast()
        } else if is_one_of(id, &PRESET_DISCOVERY) {
            (&raw const discovery::FACTORY).cast()
        } else {
            null()
        }
    }
}

unsafe extern "C" fn plugin_count(_factory: *const clap_plugin_factory) -> u32 {
    1
}

unsafe extern "C" fn plugin_descriptor(
    _factory: *const clap_plugin_factory,
    index: u32,
) -> *const clap_plugin_descriptor {
    match index {
        0 => descriptor().clap_plugin_descriptor(),
        _ => null(),
    }
}

unsafe extern "C" fn create_plugin(
    _factory: *const clap_plugin_factory,
    host: *const clap_host,
    id: *const c_char,
) -> *const clap_plugin {
    // SAFETY: a string of the host's.
    if host.is_null() || id.is_null() || unsafe { CStr::from_ptr(id) } != descriptor().clap_id() {
        return null();
    }
    // SAFETY: a host outlives its plugins.
    unsafe { instance::create(host) }
}

#[cfg(test)]
mod tests;
