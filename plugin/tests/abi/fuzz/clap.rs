//! Rounds in CLAP.

use std::ffi::{c_char, c_void};
use std::mem::{size_of, zeroed};
use std::ptr::{null, null_mut};

use clap_sys::audio_buffer::clap_audio_buffer;
use clap_sys::events::*;
use clap_sys::ext::audio_ports::{CLAP_EXT_AUDIO_PORTS, clap_plugin_audio_ports};
use clap_sys::ext::audio_ports_config::{
    CLAP_EXT_AUDIO_PORTS_CONFIG, clap_plugin_audio_ports_config,
};
use clap_sys::ext::gui::{CLAP_EXT_GUI, clap_plugin_gui};
use clap_sys::ext::latency::{CLAP_EXT_LATENCY, clap_plugin_latency};
use clap_sys::ext::note_ports::{CLAP_EXT_NOTE_PORTS, clap_plugin_note_ports};
use clap_sys::ext::remote_controls::{CLAP_EXT_REMOTE_CONTROLS, clap_plugin_remote_controls};
use clap_sys::ext::render::{CLAP_EXT_RENDER, clap_plugin_render};
use clap_sys::ext::state::{CLAP_EXT_STATE, clap_plugin_state};
use clap_sys::ext::tail::{CLAP_EXT_TAIL, clap_plugin_tail};
use clap_sys::ext::voice_info::{CLAP_EXT_VOICE_INFO, clap_plugin_voice_info};
use clap_sys::process::clap_process;
use clap_sys::stream::{clap_istream, clap_ostream};
use nice_assert_no_alloc::assert_no_alloc;

use super::{CALLS, Channels, Round};
use crate::clap_host::{Plugin, call};
use crate::memory::Fenced;

/// A plugin on its way through a round.
struct Run {
    plugin: Plugin,
    ids: Vec<u32>,
    longest: usize,
    /// Whether the last activation worked: only then are samples looked at.
    active: bool,
    state: Vec<u8>,
}

pub fn round(round: &mut Round) {
    round.begin_call();
    let plugin = Plugin::new();
    let params = plugin.params();
    let ids = (0..call!(params, count, plugin.raw))
        .map(|k| {
            // SAFETY: all bits may be zero.
            let mut info = unsafe { zeroed() };
            assert!(call!(params, get_info, plugin.raw, k, &mut info));
            info.id
        })
        .collect();
    let state = plugin.state(1 << 20);
    let mut run = Run {
        plugin,
        ids,
        longest: 64,
        active: false,
        state,
    };
    for k in 0..CALLS {
        round.begin_call();
        // Most rounds begin as they should.
        if k == 0 && round.chance(0.8) {
            run.activate(round);
            call!(run.plugin.raw, start_processing, run.plugin.raw);
            continue;
        }
        run.call(round);
    }
    round.begin_call();
}

impl Run {
    fn activate(&mut self, round: &mut Round) {
        let (rate, longest) = (round.rate(), 1 + round.below(2_000));
        let shortest = round.below(3_000);
        let raw = self.plugin.raw;
        self.active = call!(raw, activate, raw, rate, shortest, longest);
        self.longest = longest as usize;
    }

    fn id(&mut self, round: &mut Round) -> u32 {
        match round.chance(0.8) {
            true => round.pick(&self.ids),
            false => round.int() as u32,
        }
    }

    fn call(&mut self, round: &mut Round) {
        let raw = self.plugin.raw;
        match round.below(40) {
            0 => self.activate(round),
            1 => {
                call!(raw, deactivate, raw);
                self.active = false;
            }
            2 => _ = call!(raw, start_processing, raw),
            3 => call!(raw, stop_processing, raw),
            4 => call!(raw, reset, raw),
            5 => call!(raw, on_main_thread, raw),
            6 => _ = call!(raw, process, raw, null()),
            7 | 8 => self.flush(round),
            9 => self.values(round),
            10 => self.save(round),
            11 => self.load(round),
            12 => self.ports(round),
            13 => self.editor(round),
            14 => {
                let render: &clap_plugin_render = self.plugin.extension(CLAP_EXT_RENDER);
                let mode = round.int();
                call!(render, set, raw, mode);
                let tail: &clap_plugin_tail = self.plugin.extension(CLAP_EXT_TAIL);
                call!(tail, get, raw);
                let latency: &clap_plugin_latency = self.plugin.extension(CLAP_EXT_LATENCY);
                call!(latency, get, raw);
                call!(raw, get_extension, raw, null());
                call!(raw, get_extension, raw, c"no.such/1".as_ptr());
            }
            _ => self.process(round),
        }
    }

