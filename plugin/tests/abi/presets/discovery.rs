//! Presets that a CLAP host finds.

use std::ffi::{CStr, CString, c_char};
use std::ptr::{null, null_mut};

use clap_sys::factory::preset_discovery::*;
use clap_sys::universal_plugin_id::clap_universal_plugin_id;
use clap_sys::version::CLAP_VERSION;
use serde_json::json;

use super::{BUILT_IN, FILE, files, text};
use crate::clap_host::call;
use crate::{data_folder, without_engine};

/// A preset as its provider describes it.
#[derive(Debug, Default)]
struct Found {
    name: String,
    key: Option<String>,
    plugins: Vec<String>,
    creators: Vec<String>,
    features: Vec<String>,
}

/// Everything that a provider has told.
#[derive(Default)]
struct Told {
    /// Kind, flags and path of each location.
    locations: Vec<(u32, u32, Option<String>)>,
    filetypes: Vec<String>,
    presets: Vec<Found>,
    faults: Vec<(i32, String)>,
    /// Number of presets that are wanted.
    wanted: usize,
}

impl Told {
    fn nothing() -> Self {
        Self {
            wanted: usize::MAX,
            ..Self::default()
        }
    }
}

unsafe extern "C" fn declare_filetype(
    indexer: *const clap_preset_discovery_indexer,
    filetype: *const clap_preset_discovery_filetype,
) -> bool {
    // SAFETY: a test's own data, and a structure of the plugin's.
    unsafe {
        let told = &mut *(*indexer).indexer_data.cast::<Told>();
        assert!(text((*filetype).name).is_some());
        told.filetypes.extend(text((*filetype).file_extension));
    }
    true
}

unsafe extern "C" fn declare_location(
    indexer: *const clap_preset_discovery_indexer,
    location: *const clap_preset_discovery_location,
) -> bool {
    // SAFETY: as above.
    unsafe {
        let told = &mut *(*indexer).indexer_data.cast::<Told>();
        let location = &*location;
        assert!(text(location.name).is_some());
        told.locations
            .push((location.kind, location.flags, text(location.location)));
    }
    true
}

fn indexer(told: &mut Told) -> clap_preset_discovery_indexer {
    clap_preset_discovery_indexer {
        clap_version: CLAP_VERSION,
        name: c"careless".as_ptr(),
        vendor: null(),
        url: null(),
        version: null(),
        indexer_data: (&raw mut *told).cast(),
        declare_filetype: Some(declare_filetype),
        declare_location: Some(declare_location),
        declare_soundpack: None,
        get_extension: None,
    }
}

/// Everything that the receiver with this pointer has been told.
unsafe fn told<'a>(receiver: *const clap_preset_discovery_metadata_receiver) -> &'a mut Told {
    // SAFETY: a test's own data.
    unsafe { &mut *(*receiver).receiver_data.cast::<Told>() }
}

/// The preset that is being described.
unsafe fn latest<'a>(receiver: *const clap_preset_discovery_metadata_receiver) -> &'a mut Found {
    // SAFETY: as above.
    unsafe { told(receiver) }
        .presets
        .last_mut()
        .expect("one was begun")
}

unsafe extern "C" fn on_error(
    receiver: *const clap_preset_discovery_metadata_receiver,
    os_error: i32,
    message: *const c_char,
) {
    // SAFETY: a test's own data, and the plugin's string.
    let (told, message) = unsafe { (told(receiver), text(message)) };
    told.faults.push((os_error, message.expect("a sentence")));
}

unsafe extern "C" fn begin_preset(
    receiver: *const clap_preset_discovery_metadata_receiver,
    name: *const c_char,
    key: *const c_char,
) -> bool {
    // SAFETY: as above.
    let (told, name, key) = unsafe { (told(receiver), text(name), text(key)) };
    told.presets.push(Found {
        name: name.expect("a name"),
        key,
        ..Found::default()
    });
    told.presets.len() < told.wanted
}

