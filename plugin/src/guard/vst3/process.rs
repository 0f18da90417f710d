//! A block on its way through the guard: cut into pieces that the framework can take.

use std::ptr::null_mut;

use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::ProcessContext_::StatesAndFlags_::kTempoValid;
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::{
    AudioBusBuffers, AudioBusBuffers__type0, IAudioProcessorTrait, IEditControllerTrait,
    IEventList, IParameterChanges, ParamID, ProcessContext, ProcessData,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::{int32, int64, kResultFalse, kResultOk, tresult};
use nice_plug::wrapper::vst3::vst3::{ComRef, ComWrapper};

use super::super::sound::{Input, Output, Sound, flags};
use super::component::Guarded;
use super::lists::{Changes, Events, Progress, Times, for_each_point};
use super::processor::{OFFLINE, SINGLE};

/// First of the framework's parameters that stand for MIDI controllers: 130 on each of 16 channels,
/// up to the last id that is not the host's. It turns them into events.
const CONTROLLERS: ParamID = (1 << 31) - 130 * 16;

/// State that the audio thread owns while the plugin is active.
pub struct Audio {
    rate: f64,
    sound: Sound,
    events: ComWrapper<Events>,
    changes: ComWrapper<Changes>,
    /// Changes that take effect without a frame.
    immediate: ComWrapper<Changes>,
}

impl Audio {
    /// Allocates everything, for pieces of at most `longest` samples at `rate` Hz.
    pub fn new(rate: f64, longest: usize) -> Self {
        Self {
            rate,
            sound: Sound::new(longest, rate),
            events: Events::new(),
            changes: Changes::new(),
            immediate: Changes::new(),
        }
    }

    /// Forgets the events that wait for a block.
    pub fn reset(&mut self) {
        self.events.clear();
        self.changes.clear();
    }

    /// Processes a block.
    ///
    /// # Safety
    /// What `data` points to is what the format says, or null.
    pub unsafe fn process(&mut self, guarded: &Guarded, data: &ProcessData) -> tresult {
        let frames = usize::try_from(data.numSamples).unwrap_or(0);
        guarded.door.begin_block();
        guarded.door.set_offline(data.processMode == OFFLINE);
        // SAFETY: the caller's promise.
        let done = unsafe {
            match frames {
                0 => self.without_frames(guarded, data),
                _ => self.with_frames(guarded, data, frames),
            }
        };
        match done {
            true => kResultOk,
            false => kResultFalse,
        }
    }

    unsafe fn with_frames(&mut self, guarded: &Guarded, data: &ProcessData, frames: usize) -> bool {
        // SAFETY: the caller's promise.
        let (input, output) = unsafe { (input_of(data), output_of(data, frames)) };
        // SAFETY: as long as the block.
        unsafe { self.sound.listen(&input, frames, &guarded.door) };
        let mut reader = Reader::default();
        let (mut start, mut done, mut silent) = (0, true, true);
        // SAFETY: within the block.
        let mut piece = |audio: &mut Self, start: usize, end: usize| unsafe {
            let (rendered, quiet) =
                audio.piece(guarded, data, (&input, &output), start, end - start);
            (done, silent) = (done && rendered, silent && quiet);
        };
        // Of more than there is room for, as much as fits takes effect in one sample.
        let mut all;
        loop {
            // SAFETY: the caller's promise.
            all = unsafe { self.read(data, &mut reader, start, frames) };
            if all || start + 1 == frames {
                break;
            }
            self.events.show_at_once();
            self.changes.show_at_once();
            piece(self, start, start + 1);
            self.reset();
            start += 1;
        }
        let whole = frames - start <= self.sound.longest();
        while start < frames {
            let end = frames.min(start + self.sound.longest());
            self.events.show(start..end, whole);
            self.changes.show(start..end, whole);
            piece(self, start, end);
            start = end;
        }
        self.reset();
        // What did not fit into the last sample waits for the next block.
        while !all {
            // SAFETY: the caller's promise.
            all = unsafe { self.read(data, &mut reader, 0, 1) };
            if !all {
                // SAFETY: as above.
                unsafe { self.pass_unheard(guarded, data) };
            }
        }
        if !done {
            // SAFETY: as long as the block.
            unsafe { output.silence(frames) };
        }
        // SAFETY: the caller's promise.
        if let Some(bus) = unsafe { main_output(data).as_mut() } {
            bus.silenceFlags = flags(bus.numChannels.max(0) as u32, silent || !done);
        }
        done
    }

    /// Processes a block without frames: parameters change at once, everything else waits for the
    /// next frame.
    unsafe fn without_frames(&mut self, guarded: &Guarded, data: &ProcessData) -> bool {
        let mut reader = Reader::default();
        // SAFETY: the caller's promise.
        while !unsafe { self.read_immediate(guarded, data, &mut reader) } {
            // SAFETY: as above.
            unsafe { self.pass_unheard(guarded, data) };
        }
        self.apply_immediate(guarded);
        true
    }

    /// Lets the framework take all events and changes in an unheard sample, to make room for those
    /// that follow.
    unsafe fn pass_unheard(&mut self, guarded: &Guarded, data: &ProcessData) {
        self.events.show_at_once();
        self.changes.show_at_once();
        // SAFETY: no buffers.
        unsafe { self.piece(guarded, data, (&Input::NONE, &Output::NONE), 0, 1) };
        self.reset();
    }

    /// Reads on in the host's lists, for a block whose next sample is `start`. Returns whether all
    /// of it fitted.
    unsafe fn read(
        &self,
        data: &ProcessData,
        reader: &mut Reader,
        start: usize,
        frames: usize,
    ) -> bool {
        let times = Times { start, frames };
        // SAFETY: the caller's promise.
        let (changes, events) = unsafe { lists(data) };
        self.changes
            .read(changes, &mut reader.changes, times, |_, _| true)
            && self.events.read(events, &mut reader.events, times)
    }

    /// Reads as [`Audio::read`] does, but applies parameters at once.
    unsafe fn read_immediate(
        &self,
        guarded: &Guarded,
        data: &ProcessData,
        reader: &mut Reader,
    ) -> bool {
        let times = Times {
            start: 0,
            frames: 1,
        };
        // SAFETY: the caller's promise.
        let (changes, events) = unsafe { lists(data) };
        let wait = |id: ParamID, value| {
            if id < CONTROLLERS && !self.immediate.add(id, value) {
                self.apply_immediate(guarded);
                self.immediate.add(id, value);
            }
            id >= CONTROLLERS
        };
        self.changes.read(changes, &mut reader.changes, times, wait)
            && self.events.read(events, &mut reader.events, times)
    }

    /// Lets the framework take the immediate changes, in a block without frames.
    fn apply_immediate(&self, guarded: &Guarded) {
        if self.immediate.is_empty() {
            return;
        }
        self.immediate.show_at_once();
        let mut data = no_data();
        data.inputParameterChanges = pointer(&self.immediate);
        // SAFETY: nothing else is there.
        unsafe { guarded.inner.process(&mut data) };
        self.immediate.clear();
    }

    /// Processes `len` samples from `start`, with the events and changes that are shown. Returns
    /// whether that worked, and whether they are silent.
    unsafe fn piece(
        &mut self,
        guarded: &Guarded,
        data: &ProcessData,
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
        let bus = |channels: &mut [*mut f32; 2]| AudioBusBuffers {
            numChannels: 2,
            silenceFlags: 0,
            __field0: AudioBusBuffers__type0 {
                channelBuffers32: channels.as_mut_ptr(),
            },
        };
        let (mut input_bus, mut output_bus) = (bus(&mut inputs), bus(&mut outputs));
        // SAFETY: the caller's promise.
        let mut context = unsafe { data.processContext.as_ref() }.copied();
        if let Some(context) = &mut context {
            advance(context, start, self.rate);
        }
        let mut piece = ProcessData {
            processMode: data.processMode,
            numSamples: len as int32,
            numInputs: 1,
            numOutputs: 1,
            inputs: &mut input_bus,
            outputs: &mut output_bus,
            inputParameterChanges: pointer(&self.changes),
            inputEvents: pointer(&self.events),
            processContext: context.as_mut().map_or(null_mut(), |c| &raw mut *c),
            ..no_data()
        };
        // SAFETY: everything is in order.
        unsafe {
            let done = guarded.inner.process(&mut piece) == kResultOk;
            (done, self.sound.deliver(output, start, len))
        }
    }
}

/// Reading position in a block's lists.
#[derive(Default)]
struct Reader {
    changes: Progress,
    events: u32,
}

/// An object of ours by its interface `I`, without a new reference.
fn pointer<C, I>(object: &ComWrapper<C>) -> *mut I
where
    C: nice_plug::wrapper::vst3::vst3::Class,
    I: nice_plug::wrapper::vst3::vst3::Interface,
{
    object
        .as_com_ref::<I>()
        .map_or(null_mut(), |object| object.as_ptr())
}

/// A block without frames, buses and lists.
fn no_data() -> ProcessData {
    ProcessData {
        processMode: 0,
        symbolicSampleSize: SINGLE,
        numSamples: 0,
        numInputs: 0,
        numOutputs: 0,
        inputs: null_mut(),
        outputs: null_mut(),
        inputParameterChanges: null_mut(),
        outputParameterChanges: null_mut(),
        inputEvents: null_mut(),
        outputEvents: null_mut(),
        processContext: null_mut(),
    }
}

type Lists<'a> = (
    Option<ComRef<'a, IParameterChanges>>,
    Option<ComRef<'a, IEventList>>,
);

