//! The listener: samples -> ear -> window -> encoder -> inference. Has no threads, so that `step`
//! can be tested alone.

use super::matching::{Matching, State};
use super::memory::KnownSound;
use super::onset::{Onsets, SILENCE_DB};
use super::searching::Searcher;
use super::target::{Settings, Target};
use super::tracker::{Tracker, novelty};
use crate::model::{Encoder, EncoderError, HOP_FRAMES, INPUT_LEN, WINDOW_FRAMES, quantize_window};
use ear::{CHANNELS, Ear, EarConfig, EarError, Frame, PitchFrame};

/// Number of silent frames (0.5 s) at a window's end from which on the match holds: the sound is
/// over.
const SILENT_FRAMES: usize = 64;
/// Confidence below which a window does not move the match. With the shipped model, windows of
/// white and red noise have 0.07 to 0.17 (median 0.11: the resynthesis is the surer judge), those
/// of melodies medians of 0.14 to 0.45, their first 40 ms 0.10 to 0.16, and chords (as if they were
/// one note) 0.2 to 0.28.
pub const MIN_CONFIDENCE: f32 = 0.12;

/// Result of a listening step: the newest window, and the target held after it.
#[derive(Clone, Copy, Debug)]
pub struct StepResult {
    /// Number of frames heard since the reset, including the window's last.
    pub frame: u64,
    /// The target now held; `None` until something was judged to be better than the knobs.
    pub target: Option<Target>,
    /// Confidence of the newest window, 0 to 1; 0 for silence.
    pub confidence: f32,
    /// Likeness of what is held, by the last resynthesis, -1 to 1; `None` before the first since
    /// the last silence.
    pub likeness: Option<f32>,
    /// Likeness of the player's knobs, by the same resynthesis.
    pub of_knobs: Option<f32>,
    /// True if the target has moved.
    pub moved: bool,
    /// State of the match.
    pub state: State,
    /// True if the newest window was silent, so that the encoder was not asked.
    pub silent: bool,
}

/// Listens to one reference.
pub struct Listener<E> {
    ear: Ear,
    hearing: Hearing<E>,
}

/// Stages after the ear: window, encoder, smoothing and match.
struct Hearing<E> {
    encoder: E,
    /// Ring of the last frames: frame `n` is at row `n % WINDOW_FRAMES`. Zero before the stream's
    /// start.
    ring: Vec<f32>,
    /// Number of frames since the last one above [`SILENCE_DB`].
    silent: usize,
    frames: u64,
    window: Vec<f32>,
    input: Vec<u8>,
    onsets: Onsets,
    tracker: Tracker,
    matching: Matching,
}

impl<E: Encoder> Listener<E> {
    /// Creates a listener to samples at `input_rate` Hz. Fails where [`Ear::new`] does.
    pub fn new(ear: &EarConfig, input_rate: f64, encoder: E) -> Result<Self, EarError> {
        let new = Ear::new(ear, input_rate, true)?;
        let hearing = Hearing {
            encoder,
            ring: vec![0.0; INPUT_LEN],
            silent: SILENT_FRAMES,
            frames: 0,
            window: vec![0.0; INPUT_LEN],
            input: vec![0; INPUT_LEN],
            onsets: Onsets::default(),
            tracker: Tracker::default(),
            matching: Matching::new(ear, &new),
        };
        Ok(Self { ear: new, hearing })
    }

    /// Hears `mono`; calls `on_frame` for each frame with its spectrum and the pitch of
    /// [`Ear::pitch_delay`] frames before, and `on_inference` after every [`HOP_FRAMES`]-th frame.
    /// An encoder error is passed on, and the samples still count in the next window.
    pub fn step(
        &mut self,
        mono: &[f32],
        mut on_frame: impl FnMut(&[f32; CHANNELS], PitchFrame),
        mut on_inference: impl FnMut(Result<StepResult, EncoderError>),
    ) {
        let hearing = &mut self.hearing;
        self.ear.process(mono, |frame| {
            hearing.take(&frame);
            on_frame(frame.spectrum, frame.pitch);
            if hearing.frames.is_multiple_of(HOP_FRAMES as u64) {
                on_inference(hearing.infer());
            }
        });
    }

    /// Replaces the ear, and resets the listener. Fails where [`Ear::new`] does, and then nothing
    /// has changed.
    pub fn set_ear(&mut self, ear: &EarConfig, input_rate: f64) -> Result<(), EarError> {
        self.ear = Ear::new(ear, input_rate, true)?;
        self.hearing.matching.set_ear(ear, &self.ear);
        self.reset();
        Ok(())
    }

    /// Lets `searcher` look for better patches while a sound goes on.
    pub fn search_with(&mut self, searcher: impl Searcher + 'static) {
        self.hearing.matching.search_with(Box::new(searcher));
    }

