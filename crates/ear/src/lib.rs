//! The ear: a causal, streaming auditory spectrogram and pitch tracker. Knows no synth, no network.
//!
//! [`Ear`] hears any stream block by block; [`spectrogram`] hears a whole clip with the same code. What
//! shapes a spectrogram is an [`EarConfig`], part of every model's contract.
//!
//! # The model
//! The auditory spectrogram of Chi and Shamma's NSL tools (`wav2aud`), after Yang, Wang and Shamma,
//! "Auditory representations of acoustic signals" (1992):
//!
//! 1. 129 causal filters a fixed part of an octave apart. 128 are channels, the last feeds step 3 only.
//! 2. The hair cell ([`HairCell`]); all but the linear one end in a one-pole of 0.5 ms, the membrane.
//! 3. Lateral inhibition: each channel minus its upper neighbour, negative values cut off.
//! 4. Leaky integration (`tc_ms`), not gain-normalised; its value at the end of each frame is the output.
//!
//! # The filters
//! **Prototype.** All channels share one shape on a logarithmic frequency axis, with a slow lower and a
//! steep upper flank. A published-shape fit of it, with `s = j f / CF`, is
//!
//! ```text
//! P(s) = 0.0086571 (s + 5.3498)(s - 0.59844)(s + 0.33723 -+ 1.17841j)(s + 0.02455 -+ 1.07540j)
//!        / (s + 0.21717 -+ 0.80071j)(s + 0.08204 -+ 0.98709j)(s + 0.02364 -+ 1.03592j)
//! ```
//!
//! The zero in the right half plane makes it non-minimum-phase: its phase can't be had from its magnitude.
//!
//! **Discretisation.** With `rho = CF / fs`, each pole `p` becomes `exp(2 pi rho p)`: the digital filter's
//! free oscillations are the prototype's, sampled. What is left is linear. By partial fractions the filter
//! is three second-order sections in parallel and a direct path, so eight gains (two a section, direct
//! taps for `x[n]` and `x[n-1]`) are found by least squares, such that the complex response follows
//! `P(j f / CF)` on 400 frequencies spread evenly up to `fs / 2`. Even spreading makes it the fit of
//! least error for white noise; weighting the flanks more was tried and is worse (e .02 to .11 below).
//! Other ways: zeros mapped like the poles (matched z) err by .011 to .026, the bilinear transform by up
//! to .26. The fit depends on `rho` only: a preset at another rate (`native_rate`) has the same
//! coefficients and all its frequencies scaled.
//!
//! **Error against the prototype**, `|H - P| / |P|` over all frequencies to `fs / 2`: .7 % at rho = .011
//! (180 Hz at 16 kHz), 1.7 % at .07, 2.7 % at .18, 3.6 % at .29, 9 % at .45 (7.2 kHz), where a real
//! filter's phase must reach 0 or pi at `fs / 2` and the prototype's doesn't.
//!
//! **Arithmetic.** A section is two chained integrators, `s1 += x - damp s1 - spring s2; s2 += s1`. In
//! f32 its coefficients stay exact for poles near 1, where a direct form rounds the pole's angle (at 55 Hz
//! and 32 kHz by up to half a cent). The bank agrees with the same responses applied by FFT in f64 within
//! 1.2e-5 (`oracle.rs`).
//!
//! # Fidelity
//! Pearson r over all cells and e = |Y - R| / |R| against naplib 2.6.0 (at other rates than 16 kHz: the
//! same filters run at that rate). The first two lines are the project's reference recordings of 2 s, the
//! others `fixtures/` (`cargo test -p ear --test reference -- --nocapture`).
//!
//! | signal | 16 kHz linear r, e | 16 kHz factor 0.1 r, e | 8 kHz native r, e | 11.025 kHz native r, e |
//! |---|---|---|---|---|
//! | noise, 2 s | .999935 .0063 | .999769 .0095 | .999908 .0077 | |
//! | saw 440 Hz, 2 s | .999934 .0094 | .999927 .0110 | .999941 .0096 | |
//! | noise | .999934 .0065 | .999688 .0115 | .999910 .0077 | .999918 .0072 |
//! | saw 440 Hz | .999935 .0093 | .999892 .0133 | .999941 .0095 | .999953 .0082 |
//! | sweep | .999869 .0163 | .999541 .0309 | .999897 .0135 | .999886 .0147 |
//! | impulses | .999969 .0067 | .999914 .0101 | .999951 .0081 | .999958 .0077 |
//! | speech-like | .999971 .0066 | .999957 .0081 | .999975 .0061 | .999975 .0062 |
//! | melody | .999899 .0110 | .999861 .0147 | .999948 .0080 | .999938 .0086 |
//!
//! # Speed
//! Channels are SIMD lanes ([`InstructionSet`], chosen at run time); the instruction sets agree within
//! 1e-5 of the peak, except for [`HairCell::Hard`], whose step turns rounding near zero into a whole
//! unit. `cargo bench -p ear` prints times real time and the time of one frame. On one core of an AMD EPYC
//! (Zen 5) shared with other work, medians, linear, without pitch: `nsl16k` 1087 x real time (AVX2) and
//! 558 x (baseline), 6.2 and 13.9 us a frame; `wide` 645 x with AVX2, 11.5 and 27.4 us a frame, bounded by
//! its rate: the same 129 filters at 32 instead of 16 kHz. Pitch adds 2.8 us a frame (AVX2), resampling
//! from 48 kHz 4 us.
//!
//! # Real time
//! After [`Ear::new`] nothing allocates. Frames are the same bits for any block size: a frame's work is
//! done when its last sample arrives. There is no look-ahead; the only delay is the resampler's
//! ([`Ear::delay`], 0 at the filters' own rate). States that fade are set to exact zeros before they become
//! denormal; input is limited to +120 dBFS; a block with NaN or infinity is silence ([`Ear::faults`]).
//!
//! # Pitch
//! See [`PitchFrame`]. Errors on foreign instruments (General MIDI sounds of TimGM6mb, 55 to 1760 Hz,
//! `cargo run --release -p ear --example pitch_table`): `gross` are frames more than 50 cents off among
//! voiced frames, from 40 ms after each note's start on; half of the notes are detached, half legato.
//!
//! | instrument | frames | gross | detached | legato | unvoiced in a note | voiced in a rest | median error |
//! |---|---|---|---|---|---|---|---|
//! | piano | 3982 | .38 % | 0 % | .83 % | .54 % | 0 % | 3.8 cents |
//! | flute | 4194 | 5.08 % | .35 % | 10.85 % | 0 % | 0 % | 4.4 |
//! | violin | 4185 | 1.27 % | .91 % | 1.70 % | .21 % | 0 % | 2.5 |
//! | trumpet | 4177 | .65 % | .39 % | .96 % | .41 % | 0 % | 4.2 |
//! | cello | 4170 | 1.77 % | .13 % | 3.80 % | .57 % | 0 % | 3.4 |
//! | tenor sax | 4181 | .69 % | .04 % | 1.49 % | .31 % | 0 % | 2.8 |
//! | clarinet | 4185 | .24 % | 0 % | .53 % | .21 % | 0 % | 3.1 |
//! | electric bass | 4191 | 0 % | 0 % | 0 % | .07 % | 0 % | .6 |
//! | nylon guitar | 4185 | .57 % | 0 % | 1.28 % | .21 % | 0 % | 1.5 |
//! | all | 37450 | 1.19 % | .20 % | 2.39 % | .28 % | 0 % | 2.8 |
//!
//! Legato errors come from the note before, which still rings while a slow instrument begins to speak: two
//! pitches at once, for which a monophonic tracker has no right answer. FluidR3, whose notes ring longer,
//! gives 1.03 % detached and 9.46 % legato.

mod cochlea;
mod config;
mod design;
mod ear;
mod normalize;
#[cfg(test)]
mod oracle;
mod pitch;
mod resample;
mod simd;
mod spectrogram;

pub use config::{
    CHANNELS, EarConfig, EarError, HairCell, INPUT_RATES, Normalize, Preset, centre_frequencies,
};
pub use ear::{Ear, Frame};
pub use pitch::PitchFrame;
pub use simd::InstructionSet;
pub use spectrogram::{Spectrogram, brightness, decibel_image, spectrogram, write_npy};
