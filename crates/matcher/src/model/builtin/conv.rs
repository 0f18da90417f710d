//! One convolution, vectorised over its output channels.
//!
//! Pictures lie in memory as `[height][width][channels]` with a border of zeros as wide as the next
//! convolution's padding. A row of its kernel then reads one contiguous run of numbers, and nothing has
//! to be gathered first: each number is spread over a vector, and multiplied with the weights of two
//! vectors' worth of output channels, at [`TILE`] places at once, so that all sums stay in registers.

use simd::Vector;

/// Places worked on at once: with two vectors each, their sums fill half of 16 registers, and there are
/// as many as a core with two multipliers of four cycles' latency keeps busy.
const TILE: usize = 4;
/// Vectors of output channels worked on at once.
pub(super) const VECTORS: usize = 2;

/// Size of a picture and of the zeros around it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct FeatureMap {
    /// Rows and columns, without the border.
    pub size: [usize; 2],
    /// Numbers at each place.
    pub channels: usize,
    /// Zeros above and below, left and right.
    pub border: [usize; 2],
}

impl FeatureMap {
    /// Numbers in memory.
    pub fn len(&self) -> usize {
        (self.size[0] + 2 * self.border[0]) * self.row()
    }

    /// Numbers from one row to the next.
    fn row(&self) -> usize {
        (self.size[1] + 2 * self.border[1]) * self.channels
    }

    /// Where row `y`, column `x` begins.
    pub fn at(&self, y: usize, x: usize) -> usize {
        (y + self.border[0]) * self.row() + (x + self.border[1]) * self.channels
    }
}

/// What follows the sums.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Activation {
    /// Nothing.
    None,
    /// Negative ones become 0.
    Relu,
    /// The same, and the input is added.
    ReluResidual,
}

/// A convolution's kernel: rows and columns of its size and of its step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct KernelShape {
    pub size: [usize; 2],
    pub step: [usize; 2],
}

/// A convolution between two pictures.
pub(super) struct Conv {
    /// `[block of output channels][row][column][input channel][output channel of the block]`.
    weights: Vec<f32>,
    /// One for each output channel, in whole blocks.
    bias: Vec<f32>,
    /// Output channels of a block: [`VECTORS`] vectors.
    block: usize,
    /// Rows of the kernel, numbers read in each, and from one to the next.
    rows: usize,
    run: usize,
    row: usize,
    /// Where each place's numbers begin in the input, and its results in the output.
    from: Vec<usize>,
    to: Vec<usize>,
    /// From where a place's numbers begin to the one it lies on.
    centre: usize,
    activation: Activation,
}

impl Conv {
    /// `weights` as torch has them, `[output channel][input channel][row][column]`, one `bias` for each
    /// output channel, for vectors of `lanes` numbers. The output has whole blocks of channels.
    pub fn new(
        weights: &[f32],
        bias: &[f32],
        lanes: usize,
        kernel: KernelShape,
        activation: Activation,
        input: &FeatureMap,
        output: &FeatureMap,
    ) -> Self {
        let [height, width] = kernel.size;
        let (c, m, block) = (input.channels, bias.len(), VECTORS * lanes);
        let blocks = m.div_ceil(block);
        assert_eq!(weights.len(), m * c * height * width);
        assert_eq!(output.channels, blocks * block);
        let weight = |m: usize, k: usize, i: usize, j: usize| {
            let at = ((m * c + k) * height + i) * width + j;
            // Beyond the last channel: `bias` is shorter than its blocks.
            if m < bias.len() { weights[at] } else { 0.0 }
        };
        let mut packed = Vec::with_capacity(blocks * block * c * height * width);
        for b in 0..blocks {
            for (i, j) in (0..height).flat_map(|i| (0..width).map(move |j| (i, j))) {
                for k in 0..c {
                    packed.extend((0..block).map(|l| weight(b * block + l, k, i, j)));
                }
            }
        }
        let mut bias = bias.to_vec();
        bias.resize(blocks * block, 0.0);
        let places = || {
            let [rows, columns] = output.size;
            (0..rows).flat_map(move |y| (0..columns).map(move |x| (y, x)))
        };
        // The border's corner is where the first place's numbers begin.
        let from = |(y, x): (usize, usize)| {
            y * kernel.step[0] * input.row() + x * kernel.step[1] * input.channels
        };
        Self {
            weights: packed,
            bias,
            block,
            rows: height,
            run: width * c,
            row: input.row(),
            from: places().map(from).collect(),
            to: places().map(|(y, x)| output.at(y, x)).collect(),
            centre: input.at(0, 0),
            activation,
        }
    }

    /// From a picture to a picture; the border of `output` stays as it is.
    #[inline(always)]
    pub fn run<V: Vector>(&self, v: V, input: &[f32], output: &mut [f32]) {
        let weights = self.weights.chunks_exact(self.rows * self.run * self.block);
        let bias = self.bias.chunks_exact(self.block);
        for (b, (weights, bias)) in weights.zip(bias).enumerate() {
            let channel = b * self.block;
            let (weights, _) = V::cast(weights).as_chunks::<VECTORS>();
            let (bias, _) = V::cast(bias).as_chunks::<VECTORS>();
            let (from, from_rest) = self.from.as_chunks::<TILE>();
            let (to, to_rest) = self.to.as_chunks::<TILE>();
            for (from, to) in from.iter().zip(to) {
                let sums = self.tile(v, weights, bias[0], input, from);
                self.put(v, sums, channel, input, from, output, to);
            }
            for (&from, &to) in from_rest.iter().zip(to_rest) {
                let sums = self.tile(v, weights, bias[0], input, &[from]);
                self.put(v, sums, channel, input, &[from], output, &[to]);
            }
        }
    }

    /// The sums of a block of channels at `P` places.
    #[inline(always)]
    fn tile<V: Vector, const P: usize>(
        &self,
        v: V,
        weights: &[[V::F; VECTORS]],
        bias: [V::F; VECTORS],
        input: &[f32],
        from: &[usize; P],
    ) -> [[V::F; VECTORS]; P] {
        let mut sums = [bias; P];
        for (i, weights) in weights.chunks_exact(self.run).enumerate() {
            let runs: [&[f32]; P] =
                std::array::from_fn(|p| &input[from[p] + i * self.row..][..weights.len()]);
            for k in 0..weights.len() {
                for p in 0..P {
                    let x = v.splat(runs[p][k]);
                    for l in 0..VECTORS {
                        sums[p][l] = v.mul_add(x, weights[k][l], sums[p][l]);
                    }
                }
            }
        }
        sums
    }

    /// Finishes the sums of the block that begins at `channel`, and writes them.
    #[inline(always)]
    #[allow(clippy::too_many_arguments)] // A loop's body, cut out for its two lengths.
    fn put<V: Vector, const P: usize>(
        &self,
        v: V,
        sums: [[V::F; VECTORS]; P],
        channel: usize,
        input: &[f32],
        from: &[usize; P],
        output: &mut [f32],
        to: &[usize; P],
    ) {
        for p in 0..P {
            let out = V::cast_mut(&mut output[to[p] + channel..][..self.block]);
            for l in 0..VECTORS {
                out[l] = match self.activation {
                    Activation::None => sums[p][l],
                    Activation::Relu | Activation::ReluResidual => v.max(sums[p][l], v.splat(0.0)),
                };
            }
            if self.activation == Activation::ReluResidual {
                let here = &input[from[p] + self.centre + channel..][..self.block];
                for l in 0..VECTORS {
                    out[l] = v.add(out[l], V::cast(here)[l]);
                }
            }
        }
    }
}
