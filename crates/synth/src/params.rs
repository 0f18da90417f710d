//! THE parameter table: one row per parameter. Ids, knobs, host parameters, JSON, sampling, the
//! network's outputs and the loss are all views of it.
//!
//! Every parameter is a number. Its *normalised* value in `[0, 1]` is the currency of host, encoder,
//! sampler and loss; its *plain* value is in the row's unit. The row's [`Scale`] joins the two and is
//! chosen perceptually: equal normalised steps should sound about equally large.

mod choices;

/// Which panel of the instrument a parameter belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Section {
    /// First oscillator.
    Osc1,
    /// Second oscillator.
    Osc2,
    /// Copies and phases of both oscillators.
    Unison,
    /// Levels of the sources.
    Mixer,
    /// Filters.
    Filter,
    /// Envelope of the filter cutoff.
    FilterEnv,
    /// Envelope of the amplitude.
    AmpEnv,
    /// First low-frequency oscillator.
    Lfo,
    /// Second low-frequency oscillator.
    Lfo2,
    /// First half of the modulation matrix.
    Modulation,
    /// Second half of it.
    Modulation2,
    /// How notes are played.
    Voice,
    /// Chorus, after the voices.
    Chorus,
    /// Delay, after the chorus.
    Delay,
    /// Reverb, after the delay.
    Reverb,
}

impl Section {
    /// All sections, in panel order.
    pub const ALL: [Section; 15] = [
        Section::Osc1,
        Section::Osc2,
        Section::Unison,
        Section::Mixer,
        Section::Filter,
        Section::FilterEnv,
        Section::AmpEnv,
        Section::Lfo,
        Section::Lfo2,
        Section::Modulation,
        Section::Modulation2,
        Section::Voice,
        Section::Chorus,
        Section::Delay,
        Section::Reverb,
    ];

    /// Panel heading.
    pub fn name(self) -> &'static str {
        match self {
            Section::Osc1 => "Oscillator 1",
            Section::Osc2 => "Oscillator 2",
            Section::Unison => "Unison",
            Section::Mixer => "Mixer",
            Section::Filter => "Filter",
            Section::FilterEnv => "Filter envelope",
            Section::AmpEnv => "Amp envelope",
            Section::Lfo => "LFO 1",
            Section::Lfo2 => "LFO 2",
            Section::Modulation => "Modulation 1 to 4",
            Section::Modulation2 => "Modulation 5 to 8",
            Section::Voice => "Voice",
            Section::Chorus => "Chorus",
            Section::Delay => "Delay",
            Section::Reverb => "Reverb",
        }
    }
}

/// Unit of a parameter's plain value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A number without a unit.
    None,
    /// 0 to 1, shown as 0 to 100 %.
    Percent,
    /// Hertz.
    Hertz,
    /// Seconds.
    Seconds,
    /// Semitones.
    Semitones,
    /// Cents.
    Cents,
    /// Decibels.
    Decibels,
    /// One of several: the plain value, rounded, is the index of its name. See [`Param::is_choice`].
    Choice(&'static [&'static str]),
}

/// The curve between normalised and plain values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scale {
    /// plain = min + x (max - min).
    Linear,
    /// plain = min (max / min)^x; needs min > 0.
    Log,
    /// plain = min + x^k (max - min): finer steps near min for k > 1.
    Power(f32),
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Param {
    /// Stable identifier: host automation, JSON and model contracts refer to it.
    pub id: &'static str,
    /// Name shown to players.
    pub name: &'static str,
    /// Panel.
    pub section: Section,
    /// Unit of the plain value.
    pub unit: Unit,
    /// Curve between normalised and plain.
    pub scale: Scale,
    /// Smallest plain value.
    pub min: f32,
    /// Largest plain value.
    pub max: f32,
    /// Plain value of the init patch.
    pub default: f32,
    /// Whether the matcher may set it.
    pub matched: bool,
}

