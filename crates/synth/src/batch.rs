//! Offline rendering of many melodies side by side, for training: the filters of different renders
//! share the vectors that the voices of one instrument would leave empty.

use crate::effects::safety_clip;
use crate::filter::lanes::{LANES, Lanes};
use crate::render::notes_to_events;
use crate::simd::InstructionSet;
use crate::{Event, Note, Patch, Synth};

/// One render of a batch.
#[derive(Clone, Copy, Debug)]
pub struct Job<'a> {
    /// What sounds.
    pub patch: &'a Patch,
    /// What is played.
    pub notes: &'a [Note],
    /// Length.
    pub seconds: f64,
    /// As in [`Synth::set_seed`].
    pub seed: u64,
}

/// Renders batches. Keeps its instruments, so one per thread.
pub struct Batch {
    synths: Vec<Synth>,
    lanes: Lanes,
}

/// A render under way.
struct Render {
    events: Vec<Event>,
    next: usize,
    sides: [Vec<f32>; 2],
}

impl Render {
    fn len(&self) -> usize {
        self.sides[0].len()
    }

    /// When something happens next, after `position`: an event or the end.
    fn due(&self) -> usize {
        self.events
            .get(self.next)
            .map_or(self.len(), |e| self.len().min(e.time as usize))
    }
}

impl Batch {
    /// Instruments for `sample_rate` in Hz.
    pub fn new(sample_rate: f32) -> Self {
        Self::with_instruction_set(sample_rate, InstructionSet::best())
    }

    /// [`Batch::new`] on other vector instructions than the CPU's best.
    pub fn with_instruction_set(sample_rate: f32, set: InstructionSet) -> Self {
        let synth = |_| Synth::with_instruction_set(sample_rate, set);
        Self {
            synths: (0..LANES).map(synth).collect(),
            lanes: Lanes::new(set),
        }
    }

    /// Renders every job: `[left, right]` each, the same samples as [`crate::render`]. Jobs of like
    /// length are best put next to each other.
    pub fn render(&mut self, jobs: &[Job<'_>]) -> Vec<[Vec<f32>; 2]> {
        let mut done = Vec::with_capacity(jobs.len());
        for jobs in jobs.chunks(self.synths.len()) {
            self.render_some(jobs, &mut done);
        }
        done
    }

    /// As many jobs as there are instruments, at most.
    fn render_some(&mut self, jobs: &[Job<'_>], done: &mut Vec<[Vec<f32>; 2]>) {
        let synths = &mut self.synths[..jobs.len()];
        let mut renders: Vec<Render> = Vec::with_capacity(jobs.len());
        for (job, synth) in jobs.iter().zip(&mut *synths) {
            synth.prepare(job.patch, job.seed);
            let rate = synth.sample_rate();
            let len = (job.seconds * rate as f64).round() as usize;
            renders.push(Render {
                events: notes_to_events(job.notes, rate),
                next: 0,
                sides: [vec![0.0; len], vec![0.0; len]],
            });
        }
        let end = renders.iter().map(Render::len).max().unwrap_or(0);
        let mut position = 0;
        while position < end {
            let playing = |r: &Render| r.len() > position;
            let mut to = end;
            for (synth, render) in synths.iter_mut().zip(&mut renders) {
                while let Some(event) = render.events.get(render.next)
                    && event.time as usize == position
                    && playing(render)
                {
                    synth.handle(&event.kind);
                    render.next += 1;
                }
                if playing(render) {
                    to = to.min(render.due()).min(position + synth.ahead());
                }
            }
            let len = to - position;
            for (synth, render) in synths.iter_mut().zip(&renders) {
                if playing(render) {
                    synth.play(len);
                }
            }
            let channels = synths.iter_mut().flat_map(Synth::channels);
            self.lanes.process(len, channels);
            for (synth, render) in synths.iter_mut().zip(&mut renders) {
                if playing(render) {
                    let [left, right] = &mut render.sides;
                    synth.add_to(&mut left[position..to], &mut right[position..to]);
                }
            }
            position = to;
        }
        for mut render in renders {
            render.sides.iter_mut().for_each(|side| safety_clip(side));
            done.push(render.sides);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{COUNT, params};
    use rand::{Rng, SeedableRng};

    #[test]
    fn a_batch_gives_what_each_render_gives() {
        let mut rng = rand_pcg::Pcg64Mcg::seed_from_u64(4);
        let inputs: Vec<(Patch, Vec<Note>, f64)> = (0..37)
            .map(|_| {
                let mut patch = Patch::default();
                (0..COUNT).for_each(|row| patch.set(row, rng.random()));
                patch.set_plain(params::AMP_ATTACK, 0.01);
                let note = |i| Note {
                    onset: 0.03 * i as f64 + 0.01 * rng.random::<f64>(),
                    duration: 0.05,
                    key: rng.random_range(30.0..90.0),
                    velocity: 0.8,
                };
                let notes = (0..4).map(note).collect();
                (patch, notes, rng.random_range(0.05..0.2))
            })
            .collect();
        let jobs: Vec<Job<'_>> = inputs
            .iter()
            .map(|(patch, notes, seconds)| Job {
                patch,
                notes,
                seconds: *seconds,
                seed: 7,
            })
            .collect();
        for set in InstructionSet::ALL
            .into_iter()
            .filter(|set| set.is_available())
        {
            let mut batch = Batch::with_instruction_set(44_100.0, set);
            let renders = batch.render(&jobs);
            for (n, (job, render)) in jobs.iter().zip(&renders).enumerate() {
                let mut synth = Synth::with_instruction_set(44_100.0, set);
                synth.prepare(job.patch, job.seed);
                let mut sides = render.clone();
                let [left, right] = &mut sides;
                let events = notes_to_events(job.notes, 44_100.0);
                synth.process(left, right, &events);
                assert!(left.iter().any(|&x| x != 0.0), "job {n} is silent");
                assert!(sides == *render, "{set:?}, job {n}");
            }
            assert!(
                renders == batch.render(&jobs),
                "{set:?}: the second time differs"
            );
        }
    }
}
