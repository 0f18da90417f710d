//! The shipped architecture, layer by layer as `crates/trainer/src/model.rs` trains it: its
//! weights, and inference from a window to the outputs. Rows of a feature map are time, columns are
//! frequency.

use super::conv::{Activation, Conv, FeatureMap, KernelShape, VECTORS};
use crate::model::{INPUT_LEN, WINDOW_FRAMES};
use ear::CHANNELS;
use safetensors::{Dtype, SafeTensors};
use simd::{InstructionSet, Vector};
use synth::MATCHED_COUNT;

/// Number of outputs: means, then standard deviations.
pub const OUTPUTS: usize = 2 * MATCHED_COUNT;

/// Lowest and highest standard deviation that the network can output, normalised. The highest is
/// above a uniform draw's 0.289, the lowest below any audible difference.
pub const SIGMA_RANGE: [f64; 2] = [0.005, 0.45];
/// Offset subtracted from the input, in [0, 1], so that its mean is near 0.
pub const INPUT_OFFSET: f64 = 0.3;
/// Lanes of the widest vectors that the network runs on: [`VECTORS`] of them hold the first layer's
/// 16 channels.
pub const MOST_LANES: usize = 16 / VECTORS;
/// Number of channels that are pooled over time.
const WIDTH: usize = 256;

/// Specification of a layer.
struct Spec {
    name: &'static str,
    /// Shape of the weights in torch's order: output channels first.
    shape: &'static [usize],
    kernel: KernelShape,
    /// Padding of the input with zeros, in time and in frequency.
    border: [usize; 2],
    activation: Activation,
}

const fn layer(
    name: &'static str,
    shape: &'static [usize],
    [size, step, border]: [[usize; 2]; 3],
    activation: Activation,
) -> Spec {
    Spec {
        name,
        shape,
        kernel: KernelShape { size, step },
        border,
        activation,
    }
}

/// Layers from the window to the pooling. Sizes, steps and borders are in time and in frequency.
const BODY: [Spec; 8] = {
    use Activation::{Relu, ReluResidual};
    // `join` spans all remaining frequencies.
    const SIXTEENTH: usize = CHANNELS / 16;
    [
        layer("front1", &[16, 1, 5, 9], [[5, 9], [2, 4], [2, 4]], Relu),
        layer("front2", &[32, 16, 3, 3], [[3, 3], [1, 2], [1, 1]], Relu),
        layer("front3", &[64, 32, 3, 3], [[3, 3], [2, 2], [1, 1]], Relu),
        layer(
            "join",
            &[192, 64 * SIXTEENTH, 1],
            [[1, SIXTEENTH], [1, SIXTEENTH], [0, 0]],
            Relu,
        ),
        layer(
            "narrow",
            &[192, 192, 3],
            [[3, 1], [1, 1], [1, 0]],
            ReluResidual,
        ),
        layer("widen", &[WIDTH, 192, 3], [[3, 1], [2, 1], [1, 0]], Relu),
        layer(
            "wide1",
            &[WIDTH, WIDTH, 3],
            [[3, 1], [1, 1], [1, 0]],
            ReluResidual,
        ),
        layer(
            "wide2",
            &[WIDTH, WIDTH, 3],
            [[3, 1], [1, 1], [1, 0]],
            ReluResidual,
        ),
    ]
};

/// Layers from the pooling to the outputs: linear ones, as convolutions over a single position.
const HEAD: [Spec; 2] = [
    layer(
        "hidden",
        &[WIDTH, 3 * WIDTH],
        [[1, 1], [1, 1], [0, 0]],
        Activation::Relu,
    ),
    layer(
        "out",
        &[OUTPUTS, WIDTH],
        [[1, 1], [1, 1], [0, 0]],
        Activation::None,
    ),
];

/// Consecutive layers, and the shapes of the feature maps before, between and after them.
struct Chain {
    layers: Vec<Conv>,
    pictures: Vec<FeatureMap>,
}

impl Chain {
    /// Builds the layers of `specs`; `size` and `channels` are the first feature map's. The error
    /// names the tensor that doesn't fit.
    fn new(
        tensors: &SafeTensors<'_>,
        specs: &[Spec],
        size: [usize; 2],
        channels: usize,
        lanes: usize,
    ) -> Result<Self, String> {
        let block = VECTORS * lanes;
        let mut pictures = vec![FeatureMap {
            size,
            channels,
            border: specs[0].border,
        }];
        let mut layers = Vec::new();
        for (n, spec) in specs.iter().enumerate() {
            let input = pictures[n];
            let steps = |d: usize| {
                (input.size[d] + 2 * spec.border[d] - spec.kernel.size[d]) / spec.kernel.step[d]
            };
            let output = FeatureMap {
                size: [steps(0) + 1, steps(1) + 1],
                channels: spec.shape[0].next_multiple_of(block),
                border: specs.get(n + 1).map_or([0, 0], |next| next.border),
            };
            layers.push(Conv::new(
                &numbers(tensors, &format!("{}.weight", spec.name), spec.shape)?,
                &numbers(tensors, &format!("{}.bias", spec.name), &spec.shape[..1])?,
                lanes,
                spec.kernel,
                spec.activation,
                &input,
                &output,
            ));
            pictures.push(output);
        }
        Ok(Self { layers, pictures })
    }

