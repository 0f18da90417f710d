//! One training: two networks, their optimisers, and the steps of babbling and mirroring.

use super::adam::{Adam, Diverged, flatten, load_flat};
use super::batch::Batch;
use super::checkpoint::{CheckpointError, Pending, State};
use super::forward::Forward;
use super::history::History;
use super::losses::{self, Losses, auditory, likelihood};
use super::recipe::{Anchor, Recipe};
use crate::model::{Decoder, Encoder, P};
use ear::EarConfig;
use matcher::BUILTIN_WEIGHTS;
use mirrornet::samples::babble::{rng, stream};
use mirrornet::samples::collected::Collected;
use mirrornet::samples::foreign::Foreign;
use mirrornet::samples::plant::RENDER_RATE;
use mirrornet::samples::pool::Pool;
use rand::Rng;
use std::collections::VecDeque;
use std::path::Path;
use synth::MATCHED_COUNT;
use tch::nn::VarStore;
use tch::{Device, Kind, TchError, Tensor};

/// Networks, optimisers and the state of a training.
pub struct Trainer {
    device: Device,
    encoder: Encoder,
    decoder: Decoder,
    encoder_adam: Adam,
    decoder_adam: Adam,
    /// A copy of the decoder, trained on a thread of its own while the encoder learns.
    forward: Forward,
    /// A copy of the encoder that holds averaged weights.
    averaged: (VarStore, Encoder),
    best: Option<Tensor>,
    /// Everything else a checkpoint holds.
    pub state: State,
    pending: VecDeque<Pending>,
}

impl Trainer {
    /// A fresh training.
    pub fn new(recipe: Recipe, ear: &EarConfig, device: Device) -> Self {
        tch::manual_seed(recipe.seed as i64);
        let (encoder_store, decoder_store) = (VarStore::new(device), VarStore::new(device));
        let encoder = Encoder::new(&encoder_store.root());
        let cf = ear::centre_frequencies(ear, RENDER_RATE);
        let decoder = Decoder::new(&decoder_store.root(), &cf, &recipe.decoder);
        let average_store = VarStore::new(device);
        let average = Encoder::new(&average_store.root());
        let copy = VarStore::new(device);
        let copied = Decoder::new(&copy.root(), &cf, &recipe.decoder);
        let state = State {
            architecture: architecture(&encoder_store) + &architecture(&decoder_store),
            recipe,
            anchor: Anchor::default(),
            step: 0,
            seconds: 0.0,
            cpu_seconds: 0.0,
            draws: 0,
            foreign_draws: 0,
            tickets: 0,
            pending: Vec::new(),
            history: History::default(),
        };
        let trained = state.recipe.from.is_some();
        let Recipe { adam, losses, .. } = state.recipe;
        Self {
            device,
            encoder_adam: Adam::new(&encoder_store, adam, trained),
            decoder_adam: Adam::new(&decoder_store, adam, false),
            encoder,
            decoder,
            forward: Forward::new(copy, copied, losses),
            averaged: (average_store, average),
            best: None,
            state,
            pending: VecDeque::new(),
        }
    }

    /// Begins with the encoder of the model in `folder`, which has been checked.
    pub fn begin_from(&mut self, folder: &Path) -> Result<(), TchError> {
        let store = &mut self.averaged.0;
        store.load(folder.join(BUILTIN_WEIGHTS))?;
        self.encoder_adam
            .begin(&flatten(&store.trainable_variables()));
        Ok(())
    }

    /// Goes on from a checkpoint in `folder`; `pool` is asked again for what was on its way.
    pub fn restore(
        &mut self,
        folder: &Path,
        tensors: &[(String, Tensor)],
        state: State,
        pool: &mut Pool,
    ) -> Result<(), CheckpointError> {
        let foreign = |e: String| CheckpointError::Foreign(folder.join(super::checkpoint::FILE), e);
        if state.architecture != self.state.architecture {
            return Err(foreign("its networks have other shapes".into()));
        }
        let get = |name: &str| {
            tensors
                .iter()
                .find(|(n, _)| n == name)
                .map(|(_, t)| t.shallow_clone())
        };
        self.encoder_adam.restore("encoder", get).map_err(foreign)?;
        self.decoder_adam.restore("decoder", get).map_err(foreign)?;
        self.best = get("encoder.best").map(|t| t.to_device(self.device));
        self.pending = state.pending.iter().cloned().collect();
        for p in &self.pending {
            pool.request_render(p.ticket, array(&p.h), p.phrase.clone());
        }
        self.state = state;
        Ok(())
    }

