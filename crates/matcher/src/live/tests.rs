//! The live loop with test encoders in place of the engine.

use super::*;
use crate::model::{Encoder, EncoderError, Inference};
use ear::EarConfig;
use rand::SeedableRng;
use std::sync::mpsc;
use std::time::Instant;
use synth::{MATCHED_COUNT, Note, Patch};

/// The patch that plays the references of these tests.
fn played() -> Patch {
    Patch::random(&mut rand_pcg::Pcg64Mcg::seed_from_u64(31))
}

/// Encoder that knows the patch, up to a small error that depends on every byte of a window.
struct Fingerprint;

impl Encoder for Fingerprint {
    fn infer(&mut self, windows: &[u8]) -> Result<Vec<Inference>, EncoderError> {
        let answer = |window: &[u8]| {
            let hash = window
                .iter()
                .fold(7u32, |h, &b| h.wrapping_mul(31).wrapping_add(b as u32));
            let error = |i: usize| (hash.rotate_left(i as u32) % 1000) as f32 * 1e-6;
            let right = played().matched();
            let mean = std::array::from_fn(|i| (right[i] + error(i)).min(1.0));
            Inference {
                mean,
                sigma: [0.05; MATCHED_COUNT],
            }
        };
        Ok(windows
            .chunks(crate::model::INPUT_LEN)
            .map(answer)
            .collect())
    }
}

/// Encoder that waits for a permit before each answer.
struct Gated(mpsc::Receiver<()>);

impl Encoder for Gated {
    fn infer(&mut self, windows: &[u8]) -> Result<Vec<Inference>, EncoderError> {
        self.0
            .recv()
            .map_err(|_| EncoderError::Unavailable("closed".into()))?;
        Fingerprint.infer(windows)
    }
}

fn no_engine() -> Engine {
    Engine::at(std::path::Path::new("no such folder"))
}

/// Source with a fixed readiness and ear.
struct Standing<E>(E, Readiness, EarConfig);

impl<E: Encoder> Encoder for Standing<E> {
    fn infer(&mut self, windows: &[u8]) -> Result<Vec<Inference>, EncoderError> {
        self.0.infer(windows)
    }
}

impl<E: Encoder> Source for Standing<E> {
    fn poll_status(&mut self) -> (Readiness, Option<EarConfig>) {
        (self.1, Some(self.2))
    }
}

fn live_with(rate: f64, encoder: impl Encoder + 'static, readiness: Readiness) -> (AudioEnd, View) {
    let mut source = Some(Standing(encoder, readiness, EarConfig::default()));
    start(rate, move |_| source.take(), no_engine(), false)
}

/// Notes of several pitches, so that no two windows are alike.
fn melody(rate: f64, seconds: f64) -> Vec<f32> {
    let note = |i: usize| Note {
        onset: 0.3 * i as f64,
        duration: 0.25,
        key: 57.0 + [0.0, 4.0, -3.0, 7.0, 2.0, 9.0][i % 6] + (i / 6) as f32,
        velocity: 0.8,
    };
    let notes: Vec<Note> = (0..).map(note).take_while(|n| n.onset < seconds).collect();
    synth::render_mono(&played(), &notes, seconds, rate as f32, 1)
}

/// Pushes `sound` in blocks of `size`, waiting as an offline host does; returns position and target
/// of all inferences that came due.
fn play(end: &mut AudioEnd, sound: &[f32], size: usize) -> Vec<(usize, Target)> {
    let mut all = Vec::new();
    for (i, block) in sound.chunks(size).enumerate() {
        end.push(block);
        end.wait(Instant::now() + LONGEST_WAIT);
        while let Some((offset, target)) = end.next_due() {
            assert!(offset < block.len());
            all.push((i * size + offset, target));
        }
    }
    all
}

/// Positions of all inferences due within `length` samples: none before 0.28 s were judged.
fn lattice(rate: f64, length: usize) -> Vec<usize> {
    (7..)
        .map(|n| ((n as f64 * 0.040 + DELAY) * rate).round() as usize)
        .take_while(|&p| p < length)
        .collect()
}

#[test]
fn inferences_take_effect_on_the_same_samples_in_blocks_of_any_size() {
    for rate in [48_000.0, 44_100.0] {
        let sound = melody(rate, 1.5);
        let reference = {
            let (mut end, _view) = live_with(rate, Fingerprint, Readiness::Ready);
            play(&mut end, &sound, 512)
        };
        let positions: Vec<usize> = reference.iter().map(|d| d.0).collect();
        assert_eq!(positions, lattice(rate, sound.len()));
        for size in [1, 64, 777, 8192, sound.len()] {
            let (mut end, view) = live_with(rate, Fingerprint, Readiness::Ready);
            assert_eq!(
                play(&mut end, &sound, size),
                reference,
                "blocks of {size} at {rate}"
            );
            let seen = view.snapshot();
            assert_eq!((seen.dropped, seen.late), (0, 0));
        }
    }
}

