//! Offline rendering of many melodies side by side, for training: the filters of different renders
//! share the vectors that the voices of one instrument would leave empty.

use crate::filter::bank::{FilterBank, LANES};
use crate::render::{mean, notes_to_events};
use crate::synth::Step;
use crate::{CONTROL, Event, Note, Patch, Synth};
use simd::InstructionSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// One render of a batch.
#[derive(Clone, Copy, Debug)]
pub struct Job<'a> {
    /// Patch that sounds.
    pub patch: &'a Patch,
    /// Notes to play.
    pub notes: &'a [Note],
    /// Length in seconds.
    pub seconds: f64,
    /// Seed, as in [`Synth::set_seed`].
    pub seed: u64,
}

/// Renders batches. Keeps its instruments, so one per thread.
pub struct Batch {
    synths: Vec<Synth>,
    bank: FilterBank,
    set: InstructionSet,
    stop: Option<Arc<AtomicBool>>,
}

/// A render under way, or done.
#[derive(Default)]
struct Render {
    /// Index of its job.
    job: usize,
    events: Vec<Event>,
    /// Index of the next event.
    next: usize,
    /// Begin and end of the render within the batch, in samples.
    begin: usize,
    end: usize,
}

impl Render {
    fn new(index: usize, job: &Job<'_>, synth: &mut Synth, begin: usize) -> Self {
        synth.prepare(job.patch, job.seed);
        Self {
            job: index,
            events: notes_to_events(job.notes, synth.sample_rate()),
            next: 0,
            begin,
            end: begin + job.len(synth.sample_rate()),
        }
    }

    /// Time of the next event or of the end, whichever comes first.
    fn due(&self) -> usize {
        let event = self.events.get(self.next);
        event.map_or(self.end, |e| self.end.min(self.begin + e.time as usize))
    }
}

impl Job<'_> {
    /// Length in samples.
    fn len(&self, sample_rate: f32) -> usize {
        (self.seconds * sample_rate as f64).round() as usize
    }
}

impl Batch {
    /// Instruments for `sample_rate` in Hz.
    pub fn new(sample_rate: f32) -> Self {
        Self::with_instruction_set(sample_rate, Synth::best_instruction_set())
    }

    /// [`Batch::new`] with another instruction set than [`Synth::best_instruction_set`].
    pub fn with_instruction_set(sample_rate: f32, set: InstructionSet) -> Self {
        let synth = |n| {
            let mut synth = Synth::with_instruction_set(sample_rate, set);
            synth.join(n);
            synth
        };
        Self {
            synths: (0..LANES).map(synth).collect(),
            bank: FilterBank::new(LANES),
            set,
            stop: None,
        }
    }

    /// Ends renders where they are as soon as `stop` is true.
    pub fn stop_at(&mut self, stop: Arc<AtomicBool>) {
        self.stop = Some(stop);
    }

    /// Renders every job: `[left, right]` each, the same samples as [`crate::render`].
    pub fn render(&mut self, jobs: &[Job<'_>]) -> Vec<[Vec<f32>; 2]> {
        let rate = self.synths[0].sample_rate();
        let empty = |job: &Job<'_>| [0; 2].map(|_| Vec::with_capacity(job.len(rate)));
        let mut renders: Vec<_> = jobs.iter().map(empty).collect();
        self.run(jobs, |job, left, right| {
            renders[job][0].extend_from_slice(left);
            renders[job][1].extend_from_slice(right.unwrap_or(left));
        });
        renders
    }

    /// Renders every job in mono: the same samples as [`crate::render_mono`]. `out` becomes as long
    /// as `jobs`; its previous contents are overwritten and keep their
    /// allocations.
    pub fn render_mono(&mut self, jobs: &[Job<'_>], out: &mut Vec<Vec<f32>>) {
        out.resize_with(jobs.len(), Vec::new);
        for (job, out) in jobs.iter().zip(&mut *out) {
            out.clear();
            out.reserve(job.len(self.synths[0].sample_rate()));
        }
        self.run(jobs, |job, left, right| match right {
            None => out[job].extend_from_slice(left),
            Some(right) => out[job].extend(left.iter().zip(right).map(mean)),
        });
    }

    fn is_stopped(&self) -> bool {
        let stop = self.stop.as_ref();
        stop.is_some_and(|stop| stop.load(Ordering::Acquire))
    }

    /// Renders every job, giving its samples, left and, if it is another, right, to `write` piece
    /// by piece, behind the job's index. An instrument that is done takes the next job.
    fn run(&mut self, jobs: &[Job<'_>], mut write: impl FnMut(usize, &[f32], Option<&[f32]>)) {
        let mut jobs = jobs.iter().enumerate();
        let mut renders: Vec<Render> = Vec::new();
        renders.resize_with(self.synths.len(), Render::default);
        let mut clock = 0;
        while !self.is_stopped() {
            let on_grid = clock % CONTROL == 0;
            // When one of them has something to do next.
            let mut until = None::<usize>;
            for (synth, render) in self.synths.iter_mut().zip(&mut renders) {
                // All have to be on the control grid together.
                while render.end <= clock
                    && on_grid
                    && let Some((index, job)) = jobs.next()
                {
                    *render = Render::new(index, job, synth, clock);
                }
                while clock < render.end && render.due() == clock {
                    synth.handle(&render.events[render.next].kind);
                    render.next += 1;
                }
                let due = if clock < render.end {
                    render.due()
                } else if jobs.len() > 0 {
                    clock.next_multiple_of(CONTROL)
                } else {
                    continue;
                };
                until = Some(until.map_or(due, |until| until.min(due)));
            }
            let Some(until) = until else {
                return;
            };
            while clock < until {
                let len = (CONTROL - clock % CONTROL).min(until - clock);
                self.set.run_narrow(Step {
                    synths: &mut self.synths,
                    bank: &mut self.bank,
                    len,
                });
                clock += len;
                if clock < until && !self.synths[0].output().is_full() {
                    continue;
                }
                for (synth, render) in self.synths.iter_mut().zip(&renders) {
                    let (left, right) = synth.output().take();
                    if clock <= render.end {
                        write(render.job, left, right);
                    }
                    if clock == render.end {
                        // What goes on sounding is work for nothing.
                        synth.reset();
                    }
                }
            }
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
            .map(|n| {
                let mut patch = Patch::default();
                (0..COUNT).for_each(|row| patch.set(row, rng.random()));
                if n % 2 == 0 {
                    // Without effects an instrument rests between notes, which a batch doesn't.
                    let mixes = [params::CHORUS_MIX, params::DELAY_MIX, params::REVERB_MIX];
                    mixes.into_iter().for_each(|row| patch.set(row, 0.0));
                }
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
            .filter(|set| set.is_available() && set.lanes() <= 8)
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
            // Over whatever is there.
            let mut mono = vec![vec![1.0; 9]; 50];
            batch.render_mono(&jobs, &mut mono);
            assert_eq!(mono.len(), jobs.len());
            for (mono, [left, right]) in mono.iter().zip(&renders) {
                let mean = left.iter().zip(right).map(|(l, r)| 0.5 * (l + r));
                assert!(mean.eq(mono.iter().copied()), "{set:?}: mono differs");
            }
        }
    }
}