    /// The tensors and the state that a checkpoint holds.
    pub fn snapshot(&self) -> (Vec<(String, Tensor)>, State) {
        let mut tensors = self.encoder_adam.state("encoder");
        tensors.extend(self.decoder_adam.state("decoder"));
        if let Some(best) = &self.best {
            tensors.push(("encoder.best".into(), best.to_device(Device::Cpu)));
        }
        let pending = self.pending.iter().cloned().collect();
        (
            tensors,
            State {
                pending,
                ..self.state.clone()
            },
        )
    }

    /// The encoder with its averaged weights.
    pub fn averaged(&self) -> &Encoder {
        load_flat(&self.averaged.0, self.encoder_adam.average());
        &self.averaged.1
    }

    /// Keeps the averaged weights as the best so far.
    pub fn keep_best(&mut self) {
        self.best = Some(self.encoder_adam.average().copy());
    }

    /// The best weights so far (the averaged ones when nothing was validated), on the CPU, frozen.
    pub fn best(&self) -> (VarStore, Encoder) {
        let mut store = VarStore::new(Device::Cpu);
        let encoder = Encoder::new(&store.root());
        load_flat(
            &store,
            &self
                .best
                .as_ref()
                .unwrap_or(self.encoder_adam.average())
                .to_device(Device::Cpu),
        );
        store.freeze();
        (store, encoder)
    }

    /// Both networks learn from labelled renders; an encoder that has been trained before waits for
    /// the decoder.
    pub fn babble(&mut self, pool: &mut Pool, lr: f64) -> Result<(), Diverged> {
        let Recipe {
            seed,
            batch: n,
            samples: of,
            losses: weights,
            ..
        } = self.state.recipe;
        let mut collected = Collected::default();
        collected.draws(pool, &of, seed, self.state.draws, n);
        self.state.draws += n;
        let batch = Batch::new(&collected, self.device);
        self.begin_forward(batch.shallow_clone());
        let answer = self.encoder.forward(&batch.heard);
        let nll = likelihood(&answer.narrow(1, 0, P), &answer.narrow(1, P, P), &batch.h);
        // One that has been trained has more to lose here than to gain (model-weights/README.md).
        if self.state.recipe.from.is_none() {
            let loss = losses::encoder(&weights, &nll, None);
            self.encoder_adam.step(&loss, lr)?;
        }
        let forward = self.finish_forward(lr)?;
        self.state.history.add(Losses {
            likelihood: value(&nll),
            forward,
            inverse: 0.0,
        });
        self.state.step += 1;
        Ok(())
    }

    /// The encoder learns to reproduce what it hears through the decoder; the decoder learns what
    /// the real synthesizer does where the encoder now goes.
    pub fn mirror(
        &mut self,
        pool: &mut Pool,
        foreign: Option<&Foreign>,
        lr: f64,
    ) -> Result<(), Diverged> {
        let Recipe {
            seed,
            batch: n,
            samples: of,
            losses: weights,
            mirroring,
            ..
        } = self.state.recipe;
        let others = foreign.map_or(0, |_| (mirroring.foreign * n as f64) as u64);
        let own = n - others;
        let mut collected = Collected::default();
        collected.draws(pool, &of, seed, self.state.draws, own);
        self.state.draws += own;
        if let Some(foreign) = foreign {
            collected.foreign(foreign, &of, seed, self.state.foreign_draws, others);
            self.state.foreign_draws += others;
        }
        let batch = Batch::new(&collected, self.device);
        let rendered = self.rendered(pool, &batch, own);
        let learns = rendered.is_some();
        if let Some(rendered) = rendered {
            self.begin_forward(rendered);
        }
        let answer = self.encoder.forward(&batch.heard);
        let (mean, sigma) = (answer.narrow(1, 0, P), answer.narrow(1, P, P));
        let nll = likelihood(
            &mean.narrow(0, 0, own as i64),
            &sigma.narrow(0, 0, own as i64),
            &batch.h,
        );
        let inverse = auditory(
            &weights,
            &self.decoder.forward(&mean, &batch.keys, &batch.scalars),
            &batch.clean,
        );
        let loss = losses::encoder(&weights, &nll, Some(&inverse));
        self.encoder_adam.step(&loss, lr)?;

        self.ask(
            pool,
            &mean.detach().to_device(Device::Cpu),
            &collected,
            own as usize,
        );
        let forward = if learns {
            self.finish_forward(lr)?
        } else {
            0.0
        };
        self.state.history.add(Losses {
            likelihood: value(&nll),
            forward,
            inverse: value(&inverse),
        });
        self.state.step += 1;
        Ok(())
    }

