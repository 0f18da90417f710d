//! The plugin's interface to the framework: ports, activation, processing.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use matcher::ModelFiles;
use matcher::engine::Engine;
use matcher::live::{AudioEnd, LONGEST_DECLARED_WAIT, LONGEST_WAIT, live};
use nice_plug::midi::{Channel, Key, VoiceID};
use nice_plug::prelude::*;
use synth::{Event, EventKind, Synth};

use crate::door::Door;
use crate::editor::{self, App, WindowEditor};
use crate::events::translate;
use crate::offline::OfflineDetector;
use crate::params::{self, GLIDE, HostParam, OUTPUT, Params};
use crate::processor::{Controls, Processor};
use crate::remote_controls;
use crate::state::{AudioState, InstanceState, MatchChanges};
use crate::touch::{Sounding, TouchLock};

/// Most host events of one block. Some hosts send every parameter, and VST3 has 2,080 for
/// controllers alone.
const EVENTS: usize = 4096;

/// The built-in encoder's model where no engine is installed.
const MODEL: ModelFiles = ModelFiles {
    contract: include_str!("../../model-weights/encoder.json"),
    weights: include_bytes!("../../model-weights/encoder.safetensors"),
};

/// One instance of the instrument.
pub struct MirrorNet {
    params: Arc<Params>,
    audio: AudioState,
    changes: MatchChanges,
    /// Exchange with the guard around this instance.
    door: Arc<Door>,
    /// `None` while the plugin is not active.
    processor: Option<Processor<AudioEnd>>,
    touch: TouchLock,
    offline_detector: OfflineDetector,
    /// Whether the last block was rendered offline, and whether the host had said so.
    offline: bool,
    bouncing: bool,
    /// The host's block that was last waited in, and until when it may.
    deadline: Option<(u64, Instant)>,
    rate: f32,
    events: Vec<Event>,
}

impl Default for MirrorNet {
    fn default() -> Self {
        let (state, audio) = InstanceState::new();
        let door = state.door.clone();
        let params = Arc::new(Params::new(Arc::new(state)));
        door.introduce(&params);
        Self {
            params,
            audio,
            changes: MatchChanges::default(),
            door,
            processor: None,
            touch: TouchLock::new(),
            offline_detector: OfflineDetector::new(false),
            offline: false,
            bouncing: false,
            deadline: None,
            rate: 48_000.0,
            events: Vec::with_capacity(EVENTS),
        }
    }
}

impl MirrorNet {
    /// Starts the listener and makes the processor.
    fn start(&mut self, config: &BufferConfig, engine: Engine) {
        let state = &self.params.state;
        let (source, view) = live(f64::from(config.sample_rate), engine, Some(MODEL));
        view.set_sounds(state.sounds());
        *state.listener.view.lock() = Some(view);
        let mut processor = Processor::new(config.sample_rate, source);
        processor.hold(state.held());
        self.processor = Some(processor);
        self.rate = config.sample_rate;
        self.audio.source.prepare(config.max_buffer_size as usize);
        state.source.send_again();
        state.feed.set_rate(self.rate);
        // A declared offline render doesn't count as a switch.
        self.offline = config.process_mode == ProcessMode::Offline;
        self.offline_detector = OfflineDetector::new(self.offline);
    }

    /// Takes up what was recalled, and what comes back with the knobs' values; locks knobs that
    /// were moved, and returns whether any was. Real-time safe.
    fn watch_knobs(&mut self, seconds: f32) -> bool {
        let state = &self.params.state;
        let knobs = self.params.unmodulated();
        let sounding = Sounding {
            amount: self.params.amount.modulated(),
            patch: self.processor.as_ref().and_then(Processor::sounding),
        };
        let locked = self.touch.watch(&knobs, sounding, seconds, state);
        let recalled = self.audio.mailbox.recalled();
        let came_back = self.audio.returns.came_back(&knobs);
        if let Some(snapshot) = &came_back {
            state.came_back(&snapshot.limits);
        }
        let held = came_back.map(|snapshot| snapshot.held).or(recalled);
        if let (Some(held), Some(processor)) = (held, &mut self.processor) {
            processor.hold(held);
            self.audio.mailbox.report(held);
            self.changes.loaded(held.map(|target| target.inference));
        }
        locked && came_back.is_none()
    }

