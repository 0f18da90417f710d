//! Tools of the host-level tests: foreign melodies, baselines, and the hosts they are played through.
//!
//! Every host runs in a process of its own ([`host`]), with a data folder of its own
//! ([`sandbox`]), so a test never touches what the user has installed.

pub mod host;
pub mod job;
pub mod measure;
pub mod melody;
pub mod process;
pub mod sandbox;
pub mod sure;
pub mod wav;