    fn process(&mut self, round: &mut Round) {
        let frames = round.frames(self.longest);
        let (input, output) = (Channels::new(round, frames), Channels::new(round, frames));
        let mut port = |channels: &Channels| {
            let port = clap_audio_buffer {
                data32: channels.pointer(),
                data64: null_mut(),
                channel_count: channels.buffers.len() as u32,
                latency: round.int() as u32,
                constant_mask: 0,
            };
            (!round.chance(0.1)).then(|| Fenced::of(&[port]))
        };
        let (inputs, outputs) = (port(&input), port(&output));
        let given = round.chance(0.9);
        let events = List::new(round, self, frames);
        let list = events.as_list(round);
        let out = out_list(round);
        // SAFETY: all bits may be zero.
        let mut transport: clap_event_transport = unsafe { zeroed() };
        transport.flags = round.int() as u32;
        transport.tempo = round.number();
        transport.song_pos_beats = i64::from(round.int()) << round.below(32);
        let process = clap_process {
            steady_time: i64::from(round.int()),
            frames_count: frames as u32,
            transport: if round.chance(0.5) {
                &transport
            } else {
                null()
            },
            audio_inputs: inputs
                .as_ref()
                .map_or(null(), |port| port.as_ptr().cast_const()),
            audio_outputs: outputs.as_ref().map_or(null_mut(), Fenced::as_ptr),
            audio_inputs_count: (inputs.is_some() && round.chance(0.9)) as u32,
            audio_outputs_count: (outputs.is_some() && given) as u32,
            in_events: if round.chance(0.9) { &list } else { null() },
            out_events: if round.chance(0.8) { &out } else { null() },
        };
        assert_no_alloc(|| call!(self.plugin.raw, process, self.plugin.raw, &process));
        input.check(false);
        output.check(outputs.is_some() && given);
    }

    fn flush(&mut self, round: &mut Round) {
        let events = List::new(round, self, 64);
        let (list, out) = (events.as_list(round), out_list(round));
        let list = if round.chance(0.9) { &list } else { null() };
        let out = if round.chance(0.9) { &out } else { null() };
        call!(self.plugin.params(), flush, self.plugin.raw, list, out);
    }

    fn values(&mut self, round: &mut Round) {
        let (raw, id, value) = (self.plugin.raw, self.id(round), round.number());
        let params = self.plugin.params();
        let size = round.below(40);
        let text = Fenced::<c_char>::new(1, size.max(1) as usize);
        let buffer = if round.chance(0.9) {
            text.as_ptr()
        } else {
            null_mut()
        };
        if call!(params, value_to_text, raw, id, value, buffer, size) {
            let mut back = 0.0;
            call!(params, text_to_value, raw, id, buffer, &mut back);
            call!(params, text_to_value, raw, id, buffer, null_mut());
        }
        text.check();
        let mut back = 0.0;
        if call!(params, get_value, raw, id, &mut back) {
            assert!(back.is_finite(), "parameter {id} is {back}");
        }
        call!(params, get_value, raw, id, null_mut());
        call!(params, text_to_value, raw, id, null(), &mut back);
        // SAFETY: all bits may be zero.
        let mut info = unsafe { zeroed() };
        let index = self.ids.len() as u32 + round.below(3);
        assert!(!call!(params, get_info, raw, index, &mut info));
        call!(params, get_info, raw, 0, null_mut());
    }

    fn save(&mut self, round: &mut Round) {
        unsafe extern "C" fn write(
            stream: *const clap_ostream,
            bytes: *const c_void,
            size: u64,
        ) -> i64 {
            // SAFETY: the round's stream, and as many bytes as the plugin says.
            unsafe {
                let (to, piece, room) = &mut *(*stream).ctx.cast::<(Vec<u8>, u64, u64)>();
                let size = size.min(*piece).min(*room);
                *room -= size;
                to.extend_from_slice(std::slice::from_raw_parts(bytes.cast(), size as usize));
                size as i64
            }
        }
        let piece = round.pick(&[1, 23, 1 << 20]);
        let room = round.pick(&[0, 100, u64::MAX, u64::MAX]);
        let mut to = (Vec::<u8>::new(), piece, room);
        let stream = clap_ostream {
            ctx: (&raw mut to).cast(),
            write: round.chance(0.9).then_some(write),
        };
        let stream = if round.chance(0.9) {
            &raw const stream
        } else {
            null()
        };
        let state: &clap_plugin_state = self.plugin.extension(CLAP_EXT_STATE);
        if call!(state, save, self.plugin.raw, stream) {
            self.state = to.0;
        }
    }

