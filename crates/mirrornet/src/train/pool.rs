//! Rendering threads. Jobs go in and results come out in any order; what is asked for is what decides
//! the training, so timing can't.

use super::babble::{Sample, stream};
use crate::plant::{Phrase, Plant, Window};
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use ear::{EarConfig, EarError};
use std::collections::{HashMap, HashSet};
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
}

/// The threads, and what they have finished.
pub struct Pool {
    jobs: Option<Sender<Job>>,
    done: Receiver<Done>,
    threads: Vec<JoinHandle<()>>,
    pending: HashSet<u64>,
    samples: HashMap<u64, Arc<Sample>>,
    renders: HashMap<u64, Window>,
}

impl Pool {
    /// Starts `threads` threads on the stream of `seed`.
    pub fn new(threads: usize, ear: &EarConfig, seed: u64) -> Result<Self, EarError> {
        let (jobs, todo) = bounded::<Job>(256);
        let (finished, done) = bounded(256);
        let threads = (0..threads)
            .map(|_| {
                let (todo, finished) = (todo.clone(), finished.clone());
                let mut plant = Plant::new(ear)?;
                Ok(std::thread::spawn(move || {
                    for job in todo {
                        let result = match job {
                            Job::Sample(i) => Done::Sample(
                                i,
                                Arc::new(Sample::new(&mut plant, seed, stream::BABBLE, i)),
                            ),
                            Job::Render(ticket, h, phrase) => {
                                let audio = plant.play(&Patch::default().with_matched(&h), &phrase);
                                Done::Render(ticket, plant.window(&audio, phrase.start))
                            }
                        };
                        if finished.send(result).is_err() {
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
        })
    }

    fn keep(&mut self, done: Done) {
        match done {
            Done::Sample(i, sample) => {
                self.pending.remove(&i);
                self.samples.insert(i, sample);
            }
            Done::Render(ticket, window) => {
                self.renders.insert(ticket, window);
            }
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
        if !self.samples.contains_key(&index) && self.pending.insert(index) {
            self.submit(Job::Sample(index));
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