    fn buffers(&self) -> Vec<Vec<f32>> {
        self.pictures.iter().map(|p| vec![0.0; p.len()]).collect()
    }
}

/// Kernel that runs the layers of a [`Chain`] on its buffers.
struct Run<'a> {
    layers: &'a [Conv],
    buffers: &'a mut [Vec<f32>],
}

impl simd::Kernel for Run<'_> {
    #[inline(always)]
    fn run<V: Vector>(self, v: V) {
        for (n, layer) in self.layers.iter().enumerate() {
            let (before, after) = self.buffers.split_at_mut(n + 1);
            layer.run(v, &before[n], &mut after[0]);
        }
    }
}

/// The encoder's weights, laid out for this CPU.
pub struct Network {
    set: InstructionSet,
    body: Chain,
    head: Chain,
}

/// Buffers for one inference of a [`Network`].
pub struct Scratch {
    body: Vec<Vec<f32>>,
    head: Vec<Vec<f32>>,
}

impl Network {
    /// Loads the bytes of a safetensors file, for `set`'s vectors. The error says what doesn't fit.
    pub fn new(weights: &[u8], set: InstructionSet) -> Result<Self, String> {
        let tensors = SafeTensors::deserialize(weights).map_err(|e| e.to_string())?;
        let known = |name: &str| {
            let layer = |spec: &Spec| {
                name.strip_prefix(spec.name)
                    .is_some_and(|rest| rest == ".weight" || rest == ".bias")
            };
            BODY.iter().chain(&HEAD).any(layer)
        };
        if let Some(name) = tensors.names().into_iter().find(|name| !known(name)) {
            return Err(format!("this version's encoder has no {name}"));
        }
        let lanes = set.lanes();
        let body = Chain::new(&tensors, &BODY, [WINDOW_FRAMES, CHANNELS], 1, lanes)?;
        let head = Chain::new(&tensors, &HEAD, [1, 1], 3 * WIDTH, lanes)?;
        Ok(Self { set, body, head })
    }

    /// Allocates the buffers for one inference.
    pub fn scratch(&self) -> Scratch {
        Scratch {
            body: self.body.buffers(),
            head: self.head.buffers(),
        }
    }

    /// Infers means, then standard deviations, from one quantised window. Panics where it is not
    /// [`INPUT_LEN`] bytes long. Allocates nothing.
    pub fn run(&self, window: &[u8], scratch: &mut Scratch) -> [f32; OUTPUTS] {
        assert_eq!(window.len(), INPUT_LEN, "bytes of a window");
        let picture = &self.body.pictures[0];
        for (t, frame) in window.chunks_exact(CHANNELS).enumerate() {
            let row = &mut scratch.body[0][picture.at(t, 0)..][..CHANNELS];
            for (x, &byte) in row.iter_mut().zip(frame) {
                *x = byte as f32 / 255.0 - INPUT_OFFSET as f32;
            }
        }
        self.set.run_narrow(Run {
            layers: &self.body.layers,
            buffers: &mut scratch.body,
        });
        let last = self.body.layers.len();
        pool(&scratch.body[last], &mut scratch.head[0]);
        self.set.run_narrow(Run {
            layers: &self.head.layers,
            buffers: &mut scratch.head,
        });
        let outputs = &scratch.head[self.head.layers.len()];
        let [low, high] = SIGMA_RANGE.map(|s| s as f32);
        std::array::from_fn(|i| {
            let y = 1.0 / (1.0 + (-outputs[i]).exp());
            match i < MATCHED_COUNT {
                true => y,
                false => y * (high - low) + low,
            }
        })
    }
}

/// Pools each channel over time: mean, maximum and newest value.
fn pool(steps: &[f32], pooled: &mut [f32]) {
    let (mean, rest) = pooled.split_at_mut(WIDTH);
    let (most, newest) = rest.split_at_mut(WIDTH);
    mean.fill(0.0);
    most.fill(f32::MIN);
    for step in steps.chunks_exact(WIDTH) {
        for c in 0..WIDTH {
            mean[c] += step[c];
            most[c] = most[c].max(step[c]);
        }
    }
    let count = (steps.len() / WIDTH) as f32;
    mean.iter_mut().for_each(|m| *m /= count);
    newest.copy_from_slice(&steps[steps.len() - WIDTH..]);
}

/// Reads the numbers of a tensor that must have this shape, be f32 and finite.
fn numbers(tensors: &SafeTensors<'_>, name: &str, shape: &[usize]) -> Result<Vec<f32>, String> {
    let tensor = tensors
        .tensor(name)
        .map_err(|_| format!("{name} is missing"))?;
    if (tensor.dtype(), tensor.shape()) != (Dtype::F32, shape) {
        return Err(format!(
            "{name} is {:?} {:?}, expected {:?} {shape:?}",
            tensor.dtype(),
            tensor.shape(),
            Dtype::F32
        ));
    }
    let (bytes, _) = tensor.data().as_chunks();
    let numbers: Vec<f32> = bytes.iter().map(|&b| f32::from_le_bytes(b)).collect();
    if !numbers.iter().all(|x| x.is_finite()) {
        return Err(format!("{name} holds numbers that are not finite"));
    }
    Ok(numbers)
}
