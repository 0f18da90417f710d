//! A CLAP host that gives exactly what a test says.

use std::ffi::{CStr, c_char, c_void};
use std::mem::size_of;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicU32, Ordering};

use clap_sys::audio_buffer::clap_audio_buffer;
use clap_sys::events::*;
use clap_sys::ext::params::{CLAP_EXT_PARAMS, clap_param_info, clap_plugin_params};
use clap_sys::ext::render::{
    CLAP_EXT_RENDER, CLAP_RENDER_OFFLINE, CLAP_RENDER_REALTIME, clap_plugin_render,
};
use clap_sys::ext::state::{CLAP_EXT_STATE, clap_plugin_state};
use clap_sys::factory::plugin_factory::{CLAP_PLUGIN_FACTORY_ID, clap_plugin_factory};
use clap_sys::host::clap_host;
use clap_sys::plugin::clap_plugin;
use clap_sys::process::{clap_process, clap_process_status};
use clap_sys::stream::{clap_istream, clap_ostream};
use clap_sys::version::CLAP_VERSION;
use nice_assert_no_alloc::assert_no_alloc;

use crate::memory::Fenced;
use crate::{LONGEST, RATE, without_engine};

/// A host without any extension.
static HOST: clap_host = clap_host {
    clap_version: CLAP_VERSION,
    host_data: null_mut(),
    name: c"careless".as_ptr(),
    vendor: c"".as_ptr(),
    url: c"".as_ptr(),
    version: c"0".as_ptr(),
    get_extension: Some(no_extension),
    request_restart: Some(request),
    request_process: Some(request),
    request_callback: Some(request),
};

unsafe extern "C" fn no_extension(_: *const clap_host, _: *const c_char) -> *const c_void {
    null()
}

unsafe extern "C" fn request(_: *const clap_host) {}

/// A plugin in its host.
pub struct Plugin {
    pub raw: *const clap_plugin,
}

/// Calls a function of the plugin's.
macro_rules! call {
    ($object:expr, $function:ident $(, $arg:expr)*) => {
        // SAFETY: the test decides.
        unsafe { ((*$object).$function.expect("the plugin has it"))($($arg),*) }
    };
}
pub(crate) use call;

impl Plugin {
    /// A plugin that is not yet active.
    pub fn new() -> Self {
        Self::within(&HOST)
    }

    /// A plugin in another host, which outlives it.
    pub fn within(host: *const clap_host) -> Self {
        without_engine();
        let entry = &raw const plugin::clap_entry;
        assert!(call!(entry, init, c"".as_ptr()));
        let factory: *const clap_plugin_factory =
            call!(entry, get_factory, CLAP_PLUGIN_FACTORY_ID.as_ptr()).cast();
        let descriptor = call!(factory, get_plugin_descriptor, factory, 0);
        // SAFETY: the plugin's descriptor.
        let id = unsafe { (*descriptor).id };
        let raw = call!(factory, create_plugin, factory, host, id);
        assert!(!raw.is_null());
        assert!(call!(raw, init, raw));
        Self { raw }
    }

    /// A plugin that processes, at [`RATE`] in blocks of at most [`LONGEST`].
    pub fn started() -> Self {
        Self::at(RATE)
    }

    /// A plugin that processes at `rate` Hz.
    pub fn at(rate: f64) -> Self {
        let plugin = Self::new();
        plugin.start(rate);
        plugin
    }

    pub fn start(&self, rate: f64) {
        assert!(call!(self.raw, activate, self.raw, rate, 1, LONGEST as u32));
        assert!(call!(self.raw, start_processing, self.raw));
    }

    pub fn extension<T>(&self, id: &CStr) -> &T {
        let table = call!(self.raw, get_extension, self.raw, id.as_ptr());
        // SAFETY: the format fixes the type.
        unsafe { table.cast::<T>().as_ref() }.expect("the plugin has it")
    }

    pub fn params(&self) -> &clap_plugin_params {
        self.extension(CLAP_EXT_PARAMS)
    }

