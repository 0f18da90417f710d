//! Which settings each row of the parameter table decides, in groups that are digested together: a voice
//! whose parameters are modulated digests those groups anew at every control step.

use crate::params::{self as p, PARAMS};

/// Shape, width and sync of oscillator 1.
pub const OSC1: u32 = 1;
/// Its frequency.
pub const OSC1_RATIO: u32 = 1 << 1;
/// Shape and width of oscillator 2.
pub const OSC2: u32 = 1 << 2;
/// Its frequency.
pub const OSC2_RATIO: u32 = 1 << 3;
/// The oscillators' gains.
pub const BALANCE: u32 = 1 << 4;
/// Copies and their detuning.
pub const UNISON: u32 = 1 << 5;
/// What needs no computing.
pub const PLAIN: u32 = 1 << 6;
/// The filter without its cutoffs.
pub const FILTER: u32 = 1 << 7;
/// The cutoffs.
pub const CUTOFF: u32 = 1 << 8;
/// Envelope of the amplitude.
pub const AMP_ENV: u32 = 1 << 9;
/// Envelope of the cutoff.
pub const FILTER_ENV: u32 = 1 << 10;
/// The low-frequency oscillators.
pub const LFO: u32 = 1 << 11;
/// The level of everything.
pub const LEVEL: u32 = 1 << 12;
/// What is the same for all voices.
pub const COMMON: u32 = 1 << 13;
/// All of them.
pub const ALL: u32 = (1 << 14) - 1;

/// The group of a row.
pub const fn of(row: usize) -> u32 {
    match row {
        p::OSC1_SHAPE | p::OSC1_WIDTH | p::OSC1_SYNC => OSC1,
        p::OSC1_PITCH => OSC1_RATIO,
        p::OSC2_SHAPE | p::OSC2_WIDTH => OSC2,
        p::OSC2_PITCH | p::OSC2_DETUNE => OSC2_RATIO,
        p::OSC_BALANCE | p::OSC_LEVEL => BALANCE,
        p::UNISON_VOICES | p::UNISON_DETUNE | p::UNISON_SPREAD => UNISON,
        p::FILTER_TYPE
        | p::FILTER_RESONANCE
        | p::FILTER_BOOST
        | p::FILTER_DRIVE
        | p::FILTER_MORPH => FILTER,
        p::FILTER_CUTOFF | p::HIGHPASS_CUTOFF => CUTOFF,
        p::AMP_ATTACK..=p::AMP_VELOCITY_TIME => AMP_ENV,
        p::FILTER_ATTACK..=p::FILTER_VELOCITY_TIME => FILTER_ENV,
        p::LFO_RATE
        | p::LFO_DELAY
        | p::LFO_FADE
        | p::LFO_PHASE
        | p::LFO_SHAPE
        | p::LFO_SYNC
        | p::LFO_START
        | p::LFO2_RATE
        | p::LFO2_DELAY
        | p::LFO2_FADE
        | p::LFO2_PHASE
        | p::LFO2_SHAPE
        | p::LFO2_SYNC
        | p::LFO2_START => LFO,
        p::LEVEL => LEVEL,
        p::OSC_PHASE
        | p::GLIDE
        | p::BEND_RANGE
        | p::MPE
        | p::MPE_BEND_RANGE
        | p::PLAY_MODE
        | p::VOICES
        | p::MOD1_SOURCE..=p::MOD8_DEST
        | p::CHORUS_RATE..=p::REVERB_MIX => COMMON,
        _ => PLAIN,
    }
}

/// Whether a row can differ from voice to voice: it is a quantity, and of the sound.
pub const fn can_modulate(row: usize) -> bool {
    !PARAMS[row].is_choice() && of(row) != COMMON
}
