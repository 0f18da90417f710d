//! The host as the framework sees it: calls that a host lacks do nothing.
//!
//! The framework takes it for granted that a host has every function, and `clap.gui` too. It gets a
//! stand-in with them all; the host's own functions get the host's own pointer.

use std::ffi::{CStr, c_char, c_void};
use std::mem::zeroed;
use std::ptr::null;
use std::sync::OnceLock;

use clap_sys::ext::gui::{CLAP_EXT_GUI, clap_host_gui};
use clap_sys::ext::latency::{CLAP_EXT_LATENCY, clap_host_latency};
use clap_sys::ext::params::{CLAP_EXT_PARAMS, CLAP_PARAM_RESCAN_VALUES, clap_host_params};
use clap_sys::ext::preset_load::{
    CLAP_EXT_PRESET_LOAD, CLAP_EXT_PRESET_LOAD_COMPAT, clap_host_preset_load,
};
use clap_sys::ext::state::{CLAP_EXT_STATE, clap_host_state};
use clap_sys::ext::tail::{CLAP_EXT_TAIL, clap_host_tail};
use clap_sys::ext::thread_check::{CLAP_EXT_THREAD_CHECK, clap_host_thread_check};
use clap_sys::ext::track_info::{CLAP_EXT_TRACK_INFO, clap_host_track_info, clap_track_info};
use clap_sys::ext::voice_info::{CLAP_EXT_VOICE_INFO, clap_host_voice_info};
use clap_sys::host::clap_host;

use super::presets::Preset;

/// A stand-in for the host.
#[repr(C)]
pub struct HostProxy {
    /// First, so that a pointer to it is one to the proxy.
    clap: clap_host,
    real: *const clap_host,
    extensions: OnceLock<Extensions>,
}

/// The host's extensions that framework or guard use.
#[derive(Clone, Copy, Default)]
struct Extensions {
    gui: Option<clap_host_gui>,
    latency: Option<clap_host_latency>,
    params: Option<clap_host_params>,
    preset_load: Option<clap_host_preset_load>,
    state: Option<clap_host_state>,
    tail: Option<clap_host_tail>,
    thread_check: Option<clap_host_thread_check>,
    track_info: Option<clap_host_track_info>,
    voice_info: Option<clap_host_voice_info>,
}

impl HostProxy {
    /// A stand-in for `real`.
    ///
    /// # Safety
    /// `real` is a host that outlives the proxy.
    pub unsafe fn new(real: *const clap_host) -> Box<Self> {
        // SAFETY: see above.
        let clap = clap_host {
            host_data: std::ptr::null_mut(),
            get_extension: Some(get_extension),
            request_restart: Some(request_restart),
            request_process: Some(request_process),
            request_callback: Some(request_callback),
            ..unsafe { *real }
        };
        Box::new(Self {
            clap,
            real,
            extensions: OnceLock::new(),
        })
    }

    /// The stand-in as a host.
    pub fn as_host(&self) -> *const clap_host {
        (&raw const *self).cast()
    }

    /// Asks the host for its extensions; allowed from the plugin's `init` on.
    pub fn query(&self) {
        self.extensions.get_or_init(|| Extensions {
            gui: self.extension(CLAP_EXT_GUI),
            latency: self.extension(CLAP_EXT_LATENCY),
            params: self.extension(CLAP_EXT_PARAMS),
            preset_load: self
                .extension(CLAP_EXT_PRESET_LOAD)
                .or_else(|| self.extension(CLAP_EXT_PRESET_LOAD_COMPAT)),
            state: self.extension(CLAP_EXT_STATE),
            tail: self.extension(CLAP_EXT_TAIL),
            thread_check: self.extension(CLAP_EXT_THREAD_CHECK),
            track_info: self.extension(CLAP_EXT_TRACK_INFO),
            voice_info: self.extension(CLAP_EXT_VOICE_INFO),
        });
    }

    /// A copy of the host's extension `id`, whose type is `T`.
    fn extension<T: Copy>(&self, id: &CStr) -> Option<T> {
        // SAFETY: the host's function with the host's pointer; the format fixes the type.
        unsafe {
            let get = (*self.real).get_extension?;
            get(self.real, id.as_ptr()).cast::<T>().as_ref().copied()
        }
    }

    fn extensions(&self) -> Extensions {
        self.extensions.get().copied().unwrap_or_default()
    }

    /// Asks the host to call the plugin on its main thread.
    pub fn request_callback(&self) {
        // SAFETY: the host's function with the host's pointer.
        unsafe {
            if let Some(request) = (*self.real).request_callback {
                request(self.real);
            }
        }
    }

    /// Tells the host that the project has unsaved changes. Main thread only.
    pub fn mark_dirty(&self) {
        if let Some(mark) = self.extensions().state.and_then(|state| state.mark_dirty) {
            // SAFETY: the host's function with the host's pointer.
            unsafe { mark(self.real) };
        }
    }

    /// Has the host read all parameters' values anew. Main thread only.
    pub fn rescan_values(&self) {
        if let Some(rescan) = self.extensions().params.and_then(|params| params.rescan) {
            // SAFETY: the host's function with the host's pointer.
            unsafe { rescan(self.real, CLAP_PARAM_RESCAN_VALUES) };
        }
    }

    /// Tells the host that a preset of its choice is loaded. Main thread only.
    pub fn preset_loaded(&self, preset: &Preset) {
        let table = self.extensions().preset_load;
        if let Some(loaded) = table.and_then(|table| table.loaded) {
            // SAFETY: the host's function with the host's pointers.
            unsafe { loaded(self.real, preset.kind, preset.location, preset.key) };
        }
    }

