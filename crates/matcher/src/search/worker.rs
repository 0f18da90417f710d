//! Worker threads of a search: each renders candidates in batches and hears them.

use ear::{CHANNELS, Ear, Spectrogram};
use std::sync::atomic::{AtomicUsize, Ordering};
use synth::Batch;

use crate::metric::mel::Resolution;

/// Number of warm-up frames that the ear hears before the first that counts.
const WARM_UP: usize = 3;

/// One thread's renderer, ear and buffers.
pub(super) struct Worker {
    pub(super) batch: Batch,
    pub(super) ear: Ear,
    pub(super) resolution: Resolution,
    /// The newest renders, mono.
    pub(super) audio: Vec<Vec<f32>>,
    /// Auditory spectrogram of the render heard last.
    pub(super) heard: Spectrogram,
    /// Mel bands of the render heard last: frames x bands.
    pub(super) mel: Vec<f32>,
}

impl Worker {
    /// Hears render `i` from frame `first` on; a frame has `samples` samples.
    pub(super) fn hear(&mut self, i: usize, first: usize, samples: f64) {
        let audio = |frame: usize| {
            let from = (frame as f64 * samples).round() as usize;
            self.audio[i].get(from..).unwrap_or_default()
        };
        let warm_up = first.min(WARM_UP);
        self.ear.hear(audio(first - warm_up), &mut self.heard);
        let warm_up = (warm_up * CHANNELS).min(self.heard.data.len());
        self.heard.data.drain(..warm_up);
        self.resolution.powers(audio(first), &mut self.mel);
    }
}

/// Evaluates `jobs` on one thread per worker, several jobs in a batch. Results are in the order of
/// the jobs, whatever the number of workers.
pub(super) fn in_parallel<J: Sync, R: Send>(
    workers: &mut [Worker],
    jobs: &[J],
    evaluate: impl Fn(&mut Worker, &[J]) -> Vec<R> + Sync,
) -> Vec<R> {
    /// Largest batch of jobs: two of the widest vectors.
    const MAX_BATCH: usize = 16;
    let batch = jobs.len().div_ceil(workers.len()).clamp(1, MAX_BATCH);
    let chunks: Vec<&[J]> = jobs.chunks(batch).collect();
    let next = AtomicUsize::new(0);
    let work = |worker: &mut Worker| {
        let mut done = Vec::new();
        while let Some((i, chunk)) = {
            let i = next.fetch_add(1, Ordering::Relaxed);
            chunks.get(i).map(|chunk| (i, chunk))
        } {
            done.push((i, evaluate(worker, chunk)));
        }
        done
    };
    let mut done: Vec<(usize, Vec<R>)> = if let [worker] = workers {
        work(worker)
    } else {
        std::thread::scope(|scope| {
            let threads: Vec<_> = workers
                .iter_mut()
                .map(|worker| scope.spawn(|| work(worker)))
                .collect();
            let results = threads.into_iter().map(|thread| match thread.join() {
                Ok(done) => done,
                Err(panic) => std::panic::resume_unwind(panic),
            });
            results.flatten().collect()
        })
    };
    done.sort_by_key(|(i, _)| *i);
    done.into_iter().flat_map(|(_, results)| results).collect()
}
