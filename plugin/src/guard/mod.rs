//! The guard at the ABI: the first code of ours that a host calls, around the framework's wrappers.
//!
//! A host may be careless: null pointers, wrong counts, events outside their block, calls out of
//! order. The framework's wrappers take much of that at its word and end the host's process. The
//! guard checks every pointer, count and time before they see it, and gives them silence, scratch
//! buffers or a clamped time instead. What instance and guard have to tell each other goes through
//! the [`Door`](crate::door::Door).
//!
//! `clap` and `vst3` are the two formats; `sound` is what both share.

// Hosts speak C: this is the place where their pointers become slices and references.
#![allow(unsafe_code)]

pub mod clap;
mod sound;
pub mod vst3;

/// Most events, points or queues read of one block: a count beyond is a host's mistake, and the
/// audio thread must come to an end.
const MOST_READ: u32 = 65_536;
