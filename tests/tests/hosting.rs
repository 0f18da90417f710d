//! Guarantees to hosts: ports, a cheap scan, finite sound, independence of the block size, and an
//! audio thread without heap and system calls.

use std::collections::BTreeSet;
use tests::host::Host;
use tests::job::Job;
use tests::melody;
use tests::sandbox::Sandbox;
use tests::wav;

const CLAP_HOST: &str = env!("CARGO_BIN_EXE_clap_host");
/// An engine with which the match moves, independently of the shipped model.
const SURE_ENGINE: &str = env!("CARGO_BIN_EXE_sure_engine");

/// A job with a melody in notes and sidechain, pitch bend, pedal and controllers.
fn busy(sandbox: &Sandbox, name: &str, seconds: f64) -> Job {
    let violin = melody::foreign().swap_remove(1);
    let mut job = Host::Clap.job(sandbox, name, seconds);
    let sidechain = sandbox.file(&format!("{name}.sidechain.wav"));
    violin.write(&sidechain);
    job.sidechain = Some(sidechain);
    job.notes = violin.notes;
    // Chords too.
    let chord: Vec<_> = job
        .notes
        .iter()
        .map(|n| synth::Note {
            key: n.key - 12.0,
            onset: n.onset + 0.01,
            ..*n
        })
        .collect();
    job.notes.extend(chord);
    job.midi = vec![
        (0.30, [0xE0, 0, 96]),
        (0.55, [0xE0, 0, 64]),
        (0.60, [0xB0, 64, 127]),
        (1.10, [0xB0, 64, 0]),
        (1.30, [0xB0, 1, 100]),
    ];
    job
}

#[test]
fn scanning_is_cheap_and_never_starts_the_engine() {
    let sandbox = Sandbox::with_engine();
    // In place of every file of the engine, something that leaves a mark when it is run.
    let mark = sandbox.file("started");
    let script = format!("#!/bin/sh\ntouch '{}'\n", mark.display());
    for entry in std::fs::read_dir(sandbox.engine_folder()).expect("just made") {
        let entry = entry.expect("just made");
        if entry.file_type().expect("just made").is_file() {
            sandbox.replace(&entry.file_name().to_string_lossy(), script.as_bytes());
            make_executable(&entry.path());
        }
    }
    let job = Host::Clap.job(&sandbox, "scan", 0.0);
    let (report, _) = Host::Clap.run(CLAP_HOST, &sandbox, &job);
    assert!(
        !mark.exists(),
        "loading, describing and unloading the plugin started the engine"
    );
    assert!(report.torch_mapped.is_empty());
    assert_eq!(
        report.outputs.iter().map(|p| p.1).collect::<Vec<_>>(),
        [2],
        "{:?}",
        report.outputs
    );
    assert_eq!(report.inputs, [("Sidechain".to_string(), 2)]);
    assert_eq!(report.latency, 0);
    let names: BTreeSet<&String> = report.params.iter().collect();
    assert_eq!(
        names.len(),
        report.params.len(),
        "two parameters share a name"
    );
    for row in &synth::PARAMS {
        assert!(
            names.contains(&row.name.to_string()),
            "the host does not see {}",
            row.name
        );
    }
}

#[cfg(unix)]
fn make_executable(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("just made");
}

#[cfg(not(unix))]
fn make_executable(_path: &std::path::Path) {}

#[test]
fn sound_is_the_same_in_blocks_of_any_size() {
    let sandbox = Sandbox::without_engine();
    let render = |block: usize| {
        let mut job = busy(&sandbox, &format!("block{block}"), 4.0);
        job.block = block;
        job.params.insert("Match".into(), 0.0);
        Host::Clap.run(CLAP_HOST, &sandbox, &job).1
    };
    let reference = render(64);
    assert!(
        reference[0].iter().any(|s| s.abs() > 0.01),
        "the reference is silent"
    );
    for block in [1, 512, 777] {
        for (side, (got, want)) in render(block).iter().zip(&reference).enumerate() {
            let differing = got
                .iter()
                .zip(want)
                .position(|(a, b)| a.to_bits() != b.to_bits());
            assert_eq!(
                differing, None,
                "channel {side} in blocks of {block}: first differing sample"
            );
        }
    }
}