impl Param {
    /// Plain value of the normalised `x`; `x` is clamped to `[0, 1]`, NaN gives the default.
    pub fn plain(&self, x: f32) -> f32 {
        if x.is_nan() {
            return self.default;
        }
        let x = x.clamp(0.0, 1.0);
        match self.scale {
            Linear => self.min + x * (self.max - self.min),
            Log => self.min * (self.max / self.min).powf(x),
            Power(k) => self.min + x.powf(k) * (self.max - self.min),
        }
        .clamp(self.min, self.max)
    }

    /// Normalised value of the plain `v`; `v` is clamped to the row's range.
    pub fn normalized(&self, v: f32) -> f32 {
        let v = v.clamp(self.min, self.max);
        match self.scale {
            Linear => (v - self.min) / (self.max - self.min),
            Log => (v / self.min).ln() / (self.max / self.min).ln(),
            Power(k) => ((v - self.min) / (self.max - self.min)).powf(1.0 / k),
        }
    }

    /// Whether it is one of several things rather than a quantity: it jumps instead of gliding.
    pub const fn is_choice(&self) -> bool {
        matches!(self.unit, Unit::Choice(_))
    }

    /// The plain value `v` as text with its unit, e.g. `1.20 kHz`.
    pub fn format(&self, v: f32) -> String {
        match self.unit {
            Unit::None => format!("{v:.2}"),
            Unit::Percent => format!("{:.0} %", v * 100.0),
            Unit::Hertz if v >= 1000.0 => format!("{:.2} kHz", v / 1000.0),
            Unit::Hertz if v >= 100.0 => format!("{v:.0} Hz"),
            Unit::Hertz => format!("{v:.2} Hz"),
            Unit::Seconds if v < 1.0 => format!("{:.1} ms", v * 1000.0),
            Unit::Seconds => format!("{v:.2} s"),
            Unit::Semitones => format!("{v:.2} st"),
            Unit::Cents => format!("{v:.1} ct"),
            Unit::Decibels => format!("{v:.1} dB"),
            Unit::Choice(names) => names
                .get(v.round().max(0.0) as usize)
                .map_or_else(|| format!("{v:.0}"), |name| (*name).into()),
        }
    }

    /// Reads what [`Param::format`] writes, with or without the unit; `None` if it is no number.
    pub fn parse(&self, text: &str) -> Option<f32> {
        let text = text.trim().to_ascii_lowercase();
        if let Unit::Choice(names) = self.unit
            && let Some(index) = names.iter().position(|n| n.eq_ignore_ascii_case(&text))
        {
            return Some(index as f32);
        }
        let end = text
            .find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+')))
            .unwrap_or(text.len());
        let number: f32 = text[..end].parse().ok()?;
        let factor = match (self.unit, text[end..].trim()) {
            (Unit::Percent, _) => 0.01,
            (Unit::Hertz, "khz" | "k") => 1000.0,
            (Unit::Seconds, "s") => 1.0,
            (Unit::Seconds, _) => 0.001,
            _ => 1.0,
        };
        Some((number * factor).clamp(self.min, self.max))
    }
}

/// Writes the table and, from the same rows, the constants that index it.
macro_rules! table {
    ($($konst:ident $id:literal $name:literal $section:ident $unit:tt $scale:expr,
       $min:literal .. $max:literal = $default:literal $matched:ident;)*) => {
        /// Counts the rows.
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        enum Index { $($konst),* }
        $(
            #[doc = concat!("Row of ", $name, ".")]
            pub const $konst: usize = Index::$konst as usize;
        )*
        /// Number of rows.
        pub const COUNT: usize = [$(Index::$konst),*].len();
        /// One row per parameter, in panel order. Index it with this module's constants.
        pub const PARAMS: [Param; COUNT] = [$(Param {
            id: $id, name: $name, section: Section::$section, unit: table!(@unit $unit), scale: $scale,
            min: $min, max: $max, default: $default, matched: table!(@flag $matched),
        }),*];
    };
    (@unit [$names:expr]) => { Unit::Choice($names) };
    (@unit $unit:ident) => { Unit::$unit };
    (@flag matched) => { true };
    (@flag manual) => { false };
}