/// The host's lists.
unsafe fn lists(data: &ProcessData) -> Lists<'_> {
    // SAFETY: the caller's promise.
    unsafe {
        (
            ComRef::from_raw(data.inputParameterChanges),
            ComRef::from_raw(data.inputEvents),
        )
    }
}

/// Moves the song's position by `samples`.
#[allow(clippy::unnecessary_cast)] // The constant's type depends on the system.
fn advance(context: &mut ProcessContext, samples: usize, rate: f64) {
    context.projectTimeSamples = context.projectTimeSamples.saturating_add(samples as int64);
    if context.state & kTempoValid as u32 != 0 && context.tempo.is_finite() {
        context.projectTimeMusic += samples as f64 / rate / 60.0 * context.tempo;
    }
}

/// Takes the parameters' values of a block that can't be processed.
///
/// # Safety
/// What `data` points to is what the format says, or null.
pub unsafe fn take_parameters(guarded: &Guarded, data: &ProcessData) {
    // SAFETY: see above.
    unsafe {
        let (changes, _) = lists(data);
        for_each_point(changes, &mut Progress::default(), |id, _, value| {
            guarded.inner.setParamNormalized(id, value);
            true
        });
    }
}

/// Silences a block that can't be processed.
///
/// # Safety
/// What `data` points to is what the format says, or null.
pub unsafe fn silence(data: &ProcessData) {
    let frames = usize::try_from(data.numSamples).unwrap_or(0);
    // SAFETY: see above.
    unsafe { output_of(data, frames).silence(frames) };
}

