//! Training: the same steps give the same weights, interrupted or not; what is exported loads and
//! serves.

use matcher::engine::protocol::{self, Message, PROTOCOL_VERSION};
use matcher::{Encoder, INPUT_LEN, Inference};
use mirrornet::settings::Setting;
use std::path::Path;
use synth::MATCHED_COUNT;
use tch::{Device, Tensor};
use trainer::torchscript::TorchEncoder;
use trainer::train::{Budget, Options, Outcome, train};

fn options(out: &Path, references: &Path, steps: u64) -> Options {
    Options {
        budget: Budget::Steps(steps),
        settings: settings(&["seed=7", "batch=4", "validation.windows=3"]),
        from: None,
        references: Some(references.into()),
        out: out.into(),
        cache: None,
        resume: false,
        overwrite: false,
        device: Device::Cpu,
        threads: 2,
        command: "test".into(),
    }
}

fn settings(texts: &[&str]) -> Vec<Setting> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

/// Three short melodies of decaying harmonics: stand-ins for foreign sounds.
fn references(folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    for (n, f0) in [220.0f32, 330.0, 523.0].into_iter().enumerate() {
        let samples: Vec<f32> = (0..24_000)
            .map(|i| {
                let t = (i % 8000) as f32 / 16_000.0;
                let f = f0 * [1.0, 1.25, 1.5][i / 8000];
                let tone: f32 = (1..=(n + 2))
                    .map(|k| (std::f32::consts::TAU * f * k as f32 * t).sin() / k as f32)
                    .sum();
                0.3 * tone * (-4.0 * t).exp()
            })
            .collect();
        mirrornet::wav::write(&folder.join(format!("{n}.wav")), 16_000, &[&samples]).unwrap();
    }
}

