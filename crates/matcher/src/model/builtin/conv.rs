//! One convolution, vectorised over its output channels.
//!
//! Feature maps lie in memory as `[height][width][channels]` with a border of zeros as wide as the
//! next convolution's padding. A row of its kernel then reads one contiguous run of numbers,
//! without gathering: each number is broadcast to a vector and multiplied with the weights of two
//! vectors of output channels, at [`TILE`] positions at once, so that all sums stay in registers.

use simd::Vector;

/// Positions computed at once: with two vectors each, their 8 sums fill half of 16 registers, and
/// keep a core busy that has two multipliers of four cycles' latency.
const TILE: usize = 4;
/// Vectors of output channels computed at once.
pub(super) const VECTORS: usize = 2;

/// Shape of a feature map and of its border of zeros.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct FeatureMap {
    /// Rows and columns, without the border.
    pub size: [usize; 2],
    /// Number of channels at each position.
    pub channels: usize,
    /// Width of the border above and below, and left and right.
    pub border: [usize; 2],
}

impl FeatureMap {
    /// Length in memory, in numbers.
    pub fn len(&self) -> usize {
        (self.size[0] + 2 * self.border[0]) * self.row()
    }

    /// Stride of a row, in numbers.
    fn row(&self) -> usize {
        (self.size[1] + 2 * self.border[1]) * self.channels
    }

    /// Index of the first channel at row `y`, column `x`.
    pub fn at(&self, y: usize, x: usize) -> usize {
        (y + self.border[0]) * self.row() + (x + self.border[1]) * self.channels
    }
}

/// Function applied to a convolution's sums.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Activation {
    /// Identity.
    None,
    /// Negative sums become 0.
    Relu,
    /// Negative sums become 0, then the input is added (a residual connection).
    ReluResidual,
}

/// Size and step of a convolution's kernel, in rows and columns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct KernelShape {
    pub size: [usize; 2],
    pub step: [usize; 2],
}

/// A convolution between two feature maps.
pub(super) struct Conv {
    /// Weights as `[block of channels][row][column][input channel][output channel of the block]`.
    weights: Vec<f32>,
    /// Bias of each output channel, padded to whole blocks.
    bias: Vec<f32>,
    /// Number of output channels in a block: [`VECTORS`] vectors.
    block: usize,
    /// Rows of the kernel, numbers read in each row, and stride of a row.
    rows: usize,
    run: usize,
    row: usize,
    /// Start index of each position's kernel in the input, and of its results in the output.
    from: Vec<usize>,
    to: Vec<usize>,
    /// Offset from the start of a position's kernel to its centre.
    centre: usize,
    activation: Activation,
}

impl Conv {
    /// Packs `weights`, `[output channel][input channel][row][column]` as in torch, with one `bias`
    /// per output channel, for vectors of `lanes` numbers. The output has whole blocks of channels.
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
            // Past the last channel: `bias` is shorter than its blocks.
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
        // The first position's kernel starts at the border's corner.
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

    /// Convolves `input` into `output`, whose border stays as it is.
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

    /// Sums a block of channels at `P` positions.
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

    /// Applies the activation to the sums of the block that begins at `channel`, and writes them.
    #[inline(always)]
    #[allow(clippy::too_many_arguments)] // A loop's body, shared by full and partial tiles.
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
