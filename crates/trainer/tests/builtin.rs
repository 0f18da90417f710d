//! The built-in encoder against torch: the same outputs to 1e-5, for fresh weights and the shipped
//! ones, for noise and for what the ear hears of the synthesizer.

use ear::{CHANNELS, EarConfig};
use matcher::BuiltinEncoder;
use matcher::{BUILTIN_WEIGHTS, WEIGHTS, quantize_window};
use matcher::{Encoder as _, INPUT_LEN, Inference};
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;
use std::path::Path;
use synth::{Note, Patch};
use tch::nn::VarStore;
use tch::{Device, Kind, Tensor, no_grad};
use trainer::export::export;
use trainer::model::{C, Encoder, T};
use trainer::torchscript::TorchEncoder;

/// Windows of random patches playing two notes, heard by the ear, and some of noise.
fn windows() -> Vec<u8> {
    let mut rng = Pcg64Mcg::seed_from_u64(11);
    let mut all = Vec::new();
    for seed in 0..12 {
        let note = |onset, key| Note {
            onset,
            duration: 0.5,
            key,
            velocity: 0.8,
        };
        let key = rng.random_range(40..80) as f32;
        let notes = [note(0.1, key), note(0.7, key + 5.0)];
        let patch = Patch::random(&mut rng);
        let [left, _] = synth::render(&patch, &notes, 1.3, 32_000.0, seed);
        let heard = ear::spectrogram(&EarConfig::default(), &left, 32_000.0, false).unwrap();
        let first = rng.random_range(0..heard.frames() - T as usize);
        let mut window = vec![0; INPUT_LEN];
        quantize_window(&heard.data[first * CHANNELS..][..INPUT_LEN], &mut window);
        assert!(window.contains(&255), "nothing sounds in window {seed}");
        all.extend(window);
    }
    all.extend((0..4 * INPUT_LEN).map(|_| rng.random::<u8>()));
    all.extend([0; INPUT_LEN]);
    all
}

fn numbers(answers: &[Inference]) -> Vec<f32> {
    let each = answers.iter().flat_map(|a| [a.mean, a.sigma].concat());
    each.collect()
}

/// Largest difference of two lists of outputs.
fn apart(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).fold(0.0, |m, (a, b)| m.max((a - b).abs()))
}

#[test]
fn fresh_weights_give_torchs_outputs() {
    let windows = windows();
    let count = (windows.len() / INPUT_LEN) as i64;
    let x = Tensor::from_data_size(&windows, &[count, T, C], Kind::Uint8);
    let x = x.to_kind(Kind::Float) / 255.0;
    for seed in 0..3 {
        tch::manual_seed(seed);
        let mut store = VarStore::new(Device::Cpu);
        let encoder = Encoder::new(&store.root());
        // Livelier than a fresh network, whose outputs are all near the middle.
        no_grad(|| {
            for mut weights in store.trainable_variables() {
                let _ = weights.g_mul_scalar_(1.2);
            }
        });
        store.freeze();
        let expected = no_grad(|| encoder.forward(&x));
        let expected = Vec::<f32>::try_from(expected.flatten(0, -1)).unwrap();
        let outputs = expected.len() / count as usize;
        assert!(apart(&expected[..outputs], &expected[outputs..][..outputs]) > 1e-3);

        let folder = tempfile::tempdir().unwrap();
        let model = (store, encoder);
        export(
            folder.path(),
            &model,
            EarConfig::default(),
            "a record".into(),
        )
        .unwrap();
        let mut builtin = BuiltinEncoder::from_folder(folder.path()).unwrap();
        let difference = apart(&numbers(&builtin.infer(&windows).unwrap()), &expected);
        println!("weights {seed}: differs by at most {difference:.1e}");
        assert!(difference < 1e-5, "{difference:.1e}");
        // And so does the engine's encoder, from the same folder.
        let mut torch = TorchEncoder::new(folder.path()).unwrap();
        assert!(apart(&numbers(&torch.infer(&windows).unwrap()), &expected) < 1e-5);
    }
}

#[test]
fn the_shipped_weights_are_those_of_the_shipped_module() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../model-weights");
    let windows = windows();
    let mut torch = TorchEncoder::new(&folder).unwrap();
    let mut builtin = BuiltinEncoder::from_folder(&folder).unwrap();
    let (torch, builtin) = (
        torch.infer(&windows).unwrap(),
        builtin.infer(&windows).unwrap(),
    );
    let (torch, builtin) = (numbers(&torch), numbers(&builtin));
    let difference = apart(&torch, &builtin);
    println!("the shipped model: differs by at most {difference:.1e}");
    assert!(difference < 1e-5, "{difference:.1e}");

    let size = |name| std::fs::metadata(folder.join(name)).unwrap().len();
    assert!(size(WEIGHTS) + size(BUILTIN_WEIGHTS) <= 10_000_000);
}

/// Linux only: elsewhere a link to the program would not find libtorch's libraries.
#[cfg(target_os = "linux")]
#[test]
fn the_engine_process_serves_a_model_elsewhere_with_the_same_outputs() {
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../model-weights");
    let engine = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(
        env!("CARGO_BIN_EXE_mirrornet-trainer"),
        engine.path().join(matcher::engine::engine_program()),
    )
    .unwrap();
    let windows = windows();
    let mut served = mirrornet::encoder::through_engine(engine.path(), &model).unwrap();
    let mut own = mirrornet::encoder::EncoderChoice::Builtin
        .load(&model)
        .unwrap();
    assert_eq!(served.contract, own.contract);
    let served = numbers(&served.encoder.infer(&windows).unwrap());
    let difference = apart(&served, &numbers(&own.encoder.infer(&windows).unwrap()));
    println!("the engine process: differs by at most {difference:.1e}");
    assert!(difference < 1e-5, "{difference:.1e}");
}
