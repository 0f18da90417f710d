//! Presets as hosts know them: found by CLAP's factory, loaded by its extension, and as files for
//! VST3.

use std::ffi::{CStr, CString, c_char, c_void};
use std::path::{Path, PathBuf};
use std::ptr::{null, null_mut};

use clap_sys::ext::params::{CLAP_EXT_PARAMS, CLAP_PARAM_RESCAN_VALUES, clap_host_params};
use clap_sys::ext::preset_load::*;
use clap_sys::factory::preset_discovery::*;
use clap_sys::host::clap_host;
use clap_sys::process::CLAP_PROCESS_ERROR;
use clap_sys::universal_plugin_id::clap_universal_plugin_id;
use clap_sys::version::CLAP_VERSION;
use parking_lot::Mutex;
use serde_json::{Value, json};
use synth::{PARAMS, Patch};

use crate::both::Host;
use crate::clap_host::{Call, Events, Plugin, Port, call};
use crate::{LONGEST, data_folder, reference, vst3_host, without_engine};

const BUILT_IN: u32 = CLAP_PRESET_DISCOVERY_LOCATION_PLUGIN;
const FILE: u32 = CLAP_PRESET_DISCOVERY_LOCATION_FILE;

/// The factory's patch files.
fn files() -> Vec<(Value, Patch)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/patches");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("it is in the tree")
        .map(|entry| entry.expect("it can be read").path())
        .filter(|file| file.extension().is_some_and(|end| end == "json"))
        .collect();
    files.sort();
    files
        .iter()
        .map(|file| {
            let text = std::fs::read_to_string(file).expect("it can be read");
            let value = serde_json::from_str(&text).expect("JSON");
            (value, Patch::from_json(&text).expect("a patch").0)
        })
        .collect()
}

/// The factory's patch of this name.
fn factory(name: &str) -> Patch {
    let mut all = files().into_iter();
    all.find(|(value, _)| value["name"] == name)
        .expect("it is one of the factory's")
        .1
}

/// A text of the plugin's; `None` for a null pointer.
unsafe fn text(string: *const c_char) -> Option<String> {
    // SAFETY: a string that ends with a zero.
    (!string.is_null()).then(|| {
        unsafe { CStr::from_ptr(string) }
            .to_string_lossy()
            .into_owned()
    })
}

/// The parameters of a state differ by no more than a text file's rounding from those of a patch.
fn assert_plays(state: &Value, patch: &Patch) {
    for (row, param) in PARAMS.iter().enumerate() {
        let saved = &state["params"][param.id];
        match saved["i32"].as_i64() {
            Some(saved) => assert_eq!(saved, patch.plain(row).round() as i64, "{}", param.id),
            None => {
                let saved = saved["f32"].as_f64().expect("a quantity");
                assert!(
                    (saved - f64::from(patch.get(row))).abs() < 1e-6,
                    "{}",
                    param.id
                );
            }
        }
    }
}

fn container(state: &Value) -> Value {
    let text = state["fields"]["mirrornet"].as_str().expect("text");
    serde_json::from_str(text).expect("JSON")
}

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

/// Something that a plugin tells its host of presets.
#[derive(Clone, Debug, PartialEq)]
enum Notice {
    Rescan(u32),
    Loaded(u32, Option<String>, Option<String>),
    Refused(i32, String),
}

/// A host with presets.
struct PresetHost {
    raw: clap_host,
    told: Mutex<Vec<Notice>>,
}

impl PresetHost {
    fn new() -> Box<Self> {
        unsafe extern "C" fn request(_: *const clap_host) {}
        let mut host = Box::new(Self {
            raw: clap_host {
                clap_version: CLAP_VERSION,
                host_data: null_mut(),
                name: c"presets".as_ptr(),
                vendor: c"".as_ptr(),
                url: c"".as_ptr(),
                version: c"0".as_ptr(),
                get_extension: Some(preset_host_extension),
                request_restart: Some(request),
                request_process: Some(request),
                request_callback: Some(request),
            },
            told: Mutex::default(),
        });
        host.raw.host_data = (&raw const host.told).cast_mut().cast();
        host
    }

    fn take(&self) -> Vec<Notice> {
        std::mem::take(&mut *self.told.lock())
    }
}

unsafe fn tell(host: *const clap_host, call: Notice) {
    // SAFETY: the host's own data.
    unsafe { &*(*host).host_data.cast::<Mutex<Vec<Notice>>>() }
        .lock()
        .push(call);
}