unsafe extern "C" fn add_plugin_id(
    receiver: *const clap_preset_discovery_metadata_receiver,
    plugin: *const clap_universal_plugin_id,
) {
    // SAFETY: as above.
    unsafe {
        assert_eq!(text((*plugin).abi).as_deref(), Some("clap"));
        latest(receiver).plugins.extend(text((*plugin).id));
    }
}

unsafe extern "C" fn add_creator(
    receiver: *const clap_preset_discovery_metadata_receiver,
    creator: *const c_char,
) {
    // SAFETY: as above.
    unsafe { latest(receiver).creators.extend(text(creator)) };
}

unsafe extern "C" fn add_feature(
    receiver: *const clap_preset_discovery_metadata_receiver,
    feature: *const c_char,
) {
    // SAFETY: as above.
    unsafe { latest(receiver).features.extend(text(feature)) };
}

fn receiver(told: &mut Told) -> clap_preset_discovery_metadata_receiver {
    clap_preset_discovery_metadata_receiver {
        receiver_data: (&raw mut *told).cast(),
        on_error: Some(on_error),
        begin_preset: Some(begin_preset),
        add_plugin_id: Some(add_plugin_id),
        add_creator: Some(add_creator),
        add_feature: Some(add_feature),
        ..nobody()
    }
}

/// A receiver without any function.
fn nobody() -> clap_preset_discovery_metadata_receiver {
    clap_preset_discovery_metadata_receiver {
        receiver_data: null_mut(),
        on_error: None,
        begin_preset: None,
        add_plugin_id: None,
        set_soundpack_id: None,
        set_flags: None,
        add_creator: None,
        set_description: None,
        set_timestamps: None,
        add_feature: None,
        add_extra_info: None,
    }
}

/// The preset factory under this name, and the id of its provider.
fn discovery(name: &CStr) -> (*const clap_preset_discovery_factory, *const c_char) {
    without_engine();
    let entry = &raw const plugin::clap_entry;
    let factory: *const clap_preset_discovery_factory =
        call!(entry, get_factory, name.as_ptr()).cast();
    assert!(!factory.is_null(), "no {name:?}");
    assert_eq!(call!(factory, count, factory), 1);
    let descriptor = call!(factory, get_descriptor, factory, 0);
    assert!(call!(factory, get_descriptor, factory, 1).is_null());
    // SAFETY: the plugin's descriptor.
    (factory, unsafe { (*descriptor).id })
}

#[test]
fn a_host_finds_the_factorys_patches_and_the_users() {
    let (factory, id) = discovery(CLAP_PRESET_DISCOVERY_FACTORY_ID_COMPAT);
    assert_eq!(discovery(CLAP_PRESET_DISCOVERY_FACTORY_ID), (factory, id));
    let folder = data_folder().join("MirrorNet/patches");
    let mut told = Told::nothing();
    let host = indexer(&mut told);
    let provider = call!(factory, create, factory, &host, id);
    assert!(call!(provider, init, provider));
    let built_in = (BUILT_IN, CLAP_PRESET_DISCOVERY_IS_FACTORY_CONTENT, None);
    assert_eq!(
        told.locations,
        std::slice::from_ref(&built_in),
        "no folder yet"
    );
    call!(provider, destroy, provider);

    std::fs::create_dir_all(&folder).expect("it can be made");
    let mut told = Told::nothing();
    let host = indexer(&mut told);
    let provider = call!(factory, create, factory, &host, id);
    assert!(call!(provider, init, provider));
    std::fs::remove_dir_all(data_folder()).expect("it can be removed");
    let path = folder.to_str().map(str::to_owned);
    let own = (FILE, CLAP_PRESET_DISCOVERY_IS_USER_CONTENT, path);
    assert_eq!(told.locations, [built_in, own]);
    assert_eq!(told.filetypes, ["json"]);

    let host = receiver(&mut told);
    assert!(call!(
        provider,
        get_metadata,
        provider,
        BUILT_IN,
        null(),
        &host
    ));
    let files = files();
    assert_eq!(told.presets.len(), files.len());
    for (file, _) in &files {
        let mut found = told.presets.iter();
        let found = found
            .find(|found| file["name"] == found.name)
            .expect("every file is found");
        assert_eq!(found.key.as_ref(), Some(&found.name));
        assert_eq!(found.plugins, ["org.mirrornet.mirrornet"]);
        assert_eq!(found.creators, ["MirrorNet"]);
        assert_eq!(found.features[0], "instrument");
        assert_eq!(json!(found.features[1..]), file["tags"]);
    }
    call!(provider, destroy, provider);
}

