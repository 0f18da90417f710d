//! Rounds in VST3.

use std::cell::{Cell, RefCell};
use std::ptr::null_mut;

use nice_assert_no_alloc::assert_no_alloc;
use nice_plug::wrapper::vst3::vst3::ComWrapper;
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::*;
use nice_plug::wrapper::vst3::vst3::Steinberg::{IBStream, IPlugViewTrait};
use nice_plug::wrapper::vst3::vst3::{ComPtr, Steinberg};

use super::{CALLS, Channels, Round};
use crate::memory::Fenced;
use crate::vst3_host::{Events, Plugin, Stream};

/// A plugin on its way through a round.
struct Run {
    plugin: Plugin,
    ids: Vec<u32>,
    longest: usize,
    state: Vec<u8>,
}

pub fn round(round: &mut Round) {
    round.begin_call();
    let plugin = Plugin::new();
    // SAFETY: indices within the list.
    let ids = unsafe {
        (0..plugin.controller.getParameterCount())
            .map(|k| {
                let mut info: ParameterInfo = std::mem::zeroed();
                plugin.controller.getParameterInfo(k, &mut info);
                info.id
            })
            .collect()
    };
    let state = plugin.state(1 << 20).expect("a state");
    let mut run = Run {
        plugin,
        ids,
        longest: 64,
        state,
    };
    for k in 0..CALLS {
        round.begin_call();
        // Most rounds begin as they should.
        if k == 0 && round.chance(0.8) {
            run.set_up(round);
            // SAFETY: allowed at any time.
            unsafe {
                run.plugin.component.setActive(1);
                run.plugin.processor.setProcessing(1);
            }
            continue;
        }
        // SAFETY: what this is about.
        unsafe { run.call(round) };
    }
    round.begin_call();
}

impl Run {
    fn set_up(&mut self, round: &mut Round) {
        let longest = round.pick(&[0, -1, 1, 64, 512, 2_000, i32::MAX]);
        let mut setup = ProcessSetup {
            processMode: round.int(),
            symbolicSampleSize: if round.chance(0.9) { 0 } else { round.int() },
            maxSamplesPerBlock: longest,
            sampleRate: round.rate(),
        };
        // SAFETY: a structure of this function's.
        let result = unsafe { self.plugin.processor.setupProcessing(&mut setup) };
        if result == Steinberg::kResultOk {
            self.longest = longest.clamp(1, 2_000) as usize;
        }
    }

    fn id(&mut self, round: &mut Round) -> u32 {
        match round.chance(0.8) {
            true => round.pick(&self.ids),
            false => round.int() as u32,
        }
    }

    unsafe fn call(&mut self, round: &mut Round) {
        // SAFETY: what this is about.
        unsafe {
            let (component, processor) = (&self.plugin.component, &self.plugin.processor);
            match round.below(40) {
                0 => self.set_up(round),
                1 => _ = processor.setupProcessing(null_mut()),
                2 => _ = component.setActive(round.below(2) as u8),
                3 | 4 => _ = processor.setProcessing(round.below(2) as u8),
                5 => _ = processor.process(null_mut()),
                6 => self.buses(round),
                7 => self.arrangements(round),
                8 | 9 => self.values(round),
                10 => self.save(round),
                11 => {
                    let bytes = round.mangled(self.state.clone());
                    self.plugin.load(&bytes, round.pick(&[1, 23, 1 << 20]));
                    component.setState(null_mut());
                }
                12 => self.others(round),
                13 => {
                    self.plugin.controller.setComponentHandler(null_mut());
                    self.plugin.controller.createView(std::ptr::null());
                    let view = self.plugin.controller.createView(c"editor".as_ptr());
                    if let Some(view) = ComPtr::from_raw(view) {
                        view.getSize(null_mut());
                    }
                }
                _ => self.process(round),
            }
        }
    }

