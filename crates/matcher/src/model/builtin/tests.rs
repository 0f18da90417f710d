//! The built-in encoder against an independent implementation: plain loops over torch's layouts, in
//! f64.

use super::*;
use crate::model::{WINDOW_FRAMES, sha256_hex};
use ear::CHANNELS;
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;
use safetensors::tensor::{Dtype, TensorView, serialize};
use std::collections::BTreeMap;

/// Names and shapes of the weights.
const SHAPES: [(&str, &[usize]); 10] = [
    ("front1", &[16, 1, 5, 9]),
    ("front2", &[32, 16, 3, 3]),
    ("front3", &[64, 32, 3, 3]),
    ("join", &[192, 512, 1]),
    ("narrow", &[192, 192, 3]),
    ("widen", &[256, 192, 3]),
    ("wide1", &[256, 256, 3]),
    ("wide2", &[256, 256, 3]),
    ("hidden", &[256, 768]),
    ("out", &[2 * MATCHED_COUNT, 256]),
];

type Tensors = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// Random weights with torch's usual spread.
fn random(seed: u64) -> Tensors {
    let mut rng = Pcg64Mcg::seed_from_u64(seed);
    let mut tensors = Tensors::new();
    for (name, shape) in SHAPES {
        let spread = (shape[1..].iter().product::<usize>() as f32).sqrt().recip();
        let mut put = |part: &str, shape: &[usize], spread: f32| {
            let count = shape.iter().product();
            let values = (0..count).map(|_| rng.random_range(-spread..spread));
            let tensor = (shape.to_vec(), values.collect());
            tensors.insert(format!("{name}.{part}"), tensor);
        };
        put("weight", shape, 1.7 * spread);
        put("bias", &shape[..1], spread);
    }
    tensors
}

fn file(tensors: &Tensors) -> Vec<u8> {
    let bytes: Vec<(&String, &Vec<usize>, Vec<u8>)> = tensors
        .iter()
        .map(|(n, (s, v))| (n, s, v.iter().flat_map(|x| x.to_le_bytes()).collect()))
        .collect();
    let view = |shape: &[usize], bytes| TensorView::new(Dtype::F32, shape.to_vec(), bytes).unwrap();
    serialize(bytes.iter().map(|(n, s, b)| (n, view(s, b))), None).unwrap()
}

/// Feature map as `[channel][time][frequency]`.
#[derive(Clone)]
struct FeatureMap {
    size: [usize; 3],
    data: Vec<f64>,
}

impl FeatureMap {
    fn at(&self, c: usize, t: isize, f: isize) -> f64 {
        let [_, times, frequencies] = self.size;
        if t < 0 || f < 0 || t >= times as isize || f >= frequencies as isize {
            return 0.0;
        }
        self.data[(c * times + t as usize) * frequencies + f as usize]
    }

    fn conv(&self, tensors: &Tensors, name: &str, k: [usize; 2], step: [usize; 2]) -> Self {
        let (shape, w) = &tensors[&format!("{name}.weight")];
        let (_, bias) = &tensors[&format!("{name}.bias")];
        let ([channels, times, frequencies], [kt, kf]) = (self.size, k);
        let size = [
            shape[0],
            (times - 1) / step[0] + 1,
            (frequencies - 1) / step[1] + 1,
        ];
        let mut data = Vec::new();
        for m in 0..size[0] {
            for (t, f) in (0..size[1]).flat_map(|t| (0..size[2]).map(move |f| (t, f))) {
                let mut sum = bias[m] as f64;
                for c in 0..channels {
                    for (i, j) in (0..kt).flat_map(|i| (0..kf).map(move |j| (i, j))) {
                        let t = (t * step[0] + i) as isize - (kt / 2) as isize;
                        let f = (f * step[1] + j) as isize - (kf / 2) as isize;
                        let weight = w[((m * channels + c) * kt + i) * kf + j];
                        sum += weight as f64 * self.at(c, t, f);
                    }
                }
                data.push(sum);
            }
        }
        Self { size, data }
    }

    fn relu(mut self) -> Self {
        self.data.iter_mut().for_each(|x| *x = x.max(0.0));
        self
    }

