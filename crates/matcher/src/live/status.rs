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
    /// The match follows the reference.
    Following(Runtime),
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
    /// The encoder is not sure enough.
    Unsure,
    /// The resynthesis doesn't sound like the reference: noise, speech, several notes at once.
    NotAMelody,
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
            Self::Holding(HoldReason::Unsure) => "Holding: not sure enough",
            Self::Holding(HoldReason::NotAMelody) => {
                "Holding: reference is not a single-note melody"
            }
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
