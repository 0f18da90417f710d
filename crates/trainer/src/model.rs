//! The two networks: the encoder (inverse model, sound to parameters) and the decoder (forward
//! model, parameters and notes to sound).
//!
//! No batch statistics and no dropout: the same weights give the same numbers in training, in the
//! exported module and in any batch.

use crate::track::{KEY_MIN, KEY_ROWS, KEYS_PER_SEMITONE, SCALARS};
use ear::CHANNELS;
use matcher::WINDOW_FRAMES;
use matcher::{INPUT_OFFSET, SIGMA_RANGE};
use mirrornet::settings;
use synth::MATCHED_COUNT;
use tch::nn::{self, ConvConfig, ConvConfigND, Module};
use tch::{Kind, Tensor};

/// Number of matched parameters, as torch counts.
pub const P: i64 = MATCHED_COUNT as i64;
/// Frames of a window, as torch counts.
pub const T: i64 = WINDOW_FRAMES as i64;
/// Channels of a frame, as torch counts.
pub const C: i64 = CHANNELS as i64;

fn conv1d(
    p: &nn::Path,
    name: &str,
    from: i64,
    to: i64,
    k: i64,
    stride: i64,
    dilation: i64,
) -> nn::Conv1D {
    let padding = if k == stride { 0 } else { dilation * (k / 2) };
    let config = ConvConfig {
        stride,
        padding,
        dilation,
        ..Default::default()
    };
    nn::conv1d(p / name, from, to, k, config)
}

/// Weights of a layer that starts near its bias.
const QUIET: nn::Init = nn::Init::Randn {
    mean: 0.0,
    stdev: 0.003,
};

/// A layer that starts near a constant: random outputs far outside `[0, 1]` would take long to
/// unlearn.
fn quiet(p: &nn::Path, name: &str, from: i64, to: i64, bias: f64) -> nn::Conv1D {
    let config = ConvConfig {
        ws_init: QUIET,
        bs_init: nn::Init::Const(bias),
        ..Default::default()
    };
    nn::conv1d(p / name, from, to, 1, config)
}

fn conv2d(
    p: &nn::Path,
    name: &str,
    from: i64,
    to: i64,
    k: [i64; 2],
    stride: [i64; 2],
) -> nn::Conv2D {
    let config = ConvConfigND::<[i64; 2]> {
        stride,
        padding: [k[0] / 2, k[1] / 2],
        ..Default::default()
    };
    nn::conv(p / name, from, to, k, config)
}

/// The inverse model: three convolutions over time and frequency, whose sharing along frequency
/// lets what is learned at one pitch serve at others, then residual convolutions over time, pooled.
#[derive(Debug)]
pub struct Encoder {
    front: [nn::Conv2D; 3],
    join: nn::Conv1D,
    narrow: nn::Conv1D,
    widen: nn::Conv1D,
    wide: [nn::Conv1D; 2],
    hidden: nn::Linear,
    out: nn::Linear,
}

impl Encoder {
    /// A fresh encoder with its variables under `p`.
    pub fn new(p: &nn::Path) -> Self {
        Self {
            front: [
                conv2d(p, "front1", 1, 16, [5, 9], [2, 4]),
                conv2d(p, "front2", 16, 32, [3, 3], [1, 2]),
                conv2d(p, "front3", 32, 64, [3, 3], [2, 2]),
            ],
            join: conv1d(p, "join", 64 * (C / 16), 192, 1, 1, 1),
            narrow: conv1d(p, "narrow", 192, 192, 3, 1, 1),
            widen: conv1d(p, "widen", 192, 256, 3, 2, 1),
            wide: [
                conv1d(p, "wide1", 256, 256, 3, 1, 1),
                conv1d(p, "wide2", 256, 256, 3, 1, 1),
            ],
            hidden: nn::linear(p / "hidden", 3 * 256, 256, Default::default()),
            out: nn::linear(p / "out", 256, 2 * P, Default::default()),
        }
    }

    /// `x` is `[B, T, C]` in `[0, 1]`; returns `[B, 2 P]`: means in `(0, 1)`, then standard
    /// deviations.
    pub fn forward(&self, x: &Tensor) -> Tensor {
        let mut y = (x - INPUT_OFFSET).unsqueeze(1);
        let [low, high] = SIGMA_RANGE;
        for conv in &self.front {
            y = conv.forward(&y).relu();
        }
        // [B, 64, T/4, C/16] -> [B, 64 C/16, T/4]
        let y = y.permute([0, 1, 3, 2]).flatten(1, 2);
        let y = self.join.forward(&y).relu();
        let y = &y + self.narrow.forward(&y).relu();
        let mut y = self.widen.forward(&y).relu();
        for conv in &self.wide {
            y = &y + conv.forward(&y).relu();
        }
        // The newest step next to the pools: the present sound matters most.
        let pooled = Tensor::cat(
            &[
                y.mean_dim([2i64].as_slice(), false, Kind::Float),
                y.amax([2i64].as_slice(), false),
                y.select(2, -1),
            ],
            1,
        );
        let y = self
            .out
            .forward(&self.hidden.forward(&pooled).relu())
            .sigmoid();
        Tensor::cat(
            &[y.narrow(1, 0, P), y.narrow(1, P, P) * (high - low) + low],
            1,
        )
    }
}

settings! {
    /// Size of the forward model, which is no part of the exported model.
    pub struct DecoderSize {
        /// Channels.
        width: u64 = 160, 8..=1024;
        /// Width of the embedding of the parameters.
        embedding: u64 = 128, 8..=1024;
        /// Layers, each dilated twice as far as the one before.
        layers: u64 = 4, 1..=6;
    }
}

