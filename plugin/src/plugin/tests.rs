//! The plugin, called as its host calls it.

use super::*;
use matcher::Inference;
use matcher::live::{Limits, Target};
use nice_assert_no_alloc::assert_no_alloc;
use nice_plug::context::PluginApi;
use nice_plug::context::process::SendEventError;
use nice_plug::midi::{Channel, Key, VoiceID};
use nice_plug::params::InternalParamMut;
use nice_plug::prelude::Params as _;
use std::collections::VecDeque;
use synth::{MATCHED_COUNT, Patch};

const RATE: f32 = 48_000.0;
const BLOCK: usize = 512;

/// A host that hands `events` to `process`.
struct Host {
    events: VecDeque<NoteEvent<()>>,
    transport: Transport,
}

impl ProcessContext<MirrorNet> for Host {
    fn plugin_api(&self) -> PluginApi {
        PluginApi::Clap
    }
    fn execute_background(&self, _task: ()) {}
    fn execute_gui(&self, _task: ()) {}
    fn transport(&self) -> &Transport {
        &self.transport
    }
    fn next_event(&mut self) -> Option<NoteEvent<()>> {
        self.events.pop_front()
    }
    fn try_send_event(
        &mut self,
        event: NoteEvent<()>,
    ) -> Result<(), (NoteEvent<()>, SendEventError)> {
        Err((event, SendEventError::NoOutputBuffer))
    }
    fn set_latency_samples(&self, _samples: u32) {}
    fn request_restart(&self) {}
    fn set_current_voice_capacity(&self, _capacity: u32) {}
}

fn note(key: u8) -> NoteEvent<()> {
    NoteEvent::NoteOn {
        timing: 17,
        voice_id: VoiceID::Wildcard,
        channel: Channel::Number(0),
        key: Key::Number(key),
        velocity: 0.8,
    }
}

/// An instance whose engine is not installed.
pub fn started() -> MirrorNet {
    let mut plugin = MirrorNet::default();
    let config = BufferConfig {
        sample_rate: RATE,
        min_buffer_size: None,
        max_buffer_size: BLOCK as u32,
        process_mode: ProcessMode::Realtime,
    };
    let nowhere = std::env::temp_dir().join("no MirrorNet engine here");
    plugin.start(&config, Engine::at(&nowhere));
    plugin.reset();
    plugin
}

/// Renders a block with `events` and a loud sidechain; fails if `process` allocates.
pub fn block(plugin: &mut MirrorNet, events: &[NoteEvent<()>]) -> Vec<f32> {
    let mut out = [vec![0.0; BLOCK], vec![0.0; BLOCK]];
    let mut side = [vec![0.5; BLOCK], vec![-0.25; BLOCK]];
    let mut host = Host {
        events: events.iter().copied().collect(),
        transport: Transport::new(RATE),
    };
    {
        let (mut main, mut aux) = (Buffer::default(), Buffer::default());
        #[allow(unsafe_code)] // The framework's only way to fill a buffer.
        // SAFETY: all slices have the length given, and outlive the buffers.
        unsafe {
            main.set_slices(BLOCK, |slices| {
                *slices = out.iter_mut().map(|c| &mut c[..]).collect()
            });
            aux.set_slices(BLOCK, |slices| {
                *slices = side.iter_mut().map(|c| &mut c[..]).collect()
            });
        }
        let mut inputs = [aux];
        let mut aux = AuxiliaryBuffers {
            inputs: &mut inputs,
            outputs: &mut [],
        };
        let status = assert_no_alloc(|| plugin.process(&mut main, &mut aux, &mut host));
        assert_eq!(status, ProcessStatus::Normal);
    }
    let [mut left, right] = out;
    left.extend(right);
    left
}

/// Sets a parameter as the host does.
pub fn set(param: &HostParam, x: f32) {
    #[allow(unsafe_code)] // The host's part is played here.
    // SAFETY: no wrapper uses this parameter.
    unsafe {
        match param {
            HostParam::Quantity(param) => param._internal_set_normalized_value(x),
            HostParam::Stepped(param) => param._internal_set_normalized_value(x),
        };
    }
}

/// Modulates a quantity by a normalised `offset`, as the host does.
pub fn modulate(param: &HostParam, offset: f32) {
    let HostParam::Quantity(param) = param else {
        panic!("no quantity");
    };
    #[allow(unsafe_code)] // The host's part is played here.
    // SAFETY: no wrapper uses this parameter.
    unsafe {
        param._internal_modulate_value(offset);
    }
}

/// The parameters of an instance.
pub fn params_of(plugin: &MirrorNet) -> Arc<Params> {
    plugin.params.clone()
}

/// The patch that sounded in the last block.
pub fn sounding(plugin: &MirrorNet) -> Patch {
    let processor = plugin.processor.as_ref().expect("it is active");
    *processor.sounding().expect("a block was played")
}

fn some() -> Target {
    Target::new(
        Inference {
            mean: [0.3; MATCHED_COUNT],
            sigma: [0.1; MATCHED_COUNT],
        },
        &Patch::default(),
    )
}

#[test]
fn the_plugin_plays_without_an_engine_and_without_allocating() {
    let mut plugin = started();
    let mut peak = 0.0f32;
    for k in 0..200 {
        let events: Vec<_> = (0..k % 3).map(|n| note(50 + n)).collect();
        let out = block(&mut plugin, &events);
        assert!(out.iter().all(|x| x.is_finite()));
        peak = out.iter().fold(peak, |peak, x| peak.max(x.abs()));
    }
    assert!(peak > 0.01);
}

