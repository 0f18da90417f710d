//! Offline rendering of melodies by the engine that plays live.

use crate::{Event, EventKind, Patch, Synth};

/// A note of a melody.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Note {
    /// Start in seconds.
    pub onset: f64,
    /// Time from note-on to note-off in seconds.
    pub duration: f64,
    /// MIDI pitch, may be fractional.
    pub key: f32,
    /// 0 to 1.
    pub velocity: f32,
}

/// A melody as events, in time order, timed from its start: for one block that spans it all. The
/// notes' indices are their ids.
pub fn notes_to_events(notes: &[Note], sample_rate: f32) -> Vec<Event> {
    let sample = |seconds: f64| (seconds * sample_rate as f64).round().max(0.0) as u32;
    let mut events = Vec::with_capacity(2 * notes.len());
    for (id, n) in notes.iter().enumerate() {
        let (id, channel, key, velocity) = (id as i32, 0, n.key, n.velocity);
        let start = sample(n.onset);
        // At least one sample long, so that the off never precedes the on.
        let end = sample(n.onset + n.duration.max(0.0)).max(start.saturating_add(1));
        events.push(Event {
            time: start,
            kind: EventKind::NoteOn {
                id,
                channel,
                key,
                velocity,
            },
        });
        events.push(Event {
            time: end,
            kind: EventKind::NoteOff { id, channel, key },
        });
    }
    // Where a note ends as another starts, the end comes first.
    events.sort_by_key(|e| (e.time, !matches!(e.kind, EventKind::NoteOff { .. })));
    events
}

impl Synth {
    /// Renders `notes` with `patch` in mono: `out` becomes `seconds` long and keeps its allocation.
    /// Resets first; `seed` as in [`Synth::set_seed`]. The same samples as either side of
    /// [`render`], for a trainer that renders many clips.
    pub fn render_into(
        &mut self,
        patch: &Patch,
        notes: &[Note],
        seconds: f64,
        seed: u64,
        out: &mut Vec<f32>,
    ) {
        let mut right = [0.0; 512];
        self.prepare(patch, seed);
        out.clear();
        out.resize((seconds * self.sample_rate() as f64).round() as usize, 0.0);
        let events = notes_to_events(notes, self.sample_rate());
        let (mut next, mut from) = (0, 0);
        let mut block_events = Vec::with_capacity(events.len());
        for left in out.chunks_mut(right.len()) {
            block_events.clear();
            while next < events.len() && (events[next].time as usize) < from + left.len() {
                let Event { time, kind } = events[next];
                block_events.push(Event {
                    time: time - from as u32,
                    kind,
                });
                next += 1;
            }
            from += left.len();
            let len = left.len();
            self.process(left, &mut right[..len], &block_events);
        }
    }

    pub(crate) fn prepare(&mut self, patch: &Patch, seed: u64) {
        self.set_patch(patch, 0.0);
        self.set_seed(seed);
        self.reset();
    }
}

/// Renders `notes` with `patch` offline: `[left, right]`, each `seconds * sample_rate` samples, by
/// the same engine that plays live. `seed` chooses oscillator phases and noise.
pub fn render(
    patch: &Patch,
    notes: &[Note],
    seconds: f64,
    sample_rate: f32,
    seed: u64,
) -> [Vec<f32>; 2] {
    render_changes(
        patch,
        std::iter::empty(),
        0.0,
        notes,
        seconds,
        sample_rate,
        seed,
    )
}

/// [`render`] of a patch that changes: at each time in seconds, in order, the synth sets out for
/// another patch and takes `glide` seconds to get there, as in [`Synth::set_patch`].
pub fn render_changes(
    patch: &Patch,
    changes: impl Iterator<Item = (f64, Patch)>,
    glide: f32,
    notes: &[Note],
    seconds: f64,
    sample_rate: f32,
    seed: u64,
) -> [Vec<f32>; 2] {
    let events = |rate| notes_to_events(notes, rate);
    render_events(patch, changes, glide, events, seconds, sample_rate, seed)
}

/// [`render_changes`] of any `events`: those of one block that spans everything, at the rate in Hz
/// that it is given.
pub(crate) fn render_events(
    patch: &Patch,
    changes: impl Iterator<Item = (f64, Patch)>,
    glide: f32,
    events: impl FnOnce(f32) -> Vec<Event>,
    seconds: f64,
    sample_rate: f32,
    seed: u64,
) -> [Vec<f32>; 2] {
    let mut synth = Synth::new(sample_rate);
    synth.prepare(patch, seed);
    let rate = synth.sample_rate();
    let events = events(rate);
    let sample = |seconds: f64| (seconds * rate as f64).round() as usize;
    let len = sample(seconds);
    let mut sides = [vec![0.0; len], vec![0.0; len]];
    let [left, right] = &mut sides;
    let (mut from, mut next) = (0, 0);
    let mut play = |synth: &mut Synth, to: usize| {
        let to = to.clamp(from, len);
        let end = next + events[next..].partition_point(|e| (e.time as usize) < to);
        let block: Vec<Event> = events[next..end]
            .iter()
            .map(|e| Event {
                time: e.time - from as u32,
                kind: e.kind,
            })
            .collect();
        synth.process(&mut left[from..to], &mut right[from..to], &block);
        (from, next) = (to, end);
    };
    for (time, patch) in changes {
        play(&mut synth, sample(time));
        synth.set_patch(&patch, glide);
    }
    play(&mut synth, len);
    sides
}

/// [`render`] in mono, as by [`to_mono`].
pub fn render_mono(
    patch: &Patch,
    notes: &[Note],
    seconds: f64,
    sample_rate: f32,
    seed: u64,
) -> Vec<f32> {
    to_mono(render(patch, notes, seconds, sample_rate, seed))
}

/// The mean of both sides.
pub fn to_mono([mut left, right]: [Vec<f32>; 2]) -> Vec<f32> {
    for (l, r) in left.iter_mut().zip(&right) {
        *l = mean((l, r));
    }
    left
}

/// Mean of a sample's left and right.
pub(crate) fn mean((left, right): (&f32, &f32)) -> f32 {
    0.5 * (left + right)
}