type Channels = (*mut *mut f32, *mut *mut f64, usize);

/// Lists of channels, of which one is null, and their number.
unsafe fn channels(data: &ProcessData, bus: &AudioBusBuffers) -> Channels {
    let count = usize::try_from(bus.numChannels).unwrap_or(0);
    // SAFETY: pointers in both cases; the sample size says to what.
    unsafe {
        match data.symbolicSampleSize == SINGLE {
            true => (bus.__field0.channelBuffers32, null_mut(), count),
            false => (null_mut(), bus.__field0.channelBuffers64, count),
        }
    }
}

unsafe fn input_of(data: &ProcessData) -> Input {
    if data.numInputs <= 0 {
        return Input::NONE;
    }
    // SAFETY: the caller's promise.
    unsafe {
        match data.inputs.as_ref() {
            Some(bus) => {
                let (single, double, count) = channels(data, bus);
                Input::of_port(single, double, count)
            }
            None => Input::NONE,
        }
    }
}

/// The host's output bus; null without one.
fn main_output(data: &ProcessData) -> *mut AudioBusBuffers {
    match data.numOutputs {
        1.. => data.outputs,
        _ => null_mut(),
    }
}

unsafe fn output_of(data: &ProcessData, frames: usize) -> Output {
    // SAFETY: the caller's promise.
    unsafe {
        match main_output(data).as_ref() {
            Some(bus) => {
                let (single, double, count) = channels(data, bus);
                Output::of_port(single, double, count, frames)
            }
            None => Output::NONE,
        }
    }
}
