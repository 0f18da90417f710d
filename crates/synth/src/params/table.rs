//! The rows of the parameter table, and the macro that reads them.
//!
//! A row is: constant, id, name, section, group of settings, unit (of a choice, its list of names
//! in brackets; of a way between names, these in parentheses), scale and range (a choice has none:
//! its list decides), default, whether the matcher may set it and, if the modulation matrix can
//! reach it, its index and name among the destinations. A row that is younger than version 0.1.0
//! ends with its version, e.g. `since "0.2.0"`.

use super::choices::*;
use super::destinations::{Destination, OTHER_COUNT, by_index};
use super::group::Group;
use super::{FILTER_TYPES, Param, Scale, Section, Unit};

/// Writes the table and, from the same rows, the constants that index it, and the lists of groups
/// and destinations. Between the two blocks of rows stand the slots of the matrix, three rows each.
macro_rules! table {
    (
        rows { $($before:tt)* }
        slots { $($source:ident $amount:ident $dest:ident $number:literal $section:ident;)* }
        rows { $($after:tt)* }
    ) => {
        table! {
            @rows
            $($before)*
            $(
                $source (concat!("mod", $number, "_source")) (concat!("Mod ", $number, " source"))
                    $section Matrix [SOURCES] = 0.0 manual;
                $amount (concat!("mod", $number, "_amount")) (concat!("Mod ", $number, " amount"))
                    $section Matrix Percent Linear, -1.0..1.0 = 0.0 manual;
                $dest (concat!("mod", $number, "_dest")) (concat!("Mod ", $number, " to"))
                    $section Matrix [DESTINATIONS] = 0.0 manual;
            )*
            $($after)*
        }
        /// Rows of the matrix's slots: source, amount, destination.
        pub const SLOT_ROWS: [[usize; 3]; [$($number),*].len()] =
            [$([$source, $amount, $dest]),*];
    };
    (
        @rows
        $(
            $konst:ident $id:tt $name:tt $section:ident $group:ident
                $unit:tt $($scale:ident $(($exponent:literal))?, $min:literal .. $max:literal)?
                = $default:literal $matched:ident $(dest $index:literal $short:literal)?
                $(since $since:literal)?;
        )*
    ) => {
        /// Counts the rows.
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        enum Index { $($konst),* }
        $(
            #[doc = concat!("Row of ", table!(@text $name), ".")]
            pub const $konst: usize = Index::$konst as usize;
        )*
        /// Number of rows.
        pub const COUNT: usize = [$(Index::$konst),*].len();
        /// One row per parameter, in panel order. Index it with this module's constants.
        pub const PARAMS: [Param; COUNT] = [$(Param {
            id: table!(@text $id),
            name: table!(@text $name),
            section: Section::$section,
            unit: table!(@unit $unit),
            scale: table!(@scale $($scale $(($exponent))?)?),
            min: table!(@min $($min)?),
            max: table!(@max $unit $($max)?),
            default: $default,
            matched: table!(@flag $matched),
            since: table!(@since $($since)?),
        }),*];
        /// Group of settings that each row belongs to.
        pub(crate) const GROUPS: [Group; COUNT] = [$(Group::$group),*];
        /// Index, name and row of the destinations that are rows.
        const ROW_DESTINATIONS: &[(usize, &str, Destination)] = &[
            $($(($index, $short, Destination::Row($konst)),)?)*
        ];
    };
    (@text ($text:expr)) => { $text };
    (@text $text:literal) => { $text };
    (@unit [$names:expr]) => { Unit::Choice($names) };
    (@unit ($names:expr)) => { Unit::Between($names) };
    (@unit $unit:ident) => { Unit::$unit };
    (@scale) => { Scale::Linear };
    (@scale $scale:ident) => { Scale::$scale };
    (@scale $scale:ident ($exponent:literal)) => { Scale::$scale($exponent) };
    (@min) => { 0.0 };
    (@min $min:literal) => { $min };
    (@max [$names:expr]) => { ($names.len() - 1) as f32 };
    (@max $unit:tt $max:literal) => { $max };
    (@since) => { "0.1.0" };
    (@since $since:literal) => { $since };
    (@flag matched) => { true };
    (@flag manual) => { false };
}