#[test]
fn a_reset_starts_the_same_stream_again() {
    let sound = melody(48_000.0, 1.0);
    let (mut end, _view) = live_with(48_000.0, Fingerprint, Readiness::Ready);
    let first = play(&mut end, &sound, 480);
    // With inferences queued.
    end.reset();
    assert_eq!(play(&mut end, &sound, 333), first);
    end.reset();
    end.reset();
    assert_eq!(play(&mut end, &sound, 64), first);
}

/// Waits until the listener has heard everything pushed.
fn catch_up(end: &AudioEnd) {
    let until = Instant::now() + Duration::from_secs(20);
    while end.shared.heard.load(Ordering::Acquire) < end.end - end.unmarked_gap {
        assert!(Instant::now() < until, "the listener is stuck");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn drops_are_counted_and_time_passes_over_them() {
    let rate = 16_000.0;
    let (permit, gate) = mpsc::channel();
    let (mut end, view) = live_with(rate, Gated(gate), Readiness::Ready);
    let sound = melody(rate, 6.0);
    // The listener waits for the gate at the first window; the ring holds 4 s of the 6.
    for block in sound.chunks(1000) {
        end.push(block);
    }
    let dropped = view.snapshot().dropped;
    assert!(
        (20_000..=32_000).contains(&dropped) && dropped % 1000 == 0,
        "{dropped}"
    );
    for _ in 0..1000 {
        permit.send(()).unwrap();
    }
    catch_up(&end);
    while end.next_due().is_some() {}
    // After the gap, inferences take effect where they would have without it.
    let mut positions = Vec::new();
    for (i, block) in melody(rate, 1.0).chunks(100).enumerate() {
        end.push(block);
        catch_up(&end);
        while let Some((offset, _)) = end.next_due() {
            positions.push(sound.len() + i * 100 + offset);
        }
    }
    let all = lattice(rate, sound.len() + 16_000);
    // The listener learns of the gap with the first block after it: inferences due before are late.
    let settled = |list: Vec<usize>| -> Vec<usize> {
        list.into_iter()
            .filter(|&p| p > sound.len() + 8000)
            .collect()
    };
    assert_eq!(settled(positions), settled(all));
}

#[test]
fn late_inferences_come_at_the_blocks_start_and_are_counted() {
    let (permit, gate) = mpsc::channel();
    let (mut end, view) = live_with(16_000.0, Gated(gate), Readiness::Ready);
    let sound = melody(16_000.0, 0.5);
    end.push(&sound);
    assert!(end.next_due().is_none());
    for _ in 0..100 {
        permit.send(()).unwrap();
    }
    catch_up(&end);
    end.push(&[0.0; 64]);
    catch_up(&end);
    let offsets: Vec<usize> = std::iter::from_fn(|| end.next_due()).map(|d| d.0).collect();
    assert_eq!(offsets, vec![0; lattice(16_000.0, sound.len()).len()]);
    assert_eq!(view.snapshot().late, offsets.len() as u64);
}

#[test]
fn clearing_discards_queued_inferences() {
    let (mut end, view) = live_with(16_000.0, Fingerprint, Readiness::Ready);
    end.push(&melody(16_000.0, 0.5));
    catch_up(&end);
    // The first of several.
    assert!(end.next_due().is_some());
    view.clear();
    assert!(end.next_due().is_none());
    // The reference plays on, and is followed again.
    end.push(&melody(16_000.0, 0.5));
    catch_up(&end);
    assert!(end.next_due().is_some());
}

#[test]
fn without_an_engine_frames_arrive_and_the_host_is_not_blocked() {
    struct Missing;
    impl Encoder for Missing {
        fn infer(&mut self, _: &[u8]) -> Result<Vec<Inference>, EncoderError> {
            Err(EncoderError::Unavailable("not installed".into()))
        }
    }
    let (mut end, view) = live_with(16_000.0, Missing, Readiness::Absent);
    assert_eq!(play(&mut end, &melody(16_000.0, 1.0), 64), []);
    catch_up(&end);
    let seen = view.snapshot();
    assert_eq!((seen.heard, seen.frames.len()), (125, 125));
    assert!(seen.pitch.level_db > -60.0);
    assert_eq!(seen.status, Status::Holding(HoldReason::NoEncoder));
}

#[test]
fn silence_holds_the_match() {
    let (mut end, view) = live_with(16_000.0, Fingerprint, Readiness::Ready);
    let sound = melody(16_000.0, 0.5);
    assert!(!play(&mut end, &sound, 160).is_empty());
    assert_eq!(view.snapshot().status, Status::Following(Runtime::Engine));
    let quiet = vec![0.0; 48_000];
    let after = play(&mut end, &quiet, 160);
    // Followed until half a second of silence had been heard.
    let last = after.last().unwrap().0 as f64 / 16_000.0;
    assert!(last < 0.5 + DELAY + 0.04 + 0.1, "{last}");
    let seen = view.snapshot();
    assert_eq!(seen.status, Status::Holding(HoldReason::Silence));
}

#[test]
fn listening_can_be_switched_off_and_on() {
    let (mut end, view) = live_with(16_000.0, Fingerprint, Readiness::Ready);
    let sound = melody(16_000.0, 0.5);
    view.set_listening(false);
    while view.snapshot().status != Status::Off {
        std::thread::yield_now();
    }
    assert_eq!(play(&mut end, &sound, 160), []);
    catch_up(&end);
    assert_eq!(view.snapshot().heard, 0);
    view.set_listening(true);
    while view.snapshot().status == Status::Off {
        std::thread::yield_now();
    }
    // From its start on, the stream is heard as after a reset.
    let positions: Vec<usize> = play(&mut end, &sound, 160)
        .into_iter()
        .map(|d| d.0)
        .collect();
    assert_eq!(positions, lattice(16_000.0, sound.len()));
}

#[test]
fn the_models_ear_replaces_the_default_one() {
    let ear = EarConfig {
        frame_ms: 16.0,
        ..EarConfig::default()
    };
    let mut source = Some(Standing(Fingerprint, Readiness::Ready, ear));
    let (mut end, view) = start(16_000.0, move |_| source.take(), no_engine(), false);
    let positions: Vec<usize> = play(&mut end, &melody(16_000.0, 1.0), 160)
        .into_iter()
        .map(|d| d.0)
        .collect();
    // Every fifth frame of 16 ms, from the first judgement on.
    let expected: Vec<usize> = (7..=10).map(|n| n * 1280 + 1920).collect();
    assert_eq!(positions, expected);
    assert_eq!(view.snapshot().ear, ear);
}

/// Encoder that panics at its tenth window.
struct Fragile(usize);

impl Encoder for Fragile {
    fn infer(&mut self, windows: &[u8]) -> Result<Vec<Inference>, EncoderError> {
        self.0 += 1;
        assert!(self.0 < 10, "out of luck");
        Fingerprint.infer(windows)
    }
}

#[test]
fn a_panic_is_said_and_the_listener_begins_again_unless_it_goes_on() {
    let source = |_| Some(Standing(Fragile(0), Readiness::Ready, EarConfig::default()));
    let (mut end, view) = start(16_000.0, source, no_engine(), false);
    let sound = melody(16_000.0, 4.0);
    let (first, rest) = sound.split_at(16_000 * 6 / 10);
    let positions = |due: Vec<(usize, Target)>| due.iter().map(|d| d.0).collect::<Vec<_>>();
    let due = positions(play(&mut end, first, 160));
    assert!(due.iter().any(|p| *p < 8_000), "{due:?}");
    let words = view.describe_encoder();
    assert!(words.contains("failed and began again, 1 times"), "{words}");
    // Followed once more, then given up: three times within a minute.
    assert!(!play(&mut end, rest, 160).is_empty());
    let status = view.snapshot().status;
    let fault = Status::NotListening(Deafness::Fault("out of luck".into()));
    assert_eq!(status, fault);
    assert!(status.to_string().contains("out of luck"), "{status}");
    assert_eq!(play(&mut end, first, 160), [], "nobody is waited for");
    view.restart();
    while view.snapshot().status == fault {
        end.push(&[0.0; 160]);
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(!play(&mut end, first, 160).is_empty(), "it listens again");
    assert_eq!(view.snapshot().dropped, 0);
}

/// Samples left out of a silence move no inference.
#[test]
fn inferences_keep_their_lattice_over_a_rest() {
    let rate = 16_000.0;
    let (mut end, view) = live_with(rate, Fingerprint, Readiness::Ready);
    let tone = melody(rate, 0.5);
    let silence = vec![0.0; 16_000 * 7 + 123];
    let sound = [&silence[..777], &tone, &silence, &tone].concat();
    let due = play(&mut end, &sound, 160);
    let lattice = lattice(rate, sound.len());
    assert!(due.iter().all(|(p, _)| lattice.contains(p)));
    let again = 777 + tone.len() + silence.len();
    assert!(due.iter().any(|(p, _)| (again..again + 8_000).contains(p)));
    // Five seconds of it were heard, and the editor shows four.
    let heard = view.snapshot().heard as f64 * 0.008;
    assert!((5.9..6.2).contains(&heard), "{heard} s");
    let (mut end, _view) = live_with(rate, Fingerprint, Readiness::Ready);
    assert_eq!(play(&mut end, &sound, 999), due);
}

#[test]
fn an_unsupported_rate_is_reported() {
    let (mut end, view) = live_with(1.0, Fingerprint, Readiness::Ready);
    end.push(&[0.0; 64]);
    end.wait(Instant::now() + LONGEST_WAIT);
    let status = view.snapshot().status;
    assert!(
        matches!(status, Status::NotListening(Deafness::Ear(_))),
        "{status:?}"
    );
    assert!(
        status.to_string().starts_with("Not listening: "),
        "{status}"
    );
}