use Scale::{Linear, Log, Power};

pub use choices::*;

/// What [`FILTER_TYPE`] chooses from.
pub const FILTER_TYPES: &[&str] = &["Ladder", "Ladder 2x", "SVF 12 dB", "SVF 24 dB", "Off"];

/// What [`UNISON_VOICES`] chooses from.
pub const UNISON_VOICES_NAMES: &[&str] = &["1", "2", "3", "4", "5", "6", "7"];
/// What [`OSC_PHASE`] chooses from.
pub const PHASES: &[&str] = &["Free", "Retrigger"];

// How symmetries, which a network can't learn, are kept out: oscillator 2 sits an octave above
// oscillator 1, so the two can't swap roles, and is never heard alone, which would be oscillator 1
// playing another key; the mixer is a balance, not two levels; output level is not matched; cutoffs are
// given at middle C and follow the key. What can't be heard in most patches is part of a row that can:
// the shape ends in pulses that get narrower. Notes start in phase, so that a patch has one sound.
table! {
    OSC1_SHAPE        "osc1_shape"        "Osc 1 shape"        Osc1 None Linear, 0.0..4.0 = 2.0 matched;
    OSC1_WIDTH        "osc1_width"        "Osc 1 pulse width"  Osc1 Percent Linear, 0.5..0.95 = 0.5 manual;
    OSC1_PITCH        "osc1_pitch"        "Osc 1 pitch"        Osc1 Semitones Linear, -24.0..24.0 = 0.0 manual;
    OSC1_FM           "osc1_fm"           "Osc 1 FM"           Osc1 Percent Power(2.0), 0.0..1.0 = 0.0 manual;
    OSC1_SYNC         "osc1_sync"         "Osc 1 sync"         Osc1 Semitones Linear, 0.0..48.0 = 0.0 manual;
    OSC2_SHAPE        "osc2_shape"        "Osc 2 shape"        Osc2 None Linear, 0.0..4.0 = 2.0 matched;
    OSC2_WIDTH        "osc2_width"        "Osc 2 pulse width"  Osc2 Percent Linear, 0.5..0.95 = 0.5 manual;
    OSC2_PITCH        "osc2_pitch"        "Osc 2 pitch"        Osc2 Semitones Linear, -24.0..24.0 = 12.0 manual;
    OSC2_DETUNE       "osc2_detune"       "Osc 2 detune"       Osc2 Cents Power(2.0), 0.0..50.0 = 4.0 matched;
    UNISON_VOICES     "unison_voices"     "Unison voices"      Unison [UNISON_VOICES_NAMES] Linear, 0.0..6.0 = 0.0 manual;
    UNISON_DETUNE     "unison_detune"     "Unison detune"      Unison Cents Power(2.0), 0.0..100.0 = 15.0 manual;
    UNISON_SPREAD     "unison_spread"     "Unison spread"      Unison Percent Linear, 0.0..1.0 = 0.5 manual;
    OSC_PHASE         "osc_phase"         "Start phase"        Unison [PHASES] Linear, 0.0..1.0 = 1.0 manual;
    OSC_BALANCE       "osc_balance"       "Osc 1 / 2 balance"  Mixer Percent Linear, 0.0..0.7 = 0.25 matched;
    OSC_LEVEL         "osc_level"         "Osc level"          Mixer Percent Linear, 0.0..1.0 = 1.0 manual;
    RING_LEVEL        "ring_level"        "Ring level"         Mixer Percent Linear, 0.0..1.0 = 0.0 manual;
    SUB_LEVEL         "sub_level"         "Sub level"          Mixer Percent Linear, 0.0..1.0 = 0.0 matched;
    NOISE_LEVEL       "noise_level"       "Noise level"        Mixer Percent Power(2.0), 0.0..1.0 = 0.0 matched;
    FILTER_TYPE       "filter_type"       "Filter type"        Filter [FILTER_TYPES] Linear, 0.0..4.0 = 0.0 manual;
    FILTER_MORPH      "filter_morph"      "Morph"              Filter None Linear, 0.0..2.0 = 0.0 manual;
    FILTER_CUTOFF     "filter_cutoff"     "Cutoff"             Filter Hertz Log, 80.0..18000.0 = 1800.0 matched;
    FILTER_RESONANCE  "filter_resonance"  "Resonance"          Filter Percent Linear, 0.0..1.0 = 0.15 matched;
    FILTER_BOOST      "filter_boost"      "Resonance boost"    Filter Percent Linear, 0.0..0.1 = 0.0 manual;
    FILTER_DRIVE      "filter_drive"      "Drive"              Filter Percent Linear, 0.0..1.0 = 0.0 matched;
    FILTER_ENV_AMOUNT "filter_env_amount" "Envelope amount"    Filter Semitones Linear, -24.0..60.0 = 18.0 matched;
    FILTER_KEYTRACK   "filter_keytrack"   "Key tracking"       Filter Percent Linear, 0.0..1.0 = 1.0 manual;
    FILTER_VELOCITY   "filter_velocity"   "Velocity to cutoff" Filter Semitones Linear, 0.0..48.0 = 0.0 manual;
    FILTER_FM         "filter_fm"         "Osc 2 to cutoff"    Filter Semitones Power(2.0), 0.0..48.0 = 0.0 manual;
    HIGHPASS_CUTOFF   "highpass_cutoff"   "High-pass"          Filter Hertz Log, 20.0..1000.0 = 20.0 matched;
    FILTER_ATTACK     "filter_attack"     "Filter attack"      FilterEnv Seconds Log, 0.001..2.0 = 0.002 matched;
    FILTER_DECAY      "filter_decay"      "Filter decay"       FilterEnv Seconds Log, 0.01..8.0 = 0.5 matched;
    FILTER_SUSTAIN    "filter_sustain"    "Filter sustain"     FilterEnv Percent Linear, 0.0..1.0 = 0.3 matched;
    FILTER_RELEASE    "filter_release"    "Filter release"     FilterEnv Seconds Log, 0.01..5.0 = 0.3 manual;
    FILTER_ATTACK_CURVE  "filter_attack_curve"  "Filter attack curve"     FilterEnv Percent Linear, -1.0..1.0 = 0.0 manual;
    FILTER_FALL_CURVE    "filter_fall_curve"    "Filter fall curve"       FilterEnv Percent Linear, -1.0..1.0 = 0.0 manual;
    FILTER_KEY_TIME      "filter_key_time"      "Filter key to time"      FilterEnv Percent Linear, -1.0..1.0 = 0.0 manual;
    FILTER_VELOCITY_TIME "filter_velocity_time" "Filter velocity to time" FilterEnv Percent Linear, -1.0..1.0 = 0.0 manual;
    AMP_ATTACK        "amp_attack"        "Amp attack"         AmpEnv Seconds Log, 0.001..2.0 = 0.003 matched;
    AMP_DECAY         "amp_decay"         "Amp decay"          AmpEnv Seconds Log, 0.01..8.0 = 0.6 matched;
    AMP_SUSTAIN       "amp_sustain"       "Amp sustain"        AmpEnv Percent Linear, 0.0..1.0 = 0.7 matched;
    AMP_RELEASE       "amp_release"       "Amp release"        AmpEnv Seconds Log, 0.005..5.0 = 0.2 matched;
    AMP_ATTACK_CURVE  "amp_attack_curve"  "Amp attack curve"   AmpEnv Percent Linear, -1.0..1.0 = 0.0 manual;
    AMP_FALL_CURVE    "amp_fall_curve"    "Amp fall curve"     AmpEnv Percent Linear, -1.0..1.0 = 0.0 manual;
    AMP_KEY_TIME      "amp_key_time"      "Amp key to time"    AmpEnv Percent Linear, -1.0..1.0 = 0.0 manual;
    AMP_VELOCITY_TIME "amp_velocity_time" "Amp velocity to time" AmpEnv Percent Linear, -1.0..1.0 = 0.0 manual;
    LFO_RATE          "lfo_rate"          "LFO rate"           Lfo Hertz Log, 0.2..12.0 = 5.0 matched;
    LFO_DELAY         "lfo_delay"         "LFO delay"          Lfo Seconds Power(2.0), 0.0..2.0 = 0.0 matched;
    LFO_VIBRATO       "lfo_vibrato"       "Vibrato"            Lfo Cents Power(2.0), 0.0..100.0 = 0.0 matched;
    LFO_TREMOLO       "lfo_tremolo"       "Tremolo"            Lfo Percent Linear, 0.0..1.0 = 0.0 matched;
    LFO_CUTOFF        "lfo_cutoff"        "LFO to cutoff"      Lfo Semitones Power(2.0), 0.0..24.0 = 0.0 matched;
    LFO_SHAPE         "lfo_shape"         "LFO shape"          Lfo [LFO_SHAPES] Linear, 0.0..6.0 = 0.0 manual;
    LFO_SYNC          "lfo_sync"          "LFO sync"           Lfo [LFO_SYNCS] Linear, 0.0..17.0 = 0.0 manual;
    LFO_START         "lfo_start"         "LFO start"          Lfo [LFO_STARTS] Linear, 0.0..1.0 = 0.0 manual;
    LFO_PHASE         "lfo_phase"         "LFO phase"          Lfo Percent Linear, 0.0..1.0 = 0.0 manual;
    LFO_FADE          "lfo_fade"          "LFO fade"           Lfo Seconds Power(2.0), 0.0..4.0 = 0.0 manual;
    LFO2_RATE         "lfo2_rate"         "LFO 2 rate"         Lfo2 Hertz Log, 0.05..20.0 = 2.0 manual;
    LFO2_DELAY        "lfo2_delay"        "LFO 2 delay"        Lfo2 Seconds Power(2.0), 0.0..2.0 = 0.0 manual;
    LFO2_SHAPE         "lfo2_shape"         "LFO 2 shape"          Lfo2 [LFO_SHAPES] Linear, 0.0..6.0 = 0.0 manual;
    LFO2_SYNC          "lfo2_sync"          "LFO 2 sync"           Lfo2 [LFO_SYNCS] Linear, 0.0..17.0 = 0.0 manual;
    LFO2_START         "lfo2_start"         "LFO 2 start"          Lfo2 [LFO_STARTS] Linear, 0.0..1.0 = 0.0 manual;
    LFO2_PHASE         "lfo2_phase"         "LFO 2 phase"          Lfo2 Percent Linear, 0.0..1.0 = 0.0 manual;
    LFO2_FADE          "lfo2_fade"          "LFO 2 fade"           Lfo2 Seconds Power(2.0), 0.0..4.0 = 0.0 manual;
    MOD1_SOURCE       "mod1_source"       "Mod 1 source"       Modulation [SOURCES] Linear, 0.0..11.0 = 0.0 manual;
    MOD1_AMOUNT       "mod1_amount"       "Mod 1 amount"       Modulation Percent Linear, -1.0..1.0 = 0.0 manual;
    MOD1_DEST         "mod1_dest"         "Mod 1 to"           Modulation [DESTINATIONS] Linear, 0.0..31.0 = 0.0 manual;
    MOD2_SOURCE       "mod2_source"       "Mod 2 source"       Modulation [SOURCES] Linear, 0.0..11.0 = 0.0 manual;
    MOD2_AMOUNT       "mod2_amount"       "Mod 2 amount"       Modulation Percent Linear, -1.0..1.0 = 0.0 manual;
    MOD2_DEST         "mod2_dest"         "Mod 2 to"           Modulation [DESTINATIONS] Linear, 0.0..31.0 = 0.0 manual;
    MOD3_SOURCE       "mod3_source"       "Mod 3 source"       Modulation [SOURCES] Linear, 0.0..11.0 = 0.0 manual;
    MOD3_AMOUNT       "mod3_amount"       "Mod 3 amount"       Modulation Percent Linear, -1.0..1.0 = 0.0 manual;
    MOD3_DEST         "mod3_dest"         "Mod 3 to"           Modulation [DESTINATIONS] Linear, 0.0..31.0 = 0.0 manual;
    MOD4_SOURCE       "mod4_source"       "Mod 4 source"       Modulation [SOURCES] Linear, 0.0..11.0 = 0.0 manual;
    MOD4_AMOUNT       "mod4_amount"       "Mod 4 amount"       Modulation Percent Linear, -1.0..1.0 = 0.0 manual;
    MOD4_DEST         "mod4_dest"         "Mod 4 to"           Modulation [DESTINATIONS] Linear, 0.0..31.0 = 0.0 manual;
    MOD5_SOURCE       "mod5_source"       "Mod 5 source" Modulation2 [SOURCES] Linear, 0.0..11.0 = 0.0 manual;
    MOD5_AMOUNT       "mod5_amount"       "Mod 5 amount" Modulation2 Percent Linear, -1.0..1.0 = 0.0 manual;
    MOD5_DEST         "mod5_dest"         "Mod 5 to" Modulation2 [DESTINATIONS] Linear, 0.0..31.0 = 0.0 manual;
    MOD6_SOURCE       "mod6_source"       "Mod 6 source" Modulation2 [SOURCES] Linear, 0.0..11.0 = 0.0 manual;
    MOD6_AMOUNT       "mod6_amount"       "Mod 6 amount" Modulation2 Percent Linear, -1.0..1.0 = 0.0 manual;
    MOD6_DEST         "mod6_dest"         "Mod 6 to" Modulation2 [DESTINATIONS] Linear, 0.0..31.0 = 0.0 manual;
    MOD7_SOURCE       "mod7_source"       "Mod 7 source" Modulation2 [SOURCES] Linear, 0.0..11.0 = 0.0 manual;
    MOD7_AMOUNT       "mod7_amount"       "Mod 7 amount" Modulation2 Percent Linear, -1.0..1.0 = 0.0 manual;
    MOD7_DEST         "mod7_dest"         "Mod 7 to" Modulation2 [DESTINATIONS] Linear, 0.0..31.0 = 0.0 manual;
    MOD8_SOURCE       "mod8_source"       "Mod 8 source" Modulation2 [SOURCES] Linear, 0.0..11.0 = 0.0 manual;
    MOD8_AMOUNT       "mod8_amount"       "Mod 8 amount" Modulation2 Percent Linear, -1.0..1.0 = 0.0 manual;
    MOD8_DEST         "mod8_dest"         "Mod 8 to" Modulation2 [DESTINATIONS] Linear, 0.0..31.0 = 0.0 manual;
    PLAY_MODE         "play_mode"         "Mode"               Voice [PLAY_MODES] Linear, 0.0..2.0 = 0.0 manual;
    VOICES            "voices"            "Voices"             Voice [VOICE_COUNTS] Linear, 1.0..64.0 = 16.0 manual;
    GLIDE             "glide"             "Portamento"         Voice Seconds Power(3.0), 0.0..2.0 = 0.0 manual;
    BEND_RANGE        "bend_range"        "Bend range"         Voice Semitones Linear, 0.0..24.0 = 2.0 manual;
    MPE               "mpe"               "MPE"                Voice [MPE_ZONES] Linear, 0.0..1.0 = 0.0 manual;
    MPE_BEND_RANGE    "mpe_bend_range"    "MPE bend range"     Voice Semitones Linear, 0.0..96.0 = 48.0 manual;
    VELOCITY          "velocity"          "Velocity to level"  Voice Percent Linear, 0.0..1.0 = 1.0 manual;
    TUNE              "tune"              "Tuning"             Voice Cents Linear, -100.0..100.0 = 0.0 manual;
    LEVEL             "level"             "Level"              Voice Decibels Linear, -24.0..12.0 = 0.0 manual;
    CHORUS_RATE       "chorus_rate"       "Chorus rate"        Chorus Hertz Log, 0.05..8.0 = 0.5 manual;
    CHORUS_DEPTH      "chorus_depth"      "Chorus depth"       Chorus Percent Linear, 0.0..1.0 = 0.5 manual;
    CHORUS_MIX        "chorus_mix"        "Chorus mix"         Chorus Percent Linear, 0.0..1.0 = 0.0 manual;
    DELAY_TIME        "delay_time"        "Delay time"         Delay Seconds Log, 0.01..2.0 = 0.35 manual;
    DELAY_FEEDBACK    "delay_feedback"    "Delay feedback"     Delay Percent Linear, 0.0..0.95 = 0.35 manual;
    DELAY_TONE        "delay_tone"        "Delay tone"         Delay Hertz Log, 500.0..18000.0 = 6000.0 manual;
    DELAY_PING_PONG   "delay_ping_pong"   "Delay ping-pong"    Delay Percent Linear, 0.0..1.0 = 0.0 manual;
    DELAY_MIX         "delay_mix"         "Delay mix"          Delay Percent Linear, 0.0..1.0 = 0.0 manual;
    REVERB_SIZE       "reverb_size"       "Reverb size"        Reverb Percent Linear, 0.0..1.0 = 0.5 manual;
    REVERB_DECAY      "reverb_decay"      "Reverb decay"       Reverb Seconds Log, 0.2..20.0 = 2.0 manual;
    REVERB_DAMPING    "reverb_damping"    "Reverb damping"     Reverb Percent Linear, 0.0..1.0 = 0.5 manual;
    REVERB_MIX        "reverb_mix"        "Reverb mix"         Reverb Percent Linear, 0.0..1.0 = 0.0 manual;
}

