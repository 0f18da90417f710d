//! The command and its files: what it reads, what it refuses before any work, and what it says.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn run(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mirrornet"));
    command.args(args).output().expect("the command starts")
}

#[track_caller]
fn succeeds(args: &[&str]) -> String {
    let output = run(args);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{args:?}: {said}");
    said
}

#[track_caller]
fn fails(args: &[&str]) -> String {
    let output = run(args);
    assert!(!output.status.success(), "{args:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        std::fs::write(folder.path("patch.json"), r#"{"format": 1, "params": {}}"#).unwrap();
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A path as an argument.
    fn at(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().into()
    }

    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }
}

fn reference(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../assets/references")
        .join(name)
}

#[test]
fn typed_values_mean_the_same_in_every_spelling() {
    let folder = Folder::new();
    let (patch, out) = (folder.at("patch.json"), folder.at("out.wav"));
    let base = ["render", "--patch", &patch, "--out", &out];
    let mut sounds = Vec::new();
    for [note, velocity, gate, seconds, rate] in [
        ["60.5", "0.5", "0.25", "0.5", "44100"],
        ["60,5", "0,5", "250 ms", "0,5 s", "44,1 kHz"],
        ["60.5", "50 %", "0,25s", "500ms", "44.1k"],
    ] {
        let values = [
            "--note",
            note,
            "--velocity",
            velocity,
            "--gate",
            gate,
            "--seconds",
            seconds,
            "--rate",
            rate,
        ];
        succeeds(&[&base[..], &values].concat());
        sounds.push(folder.read("out.wav"));
    }
    assert!(sounds[0] == sounds[1] && sounds[0] == sounds[2]);
    let render = |velocity: &str| {
        let values = ["--note", "60", "--seconds", "0.2", "--velocity", velocity];
        succeeds(&[&base[..], &values].concat());
        folder.read("out.wav")
    };
    assert_eq!(render("127"), render("1"));
    assert_ne!(render("64"), render("1"));
    for (option, value) in [
        ("--velocity", "128"),
        ("--velocity", "-1"),
        ("--seconds", "1 parsec"),
        ("--seconds", "1,500"),
        ("--seconds", "-1"),
        ("--rate", "44,100"),
        ("--gate", "0"),
        ("--note", "C4"),
    ] {
        let mut values = vec!["--note", "60", "--seconds", "0.2"];
        match values.iter().position(|v| *v == option) {
            Some(at) => values[at + 1] = value,
            None => values.extend([option, value]),
        }
        let error = fails(&[&base[..], &values].concat());
        assert!(error.contains(option) && error.contains(value), "{error}");
    }
}

