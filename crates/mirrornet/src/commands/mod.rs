//! One file per subcommand: its options, and what it does.

pub mod train;

/// Any error, to be shown to the person at the terminal.
pub type Error = Box<dyn std::error::Error>;
