//! The pedals, and their return to rest with a channel's other controllers.
//!
//! A note whose key is up sounds on while the sustain pedal of its channel, or of its zone's
//! master, is down, or while the sostenuto pedal is that caught it. Whenever a pedal comes up every
//! note is asked again, whatever channel it was: what a change of zones has cut off from its pedal
//! ends then.

use super::Synth;
use crate::voice::Voice;

impl Synth {
    pub(super) fn sustain(&mut self, channel: u8, down: bool) {
        self.shared.channels[channel as usize].pedal = down;
        if !down {
            self.let_go();
        }
    }

    pub(super) fn sostenuto(&mut self, channel: u8, down: bool) {
        let before = &mut self.shared.channels[channel as usize].sostenuto;
        if std::mem::replace(before, down) == down {
            return;
        }
        let shared = &self.shared;
        if down {
            let reached = |c: u8| shared.reaches(channel, c);
            for &i in &self.active {
                let voice = &mut self.voices[i];
                voice.caught |= voice.held && reached(voice.note.channel);
            }
            for key in &mut self.keys {
                key.caught |= !key.let_go && reached(key.note.channel);
            }
        } else {
            for &i in &self.active {
                let voice = &mut self.voices[i];
                voice.caught &= shared.sostenuto(voice.note.channel);
            }
            for key in &mut self.keys {
                key.caught &= shared.sostenuto(key.note.channel);
            }
            self.let_go();
        }
    }

    /// Ends the notes that no key and no pedal holds.
    fn let_go(&mut self) {
        for n in 0..self.active.len() {
            let i = self.active[n];
            let voice = &self.voices[i];
            let holds = voice.held || voice.caught || self.shared.pedal(voice.note.channel);
            if !holds && !voice.is_released() {
                self.change(i, Voice::release);
            }
        }
        let shared = &self.shared;
        self.keys
            .retain(|k| !k.let_go || k.caught || shared.pedal(k.note.channel));
        self.settle();
    }

    /// Returns the controllers of a channel, or of a zone, to rest.
    pub(super) fn reset_controllers(&mut self, channel: u8) {
        for c in 0..16 {
            if !self.shared.reaches(channel, c) {
                continue;
            }
            self.sustain(c, false);
            self.sostenuto(c, false);
            let member = self.shared.is_member(c);
            let own = &mut self.shared.channels[c as usize];
            own.reset();
            if member {
                // There it is a note's expression.
                own.brightness = 0.0;
            }
            self.express(|note| note.channel == c, |note| note.pressure = 0.0);
        }
    }
}
