//! One guarded plugin: its life from creation to destruction, around the framework's.

use std::ffi::{CStr, c_char, c_void};
use std::ptr::null;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap_sys::events::{clap_input_events, clap_output_events};
use clap_sys::ext::gui::{CLAP_EXT_GUI, clap_plugin_gui};
use clap_sys::ext::note_ports::{CLAP_EXT_NOTE_PORTS, clap_plugin_note_ports};
use clap_sys::ext::params::{CLAP_EXT_PARAMS, clap_plugin_params};
use clap_sys::ext::preset_load::{CLAP_EXT_PRESET_LOAD, CLAP_EXT_PRESET_LOAD_COMPAT};
use clap_sys::ext::remote_controls::{
    CLAP_EXT_REMOTE_CONTROLS, CLAP_EXT_REMOTE_CONTROLS_COMPAT, clap_plugin_remote_controls,
};
use clap_sys::ext::render::{CLAP_EXT_RENDER, clap_plugin_render};
use clap_sys::ext::state::{CLAP_EXT_STATE, clap_plugin_state};
use clap_sys::ext::tail::CLAP_EXT_TAIL;
use clap_sys::ext::voice_info::{CLAP_EXT_VOICE_INFO, clap_plugin_voice_info};
use clap_sys::host::clap_host;
use clap_sys::plugin::clap_plugin;
use clap_sys::process::{CLAP_PROCESS_ERROR, clap_process, clap_process_status};
use nice_plug::prelude::ParamPtr;
use nice_plug::wrapper::clap::Wrapper;
use parking_lot::{Mutex, MutexGuard};

use super::super::sound::LONGEST_PIECE;
use super::events::Event;
use super::host::HostProxy;
use super::process::{self, Audio};
use super::{extensions, gui, presets};
use crate::MirrorNet;
use crate::door::Door;

/// Longest time that a call waits for a host that processes at the same moment.
const PATIENCE: Duration = Duration::from_secs(1);

/// A plugin as the host sees it.
#[repr(C)]
pub struct Guard {
    /// First, so that a pointer to it is one to the guard.
    clap: clap_plugin,
    /// The framework's functions.
    pub inner: clap_plugin,
    pub params: clap_plugin_params,
    pub state: clap_plugin_state,
    pub render: clap_plugin_render,
    pub note_ports: Option<clap_plugin_note_ports>,
    pub voice_info: Option<clap_plugin_voice_info>,
    pub remote_controls: Option<clap_plugin_remote_controls>,
    /// `None` without an editor.
    pub gui: Option<clap_plugin_gui>,
    pub host: Box<HostProxy>,
    pub door: Arc<Door>,
    /// Parameters by their id, in its order.
    parameters: Vec<(u32, ParamPtr)>,
    /// Rows of these parameters in the synth's table; `None` for the plugin's own.
    rows: Vec<Option<usize>>,
    /// `None` while the plugin is not active.
    audio: Mutex<Option<Audio>>,
    /// Whether the host has begun to process since the activation.
    started: AtomicBool,
    /// Whether the host has to be told, on its main thread, of unsaved changes.
    dirty: AtomicBool,
}