    fn add(mut self, other: &Self) -> Self {
        self.data
            .iter_mut()
            .zip(&other.data)
            .for_each(|(x, y)| *x += y);
        self
    }
}

fn oracle(tensors: &Tensors, window: &[u8]) -> Vec<f64> {
    let x = FeatureMap {
        size: [1, WINDOW_FRAMES, CHANNELS],
        data: window.iter().map(|&b| b as f64 / 255.0 - 0.3).collect(),
    };
    let y = x.conv(tensors, "front1", [5, 9], [2, 4]).relu();
    let y = y.conv(tensors, "front2", [3, 3], [1, 2]).relu();
    let y = y.conv(tensors, "front3", [3, 3], [2, 2]).relu();
    let [channels, times, frequencies] = y.size;
    assert_eq!(y.size, [64, 32, 8]);
    // Channel and frequency are merged.
    let mut joined = FeatureMap {
        size: [channels * frequencies, times, 1],
        data: Vec::new(),
    };
    for (c, f) in (0..channels).flat_map(|c| (0..frequencies).map(move |f| (c, f))) {
        let column = (0..times).map(|t| y.at(c, t as isize, f as isize));
        joined.data.extend(column);
    }
    let y = joined.conv(tensors, "join", [1, 1], [1, 1]).relu();
    let y = y.conv(tensors, "narrow", [3, 1], [1, 1]).relu().add(&y);
    let mut y = y.conv(tensors, "widen", [3, 1], [2, 1]).relu();
    for name in ["wide1", "wide2"] {
        y = y.conv(tensors, name, [3, 1], [1, 1]).relu().add(&y);
    }
    assert_eq!(y.size, [256, 16, 1]);
    let steps = || y.data.chunks(16);
    let mut pooled: Vec<f64> = steps().map(|s| s.iter().sum::<f64>() / 16.0).collect();
    pooled.extend(steps().map(|s| s.iter().fold(f64::MIN, |m, &x| m.max(x))));
    pooled.extend(steps().map(|s| s[15]));
    let y = FeatureMap {
        size: [768, 1, 1],
        data: pooled,
    };
    let y = y.conv(tensors, "hidden", [1, 1], [1, 1]).relu();
    let y = y.conv(tensors, "out", [1, 1], [1, 1]);
    let outputs = y.data.iter().map(|x| 1.0 / (1.0 + (-x).exp()));
    let scale = |(i, x)| match i < MATCHED_COUNT {
        true => x,
        false => 0.005 + (0.45 - 0.005) * x,
    };
    outputs.enumerate().map(scale).collect()
}

fn noise(seed: u64) -> Vec<u8> {
    let mut rng = Pcg64Mcg::seed_from_u64(seed);
    (0..INPUT_LEN).map(|_| rng.random()).collect()
}

/// A window of rising and falling lines: unlike noise, different at every edge.
fn slopes() -> Vec<u8> {
    (0..INPUT_LEN)
        .map(|i| ((i / CHANNELS * 2).abs_diff(i % CHANNELS * 3) % 256) as u8)
        .collect()
}

#[test]
fn every_output_agrees_with_the_oracle_on_every_instruction_set() {
    let sets = || {
        InstructionSet::ALL
            .into_iter()
            .filter(|s| s.is_available() && s.lanes() <= MOST_LANES)
    };
    for seed in 0..2 {
        let tensors = random(seed);
        let weights = file(&tensors);
        let windows = [
            noise(seed),
            slopes(),
            vec![0; INPUT_LEN],
            vec![255; INPUT_LEN],
        ];
        let expected = windows.each_ref().map(|w| oracle(&tensors, w));
        let apart = |a: &[f64], b: &[f64]| {
            let each = a.iter().zip(b).map(|(a, b)| (a - b).abs());
            each.fold(0.0, f64::max)
        };
        // Weights with the same outputs for every window would prove nothing.
        assert!(apart(&expected[0], &expected[1]) > 0.01);
        for set in sets() {
            let network = Network::new(&weights, set).unwrap();
            let mut scratch = network.scratch();
            // Twice, so that state left by one window would show in the next.
            for (window, expected) in windows
                .iter()
                .zip(&expected)
                .chain(windows.iter().zip(&expected))
            {
                let y = network.run(window, &mut scratch).map(f64::from);
                let apart = apart(&y, expected);
                assert!(apart < 1e-5, "{set:?}: {apart:.1e}");
            }
        }
    }
}

