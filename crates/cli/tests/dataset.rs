//! Data sets: the files are the same bytes however they are made, and another data set's are
//! refused.

use mirrornet::samples::dataset::{DatasetError, DatasetOptions, plan, render};
use safetensors::tensor::{Dtype, TensorView, serialize};
use std::collections::BTreeMap;
use std::path::Path;

fn options(out: &Path, shard: &str, samples: u64, threads: usize) -> DatasetOptions {
    DatasetOptions {
        seed: 3,
        samples,
        samples_per_file: 4,
        shard: shard.parse().unwrap(),
        out: out.into(),
        threads,
    }
}

/// Renders what is missing; returns the number of samples rendered.
fn make(options: &DatasetOptions) -> Result<u64, DatasetError> {
    let plan = plan(options)?;
    let mut done = 0;
    render(options, &plan, || done += 1)?;
    assert_eq!(done, plan.samples());
    Ok(done)
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|e| {
            let name = e.file_name().into_string().unwrap();
            (name, std::fs::read(e.path()).unwrap())
        })
        .collect()
}

#[test]
fn files_are_the_same_bytes_in_any_shards_on_any_threads_interrupted_or_not() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    assert_eq!(make(&options(&at("whole"), "1/1", 10, 1)).unwrap(), 10);
    let whole = files(&at("whole"));
    let names: Vec<_> = whole.keys().map(String::as_str).collect();
    let expected = [0, 1, 2].map(|k| format!("samples-{k:06}.safetensors"));
    assert_eq!(names, expected);
    assert_ne!(whole[&expected[0]], whole[&expected[1]]);

    // Two shards of one folder, the last first.
    assert_eq!(make(&options(&at("shards"), "2/2", 10, 2)).unwrap(), 4);
    assert_eq!(make(&options(&at("shards"), "1/2", 10, 3)).unwrap(), 6);
    assert!(files(&at("shards")) == whole);
    // Then there is nothing left to do, for any shards.
    assert_eq!(make(&options(&at("shards"), "1/1", 10, 1)).unwrap(), 0);

    // Interrupted: one file was never begun, one is cut off, one is of a smaller data set.
    assert_eq!(make(&options(&at("parts"), "1/1", 6, 1)).unwrap(), 6);
    let cut = at("parts").join(&expected[0]);
    std::fs::write(&cut, &whole[&expected[0]][..1000]).unwrap();
    let again = plan(&options(&at("parts"), "1/1", 10, 1)).unwrap();
    assert_eq!((again.unfinished.len(), again.finished), (2, 0));
    assert_eq!(make(&options(&at("parts"), "1/1", 10, 2)).unwrap(), 10);
    assert!(files(&at("parts")) == whole);
    // A whole file is left alone, whatever else is missing.
    std::fs::remove_file(at("parts").join(&expected[1])).unwrap();
    assert_eq!(make(&options(&at("parts"), "1/1", 10, 2)).unwrap(), 4);
    assert!(files(&at("parts")) == whole);
}

#[test]
fn another_data_sets_files_are_refused_by_every_shard_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let ours = options(folder.path(), "1/1", 4, 1);
    make(&ours).unwrap();
    let before = files(folder.path());
    let refused = |options: &DatasetOptions, reason: &str| {
        let error = make(options).unwrap_err().to_string();
        assert!(
            error.contains(reason) && error.contains("samples-000000"),
            "{error}"
        );
        assert!(files(folder.path()) == before);
    };
    let mut other = options(folder.path(), "2/2", 8, 1);
    other.seed = 4;
    refused(&other, "its seed is 3, expected 4");
    other.seed = 3;
    other.samples_per_file = 2;
    refused(&other, "its number of samples per file is 4, expected 2");

    // Safetensors of something else under our name, and a file where the folder should be.
    let strange = folder.path().join("samples-000007.safetensors");
    let zeros = TensorView::new(Dtype::F32, vec![3], &[0; 12]).unwrap();
    std::fs::write(&strange, serialize([("x", zeros)], None).unwrap()).unwrap();
    let error = make(&ours).unwrap_err().to_string();
    assert!(
        error.contains("samples-000007") && error.contains("no header"),
        "{error}"
    );
    let error = make(&options(&strange, "1/1", 4, 1))
        .unwrap_err()
        .to_string();
    assert!(error.contains("cannot make the folder"), "{error}");
}