/// Makes a plugin for `host`.
///
/// # Safety
/// `host` is a host that outlives the plugin.
pub unsafe fn create(host: *const clap_host) -> *const clap_plugin {
    // SAFETY: see above.
    let host = unsafe { HostProxy::new(host) };
    let door = Arc::new(Door::default());
    // SAFETY: the proxy lives until the wrapper is destroyed.
    let wrapper = door.open(|| unsafe { Wrapper::<MirrorNet>::new(host.as_host()) });
    let mut parameters: Vec<_> = wrapper
        .param_ptr_to_hash
        .iter()
        .map(|(param, id)| (*id, *param))
        .collect();
    parameters.sort_unstable_by_key(|(id, _)| *id);
    let rows = parameters
        .iter()
        .map(|(id, _)| synth::PARAMS.iter().position(|row| id_of(row.id) == *id))
        .collect();
    // The framework's `destroy` takes this reference back.
    let wrapper = Arc::into_raw(wrapper);
    // SAFETY: just made; nobody else knows it.
    let inner = unsafe { *(*wrapper).clap_plugin.as_ptr() };
    // SAFETY: the format fixes the types; the framework has the first three in any case.
    let guard = unsafe {
        Guard {
            clap: clap_plugin {
                desc: super::descriptor().clap_plugin_descriptor(),
                plugin_data: inner.plugin_data,
                init: Some(init),
                destroy: Some(destroy),
                activate: Some(activate),
                deactivate: Some(deactivate),
                start_processing: Some(start_processing),
                stop_processing: Some(stop_processing),
                reset: Some(reset),
                process: Some(process),
                get_extension: Some(get_extension),
                on_main_thread: Some(on_main_thread),
            },
            inner,
            params: extension(&inner, CLAP_EXT_PARAMS).expect("the framework has parameters"),
            state: extension(&inner, CLAP_EXT_STATE).expect("the framework has a state"),
            render: extension(&inner, CLAP_EXT_RENDER).expect("the framework has render modes"),
            note_ports: extension(&inner, CLAP_EXT_NOTE_PORTS),
            voice_info: extension(&inner, CLAP_EXT_VOICE_INFO),
            remote_controls: extension(&inner, CLAP_EXT_REMOTE_CONTROLS),
            gui: extension(&inner, CLAP_EXT_GUI),
            host,
            door,
            parameters,
            rows,
            audio: Mutex::new(None),
            started: AtomicBool::new(false),
            dirty: AtomicBool::new(false),
        }
    };
    Box::into_raw(Box::new(guard)).cast()
}

/// The number by which the framework's CLAP knows a parameter.
fn id_of(id: &str) -> u32 {
    let hash = |h: u32, c: u8| h.wrapping_mul(31).wrapping_add(c.into());
    id.bytes().fold(0, hash) & !(1 << 31)
}

/// A copy of the framework's extension `id`, whose type is `T`.
unsafe fn extension<T: Copy>(inner: &clap_plugin, id: &CStr) -> Option<T> {
    // SAFETY: the format fixes the type.
    unsafe {
        let get = inner.get_extension?;
        get(inner, id.as_ptr()).cast::<T>().as_ref().copied()
    }
}

impl Guard {
    /// The guard of a plugin of ours; `None` for a null pointer.
    ///
    /// # Safety
    /// A plugin that is not null is one of [`create`], not yet destroyed.
    pub unsafe fn of<'a>(plugin: *const clap_plugin) -> Option<&'a Self> {
        // SAFETY: see above; the plugin is the guard's first field.
        unsafe { plugin.cast::<Self>().as_ref() }
    }

    /// The plugin as the host sees it.
    pub fn plugin(&self) -> *const clap_plugin {
        (&raw const *self).cast()
    }

