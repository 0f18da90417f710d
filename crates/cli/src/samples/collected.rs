//! Training windows collected in the order of their draws.
//!
//! Own samples are a sequence of draws: even draws take the next fresh sample, odd ones a random
//! sample of the last ones, so that each rendered sample is learnt from about twice.

use super::augment::{augment, vary};
use super::babble::{Sample, rng, stream};
use super::distribution::Distribution;
use super::foreign::Foreign;
use super::plant::{Phrase, Window};
use super::pool::Pool;
use crate::parallel::on_quarter;
use rand::Rng;
use std::sync::Arc;

/// Fresh samples asked for ahead, for each rendering thread.
const AHEAD: u64 = 24;

/// One window of a batch.
struct Item {
    heard: Window,
    clean: Window,
    phrase: Phrase,
}

impl Item {
    /// A sample of our own synthesizer with the augmentation of draw `k`.
    fn own(sample: &Sample, of: &Distribution, seed: u64, k: u64) -> Self {
        let mut heard = sample.heard.as_ref().unwrap_or(&sample.clean).clone();
        augment(&mut heard, of, &mut rng(seed, stream::AUGMENT, k));
        Self {
            heard,
            clean: sample.clean.clone(),
            phrase: sample.phrase.clone(),
        }
    }

    /// The foreign window of draw `k`. The window to mirror, with its notes, is a later one of the
    /// same clip: the player hears an answer while the next notes are played.
    fn foreign(foreign: &Foreign, of: &Distribution, seed: u64, k: u64) -> Self {
        let mut rng = rng(seed, stream::FOREIGN, k);
        let place = foreign.draw(of, &mut rng);
        let later = foreign.later(place, of, &mut rng);
        let mut heard = foreign.window(place);
        let mut clean = foreign.window(later);
        let mut phrase = foreign.phrase(later);
        let lowest = foreign
            .phrase(place)
            .notes
            .iter()
            .chain(&phrase.notes)
            .fold(f32::MAX, |m, n| m.min(n.key));
        let up = vary([&mut heard, &mut clean], lowest, of, &mut rng);
        phrase.notes.iter_mut().for_each(|n| n.key += up);
        augment(&mut heard, of, &mut rng);
        Self {
            heard,
            clean,
            phrase,
        }
    }
}

/// Training windows collected for a batch or a file.
#[derive(Default)]
pub struct Collected {
    /// Windows as the encoder hears them.
    pub heard: Vec<u8>,
    /// Windows without augmentation.
    pub clean: Vec<u8>,
    /// Known parameters of the first windows, [`synth::MATCHED_COUNT`] each.
    pub h: Vec<f32>,
    /// Notes of each window.
    pub phrases: Vec<Phrase>,
}

/// Index of the sample that draw `k` takes.
fn index_of(of: &Distribution, seed: u64, k: u64) -> u64 {
    let fresh = k / 2;
    if k.is_multiple_of(2) {
        return fresh;
    }
    rng(seed, stream::REPLAY, k).random_range(fresh.saturating_sub(of.replay)..=fresh)
}

impl Collected {
    fn add(&mut self, item: Item) {
        self.heard.extend_from_slice(&item.heard);
        self.clean.extend_from_slice(&item.clean);
        self.phrases.push(item.phrase);
    }

    /// Adds samples of our own synthesizer, each with the augmentation of its draw.
    pub fn own(&mut self, draws: &[(u64, Arc<Sample>)], of: &Distribution, seed: u64) {
        for item in on_quarter(draws, |(k, sample)| Item::own(sample, of, seed, *k)) {
            self.add(item);
        }
        for (_, sample) in draws {
            self.h.extend_from_slice(&sample.h);
        }
    }

    /// Adds draws `from..from + n` of own samples, and requests later ones so that they are
    /// rendered meanwhile.
    pub fn draws(&mut self, pool: &mut Pool, of: &Distribution, seed: u64, from: u64, n: u64) {
        let ahead = n.max(AHEAD * pool.threads() as u64);
        for k in from..from + n + 2 * ahead {
            pool.request_sample(index_of(of, seed, k));
        }
        let draws: Vec<_> = (from..from + n)
            .map(|k| (k, pool.sample(index_of(of, seed, k))))
            .collect();
        self.own(&draws, of, seed);
        pool.forget_before((from / 2).saturating_sub(of.replay));
    }

    /// Adds `n` foreign windows; draws count from `from`.
    pub fn foreign(&mut self, foreign: &Foreign, of: &Distribution, seed: u64, from: u64, n: u64) {
        let draws: Vec<u64> = (from..from + n).collect();
        for item in on_quarter(&draws, |&k| Item::foreign(foreign, of, seed, k)) {
            self.add(item);
        }
    }

    /// Adds a window with known parameters as it is.
    pub fn exact(&mut self, window: &Window, h: &[f32], phrase: Phrase) {
        self.heard.extend_from_slice(window);
        self.clean.extend_from_slice(window);
        self.h.extend_from_slice(h);
        self.phrases.push(phrase);
    }
}
