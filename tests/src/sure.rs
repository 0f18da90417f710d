//! The patch that the `sure_engine` binary infers from any sound.

use synth::{Patch, params};

/// A patch far from the default one, without the randomness of noise and LFO.
pub fn patch() -> Patch {
    let mut patch = Patch::default();
    patch.set_plain(params::OSC1_SHAPE, 0.3);
    patch.set_plain(params::OSC_BALANCE, 0.8);
    patch.set_plain(params::FILTER_CUTOFF, 500.0);
    patch.set_plain(params::FILTER_RESONANCE, 0.6);
    patch.set_plain(params::FILTER_ENV_AMOUNT, 0.0);
    patch.set_plain(params::AMP_ATTACK, 0.08);
    patch.set_plain(params::AMP_SUSTAIN, 1.0);
    patch
}