    /// The audio thread's part, unless the host processes at the same moment for too long.
    fn audio(&self) -> Option<MutexGuard<'_, Option<Audio>>> {
        self.audio.try_lock_for(PATIENCE)
    }

    fn index_of(&self, id: u32) -> Option<usize> {
        self.parameters
            .binary_search_by_key(&id, |(id, _)| *id)
            .ok()
    }

    /// A parameter by its id.
    pub fn parameter(&self, id: u32) -> Option<ParamPtr> {
        self.index_of(id).map(|k| self.parameters[k].1)
    }

    /// Brings a parameter's new value into its range, and tells the instance of its modulation.
    pub fn take_in(&self, event: &mut Event) {
        if let Some((id, value)) = event.value()
            && let Some(param) = self.parameter(id)
        {
            // SAFETY: parameters live as long as the wrapper.
            let steps = unsafe { param.step_count() }.unwrap_or(1);
            // NaN stays, and is ignored.
            *value = value.clamp(0.0, steps as f64);
        }
        let Some(modulation) = event.modulation() else {
            return;
        };
        let index = self.index_of(modulation.param_id);
        // SAFETY: parameters live as long as the wrapper.
        let (steps, by_note) = index.map_or((None, None), |k| unsafe {
            let param = self.parameters[k].1;
            (param.step_count(), param.poly_modulation_id())
        });
        if modulation.note_id == -1 {
            let row = index.and_then(|k| self.rows[k]);
            if let Some(row) = row.filter(|_| modulation.amount.is_finite()) {
                let steps = steps.unwrap_or(1) as f64;
                self.door
                    .set_modulation(row, (modulation.amount / steps) as f32);
            }
        } else if by_note.is_none() || modulation.note_id < 0 {
            // One note's is not all notes', which the framework would make of it; of a parameter
            // that it doesn't know it takes no notice.
            modulation.note_id = -1;
            modulation.param_id = u32::MAX;
        }
    }

    /// Lets the framework process a block whose pointers are all valid.
    pub fn process_inner(&self, block: &clap_process) -> clap_process_status {
        // SAFETY: the framework's function with its own data.
        match self.inner.process {
            Some(process) => unsafe { process(self.plugin(), block) },
            None => CLAP_PROCESS_ERROR,
        }
    }

    /// Lets the framework read parameter values from `input` and report its own to `output`; both
    /// may be null.
    pub fn flush_inner(&self, input: *const clap_input_events, output: *const clap_output_events) {
        if let Some(flush) = self.params.flush {
            // SAFETY: the framework's function with its own data.
            unsafe { flush(self.plugin(), input, output) };
        }
    }

    /// Asks the host for a callback on the main thread if something changed that a project saves.
    pub fn pass_on_changes(&self) {
        if self.door.take_changed() {
            self.dirty.store(true, Ordering::Release);
            self.host.request_callback();
        }
    }

    /// Lets `use_audio` work while nothing is processed; it gets `None` while the plugin is not
    /// active. Not called when the host processes at the same moment for too long.
    pub fn between_blocks<R>(&self, use_audio: impl FnOnce(Option<&mut Audio>) -> R) -> Option<R> {
        self.audio().map(|mut audio| use_audio(audio.as_mut()))
    }
}

unsafe extern "C" fn init(plugin: *const clap_plugin) -> bool {
    // SAFETY: the host's promise.
    unsafe {
        let Some(guard) = Guard::of(plugin) else {
            return false;
        };
        guard.host.query();
        guard.inner.init.is_some_and(|init| init(plugin))
    }
}

unsafe extern "C" fn destroy(plugin: *const clap_plugin) {
    if plugin.is_null() {
        return;
    }
    // SAFETY: made by `create`; the host doesn't use it any more.
    unsafe {
        deactivate(plugin);
        let guard = Box::from_raw(plugin.cast::<Guard>().cast_mut());
        if let Some(destroy) = guard.inner.destroy {
            destroy(guard.plugin());
        }
    }
}

unsafe extern "C" fn activate(
    plugin: *const clap_plugin,
    rate: f64,
    shortest: u32,
    longest: u32,
) -> bool {
    // SAFETY: the host's promise.
    let Some(guard) = (unsafe { Guard::of(plugin) }) else {
        return false;
    };
    // As single precision too, which the framework goes on with.
    if !(rate as f32 > 0.0 && (rate as f32).is_finite()) {
        return false;
    }
    let (Some(mut audio), Some(activate)) = (guard.audio(), guard.inner.activate) else {
        return false;
    };
    let longest = (longest as usize).clamp(1, LONGEST_PIECE);
    let shortest = shortest.clamp(1, longest as u32);
    guard.started.store(false, Ordering::Release);
    // SAFETY: the framework's function with its own data.
    let active = unsafe { activate(plugin, rate, shortest, longest as u32) };
    *audio = active.then(|| Audio::new(rate, longest));
    active
}

unsafe extern "C" fn deactivate(plugin: *const clap_plugin) {
    // SAFETY: the host's promise.
    let Some(guard) = (unsafe { Guard::of(plugin) }) else {
        return;
    };
    let Some(mut audio) = guard.audio() else {
        return;
    };
    if audio.take().is_some()
        && let Some(deactivate) = guard.inner.deactivate
    {
        // SAFETY: the framework's function with its own data.
        unsafe { deactivate(plugin) };
    }
}

unsafe extern "C" fn start_processing(plugin: *const clap_plugin) -> bool {
    // SAFETY: the host's promise.
    let Some(guard) = (unsafe { Guard::of(plugin) }) else {
        return false;
    };
    let started = guard.between_blocks(|audio| {
        let (Some(_), Some(start)) = (audio, guard.inner.start_processing) else {
            return false;
        };
        // The framework resets the instance here, which the format keeps for `reset`: a host that
        // stops between blocks would hear nothing at all.
        let resuming = guard.started.swap(true, Ordering::AcqRel);
        guard.door.set_resuming(resuming);
        // SAFETY: the framework's function with its own data.
        let started = unsafe { start(plugin) };
        guard.door.set_resuming(false);
        started
    });
    started.unwrap_or(false)
}