    /// The id and the range of the parameter named `name`.
    pub fn param(&self, name: &str) -> clap_param_info {
        let params = self.params();
        for k in 0..call!(params, count, self.raw) {
            // SAFETY: all bits may be zero.
            let mut info: clap_param_info = unsafe { std::mem::zeroed() };
            assert!(call!(params, get_info, self.raw, k, &mut info));
            // SAFETY: a string of the plugin's.
            if unsafe { CStr::from_ptr(info.name.as_ptr()) }.to_bytes() == name.as_bytes() {
                return info;
            }
        }
        panic!("no parameter {name}");
    }

    pub fn value(&self, id: u32) -> f64 {
        let mut value = f64::NAN;
        assert!(call!(self.params(), get_value, self.raw, id, &mut value));
        value
    }

    /// Renders offline from the next activation on.
    pub fn set_offline(&self) {
        self.set_mode(true);
    }

    pub fn set_mode(&self, offline: bool) {
        let render: &clap_plugin_render = self.extension(CLAP_EXT_RENDER);
        let mode = match offline {
            true => CLAP_RENDER_OFFLINE,
            false => CLAP_RENDER_REALTIME,
        };
        assert!(call!(render, set, self.raw, mode));
    }

    pub fn reset(&self) {
        call!(self.raw, reset, self.raw);
    }

    pub fn stop(&self) {
        call!(self.raw, stop_processing, self.raw);
        call!(self.raw, deactivate, self.raw);
    }

    /// The state, of which the stream takes at most `piece` bytes at a time.
    pub fn state(&self, piece: usize) -> Vec<u8> {
        unsafe extern "C" fn write(
            stream: *const clap_ostream,
            bytes: *const c_void,
            size: u64,
        ) -> i64 {
            // SAFETY: a stream of this function's, and as many bytes as the plugin says.
            unsafe {
                let (to, piece) = &mut *(*stream).ctx.cast::<(Vec<u8>, usize)>();
                let size = (size as usize).min(*piece);
                to.extend_from_slice(std::slice::from_raw_parts(bytes.cast(), size));
                size as i64
            }
        }
        let mut to = (Vec::<u8>::new(), piece);
        let stream = clap_ostream {
            ctx: (&raw mut to).cast(),
            write: Some(write),
        };
        let state: &clap_plugin_state = self.extension(CLAP_EXT_STATE);
        assert!(call!(state, save, self.raw, &stream));
        to.0
    }

    /// Restores a state; returns whether the plugin took it.
    pub fn load(&self, bytes: &[u8]) -> bool {
        unsafe extern "C" fn read(
            stream: *const clap_istream,
            bytes: *mut c_void,
            size: u64,
        ) -> i64 {
            // SAFETY: a stream of this function's, and room for as many bytes as the plugin says.
            unsafe {
                let from = &mut *(*stream).ctx.cast::<&[u8]>();
                let (now, later) = from.split_at(from.len().min(size as usize));
                std::ptr::copy_nonoverlapping(now.as_ptr(), bytes.cast(), now.len());
                *from = later;
                now.len() as i64
            }
        }
        let mut from = bytes;
        let stream = clap_istream {
            ctx: (&raw mut from).cast(),
            read: Some(read),
        };
        let state: &clap_plugin_state = self.extension(CLAP_EXT_STATE);
        call!(state, load, self.raw, &stream)
    }

    /// Processes a block into a stereo output, with `events` and without a sidechain.
    pub fn block(&self, frames: usize, events: &Events) -> Vec<f32> {
        let output = Port::stereo(frames);
        self.process(&Call {
            frames,
            output: Some(&output),
            events,
            ..Call::default()
        });
        output.samples(0)
    }

    pub fn process(&self, block: &Call) -> clap_process_status {
        let count = block.input_count.unwrap_or(block.input.is_some() as u32);
        let input = block.input.map_or(null_mut(), |port| port.raw.as_ptr());
        self.process_raw(block, (input, count))
    }

    /// Processes a block with other inputs than its own.
    pub fn process_raw(
        &self,
        block: &Call,
        (inputs, input_count): (*const clap_audio_buffer, u32),
    ) -> clap_process_status {
        let list = block.events.as_list();
        let received = (AtomicU32::new(0), block.frames as u32);
        let out = clap_output_events {
            ctx: (&raw const received).cast_mut().cast(),
            try_push: Some(try_push),
        };
        let process = clap_process {
            steady_time: -1,
            frames_count: block.frames as u32,
            transport: null(),
            audio_inputs: inputs,
            audio_outputs: block.output.map_or(null_mut(), |port| port.raw.as_ptr()),
            audio_inputs_count: input_count,
            audio_outputs_count: block.output.is_some() as u32,
            in_events: &list,
            out_events: &out,
        };
        let status = assert_no_alloc(|| call!(self.raw, process, self.raw, &process));
        for port in [block.input, block.output].into_iter().flatten() {
            port.check();
        }
        status
    }
}

