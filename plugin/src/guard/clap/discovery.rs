//! The presets that a host's browser finds: the factory's patches, which are in the plugin, and the
//! user's patch files.

use std::ffi::{CStr, c_char, c_void};
use std::ptr::{null, null_mut};

use clap_sys::factory::preset_discovery::*;
use clap_sys::plugin_features::CLAP_PLUGIN_FEATURE_INSTRUMENT;
use clap_sys::universal_plugin_id::clap_universal_plugin_id;
use clap_sys::version::CLAP_VERSION;

use super::presets::{c_string, read_file};
use crate::patches::{self, NamedPatch};

/// The factory.
pub static FACTORY: clap_preset_discovery_factory = clap_preset_discovery_factory {
    count: Some(count),
    get_descriptor: Some(get_descriptor),
    create: Some(create),
};

const ID: &CStr = c"org.mirrornet.mirrornet.patches";
const VENDOR: &CStr = c"MirrorNet";

static DESCRIPTOR: clap_preset_discovery_provider_descriptor =
    clap_preset_discovery_provider_descriptor {
        clap_version: CLAP_VERSION,
        id: ID.as_ptr(),
        name: c"MirrorNet patches".as_ptr(),
        vendor: VENDOR.as_ptr(),
    };

/// A provider as the host sees it.
#[repr(C)]
struct Provider {
    /// First, so that a pointer to it is one to the provider.
    clap: clap_preset_discovery_provider,
    indexer: *const clap_preset_discovery_indexer,
}

unsafe extern "C" fn count(_factory: *const clap_preset_discovery_factory) -> u32 {
    1
}

unsafe extern "C" fn get_descriptor(
    _factory: *const clap_preset_discovery_factory,
    index: u32,
) -> *const clap_preset_discovery_provider_descriptor {
    match index {
        0 => &raw const DESCRIPTOR,
        _ => null(),
    }
}

unsafe extern "C" fn create(
    _factory: *const clap_preset_discovery_factory,
    indexer: *const clap_preset_discovery_indexer,
    id: *const c_char,
) -> *const clap_preset_discovery_provider {
    // SAFETY: a string of the host's.
    if indexer.is_null() || id.is_null() || unsafe { CStr::from_ptr(id) } != ID {
        return null();
    }
    let provider = Provider {
        clap: clap_preset_discovery_provider {
            desc: &raw const DESCRIPTOR,
            provider_data: null_mut(),
            init: Some(init),
            destroy: Some(destroy),
            get_metadata: Some(get_metadata),
            get_extension: Some(get_extension),
        },
        indexer,
    };
    Box::into_raw(Box::new(provider)).cast()
}

/// Declares where patches are. The user's folder is one of the places once there is one.
unsafe extern "C" fn init(provider: *const clap_preset_discovery_provider) -> bool {
    // SAFETY: the host's promise; its indexer outlives the provider.
    let (indexer, host) = unsafe {
        let Some(provider) = provider.cast::<Provider>().as_ref() else {
            return false;
        };
        (provider.indexer, &*provider.indexer)
    };
    let Some(declare) = host.declare_location else {
        return false;
    };
    let built_in = clap_preset_discovery_location {
        flags: CLAP_PRESET_DISCOVERY_IS_FACTORY_CONTENT,
        name: c"MirrorNet factory patches".as_ptr(),
        kind: CLAP_PRESET_DISCOVERY_LOCATION_PLUGIN,
        location: null(),
    };
    // SAFETY: the host's function with its own pointer, and a place that it copies.
    let declared = unsafe { declare(indexer, &built_in) };
    let folder = patches::user_folder().filter(|folder| folder.is_dir());
    if let (Some(folder), Some(declare_filetype)) = (folder, host.declare_filetype)
        && let Some(path) = folder.to_str().map(c_string)
    {
        let filetype = clap_preset_discovery_filetype {
            name: c"MirrorNet patch".as_ptr(),
            description: c"A patch of MirrorNet as text".as_ptr(),
            file_extension: c"json".as_ptr(),
        };
        let own = clap_preset_discovery_location {
            flags: CLAP_PRESET_DISCOVERY_IS_USER_CONTENT,
            name: c"MirrorNet user patches".as_ptr(),
            kind: CLAP_PRESET_DISCOVERY_LOCATION_FILE,
            location: path.as_ptr(),
        };
        // SAFETY: as above. A host that refuses the user's folder still has the factory's patches.
        unsafe {
            let _ = declare_filetype(indexer, &filetype) && declare(indexer, &own);
        }
    }
    declared
}

unsafe extern "C" fn destroy(provider: *const clap_preset_discovery_provider) {
    if !provider.is_null() {
        // SAFETY: made by `create`; the host doesn't use it any more.
        drop(unsafe { Box::from_raw(provider.cast::<Provider>().cast_mut()) });
    }
}

unsafe extern "C" fn get_extension(
    _provider: *const clap_preset_discovery_provider,
    _id: *const c_char,
) -> *const c_void {
    null()
}

unsafe extern "C" fn get_metadata(
    provider: *const clap_preset_discovery_provider,
    kind: clap_preset_discovery_location_kind,
    location: *const c_char,
    receiver: *const clap_preset_discovery_metadata_receiver,
) -> bool {
    if provider.is_null() || receiver.is_null() {
        return false;
    }
    match kind {
        CLAP_PRESET_DISCOVERY_LOCATION_PLUGIN => {
            // Ends where the host has had enough.
            // SAFETY: the host's receiver.
            let _ = patches::factory()
                .iter()
                .all(|patch| unsafe { describe(patch, receiver) });
            true
        }
        // SAFETY: the host's receiver and string.
        CLAP_PRESET_DISCOVERY_LOCATION_FILE => unsafe {
            match read_file(location) {
                Ok((patch, _)) => {
                    describe(&patch, receiver);
                    true
                }
                Err(fault) => {
                    if let Some(on_error) = (*receiver).on_error {
                        on_error(receiver, fault.os_error, fault.text.as_ptr());
                    }
                    false
                }
            }
        },
        _ => false,
    }
}

/// Tells a host of a patch; returns whether it wants more.
///
/// # Safety
/// The receiver is the host's.
unsafe fn describe(
    patch: &NamedPatch,
    receiver: *const clap_preset_discovery_metadata_receiver,
) -> bool {
    // SAFETY: see above.
    let host = unsafe { &*receiver };
    let Some(begin) = host.begin_preset else {
        return false;
    };
    let name = c_string(&patch.name);
    // In a file there is one patch only.
    let key = match patch.file {
        None => name.as_ptr(),
        Some(_) => null(),
    };
    let plugin = clap_universal_plugin_id {
        abi: c"clap".as_ptr(),
        id: super::descriptor().clap_id().as_ptr(),
    };
    // SAFETY: the host's functions with its own pointer, and texts that it copies.
    unsafe {
        if !begin(receiver, name.as_ptr(), key) {
            return false;
        }
        if let Some(add_plugin_id) = host.add_plugin_id {
            add_plugin_id(receiver, &plugin);
        }
        if let (Some(add_creator), None) = (host.add_creator, &patch.file) {
            add_creator(receiver, VENDOR.as_ptr());
        }
        if let Some(add_feature) = host.add_feature {
            add_feature(receiver, CLAP_PLUGIN_FEATURE_INSTRUMENT.as_ptr());
            for tag in &patch.tags {
                add_feature(receiver, c_string(tag).as_ptr());
            }
        }
    }
    true
}