    fn load(&mut self, round: &mut Round) {
        unsafe extern "C" fn read(
            stream: *const clap_istream,
            bytes: *mut c_void,
            size: u64,
        ) -> i64 {
            // SAFETY: the round's stream, and room for as many bytes as the plugin says.
            unsafe {
                let (from, piece) = &mut *(*stream).ctx.cast::<(&[u8], usize)>();
                let size = (size as usize).min(*piece).min(from.len());
                bytes
                    .cast::<u8>()
                    .copy_from_nonoverlapping(from.as_ptr(), size);
                *from = &from[size..];
                size as i64
            }
        }
        let bytes = round.mangled(self.state.clone());
        let mut from = (&bytes[..], round.pick(&[1, 23, 1 << 20]));
        let stream = clap_istream {
            ctx: (&raw mut from).cast(),
            read: round.chance(0.9).then_some(read),
        };
        let stream = if round.chance(0.9) {
            &raw const stream
        } else {
            null()
        };
        let state: &clap_plugin_state = self.plugin.extension(CLAP_EXT_STATE);
        call!(state, load, self.plugin.raw, stream);
    }

    fn ports(&mut self, round: &mut Round) {
        let (raw, index, is_input) = (self.plugin.raw, round.int() as u32, round.chance(0.5));
        let ports: &clap_plugin_audio_ports = self.plugin.extension(CLAP_EXT_AUDIO_PORTS);
        // SAFETY: all bits may be zero.
        let mut info = unsafe { zeroed() };
        call!(ports, get, raw, index, is_input, &mut info);
        call!(ports, get, raw, 0, is_input, null_mut());
        let ports: &clap_plugin_note_ports = self.plugin.extension(CLAP_EXT_NOTE_PORTS);
        // SAFETY: all bits may be zero.
        let mut info = unsafe { zeroed() };
        call!(ports, get, raw, index, is_input, &mut info);
        call!(ports, get, raw, 0, is_input, null_mut());
        let voices: &clap_plugin_voice_info = self.plugin.extension(CLAP_EXT_VOICE_INFO);
        call!(voices, get, raw, null_mut());
        let config: &clap_plugin_audio_ports_config =
            self.plugin.extension(CLAP_EXT_AUDIO_PORTS_CONFIG);
        call!(config, get, raw, index, null_mut());
        call!(config, select, raw, index);
        let pages: &clap_plugin_remote_controls = self.plugin.extension(CLAP_EXT_REMOTE_CONTROLS);
        call!(pages, get, raw, index, null_mut());
    }

    /// Calls of an editor that is never opened.
    fn editor(&mut self, round: &mut Round) {
        let raw = self.plugin.raw;
        let gui: &clap_plugin_gui = self.plugin.extension(CLAP_EXT_GUI);
        let api = round.pick(&[null(), c"x11".as_ptr(), c"".as_ptr(), c"wayland".as_ptr()]);
        call!(gui, is_api_supported, raw, api, false);
        call!(gui, create, raw, null(), false);
        call!(gui, get_preferred_api, raw, null_mut(), null_mut());
        call!(gui, set_scale, raw, round.number());
        call!(gui, get_size, raw, null_mut(), null_mut());
        call!(gui, can_resize, raw);
        call!(gui, get_resize_hints, raw, null_mut());
        call!(gui, adjust_size, raw, null_mut(), null_mut());
        call!(gui, set_size, raw, round.int() as u32, round.int() as u32);
        call!(gui, set_parent, raw, null());
        call!(gui, set_transient, raw, null());
        call!(gui, suggest_title, raw, null());
        call!(gui, show, raw);
        call!(gui, hide, raw);
        call!(gui, destroy, raw);
    }
}

/// Events, each exactly as large as its header says.
struct List {
    events: Vec<Option<Fenced<u8>>>,
}

impl List {
    fn new(round: &mut Round, run: &mut Run, frames: usize) -> Self {
        let count = match round.below(20) {
            0 => 3_000,
            1..=6 => 0,
            _ => round.below(40),
        };
        let events = (0..count)
            .map(|_| (!round.chance(0.02)).then(|| event(round, run, frames)))
            .collect();
        Self { events }
    }

