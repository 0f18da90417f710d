//! Validation: held-out windows heard by the encoder, its guess played by the real synthesizer with
//! the same notes, and the two compared.

use crate::model::{C, Encoder, T};
use ear::Spectrogram;
use matcher::FLOOR_DB;
use mirrornet::samples::babble::{Sample, rng, stream};
use mirrornet::samples::distribution::Distribution;
use mirrornet::samples::foreign::Foreign;
use mirrornet::samples::plant::{FRAME, Phrase, Plant, Render, Window};
use mirrornet::samples::pool::Pool;
use serde::{Deserialize, Serialize};
use synth::{MATCHED_COUNT, Patch};
use tch::{Device, Kind, Tensor, no_grad};

/// Tickets of validation renders start here.
const TICKETS: u64 = 1 << 60;

/// Mean likeness over the held-out windows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Quality {
    /// Likeness on unseen patches of our own synthesizer.
    pub own: f64,
    /// Likeness on foreign windows, the answer played where a later window of the clip is, as in
    /// the live loop; `None` without references.
    pub foreign: Option<f64>,
}

impl Quality {
    /// The score that the best model is chosen by: the mean over both kinds.
    pub fn score(&self) -> f64 {
        self.foreign.map_or(self.own, |f| 0.5 * (self.own + f))
    }
}

/// The held-out windows.
pub struct HeldOut {
    /// The window heard, the window to mirror, and the notes of the latter.
    windows: Vec<(Window, Window, Phrase)>,
    own: usize,
    /// Quality of the default patch, which the encoder must beat.
    pub baseline: Quality,
}

impl HeldOut {
    /// `n` of our own, and as many foreign ones where there are references; of the default
    /// distribution, so that trainings on others can be compared.
    pub fn new(plant: &mut Plant, foreign: Option<&Foreign>, seed: u64, n: u64) -> Self {
        let of = Distribution::default();
        let indices: Vec<u64> = (0..n).collect();
        let mut windows: Vec<_> = Sample::many(plant, &of, seed, stream::HELD_OUT, &indices)
            .into_iter()
            .map(|sample| (sample.clean.clone(), sample.clean, sample.phrase))
            .collect();
        if let Some(foreign) = foreign {
            for i in 0..n {
                let mut rng = rng(seed, stream::HELD_OUT, n + i);
                let place = foreign.draw_held_out(&of, &mut rng);
                let later = foreign.later(place, &of, &mut rng);
                windows.push((
                    foreign.window(place),
                    foreign.window(later),
                    foreign.phrase(later),
                ));
            }
        }
        let default = Patch::default();
        let renders: Vec<Render<'_>> = windows
            .iter()
            .map(|(_, _, phrase)| Render {
                patch: &default,
                phrase,
                whole: false,
            })
            .collect();
        let likenesses: Vec<f64> = plant
            .play(&renders)
            .iter()
            .zip(&windows)
            .map(|(audio, (_, window, phrase))| {
                likeness(window, &plant.window(audio, phrase.start))
            })
            .collect();
        let own = n as usize;
        Self {
            baseline: quality(&likenesses, own),
            windows,
            own,
        }
    }

    /// Quality of `encoder` now.
    pub fn measure(&self, encoder: &Encoder, device: Device, pool: &mut Pool) -> Quality {
        let bytes: Vec<u8> = self
            .windows
            .iter()
            .flat_map(|(w, ..)| w.iter().copied())
            .collect();
        let x = Tensor::from_data_size(&bytes, &[self.windows.len() as i64, T, C], Kind::Uint8)
            .to_device(device)
            .to_kind(Kind::Float)
            / 255.0;
        let answers = no_grad(|| encoder.forward(&x)).to_device(Device::Cpu);
        for (i, (_, _, phrase)) in self.windows.iter().enumerate() {
            let mut row = [0f32; 2 * MATCHED_COUNT];
            answers.get(i as i64).copy_data(&mut row, 2 * MATCHED_COUNT);
            let h = std::array::from_fn(|k| row[k]);
            pool.request_render(TICKETS + i as u64, h, phrase.clone());
        }
        let likenesses: Vec<f64> = (0..self.windows.len())
            .map(|i| likeness(&self.windows[i].1, &pool.render(TICKETS + i as u64)))
            .collect();
        quality(&likenesses, self.own)
    }
}

fn quality(likenesses: &[f64], own: usize) -> Quality {
    let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
    let (ours, foreign) = likenesses.split_at(own);
    Quality {
        own: mean(ours),
        foreign: (!foreign.is_empty()).then(|| mean(foreign)),
    }
}

/// Likeness of two quantised windows.
fn likeness(a: &[u8], b: &[u8]) -> f64 {
    let linear = |window: &[u8]| Spectrogram {
        data: window
            .iter()
            .map(|&v| match v {
                0 => 0.0,
                _ => 10f32.powf((v as f32 / 255.0 - 1.0) * FLOOR_DB / 20.0),
            })
            .collect(),
        pitch: Vec::new(),
        frame_rate: 1.0 / FRAME,
    };
    matcher::metric::likeness(&linear(a), &linear(b)) as f64
}
