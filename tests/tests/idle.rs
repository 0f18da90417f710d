//! Cost of instances that nobody plays and that hear nothing.

#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tests::host::{Host, finish};
use tests::process::children;
use tests::sandbox::Sandbox;

const CLAP_HOST: &str = env!("CARGO_BIN_EXE_clap_host");

/// Wake-ups and seconds of CPU so far of each of a process's threads, with their names.
fn threads(pid: u32) -> BTreeMap<String, (String, f64, f64)> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).expect("the host runs");
    let of = |task: std::path::PathBuf| {
        let read = |name| std::fs::read_to_string(task.join(name)).ok();
        let status = read("status")?;
        let field = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        };
        let wakes = field("voluntary_ctxt_switches")?.parse().ok()?;
        let nanoseconds: f64 = read("schedstat")?.split(' ').next()?.parse().ok()?;
        let name = field("Name")?;
        Some((
            task.to_string_lossy().into(),
            (name, wakes, 1e-9 * nanoseconds),
        ))
    };
    tasks.filter_map(|task| of(task.ok()?.path())).collect()
}

/// Twenty instances, audio callbacks included.
#[test]
fn instances_that_hear_nothing_rest() {
    let sandbox = Sandbox::with_engine();
    let mut job = Host::Clap.job(&sandbox, "idle", 9.0);
    job.paced = true;
    job.instances = 20;
    let host = Host::Clap.start(CLAP_HOST, &sandbox, &job);
    // Loading and the first blocks are over.
    std::thread::sleep(Duration::from_secs(3));
    let (before, start) = (threads(host.id()), Instant::now());
    std::thread::sleep(Duration::from_secs(5));
    let (after, seconds) = (threads(host.id()), start.elapsed().as_secs_f64());
    let engines = children(host.id());
    assert!(engines.is_empty(), "no engine before a reference sounds");
    finish(host, &job);
    let (mut listeners, mut most, mut busy) = (0, 0.0f64, 0.0);
    for (task, (name, wakes, cpu)) in &after {
        let Some((_, wakes_before, cpu_before)) = before.get(task) else {
            continue;
        };
        busy += (cpu - cpu_before) / seconds;
        if name.starts_with("mirrornet liste") {
            listeners += 1;
            most = most.max((wakes - wakes_before) / seconds);
        }
    }
    println!(
        "{listeners} listeners, at most {most:.1} wake-ups a second; {:.2} % of a core",
        100.0 * busy
    );
    assert_eq!(listeners, job.instances);
    assert!(most <= 20.5, "{most} wake-ups a second");
    // The framework's part of the callbacks is hardly optimised in this build.
    assert!(busy < 0.06, "{busy} of a core");
}
