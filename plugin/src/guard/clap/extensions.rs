//! The plugin's extensions: parameters, state, tail, render mode, note ports, voices and pages for
//! controllers.

use std::ffi::{CStr, c_char, c_void};
use std::ptr::null;

use clap_sys::events::{clap_input_events, clap_output_events};
use clap_sys::ext::note_ports::{clap_note_port_info, clap_plugin_note_ports};
use clap_sys::ext::params::{clap_param_info, clap_plugin_params};
use clap_sys::ext::remote_controls::{clap_plugin_remote_controls, clap_remote_controls_page};
use clap_sys::ext::render::{CLAP_RENDER_OFFLINE, clap_plugin_render, clap_plugin_render_mode};
use clap_sys::ext::state::clap_plugin_state;
use clap_sys::ext::tail::clap_plugin_tail;
use clap_sys::ext::voice_info::{clap_plugin_voice_info, clap_voice_info};
use clap_sys::plugin::clap_plugin;
use clap_sys::stream::{clap_istream, clap_ostream};

use super::events::{self, Reader};
use super::instance::Guard;

/// The parameters.
pub static PARAMS: clap_plugin_params = clap_plugin_params {
    count: Some(params_count),
    get_info: Some(params_get_info),
    get_value: Some(params_get_value),
    value_to_text: Some(params_value_to_text),
    text_to_value: Some(params_text_to_value),
    flush: Some(params_flush),
};

/// The state.
pub static STATE: clap_plugin_state = clap_plugin_state {
    save: Some(state_save),
    load: Some(state_load),
};

/// The tail.
pub static TAIL: clap_plugin_tail = clap_plugin_tail {
    get: Some(tail_get),
};

/// The render mode.
pub static RENDER: clap_plugin_render = clap_plugin_render {
    has_hard_realtime_requirement: Some(render_is_hard_realtime),
    set: Some(render_set),
};

/// The note ports.
pub static NOTE_PORTS: clap_plugin_note_ports = clap_plugin_note_ports {
    count: Some(note_ports_count),
    get: Some(note_ports_get),
};

/// The voices.
pub static VOICE_INFO: clap_plugin_voice_info = clap_plugin_voice_info {
    get: Some(voice_info_get),
};

/// The pages for controllers.
pub static REMOTE_CONTROLS: clap_plugin_remote_controls = clap_plugin_remote_controls {
    count: Some(remote_controls_count),
    get: Some(remote_controls_get),
};

unsafe extern "C" fn params_count(plugin: *const clap_plugin) -> u32 {
    // SAFETY: the host's promise; the framework's function with its own data.
    unsafe {
        Guard::of(plugin)
            .and_then(|guard| guard.params.count)
            .map_or(0, |count| count(plugin))
    }
}

unsafe extern "C" fn params_get_info(
    plugin: *const clap_plugin,
    index: u32,
    info: *mut clap_param_info,
) -> bool {
    // SAFETY: the host's promise; the framework's function with its own data.
    unsafe {
        let get = Guard::of(plugin).and_then(|guard| guard.params.get_info);
        // The framework takes the count itself for an index.
        !info.is_null()
            && index < params_count(plugin)
            && get.is_some_and(|get| get(plugin, index, info))
    }
}

/// The value as the host has set it: what it modulates is its own.
unsafe extern "C" fn params_get_value(
    plugin: *const clap_plugin,
    id: u32,
    value: *mut f64,
) -> bool {
    // SAFETY: the host's promise; parameters live as long as the wrapper.
    unsafe {
        let param = Guard::of(plugin).and_then(|guard| guard.parameter(id));
        let (Some(param), Some(value)) = (param, value.as_mut()) else {
            return false;
        };
        let steps = param.step_count().unwrap_or(1);
        *value = f64::from(param.unmodulated_normalized_value()) * steps as f64;
        true
    }
}

unsafe extern "C" fn params_value_to_text(
    plugin: *const clap_plugin,
    id: u32,
    value: f64,
    text: *mut c_char,
    size: u32,
) -> bool {
    // SAFETY: the host's promise; the framework's function with its own data.
    unsafe {
        let convert = Guard::of(plugin).and_then(|guard| guard.params.value_to_text);
        !text.is_null()
            && size > 0
            && value.is_finite()
            && convert.is_some_and(|convert| convert(plugin, id, value, text, size))
    }
}

unsafe extern "C" fn params_text_to_value(
    plugin: *const clap_plugin,
    id: u32,
    text: *const c_char,
    value: *mut f64,
) -> bool {
    // SAFETY: the host's promise; the framework's function with its own data.
    unsafe {
        let convert = Guard::of(plugin).and_then(|guard| guard.params.text_to_value);
        let mut found = f64::NAN;
        let known = !text.is_null()
            && !value.is_null()
            && convert.is_some_and(|convert| convert(plugin, id, text, &mut found))
            && found.is_finite();
        if known {
            *value = found;
        }
        known
    }
}

unsafe extern "C" fn params_flush(
    plugin: *const clap_plugin,
    input: *const clap_input_events,
    output: *const clap_output_events,
) {
    // SAFETY: the host's promise.
    unsafe {
        if let Some(guard) = Guard::of(plugin) {
            guard.between_blocks(|_| flush_parameters(guard, input, output));
            guard.pass_on_changes();
        }
    }
}