// How symmetries, which a network can't learn, are kept out: oscillator 2 sits an octave above
// oscillator 1, so the two can't swap roles, and is never heard alone, which would be oscillator 1
// playing another key; the mixer is a balance, not two levels; output level is not matched; cutoffs
// are given at middle C and follow the key. What can't be heard in most patches is part of a row
// that can: the shape ends in pulses that get narrower. Notes start in phase, so that a patch has
// one sound.
table! {
    rows {
        OSC1_SHAPE           "osc1_shape"           "Osc 1 shape"             Osc1      Osc1Wave  (SHAPES) Linear, 0.0..4.0 = 2.0 matched dest 5 "Osc 1 shape";
        OSC1_WIDTH           "osc1_width"           "Osc 1 pulse width"       Osc1      Osc1Wave  Percent Linear, 0.5..0.95 = 0.5 manual dest 7 "Osc 1 width";
        OSC1_PITCH           "osc1_pitch"           "Osc 1 pitch"             Osc1      Osc1Pitch Semitones Linear, -24.0..24.0 = 0.0 manual dest 2 "Osc 1 pitch";
        OSC1_FM              "osc1_fm"              "Osc 1 FM"                Osc1      Direct    Percent Power(2.0), 0.0..1.0 = 0.0 manual dest 9 "Osc 1 FM";
        OSC1_SYNC            "osc1_sync"            "Osc 1 sync"              Osc1      Osc1Wave  Semitones Linear, 0.0..48.0 = 0.0 manual;
        OSC2_SHAPE           "osc2_shape"           "Osc 2 shape"             Osc2      Osc2Wave  (SHAPES) Linear, 0.0..4.0 = 2.0 matched dest 6 "Osc 2 shape";
        OSC2_WIDTH           "osc2_width"           "Osc 2 pulse width"       Osc2      Osc2Wave  Percent Linear, 0.5..0.95 = 0.5 manual dest 8 "Osc 2 width";
        OSC2_PITCH           "osc2_pitch"           "Osc 2 pitch"             Osc2      Osc2Pitch Semitones Linear, -24.0..24.0 = 12.0 manual dest 3 "Osc 2 pitch";
        OSC2_DETUNE          "osc2_detune"          "Osc 2 detune"            Osc2      Osc2Pitch Cents Power(2.0), 0.0..50.0 = 4.0 matched dest 4 "Osc 2 detune";
        UNISON_VOICES        "unison_voices"        "Unison voices"           Unison    Unison    [UNISON_VOICES_NAMES] = 0.0 manual;
        UNISON_DETUNE        "unison_detune"        "Unison detune"           Unison    Unison    Cents Power(2.0), 0.0..100.0 = 15.0 manual dest 10 "Unison detune";
        UNISON_SPREAD        "unison_spread"        "Unison spread"           Unison    Unison    Percent Linear, 0.0..1.0 = 0.5 manual dest 11 "Unison spread";
        OSC_PHASE            "osc_phase"            "Start phase"             Unison    Playing   [PHASES] = 1.0 manual;
        OSC_BALANCE          "osc_balance"          "Osc 1 / 2 balance"       Mixer     Balance   Percent Linear, 0.0..0.7 = 0.25 matched dest 12 "Balance";
        OSC_LEVEL            "osc_level"            "Osc level"               Mixer     Balance   Percent Linear, 0.0..1.0 = 1.0 manual dest 13 "Osc level";
        RING_LEVEL           "ring_level"           "Ring level"              Mixer     Direct    Percent Linear, 0.0..1.0 = 0.0 manual dest 14 "Ring level";
        SUB_LEVEL            "sub_level"            "Sub level"               Mixer     Direct    Percent Linear, 0.0..1.0 = 0.0 matched dest 15 "Sub level";
        NOISE_LEVEL          "noise_level"          "Noise level"             Mixer     Direct    Percent Power(2.0), 0.0..1.0 = 0.0 matched dest 16 "Noise level";
        FILTER_TYPE          "filter_type"          "Filter type"             Filter    Filter    [FILTER_TYPES] = 0.0 manual;
        FILTER_MORPH         "filter_morph"         "Morph"                   Filter    Filter    (MORPHS) Linear, 0.0..2.0 = 0.0 manual dest 20 "Morph";
        FILTER_CUTOFF        "filter_cutoff"        "Cutoff"                  Filter    Cutoffs   Hertz Log, 80.0..18000.0 = 1800.0 matched dest 17 "Cutoff";
        FILTER_RESONANCE     "filter_resonance"     "Resonance"               Filter    Filter    Percent Linear, 0.0..1.0 = 0.15 matched dest 18 "Resonance";
        FILTER_BOOST         "filter_boost"         "Resonance boost"         Filter    Filter    Percent Linear, 0.0..0.1 = 0.0 manual dest 31 "Resonance boost";
        FILTER_DRIVE         "filter_drive"         "Drive"                   Filter    Filter    Percent Linear, 0.0..1.0 = 0.0 matched dest 19 "Drive";
        FILTER_ENV_AMOUNT    "filter_env_amount"    "Envelope amount"         Filter    Direct    Semitones Linear, -24.0..60.0 = 18.0 matched dest 21 "Envelope amount";
        FILTER_KEYTRACK      "filter_keytrack"      "Key tracking"            Filter    Direct    Percent Linear, 0.0..1.0 = 1.0 manual;
        FILTER_VELOCITY      "filter_velocity"      "Velocity to cutoff"      Filter    Direct    Semitones Linear, 0.0..48.0 = 0.0 manual;
        FILTER_FM            "filter_fm"            "Osc 2 to cutoff"         Filter    Direct    Semitones Power(2.0), 0.0..48.0 = 0.0 manual dest 22 "Osc 2 to cutoff";
        HIGHPASS_CUTOFF      "highpass_cutoff"      "High-pass"               Filter    Cutoffs   Hertz Log, 20.0..1000.0 = 20.0 matched dest 23 "High-pass";
        FILTER_ATTACK        "filter_attack"        "Filter attack"           FilterEnv FilterEnv Seconds Log, 0.001..2.0 = 0.002 matched;
        FILTER_DECAY         "filter_decay"         "Filter decay"            FilterEnv FilterEnv Seconds Log, 0.01..8.0 = 0.5 matched;
        FILTER_SUSTAIN       "filter_sustain"       "Filter sustain"          FilterEnv FilterEnv Percent Linear, 0.0..1.0 = 0.3 matched;
        FILTER_RELEASE       "filter_release"       "Filter release"          FilterEnv FilterEnv Seconds Log, 0.01..5.0 = 0.3 manual;
        FILTER_ATTACK_CURVE  "filter_attack_curve"  "Filter attack curve"     FilterEnv FilterEnv Percent Linear, -1.0..1.0 = 0.0 manual;
        FILTER_FALL_CURVE    "filter_fall_curve"    "Filter fall curve"       FilterEnv FilterEnv Percent Linear, -1.0..1.0 = 0.0 manual;
        FILTER_KEY_TIME      "filter_key_time"      "Filter key to time"      FilterEnv FilterEnv Percent Linear, -1.0..1.0 = 0.0 manual;
        FILTER_VELOCITY_TIME "filter_velocity_time" "Filter velocity to time" FilterEnv FilterEnv Percent Linear, -1.0..1.0 = 0.0 manual;
        AMP_ATTACK           "amp_attack"           "Amp attack"              AmpEnv    AmpEnv    Seconds Log, 0.001..2.0 = 0.003 matched;
        AMP_DECAY            "amp_decay"            "Amp decay"               AmpEnv    AmpEnv    Seconds Log, 0.01..8.0 = 0.6 matched;
        AMP_SUSTAIN          "amp_sustain"          "Amp sustain"             AmpEnv    AmpEnv    Percent Linear, 0.0..1.0 = 0.7 matched;
        AMP_RELEASE          "amp_release"          "Amp release"             AmpEnv    AmpEnv    Seconds Log, 0.005..5.0 = 0.2 matched;
        AMP_ATTACK_CURVE     "amp_attack_curve"     "Amp attack curve"        AmpEnv    AmpEnv    Percent Linear, -1.0..1.0 = 0.0 manual;
        AMP_FALL_CURVE       "amp_fall_curve"       "Amp fall curve"          AmpEnv    AmpEnv    Percent Linear, -1.0..1.0 = 0.0 manual;
        AMP_KEY_TIME         "amp_key_time"         "Amp key to time"         AmpEnv    AmpEnv    Percent Linear, -1.0..1.0 = 0.0 manual;
        AMP_VELOCITY_TIME    "amp_velocity_time"    "Amp velocity to time"    AmpEnv    AmpEnv    Percent Linear, -1.0..1.0 = 0.0 manual;
        LFO_RATE             "lfo_rate"             "LFO rate"                Lfo       Lfos      Hertz Log, 0.2..12.0 = 5.0 matched dest 24 "LFO 1 rate";
        LFO_DELAY            "lfo_delay"            "LFO delay"               Lfo       Lfos      Seconds Power(2.0), 0.0..2.0 = 0.0 matched;
        LFO_VIBRATO          "lfo_vibrato"          "Vibrato"                 Lfo       Direct    Cents Power(2.0), 0.0..100.0 = 0.0 matched dest 26 "Vibrato";
        LFO_TREMOLO          "lfo_tremolo"          "Tremolo"                 Lfo       Direct    Percent Linear, 0.0..1.0 = 0.0 matched dest 27 "Tremolo";
        LFO_CUTOFF           "lfo_cutoff"           "LFO to cutoff"           Lfo       Direct    Semitones Power(2.0), 0.0..24.0 = 0.0 matched dest 28 "LFO to cutoff";
        LFO_SHAPE            "lfo_shape"            "LFO shape"               Lfo       Lfos      [LFO_SHAPES] = 0.0 manual;
        LFO_SYNC             "lfo_sync"             "LFO sync"                Lfo       Lfos      [LFO_SYNCS] = 0.0 manual;
        LFO_START            "lfo_start"            "LFO start"               Lfo       Lfos      [LFO_STARTS] = 0.0 manual;
        LFO_PHASE            "lfo_phase"            "LFO phase"               Lfo       Lfos      Percent Linear, 0.0..1.0 = 0.0 manual;
        LFO_FADE             "lfo_fade"             "LFO fade"                Lfo       Lfos      Seconds Power(2.0), 0.0..4.0 = 0.0 manual;
        LFO2_RATE            "lfo2_rate"            "LFO 2 rate"              Lfo2      Lfos      Hertz Log, 0.05..20.0 = 2.0 manual dest 25 "LFO 2 rate";
        LFO2_DELAY           "lfo2_delay"           "LFO 2 delay"             Lfo2      Lfos      Seconds Power(2.0), 0.0..2.0 = 0.0 manual;
        LFO2_SHAPE           "lfo2_shape"           "LFO 2 shape"             Lfo2      Lfos      [LFO_SHAPES] = 0.0 manual;
        LFO2_SYNC            "lfo2_sync"            "LFO 2 sync"              Lfo2      Lfos      [LFO_SYNCS] = 0.0 manual;
        LFO2_START           "lfo2_start"           "LFO 2 start"             Lfo2      Lfos      [LFO_STARTS] = 0.0 manual;
        LFO2_PHASE           "lfo2_phase"           "LFO 2 phase"             Lfo2      Lfos      Percent Linear, 0.0..1.0 = 0.0 manual;
        LFO2_FADE            "lfo2_fade"            "LFO 2 fade"              Lfo2      Lfos      Seconds Power(2.0), 0.0..4.0 = 0.0 manual;
    }
    slots {
        MOD1_SOURCE MOD1_AMOUNT MOD1_DEST "1" Modulation;
        MOD2_SOURCE MOD2_AMOUNT MOD2_DEST "2" Modulation;
        MOD3_SOURCE MOD3_AMOUNT MOD3_DEST "3" Modulation;
        MOD4_SOURCE MOD4_AMOUNT MOD4_DEST "4" Modulation;
        MOD5_SOURCE MOD5_AMOUNT MOD5_DEST "5" Modulation2;
        MOD6_SOURCE MOD6_AMOUNT MOD6_DEST "6" Modulation2;
        MOD7_SOURCE MOD7_AMOUNT MOD7_DEST "7" Modulation2;
        MOD8_SOURCE MOD8_AMOUNT MOD8_DEST "8" Modulation2;
    }
    rows {
        PLAY_MODE            "play_mode"            "Mode"                    Voice     Playing   [PLAY_MODES] = 0.0 manual;
        VOICES               "voices"               "Voices"                  Voice     Playing   Count Linear, 1.0..64.0 = 16.0 manual;
        GLIDE                "glide"                "Portamento"              Voice     Playing   Seconds Power(3.0), 0.0..2.0 = 0.0 manual;
        BEND_RANGE           "bend_range"           "Bend range"              Voice     Playing   Semitones Linear, 0.0..24.0 = 2.0 manual;
        MPE                  "mpe"                  "MPE"                     Voice     Playing   [MPE_ZONES] = 0.0 manual;
        MPE_BEND_RANGE       "mpe_bend_range"       "MPE bend range"          Voice     Playing   Semitones Linear, 0.0..96.0 = 48.0 manual;
        VELOCITY             "velocity"             "Velocity to level"       Voice     Direct    Percent Linear, 0.0..1.0 = 1.0 manual;
        TUNE                 "tune"                 "Tuning"                  Voice     Direct    Cents Linear, -100.0..100.0 = 0.0 manual;
        LEVEL                "level"                "Level"                   Voice     Level     Decibels Linear, -24.0..12.0 = 0.0 manual;
        CHORUS_RATE          "chorus_rate"          "Chorus rate"             Chorus    Effects   Hertz Log, 0.05..8.0 = 0.5 manual;
        CHORUS_DEPTH         "chorus_depth"         "Chorus depth"            Chorus    Effects   Percent Linear, 0.0..1.0 = 0.5 manual;
        CHORUS_MIX           "chorus_mix"           "Chorus mix"              Chorus    Effects   Percent Linear, 0.0..1.0 = 0.0 manual;
        DELAY_TIME           "delay_time"           "Delay time"              Delay     Effects   Seconds Log, 0.01..2.0 = 0.35 manual;
        DELAY_SYNC           "delay_sync"           "Delay sync"              Delay     Effects   [DELAY_SYNCS] = 0.0 manual since "0.2.0";
        DELAY_FEEDBACK       "delay_feedback"       "Delay feedback"          Delay     Effects   Percent Linear, 0.0..0.95 = 0.35 manual;
        DELAY_TONE           "delay_tone"           "Delay tone"              Delay     Effects   Hertz Log, 500.0..18000.0 = 6000.0 manual;
        DELAY_PING_PONG      "delay_ping_pong"      "Delay ping-pong"         Delay     Effects   Percent Linear, 0.0..1.0 = 0.0 manual;
        DELAY_MIX            "delay_mix"            "Delay mix"               Delay     Effects   Percent Linear, 0.0..1.0 = 0.0 manual;
        REVERB_SIZE          "reverb_size"          "Reverb size"             Reverb    Effects   Percent Linear, 0.0..1.0 = 0.5 manual;
        REVERB_DECAY         "reverb_decay"         "Reverb decay"            Reverb    Effects   Seconds Log, 0.2..20.0 = 2.0 manual;
        REVERB_DAMPING       "reverb_damping"       "Reverb damping"          Reverb    Effects   Percent Linear, 0.0..1.0 = 0.5 manual;
        REVERB_MIX           "reverb_mix"           "Reverb mix"              Reverb    Effects   Percent Linear, 0.0..1.0 = 0.0 manual;
    }
}

/// Every destination of the matrix with its name, by index.
const BY_INDEX: [(&str, Destination); OTHER_COUNT + ROW_DESTINATIONS.len()] =
    by_index(ROW_DESTINATIONS);

/// Names of the matrix's destinations, by index.
pub const DESTINATIONS: &[&str] = &names(&BY_INDEX);

impl Destination {
    /// Destination of a row's plain value: its index, rounded.
    pub fn from_plain(plain: f32) -> Self {
        BY_INDEX[(plain.round() as usize).min(BY_INDEX.len() - 1)].1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::can_modulate;

    #[test]
    fn every_destination_can_be_modulated() {
        for (name, destination) in BY_INDEX {
            if let Destination::Row(row) = destination {
                assert!(can_modulate(row), "{name}");
            }
        }
    }
}