/// The same patch, notes and blocks, without the plugin.
#[test]
fn synth_is_the_same_in_blocks_of_any_size() {
    use rand::SeedableRng;
    use synth::{Event, EventKind, Patch, Synth};
    let mut rng = rand_pcg::Pcg64Mcg::seed_from_u64(7);
    for _ in 0..5 {
        let patch = Patch::random(&mut rng);
        let render = |block: usize| {
            let mut synth = Synth::new(48_000.0);
            synth.set_patch(&patch, 0.0);
            let (mut left, mut right) = (vec![0.0; 48_000], vec![0.0; 48_000]);
            let on = |key: f32| EventKind::NoteOn {
                id: -1,
                channel: 0,
                key,
                velocity: 0.8,
            };
            let off = |key: f32| EventKind::NoteOff {
                id: -1,
                channel: 0,
                key,
            };
            let all = [
                (100, on(60.0)),
                (5_001, on(64.5)),
                (20_000, off(60.0)),
                (30_011, off(64.5)),
            ];
            for start in (0..left.len()).step_by(block) {
                let end = (start + block).min(left.len());
                let events: Vec<Event> = all
                    .iter()
                    .filter(|(time, _)| (start..end).contains(time))
                    .map(|&(time, kind)| Event {
                        time: (time - start) as u32,
                        kind,
                    })
                    .collect();
                synth.process(&mut left[start..end], &mut right[start..end], &events);
            }
            (left, right)
        };
        let reference = render(512);
        for block in [1, 64, 777] {
            assert!(
                render(block) == reference,
                "blocks of {block}: {}",
                patch.to_json()
            );
        }
    }
}

#[test]
fn sound_is_finite_under_hostile_input() {
    let sandbox = Sandbox::with_program(SURE_ENGINE);
    for (seed, poison) in [f32::NAN, f32::INFINITY, f32::MAX, -1e30, 1e-42]
        .into_iter()
        .enumerate()
    {
        let mut job = busy(&sandbox, &format!("hostile{seed}"), 3.0);
        job.hostile = Some(seed as u64);
        let sidechain = sandbox.file(&format!("hostile{seed}.sidechain.wav"));
        let mut samples = melody::foreign().swap_remove(0).samples;
        for burst in samples.chunks_mut(9_600) {
            burst[..2_400].fill(poison);
        }
        wav::write(&sidechain, &[&samples], melody::RATE);
        job.sidechain = Some(sidechain);
        let (_, out) = Host::Clap.run(CLAP_HOST, &sandbox, &job);
        for channel in &out {
            let bad = channel
                .iter()
                .position(|s| !s.is_finite() || s.abs() > 100.0);
            assert_eq!(
                bad,
                None,
                "with {poison} in the sidechain: {:?}",
                bad.map(|i| channel[i])
            );
        }
    }
}

#[test]
#[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
fn process_makes_no_heap_and_no_system_calls() {
    let sandbox = Sandbox::with_program(SURE_ENGINE);
    let mut job = busy(&sandbox, "watched", 4.0);
    // Waiting for the match is allowed only offline.
    job.paced = true;
    job.block = 256;
    job.watched = true;
    job.instances = 2;
    let (report, out) = Host::Clap.run(CLAP_HOST, &sandbox, &job);
    job.params.insert("Match".into(), 0.0);
    (job.paced, job.watched) = (false, false);
    assert!(
        out != Host::Clap.run(CLAP_HOST, &sandbox, &job).1,
        "the match did not move"
    );
    let watch = report.watch.expect("it was watched");
    let from = watch.first_heap_call.as_deref().unwrap_or("");
    assert_eq!(
        (watch.allocations, watch.frees),
        (0, 0),
        "(allocations, frees) in process; the first:\n{from}"
    );
    match watch.system_calls {
        Some(calls) => assert!(calls.is_empty(), "system calls in process: {calls:?}"),
        None => println!("this kernel can't trap system calls: only the heap was checked"),
    }
    assert!(report.torch_mapped.is_empty(), "{:?}", report.torch_mapped);
    assert_eq!(
        report.children.len(),
        1,
        "one engine for all instances: {:?}",
        report.children
    );
}

/// Each inference takes effect at a fixed time after its frame, however fast the host runs.
#[test]
#[ignore = "needs a machine with nothing else to do: a late inference counts as a difference"]
fn a_live_pass_and_a_bounce_are_the_same() {
    let sandbox = Sandbox::with_engine();
    let mut job = busy(&sandbox, "live", 8.0);
    // The engine has two seconds of silence to start in.
    let lead = 2 * melody::RATE as usize;
    let sound = wav::read(job.sidechain.as_ref().expect("busy has one"))
        .0
        .swap_remove(0);
    let delayed = [vec![0.0; lead], sound].concat();
    let sidechain = sandbox.file("delayed.wav");
    wav::write(&sidechain, &[&delayed], melody::RATE);
    job.sidechain = Some(sidechain);
    job.paced = true;
    let (_, live) = Host::Clap.run(CLAP_HOST, &sandbox, &job);
    (job.paced, job.offline) = (false, true);
    let (_, bounce) = Host::Clap.run(CLAP_HOST, &sandbox, &job);
    let differing = live[0]
        .iter()
        .zip(&bounce[0])
        .position(|(a, b)| a.to_bits() != b.to_bits());
    assert_eq!(differing, None, "first differing sample");
}
