//! The decoder's gradients, on a thread of their own: while the encoder learns through the decoder,
//! a copy of it learns what the synthesizer does. Both use the weights of before the step, so it
//! makes no difference to the result.

use super::adam::{flatten, load_flat};
use super::batch::Batch;
use super::losses::{Weights, auditory};
use crate::model::Decoder;
use crossbeam_channel::{Receiver, Sender, bounded};
use std::thread::JoinHandle;
use tch::Tensor;
use tch::nn::VarStore;

/// Thread of the decoder's steps.
pub struct Forward {
    work: Option<Sender<(Tensor, Batch)>>,
    done: Receiver<(Tensor, Tensor)>,
    thread: Option<JoinHandle<()>>,
}

impl Forward {
    /// A thread that uses `decoder`, whose variables are those of `store`, and these weights of the
    /// losses.
    pub fn new(store: VarStore, decoder: Decoder, losses: Weights) -> Self {
        let (work, todo) = bounded::<(Tensor, Batch)>(1);
        let (finished, done) = bounded(1);
        let thread = std::thread::spawn(move || {
            // The number of torch's threads is each thread's own.
            tch::set_num_threads(1);
            for (weights, batch) in todo {
                load_flat(&store, &weights);
                let guess = decoder.forward(&batch.h, &batch.keys, &batch.scalars);
                let loss = auditory(&losses, &guess, &batch.clean);
                let vars = store.trainable_variables();
                let gradient = flatten(&Tensor::run_backward(&[&loss], &vars, false, false));
                if finished.send((loss.detach(), gradient)).is_err() {
                    return;
                }
            }
        });
        Self {
            work: Some(work),
            done,
            thread: Some(thread),
        }
    }

    /// Begins with `batch` and the decoder's flat `weights`, which may change meanwhile.
    pub fn begin(&self, weights: &Tensor, batch: Batch) {
        let work = self.work.as_ref().expect("open until drop");
        work.send((weights.copy(), batch))
            .expect("the decoder's thread has died");
    }

    /// Waits for the loss and the flat gradient of what was begun.
    pub fn finish(&self) -> (Tensor, Tensor) {
        self.done.recv().expect("the decoder's thread has died")
    }
}

impl Drop for Forward {
    fn drop(&mut self) {
        self.work = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
