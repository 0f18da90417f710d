//! The engine missing, killed, broken or given a damaged model: sound and match go on, the player
//! gets a message, and a restart works. Unix only: Windows offers no data folder that a test could
//! redirect.
#![cfg(unix)]

use matcher::engine::{Engine, EngineStatus, MODEL_FOLDER, engine_program};
use matcher::metric::likeness;
use matcher::{Encoder, EncoderError, Inference};
use matcher::{INPUT_LEN, MAX_BATCH};
use std::path::Path;
use std::time::{Duration, Instant};
use tests::host::{Host, finish};
use tests::job::Job;
use tests::measure::{hear, mono};
use tests::melody;
use tests::process::{children, signal};
use tests::sandbox::{Sandbox, bundled};

const CLAP_HOST: &str = env!("CARGO_BIN_EXE_clap_host");
/// Longest wait for something that must happen: a busy machine is slow.
const PATIENCE: Duration = Duration::from_secs(30);

/// A job that plays the flute's melody and hears it.
fn flute(sandbox: &Sandbox, name: &str, seconds: f64) -> Job {
    let flute = melody::foreign().swap_remove(0);
    let mut job = Host::Clap.job(sandbox, name, seconds);
    let sidechain = sandbox.file(&format!("{name}.sidechain.wav"));
    flute.write(&sidechain);
    job.sidechain = Some(sidechain);
    job.notes = flute.notes;
    job
}

/// Fails unless notes sound in every second of a rendering.
fn assert_audible_throughout(out: &[Vec<f32>], rate: f64) {
    for (i, second) in out[0].chunks(rate as usize).enumerate() {
        let peak = second.iter().fold(0.0f32, |m, s| m.max(s.abs()));
        assert!(peak > 0.01, "second {i} is silent (peak {peak})");
        assert!(second.iter().all(|s| s.is_finite()));
    }
}

fn model_file(name: &str) -> String {
    Path::new(MODEL_FOLDER)
        .join(name)
        .to_string_lossy()
        .into_owned()
}

