//! The subcommands, a file each: options and work.

pub mod adopt;
pub mod serve;
pub mod train;

/// Any error, to be shown to the person at the terminal.
pub type Error = Box<dyn std::error::Error>;
