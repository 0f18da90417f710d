//! Tools of the host-level tests: foreign melodies, baselines, and the hosts they are played
//! through.
//!
//! Every host runs in a separate process ([`host`]) with a separate data folder ([`sandbox`]), so a
//! test never touches the user's installation.

pub mod host;
pub mod job;
pub mod measure;
pub mod melody;
pub mod process;
pub mod sandbox;
pub mod states;
pub mod sure;
pub mod tree;
pub mod wav;
