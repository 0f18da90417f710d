//! A VST3 host that gives exactly what a test says.

use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::ptr::null_mut;
use std::rc::Rc;

use nice_assert_no_alloc::assert_no_alloc;
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::Event_::EventTypes_::{
    kNoteExpressionValueEvent, kNoteOffEvent, kNoteOnEvent,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::*;
use nice_plug::wrapper::vst3::vst3::Steinberg::{
    IBStream, IBStreamTrait, IPluginBaseTrait, IPluginFactory, IPluginFactoryTrait, int32, int64,
    kInvalidArgument, kResultFalse, kResultOk, tresult,
};
use nice_plug::wrapper::vst3::vst3::{Class, ComPtr, ComWrapper, Interface};

use crate::memory::Fenced;
use crate::{LONGEST, RATE, without_engine};

/// Modes of a host.
pub const LIVE: int32 = 0;
pub const OFFLINE: int32 = 2;

/// A plugin in its host.
pub struct Plugin {
    pub component: ComPtr<IComponent>,
    pub processor: ComPtr<IAudioProcessor>,
    pub controller: ComPtr<IEditController>,
    pub mode: Cell<int32>,
}

impl Plugin {
    /// A plugin that is not yet set up.
    pub fn new() -> Self {
        without_engine();
        // SAFETY: the library's entry; ids have 16 bytes.
        unsafe {
            let factory = ComPtr::from_raw(plugin::GetPluginFactory().cast::<IPluginFactory>());
            let factory = factory.expect("a factory");
            let class = *b"MirrorNetSynth01";
            let mut object = null_mut::<c_void>();
            let result = factory.createInstance(
                class.as_ptr().cast(),
                IComponent::IID.as_ptr().cast(),
                &mut object,
            );
            assert_eq!(result, kResultOk);
            let component = ComPtr::from_raw(object.cast::<IComponent>()).expect("an object");
            assert_eq!(component.initialize(null_mut()), kResultOk);
            Self {
                processor: component.cast().expect("a processor"),
                controller: component.cast().expect("a controller"),
                component,
                mode: Cell::new(LIVE),
            }
        }
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

    pub fn set_up(&self, rate: f64, size: int32) -> tresult {
        let mut setup = ProcessSetup {
            processMode: self.mode.get(),
            symbolicSampleSize: size,
            maxSamplesPerBlock: LONGEST as int32,
            sampleRate: rate,
        };
        // SAFETY: a structure of this function's.
        unsafe { self.processor.setupProcessing(&mut setup) }
    }

    pub fn start(&self, rate: f64) {
        assert_eq!(self.set_up(rate, 0), kResultOk);
        // SAFETY: allowed now.
        unsafe {
            assert_eq!(self.component.setActive(1), kResultOk);
            self.processor.setProcessing(1);
        }
    }

    pub fn stop(&self) {
        // SAFETY: allowed at any time.
        unsafe {
            self.processor.setProcessing(0);
            self.component.setActive(0);
        }
    }

    /// The id of the parameter named `name`.
    pub fn param(&self, name: &str) -> u32 {
        // SAFETY: all bits may be zero; indices within the list.
        unsafe {
            for k in 0..self.controller.getParameterCount() {
                let mut info: ParameterInfo = std::mem::zeroed();
                assert_eq!(self.controller.getParameterInfo(k, &mut info), kResultOk);
                let title = String::from_utf16_lossy(&info.title);
                if title.trim_end_matches('\0') == name {
                    return info.id;
                }
            }
        }
        panic!("no parameter {name}");
    }

    /// Ids of the parameters that don't stand for MIDI controllers.
    pub fn ids(&self) -> Vec<u32> {
        // SAFETY: all bits may be zero; indices within the list.
        let ids = unsafe {
            (0..self.controller.getParameterCount()).map(|k| {
                let mut info: ParameterInfo = std::mem::zeroed();
                self.controller.getParameterInfo(k, &mut info);
                info.id
            })
        };
        ids.filter(|id| *id < (1 << 31) - 130 * 16).collect()
    }

    pub fn value(&self, id: u32) -> f64 {
        // SAFETY: allowed at any time.
        unsafe { self.controller.getParamNormalized(id) }
    }

    /// The state, of which the stream takes at most `piece` bytes at a time.
    pub fn state(&self, piece: usize) -> Result<Vec<u8>, tresult> {
        let stream = ComWrapper::new(Stream {
            bytes: RefCell::default(),
            position: Cell::new(0),
            piece,
            room: Cell::new(usize::MAX),
        });
        self.write_state(&stream)?;
        Ok(stream.bytes.take())
    }

    pub fn write_state(&self, stream: &ComWrapper<Stream>) -> Result<(), tresult> {
        let pointer = stream.as_com_ref::<IBStream>().expect("a stream").as_ptr();
        // SAFETY: a stream of ours.
        match unsafe { self.component.getState(pointer) } {
            result if result == kResultOk => Ok(()),
            result => Err(result),
        }
    }

    /// Restores a state, of which the stream gives at most `piece` bytes at a time.
    pub fn load(&self, bytes: &[u8], piece: usize) -> tresult {
        let stream = ComWrapper::new(Stream {
            bytes: RefCell::new(bytes.to_vec()),
            position: Cell::new(0),
            piece,
            room: Cell::new(usize::MAX),
        });
        let pointer = stream.as_com_ref::<IBStream>().expect("a stream").as_ptr();
        // SAFETY: a stream of ours.
        unsafe { self.component.setState(pointer) }
    }

    /// Processes a block into a stereo output, with `events` and without a sidechain.
    pub fn block(&self, frames: usize, events: &Events) -> Vec<f32> {
        let output = Bus::stereo(frames);
        self.process(&Call {
            frames,
            output: Some(&output),
            events: Some(events),
            ..Call::default()
        });
        output.samples(0)
    }

    pub fn process(&self, block: &Call) -> tresult {
        let list = block.events.map(|events| events.lists());
        let bus = |bus: Option<&Bus>| bus.map_or(null_mut(), |bus| bus.raw.as_ptr());
        let mut data = ProcessData {
            processMode: self.mode.get(),
            symbolicSampleSize: 0,
            numSamples: block.frames as int32,
            numInputs: block.input_count.unwrap_or(block.input.is_some() as int32),
            numOutputs: block.output.is_some() as int32,
            inputs: bus(block.input),
            outputs: bus(block.output),
            inputParameterChanges: list.as_ref().map_or(null_mut(), |l| {
                l.1.as_com_ref::<IParameterChanges>()
                    .expect("changes")
                    .as_ptr()
            }),
            outputParameterChanges: null_mut(),
            inputEvents: list.as_ref().map_or(null_mut(), |l| {
                l.0.as_com_ref::<IEventList>().expect("events").as_ptr()
            }),
            outputEvents: null_mut(),
            processContext: null_mut(),
        };
        // SAFETY: the test decides.
        let result = assert_no_alloc(|| unsafe { self.processor.process(&mut data) });
        for bus in [block.input, block.output].into_iter().flatten() {
            bus.check();
        }
        result
    }
}

impl Drop for Plugin {
    fn drop(&mut self) {
        self.stop();
        // SAFETY: the last call.
        unsafe { self.component.terminate() };
    }
}

/// The parameter by which the framework knows a MIDI controller.
pub fn controller(channel: u8, number: u8) -> u32 {
    (1 << 31) - 130 * 16 + u32::from(channel) * 130 + u32::from(number)
}

/// A block to process.
#[derive(Default)]
pub struct Call<'a> {
    pub frames: usize,
    pub input: Option<&'a Bus>,
    /// Number of inputs, where it is not that of `input`.
    pub input_count: Option<int32>,
    pub output: Option<&'a Bus>,
    pub events: Option<&'a Events>,
}

/// An audio bus with its buffers.
pub struct Bus {
    pub raw: Fenced<AudioBusBuffers>,
    _list: Fenced<*mut f32>,
    buffers: Vec<Option<Fenced<f32>>>,
}

impl Bus {
    /// A bus of the buffers; `None` is a null pointer.
    pub fn new(buffers: Vec<Option<Fenced<f32>>>) -> Self {
        let pointers: Vec<_> = buffers
            .iter()
            .map(|b| b.as_ref().map_or(null_mut(), Fenced::as_ptr))
            .collect();
        let list = Fenced::of(&pointers);
        let raw = Fenced::of(&[AudioBusBuffers {
            numChannels: buffers.len() as int32,
            silenceFlags: 0,
            __field0: AudioBusBuffers__type0 {
                channelBuffers32: list.as_ptr(),
            },
        }]);
        Self {
            raw,
            _list: list,
            buffers,
        }
    }

    pub fn filled(count: usize, frames: usize) -> Self {
        Self::new((0..count).map(|_| Some(Fenced::new(0.7, frames))).collect())
    }

    pub fn stereo(frames: usize) -> Self {
        Self::filled(2, frames)
    }

    /// A bus that says it has two channels, and has no list of them.
    pub fn without_list() -> Self {
        let bus = Self::new(vec![None, None]);
        // SAFETY: the bus's own.
        unsafe { (*bus.raw.as_ptr()).__field0.channelBuffers32 = null_mut() };
        bus
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

/// Note events and parameter changes of a block.
#[derive(Clone, Default)]
pub struct Events {
    events: Rc<RefCell<Vec<Event>>>,
    points: Rc<RefCell<Vec<(u32, int32, f64)>>>,
}

fn empty(time: int32, kind: u32) -> Event {
    // SAFETY: all bits may be zero.
    let mut event: Event = unsafe { std::mem::zeroed() };
    event.sampleOffset = time;
    event.r#type = kind as u16;
    event
}

#[allow(clippy::unnecessary_cast)] // The constants' type depends on the system.
impl Events {
    pub fn on(self, time: int32, key: i16) -> Self {
        self.note(time, 0, key, true)
    }

    pub fn off(self, time: int32, key: i16) -> Self {
        self.note(time, 0, key, false)
    }

    pub fn note(self, time: int32, channel: i16, key: i16, on: bool) -> Self {
        let mut event = empty(time, if on { kNoteOnEvent } else { kNoteOffEvent } as u32);
        let (velocity, tuning, id) = (0.9, 0.0, i32::from(key));
        if on {
            event.__field0.noteOn = NoteOnEvent {
                channel,
                pitch: key,
                tuning,
                velocity,
                length: 0,
                noteId: id,
            };
        } else {
            event.__field0.noteOff = NoteOffEvent {
                channel,
                pitch: key,
                velocity,
                noteId: id,
                tuning,
            };
        }
        self.push(event)
    }

    pub fn expression(self, time: int32, key: i16, kind: u32, value: f64) -> Self {
        let mut event = empty(time, kNoteExpressionValueEvent as u32);
        event.__field0.noteExpressionValue = NoteExpressionValueEvent {
            typeId: kind,
            noteId: i32::from(key),
            value,
        };
        self.push(event)
    }

    /// SysEx without bytes.
    pub fn null_data(self, time: int32) -> Self {
        // Its type is 2, and all its fields zero.
        self.push(empty(time, 2))
    }

    pub fn push(self, event: Event) -> Self {
        self.events.borrow_mut().push(event);
        self
    }

    pub fn param(self, time: int32, id: u32, value: f64) -> Self {
        self.points.borrow_mut().push((id, time, value));
        self
    }

    pub fn lists(&self) -> (ComWrapper<EventList>, ComWrapper<Changes>) {
        let points = self.points.borrow();
        let queues = points.iter().map(|p| {
            let queue = ComWrapper::new(Queue { point: *p });
            queue.to_com_ptr::<IParamValueQueue>().expect("a queue")
        });
        let changes = ComWrapper::new(Changes {
            queues: queues.collect(),
        });
        (ComWrapper::new(EventList(self.clone())), changes)
    }
}

pub struct EventList(Events);

impl Class for EventList {
    type Interfaces = (IEventList,);
}

impl IEventListTrait for EventList {
    unsafe fn getEventCount(&self) -> int32 {
        self.0.events.borrow().len() as int32
    }

    unsafe fn getEvent(&self, index: int32, event: *mut Event) -> tresult {
        match self.0.events.borrow().get(index as usize) {
            Some(given) => {
                // SAFETY: the plugin's variable.
                unsafe { event.write(*given) };
                kResultOk
            }
            None => kInvalidArgument,
        }
    }

    unsafe fn addEvent(&self, _event: *mut Event) -> tresult {
        kResultFalse
    }
}

pub struct Changes {
    queues: Vec<ComPtr<IParamValueQueue>>,
}

impl Class for Changes {
    type Interfaces = (IParameterChanges,);
}

impl IParameterChangesTrait for Changes {
    unsafe fn getParameterCount(&self) -> int32 {
        self.queues.len() as int32
    }

    unsafe fn getParameterData(&self, index: int32) -> *mut IParamValueQueue {
        self.queues
            .get(index as usize)
            .map_or(null_mut(), ComPtr::as_ptr)
    }

    unsafe fn addParameterData(
        &self,
        _id: *const u32,
        _index: *mut int32,
    ) -> *mut IParamValueQueue {
        null_mut()
    }
}

struct Queue {
    point: (u32, int32, f64),
}

impl Class for Queue {
    type Interfaces = (IParamValueQueue,);
}

impl IParamValueQueueTrait for Queue {
    unsafe fn getParameterId(&self) -> u32 {
        self.point.0
    }

    unsafe fn getPointCount(&self) -> int32 {
        1
    }

    unsafe fn getPoint(&self, index: int32, offset: *mut int32, value: *mut f64) -> tresult {
        if index != 0 {
            return kInvalidArgument;
        }
        // SAFETY: the plugin's variables.
        unsafe { (*offset, *value) = (self.point.1, self.point.2) };
        kResultOk
    }

    unsafe fn addPoint(&self, _offset: int32, _value: f64, _index: *mut int32) -> tresult {
        kResultFalse
    }
}

/// A stream that takes and gives at most `piece` bytes at a time, and takes `room` in all.
pub struct Stream {
    pub bytes: RefCell<Vec<u8>>,
    pub position: Cell<usize>,
    pub piece: usize,
    pub room: Cell<usize>,
}

impl Class for Stream {
    type Interfaces = (IBStream,);
}

impl IBStreamTrait for Stream {
    unsafe fn read(&self, buffer: *mut c_void, size: int32, count: *mut int32) -> tresult {
        let bytes = self.bytes.borrow();
        let rest = &bytes[self.position.get().min(bytes.len())..];
        let size = (size as usize).min(self.piece).min(rest.len());
        // SAFETY: the plugin's buffer is as long as it says.
        unsafe {
            buffer
                .cast::<u8>()
                .copy_from_nonoverlapping(rest.as_ptr(), size);
            if !count.is_null() {
                *count = size as int32;
            }
        }
        self.position.set(self.position.get() + size);
        kResultOk
    }

    unsafe fn write(&self, buffer: *mut c_void, size: int32, count: *mut int32) -> tresult {
        let size = (size as usize).min(self.piece).min(self.room.get());
        self.room.set(self.room.get() - size);
        // SAFETY: the plugin's bytes are as many as it says.
        unsafe {
            let bytes = std::slice::from_raw_parts(buffer.cast::<u8>(), size);
            self.bytes.borrow_mut().extend_from_slice(bytes);
            if !count.is_null() {
                *count = size as int32;
            }
        }
        kResultOk
    }

    unsafe fn seek(&self, by: int64, mode: int32, result: *mut int64) -> tresult {
        let from = match mode {
            0 => 0,
            1 => self.position.get() as int64,
            _ => self.bytes.borrow().len() as int64,
        };
        self.position.set((from + by).max(0) as usize);
        // SAFETY: the plugin's variable.
        if let Some(result) = unsafe { result.as_mut() } {
            *result = self.position.get() as int64;
        }
        kResultOk
    }

    unsafe fn tell(&self, position: *mut int64) -> tresult {
        // SAFETY: the plugin's variable.
        unsafe { *position = self.position.get() as int64 };
        kResultOk
    }
}
