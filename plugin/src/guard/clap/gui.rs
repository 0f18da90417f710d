//! The plugin's editor: pointers are checked, the rest is the framework's.

use std::ffi::c_char;

use clap_sys::ext::gui::*;
use clap_sys::plugin::clap_plugin;

use super::extensions::is_one_of;
use super::instance::Guard;

/// The editor.
pub static GUI: clap_plugin_gui = clap_plugin_gui {
    is_api_supported: Some(is_api_supported),
    get_preferred_api: Some(get_preferred_api),
    create: Some(create),
    destroy: Some(destroy),
    set_scale: Some(set_scale),
    get_size: Some(get_size),
    can_resize: Some(can_resize),
    get_resize_hints: Some(get_resize_hints),
    adjust_size: Some(adjust_size),
    set_size: Some(set_size),
    set_parent: Some(set_parent),
    set_transient: Some(set_transient),
    suggest_title: Some(suggest_title),
    show: Some(show),
    hide: Some(hide),
};

/// Window systems that the format names.
const APIS: [&std::ffi::CStr; 4] = [
    CLAP_WINDOW_API_WIN32,
    CLAP_WINDOW_API_COCOA,
    CLAP_WINDOW_API_X11,
    CLAP_WINDOW_API_WAYLAND,
];

/// A function of the editor that calls the framework's if `$valid`, and else returns `false`.
macro_rules! guarded {
    ($name:ident($($arg:ident: $type:ty),*) if $valid:expr) => {
        unsafe extern "C" fn $name(plugin: *const clap_plugin, $($arg: $type),*) -> bool {
            // SAFETY: the host's promise; the framework's function with its own data.
            unsafe {
                let gui = Guard::of(plugin).and_then(|guard| guard.gui);
                let function = gui.and_then(|gui| gui.$name);
                $valid && function.is_some_and(|function| function(plugin, $($arg),*))
            }
        }
    };
}

guarded!(is_api_supported(api: *const c_char, floating: bool) if is_one_of(api, &APIS));
guarded!(get_preferred_api(api: *mut *const c_char, floating: *mut bool)
    if !api.is_null() && !floating.is_null());
guarded!(create(api: *const c_char, floating: bool) if is_one_of(api, &APIS));
guarded!(set_scale(scale: f64) if scale.is_finite() && scale > 0.0);
guarded!(get_size(width: *mut u32, height: *mut u32) if !width.is_null() && !height.is_null());
guarded!(can_resize() if true);
guarded!(get_resize_hints(hints: *mut clap_gui_resize_hints) if !hints.is_null());
guarded!(adjust_size(width: *mut u32, height: *mut u32) if !width.is_null() && !height.is_null());
guarded!(set_size(width: u32, height: u32) if width > 0 && height > 0);
guarded!(set_parent(window: *const clap_window) if is_window(window));
guarded!(set_transient(window: *const clap_window) if is_window(window));
guarded!(show() if true);
guarded!(hide() if true);

/// Whether a host's window names its system, and is one of it.
unsafe fn is_window(window: *const clap_window) -> bool {
    // SAFETY: the host's promise.
    unsafe {
        let Some(window) = window.as_ref() else {
            return false;
        };
        // Every kind of handle is one word, and 0 where there is no window.
        is_one_of(window.api, &APIS) && !window.specific.ptr.is_null()
    }
}

unsafe extern "C" fn destroy(plugin: *const clap_plugin) {
    // SAFETY: the host's promise; the framework's function with its own data.
    unsafe {
        let gui = Guard::of(plugin).and_then(|guard| guard.gui);
        if let Some(destroy) = gui.and_then(|gui| gui.destroy) {
            destroy(plugin);
        }
    }
}

unsafe extern "C" fn suggest_title(_plugin: *const clap_plugin, _title: *const c_char) {}