/// Takes the parameters' values from `input`, and reports the plugin's own to `output`.
///
/// # Safety
/// Both are null or lists of the host's. Nothing is processed meanwhile.
pub unsafe fn flush_parameters(
    guard: &Guard,
    input: *const clap_input_events,
    output: *const clap_output_events,
) {
    // SAFETY: see above.
    let mut reader = unsafe { Reader::new(input) };
    while let Some(mut event) = reader.peek() {
        reader.take();
        if event.is_parameter() {
            guard.take_in(&mut event);
            events::with_single(event, |list| guard.flush_inner(list, null()));
        }
    }
    // SAFETY: see above.
    if unsafe { output.as_ref() }.is_some_and(|output| output.try_push.is_some()) {
        guard.flush_inner(null(), output);
    }
}

/// A stream of the host's behind one of ours: what it says that it read or wrote is never more than
/// it was asked for.
fn checked(done: i64, size: u64) -> i64 {
    match u64::try_from(done) {
        Ok(done) if done > size => -1,
        _ => done,
    }
}

unsafe extern "C" fn write(stream: *const clap_ostream, bytes: *const c_void, size: u64) -> i64 {
    // SAFETY: called by the framework with `state_save`'s stream.
    unsafe {
        let real = (*stream).ctx.cast::<clap_ostream>().cast_const();
        match (*real).write {
            Some(write) => checked(write(real, bytes, size), size),
            None => -1,
        }
    }
}

unsafe extern "C" fn read(stream: *const clap_istream, bytes: *mut c_void, size: u64) -> i64 {
    // SAFETY: called by the framework with `state_load`'s stream.
    unsafe {
        let real = (*stream).ctx.cast::<clap_istream>().cast_const();
        match (*real).read {
            Some(read) => checked(read(real, bytes, size), size),
            None => -1,
        }
    }
}

unsafe extern "C" fn state_save(plugin: *const clap_plugin, stream: *const clap_ostream) -> bool {
    // SAFETY: the host's promise; the framework's function with its own data.
    unsafe {
        let save = Guard::of(plugin).and_then(|guard| guard.state.save);
        let ours = clap_ostream {
            ctx: stream.cast_mut().cast(),
            write: Some(write),
        };
        !stream.is_null() && save.is_some_and(|save| save(plugin, &ours))
    }
}

unsafe extern "C" fn state_load(plugin: *const clap_plugin, stream: *const clap_istream) -> bool {
    // SAFETY: the host's promise; the framework's function with its own data.
    unsafe {
        let Some(guard) = Guard::of(plugin) else {
            return false;
        };
        let ours = clap_istream {
            ctx: stream.cast_mut().cast(),
            read: Some(read),
        };
        let loaded = !stream.is_null() && guard.state.load.is_some_and(|load| load(plugin, &ours));
        if !loaded {
            guard.door.mark_refused();
        }
        loaded
    }
}

unsafe extern "C" fn tail_get(plugin: *const clap_plugin) -> u32 {
    // SAFETY: the host's promise.
    unsafe { Guard::of(plugin) }.map_or(0, |guard| guard.door.tail())
}

unsafe extern "C" fn render_is_hard_realtime(_plugin: *const clap_plugin) -> bool {
    false
}

unsafe extern "C" fn render_set(plugin: *const clap_plugin, mode: clap_plugin_render_mode) -> bool {
    // SAFETY: the host's promise; the framework's function with its own data.
    unsafe {
        let Some(guard) = Guard::of(plugin) else {
            return false;
        };
        guard.door.set_offline(mode == CLAP_RENDER_OFFLINE);
        guard.render.set.is_some_and(|set| set(plugin, mode))
    }
}

unsafe extern "C" fn note_ports_count(plugin: *const clap_plugin, is_input: bool) -> u32 {
    // SAFETY: the host's promise; the framework's function with its own data.
    unsafe {
        Guard::of(plugin)
            .and_then(|guard| guard.note_ports?.count)
            .map_or(0, |count| count(plugin, is_input))
    }
}

unsafe extern "C" fn note_ports_get(
    plugin: *const clap_plugin,
    index: u32,
    is_input: bool,
    info: *mut clap_note_port_info,
) -> bool {
    // SAFETY: the host's promise; the framework's function with its own data.
    unsafe {
        let get = Guard::of(plugin).and_then(|guard| guard.note_ports?.get);
        !info.is_null() && get.is_some_and(|get| get(plugin, index, is_input, info))
    }
}

unsafe extern "C" fn voice_info_get(
    plugin: *const clap_plugin,
    info: *mut clap_voice_info,
) -> bool {
    // SAFETY: the host's promise; the framework's function with its own data.
    unsafe {
        let get = Guard::of(plugin).and_then(|guard| guard.voice_info?.get);
        !info.is_null() && get.is_some_and(|get| get(plugin, info))
    }
}

unsafe extern "C" fn remote_controls_count(plugin: *const clap_plugin) -> u32 {
    // SAFETY: the host's promise; the framework's function with its own data.
    unsafe {
        Guard::of(plugin)
            .and_then(|guard| guard.remote_controls?.count)
            .map_or(0, |count| count(plugin))
    }
}

unsafe extern "C" fn remote_controls_get(
    plugin: *const clap_plugin,
    index: u32,
    page: *mut clap_remote_controls_page,
) -> bool {
    // SAFETY: the host's promise; the framework's function with its own data.
    unsafe {
        let get = Guard::of(plugin).and_then(|guard| guard.remote_controls?.get);
        !page.is_null()
            && index < remote_controls_count(plugin)
            && get.is_some_and(|get| get(plugin, index, page))
    }
}

/// Whether a string of the host's is there and names one of `names`.
///
/// # Safety
/// A string that is not null ends with a zero.
pub unsafe fn is_one_of(text: *const c_char, names: &[&CStr]) -> bool {
    // SAFETY: see above.
    !text.is_null() && names.contains(&unsafe { CStr::from_ptr(text) })
}