fn tensors(folder: &Path) -> Vec<(String, Tensor)> {
    let mut all = Tensor::read_safetensors(folder.join("checkpoint.safetensors")).unwrap();
    // The state also holds times on the clock.
    all.retain(|(name, _)| name != "state");
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

fn same(a: &[(String, Tensor)], b: &[(String, Tensor)]) {
    for ((name, a), (other, b)) in a.iter().zip(b) {
        assert_eq!(name, other);
        assert_eq!(a.size(), b.size(), "{name}");
        let largest = (a - b).abs().max().double_value(&[]);
        assert!(largest == 0.0, "{name} differs by {largest}");
    }
}

fn run(options: &Options, stop_at: u64) -> Outcome {
    train(options, |step| step >= stop_at).unwrap()
}

#[test]
fn fifty_steps_are_the_same_interrupted_or_not_and_the_model_serves() {
    let folder = tempfile::tempdir().unwrap();
    let wavs = folder.path().join("references");
    references(&wavs);
    let at = |name: &str| folder.path().join(name);

    let whole = run(&options(&at("whole"), &wavs, 50), u64::MAX);
    assert!(whole.finished && whole.steps == 50);
    assert!(whole.history.points.iter().any(|p| p.mirroring));

    // Once in babbling, once in mirroring, where renders are under way; another number of threads
    // too.
    let mut parts = options(&at("parts"), &wavs, 50);
    for (stop, threads) in [(20, 2), (37, 1), (50, 3)] {
        parts.threads = threads;
        let part = run(&parts, stop);
        assert_eq!((part.steps, part.finished), (stop, stop == 50));
        parts.resume = true;
    }
    // It keeps its recipe.
    let mut changed = parts.clone();
    changed.settings.extend(settings(&["losses.anchor=0.25"]));
    let error = train(&changed, |_| true).unwrap_err().to_string();
    assert!(error.contains("has losses.anchor=0.5"), "{error}");
    // FAULTS E8: with more steps it goes on mirroring.
    let mut more = options(&at("parts"), &wavs, 54);
    more.resume = true;
    let kept = tensors(&at("parts"));
    let longer = run(&more, u64::MAX);
    assert!(longer.finished && longer.steps == 54);
    let phases: Vec<bool> = longer.history.points.iter().map(|p| p.mirroring).collect();
    assert!(phases.is_sorted(), "{phases:?}");
    let (whole_tensors, parts_tensors) = (tensors(&at("whole")), kept);
    assert!(whole_tensors.len() >= 10);
    same(&parts_tensors, &whole_tensors);

    // So it is with samples from a cache: one that a shorter training has begun, then one that has
    // all.
    let mut cached = options(&at("cached"), &wavs, 50);
    cached.cache = Some(at("cache"));
    cached.overwrite = true;
    let mut sizes: Vec<u64> = Vec::new();
    for stop in [10, u64::MAX, u64::MAX] {
        run(&cached, stop);
        let files = std::fs::read_dir(at("cache")).unwrap();
        sizes.push(files.map(|f| f.unwrap().metadata().unwrap().len()).sum());
        if stop == u64::MAX {
            same(&tensors(&at("cached")), &whole_tensors);
        }
    }
    assert!(0 < sizes[0] && sizes[0] < sizes[1], "{sizes:?}");
    assert_eq!(sizes[1], sizes[2], "nothing was left to render");

    // Another seed gives another model: the comparison above can fail.
    let mut other = options(&at("other"), &wavs, 2);
    other.settings.extend(settings(&["seed=8"]));
    run(&other, u64::MAX);
    let other = tensors(&at("other"));
    let weights = |all: &[(String, Tensor)]| {
        let (_, t) = all.iter().find(|(n, _)| n == "encoder.weights").unwrap();
        t.shallow_clone()
    };
    let difference = (weights(&other) - weights(&whole_tensors)).abs().max();
    assert!(difference.double_value(&[]) > 1e-3);

    exported(&at("whole"));
    served(&at("whole"));
    begun(&at("whole"), &at("other"), options(&at("begun"), &wavs, 1));
}

/// A training from `model` has what it had and not what `other` has until the decoder has babbled,
/// and then learns; a folder without a model is refused.
fn begun(model: &Path, other: &Path, mut options: Options) {
    options.from = Some(model.into());
    run(&options, u64::MAX);
    let answer = |folder: &Path| {
        TorchEncoder::new(folder)
            .unwrap()
            .infer(&window(1))
            .unwrap()[0]
    };
    let [from, to, stranger] = [model, &options.out, other].map(answer);
    let apart = |other: &Inference| {
        let each = from
            .mean
            .iter()
            .zip(&other.mean)
            .map(|(a, b)| (a - b).abs());
        each.fold(0.0f32, f32::max)
    };
    assert!(
        apart(&to) == 0.0 && apart(&stranger) > 0.03,
        "{to:?} {stranger:?}"
    );
    let weights = || {
        let all = tensors(&options.out);
        let weights = all.into_iter().find(|(name, _)| name == "encoder.weights");
        weights.unwrap().1
    };
    let before = weights();
    options.budget = Budget::Steps(10);
    // FAULTS E6.
    let error = train(&options, |_| false).unwrap_err().to_string();
    assert!(error.contains("--overwrite"), "{error}");
    options.overwrite = true;
    run(&options, u64::MAX);
    let moved = (weights() - before).abs().max().double_value(&[]);
    // With small steps at first: eight full ones would be forty times as long.
    assert!((1e-6..5e-4).contains(&moved), "{moved}");

    let cut = model.join("cut");
    std::fs::write(cut.join("encoder.safetensors"), b"nothing").unwrap();
    options.from = Some(cut.clone());
    let error = train(&options, |_| false).unwrap_err().to_string();
    assert!(error.contains(&cut.display().to_string()), "{error}");
}

fn window(seed: usize) -> Vec<u8> {
    (0..INPUT_LEN)
        .map(|i| ((i * 7919 + seed * 104_729) % 251) as u8)
        .collect()
}

/// The model loads, answers in range, and its contract has a record.
fn exported(model: &Path) {
    let mut encoder = TorchEncoder::new(model).unwrap();
    let both = [window(1), window(2)].concat();
    let answers = encoder.infer(&both).unwrap();
    assert_eq!(answers.len(), 2);
    assert_ne!(answers[0], answers[1]);
    for answer in &answers {
        assert!(answer.mean.iter().all(|v| (0.0..=1.0).contains(v)));
        assert!(answer.sigma.iter().all(|v| (0.004..=0.5).contains(v)));
    }
    let contract = matcher::Contract::from_json(encoder.contract()).unwrap();
    assert_eq!(contract.training["steps"], 50);
    let recipe = &contract.training["recipe"];
    assert_eq!((&recipe["seed"], &recipe["batch"]), (&7.into(), &4.into()));
    assert_eq!(recipe["losses"]["anchor"], 0.5);
    assert_eq!(recipe["samples"]["uniform"], 0.5);
    assert_eq!(
        contract.training["references"],
        serde_json::json!({ "files": 3 })
    );
    assert!(model.join("losses.png").exists());

    // Weights that are not the contract's are refused.
    let bytes = std::fs::read(model.join("encoder.pt")).unwrap();
    let cut = model.join("cut");
    std::fs::create_dir_all(&cut).unwrap();
    std::fs::copy(model.join("encoder.json"), cut.join("encoder.json")).unwrap();
    std::fs::write(cut.join("encoder.pt"), &bytes[..bytes.len() / 2]).unwrap();
    let error = TorchEncoder::new(&cut).err().unwrap().to_string();
    assert!(error.contains("truncated"), "{error}");
}

fn talk(model: &Path, messages: &[Message]) -> (Result<(), String>, Vec<Message>) {
    let mut input = Vec::new();
    for message in messages {
        protocol::write(&mut input, message).unwrap();
    }
    let mut output = Vec::new();
    let result = trainer::serve::serve(model, &mut input.as_slice(), &mut output);
    let mut output = output.as_slice();
    let mut answers = Vec::new();
    while let Some(message) = protocol::read(&mut output).unwrap() {
        answers.push(message);
    }
    (result, answers)
}

/// The engine answers in order and as the model does, and says what is wrong.
fn served(model: &Path) {
    let hello = Message::Hello {
        protocol: PROTOCOL_VERSION,
    };
    let both = [window(1), window(2)].concat();
    let ask = |id, windows: &[u8]| Message::Infer {
        id,
        windows: windows.to_vec(),
    };
    let (result, answers) = talk(model, &[hello.clone(), ask(5, &both), ask(6, &window(2))]);
    assert_eq!(result, Ok(()));
    let [
        Message::Ready {
            protocol, contract, ..
        },
        Message::Inferred { id: 5, values: two },
        Message::Inferred { id: 6, values: one },
    ] = answers.as_slice()
    else {
        panic!("{answers:?}");
    };
    assert_eq!(*protocol, PROTOCOL_VERSION);
    assert!(
        matcher::Contract::from_json(contract)
            .unwrap()
            .check()
            .is_ok()
    );
    assert_eq!(two.len(), 4 * MATCHED_COUNT);
    assert_eq!(&two[2 * MATCHED_COUNT..], one.as_slice());
    let direct = TorchEncoder::new(model).unwrap().infer(&both).unwrap();
    assert_eq!(&two[..MATCHED_COUNT], direct[0].mean.as_slice());

    let missing = model.join("nothing here");
    for (folder, messages, reason) in [
        (model, vec![Message::Hello { protocol: 999 }], "999"),
        (model, vec![ask(1, &both)], "hello"),
        (model, vec![hello.clone(), hello.clone()], "hello"),
        (missing.as_path(), vec![hello.clone()], "nothing here"),
    ] {
        let (result, answers) = talk(folder, &messages);
        assert!(result.unwrap_err().contains(reason));
        let Some(Message::Failed { message }) = answers.last() else {
            panic!("{answers:?}");
        };
        assert!(message.contains(reason), "{message}");
    }
    // A client that ends at once is not an error.
    assert_eq!(talk(model, &[]), (Ok(()), vec![]));
}