    unsafe fn process(&mut self, round: &mut Round) {
        let frames = round.frames(self.longest);
        let (input, output) = (Channels::new(round, frames), Channels::new(round, frames));
        let mut bus = |channels: &Channels| {
            let count = channels.buffers.len() as i32;
            let bus = AudioBusBuffers {
                numChannels: if count == 0 {
                    round.pick(&[0, -1])
                } else {
                    count
                },
                silenceFlags: 0,
                __field0: AudioBusBuffers__type0 {
                    channelBuffers32: channels.pointer(),
                },
            };
            (!round.chance(0.1)).then(|| Fenced::of(&[bus]))
        };
        let (inputs, outputs) = (bus(&input), bus(&output));
        let events = self.events(round, frames);
        let (list, changes) = events.lists();
        // SAFETY: all bits may be zero.
        let mut context: ProcessContext = unsafe { std::mem::zeroed() };
        context.state = round.int() as u32;
        context.tempo = round.number();
        context.projectTimeMusic = round.number();
        let given = [outputs.is_some(), inputs.is_some()].map(|there| there && round.chance(0.9));
        let mut data = ProcessData {
            processMode: round.int(),
            symbolicSampleSize: 0,
            numSamples: if frames == 0 {
                round.pick(&[0, -1])
            } else {
                frames as i32
            },
            numInputs: if given[1] { 1 } else { round.pick(&[0, -1]) },
            numOutputs: if given[0] { 1 } else { round.pick(&[0, -1]) },
            inputs: inputs.as_ref().map_or(null_mut(), Fenced::as_ptr),
            outputs: outputs.as_ref().map_or(null_mut(), Fenced::as_ptr),
            inputParameterChanges: match round.chance(0.9) {
                true => changes
                    .as_com_ref::<IParameterChanges>()
                    .map_or(null_mut(), |c| c.as_ptr()),
                false => null_mut(),
            },
            outputParameterChanges: null_mut(),
            inputEvents: match round.chance(0.9) {
                true => list
                    .as_com_ref::<IEventList>()
                    .map_or(null_mut(), |l| l.as_ptr()),
                false => null_mut(),
            },
            outputEvents: null_mut(),
            processContext: if round.chance(0.5) {
                &mut context
            } else {
                null_mut()
            },
        };
        // SAFETY: every pointer is null or to what the format says.
        assert_no_alloc(|| unsafe { self.plugin.processor.process(&mut data) });
        input.check(false);
        output.check(given[0]);
    }

