//! A block on its way through the guard: cut into pieces that the framework can take.

use std::ptr::{null, null_mut};

use clap_sys::audio_buffer::clap_audio_buffer;
use clap_sys::events::{clap_event_header, clap_event_transport, clap_output_events};
use clap_sys::process::*;

use super::super::sound::{Input, Output, Sound, flags};
use super::events::{self, Event, Events, Reader};
use super::instance::Guard;

/// Seconds by which the tail has to change before the host is told.
const TAIL_STEP: f64 = 0.1;

/// State that the audio thread owns while the plugin is active.
pub struct Audio {
    rate: f64,
    sound: Sound,
    events: Box<Events>,
    /// The song's position at the start of the next piece.
    transport: Option<clap_event_transport>,
    /// The tail that the host knows, in samples.
    told_tail: u32,
}

impl Audio {
    /// Allocates everything, for pieces of at most `longest` samples at `rate` Hz.
    pub fn new(rate: f64, longest: usize) -> Self {
        Self {
            rate,
            sound: Sound::new(longest, rate),
            events: Events::new(),
            transport: None,
            told_tail: 0,
        }
    }

    /// Forgets the events that wait for a block.
    pub fn reset(&mut self) {
        self.events.clear();
    }

    /// Processes a block.
    ///
    /// # Safety
    /// What `block` points to is what the format says, or null.
    pub unsafe fn process(&mut self, guard: &Guard, block: &clap_process) -> clap_process_status {
        let frames = block.frames_count as usize;
        guard.door.begin_block();
        let done = match frames {
            // SAFETY: see above.
            0 => unsafe { self.without_frames(guard, block) },
            // SAFETY: see above.
            _ => unsafe { self.with_frames(guard, block, frames) },
        };
        guard.pass_on_changes();
        self.tell_tail(guard);
        let busy = guard.door.is_sounding() || guard.door.hears_reference();
        if !done {
            CLAP_PROCESS_ERROR
        } else if busy || !self.events.is_empty() {
            CLAP_PROCESS_CONTINUE
        } else {
            CLAP_PROCESS_CONTINUE_IF_NOT_QUIET
        }
    }

    unsafe fn with_frames(&mut self, guard: &Guard, block: &clap_process, frames: usize) -> bool {
        // SAFETY: the caller's promise.
        let (input, output, mut reader) = unsafe {
            (
                input_of(block),
                output_of(block, frames),
                Reader::new(block.in_events),
            )
        };
        // SAFETY: as long as the block.
        unsafe { self.sound.listen(&input, frames, &guard.door) };
        // SAFETY: the caller's promise.
        self.transport = unsafe { block.transport.as_ref() }.copied();
        self.events.begin();
        let (mut start, mut done, mut silent) = (0, true, true);
        while start < frames {
            let end = frames.min(start + self.sound.longest());
            let rate = self.rate;
            let end = self
                .events
                .fill(&mut reader, (start, end, frames), |event| {
                    events::rewind(event, rate);
                    guard.take_in(event);
                });
            // SAFETY: within the block.
            let (rendered, quiet) =
                unsafe { self.piece(guard, block, (&input, &output), start, end - start) };
            (done, silent) = (done && rendered, silent && quiet);
            start = end;
        }
        // What did not fit into the last sample waits for the next block.
        while let Some(event) = reader.peek() {
            reader.take();
            // SAFETY: the caller's promise.
            unsafe { self.keep(guard, block, event) };
        }
        if !done {
            // SAFETY: as long as the block.
            unsafe { output.silence(frames) };
        }
        // SAFETY: the caller's promise.
        if let Some(port) = unsafe { main_output(block).as_mut() } {
            port.constant_mask = flags(port.channel_count, silent || !done);
        }
        done
    }

    /// Processes a block without frames: parameters change at once, everything else waits for the
    /// next frame.
    unsafe fn without_frames(&mut self, guard: &Guard, block: &clap_process) -> bool {
        // SAFETY: the caller's promise.
        let mut reader = unsafe { Reader::new(block.in_events) };
        while let Some(mut event) = reader.peek() {
            reader.take();
            if event.is_parameter() {
                guard.take_in(&mut event);
                events::with_single(event, |list| guard.flush_inner(list, null()));
            } else {
                // SAFETY: the caller's promise.
                unsafe { self.keep(guard, block, event) };
            }
        }
        let out = OutProxy::new(block.out_events, 0);
        guard.flush_inner(null(), out.as_list());
        true
    }

    /// Keeps an event for the next block. When there is no more room, those that wait take effect
    /// in a sample that nobody hears.
    unsafe fn keep(&mut self, guard: &Guard, block: &clap_process, mut event: Event) {
        guard.take_in(&mut event);
        if event.transport().is_none() && !self.events.keep(event) {
            // SAFETY: no buffers.
            unsafe { self.piece(guard, block, (&Input::NONE, &Output::NONE), 0, 1) };
            self.events.keep(event);
        }
    }

