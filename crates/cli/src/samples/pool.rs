//! Rendering threads with an optional cache of samples. Results come out in any order and are
//! fetched by index or ticket, so neither timing nor the cache can change a training.

use super::babble::{Sample, stream};
use super::cache::Cache;
use super::distribution::Distribution;
use super::plant::{Phrase, Plant, Render, Window};
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use ear::{EarConfig, EarError};
use std::any::Any;
use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;
use synth::{MATCHED_COUNT, Patch};

enum Job {
    Sample(u64),
    Render(u64, [f32; MATCHED_COUNT], Phrase),
}

enum Done {
    Sample(u64, Arc<Sample>),
    Render(u64, Window),
    /// A thread has panicked with this message, and what it was to render will never come.
    Died(String),
}

/// A rendering thread has died: what the pool's methods panic with, without a message on the
/// screen, instead of waiting for it forever. The reason in words.
#[derive(Debug)]
pub struct WorkerDied(pub String);

/// Largest number of jobs that a thread renders in one batch.
const AT_ONCE: usize = 32;

/// Capacity of the queues of jobs and of results, for each thread.
const QUEUE: usize = 256;

/// Rendering threads, and the results not fetched yet.
pub struct Pool {
    jobs: Option<Sender<Job>>,
    done: Receiver<Done>,
    threads: Vec<JoinHandle<()>>,
    pending: HashSet<u64>,
    samples: HashMap<u64, Arc<Sample>>,
    renders: HashMap<u64, Window>,
    cache: Option<Cache>,
    cache_error: Option<String>,
}

impl Pool {
    /// Starts `threads` threads on the stream of `seed` and the samples of `of`, of which `cache`
    /// has some.
    pub fn new(
        threads: usize,
        ear: &EarConfig,
        of: &Distribution,
        seed: u64,
        cache: Option<Cache>,
    ) -> Result<Self, EarError> {
        let room = QUEUE * threads.max(1);
        let (jobs, todo) = bounded::<Job>(room);
        let (finished, done) = bounded(room);
        let threads = (0..threads)
            .map(|_| {
                let (todo, finished) = (todo.clone(), finished.clone());
                let (mut plant, of) = (Plant::new(ear)?, *of);
                Ok(std::thread::spawn(move || {
                    while let Ok(job) = todo.recv() {
                        // A fair share of what waits.
                        let more = (todo.len() / threads).min(AT_ONCE - 1);
                        let jobs = std::iter::once(job).chain(todo.try_iter().take(more));
                        let rendered =
                            catch_unwind(AssertUnwindSafe(|| work(&mut plant, &of, seed, jobs)));
                        let died = rendered.is_err();
                        let results =
                            rendered.unwrap_or_else(|panic| vec![Done::Died(message(&*panic))]);
                        for result in results {
                            if finished.send(result).is_err() {
                                return;
                            }
                        }
                        if died {
                            return;
                        }
                    }
                }))
            })
            .collect::<Result<_, EarError>>()?;
        Ok(Self {
            jobs: Some(jobs),
            done,
            threads,
            pending: HashSet::new(),
            samples: HashMap::new(),
            renders: HashMap::new(),
            cache,
            cache_error: None,
        })
    }

    /// Number of threads.
    pub fn threads(&self) -> usize {
        self.threads.len()
    }

    fn keep(&mut self, done: Done) {
        match done {
            Done::Sample(i, sample) => {
                self.pending.remove(&i);
                if let Some(cache) = &mut self.cache {
                    self.cache_error = self.cache_error.take().or(cache.add(i, &sample).err());
                }
                self.samples.insert(i, sample);
            }
            Done::Render(ticket, window) => {
                self.renders.insert(ticket, window);
            }
            Done::Died(reason) => resume_unwind(Box::new(WorkerDied(reason))),
        }
    }

    fn submit(&mut self, mut job: Job) {
        let jobs = self.jobs.clone().expect("jobs are open until drop");
        loop {
            match jobs.try_send(job) {
                Ok(()) => return,
                // Both queues may be full: empty one, or the threads would wait for us.
                Err(TrySendError::Full(back)) => {
                    job = back;
                    self.wait();
                }
                Err(TrySendError::Disconnected(_)) => panic!("every rendering thread has died"),
            }
        }
    }

