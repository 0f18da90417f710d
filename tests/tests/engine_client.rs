//! The engine's client against a stand-in engine that crashes, hangs and talks nonsense on demand.

use matcher::engine::{Engine, EngineStatus, engine_program};
use matcher::{Encoder, EncoderError, INPUT_LEN};
use std::path::Path;
use std::time::{Duration, Instant};

const FAKE: &str = env!("CARGO_BIN_EXE_fake_engine");

/// An engine folder with the stand-in in this mode.
fn folder(mode: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    install(folder.path());
    set_mode(folder.path(), mode);
    folder
}

/// Linked, not copied: a file that another test's fork still holds open for writing can't be
/// executed.
fn install(folder: &Path) {
    #[cfg(unix)]
    std::os::unix::fs::symlink(FAKE, folder.join(engine_program())).unwrap();
    #[cfg(not(unix))]
    std::fs::copy(FAKE, folder.join(engine_program())).unwrap();
}

fn set_mode(folder: &Path, mode: &str) {
    std::fs::write(folder.join("mode"), mode).unwrap();
}

fn read(folder: &Path, file: &str) -> String {
    std::fs::read_to_string(folder.join(file)).unwrap_or_default()
}

/// Waits for a status; the limit only keeps a failing test from hanging.
fn wait_for(engine: &Engine, what: impl Fn(&EngineStatus) -> bool) -> EngineStatus {
    let limit = Instant::now() + Duration::from_secs(30);
    loop {
        let status = engine.status();
        if what(&status) {
            return status;
        }
        assert!(Instant::now() < limit, "still {status:?}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn running(status: &EngineStatus) -> bool {
    matches!(status, EngineStatus::Running { .. })
}

fn settled(status: &EngineStatus) -> bool {
    !matches!(status, EngineStatus::Idle | EngineStatus::Starting)
}

fn started(mode: &str) -> (tempfile::TempDir, Engine) {
    let folder = folder(mode);
    let engine = Engine::at(folder.path());
    engine.start();
    wait_for(&engine, running);
    (folder, engine)
}

fn window(value: u8) -> Vec<u8> {
    vec![value; INPUT_LEN]
}

#[test]
fn answers_in_order_and_ends_with_its_last_handle() {
    let (_folder, engine) = started("ok");
    let windows: Vec<u8> = (0..150).flat_map(window).collect();
    let answers = engine.encoder().infer(&windows).unwrap();
    assert_eq!(answers.len(), 150);
    for (i, answer) in answers.iter().enumerate() {
        assert!(
            answer.mean.iter().all(|&v| v == i as f32 / 255.0),
            "window {i}: {answer:?}"
        );
    }
    assert_eq!(engine.contract().unwrap().ear, ear::EarConfig::default());
    let pid = engine.pid().unwrap();
    drop(engine);
    // Dropping ended it, and waited for that.
    assert!(!tests::process::children(std::process::id()).contains(&pid));
}

#[test]
fn the_first_question_starts_it_without_waiting() {
    let folder = folder("ok");
    let engine = Engine::at(folder.path());
    let mut encoder = engine.encoder();
    assert_eq!(engine.status(), EngineStatus::Idle);
    assert_eq!(
        read(folder.path(), "starts"),
        "",
        "a handle alone must not start it"
    );
    assert!(matches!(
        encoder.infer(&window(1)),
        Err(EncoderError::Unavailable(_))
    ));
    wait_for(&engine, running);
    assert_eq!(encoder.infer(&window(51)).unwrap()[0].mean[0], 0.2);
}

#[test]
fn waiting_requests_go_as_one_batch() {
    let (folder, engine) = started("slow");
    std::thread::scope(|scope| {
        for i in 0..8u8 {
            let mut encoder = engine.encoder();
            scope.spawn(move || {
                for _ in 0..3 {
                    assert_eq!(
                        encoder.infer(&window(i)).unwrap()[0].sigma[3],
                        (i as f32 / 255.0).max(1e-3)
                    );
                }
            });
        }
    });
    let batches: Vec<usize> = read(folder.path(), "batches")
        .lines()
        .map(|l| l.parse().unwrap())
        .collect();
    assert_eq!(batches.iter().sum::<usize>(), 24);
    assert!(
        batches.iter().any(|&n| n >= 4),
        "never batched: {batches:?}"
    );
}

#[test]
fn the_child_gets_a_clean_world() {
    // Names no library reads, so that other tests of this process are not disturbed.
    let foreign = [
        "LD_MIRRORNET_TEST",
        "DYLD_MIRRORNET_TEST",
        "OMP_MIRRORNET_TEST",
    ];
    let folder = folder("ok");
    let status = std::process::Command::new(FAKE)
        .args(["host".as_ref(), folder.path()])
        .envs(foreign.map(|name| (name, "1")))
        .env("MIRRORNET_KEPT", "1")
        .stdout(std::process::Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    let environment = read(folder.path(), "environment");
    assert!(environment.contains("MIRRORNET_KEPT=1"));
    assert!(
        !foreign.iter().any(|name| environment.contains(name)),
        "{environment}"
    );
    let model = folder.path().join("model");
    assert_eq!(
        read(folder.path(), "arguments"),
        format!("serve\n--model\n{}", model.display())
    );
}

#[test]
fn the_engine_can_serve_a_model_elsewhere() {
    let folder = folder("ok");
    let engine = Engine::with_model(folder.path(), Path::new("elsewhere"));
    let model = std::path::absolute("elsewhere").unwrap();
    assert_eq!(engine.model_folder().as_ref(), Some(&model));
    engine.start();
    wait_for(&engine, running);
    assert_eq!(
        read(folder.path(), "arguments"),
        format!("serve\n--model\n{}", model.display())
    );
}

#[cfg(target_os = "linux")]
#[test]
#[allow(unsafe_code)]
fn the_child_inherits_three_descriptors_and_no_blocked_signal() {
    use std::os::fd::AsRawFd;
    let leaked = std::fs::File::open("/dev/null").unwrap();
    // SAFETY: clears the flags of a descriptor owned by `leaked`, as a careless host does.
    assert_eq!(
        unsafe { libc::fcntl(leaked.as_raw_fd(), libc::F_SETFD, 0) },
        0
    );
    let (_folder, engine) = started("ok");
    let proc = format!("/proc/{}", engine.pid().unwrap());
    let mut open: Vec<String> = std::fs::read_dir(format!("{proc}/fd"))
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    open.sort();
    assert_eq!(open, ["0", "1", "2"]);
    let status = std::fs::read_to_string(format!("{proc}/status")).unwrap();
    let blocked = status
        .lines()
        .find_map(|l| l.strip_prefix("SigBlk:"))
        .unwrap()
        .trim();
    assert_eq!(blocked, "0000000000000000");
}

/// A fork copies the page tables of a host with gigabytes in memory, and its threads stand still
/// meanwhile.
#[cfg(target_os = "linux")]
#[test]
#[allow(unsafe_code)]
fn starting_an_engine_does_not_fork_the_host() {
    use std::sync::atomic::{AtomicBool, Ordering};
    static FORKED: AtomicBool = AtomicBool::new(false);
    unsafe extern "C" fn before() {
        FORKED.store(true, Ordering::SeqCst);
    }
    type Handler = Option<unsafe extern "C" fn()>;
    unsafe extern "C" {
        fn pthread_atfork(prepare: Handler, parent: Handler, child: Handler) -> i32;
    }
    // SAFETY: the function only sets a flag, and stays.
    assert_eq!(unsafe { pthread_atfork(Some(before), None, None) }, 0);
    let (_folder, engine) = started("ok");
    assert!(engine.pid().is_some());
    assert!(!FORKED.load(Ordering::SeqCst));
}

#[test]
fn a_missing_engine_is_named_with_its_folder_and_found_after_installation() {
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::at(folder.path());
    engine.start();
    let status = wait_for(&engine, settled);
    assert_eq!(
        status,
        EngineStatus::Missing {
            expected: folder.path().into()
        }
    );
    let text = status.text();
    assert!(
        text.contains(&folder.path().display().to_string()) && text.contains("cargo xtask install"),
        "{text}"
    );
    install(folder.path());
    set_mode(folder.path(), "ok");
    engine.restart();
    wait_for(&engine, running);
}

#[test]
fn an_engine_that_is_no_program_stops_with_its_path() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(engine_program()), "not a program").unwrap();
    let engine = Engine::at(folder.path());
    engine.start();
    let text = wait_for(&engine, settled).text();
    assert!(
        text.contains(&engine_program()) && text.contains("can't be started"),
        "{text}"
    );
}

#[test]
fn refusals_stop_it_with_their_reason_until_a_click() {
    for (mode, needle) in [
        ("failed", "encoder.pt is truncated"),
        ("foreign", "osc9_shape"),
        ("old", "0.0.1"),
    ] {
        let folder = folder(mode);
        let engine = Engine::at(folder.path());
        engine.start();
        let status = wait_for(&engine, settled);
        assert!(
            matches!(&status, EngineStatus::Stopped { reason } if reason.contains(needle)),
            "{mode}: {status:?}"
        );
        assert!(engine.pid().is_none());
        set_mode(folder.path(), "ok");
        engine.restart();
        wait_for(&engine, running);
        assert!(engine.encoder().infer(&window(3)).is_ok());
    }
}

#[test]
fn nonsense_counts_as_a_crash() {
    for mode in ["garbage", "oversized", "die-at-start"] {
        let folder = folder(mode);
        let engine = Engine::at(folder.path());
        engine.start();
        let status = wait_for(&engine, settled);
        assert!(
            matches!(status, EngineStatus::Restarting { seconds: 1, .. }),
            "{mode}: {status:?}"
        );
        if mode == "die-at-start" {
            assert!(
                status.text().contains("libtorch_cpu.so: cannot open"),
                "{}",
                status.text()
            );
        }
    }
    for mode in ["short", "nan", "wrong-id"] {
        let (_folder, engine) = started(mode);
        let two: Vec<u8> = [window(1), window(2)].concat();
        assert!(engine.encoder().infer(&two).is_err(), "{mode}");
        assert!(
            matches!(engine.status(), EngineStatus::Restarting { .. }),
            "{mode}"
        );
    }
}

#[test]
fn a_crash_fails_the_request_and_the_engine_comes_back() {
    let (folder, engine) = started("crash 2");
    let mut encoder = engine.encoder();
    assert!(encoder.infer(&window(1)).is_ok() && encoder.infer(&window(1)).is_ok());
    let EncoderError::Unavailable(text) = encoder.infer(&window(1)).unwrap_err();
    assert!(
        text.contains("out of luck") && text.contains("restarts in 1 s"),
        "{text}"
    );
    set_mode(folder.path(), "ok");
    wait_for(&engine, running);
    assert!(encoder.infer(&window(1)).is_ok());
    assert_eq!(read(folder.path(), "starts"), "xx");
}

#[test]
fn three_crashes_stop_it_until_a_click() {
    let folder = folder("die-at-start");
    let engine = Engine::at(folder.path());
    engine.start();
    let status = wait_for(&engine, |s| matches!(s, EngineStatus::Stopped { .. }));
    assert_eq!(read(folder.path(), "starts"), "xxx");
    assert!(
        status.text().contains("3 times within a minute")
            && status.text().contains("Click Restart"),
        "{}",
        status.text()
    );
    set_mode(folder.path(), "ok");
    engine.restart();
    wait_for(&engine, running);
}

#[test]
fn hangs_are_ended() {
    // Not answering, and not even reading while the client is in the middle of a write.
    for mode in ["hang", "stop-reading"] {
        let (_folder, engine) = started(mode);
        let windows = vec![0; 64 * INPUT_LEN];
        let EncoderError::Unavailable(text) = engine.encoder().infer(&windows).unwrap_err();
        assert!(text.contains("did not answer in time"), "{mode}: {text}");
    }
    let folder = folder("hang-at-start");
    let engine = Engine::at(folder.path());
    engine.start();
    let text = wait_for(&engine, settled).text();
    assert!(text.contains("did not get ready within 5 s"), "{text}");
}

#[test]
fn a_hung_engine_does_not_outlive_its_handle() {
    let (_folder, engine) = started("stop-reading");
    let pid = engine.pid().unwrap();
    drop(engine);
    assert!(!Path::new(&format!("/proc/{pid}")).exists());
}

#[cfg(unix)]
#[test]
fn death_while_idle_is_noticed() {
    let (_folder, engine) = started("ok");
    kill(engine.pid().unwrap());
    let text = wait_for(&engine, |s| !running(s)).text();
    assert!(text.contains("SIGKILL"), "{text}");
}

/// The host has the default action for SIGPIPE; the engine is killed in the middle of a write that
/// is too large for the buffer between them.
#[cfg(unix)]
#[test]
fn a_host_with_default_signals_survives_a_kill_in_mid_write() {
    use std::io::{BufRead, BufReader};
    for mode in ["stop-reading", "die-in-write"] {
        let folder = folder(mode);
        let mut host = std::process::Command::new(FAKE)
            .args(["host".as_ref(), folder.path()])
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(host.stdout.take().unwrap())
            .lines()
            .map(Result::unwrap);
        let first = lines.next().unwrap();
        if mode == "stop-reading" {
            // Time for the host to be in its write; were it not, the test would still have to pass.
            std::thread::sleep(Duration::from_millis(300));
            kill(first.strip_prefix("pid ").unwrap().parse().unwrap());
        }
        let rest: Vec<String> = lines.collect();
        assert!(host.wait().unwrap().success(), "{mode}: {rest:?}");
        assert!(
            rest[0].starts_with("result Err(Unavailable"),
            "{mode}: {rest:?}"
        );
        assert_eq!(rest[1], "survived");
    }
}

#[cfg(unix)]
fn kill(pid: u32) {
    let status = std::process::Command::new("kill")
        .args(["-9", &pid.to_string()])
        .status();
    assert!(status.unwrap().success());
}