    /// Processes `len` samples from `start`, with the events that were gathered for them. Returns
    /// whether that worked, and whether they are silent.
    unsafe fn piece(
        &mut self,
        guard: &Guard,
        block: &clap_process,
        (input, output): (&Input, &Output),
        start: usize,
        len: usize,
    ) -> (bool, bool) {
        // SAFETY: within the block, and no longer than a piece may be.
        let (mut inputs, mut outputs) = unsafe {
            (
                self.sound.input(input, start, len),
                self.sound.output(output, start),
            )
        };
        let port = |channels: &mut [*mut f32; 2]| clap_audio_buffer {
            data32: channels.as_mut_ptr(),
            data64: null_mut(),
            channel_count: 2,
            latency: 0,
            constant_mask: 0,
        };
        let (input_port, mut output_port) = (port(&mut inputs), port(&mut outputs));
        let out = OutProxy::new(block.out_events, start as u32);
        let piece = clap_process {
            steady_time: match block.steady_time {
                time if time >= 0 => time.saturating_add(start as i64),
                unknown => unknown,
            },
            frames_count: len as u32,
            transport: self.transport.as_ref().map_or(null(), |t| &raw const *t),
            audio_inputs: &input_port,
            audio_outputs: &mut output_port,
            audio_inputs_count: 1,
            audio_outputs_count: 1,
            in_events: self.events.as_list(),
            out_events: out.as_list(),
        };
        let done = guard.process_inner(&piece) != CLAP_PROCESS_ERROR;
        // SAFETY: as above; what an error left unrendered is overwritten by the caller.
        let silent = unsafe { self.sound.deliver(output, start, len) };
        if let Some(transport) = self.events.last_transport() {
            self.transport = Some(transport);
        }
        if let Some(transport) = &mut self.transport {
            events::advance(transport, len as f64 / self.rate);
        }
        self.events.clear();
        (done, silent)
    }

    fn tell_tail(&mut self, guard: &Guard) {
        let tail = guard.door.tail();
        if f64::from(tail.abs_diff(self.told_tail)) > TAIL_STEP * self.rate {
            self.told_tail = tail;
            guard.host.tail_changed();
        }
    }
}

/// Silences a block that can't be processed.
///
/// # Safety
/// What `block` points to is what the format says, or null.
pub unsafe fn silence(block: &clap_process) {
    let frames = block.frames_count as usize;
    // SAFETY: see above.
    unsafe { output_of(block, frames).silence(frames) };
}

unsafe fn input_of(block: &clap_process) -> Input {
    if block.audio_inputs_count == 0 {
        return Input::NONE;
    }
    // SAFETY: the caller's promise.
    unsafe {
        match block.audio_inputs.as_ref() {
            Some(port) => Input::of_port(port.data32, port.data64, port.channel_count as usize),
            None => Input::NONE,
        }
    }
}

/// The host's output port; null without one.
fn main_output(block: &clap_process) -> *mut clap_audio_buffer {
    match block.audio_outputs_count {
        0 => null_mut(),
        _ => block.audio_outputs,
    }
}

unsafe fn output_of(block: &clap_process, frames: usize) -> Output {
    // SAFETY: the caller's promise.
    unsafe {
        match main_output(block).as_ref() {
            Some(port) => {
                let count = port.channel_count as usize;
                Output::of_port(port.data32, port.data64, count, frames)
            }
            None => Output::NONE,
        }
    }
}

/// A list of output events that moves them to their piece's place in the block.
#[repr(C)]
struct OutProxy {
    /// First, so that a pointer to it is one to the proxy.
    list: clap_output_events,
    real: *const clap_output_events,
    offset: u32,
}

impl OutProxy {
    fn new(real: *const clap_output_events, offset: u32) -> Self {
        Self {
            list: clap_output_events {
                ctx: null_mut(),
                try_push: Some(try_push),
            },
            real,
            offset,
        }
    }

    /// The list, as long as this stays where it is; null where the host gives none.
    fn as_list(&self) -> *const clap_output_events {
        match self.real.is_null() {
            true => null(),
            false => (&raw const *self).cast(),
        }
    }
}

unsafe extern "C" fn try_push(
    list: *const clap_output_events,
    event: *const clap_event_header,
) -> bool {
    // SAFETY: called by the framework with `OutProxy::as_list`, and events as large as they say.
    unsafe {
        let proxy = &*list.cast::<OutProxy>();
        let Some(push) = (*proxy.real).try_push else {
            return false;
        };
        match Event::read_output(event) {
            Some(mut moved) if proxy.offset > 0 => {
                moved.delay(proxy.offset);
                push(proxy.real, moved.header())
            }
            _ => push(proxy.real, event),
        }
    }
}