    fn wait(&mut self) {
        let done = self.done.recv().expect("every rendering thread has died");
        self.keep(done);
    }

    /// Asks for sample `index`, unless it is there or on its way.
    pub fn request_sample(&mut self, index: u64) {
        if self.samples.contains_key(&index) || self.pending.contains(&index) {
            return;
        }
        match self.cache.as_mut().and_then(|cache| cache.get(index)) {
            Some(sample) => {
                self.samples.insert(index, Arc::new(sample));
            }
            None => {
                self.pending.insert(index);
                self.submit(Job::Sample(index));
            }
        }
    }

    /// Waits for sample `index`, which stays kept until [`Pool::forget_before`].
    pub fn sample(&mut self, index: u64) -> Arc<Sample> {
        self.request_sample(index);
        while !self.samples.contains_key(&index) {
            self.wait();
        }
        self.samples[&index].clone()
    }

    /// Takes the error that the cache has had since the last call, a sentence.
    pub fn cache_error(&mut self) -> Option<String> {
        self.cache_error.take()
    }

    /// Drops samples older than `index`.
    pub fn forget_before(&mut self, index: u64) {
        self.samples.retain(|&i, _| i >= index);
    }

    /// Asks for a render of `phrase` with matched parameters `h`, to be fetched by `ticket`.
    pub fn request_render(&mut self, ticket: u64, h: [f32; MATCHED_COUNT], phrase: Phrase) {
        self.submit(Job::Render(ticket, h, phrase));
    }

    /// Waits for the render asked for as `ticket`, and hands it over.
    pub fn render(&mut self, ticket: u64) -> Window {
        loop {
            if let Some(window) = self.renders.remove(&ticket) {
                return window;
            }
            self.wait();
        }
    }
}

/// Renders `jobs` in two batches, samples and requested renders.
fn work(
    plant: &mut Plant,
    of: &Distribution,
    seed: u64,
    jobs: impl Iterator<Item = Job>,
) -> Vec<Done> {
    let (mut indices, mut guesses) = (Vec::new(), Vec::new());
    for job in jobs {
        match job {
            Job::Sample(i) => indices.push(i),
            Job::Render(ticket, h, phrase) => {
                guesses.push((ticket, Patch::default().with_matched(&h), phrase));
            }
        }
    }
    let renders: Vec<Render<'_>> = guesses
        .iter()
        .map(|(_, patch, phrase)| Render {
            patch,
            phrase,
            whole: false,
        })
        .collect();
    let played = plant.play(&renders);
    let windows = guesses
        .iter()
        .zip(played)
        .map(|((ticket, _, phrase), audio)| {
            Done::Render(*ticket, plant.window(&audio, phrase.start))
        });
    let mut done: Vec<Done> = windows.collect();
    let samples = Sample::many(plant, of, seed, stream::BABBLE, &indices);
    done.extend(
        indices
            .iter()
            .zip(samples)
            .map(|(&i, sample)| Done::Sample(i, Arc::new(sample))),
    );
    done
}

/// The message of a panic.
fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".into())
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.jobs = None;
        // Threads blocked on a full queue must get their results off to see the end.
        while self.done.recv().is_ok() {}
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks that nobody waits for the renders of a dead thread.
    #[test]
    fn a_thread_that_dies_is_told_of() {
        let mut pool =
            Pool::new(2, &EarConfig::default(), &Distribution::default(), 1, None).unwrap();
        // More seconds than there are numbers for.
        let phrase = Phrase {
            notes: Vec::new(),
            start: 1e300,
            seed: 0,
        };
        let rendered = catch_unwind(AssertUnwindSafe(|| {
            pool.request_render(7, [0.5; MATCHED_COUNT], phrase);
            pool.render(7)
        }));
        let Err(died) = rendered.map(|_| ()) else {
            panic!("it was rendered");
        };
        assert!(died.is::<WorkerDied>());
    }
}