#[test]
fn outputs_are_refused_before_any_work() {
    let folder = Folder::new();
    std::fs::copy(reference("tine-piano.wav"), folder.path("in.wav")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("in.wav", folder.path("link.wav")).unwrap();
    let before = folder.read("in.wav");
    let (input, patch) = (folder.at("in.wav"), folder.at("patch.json"));
    let [same, missing] = ["./in.wav", "missing/out.wav"].map(|name| folder.at(name));
    let (link, free) = (folder.at("link.wav"), folder.at("free"));
    let started = std::time::Instant::now();
    for (args, what) in [
        (
            vec!["mirror", &input, "--out", &same, "--patch", &free],
            "same file",
        ),
        (
            vec!["mirror", &input, "--out", &free, "--patch", &free],
            "same file",
        ),
        (
            vec!["mirror", &input, "--out", &missing, "--patch", &free],
            "no folder",
        ),
        (vec!["ear", &input, "--out", &same], "same file"),
        (
            vec!["ear", &input, "--out", &free, "--png", &free],
            "same file",
        ),
        (
            vec![
                "render",
                "--patch",
                &patch,
                "--note",
                "60",
                "--seconds",
                "1",
                "--out",
                &patch,
            ],
            "same",
        ),
        #[cfg(unix)]
        (
            vec!["mirror", &input, "--out", &link, "--patch", &free],
            "same file",
        ),
    ] {
        let error = fails(&args);
        assert!(error.contains(what), "{args:?}: {error}");
    }
    // Mirroring would take seconds each time.
    assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
    assert!(folder.read("in.wav") == before);
    assert!(!folder.path("free").exists());
    let _ = link;
}

#[cfg(unix)]
#[test]
fn outputs_go_through_links_and_devices() {
    let folder = Folder::new();
    let patch = folder.at("patch.json");
    std::os::unix::fs::symlink("real.wav", folder.path("link.wav")).unwrap();
    let link = folder.at("link.wav");
    for out in [&link[..], "/dev/null"] {
        succeeds(&[
            "render",
            "--patch",
            &patch,
            "--note",
            "60",
            "--seconds",
            "0.1",
            "--out",
            out,
        ]);
    }
    assert!(folder.path("link.wav").is_symlink());
    assert!(folder.read("real.wav").starts_with(b"RIFF"));
    assert!(!Path::new("/dev/null").metadata().unwrap().is_file());
}

#[test]
fn odd_files_are_read_with_a_word_on_stderr() {
    let folder = Folder::new();
    let (patch, out) = (folder.at("patch.json"), folder.at("out.npy"));
    let whole = std::fs::read(reference("tine-piano.wav")).unwrap();
    std::fs::write(folder.path("cut.wav"), &whole[..whole.len() / 2]).unwrap();
    let said = succeeds(&["ear", &folder.at("cut.wav"), "--out", &out]);
    assert!(said.contains("cut.wav: it is truncated"), "{said}");
    std::fs::write(folder.path("notes.wav"), b"MThd\0\0\0\x06").unwrap();
    let error = fails(&["ear", &folder.at("notes.wav"), "--out", &out]);
    assert!(error.contains("notes.wav: it is a MIDI file"), "{error}");
    // A track whose length is short, with a realtime byte.
    let mut midi = b"MThd\0\0\0\x06\0\0\0\x01\x01\xE0MTrk\0\0\0\x08".to_vec();
    midi.extend(b"\0\x90\x45\x64\x83\x60\x80\x45\x40\0\xF8\0\xFF\x2F\0");
    std::fs::write(folder.path("a.mid"), &midi).unwrap();
    let (mid, wav) = (folder.at("a.mid"), folder.at("out.wav"));
    let args = [
        "render",
        "--patch",
        &patch,
        "--midi",
        &mid,
        "--seconds",
        "0.5",
        "--out",
        &wav,
    ];
    let said = succeeds(&args);
    assert!(said.contains("a.mid: track 1: realtime"), "{said}");
    assert!(said.contains("too short"), "{said}");
}

#[test]
fn one_broken_file_does_not_end_an_evaluation() {
    let folder = Folder::new();
    let sounds = folder.path("sounds");
    std::fs::create_dir(&sounds).unwrap();
    let whole = std::fs::read(reference("tine-piano.wav")).unwrap();
    std::fs::write(sounds.join("a-broken.wav"), b"RIFF\0\0\0\0WAVEjunk").unwrap();
    std::fs::write(sounds.join("b-silent.wav"), {
        let mut silent = whole.clone();
        silent[44..].fill(0);
        silent
    })
    .unwrap();
    std::fs::write(sounds.join("c-text.flac"), "hello").unwrap();
    std::fs::write(sounds.join("d-good.wav"), &whole).unwrap();
    std::fs::write(sounds.join("d-good.mid"), "no notes").unwrap();
    let sounds = sounds.to_str().unwrap();
    let args = [
        "evaluate",
        "--own",
        "0",
        "--held",
        "0",
        "--foreign",
        sounds,
        "--json",
    ];
    let output = run(&args);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    for what in [
        "a-broken.wav",
        "b-silent",
        "c-text.flac",
        "d-good.mid",
        "are transcribed",
    ] {
        assert!(said.contains(what), "{what}: {said}");
    }
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let names: Vec<_> = report["sets"]["foreign"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| &r["name"])
        .collect();
    assert_eq!(names, ["d-good"]);
}

#[test]
fn one_broken_file_does_not_end_the_pool_of_samples() {
    let folder = Folder::new();
    let whole = std::fs::read(reference("tine-piano.wav")).unwrap();
    std::fs::write(folder.path("a.wav"), &whole[..whole.len() * 3 / 4]).unwrap();
    std::fs::write(folder.path("b.wav"), b"RIFF\0\0\0\0WAVEjunk").unwrap();
    std::fs::write(folder.path("c.mp3"), [0xFF; 4_000]).unwrap();
    let pool = mirrornet::samples::foreign::Foreign::read(folder.0.path(), &Default::default());
    let pool = pool.unwrap();
    assert_eq!(
        pool.files.iter().map(|f| &f.name[..]).collect::<Vec<_>>(),
        ["a.wav"]
    );
    assert_eq!(pool.skipped.len(), 2, "{:?}", pool.skipped);
    assert!(pool.skipped[0].starts_with("b.wav: "));
    assert!(
        pool.remarks[0].starts_with("a.wav: it is truncated"),
        "{:?}",
        pool.remarks
    );
}