/// The forward model: a differentiable stand-in for synthesizer and ear. It works in steps of two
/// frames. Combs enter by linear layers, which are applied to the table of combs instead of to
/// every frame: a few hundred rows instead of thousands.
#[derive(Debug)]
pub struct Decoder {
    width: i64,
    combs: Tensor,
    embed: nn::Linear,
    film: nn::Linear,
    enter_combs: nn::Linear,
    enter_scalars: nn::Conv1D,
    enter_embedding: nn::Linear,
    layers: Vec<nn::Conv1D>,
    leave: nn::Conv1D,
    direct: nn::Linear,
}

impl Decoder {
    /// A fresh decoder with its variables under `p`; `cf` are the ear's centre frequencies in Hz.
    pub fn new(p: &nn::Path, cf: &[f32; CHANNELS], size: &DecoderSize) -> Self {
        let [width, embedding, depth] = [size.width, size.embedding, size.layers].map(|n| n as i64);
        let bare = nn::LinearConfig {
            ws_init: nn::Init::Randn {
                mean: 0.0,
                stdev: 0.05,
            },
            bias: false,
            ..Default::default()
        };
        let faint = nn::LinearConfig {
            ws_init: QUIET,
            ..bare
        };
        Self {
            width,
            combs: combs(cf).to_device(p.device()),
            embed: nn::linear(p / "embed", P, embedding, Default::default()),
            film: nn::linear(p / "film", embedding, 2 * width * depth, Default::default()),
            enter_combs: nn::linear(p / "enter_combs", C, 4 * width, bare),
            enter_scalars: conv1d(p, "enter_scalars", SCALARS as i64, width, 2, 2, 1),
            enter_embedding: nn::linear(p / "enter_embedding", embedding, width, bare),
            layers: (0..depth)
                .map(|i| conv1d(p, &format!("layer{i}"), width, width, 3, 1, 1 << i))
                .collect(),
            leave: quiet(p, "leave", width, 2 * C, 0.2),
            direct: nn::linear(p / "direct", C, 2 * C, faint),
        }
    }

    /// `h` is `[B, P]`, `keys` i64 `[B, 2, T]` (rows of the comb table, see [`crate::track`]),
    /// `scalars` `[B, SCALARS, T]`; returns `[B, T, C]` on the scale of a quantised window over
    /// 255, not clamped.
    pub fn forward(&self, h: &Tensor, keys: &Tensor, scalars: &Tensor) -> Tensor {
        let b = h.size()[0];
        let e = self.embed.forward(&(h - 0.5)).relu();
        let film = self.film.forward(&e).view([b, -1, 2, self.width, 1]);
        // [B, 2 notes, T/2, 2 frames] look up in [row, note, frame, width].
        let steps = keys.view([b, 2, T / 2, 2]);
        let combs = lookup(&self.enter_combs.forward(&self.combs), &steps, &[2, 1, 2]);
        let combs = combs
            .sum_dim_intlist([1i64, 3].as_slice(), false, Kind::Float)
            .permute([0, 2, 1]);
        let spread = self.enter_embedding.forward(&e).unsqueeze(2);
        let mut y = (combs + self.enter_scalars.forward(scalars) + spread).relu();
        for (i, layer) in self.layers.iter().enumerate() {
            let f = film.select(1, i as i64);
            y = &y + (layer.forward(&y) * (f.select(1, 0) + 1.0) + f.select(1, 1)).relu();
        }
        // Each step of two frames gives 2 C outputs.
        let y = self
            .leave
            .forward(&y)
            .view([b, 2, C, T / 2])
            .permute([0, 3, 1, 2])
            .reshape([b, T, C]);
        let direct = lookup(&self.direct.forward(&self.combs), keys, &[2, 1]);
        y + direct.sum_dim_intlist([1i64].as_slice(), false, Kind::Float)
    }
}

/// Rows of `table` `[KEY_ROWS, k * width]` for `keys`: along each of the last dimensions of `keys`
/// whose entry in `slots` is above 1, each place has its own share of the columns; `k` is their
/// product. Returns the shape of `keys` with the width appended.
fn lookup(table: &Tensor, keys: &Tensor, slots: &[i64]) -> Tensor {
    let k: i64 = slots.iter().product();
    let mut shape = keys.size();
    let width = table.size()[1] / k;
    let mut offsets = vec![1; shape.len() - slots.len()];
    offsets.extend(slots);
    let offset = Tensor::arange(k, (Kind::Int64, keys.device())).view(offsets.as_slice());
    let index = (keys * k + offset).flatten(0, -1);
    shape.push(width);
    table
        .view([-1, width])
        .index_select(0, &index)
        .view(shape.as_slice())
}

/// `[KEY_ROWS, C]`: what a note of each key excites, harmonic by harmonic with 1/k of amplitude;
/// row 0 is for no note.
fn combs(cf: &[f32; CHANNELS]) -> Tensor {
    let mut rows = vec![0f32; KEY_ROWS * CHANNELS];
    for row in 1..KEY_ROWS {
        let key = KEY_MIN + (row - 1) as f32 / KEYS_PER_SEMITONE;
        let f0 = 440.0 * ((key - 69.0) / 12.0).exp2();
        for (c, out) in rows[row * CHANNELS..][..CHANNELS].iter_mut().enumerate() {
            let mut k = 1.0;
            while k <= 64.0 && k * f0 < 2.0 * cf[CHANNELS - 1] {
                // One channel is half a semitone; a harmonic spreads over about one to either side.
                let distance = 24.0 * (cf[c] / (k * f0)).log2();
                *out += (-0.5 * distance * distance).exp() / k;
                k += 1.0;
            }
        }
    }
    // Decibel-like, as the output is.
    let amplitude = Tensor::from_slice(&rows).view([KEY_ROWS as i64, C]);
    (amplitude + 0.01).log10() * 0.5 + 1.0
}