impl Drop for Plugin {
    fn drop(&mut self) {
        call!(self.raw, stop_processing, self.raw);
        call!(self.raw, deactivate, self.raw);
        call!(self.raw, destroy, self.raw);
    }
}

unsafe extern "C" fn try_push(
    list: *const clap_output_events,
    event: *const clap_event_header,
) -> bool {
    // SAFETY: `Plugin::process`'s list.
    unsafe {
        let (count, frames) = &*(*list).ctx.cast::<(AtomicU32, u32)>();
        count.fetch_add(1, Ordering::Relaxed);
        assert!((*event).time < (*frames).max(1), "an event after the block");
    }
    true
}

/// A block to process.
pub struct Call<'a> {
    pub frames: usize,
    pub input: Option<&'a Port>,
    /// Number of inputs, where it is not that of `input`.
    pub input_count: Option<u32>,
    pub output: Option<&'a Port>,
    pub events: &'a Events,
}

impl Default for Call<'_> {
    fn default() -> Self {
        static NONE: Events = Events { events: Vec::new() };
        Self {
            frames: 0,
            input: None,
            input_count: None,
            output: None,
            events: &NONE,
        }
    }
}

/// An audio port with its buffers.
pub struct Port {
    pub raw: Fenced<clap_audio_buffer>,
    _list: Fenced<*mut f32>,
    buffers: Vec<Option<Fenced<f32>>>,
}

impl Port {
    /// A port of the buffers; `None` is a null pointer.
    pub fn new(buffers: Vec<Option<Fenced<f32>>>) -> Self {
        let pointers: Vec<_> = buffers
            .iter()
            .map(|b| b.as_ref().map_or(null_mut(), Fenced::as_ptr))
            .collect();
        let list = Fenced::of(&pointers);
        let raw = Fenced::of(&[clap_audio_buffer {
            data32: list.as_ptr(),
            data64: null_mut(),
            channel_count: buffers.len() as u32,
            latency: 0,
            constant_mask: 0,
        }]);
        Self {
            raw,
            _list: list,
            buffers,
        }
    }

    /// A port of `count` channels filled with something.
    pub fn filled(count: usize, frames: usize) -> Self {
        Self::new((0..count).map(|_| Some(Fenced::new(0.7, frames))).collect())
    }

    pub fn stereo(frames: usize) -> Self {
        Self::filled(2, frames)
    }

    /// A port that says it has two channels, and has no list of them.
    pub fn without_list() -> Self {
        let port = Self::new(vec![None, None]);
        // SAFETY: the port's own.
        unsafe { (*port.raw.as_ptr()).data32 = null_mut() };
        port
    }

    pub fn samples(&self, channel: usize) -> Vec<f32> {
        self.buffers[channel]
            .as_ref()
            .expect("a buffer")
            .values()
            .to_vec()
    }

    fn check(&self) {
        self.buffers.iter().flatten().for_each(Fenced::check);
    }
}

/// A list of events.
#[derive(Clone, Default)]
pub struct Events {
    events: Vec<Box<[u64]>>,
}

// SAFETY: plain bytes.
unsafe impl Sync for Events {}

fn header<T>(type_: u16, time: u32) -> clap_event_header {
    clap_event_header {
        size: size_of::<T>() as u32,
        time,
        space_id: CLAP_CORE_EVENT_SPACE_ID,
        type_,
        flags: 0,
    }
}

impl Events {
    pub fn push<T: Copy>(&mut self, event: T) {
        let mut bytes = vec![0u64; size_of::<T>().div_ceil(8)].into_boxed_slice();
        // SAFETY: room enough; events are aligned to at most 8.
        unsafe { bytes.as_mut_ptr().cast::<T>().write(event) };
        self.events.push(bytes);
    }