#[test]
fn a_patch_file_is_described_or_refused_in_words() {
    let (factory, id) = discovery(CLAP_PRESET_DISCOVERY_FACTORY_ID);
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str, text: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, text).expect("it can be written");
        CString::new(file.to_str().expect("UTF-8")).expect("no zeros")
    };
    let mut told = Told::nothing();
    let host = indexer(&mut told);
    let provider = call!(factory, create, factory, &host, id);
    let mut told = Told::nothing();
    let host = receiver(&mut told);
    let ask = |path: *const c_char| call!(provider, get_metadata, provider, FILE, path, &host);
    let good = json!({ "format": 1, "name": "Mine", "tags": ["lead"], "params": {} }).to_string();
    assert!(ask(path("mine.json", &good).as_ptr()));
    let unnamed = json!({ "format": 1, "params": {} }).to_string();
    assert!(ask(path("Other one.json", &unnamed).as_ptr()));
    assert!(!ask(path("broken.json", "{").as_ptr()));
    assert!(!ask(c"/nowhere/at all.json".as_ptr()));
    assert!(!ask(path("x", "x").as_ptr()));
    assert!(!ask(c"/".as_ptr()));
    assert!(!ask(null()));
    assert!(!ask(c"\xFF".as_ptr()));
    let names: Vec<_> = told.presets.iter().map(|found| &found.name).collect();
    assert_eq!(names, ["Mine", "Other one"]);
    assert_eq!(told.presets[0].key, None);
    assert_eq!(told.presets[0].features, ["instrument", "lead"]);
    assert_eq!(told.faults.len(), 6);
    assert_eq!(told.faults[1].0, libc::ENOENT);
    assert!(
        told.faults
            .iter()
            .all(|(_, text)| text.ends_with("in .json."))
    );
    call!(provider, destroy, provider);
}

#[test]
fn a_careless_indexer_is_survived() {
    let (factory, id) = discovery(CLAP_PRESET_DISCOVERY_FACTORY_ID);
    let mut told = Told::nothing();
    let mut host = indexer(&mut told);
    assert!(call!(factory, create, factory, null(), id).is_null());
    assert!(call!(factory, create, factory, &host, null()).is_null());
    assert!(call!(factory, create, factory, &host, c"another".as_ptr()).is_null());
    host.declare_location = None;
    let provider = call!(factory, create, factory, &host, id);
    assert!(!call!(provider, init, provider));
    assert!(!call!(provider, init, null()));
    let (mut few, nobody) = (Told::nothing(), nobody());
    few.wanted = 3;
    let host = receiver(&mut few);
    assert!(call!(
        provider,
        get_metadata,
        provider,
        BUILT_IN,
        null(),
        &host
    ));
    assert_eq!(few.presets.len(), 3, "the host had enough");
    for kind in [BUILT_IN, FILE, 2, u32::MAX] {
        call!(provider, get_metadata, provider, kind, null(), &nobody);
        assert!(!call!(
            provider,
            get_metadata,
            provider,
            kind,
            null(),
            null()
        ));
        assert!(!call!(provider, get_metadata, null(), kind, null(), &host));
    }
    assert!(call!(provider, get_extension, provider, null()).is_null());
    call!(provider, destroy, null());
    call!(provider, destroy, provider);
}