    /// Takes the player's settings. Before, the knobs are the default patch's, nothing is locked,
    /// and searching is on.
    pub fn set(&mut self, settings: &Settings) {
        self.hearing.matching.set(settings);
    }

    /// The sounds found so far, if they have changed since the last call.
    pub fn take_changed_sounds(&mut self) -> Option<Vec<KnownSound>> {
        self.hearing.matching.take_changed_sounds()
    }

    /// Replaces the sounds found so far.
    pub fn set_sounds(&mut self, sounds: &[KnownSound]) {
        self.hearing.matching.set_sounds(sounds);
    }

    /// Borrows the encoder.
    pub fn encoder(&mut self) -> &mut E {
        &mut self.hearing.encoder
    }

    /// Frame rate of the ear in Hz.
    pub fn frame_rate(&self) -> f64 {
        self.ear.frame_rate()
    }

    /// Forgets everything heard and held.
    pub fn reset(&mut self) {
        self.ear.reset();
        self.hearing.ring.fill(0.0);
        self.hearing.silent = SILENT_FRAMES;
        self.hearing.frames = 0;
        self.hearing.matching.reset();
        self.hearing.onsets = Onsets::default();
        self.clear();
    }

    /// Forgets the held target only.
    pub fn clear(&mut self) {
        self.hearing.tracker.clear();
        // The next target may come from a note that sounds already.
        self.hearing.onsets.begin();
        self.hearing.matching.clear();
    }
}

impl<E: Encoder> Hearing<E> {
    fn take(&mut self, frame: &Frame) {
        let row = (self.frames % WINDOW_FRAMES as u64) as usize;
        self.ring[row * CHANNELS..][..CHANNELS].copy_from_slice(frame.spectrum);
        self.silent = if frame.level_db > SILENCE_DB {
            0
        } else {
            self.silent + 1
        };
        self.frames += 1;
        self.onsets.take(&frame.pitch);
        self.matching.take(frame, self.silent);
        if self.silent >= SILENT_FRAMES {
            self.matching.end();
        }
    }

