//! A job's notes, MIDI messages and hostile events, cut into blocks.

use clack_host::events::Match;
use clack_host::events::event_types::*;
use clack_host::prelude::*;
use clack_host::utils::ClapId;
use rand::{Rng, SeedableRng, seq::IndexedRandom};
use tests::job::Job;

/// An event at a sample.
#[derive(Clone, Copy)]
enum Arrival {
    NoteOff { key: u16, id: u32 },
    Midi([u8; 3]),
    NoteOn { key: u16, id: u32, velocity: f64 },
    Hostile,
}

/// All events of a job in time order.
pub struct Events {
    arrivals: Vec<(u64, Arrival)>,
    next: usize,
    params: Vec<ClapId>,
    rng: rand_pcg::Pcg64Mcg,
}

/// Numbers that no host should send.
const HOSTILE: [f64; 8] = [
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    1e300,
    -1e300,
    1e-310,
    -1.0,
    1e9,
];

impl Events {
    /// Events of `job`; `params` are those hostile events aim at.
    pub fn new(job: &Job, params: Vec<ClapId>) -> Self {
        let sample = |seconds: f64| (seconds * job.rate).round() as u64;
        let mut arrivals = Vec::new();
        for (i, note) in job.notes.iter().enumerate() {
            let (key, id) = (note.key.round() as u16, i as u32);
            let velocity = note.velocity as f64;
            arrivals.push((sample(note.onset), Arrival::NoteOn { key, id, velocity }));
            arrivals.push((
                sample(note.onset + note.duration),
                Arrival::NoteOff { key, id },
            ));
        }
        arrivals.extend(
            job.midi
                .iter()
                .map(|&(time, data)| (sample(time), Arrival::Midi(data))),
        );
        if job.hostile.is_some() {
            // One every 5 ms.
            let count = (job.seconds * 200.0) as u64;
            arrivals.extend((0..count).map(|i| (sample(i as f64 / 200.0), Arrival::Hostile)));
        }
        let rank = |arrival: &Arrival| match arrival {
            Arrival::NoteOff { .. } => 0,
            Arrival::Midi(_) => 1,
            Arrival::NoteOn { .. } => 2,
            Arrival::Hostile => 3,
        };
        arrivals.sort_by_key(|(time, arrival)| (*time, rank(arrival)));
        let rng = rand_pcg::Pcg64Mcg::seed_from_u64(job.hostile.unwrap_or(0));
        Self {
            arrivals,
            next: 0,
            params,
            rng,
        }
    }

    /// Fills `buffer` with the events of samples `from..from + length`.
    pub fn block(&mut self, from: u64, length: u64, buffer: &mut EventBuffer) {
        while let Some(&(time, arrival)) = self.arrivals.get(self.next) {
            if time >= from + length {
                return;
            }
            self.next += 1;
            let at = (time - from) as u32;
            match arrival {
                Arrival::NoteOn { key, id, velocity } => {
                    buffer.push(&NoteOnEvent::new(
                        at,
                        Pckn::new(0u16, 0u16, key, id),
                        velocity,
                    ));
                }
                Arrival::NoteOff { key, id } => {
                    buffer.push(&NoteOffEvent::new(at, Pckn::new(0u16, 0u16, key, id), 0.0));
                }
                Arrival::Midi(data) => buffer.push(&MidiEvent::new(at, 0, data)),
                Arrival::Hostile => self.hostile(at, buffer),
            }
        }
    }

    fn hostile(&mut self, at: u32, buffer: &mut EventBuffer) {
        use NoteExpressionType as E;
        let value = *HOSTILE.choose(&mut self.rng).expect("not empty");
        let key = self.rng.random_range(0..128u16);
        let target = Pckn::new(0u16, self.rng.random_range(0..16u16), key, Match::All);
        match self.rng.random_range(0..5) {
            0 => buffer.push(&NoteOnEvent::new(at, target, value)),
            1 => buffer.push(&NoteOffEvent::new(at, target, value)),
            2 => {
                let data = [
                    self.rng.random_range(0x80..=0xFF),
                    self.rng.random(),
                    self.rng.random(),
                ];
                buffer.push(&MidiEvent::new(at, 0, data));
            }
            3 => {
                let kinds = [
                    E::Volume,
                    E::Pan,
                    E::Tuning,
                    E::Vibrato,
                    E::Expression,
                    E::Brightness,
                    E::Pressure,
                ];
                let kind = *kinds.choose(&mut self.rng).expect("not empty");
                buffer.push(&NoteExpressionEvent::new(
                    at,
                    Pckn::match_all(),
                    kind,
                    value,
                ));
            }
            _ => {
                if let Some(&param) = self.params.choose(&mut self.rng) {
                    buffer.push(&ParamValueEvent::new(at, param, Pckn::match_all(), value));
                }
            }
        }
    }
}