unsafe extern "C" fn stop_processing(plugin: *const clap_plugin) {
    // SAFETY: the host's promise; the framework's function with its own data.
    unsafe {
        if let Some(guard) = Guard::of(plugin)
            && let Some(stop) = guard.inner.stop_processing
        {
            guard.between_blocks(|_| stop(plugin));
        }
    }
}

unsafe extern "C" fn reset(plugin: *const clap_plugin) {
    // SAFETY: the host's promise; the framework's function with its own data.
    unsafe {
        if let Some(guard) = Guard::of(plugin)
            && let Some(reset) = guard.inner.reset
        {
            guard.between_blocks(|audio| {
                if let Some(audio) = audio {
                    audio.reset();
                }
                reset(plugin);
            });
        }
    }
}

unsafe extern "C" fn process(
    plugin: *const clap_plugin,
    block: *const clap_process,
) -> clap_process_status {
    // SAFETY: the host's promise.
    let (Some(guard), Some(block)) = (unsafe { (Guard::of(plugin), block.as_ref()) }) else {
        return CLAP_PROCESS_ERROR;
    };
    // SAFETY: the host's promise.
    unsafe {
        match guard.audio.try_lock().as_deref_mut() {
            Some(Some(audio)) => return audio.process(guard, block),
            // Not active: only parameters can change.
            Some(None) => extensions::flush_parameters(guard, block.in_events, block.out_events),
            // Processed twice at the same moment, or while it is (de)activated.
            None => {}
        }
        process::silence(block);
    }
    CLAP_PROCESS_ERROR
}

unsafe extern "C" fn get_extension(plugin: *const clap_plugin, id: *const c_char) -> *const c_void {
    // SAFETY: the host's promise.
    let (Some(guard), false) = (unsafe { Guard::of(plugin) }, id.is_null()) else {
        return null();
    };
    // SAFETY: a string of the host's.
    let name = unsafe { CStr::from_ptr(id) };
    if name == CLAP_EXT_PARAMS {
        (&raw const extensions::PARAMS).cast()
    } else if name == CLAP_EXT_STATE {
        (&raw const extensions::STATE).cast()
    } else if name == CLAP_EXT_TAIL {
        (&raw const extensions::TAIL).cast()
    } else if name == CLAP_EXT_RENDER {
        (&raw const extensions::RENDER).cast()
    } else if name == CLAP_EXT_NOTE_PORTS {
        (&raw const extensions::NOTE_PORTS).cast()
    } else if name == CLAP_EXT_VOICE_INFO {
        (&raw const extensions::VOICE_INFO).cast()
    } else if [CLAP_EXT_REMOTE_CONTROLS, CLAP_EXT_REMOTE_CONTROLS_COMPAT].contains(&name) {
        (&raw const extensions::REMOTE_CONTROLS).cast()
    } else if [CLAP_EXT_PRESET_LOAD, CLAP_EXT_PRESET_LOAD_COMPAT].contains(&name) {
        (&raw const presets::PRESET_LOAD).cast()
    } else if name == CLAP_EXT_GUI {
        match guard.gui {
            Some(_) => (&raw const gui::GUI).cast(),
            None => null(),
        }
    } else {
        // SAFETY: the framework's function with its own data.
        match guard.inner.get_extension {
            Some(get) => unsafe { get(plugin, id) },
            None => null(),
        }
    }
}

unsafe extern "C" fn on_main_thread(plugin: *const clap_plugin) {
    // SAFETY: the host's promise; the framework's function with its own data.
    unsafe {
        let Some(guard) = Guard::of(plugin) else {
            return;
        };
        if guard.dirty.swap(false, Ordering::AcqRel) | guard.door.take_changed() {
            guard.host.mark_dirty();
        }
        if let Some(call) = guard.inner.on_main_thread {
            call(plugin);
        }
    }
}
