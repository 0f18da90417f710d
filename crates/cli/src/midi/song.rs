//! The song in a MIDI file: its notes alone, or with its controllers, as the plugin would get them.

use std::collections::BTreeSet;
use synth::{Automation, Event, EventKind, Note};

/// A note and how it is played.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Played {
    /// The note as it sounds: until the pedal is up.
    pub note: Note,
    /// Seconds at which its key is let go.
    pub let_go: f64,
    /// MIDI channel, 0 to 15.
    pub channel: u8,
    /// The synth's name for it.
    pub id: i32,
}

/// The content of a MIDI file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Song {
    pub(super) played: Vec<Played>,
    /// Times in seconds of pitch bends, pedals and other controllers that the synth follows.
    pub(super) controls: Vec<(f64, EventKind)>,
    /// Remarks on repairs and omissions in reading.
    pub remarks: Vec<String>,
}

impl Song {
    /// The notes in order of onset, each as long as it sounds with the pedal.
    pub fn notes(&self) -> Vec<Note> {
        self.played.iter().map(|p| p.note).collect()
    }

    /// Names of the controllers that move and that notes alone don't hold.
    pub fn beyond_notes(&self) -> Option<String> {
        let names = self.controls.iter().filter_map(|(_, kind)| match kind {
            EventKind::PitchBend { value, .. } if value.abs() > 1e-3 => Some("pitch bend"),
            EventKind::ModWheel { value, .. } if *value != 0.0 => Some("modulation wheel"),
            EventKind::ChannelPressure { value, .. } | EventKind::Pressure { value, .. }
                if *value != 0.0 =>
            {
                Some("pressure")
            }
            EventKind::ChannelBrightness { .. } => Some("brightness"),
            EventKind::ChannelVolume { .. } => Some("volume"),
            EventKind::ChannelExpression { value, .. } if *value != 1.0 => Some("expression"),
            EventKind::ChannelPan { pan, .. } if *pan != 0.0 => Some("pan"),
            _ => None,
        });
        // Each once, in a fixed order.
        let names: Vec<_> = names.collect::<BTreeSet<_>>().into_iter().collect();
        (!names.is_empty()).then(|| names.join(", "))
    }

    /// Events of the song, for one block that spans everything.
    fn events(&self, rate: f32) -> Vec<Event> {
        let sample = |seconds: f64| (seconds * f64::from(rate)).round().max(0.0) as u32;
        let mut events = Vec::with_capacity(2 * self.played.len() + self.controls.len());
        for played in &self.played {
            let Played {
                note, id, channel, ..
            } = *played;
            let (key, velocity) = (note.key, note.velocity);
            let time = sample(note.onset);
            let kind = EventKind::NoteOn {
                id,
                channel,
                key,
                velocity,
            };
            events.push(Event { time, kind });
            // At least one sample long, so that the off never precedes the on.
            let time = sample(played.let_go).max(time.saturating_add(1));
            let kind = EventKind::NoteOff { id, channel, key };
            events.push(Event { time, kind });
        }
        let controls = self.controls.iter();
        events.extend(controls.map(|&(time, kind)| Event {
            time: sample(time),
            kind,
        }));
        // Where a note ends as another starts, the end comes first; what a pedal or a bend changes
        // is changed for the notes that start with it.
        events.sort_by_key(|e| {
            let rank = match e.kind {
                EventKind::NoteOff { .. } => 0,
                EventKind::NoteOn { .. } => 2,
                _ => 1,
            };
            (e.time, rank)
        });
        events
    }

    /// Renders it like [`Automation::render`], with its controllers.
    pub fn render(
        &self,
        automation: &Automation,
        seconds: f64,
        sample_rate: f32,
        seed: u64,
    ) -> [Vec<f32>; 2] {
        automation.render_events(|rate| self.events(rate), seconds, sample_rate, seed)
    }
}