    /// The current settings of host and player.
    fn controls(&self, song: &Transport) -> Controls {
        let params = &self.params;
        let plain = |row: &synth::Param, param: &HostParam| row.plain(param.modulated());
        Controls {
            knobs: self.touch.taken_up(params.knobs()),
            modulation: params.modulation(),
            amount: params.amount.modulated(),
            limits: params.state.acting_limits(),
            glide: plain(&GLIDE, &params.glide),
            listen: params.listen.value(),
            search: params.search.value(),
            bounce: self.door.is_offline(),
            gain: util::db_to_gain(plain(&OUTPUT, &params.output)),
            transport: synth::Transport {
                tempo: song.tempo.unwrap_or(120.0),
                beats: song.pos_beats().filter(|_| song.playing),
            },
        }
    }
}

impl Plugin for MirrorNet {
    const NAME: &'static str = "MirrorNet";
    const VENDOR: &'static str = "MirrorNet";
    const URL: &'static str = "";
    const EMAIL: &'static str = "";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");

    const AUDIO_IO_LAYOUTS: &'static [AudioIOLayout] = &[AudioIOLayout {
        main_input_channels: None,
        main_output_channels: NonZeroU32::new(2),
        aux_input_ports: &[new_nonzero_u32(2)],
        names: PortNames {
            layout: Some("Stereo with sidechain"),
            main_output: Some("Output"),
            aux_inputs: &["Sidechain"],
            ..PortNames::const_default()
        },
        ..AudioIOLayout::const_default()
    }];
    const MIDI_INPUT: MidiConfig = MidiConfig::MidiCCs;
    const SAMPLE_ACCURATE_AUTOMATION: bool = true;
    const INPUT_EVENT_CAPACITY: usize = EVENTS;

    type Editor = WindowEditor<App>;
    type SysExMessage = ();
    type BackgroundTask = ();

    fn params(&self) -> Arc<dyn nice_plug::prelude::Params> {
        self.params.clone()
    }

    fn editor(&mut self, _async_executor: AsyncExecutor<Self>) -> Option<Self::Editor> {
        Some(editor::editor(Self::NAME, self.params.clone()))
    }

    fn filter_state(state: &mut PluginState) {
        params::migrate(state);
    }

    fn activate(
        &mut self,
        _layout: &AudioIOLayout,
        config: &BufferConfig,
        _context: &mut impl ActivateContext<Self>,
    ) -> bool {
        self.deactivate();
        // The synth plays at any rate; the ear says where it can't hear.
        if !(config.sample_rate > 0.0 && config.sample_rate.is_finite()) {
            nice_error!(
                "sample rate {} Hz: expected a positive one",
                config.sample_rate
            );
            return false;
        }
        let engine = self
            .params
            .state
            .listener
            .engine
            .lock()
            .get_or_insert_with(Engine::shared)
            .clone();
        self.start(config, engine);
        true
    }

    fn deactivate(&mut self) {
        self.processor = None;
        let state = &self.params.state;
        state.keep_sounds();
        *state.listener.view.lock() = None;
    }

    fn reset(&mut self) {
        if self.door.is_resuming() {
            return;
        }
        self.offline_detector.reset();
        if let Some(processor) = &mut self.processor {
            processor.reset();
            // A bounce begins with the match that the project has, not with the last bounce's.
            if self.bouncing {
                processor.hold(self.audio.mailbox.reported());
            }
        }
    }

    fn process(
        &mut self,
        buffer: &mut Buffer,
        aux: &mut AuxiliaryBuffers,
        context: &mut impl ProcessContext<Self>,
    ) -> ProcessStatus {
        self.events.clear();
        self.audio.feed.add_keys(&mut self.events);
        while let Some(event) = context.next_event() {
            if let Some(event) = translate(&event)
                && self.events.len() < self.events.capacity()
            {
                self.events.push(event);
            }
        }
        let begun = self.events.iter().filter(|event| is_note_on(event)).count();
        let seconds = buffer.samples() as f64 / f64::from(self.rate);
        let locked = self.watch_knobs(seconds as f32);
        let controls = self.controls(context.transport());
        let ahead = self.offline_detector.update(seconds, Instant::now());
        let offline = ahead || self.door.is_offline();
        if offline && !self.offline {
            self.params
                .state
                .offline_switches
                .fetch_add(1, Ordering::Relaxed);
        }
        let Some(processor) = &mut self.processor else {
            return ProcessStatus::Error("processed before it was activated");
        };
        if self.bouncing && !controls.bounce {
            // What was heard while bouncing leaves no trace.
            processor.hold(self.audio.mailbox.reported());
        }
        self.bouncing = controls.bounce;
        self.offline = offline;
        let [left, right] = buffer.as_slice() else {
            return ProcessStatus::Error("the output is not stereo");
        };
        let sidechain = match aux.inputs.first().map(Buffer::as_slice_immutable) {
            Some([left, right]) if left.len() == right.len() => Some([&**left, &**right]),
            _ => None,
        };
        let sidechain = sidechain.filter(|[l, _]| l.len() == left.len());
        let source = &self.params.state.source;
        let song = context.transport();
        let song = song.pos_seconds().filter(|_| song.playing);
        let playing = self.audio.source.play(left.len(), self.rate, song);
        let aloud = playing && source.is_aloud() && controls.listen;
        let sidechain = match playing {
            true => Some([self.audio.source.played(); 2]),
            false => sidechain,
        };
        let wait_until = offline.then(|| {
            // The framework cuts a host's block at each change of a parameter: all its parts have
            // one deadline. Without a guard there are no numbers.
            let block = self.door.block();
            match self.deadline {
                Some((of, until)) if of == block && block > 0 => until,
                _ => {
                    let longest = match self.bouncing {
                        true => LONGEST_DECLARED_WAIT,
                        false => LONGEST_WAIT,
                    };
                    self.deadline.insert((block, Instant::now() + longest)).1
                }
            }
        });
        let moved = processor.process(
            &controls,
            wait_until,
            sidechain,
            left,
            right,
            &mut self.events,
        );
        if moved && !self.bouncing {
            self.audio.mailbox.report(processor.held());
        }
        if aloud {
            self.audio.source.add(left, right);
        }
        let begun = begun as u32;
        let voices = processor.voices() as u32;
        let state = &self.params.state;
        let output: [&[f32]; 2] = [left, right];
        self.audio
            .feed
            .show(&state.feed, sidechain, output, begun, voices);
        let held = processor.held().map(|target| target.inference);
        // A bounce is not the player's doing.
        if !offline && (self.changes.update(held, seconds as f32) || locked) {
            self.door.mark_changed();
        }
        // A host that lets silent instruments sleep is to go on while a melody plays.
        let sounds = processor.sounds() || playing;
        self.door.set_sound(sounds, processor.tail());
        // Lets the host forget its modulation of these notes.
        for note in processor.ended() {
            let _ = context.try_send_event(NoteEvent::VoiceTerminated {
                timing: left.len().saturating_sub(1) as u32,
                voice_id: VoiceID::ID(note.id),
                channel: Channel::Number(note.channel),
                key: Key::Number(note.key as u8),
            });
        }
        ProcessStatus::Normal
    }
}