    fn events(&mut self, round: &mut Round, frames: usize) -> Events {
        let mut events = Events::default();
        let count = match round.below(20) {
            0 => 3_000,
            1..=6 => 0,
            _ => round.below(40),
        };
        for _ in 0..count {
            let time = round.time(frames) as i32;
            if round.chance(0.5) {
                let id = self.id(round);
                let value = round.number();
                events = events.param(time, id, value);
                continue;
            }
            // SAFETY: all bits may be zero.
            let mut event: Event = unsafe { std::mem::zeroed() };
            event.busIndex = round.int();
            event.sampleOffset = time;
            event.r#type = round.pick(&[0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 65_535]);
            let (channel, pitch, note) = (round.int() as i16, round.int() as i16, round.int());
            let value = round.number();
            match event.r#type {
                0 => {
                    event.__field0.noteOn = NoteOnEvent {
                        channel,
                        pitch,
                        tuning: value as f32,
                        velocity: value as f32,
                        length: note,
                        noteId: note,
                    };
                }
                1 => {
                    event.__field0.noteOff = NoteOffEvent {
                        channel,
                        pitch,
                        velocity: value as f32,
                        noteId: note,
                        tuning: value as f32,
                    };
                }
                3 => {
                    event.__field0.polyPressure = PolyPressureEvent {
                        channel,
                        pitch,
                        pressure: value as f32,
                        noteId: note,
                    };
                }
                4 => {
                    event.__field0.noteExpressionValue = NoteExpressionValueEvent {
                        typeId: round.below(8),
                        noteId: note,
                        value,
                    };
                }
                // The others keep null pointers.
                _ => {}
            }
            events = events.push(event);
        }
        events
    }

    unsafe fn buses(&mut self, round: &mut Round) {
        let component = &self.plugin.component;
        let (media, direction, index) = (round.int(), round.int(), round.int());
        let (media, direction) = match round.chance(0.8) {
            true => (round.below(2) as i32, round.below(2) as i32),
            false => (media, direction),
        };
        // SAFETY: all bits may be zero; null pointers are what this is about.
        unsafe {
            component.getBusCount(media, direction);
            component.getBusInfo(media, direction, index, &mut std::mem::zeroed());
            component.getBusInfo(media, direction, 0, null_mut());
            component.activateBus(media, direction, index, round.below(2) as u8);
            component.getRoutingInfo(null_mut(), null_mut());
            component.getControllerClassId(null_mut());
            component.setIoMode(round.int());
        }
    }

    unsafe fn arrangements(&mut self, round: &mut Round) {
        let processor = &self.plugin.processor;
        let mut arrays = [(); 2].map(|()| {
            let count = round.below(4) as usize;
            let values: Vec<u64> = (0..count)
                .map(|_| round.pick(&[0, 1, 3, 3, u64::MAX]))
                .collect();
            (count > 0).then(|| Fenced::of(&values))
        });
        let pointer = |a: &Option<Fenced<u64>>| a.as_ref().map_or(null_mut(), Fenced::as_ptr);
        let count = |a: &Option<Fenced<u64>>| a.as_ref().map_or(0, |a| a.values().len() as i32);
        if round.chance(0.2) {
            arrays[0] = None;
        }
        let odd = round.chance(0.1);
        let counts = [0, 1].map(|k| if odd { -1 } else { count(&arrays[k]) });
        let (index, direction) = (round.int(), round.int());
        // SAFETY: arrays as long as said.
        unsafe {
            processor.setBusArrangements(
                pointer(&arrays[0]),
                counts[0],
                pointer(&arrays[1]),
                counts[1],
            );
            let mut arrangement = 0;
            processor.getBusArrangement(direction, index, &mut arrangement);
            processor.getBusArrangement(direction, 0, null_mut());
            processor.canProcessSampleSize(round.int());
            processor.getLatencySamples();
            processor.getTailSamples();
        }
    }

    unsafe fn values(&mut self, round: &mut Round) {
        let (id, value) = (self.id(round), round.number());
        let controller = &self.plugin.controller;
        let index = round.int();
        // SAFETY: all bits may be zero; null pointers are what this is about.
        unsafe {
            controller.getParameterInfo(index, &mut std::mem::zeroed());
            controller.getParameterInfo(0, null_mut());
            let text = Fenced::<[u16; 128]>::new([0; 128], 1);
            controller.getParamStringByValue(id, value, text.as_ptr().cast());
            let mut back = 0.0;
            controller.getParamValueByString(id, text.as_ptr().cast(), &mut back);
            controller.getParamValueByString(id, null_mut(), &mut back);
            controller.getParamStringByValue(id, value, null_mut());
            text.check();
            controller.normalizedParamToPlain(id, value);
            controller.plainParamToNormalized(id, value);
            controller.setParamNormalized(id, value);
            let back = controller.getParamNormalized(id);
            assert!(back.is_finite(), "parameter {id} is {back}");
        }
    }

    fn save(&mut self, round: &mut Round) {
        let stream = ComWrapper::new(Stream {
            bytes: RefCell::default(),
            position: Cell::new(0),
            piece: round.pick(&[0, 1, 23, 1 << 20]),
            room: Cell::new(round.pick(&[0, 100, usize::MAX, usize::MAX])),
        });
        if self.plugin.write_state(&stream).is_ok() {
            self.state = stream.bytes.take();
        }
        // SAFETY: null pointers are what this is about.
        unsafe { self.plugin.component.getState(null_mut::<IBStream>()) };
    }

    unsafe fn others(&mut self, round: &mut Round) {
        let component = &self.plugin.component;
        let (a, b, c) = (round.int(), round.int(), round.int());
        // SAFETY: all bits may be zero; null pointers are what this is about.
        unsafe {
            if let Some(mapping) = component.cast::<IMidiMapping>() {
                let mut id = 0;
                mapping.getMidiControllerAssignment(a, b as i16, c as i16, &mut id);
                mapping.getMidiControllerAssignment(0, 0, 1, null_mut());
            }
            if let Some(notes) = component.cast::<INoteExpressionController>() {
                notes.getNoteExpressionCount(a, b as i16);
                notes.getNoteExpressionInfo(0, 0, c, &mut std::mem::zeroed());
                notes.getNoteExpressionInfo(0, 0, 0, null_mut());
            }
            if let Some(units) = component.cast::<IUnitInfo>() {
                units.getUnitInfo(a, &mut std::mem::zeroed());
                units.getUnitInfo(0, null_mut());
                units.selectUnit(b);
                units.getProgramListInfo(c, null_mut());
            }
            if let Some(listener) = component.cast::<ChannelContext::IInfoListener>() {
                use ChannelContext::IInfoListenerTrait;
                listener.setChannelContextInfos(null_mut());
            }
        }
    }
}
