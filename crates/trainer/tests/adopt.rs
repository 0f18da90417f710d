//! Weights trained elsewhere become a model; those of another network are refused.

use ear::EarConfig;
use matcher::BuiltinEncoder;
use matcher::Contract;
use matcher::{Encoder as _, INPUT_LEN};
use safetensors::tensor::{Dtype, TensorView, serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use tch::nn::VarStore;
use tch::{Device, Kind, Tensor, no_grad};
use trainer::adopt::adopt;
use trainer::model::{C, Encoder, T};
use trainer::torchscript::TorchEncoder;

/// A network, two windows and what it answers to them.
fn network(seed: i64) -> (VarStore, Tensor, Tensor) {
    tch::manual_seed(seed);
    let mut store = VarStore::new(Device::Cpu);
    let encoder = Encoder::new(&store.root());
    store.freeze();
    let bytes: Vec<u8> = (0..2 * INPUT_LEN).map(|i| (i * 7919 % 251) as u8).collect();
    let windows = Tensor::from_data_size(&bytes, &[2, T, C], Kind::Uint8);
    let answer = no_grad(|| encoder.forward(&(windows.to_kind(Kind::Float) / 255.0)));
    (store, windows, answer)
}

/// Weights as a trainer elsewhere writes them.
fn written(path: &Path, tensors: &BTreeMap<String, Tensor>, contract: &Value) {
    let bytes: Vec<(&String, Dtype, Vec<usize>, Vec<u8>)> = tensors
        .iter()
        .map(|(name, t)| {
            let shape = t.size().iter().map(|&n| n as usize).collect();
            let flat = t.flatten(0, -1);
            match t.kind() {
                Kind::Uint8 => (name, Dtype::U8, shape, Vec::try_from(flat).unwrap()),
                _ => {
                    let values = Vec::<f32>::try_from(flat).unwrap();
                    let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
                    (name, Dtype::F32, shape, bytes)
                }
            }
        })
        .collect();
    let views = bytes
        .iter()
        .map(|(name, kind, shape, b)| (*name, TensorView::new(*kind, shape.clone(), b).unwrap()));
    let metadata = [("contract".to_string(), contract.to_string())];
    let file = serialize(views, Some(metadata.into_iter().collect())).unwrap();
    std::fs::write(path, file).unwrap();
}

#[test]
fn weights_trained_elsewhere_become_a_model_and_those_of_another_network_do_not() {
    let folder = tempfile::tempdir().unwrap();
    let weights = folder.path().join("weights.safetensors");
    let model = folder.path().join("model");
    let record = json!({ "steps": 30 });
    let contract = Contract::current(EarConfig::default(), &[], record.clone());
    let contract = serde_json::to_value(contract).unwrap();
    let (store, windows, answer) = network(1);
    let mut tensors: BTreeMap<String, Tensor> = store.variables().into_iter().collect();
    tensors.insert("example.heard".into(), windows.shallow_clone());
    tensors.insert("example.answer".into(), answer.shallow_clone());
    written(&weights, &tensors, &contract);
    assert!(adopt(&weights, &model, false).unwrap() < 1e-5);
    let error = adopt(&weights, &model, false).unwrap_err().to_string();
    assert!(error.contains("--overwrite"), "{error}");
    assert!(adopt(&weights, &model, true).is_ok());

    let mut torch = TorchEncoder::new(&model).unwrap();
    let adopted = Contract::from_json(torch.contract()).unwrap();
    assert_eq!(adopted.training, record);
    let windows = Vec::<u8>::try_from(windows.flatten(0, -1)).unwrap();
    let mut builtin = BuiltinEncoder::from_folder(&model).unwrap();
    for answers in [
        torch.infer(&windows).unwrap(),
        builtin.infer(&windows).unwrap(),
    ] {
        let numbers: Vec<f32> = answers
            .iter()
            .flat_map(|a| [a.mean, a.sigma].concat())
            .collect();
        let apart = Tensor::from_slice(&numbers).view_as(&answer) - &answer;
        assert!(apart.abs().max().double_value(&[]) < 1e-5);
    }

    let refused = |change: &dyn Fn(&mut BTreeMap<String, Tensor>, &mut Value), reason: &str| {
        let mut tensors = tensors.iter().map(|(n, t)| (n.clone(), t.copy())).collect();
        let mut contract = contract.clone();
        change(&mut tensors, &mut contract);
        written(&weights, &tensors, &contract);
        let error = adopt(&weights, &folder.path().join("none"), false)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(reason) && error.contains("weights.safetensors"),
            "{error}"
        );
        assert!(!folder.path().join("none").exists());
    };
    let zeros = |size: &[i64]| Tensor::zeros(size, (Kind::Float, Device::Cpu));
    refused(
        &|t, _| drop(t.remove("join.weight")),
        "join.weight is missing",
    );
    refused(
        &|t, _| drop(t.remove("example.answer")),
        "example.answer is missing",
    );
    refused(
        &|t, _| drop(t.insert("join.bias".into(), zeros(&[7]))),
        "expected F32 [192]",
    );
    refused(
        &|t, _| drop(t.insert("wide3.bias".into(), zeros(&[7]))),
        "wide3.bias",
    );
    refused(
        &|t, _| drop(t.insert("out.bias".into(), &t["out.bias"] / 0.0)),
        "not finite",
    );
    refused(
        &|t, _| drop(t.insert("example.heard".into(), t["example.heard"].narrow(1, 0, 9))),
        "[n, 128",
    );
    // The same shapes, another function.
    refused(
        &|t, _| drop(t.insert("front1.bias".into(), &t["front1.bias"] + 0.1)),
        "its answers to the example differ",
    );
    refused(
        &|_, c| c["params"][0]["max"] = json!(123.0),
        "was made for another MirrorNet",
    );
    refused(&|_, c| *c = json!({}), "not a model contract");

    std::fs::write(&weights, b"no tensors").unwrap();
    let error = adopt(&weights, &model, true).unwrap_err().to_string();
    assert!(error.contains("not a safetensors file"), "{error}");
}