    fn infer(&mut self) -> Result<StepResult, EncoderError> {
        let silent = self.silent >= SILENT_FRAMES;
        let mut confidence = 0.0;
        let moved;
        if silent {
            moved = self.matching.take_found(self.frames);
        } else if !self.matching.wants_inference() {
            let encoder = &self.encoder;
            moved = self.matching.step(self.frames, None, || encoder.fork());
        } else {
            // Oldest frame first.
            let split = (self.frames % WINDOW_FRAMES as u64) as usize * CHANNELS;
            let (newer, older) = self.ring.split_at(split);
            self.window[..older.len()].copy_from_slice(older);
            self.window[older.len()..].copy_from_slice(newer);
            quantize_window(&self.window, &mut self.input);
            let answer = self.encoder.infer(&self.input)?;
            let [seen] = answer.as_slice() else {
                return Err(EncoderError::Unavailable(format!(
                    "{} answers to one window: expected 1",
                    answer.len()
                )));
            };
            confidence = seen.confidence();
            let sure = confidence >= MIN_CONFIDENCE;
            let inferred = sure.then(|| {
                let onset = self.onsets.in_view();
                self.tracker.update(seen, novelty(&self.input), onset)
            });
            let encoder = &self.encoder;
            moved = self.matching.step(self.frames, inferred, || encoder.fork());
        }
        Ok(StepResult {
            frame: self.frames,
            target: self.matching.held(),
            confidence,
            likeness: self.matching.likeness(),
            of_knobs: self.matching.of_knobs(),
            moved,
            state: self.matching.state(),
            silent,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Inference;
    use rand::SeedableRng;
    use synth::{MATCHED_COUNT, Note, Patch};

    const RATE: f64 = 16_000.0;

    /// The patch that plays the references of these tests.
    fn played() -> Patch {
        Patch::random(&mut rand_pcg::Pcg64Mcg::seed_from_u64(31))
    }

    /// Encoder that records the windows it is asked about, and answers with the right patch and
    /// `sigma`, or with an error on demand.
    #[derive(Default)]
    struct Recorder {
        asked: Vec<Vec<u8>>,
        fail: bool,
        sigma: f32,
    }

    impl Encoder for Recorder {
        fn infer(&mut self, windows: &[u8]) -> Result<Vec<Inference>, EncoderError> {
            self.asked.push(windows.to_vec());
            if self.fail {
                return Err(EncoderError::Unavailable("away".into()));
            }
            Ok(vec![Inference {
                mean: played().matched(),
                sigma: [self.sigma; MATCHED_COUNT],
            }])
        }
    }

    fn listener(sigma: f32) -> Listener<Recorder> {
        let encoder = Recorder {
            sigma,
            ..Recorder::default()
        };
        Listener::new(&EarConfig::default(), RATE, encoder).unwrap()
    }

    fn melody(seconds: f64) -> Vec<f32> {
        let note = |i: usize| Note {
            onset: 0.4 * i as f64,
            duration: 0.35,
            key: 57.0 + (5 * i % 12) as f32,
            velocity: 0.8,
        };
        let notes: Vec<Note> = (0..).map(note).take_while(|n| n.onset < seconds).collect();
        synth::render_mono(&played(), &notes, seconds, RATE as f32, 1)
    }

    fn hear(
        listener: &mut Listener<Recorder>,
        sound: &[f32],
        block: usize,
    ) -> Vec<Result<StepResult, EncoderError>> {
        let mut all = Vec::new();
        for block in sound.chunks(block) {
            listener.step(block, |_, _| (), |heard| all.push(heard));
        }
        all
    }

    #[test]
    fn windows_equal_those_of_the_whole_clip() {
        let sound = melody(1.5);
        let heard = ear::spectrogram(&EarConfig::default(), &sound, RATE, false).unwrap();
        for block in [1, 100, 24_000] {
            let mut listener = listener(0.1);
            let all = hear(&mut listener, &sound, block);
            let frames: Vec<u64> = all.iter().map(|h| h.as_ref().unwrap().frame).collect();
            assert_eq!(frames, (1..=37).map(|n| 5 * n).collect::<Vec<u64>>());
            for (asked, frame) in listener.hearing.encoder.asked.iter().zip(frames) {
                // The clip's frames up to this one, after a leading silence.
                let end = frame as usize;
                let first = end.saturating_sub(WINDOW_FRAMES);
                let mut window = vec![0.0; (WINDOW_FRAMES - (end - first)) * CHANNELS];
                window.extend_from_slice(&heard.data[first * CHANNELS..end * CHANNELS]);
                let mut expected = vec![0; INPUT_LEN];
                quantize_window(&window, &mut expected);
                assert!(*asked == expected, "frame {frame}, blocks of {block}");
            }
        }
    }

    #[test]
    fn an_error_is_passed_on_and_no_frame_is_lost() {
        let sound = melody(1.2);
        let mut whole = listener(0.1);
        hear(&mut whole, &sound, 512);
        let mut broken = listener(0.1);
        broken.hearing.encoder.fail = true;
        assert!(
            hear(&mut broken, &sound[..9600], 512)
                .iter()
                .all(Result::is_err)
        );
        broken.hearing.encoder.fail = false;
        assert!(
            hear(&mut broken, &sound[9600..], 512)
                .iter()
                .all(Result::is_ok)
        );
        assert!(whole.hearing.encoder.asked == broken.hearing.encoder.asked);
    }

    #[test]
    fn unsure_windows_do_not_move_the_match() {
        let mut listener = listener(0.1);
        let sure = hear(&mut listener, &melody(0.4), 512);
        let held = sure.last().unwrap().as_ref().unwrap().target;
        assert!(held.is_some());
        // As unsure as a uniform draw.
        listener.hearing.encoder.sigma = 0.288;
        for heard in hear(&mut listener, &melody(0.4), 512) {
            let heard = heard.unwrap();
            assert!(!heard.moved && !heard.silent && heard.confidence < 0.01);
            assert_eq!(heard.target, held);
        }
        listener.clear();
        let after = hear(&mut listener, &melody(0.1), 512);
        assert!(after.iter().all(|h| h.as_ref().unwrap().target.is_none()));
    }

    #[test]
    fn the_encoder_is_not_asked_about_silence() {
        let mut listener = listener(0.1);
        let quiet: Vec<f32> = melody(1.0).iter().map(|s| 1e-4 * s).collect();
        let all = hear(&mut listener, &quiet, 512);
        assert!(all.iter().all(|h| h.as_ref().unwrap().silent));
        assert!(listener.hearing.encoder.asked.is_empty());
    }

    #[test]
    fn silence_after_a_sound_keeps_the_target() {
        let mut listener = listener(0.1);
        let sounding = hear(&mut listener, &melody(0.5), 512);
        let held = sounding.last().unwrap().as_ref().unwrap().target;
        let silence = hear(&mut listener, &vec![0.0; RATE as usize], 512);
        let last = silence.last().unwrap().as_ref().unwrap();
        assert!(last.silent && !last.moved);
        let moving = silence.iter().rev().find(|h| h.as_ref().unwrap().moved);
        let held = moving.map_or(held, |h| h.as_ref().unwrap().target);
        assert!(held.is_some());
        assert_eq!(last.target, held);
    }

    #[test]
    fn a_reset_listener_equals_a_new_one() {
        let sound = melody(0.5);
        let mut listener = listener(0.1);
        hear(&mut listener, &sound, 333);
        let first = std::mem::take(&mut listener.hearing.encoder.asked);
        listener.reset();
        let again = hear(&mut listener, &sound, 333);
        assert!(first == listener.hearing.encoder.asked);
        assert_eq!(again[0].as_ref().unwrap().frame, 5);
    }
}
