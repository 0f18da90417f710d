//! Presets that a CLAP host has the plugin load.

use std::ffi::{CStr, CString, c_char, c_void};
use std::ptr::{null, null_mut};

use clap_sys::ext::params::{CLAP_EXT_PARAMS, CLAP_PARAM_RESCAN_VALUES, clap_host_params};
use clap_sys::ext::preset_load::*;
use clap_sys::host::clap_host;
use clap_sys::process::CLAP_PROCESS_ERROR;
use clap_sys::version::CLAP_VERSION;
use parking_lot::Mutex;
use serde_json::{Value, json};
use synth::Patch;

use super::{BUILT_IN, FILE, assert_plays, container, factory, text};
use crate::both::Host;
use crate::clap_host::{Call, Events, Plugin, Port, call};
use crate::{LONGEST, reference};

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
