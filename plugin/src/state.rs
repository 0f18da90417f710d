//! What an instance remembers beside its parameters, shared by audio thread, editor and host: the locks and
//! the held inference. The audio thread only ever touches atomics and its wait-free [`Mailbox`].

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use matcher::Inference;
use matcher::engine::Engine;
use matcher::live::Target;
use matcher::live::View;
use parking_lot::Mutex;
use serde_json::{Map, Value, json};
use synth::{COUNT, MATCHED, MATCHED_COUNT, PARAMS};

use crate::hand::MOVE;

/// Key of the saved state among the host's fields.
pub const FIELD: &str = "mirrornet";
/// Version of the saved state.
const FORMAT: u64 = 1;

/// What is held, with the turn it belongs to: each recall begins a new one.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Held {
    turn: u32,
    target: Option<Target>,
}

/// The audio thread's end of [`Shared`].
pub struct Mailbox {
    recalled: triple_buffer::Output<Held>,
    heard: triple_buffer::Input<Held>,
    turn: u32,
}

impl Mailbox {
    /// A newly recalled target (or that there is none), once. Wait-free.
    pub fn recalled(&mut self) -> Option<Option<Target>> {
        if !self.recalled.update() {
            return None;
        }
        let held = *self.recalled.output_buffer();
        self.turn = held.turn;
        Some(held.target)
    }

    /// Publishes what is now held. Wait-free.
    pub fn report(&mut self, target: Option<Target>) {
        self.heard.write(Held {
            turn: self.turn,
            target,
        });
    }
}

/// The writer's end of the recalls, with the last one.
struct Recall {
    input: triple_buffer::Input<Held>,
    last: Held,
}

/// State shared by audio thread, editor and host.
pub struct Shared {
    locks: [AtomicBool; MATCHED_COUNT],
    /// Values last loaded into the matched knobs, as bits of f32 (NaN: none).
    loaded: [AtomicU32; MATCHED_COUNT],
    recall: Mutex<Recall>,
    heard: Mutex<triple_buffer::Output<Held>>,
    /// What to tell the player about the last load.
    message: Mutex<Option<String>>,
    /// How often the host was found to render offline without saying so.
    pub switches: AtomicU32,
    /// The listener, while the plugin is active.
    pub view: Mutex<Option<View>>,
    /// The engine, from the first activation on: it must outlive deactivations, starting it takes time.
    pub engine: Mutex<Option<Engine>>,
}

impl Shared {
    /// No locks, nothing held.
    pub fn new() -> (Self, Mailbox) {
        let (recall, recalled) = triple_buffer::triple_buffer(&Held::default());
        let (heard, output) = triple_buffer::triple_buffer(&Held::default());
        let shared = Self {
            locks: std::array::from_fn(|_| AtomicBool::new(false)),
            loaded: std::array::from_fn(|_| AtomicU32::new(f32::NAN.to_bits())),
            recall: Mutex::new(Recall {
                input: recall,
                last: Held::default(),
            }),
            heard: Mutex::new(output),
            message: Mutex::new(None),
            switches: AtomicU32::new(0),
            view: Mutex::new(None),
            engine: Mutex::new(None),
        };
        let mailbox = Mailbox {
            recalled,
            heard,
            turn: 0,
        };
        (shared, mailbox)
    }

    /// Locks in the order of [`MATCHED`]. Wait-free.
    pub fn locks(&self) -> [bool; MATCHED_COUNT] {
        std::array::from_fn(|i| self.locks[i].load(Ordering::Relaxed))
    }

    /// Locks or releases the `i`-th matched parameter. Wait-free.
    pub fn set_lock(&self, i: usize, on: bool) {
        self.locks[i].store(on, Ordering::Relaxed);
    }

    /// Whether `x` is what was last loaded into the `i`-th matched knob. Wait-free.
    pub fn was_loaded(&self, i: usize, x: f32) -> bool {
        (f32::from_bits(self.loaded[i].load(Ordering::Relaxed)) - x).abs() <= MOVE
    }

    /// The target now held: the audio thread's, or one recalled that it hasn't taken up yet.
    pub fn held(&self) -> Option<Target> {
        let last = self.recall.lock().last;
        let heard = *self.heard.lock().read();
        if heard.turn == last.turn {
            heard.target
        } else {
            last.target
        }
    }

    /// What to tell the player about the last load.
    pub fn message(&self) -> Option<String> {
        self.message.lock().clone()
    }

    /// Sets or clears what the player is told.
    pub fn tell(&self, message: Option<String>) {
        *self.message.lock() = message;
    }

    /// A patch is being loaded into the knobs (normalised): nothing is locked, nothing held.
    pub fn load(&self, knobs: &[f32; COUNT]) {
        self.set(knobs, &[], None);
    }

    /// The state as text.
    pub fn save(&self) -> String {
        let locks = self.locks();
        let ids = (0..MATCHED_COUNT)
            .filter(|&i| locks[i])
            .map(|i| PARAMS[MATCHED[i]].id);
        let inference = self.held().map(|Target { inference, .. }| {
            let entry = |i: usize| {
                let values = json!([inference.mean[i], inference.sigma[i]]);
                (PARAMS[MATCHED[i]].id.to_owned(), values)
            };
            (0..MATCHED_COUNT).map(entry).collect::<Map<_, _>>()
        });
        json!({ "format": FORMAT, "locks": ids.collect::<Vec<_>>(), "inference": inference })
            .to_string()
    }