unsafe extern "C" fn preset_host_extension(
    _: *const clap_host,
    id: *const c_char,
) -> *const c_void {
    unsafe extern "C" fn rescan(host: *const clap_host, flags: u32) {
        // SAFETY: the plugin gives the host's pointer.
        unsafe { tell(host, Notice::Rescan(flags)) };
    }
    unsafe extern "C" fn loaded(
        host: *const clap_host,
        kind: u32,
        location: *const c_char,
        key: *const c_char,
    ) {
        // SAFETY: as above, with strings of the test's.
        unsafe { tell(host, Notice::Loaded(kind, text(location), text(key))) };
    }
    unsafe extern "C" fn on_error(
        host: *const clap_host,
        _kind: u32,
        _location: *const c_char,
        _key: *const c_char,
        os_error: i32,
        message: *const c_char,
    ) {
        // SAFETY: as above, with a string of the plugin's.
        unsafe {
            tell(
                host,
                Notice::Refused(os_error, text(message).expect("a sentence")),
            )
        };
    }
    static PARAMS: clap_host_params = clap_host_params {
        rescan: Some(rescan),
        clear: None,
        request_flush: None,
    };
    static PRESET_LOAD: clap_host_preset_load = clap_host_preset_load {
        on_error: Some(on_error),
        loaded: Some(loaded),
    };
    // SAFETY: a string of the plugin's.
    let id = unsafe { CStr::from_ptr(id) };
    if id == CLAP_EXT_PARAMS {
        (&raw const PARAMS).cast()
    } else if id == CLAP_EXT_PRESET_LOAD_COMPAT {
        (&raw const PRESET_LOAD).cast()
    } else {
        null()
    }
}

/// Has the plugin load a factory patch.
fn load(plugin: &Plugin, name: &CStr) -> bool {
    let table: &clap_plugin_preset_load = plugin.extension(CLAP_EXT_PRESET_LOAD);
    call!(
        table,
        from_location,
        plugin.raw,
        BUILT_IN,
        null(),
        name.as_ptr()
    )
}

#[test]
fn a_preset_replaces_what_is_matched_and_the_host_reads_it_at_once() {
    let host = PresetHost::new();
    let plugin = Plugin::within(&host.raw);
    plugin.start(crate::RATE);
    plugin.hear(&reference(), 60);
    plugin.automate(&[("Cutoff", 0.9)]);
    let before = container(&plugin.save());
    assert!(before["inference"].is_object(), "nothing was heard");
    assert_eq!(before["locks"], json!(["filter_cutoff"]));
    host.take();

    assert!(load(&plugin, c"Acid Line"));
    let name = Some("Acid Line".to_owned());
    let told = [
        Notice::Rescan(CLAP_PARAM_RESCAN_VALUES),
        Notice::Loaded(BUILT_IN, None, name),
    ];
    assert_eq!(host.take(), told);
    for played in [false, true] {
        let state = plugin.save();
        assert_plays(&state, &factory("Acid Line"));
        let container = container(&state);
        assert_eq!(container["patch"], "Acid Line");
        assert_eq!(container["inference"], Value::Null, "played: {played}");
        assert_eq!(container["locks"], json!([]), "played: {played}");
        for _ in 0..20 {
            plugin.block(LONGEST, &Events::default());
        }
    }
}

#[test]
fn a_preset_is_loaded_while_the_plugin_is_not_active() {
    let host = PresetHost::new();
    let plugin = Plugin::within(&host.raw);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("mine.json");
    let text = json!({ "format": 1, "params": { "filter_cutoff": 440, "of a newer version": 1 } });
    let (patch, _) = Patch::from_json(&text.to_string()).expect("a patch");
    std::fs::write(&file, text.to_string()).expect("it can be written");
    let path = CString::new(file.to_str().expect("UTF-8")).expect("no zeros");
    let table: &clap_plugin_preset_load = plugin.extension(CLAP_EXT_PRESET_LOAD_COMPAT);
    assert!(call!(
        table,
        from_location,
        plugin.raw,
        FILE,
        path.as_ptr(),
        null()
    ));
    assert_plays(&plugin.save(), &patch);
    assert_eq!(host.take().len(), 2);
    plugin.start(crate::RATE);
    plugin.automate(&[]);
    let container = container(&plugin.save());
    assert_eq!(container["patch"], "mine");
    assert_eq!(container["locks"], json!([]));
}

