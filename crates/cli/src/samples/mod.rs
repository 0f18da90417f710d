//! Labelled and unlabelled sounds to train on: random patches rendered by the real synthesizer and
//! heard by the real ear, files of foreign sounds, and what distorts both on the way to the
//! encoder.

pub mod augment;
pub mod babble;
pub mod cache;
pub mod collected;
pub mod dataset;
pub mod distribution;
pub mod foreign;
pub mod plant;
pub mod pool;
mod reverb;
