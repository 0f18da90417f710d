//! Status of the match: whether it follows the reference, or why not.

use super::Runtime;
use ear::EarError;
use std::fmt;

/// Status of the match: following the reference, or the reason why not. Displayed as a short
/// sentence for the player.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Status {
    /// Nothing was heard yet.
    #[default]
    Waiting,
    /// Listening is switched off.
    Off,
    /// The match follows the encoder.
    Following(Runtime),
    /// The match plays what a search has found, while it looks for better or not.
    Matched {
        /// Whether a search is on its way.
        searching: bool,
    },
    /// The match stays where it is.
    Holding(HoldReason),
    /// The listener can't work.
    NotListening(Deafness),
}

/// Reason why the match holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldReason {
    /// The reference is silent.
    Silence,
    /// The sound has just begun.
    Judging,
    /// There are no notes in the reference: noise, hum.
    Noise,
    /// The reference's pitch is unclear or glides: speech, drums.
    Unsteady,
    /// The synthesizer's answer doesn't sound like the reference: several notes at once, or an
    /// instrument that it can't follow.
    Unlike,
    /// The knobs are as much like the reference as what was inferred.
    KnobsAreCloser,
    /// The encoder did not answer.
    NoAnswer,
    /// No encoder runs: the engine is down, and the built-in encoder has no model.
    NoEncoder,
}

/// Reason why the listener can't work.
#[derive(Clone, Debug, PartialEq)]
pub enum Deafness {
    /// The ear can't work at this sample rate.
    Ear(EarError),
    /// The system started no listener thread.
    Thread(std::io::ErrorKind),
    /// The listener failed too often, the last time with this message.
    Fault(String),
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Waiting => "Waiting for a reference",
            Self::Off => "Off",
            Self::Following(Runtime::Engine) => "Following",
            Self::Following(Runtime::Builtin) => "Following, by the built-in encoder",
            Self::Holding(HoldReason::Silence) => "Holding: silence",
            Self::Matched { searching: true } => "Matched, and searching for closer",
            Self::Matched { searching: false } => "Matched",
            Self::Holding(HoldReason::Judging) => "Listening",
            Self::Holding(HoldReason::Noise) => "Holding: no notes heard. Play a melody",
            Self::Holding(HoldReason::Unsteady) => {
                "Holding: pitch is unclear, as of speech or drums. Play a melody"
            }
            Self::Holding(HoldReason::Unlike) => {
                "Holding: too unlike this synth. Play one note at a time"
            }
            Self::Holding(HoldReason::KnobsAreCloser) => "Holding: your knobs are closest",
            Self::Holding(HoldReason::NoAnswer) => "Holding: the engine gave no answer",
            Self::Holding(HoldReason::NoEncoder) => "Holding: the engine is not running",
            Self::NotListening(Deafness::Ear(e)) => return write!(f, "Not listening: {e}"),
            Self::NotListening(Deafness::Fault(message)) => {
                return write!(
                    f,
                    "Not listening: the listener failed ({message}). Click Restart to try again"
                );
            }
            Self::NotListening(Deafness::Thread(e)) => {
                return write!(
                    f,
                    "Not listening: the system could not start a thread ({e})"
                );
            }
        })
    }
}