    /// Tells the host why a preset of its choice is not loaded: in words, with the system's number
    /// for it, or 0. Main thread only.
    pub fn preset_refused(&self, preset: &Preset, os_error: i32, why: &CStr) {
        let table = self.extensions().preset_load;
        if let Some(on_error) = table.and_then(|table| table.on_error) {
            let Preset {
                kind,
                location,
                key,
            } = *preset;
            // SAFETY: the host's function with the host's pointers.
            unsafe { on_error(self.real, kind, location, key, os_error, why.as_ptr()) };
        }
    }

    /// Tells the host that the tail has changed. Audio thread only.
    pub fn tail_changed(&self) {
        if let Some(changed) = self.extensions().tail.and_then(|tail| tail.changed) {
            // SAFETY: the host's function with the host's pointer.
            unsafe { changed(self.real) };
        }
    }
}

/// The proxy that the framework calls as `host`.
///
/// # Safety
/// `host` is a proxy's: the framework knows no other.
unsafe fn proxy<'a>(host: *const clap_host) -> &'a HostProxy {
    // SAFETY: see above; the host is the proxy's first field.
    unsafe { &*host.cast::<HostProxy>() }
}

unsafe extern "C" fn get_extension(host: *const clap_host, id: *const c_char) -> *const c_void {
    // SAFETY: called by the framework, with a string of its own.
    let (proxy, id) = unsafe { (proxy(host), CStr::from_ptr(id)) };
    proxy.query();
    let has = proxy.extensions();
    let (there, table) = if id == CLAP_EXT_GUI {
        // Without it the framework can't open an editor.
        (true, (&raw const GUI).cast())
    } else if id == CLAP_EXT_LATENCY {
        (has.latency.is_some(), (&raw const LATENCY).cast())
    } else if id == CLAP_EXT_PARAMS {
        (has.params.is_some(), (&raw const PARAMS).cast())
    } else if id == CLAP_EXT_THREAD_CHECK {
        let complete = has
            .thread_check
            .is_some_and(|check| check.is_main_thread.is_some());
        (complete, (&raw const THREAD_CHECK).cast())
    } else if id == CLAP_EXT_TRACK_INFO {
        (has.track_info.is_some(), (&raw const TRACK_INFO).cast())
    } else if id == CLAP_EXT_VOICE_INFO {
        (has.voice_info.is_some(), (&raw const VOICE_INFO).cast())
    } else {
        (false, null())
    };
    if there { table } else { null() }
}

unsafe extern "C" fn request_callback(host: *const clap_host) {
    // SAFETY: called by the framework.
    unsafe { proxy(host) }.request_callback();
}

/// A function of `$table` that calls the host's own, with the host's pointer, if there is one.
macro_rules! forward {
    ($name:ident: $($extension:ident)? . $function:ident($($arg:ident: $type:ty),*) $(-> $result:ty = $missing:expr)?) => {
        unsafe extern "C" fn $name(host: *const clap_host, $($arg: $type),*) $(-> $result)? {
            // SAFETY: called by the framework; the host's function gets the host's pointer.
            unsafe {
                let proxy = proxy(host);
                if let Some(function) = forward!(@find proxy, $($extension)? . $function) {
                    return function(proxy.real, $($arg),*);
                }
            }
            $($missing)?
        }
    };
    (@find $proxy:ident, . $function:ident) => {
        (*$proxy.real).$function
    };
    (@find $proxy:ident, $extension:ident . $function:ident) => {
        $proxy.extensions().$extension.and_then(|table| table.$function)
    };
}

forward!(request_restart: .request_restart());
forward!(request_process: .request_process());
forward!(resize_hints_changed: gui.resize_hints_changed());
forward!(request_resize: gui.request_resize(width: u32, height: u32) -> bool = false);
forward!(request_show: gui.request_show() -> bool = false);
forward!(request_hide: gui.request_hide() -> bool = false);
forward!(closed: gui.closed(was_destroyed: bool));
forward!(latency_changed: latency.changed());
forward!(rescan: params.rescan(flags: u32));
forward!(clear: params.clear(id: u32, flags: u32));
forward!(request_flush: params.request_flush());
forward!(is_main_thread: thread_check.is_main_thread() -> bool = true);
forward!(is_audio_thread: thread_check.is_audio_thread() -> bool = false);
forward!(voice_info_changed: voice_info.changed());

unsafe extern "C" fn track_info(host: *const clap_host, info: *mut clap_track_info) -> bool {
    // SAFETY: called by the framework with a structure of its own, all of whose bits may be zero.
    unsafe {
        let proxy = proxy(host);
        let get = proxy.extensions().track_info.and_then(|table| table.get);
        let mut given: clap_track_info = zeroed();
        let known = get.is_some_and(|get| get(proxy.real, &mut given));
        if known {
            *info = given;
        }
        known
    }
}

static GUI: clap_host_gui = clap_host_gui {
    resize_hints_changed: Some(resize_hints_changed),
    request_resize: Some(request_resize),
    request_show: Some(request_show),
    request_hide: Some(request_hide),
    closed: Some(closed),
};

static LATENCY: clap_host_latency = clap_host_latency {
    changed: Some(latency_changed),
};

static PARAMS: clap_host_params = clap_host_params {
    rescan: Some(rescan),
    clear: Some(clear),
    request_flush: Some(request_flush),
};

static THREAD_CHECK: clap_host_thread_check = clap_host_thread_check {
    is_main_thread: Some(is_main_thread),
    is_audio_thread: Some(is_audio_thread),
};

static TRACK_INFO: clap_host_track_info = clap_host_track_info {
    get: Some(track_info),
};

static VOICE_INFO: clap_host_voice_info = clap_host_voice_info {
    changed: Some(voice_info_changed),
};