    fn as_list(&self, round: &mut Round) -> clap_input_events {
        unsafe extern "C" fn size(list: *const clap_input_events) -> u32 {
            // SAFETY: `as_list`'s.
            unsafe { (*(*list).ctx.cast::<List>()).events.len() as u32 }
        }
        unsafe extern "C" fn endless(_: *const clap_input_events) -> u32 {
            u32::MAX
        }
        unsafe extern "C" fn get(
            list: *const clap_input_events,
            index: u32,
        ) -> *const clap_event_header {
            // SAFETY: `as_list`'s.
            let events = unsafe { &(*(*list).ctx.cast::<List>()).events };
            match events.get(index as usize) {
                Some(Some(event)) => event.as_ptr().cast(),
                _ => null(),
            }
        }
        clap_input_events {
            ctx: (&raw const *self).cast_mut().cast(),
            size: match round.below(30) {
                0 => None,
                1 => Some(endless),
                _ => Some(size),
            },
            get: (!round.chance(0.03)).then_some(get),
        }
    }
}

fn event(round: &mut Round, run: &mut Run, frames: usize) -> Fenced<u8> {
    let mut header = clap_event_header {
        size: 0,
        time: round.time(frames),
        space_id: if round.chance(0.97) {
            0
        } else {
            round.int() as u16
        },
        type_: if round.chance(0.95) {
            round.below(13) as u16
        } else {
            round.int() as u16
        },
        flags: round.int() as u32,
    };
    fn bytes<T>(event: T, header: &mut clap_event_header, round: &mut Round) -> Fenced<u8> {
        let whole = size_of::<T>();
        // Some are cut off.
        let size = match round.chance(0.05) {
            true => round.between(size_of::<clap_event_header>(), whole),
            false => whole,
        };
        header.size = size as u32;
        // SAFETY: plain data.
        let event = unsafe { std::slice::from_raw_parts((&raw const event).cast::<u8>(), whole) };
        // Events are aligned, so what is behind them may be in the way: rounded up.
        let mut bytes = event[..size].to_vec();
        // SAFETY: plain data.
        let head = unsafe {
            std::slice::from_raw_parts(
                (&raw const *header).cast::<u8>(),
                size_of::<clap_event_header>(),
            )
        };
        bytes[..head.len()].copy_from_slice(head);
        bytes.resize(size.next_multiple_of(8), 0);
        Fenced::of(&bytes)
    }
    let (note_id, port, channel, key) = (
        round.int(),
        round.int() as i16,
        round.int() as i16,
        round.int() as i16,
    );
    match header.type_ {
        0..=3 => bytes(
            clap_event_note {
                header,
                note_id,
                port_index: port,
                channel,
                key,
                velocity: round.number(),
            },
            &mut header,
            round,
        ),
        4 => bytes(
            clap_event_note_expression {
                header,
                expression_id: round.int(),
                note_id,
                port_index: port,
                channel,
                key,
                value: round.number(),
            },
            &mut header,
            round,
        ),
        5 => bytes(
            clap_event_param_value {
                header,
                param_id: run.id(round),
                cookie: null_mut(),
                note_id,
                port_index: port,
                channel,
                key,
                value: round.number(),
            },
            &mut header,
            round,
        ),
        6 => bytes(
            clap_event_param_mod {
                header,
                param_id: run.id(round),
                cookie: null_mut(),
                note_id,
                port_index: port,
                channel,
                key,
                amount: round.number(),
            },
            &mut header,
            round,
        ),
        9 => {
            // SAFETY: all bits may be zero.
            let mut event: clap_event_transport = unsafe { zeroed() };
            event.flags = round.int() as u32;
            event.tempo = round.number();
            event.song_pos_beats = i64::from(round.int());
            bytes(event, &mut header, round)
        }
        10 => bytes(
            clap_event_midi {
                header,
                port_index: 0,
                data: [0; 3].map(|_: u8| round.int() as u8),
            },
            &mut header,
            round,
        ),
        11 => bytes(
            clap_event_midi_sysex {
                header,
                port_index: 0,
                buffer: null(),
                size: round.below(9),
            },
            &mut header,
            round,
        ),
        _ => bytes(header, &mut header.clone(), round),
    }
}

fn out_list(round: &mut Round) -> clap_output_events {
    unsafe extern "C" fn accept(_: *const clap_output_events, _: *const clap_event_header) -> bool {
        true
    }
    unsafe extern "C" fn refuse(_: *const clap_output_events, _: *const clap_event_header) -> bool {
        false
    }
    clap_output_events {
        ctx: null_mut(),
        try_push: match round.below(3) {
            0 => None,
            1 => Some(refuse),
            _ => Some(accept),
        },
    }
}
