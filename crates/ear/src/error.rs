//! Errors of the ear.

/// Reason why an ear can't be made.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum EarError {
    /// A setting out of range, or settings that exclude each other.
    #[error("{0}")]
    Config(String),
}