/// A model folder with these weights, its contract changed by `change`.
fn folder(weights: &[u8], change: impl FnOnce(&mut Contract)) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut contract = Contract::current(EarConfig::default(), b"", serde_json::Value::Null);
    contract.builtin_sha256 = Some(sha256_hex(weights));
    change(&mut contract);
    let json = serde_json::to_string(&contract).unwrap();
    std::fs::write(folder.path().join(CONTRACT), json).unwrap();
    std::fs::write(folder.path().join(BUILTIN_WEIGHTS), weights).unwrap();
    folder
}

#[test]
fn a_model_is_read_from_its_folder_and_shared() {
    let tensors = random(5);
    let ear = EarConfig {
        frame_ms: 16.0,
        ..EarConfig::default()
    };
    let folder = folder(&file(&tensors), |contract| contract.ear = ear);
    let mut builtin = BuiltinEncoder::from_folder(folder.path()).unwrap();
    assert_eq!(builtin.ear(), ear);
    let two = [noise(1), noise(2)].concat();
    let answers = builtin.infer(&two).unwrap();
    for (answer, window) in answers.iter().zip(two.chunks(INPUT_LEN)) {
        let expected = oracle(&tensors, window);
        let seen = answer.mean.iter().chain(&answer.sigma);
        assert!(
            seen.zip(expected)
                .all(|(&a, b)| (a as f64 - b).abs() < 1e-5)
        );
    }
    assert!(builtin.infer(&two[1..]).is_err());

    // The weights are in memory already.
    std::fs::remove_file(folder.path().join(BUILTIN_WEIGHTS)).unwrap();
    let mut again = BuiltinEncoder::from_folder(folder.path()).unwrap();
    assert!(Arc::ptr_eq(&builtin.loaded, &again.loaded));
    assert_eq!(again.infer(&two).unwrap(), answers);
}

#[test]
fn models_that_do_not_fit_are_refused_with_the_reason() {
    let refusal = |folder: &tempfile::TempDir| match BuiltinEncoder::from_folder(folder.path()) {
        Ok(_) => panic!("accepted"),
        Err(e) => e.to_string(),
    };
    let good = file(&random(6));
    let keep = |_: &mut Contract| ();

    let cut = folder(&good, keep);
    std::fs::write(cut.path().join(BUILTIN_WEIGHTS), &good[..good.len() / 2]).unwrap();
    let text = refusal(&cut);
    assert!(
        text.contains("encoder.safetensors") && text.contains("truncated"),
        "{text}"
    );

    let gone = folder(&good, keep);
    std::fs::remove_file(gone.path().join(BUILTIN_WEIGHTS)).unwrap();
    assert!(refusal(&gone).contains("cannot read"));

    let text = refusal(&folder(&good, |contract| contract.builtin_sha256 = None));
    assert!(text.contains("names no encoder.safetensors"), "{text}");
    let text = refusal(&folder(&good, |contract| contract.window_frames = 64));
    assert!(text.contains("window_frames is 64, expected 128"), "{text}");

    let altered = |change: &dyn Fn(&mut Tensors)| {
        let mut tensors = random(6);
        change(&mut tensors);
        refusal(&folder(&file(&tensors), keep))
    };
    let text = altered(&|t| drop(t.remove("wide1.bias")));
    assert!(text.contains("wide1.bias is missing"), "{text}");
    let text = altered(&|t| t.get_mut("join.weight").unwrap().0 = vec![512, 192, 1]);
    assert!(
        text.contains("join.weight is F32 [512, 192, 1], expected F32 [192, 512, 1]"),
        "{text}"
    );
    let text = altered(&|t| {
        let other = t["out.bias"].clone();
        t.insert("wide3.bias".into(), other);
    });
    assert!(text.contains("no wide3.bias"), "{text}");
    let text = altered(&|t| t.get_mut("out.weight").unwrap().1[7] = f32::NAN);
    assert!(
        text.contains("out.weight holds numbers that are not finite"),
        "{text}"
    );
    let text = refusal(&folder(b"no tensors at all", keep));
    assert!(text.contains("does not fit the built-in encoder"), "{text}");
}