/// Asks until the engine answers or `limit` has passed; returns the last result.
fn ask(engine: &Engine, windows: usize, limit: Duration) -> Result<Vec<Inference>, EncoderError> {
    let until = Instant::now() + limit;
    loop {
        let answer = engine.encoder().infer(&vec![0; windows * INPUT_LEN]);
        if answer.is_ok() || Instant::now() > until {
            return answer;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Waits for a status that `fits`.
fn settle(engine: &Engine, fits: impl Fn(&EngineStatus) -> bool) -> EngineStatus {
    let until = Instant::now() + PATIENCE;
    loop {
        let status = engine.status();
        if fits(&status) || Instant::now() > until {
            return status;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The flute's melody played by the knobs alone, without any match.
fn unmatched(sandbox: &Sandbox) -> Vec<Vec<f32>> {
    let mut job = flute(sandbox, "unmatched", 4.0);
    job.params.insert("Match".into(), 0.0);
    Host::Clap.run(CLAP_HOST, sandbox, &job).1
}

#[test]
fn without_an_engine_the_built_in_encoder_matches_as_well() {
    let play = |sandbox: &Sandbox, name| {
        let mut job = flute(sandbox, name, 4.0);
        job.offline = true;
        let (_, out) = Host::Clap.run(CLAP_HOST, sandbox, &job);
        assert_audible_throughout(&out, job.rate);
        out
    };
    let bare = Sandbox::without_engine();
    let alone = play(&bare, "alone");
    let plain = unmatched(&bare);
    let heard = hear(&mono(&play(&Sandbox::with_engine(), "engine")));
    let alike = |out: &[Vec<f32>]| likeness(&heard, &hear(&mono(out)));
    let (alone, plain) = (alike(&alone), alike(&plain));
    println!("like the engine's match: built in {alone:.4}, unmatched {plain:.4}");
    assert!(alone > 0.99, "{alone}");
    assert!(
        plain < 0.98,
        "the match changes too little to tell: {plain}"
    );
}

#[test]
fn a_missing_engine_is_reported_and_found_after_installing() {
    let sandbox = Sandbox::without_engine();
    let folder = sandbox.engine_folder();
    let engine = Engine::at(&folder);
    assert!(ask(&engine, 1, Duration::ZERO).is_err());
    let status = settle(&engine, |s| matches!(s, EngineStatus::Missing { .. }));
    let text = status.text();
    assert!(
        text.contains(&folder.display().to_string()) && text.contains("cargo xtask install"),
        "{text}"
    );

    let installed = Sandbox::with_engine();
    std::fs::create_dir_all(folder.parent().expect("it has parents")).expect("the sandbox is ours");
    std::fs::rename(installed.engine_folder(), &folder).expect("the sandboxes are neighbours");
    engine.restart();
    ask(&engine, 1, PATIENCE).expect("installed and restarted");
}

/// The host runs with SIGPIPE's default action, which is to die.
#[test]
fn a_killed_engine_costs_no_sound_and_comes_back() {
    let sandbox = Sandbox::with_engine();
    let mut job = flute(&sandbox, "killed", 7.0);
    job.paced = true;
    let host = Host::Clap.start(CLAP_HOST, &sandbox, &job);
    let until = Instant::now() + Duration::from_secs(3);
    let engine = loop {
        if let [engine] = children(host.id())[..] {
            break engine;
        }
        assert!(
            Instant::now() < until,
            "the host started no engine: {:?}",
            children(host.id())
        );
        std::thread::sleep(Duration::from_millis(10));
    };
    // Well into inferring; and when it dies it has stood still for some requests.
    std::thread::sleep(Duration::from_millis(1500));
    signal(engine, libc::SIGSTOP);
    std::thread::sleep(Duration::from_millis(300));
    signal(engine, libc::SIGKILL);
    let (report, out) = finish(host, &job);
    assert_audible_throughout(&out, job.rate);
    assert_eq!(
        report.children.len(),
        1,
        "no engine, or more than one: {:?}",
        report.children
    );
    assert_ne!(report.children[0], engine);
}

#[test]
fn an_engine_killed_during_a_write_is_reported_and_restarts() {
    // As in a C host: writing to a dead process must not raise SIGPIPE.
    #[allow(unsafe_code)]
    // SAFETY: sets a signal's action to its default.
    unsafe {
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
    }
    let engine = Engine::at(&bundled("engine"));
    ask(&engine, 1, PATIENCE).expect("the bundled engine answers");
    let pid = engine.pid().expect("it runs");
    signal(pid, libc::SIGSTOP);
    // A mebibyte: more than any pipe or socket holds, so the client is stuck in its write.
    let mut encoder = engine.encoder();
    let writer = std::thread::spawn(move || encoder.infer(&vec![0; MAX_BATCH * INPUT_LEN]));
    std::thread::sleep(Duration::from_millis(300));
    assert!(!writer.is_finished());
    signal(pid, libc::SIGKILL);
    let error = writer
        .join()
        .expect("no panic")
        .expect_err("the engine is dead");
    assert!(error.to_string().contains("engine"), "{error}");
    let status = settle(&engine, |s| matches!(s, EngineStatus::Restarting { .. }));
    assert!(
        matches!(status, EngineStatus::Restarting { .. }),
        "{status:?}"
    );
    assert!(status.text().contains("restarts in"), "{}", status.text());
    let answers = ask(&engine, MAX_BATCH, PATIENCE).expect("it restarts by itself");
    assert_eq!(answers.len(), MAX_BATCH);
    assert_ne!(engine.pid(), Some(pid));
}

#[test]
fn a_damaged_model_is_reported_and_costs_no_sound() {
    let whole = std::fs::read(bundled("engine").join(model_file("encoder.pt")))
        .expect("the model is bundled");
    let contract = std::fs::read_to_string(bundled("engine").join(model_file("encoder.json")))
        .expect("the model is bundled");
    let foreign = contract.replacen("\"window_frames\": 128", "\"window_frames\": 64", 1);
    let foreign = foreign.replacen("\"window_frames\":128", "\"window_frames\":64", 1);
    assert_ne!(foreign, contract);
    let half_contract = &contract[..contract.len() / 2];
    for (case, file, bytes, word) in [
        (
            "truncated",
            "encoder.pt",
            &whole[..whole.len() / 2],
            "truncated",
        ),
        ("empty", "encoder.pt", &[][..], "truncated"),
        (
            "foreign",
            "encoder.json",
            foreign.as_bytes(),
            "window_frames",
        ),
        ("cut", "encoder.json", half_contract.as_bytes(), "contract"),
    ] {
        let sandbox = Sandbox::with_engine();
        sandbox.replace(&model_file(file), bytes);
        let engine = Engine::at(&sandbox.engine_folder());
        assert!(ask(&engine, 1, Duration::ZERO).is_err());
        let status = settle(&engine, |s| {
            matches!(
                s,
                EngineStatus::Restarting { .. } | EngineStatus::Stopped { .. }
            )
        });
        assert!(status.text().contains(word), "{case}: {}", status.text());

        if case == "truncated" || case == "cut" {
            let job = flute(&sandbox, case, 4.0);
            let (_, out) = Host::Clap.run(CLAP_HOST, &sandbox, &job);
            assert_audible_throughout(&out, job.rate);
            // The built-in encoder has weights of its own, and else the plugin's own model.
            assert!(out != unmatched(&sandbox), "{case}: nobody matched");
        }
        let repaired = if file == "encoder.pt" {
            &whole[..]
        } else {
            contract.as_bytes()
        };
        sandbox.replace(&model_file(file), repaired);
        engine.restart();
        ask(&engine, 1, PATIENCE).unwrap_or_else(|e| panic!("{case}, repaired: {e}"));
    }
}

#[test]
fn a_program_other_than_an_engine_costs_no_sound() {
    for (case, script) in [
        (
            "garbage",
            "#!/bin/sh\nhead -c 100000 /dev/urandom\nexec sleep 60\n",
        ),
        ("mute", "#!/bin/sh\nexec sleep 60\n"),
        ("ending", "#!/bin/sh\nexit 3\n"),
    ] {
        let sandbox = Sandbox::with_engine();
        sandbox.replace(&engine_program(), script.as_bytes());
        use std::os::unix::fs::PermissionsExt;
        let program = sandbox.engine_folder().join(engine_program());
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755))
            .expect("it is ours");
        let job = flute(&sandbox, case, 4.0);
        let (_, out) = Host::Clap.run(CLAP_HOST, &sandbox, &job);
        assert_audible_throughout(&out, job.rate);
        assert!(out != unmatched(&sandbox), "{case}: nobody matched");
        let engine = Engine::at(&sandbox.engine_folder());
        assert!(ask(&engine, 1, Duration::ZERO).is_err());
        let status = settle(&engine, |s| {
            matches!(
                s,
                EngineStatus::Restarting { .. } | EngineStatus::Stopped { .. }
            )
        });
        assert!(status.text().contains("engine"), "{case}: {status:?}");
    }
}