#[test]
fn a_preset_that_is_not_there_changes_nothing_and_is_explained() {
    let host = PresetHost::new();
    let plugin = Plugin::within(&host.raw);
    plugin.start(crate::RATE);
    plugin.automate(&[("Cutoff", 0.9)]);
    let before = plugin.save();
    host.take();
    let table: &clap_plugin_preset_load = plugin.extension(CLAP_EXT_PRESET_LOAD);
    for (kind, location, key, os_error, word) in [
        (BUILT_IN, null(), c"No such".as_ptr(), 0, "\"No such\""),
        (BUILT_IN, null(), null(), 0, "\"\""),
        (BUILT_IN, null(), c"\xFF".as_ptr(), 0, "\"\""),
        (FILE, null(), null(), 0, ".json"),
        (
            FILE,
            c"/nowhere.json".as_ptr(),
            null(),
            libc::ENOENT,
            "/nowhere.json",
        ),
        (FILE, c"/".as_ptr(), null(), 0, ".json"),
        (7, null(), null(), 0, "kind 7"),
    ] {
        assert!(!call!(
            table,
            from_location,
            plugin.raw,
            kind,
            location,
            key
        ));
        let told = host.take();
        let [Notice::Refused(number, text)] = &told[..] else {
            panic!("{told:?}");
        };
        assert_eq!(*number, os_error);
        assert!(text.contains(word), "{text}");
    }
    assert!(!call!(
        table,
        from_location,
        null(),
        BUILT_IN,
        null(),
        c"Acid Line".as_ptr()
    ));
    assert_eq!(plugin.save(), before);
    // A host that has no ear for it.
    let plugin = Plugin::new();
    assert!(!load(&plugin, c"No such"));
    assert!(load(&plugin, c"Acid Line"));
}

/// The host browses on its main thread while its audio thread plays.
#[test]
fn presets_are_loaded_while_audio_runs() {
    struct Across<'a>(&'a Plugin);
    // SAFETY: as the format says: one thread processes, another loads.
    unsafe impl Send for Across<'_> {}
    let plugin = Plugin::started();
    let names = [c"Acid Line", c"Warm Saws", c"Harp"];
    let done = std::sync::atomic::AtomicBool::new(false);
    let there = Across(&plugin);
    std::thread::scope(|scope| {
        let audio = scope.spawn(|| {
            let Across(plugin) = { there };
            let mut blocks = 0;
            while !done.load(std::sync::atomic::Ordering::Acquire) {
                let output = Port::stereo(64);
                let status = plugin.process(&Call {
                    frames: 64,
                    output: Some(&output),
                    events: &Events::default().on(0, 60).off(63, 60),
                    ..Call::default()
                });
                assert_ne!(status, CLAP_PROCESS_ERROR, "a block was lost");
                crate::check_samples(&output.samples(0));
                blocks += 1;
            }
            blocks
        });
        for k in 0..300 {
            assert!(load(&plugin, names[k % 3]));
            std::thread::sleep(std::time::Duration::from_micros(200));
        }
        done.store(true, std::sync::atomic::Ordering::Release);
        assert!(audio.join().expect("it plays on") > 20);
    });
    plugin.automate(&[]);
    let state = plugin.save();
    assert_plays(&state, &factory("Harp"));
    assert_eq!(container(&state)["locks"], json!([]));
    assert_eq!(container(&state)["patch"], "Harp");
}

/// Reads the files as the format's definition says, and loads each into an instance that was
/// turned, locked and switched off.
#[test]
fn every_preset_file_loads_its_patch_in_vst3() {
    let folder = tempfile::tempdir().expect("a folder");
    plugin::write_vst3_presets(folder.path()).expect("they can be written");
    let plugin = <vst3_host::Plugin as Host>::new();
    let before = plugin.save();
    let files = files();
    let written = std::fs::read_dir(folder.path()).expect("it is there");
    assert_eq!(written.count(), files.len());
    for (file, patch) in files {
        let name = file["name"].as_str().expect("a name");
        let bytes = std::fs::read(folder.path().join(format!("{name}.vstpreset")))
            .expect("a file for each patch");
        let number =
            |at: usize| i64::from_le_bytes(bytes[at..at + 8].try_into().expect("8 bytes")) as usize;
        assert_eq!(&bytes[..8], b"VST3\x01\0\0\0");
        // `MirrorNetSynth01`.
        assert_eq!(&bytes[8..40], b"4D6972726F724E657453796E74683031");
        let list = number(40);
        assert_eq!(&bytes[list..list + 12], b"List\x01\0\0\0Comp");
        let (start, size) = (number(list + 12), number(list + 20));
        assert_eq!(bytes.len(), list + 28);

        plugin.automate(&[("Cutoff", 0.123), ("Match", 0.5), ("Search", 0.0)]);
        assert!(Host::load(&plugin, &bytes[start..start + size]));
        let state = plugin.save();
        assert_plays(&state, &patch);
        assert_eq!(container(&state)["patch"], name);
        for id in ["match", "match_glide", "output", "listen", "match_search"] {
            assert_eq!(state["params"][id], before["params"][id], "{id}");
        }
        plugin.automate(&[]);
        assert_eq!(container(&plugin.save())["locks"], json!([]));
    }
}