    pub fn note(mut self, type_: u16, time: u32, key: i16) -> Self {
        self.push(clap_event_note {
            header: header::<clap_event_note>(type_, time),
            note_id: -1,
            port_index: 0,
            channel: 0,
            key,
            velocity: 0.9,
        });
        self
    }

    pub fn on(self, time: u32, key: i16) -> Self {
        self.note(CLAP_EVENT_NOTE_ON, time, key)
    }

    pub fn off(self, time: u32, key: i16) -> Self {
        self.note(CLAP_EVENT_NOTE_OFF, time, key)
    }

    pub fn param(mut self, time: u32, id: u32, value: f64) -> Self {
        self.push(clap_event_param_value {
            header: header::<clap_event_param_value>(CLAP_EVENT_PARAM_VALUE, time),
            param_id: id,
            cookie: null_mut(),
            note_id: -1,
            port_index: -1,
            channel: -1,
            key: -1,
            value,
        });
        self
    }

    pub fn midi(mut self, time: u32, data: [u8; 3]) -> Self {
        self.push(clap_event_midi {
            header: header::<clap_event_midi>(CLAP_EVENT_MIDI, time),
            port_index: 0,
            data,
        });
        self
    }

    /// A note that the host names.
    pub fn named(mut self, time: u32, key: i16, note_id: i32) -> Self {
        self.push(clap_event_note {
            header: header::<clap_event_note>(CLAP_EVENT_NOTE_ON, time),
            note_id,
            port_index: 0,
            channel: 0,
            key,
            velocity: 0.9,
        });
        self
    }

    /// Modulation of all notes.
    pub fn modulation(self, time: u32, id: u32, amount: f64) -> Self {
        self.note_modulation(time, id, -1, amount)
    }

    pub fn note_modulation(mut self, time: u32, id: u32, note_id: i32, amount: f64) -> Self {
        self.push(clap_event_param_mod {
            header: header::<clap_event_param_mod>(CLAP_EVENT_PARAM_MOD, time),
            param_id: id,
            cookie: null_mut(),
            note_id,
            port_index: -1,
            channel: -1,
            key: -1,
            amount,
        });
        self
    }

    pub fn volume(mut self, time: u32, key: i16, value: f64) -> Self {
        self.push(clap_event_note_expression {
            header: header::<clap_event_note_expression>(CLAP_EVENT_NOTE_EXPRESSION, time),
            expression_id: CLAP_NOTE_EXPRESSION_VOLUME,
            note_id: -1,
            port_index: 0,
            channel: 0,
            key,
            value,
        });
        self
    }

    pub fn tempo(mut self, time: u32, tempo: f64) -> Self {
        // SAFETY: all bits may be zero.
        let mut event: clap_event_transport = unsafe { std::mem::zeroed() };
        event.header = header::<clap_event_transport>(CLAP_EVENT_TRANSPORT, time);
        event.flags = CLAP_TRANSPORT_HAS_TEMPO | CLAP_TRANSPORT_IS_PLAYING;
        event.tempo = tempo;
        self.push(event);
        self
    }

    pub fn sysex(mut self, buffer: *const u8, size: u32) -> Self {
        self.push(clap_event_midi_sysex {
            header: header::<clap_event_midi_sysex>(CLAP_EVENT_MIDI_SYSEX, 0),
            port_index: 0,
            buffer,
            size,
        });
        self
    }

    fn as_list(&self) -> clap_input_events {
        unsafe extern "C" fn size(list: *const clap_input_events) -> u32 {
            // SAFETY: `as_list`'s.
            unsafe { (*(*list).ctx.cast::<Events>()).events.len() as u32 }
        }
        unsafe extern "C" fn get(
            list: *const clap_input_events,
            index: u32,
        ) -> *const clap_event_header {
            // SAFETY: `as_list`'s.
            let events = unsafe { &(*(*list).ctx.cast::<Events>()).events };
            match events.get(index as usize) {
                // An empty one stands for a null pointer.
                Some(event) if !event.is_empty() => event.as_ptr().cast(),
                _ => null(),
            }
        }
        clap_input_events {
            ctx: (&raw const *self).cast_mut().cast(),
            size: Some(size),
            get: Some(get),
        }
    }
}