/// Whether an event starts a note.
fn is_note_on(event: &Event) -> bool {
    matches!(event.kind, EventKind::NoteOn { .. })
}

impl ClapPlugin for MirrorNet {
    const CLAP_ID: &'static str = "org.mirrornet.mirrornet";
    const CLAP_DESCRIPTION: Option<&'static str> =
        Some("A synthesizer that sounds like what it listens to");
    const CLAP_MANUAL_URL: Option<&'static str> = None;
    const CLAP_SUPPORT_URL: Option<&'static str> = None;
    const CLAP_FEATURES: &'static [ClapFeature] = &[
        ClapFeature::Instrument,
        ClapFeature::Synthesizer,
        ClapFeature::Stereo,
    ];
    const CLAP_POLY_MODULATION_CONFIG: Option<PolyModulationConfig> = Some(PolyModulationConfig {
        max_voice_capacity: Synth::MAX_VOICES as u32,
        supports_overlapping_voices: true,
    });

    fn remote_controls(&self, context: &mut impl RemoteControlsContext) {
        remote_controls::declare(&self.params, context);
    }
}

impl Vst3Plugin for MirrorNet {
    const VST3_CLASS_ID: [u8; 16] = *b"MirrorNetSynth01";
    const VST3_SUBCATEGORIES: &'static [Vst3SubCategory] =
        &[Vst3SubCategory::Instrument, Vst3SubCategory::Synth];
}

#[cfg(test)]
pub mod tests;
