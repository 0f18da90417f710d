//! The ear: a causal, streaming auditory spectrogram and pitch tracker. Knows no synth, no network.
//!
//! [`Ear`] processes any stream block by block; [`spectrogram`] processes a whole clip with the
//! same code. The settings are an [`EarConfig`], part of every model's contract.
//!
//! # The model
//! The auditory spectrogram of Chi and Shamma's NSL tools (`wav2aud`), after Yang, Wang and Shamma,
//! "Auditory representations of acoustic signals" (1992):
//!
//! 1. 129 causal filters a fixed part of an octave apart. 128 are channels, the last feeds step 3
//!    only.
//! 2. The hair cell ([`HairCell`]); all but the linear one end in a one-pole of 0.5 ms, the
//!    membrane.
//! 3. Lateral inhibition: each channel minus its upper neighbour, negative values cut off.
//! 4. Leaky integration (`tc_ms`), not gain-normalised; its value at the end of each frame is the
//!    output.
//!
//! # The filters
//! **Prototype.** All channels share one shape on a logarithmic frequency axis, with a slow lower
//! and a steep upper flank. With `s = j f / CF` it is
//!
//! ```text
//! P(s) = 0.00824 (s + 5.7055)(s - 0.61864)(s + 0.32922 -+ 1.17953j)(s + 0.02369 -+ 1.07582j)
//!        / (s + 0.21721 -+ 0.80026j)(s + 0.08211 -+ 0.98871j)(s + 0.02376 -+ 1.03621j)
//! ```
//!
//! a fit of 13 numbers to the reference's measured impulse responses at all 129 frequencies
//! together. The zero in the right half plane makes it non-minimum-phase: its phase can't be
//! derived from its magnitude.
//!
//! **Discretisation.** By partial fractions `P(s) = g + sum r / (s - p)`, so its impulse response
//! is an impulse of `g` and six decaying exponentials. The digital filter has that response,
//! sampled (impulse invariance): with `t = 2 pi CF / fs`,
//!
//! ```text
//! H(z) = g + sum over pole pairs of 2 t Re(r / (1 - exp(p t) / z))
//! ```
//!
//! and its frequency response is the prototype's with all its images, plus half of the first
//! sample, where the response jumps (a test sums the images). Both grow with CF / fs; the reference
//! has them, which is how this discretisation was found: against its measured responses, one by
//! one, H errs by 0.7 to 2.3 % from 180 Hz to 7.2 kHz. A least-squares fit of the gains to `P` on
//! the frequency axis, tried before, is as good at low channels and errs by 17 % at 5.7 kHz;
//! matched zeros and the bilinear transform give spectrograms worse by a factor of 2 and 20. H
//! depends on CF / fs only: a preset at another rate (`native_rate`) has the same coefficients and
//! all its frequencies scaled.
//!
//! **Arithmetic.** A pole pair is two chained integrators, `s1 += x - damp s1 - spring s2` and
//! `s2 += s1`. In f32 their coefficients stay exact for poles near 1, where a direct form rounds
//! the pole's angle (at 55 Hz and 32 kHz by up to half a cent). The bank agrees with the same
//! responses applied by FFT in f64 within 1.7e-5 (`oracle.rs`).
//!
//! # Fidelity
//! Pearson r over all cells and e = |Y - R| / |R| against naplib 2.6.0 (at other rates than 16 kHz:
//! the same filters run at that rate). The first two lines are the project's reference recordings
//! of 2 s, the others `fixtures/` (`cargo test -p ear --test reference -- --nocapture`).
//!
//! | signal | 16 kHz linear r, e | 16 kHz factor 0.1 | 8 kHz native | 11.025 kHz native |
//! |---|---|---|---|---|
//! | noise, 2 s | 0.999973 0.0038 | 0.999791 0.0090 | 0.999953 0.0052 | |
//! | saw 440 Hz, 2 s | 0.999949 0.0083 | 0.999920 0.0114 | 0.999963 0.0075 | |
//! | noise | 0.999972 0.0040 | 0.999740 0.0104 | 0.999956 0.0051 | 0.999961 0.0047 |
//! | saw 440 Hz | 0.999951 0.0081 | 0.999885 0.0133 | 0.999963 0.0074 | 0.999971 0.0065 |
//! | sweep | 0.999889 0.0142 | 0.999581 0.0281 | 0.999917 0.0117 | 0.999908 0.0126 |
//! | impulses | 0.999986 0.0042 | 0.999913 0.0102 | 0.999978 0.0051 | 0.999982 0.0047 |
//! | speech-like | 0.999982 0.0051 | 0.999969 0.0069 | 0.999990 0.0036 | 0.999990 0.0038 |
//! | melody | 0.999915 0.0100 | 0.999876 0.0137 | 0.999963 0.0067 | 0.999951 0.0077 |
//!
//! The half-wave cell reaches r >= 0.9986 and e <= 0.044 on the same signals. [`HairCell::Hard`]
//! keeps only signs, and where a filter's output is small its sign is hard to foretell: r = 0.965,
//! e = 0.14 to 0.19.
//!
//! # Speed
//! Channels are SIMD lanes ([`InstructionSet`], chosen at run time); the instruction sets agree
//! within 1e-5 of the peak, except for [`HairCell::Hard`], whose step turns rounding near zero into
//! a whole unit. `cargo bench -p ear` prints times real time and the time of one frame. Medians on
//! one core of an AMD EPYC (Zen 5) with little else to do, linear. With pitch, times real time are
//! those of a slurred melody, whose changes of note cost most; a frame's time is that of noise:
//!
//! | | AVX2 | baseline |
//! |---|---|---|
//! | `nsl16k` | 1240 x, 6.6 us a frame | 504 x, 15.1 us |
//! | `nsl8k` | 1963 x, 3.8 us | 968 x, 7.7 us |
//! | `wide` | 637 x, 11.5 us | 324 x, 30.5 us |
//! | `nsl16k` with pitch | 871 x, 8.4 us | 472 x, 15.8 us |
//! | `nsl16k` with pitch, from 48 kHz | 651 x, 10.9 us | 410 x, 18.4 us |
//!
//! The lines with pitch are older than its range from 27 Hz and its tones: on another CPU (AVX2,
//! two slow cores) a frame of `nsl16k` with pitch went from 7.9 to 15.2 us.
//!
//! With AVX-512 (an Intel Xeon, the core's other thread busy) a frame of `nsl16k` takes 0.70 of
//! AVX2's time, with pitch 0.75, from 48 kHz with pitch 0.82.
//!
//! `wide` is bounded by its rate: the same 129 filters at 32 instead of 16 kHz.
//!
//! # Real time
//! After [`Ear::new`] nothing allocates. Frames are the same bits for any block size: a frame's
//! work is done when its last sample arrives. There is no look-ahead; the spectrum's only delay is
//! the resampler's ([`Ear::delay`], 0 at the filters' own rate), and pitch comes [`PITCH_DELAY`]
//! later. States that fade are set to exact zeros before they become denormal; input is limited to
//! +120 dBFS; a block with NaN or infinity is silence ([`Ear::faults`]).
//!
//! # Pitch
//! See [`PitchFrame`]. It is reported [`PITCH_DELAY`] behind the sound ([`Ear::pitch_delay`]
//! frames): a new note is often hidden under the one before for that long. [`spectrogram`] puts
//! each pitch at its own frame. Errors on foreign instruments (General MIDI sounds of TimGM6mb, 55
//! to 1760 Hz, `cargo run --release -p ear --example pitch_table`): `gross` are frames more than 50
//! cents off the note that the score holds, among voiced frames. Every frame counts, from the
//! note's first on; half of the notes are detached, half legato. `start` are the first 40 ms of
//! notes, `after` is the rest of them. `missed` are unvoiced frames of a note, `false` voiced
//! frames of a rest; `median` is the median error in cents.
//!
//! | instrument | frames | gross | detached | legato | start | after | missed | false | median |
//! |---|---|---|---|---|---|---|---|---|---|
//! | piano | 4701 | 1.28 % | 0 % | 2.75 % | 4.96 % | 0.63 % | 0.19 % | 0 % | 3.9 |
//! | flute | 4789 | 2.09 % | 0 % | 4.45 % | 14.45 % | 0.33 % | 0 % | 0 % | 4.4 |
//! | violin | 4852 | 0.60 % | 0 % | 1.29 % | 3.19 % | 0.19 % | 0 % | 0 % | 2.5 |
//! | trumpet | 4913 | 1.42 % | 0.08 % | 3.02 % | 3.33 % | 1.10 % | 0.02 % | 0 % | 4.7 |
//! | cello | 4852 | 0.66 % | 0 % | 1.42 % | 3.95 % | 0.14 % | 0 % | 0 % | 3.5 |
//! | tenor sax | 4840 | 0.21 % | 0 % | 0.44 % | 0.77 % | 0.12 % | 0.02 % | 0 % | 2.8 |
//! | clarinet | 4848 | 0.58 % | 0 % | 1.25 % | 2.75 % | 0.24 % | 0.02 % | 0 % | 3.1 |
//! | electric bass | 4914 | 0.94 % | 0 % | 2.04 % | 4.44 % | 0.33 % | 0 % | 0 % | 0.6 |
//! | nylon guitar | 4897 | 1.39 % | 0 % | 3.02 % | 6.82 % | 0.48 % | 0.02 % | 0 % | 1.5 |
//! | all | 43606 | 1.02 % | 0.01 % | 2.19 % | 4.87 % | 0.39 % | 0.03 % | 0 % | 2.8 |
//!
//! It reaches from 27 Hz to 4.8 kHz (at most 0.4 of the filters' rate); notes are made of each
//! frame's [`Tone`]s, of which it is one, by the matcher. Above 250 Hz these come from the band
//! above 180 Hz, so that thumps, breath and bow noise don't hide them.
//!
//! The tracker was tuned on ten other instruments (`--others --seed 101`: 0.99 %) and on other
//! melodies of these (`--seed 501`: 1.02 %); melodies it was never tuned on (`--seed 7`) give
//! 1.04 %. Most errors left are the frame or two in which a slow instrument fades into the next
//! note. FluidR3, whose notes ring on like a held pedal, gives 4.17 % (1.20 % detached, 7.63 %
//! legato), nylon guitar 11.31 %.

mod cochlea;
mod config;
mod design;
mod ear;
mod error;
mod normalize;
#[cfg(test)]
mod oracle;
mod picture;
mod pitch;
mod preset;
mod resample;
mod spectrogram;

pub use config::{
    CHANNELS, EarConfig, FRAME_SECONDS, HairCell, INPUT_RATES, Normalize, centre_frequencies,
};
pub use ear::{Ear, Frame};
pub use error::EarError;
pub use picture::{brightness, decibel_image};
pub use pitch::{PITCH_DELAY, PitchFrame, TONES, Tone, key_to_hz};
pub use preset::Preset;
pub use simd::InstructionSet;
pub use spectrogram::{Spectrogram, spectrogram};