    /// Takes up what [`Shared::save`] wrote; `knobs` are the normalised values loaded with it. Without text,
    /// or with one that can't be read, nothing is locked or held; the player is told why.
    pub fn restore(&self, text: Option<&str>, knobs: &[f32; COUNT]) {
        match text.map(read) {
            None => self.load(knobs),
            Some(Ok(saved)) => self.set(knobs, &saved.locks, saved.inference),
            Some(Err(reason)) => {
                self.load(knobs);
                self.tell(Some(format!(
                    "The project's match could not be read ({reason}). Its knobs were loaded; nothing is \
                     locked or held. Play the reference again to match anew."
                )));
            }
        }
    }

    /// Loads knobs, locks and held inference.
    fn set(&self, knobs: &[f32; COUNT], locked: &[usize], inference: Option<Inference>) {
        for (i, &row) in MATCHED.iter().enumerate() {
            self.loaded[i].store(knobs[row].to_bits(), Ordering::Relaxed);
            self.set_lock(i, locked.contains(&row));
        }
        let target = inference.map(Target::new);
        // First, so that no inference on its way can follow the recall.
        if let Some(view) = &*self.view.lock() {
            view.clear();
        }
        let mut recall = self.recall.lock();
        recall.last = Held {
            turn: recall.last.turn.wrapping_add(1),
            target,
        };
        let last = recall.last;
        recall.input.write(last);
        drop(recall);
        self.tell(None);
    }
}

/// What a saved state says.
struct Saved {
    /// Locked rows.
    locks: Vec<usize>,
    inference: Option<Inference>,
}

/// Reads a saved state; the error says what is wrong with it.
fn read(text: &str) -> Result<Saved, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    match value["format"].as_u64() {
        Some(FORMAT) => {}
        Some(newer) => {
            return Err(format!(
                "format {newer}, expected {FORMAT}: update MirrorNet"
            ));
        }
        None => return Err("\"format\" is missing".into()),
    }
    let locks = value["locks"].as_array().ok_or("\"locks\" is missing")?;
    // A parameter that is gone can't be locked.
    let locks = locks
        .iter()
        .filter_map(|id| synth::params::index_of(id.as_str()?))
        .collect();
    let inference = match &value["inference"] {
        Value::Null => None,
        Value::Object(values) => Some(read_inference(values)?),
        other => return Err(format!("\"inference\" is {other}")),
    };
    Ok(Saved { locks, inference })
}

/// Reads the held inference: every matched parameter's mean and deviation.
fn read_inference(values: &Map<String, Value>) -> Result<Inference, String> {
    let mut inference = Inference {
        mean: [0.0; MATCHED_COUNT],
        sigma: [0.0; MATCHED_COUNT],
    };
    for (i, &row) in MATCHED.iter().enumerate() {
        let id = PARAMS[row].id;
        let number = |k: usize| {
            let x = values.get(id)?.get(k)?.as_f64()?;
            (0.0..=1.0).contains(&x).then_some(x as f32)
        };
        let (Some(mean), Some(sigma)) = (number(0), number(1)) else {
            return Err(format!(
                "\"{id}\" of the inference is not two numbers from 0 to 1"
            ));
        };
        (inference.mean[i], inference.sigma[i]) = (mean, sigma);
    }
    Ok(inference)
}

#[cfg(test)]
mod tests {
    use super::*;
    use synth::Patch;

    fn some() -> Target {
        Target::new(Inference {
            mean: std::array::from_fn(|i| i as f32 / MATCHED_COUNT as f32),
            sigma: [0.125; MATCHED_COUNT],
        })
    }

    #[test]
    fn saved_and_restored() {
        let knobs = *Patch::default().values();
        let (shared, mut mailbox) = Shared::new();
        shared.set_lock(3, true);
        mailbox.report(Some(some()));
        let text = shared.save();

        let (other, mut mailbox) = Shared::new();
        other.set_lock(0, true);
        other.restore(Some(&text), &knobs);
        assert_eq!(other.locks(), shared.locks());
        // Before the audio thread has taken it up, and after.
        assert_eq!(other.held(), Some(some()));
        assert_eq!(other.save(), text);
        assert_eq!(mailbox.recalled(), Some(Some(some())));
        assert_eq!(mailbox.recalled(), None);
        mailbox.report(None);
        assert_eq!(other.held(), None);
    }

    /// What the audio thread still held when a patch was loaded must not come back.
    #[test]
    fn a_load_outlives_a_report_of_the_turn_before() {
        let (shared, mut mailbox) = Shared::new();
        shared.load(Patch::default().values());
        mailbox.report(Some(some()));
        assert_eq!(shared.held(), None);
        assert_eq!(mailbox.recalled(), Some(None));
        mailbox.report(Some(some()));
        assert_eq!(shared.held(), Some(some()));
    }

    #[test]
    fn a_corrupt_state_gives_defaults_and_a_message() {
        let knobs = *Patch::default().values();
        let (shared, mut mailbox) = Shared::new();
        mailbox.report(Some(some()));
        let good = shared.save();
        let mut texts: Vec<String> = (0..good.len()).map(|n| good[..n].to_owned()).collect();
        texts.extend([
            good.replace("\"format\":1", "\"format\":2"),
            good.replace("0.125", "1e30"),
            good.replace("0.125", "null"),
            good.replace("locks", "lokcs"),
            good.replace("osc1_shape", "gone"),
            "[]".into(),
            "{\"format\":1,\"locks\":[],\"inference\":7}".into(),
        ]);
        for text in &texts {
            shared.set_lock(1, true);
            shared.restore(Some(text), &knobs);
            assert_eq!(shared.held(), None, "{text}");
            assert_eq!(shared.locks(), [false; MATCHED_COUNT], "{text}");
            assert!(shared.message().is_some(), "{text}");
        }
        shared.restore(Some(&good), &knobs);
        assert_eq!(shared.message(), None);
        assert_eq!(shared.held(), Some(some()));
    }
}