#[test]
fn a_block_full_of_events_is_cut_short() {
    let mut plugin = started();
    let reset = NoteEvent::MidiCC {
        timing: 3,
        channel: 0,
        cc: 121,
        value: 0.0,
    };
    block(&mut plugin, &vec![reset; 3 * EVENTS]);
    assert_eq!(plugin.events.len(), EVENTS);
}

#[test]
fn describing_the_plugin_starts_neither_engine_nor_listener() {
    let plugin = MirrorNet::default();
    plugin.params().param_map();
    let state = plugin.params().serialize_fields();
    plugin.params().deserialize_fields(&state);
    assert!(plugin.params.state.listener.engine.lock().is_none());
    assert!(plugin.params.state.listener.view.lock().is_none());
}

#[test]
fn a_state_restored_while_playing_is_heard_and_saved() {
    let mut plugin = started();
    block(&mut plugin, &[]);
    let (other, mut audio) = InstanceState::new();
    audio.mailbox.report(Some(some()));
    let text = other.save();
    let params = plugin.params.clone();
    let fields = [(crate::state::FIELD.to_owned(), text.clone())].into();
    params.deserialize_fields(&fields);
    assert_eq!(params.state.held(), Some(some()));
    block(&mut plugin, &[]);
    assert_eq!(plugin.processor.as_ref().unwrap().held(), Some(some()));
    assert_eq!(params.serialize_fields(), fields);

    // Deactivated and activated again, as hosts do at will.
    plugin.deactivate();
    assert_eq!(params.serialize_fields(), fields);
    let config = BufferConfig {
        sample_rate: 44_100.0,
        min_buffer_size: None,
        max_buffer_size: 64,
        process_mode: ProcessMode::Offline,
    };
    plugin.start(&config, Engine::at(&std::env::temp_dir().join("nowhere")));
    assert_eq!(plugin.processor.as_ref().unwrap().held(), Some(some()));
}

#[test]
fn automation_locks_and_loading_does_not() {
    let mut plugin = started();
    let cutoff = synth::params::FILTER_CUTOFF;
    block(&mut plugin, &[]);
    set(&plugin.params.rows[cutoff], 0.9);
    block(&mut plugin, &[]);
    let locked = |plugin: &MirrorNet| {
        plugin
            .params
            .state
            .limits()
            .locked
            .iter()
            .filter(|&&l| l)
            .count()
    };
    assert_eq!(locked(&plugin), 1);

    assert!(plugin.params.state.door.take_changed());

    // A project is loaded: first its parameters, then its fields.
    for param in &plugin.params.rows {
        set(param, 0.37);
    }
    plugin.params.deserialize_fields(&Default::default());
    block(&mut plugin, &[]);
    assert_eq!(locked(&plugin), 0);
    assert!(!plugin.params.state.door.take_changed());
}

/// A host undoes a loaded patch by setting its parameters back.
#[test]
fn what_belongs_to_a_patch_comes_back_with_its_values() {
    let mut plugin = started();
    let params = plugin.params.clone();
    let state = params.state.clone();
    block(&mut plugin, &[]);
    // Something is matched, and a knob locked by hand.
    let (other, mut audio) = InstanceState::new();
    audio.mailbox.report(Some(some()));
    let fields = [(crate::state::FIELD.to_owned(), other.save())].into();
    params.deserialize_fields(&fields);
    block(&mut plugin, &[]);
    set(&params.rows[synth::params::FILTER_CUTOFF], 0.9);
    block(&mut plugin, &[]);
    let before = state.snapshot(&params.unmodulated());
    assert!(before.held.is_some() && before.limits.locked.contains(&true));

    // A patch is loaded; its values come with a later block.
    let patch = Patch::default().with_matched(&[0.4; MATCHED_COUNT]);
    let mut after = before;
    (after.knobs, after.limits, after.held) = (*patch.values(), Limits::NONE, None);
    state.load(before, after);
    block(&mut plugin, &[]);
    let write = |knobs: &[f32]| {
        for (param, &x) in params.rows.iter().zip(knobs) {
            set(param, x);
        }
    };
    write(&after.knobs);
    block(&mut plugin, &[]);
    assert_eq!(state.snapshot(&params.unmodulated()), after);

    // The host's undo, in two blocks, and its redo.
    write(&before.knobs[..50]);
    block(&mut plugin, &[]);
    write(&before.knobs);
    block(&mut plugin, &[]);
    assert_eq!(state.snapshot(&params.unmodulated()), before);
    assert_eq!(plugin.processor.as_ref().unwrap().held(), before.held);
    write(&after.knobs);
    block(&mut plugin, &[]);
    assert_eq!(state.snapshot(&params.unmodulated()), after);
}

/// A match that moved to another sound is worth saving, but not in a bounce.
#[test]
fn a_match_that_moved_marks_the_project_changed_once() {
    for offline in [false, true] {
        let mut plugin = started();
        plugin.offline_detector = OfflineDetector::new(offline);
        block(&mut plugin, &[]);
        plugin.processor.as_mut().unwrap().hold(Some(some()));
        let mut marked = 0;
        for _ in 0..200 {
            block(&mut plugin, &[]);
            marked += usize::from(plugin.params.state.door.take_changed());
        }
        assert_eq!(marked, usize::from(!offline));
    }
}