    /// Begins the decoder's step while the encoder's is worked out.
    fn begin_forward(&self, batch: Batch) {
        self.forward.begin(self.decoder_adam.weights(), batch);
    }

    /// Ends the decoder's step; its loss.
    fn finish_forward(&mut self, lr: f64) -> Result<f64, Diverged> {
        let (loss, gradient) = self.forward.finish();
        self.decoder_adam.descend(&gradient, lr)?;
        Ok(value(&loss))
    }

    /// Asks for renders of some of the guesses, as many own as foreign ones, each moved a little.
    fn ask(&mut self, pool: &mut Pool, mean: &Tensor, collected: &Collected, own: usize) {
        let foreign = (self.guesses() / 2).min(collected.phrases.len() - own);
        let explore = self.state.recipe.mirroring.explore as f32;
        for i in (0..self.guesses() - foreign).chain(own..own + foreign) {
            let mut rng = rng(self.state.recipe.seed, stream::EXPLORE, self.state.tickets);
            let mut h = [0f32; MATCHED_COUNT];
            mean.get(i as i64).copy_data(&mut h, MATCHED_COUNT);
            for v in &mut h {
                *v = (*v + explore * rng.random_range(-1.0..1.0f32)).clamp(0.0, 1.0);
            }
            let phrase = collected.phrases[i].clone();
            let ticket = self.state.tickets;
            pool.request_render(ticket, h, phrase.clone());
            self.pending.push_back(Pending {
                ticket,
                h: h.to_vec(),
                phrase,
            });
            self.state.tickets += 1;
        }
    }

    /// The renders requested `lag` steps ago together with this step's labelled windows, for the
    /// decoder; `None` until the first are due.
    fn rendered(&mut self, pool: &mut Pool, batch: &Batch, own: u64) -> Option<Batch> {
        let per_step = self.guesses();
        if self.pending.len() < self.state.recipe.mirroring.lag as usize * per_step {
            return None;
        }
        let mut rendered = Collected::default();
        for p in self.pending.drain(..per_step) {
            rendered.exact(&pool.render(p.ticket), &p.h, p.phrase);
        }
        let rendered = Batch::new(&rendered, self.device);
        let half = (own / 2) as i64;
        let join = |a: &Tensor, b: &Tensor| Tensor::cat(&[a, &b.narrow(0, 0, half)], 0);
        Some(Batch {
            heard: join(&rendered.heard, &batch.heard),
            clean: join(&rendered.clean, &batch.clean),
            h: join(&rendered.h, &batch.h),
            keys: join(&rendered.keys, &batch.keys),
            scalars: join(&rendered.scalars, &batch.scalars),
        })
    }

    /// Guesses rendered in a step.
    fn guesses(&self) -> usize {
        (self.state.recipe.batch / self.state.recipe.mirroring.rendered) as usize
    }
}

fn array(h: &[f32]) -> [f32; MATCHED_COUNT] {
    std::array::from_fn(|i| h.get(i).copied().unwrap_or(0.5))
}

fn value(loss: &Tensor) -> f64 {
    loss.to_kind(Kind::Double).double_value(&[])
}

/// Names and shapes of a network's variables.
fn architecture(store: &VarStore) -> String {
    let mut names: Vec<_> = store
        .variables()
        .iter()
        .map(|(n, t)| format!("{n}{:?};", t.size()))
        .collect();
    names.sort();
    names.concat()
}