/// Row of the parameter with this id.
pub fn index_of(id: &str) -> Option<usize> {
    PARAMS.iter().position(|p| p.id == id)
}

/// Number of parameters the matcher may set: the width of the network's output.
pub const MATCHED_COUNT: usize = {
    let (mut n, mut i) = (0, 0);
    while i < COUNT {
        n += PARAMS[i].matched as usize;
        i += 1;
    }
    n
};

/// Rows the matcher may set, ascending: the order of the network's outputs.
pub const MATCHED: [usize; MATCHED_COUNT] = {
    let mut rows = [0; MATCHED_COUNT];
    let (mut n, mut i) = (0, 0);
    while i < COUNT {
        if PARAMS[i].matched {
            rows[n] = i;
            n += 1;
        }
        i += 1;
    }
    rows
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_defaults_in_range() {
        for (i, p) in PARAMS.iter().enumerate() {
            assert_eq!(index_of(p.id), Some(i), "duplicate id {}", p.id);
            assert!(
                p.min < p.max && (p.min..=p.max).contains(&p.default),
                "{}",
                p.id
            );
            assert!(p.scale != Log || p.min > 0.0, "{}", p.id);
        }
    }

    #[test]
    fn every_choice_has_a_name() {
        for p in &PARAMS {
            if let Unit::Choice(names) = p.unit {
                assert_eq!(p.max as usize + 1, names.len(), "{}", p.id);
                assert_eq!(p.normalized(p.default.round()), p.normalized(p.default));
            }
        }
    }

    #[test]
    fn plain_and_normalized_are_inverse() {
        for p in &PARAMS {
            for k in 0..=100 {
                let x = k as f32 / 100.0;
                let back = p.normalized(p.plain(x));
                assert!((back - x).abs() < 1e-4, "{} at {x}: {back}", p.id);
            }
        }
    }

    #[test]
    fn text_round_trips_to_its_precision() {
        for p in &PARAMS {
            for k in 0..=20 {
                let v = p.plain(k as f32 / 20.0);
                let back = p.parse(&p.format(v)).unwrap();
                let v = if p.is_choice() { v.round() } else { v };
                let error = (p.normalized(back) - p.normalized(v)).abs();
                assert!(error < 0.08, "{}: {v} -> {} -> {back}", p.id, p.format(v));
            }
        }
    }
}
