//! The voice's filters: a saturating four-pole ladder low-pass and a two-pole high-pass.
//!
//! The ladder is four trapezoidal one-pole stages in a loop whose delay is solved away (Zavalishin,
//! "The Art of VA Filter Design", ch. 5: the linear solution first, then the saturation). Its
//! states are advanced in one matrix step, s' = A s + b u, which shortens the chain of dependent
//! operations. The saturation bounds the loop, hence the states, under any modulation.

use crate::math::tan_pi;

/// Highest cutoff as a fraction of the sample rate.
const TOP: f32 = 0.45;

/// tanh-like saturation: slope 1 at 0, +-1 from +-1.5 on, smooth in between.
#[inline(always)]
fn saturate(x: f32) -> f32 {
    let x = x.clamp(-1.5, 1.5);
    x * (1.0 - (4.0 / 27.0) * x * x)
}

/// What the ladder's knobs mean, independent of note and rate.
#[derive(Clone, Copy, Debug, Default)]
pub struct LadderSettings {
    /// Loop gain; 4 is the edge of self-oscillation.
    feedback: f32,
    /// Gain into the saturation.
    into: f32,
    /// Gain that keeps a full-scale tone's level.
    makeup: f32,
}

impl LadderSettings {
    /// `resonance` 0 to 1: 1 is the edge of self-oscillation; the curve gives equal steps about
    /// equal effect. `drive` 0 to 1: 0.35 to 10 times the level at which saturation sets in.
    pub fn new(resonance: f32, drive: f32) -> Self {
        let feedback = 4.0 * (1.0 - (1.0 - resonance.clamp(0.0, 1.0)).powf(1.7));
        let gain = 0.35 * (10.0f32 / 0.35).powf(drive);
        // The pass band sinks by 1 + feedback; half of that is given back.
        Self {
            feedback,
            into: gain * (1.0 + 0.5 * feedback),
            makeup: 1.0 / saturate(gain),
        }
    }
}

/// Coefficients that move along a control step.
#[derive(Clone, Copy, Debug)]
struct Moving<const N: usize> {
    value: [f32; N],
    step: [f32; N],
    target: [f32; N],
}

impl<const N: usize> Default for Moving<N> {
    fn default() -> Self {
        Self {
            value: [0.0; N],
            step: [0.0; N],
            target: [0.0; N],
        }
    }
}

impl<const N: usize> Moving<N> {
    fn aim(&mut self, target: [f32; N], inverse_len: f32) {
        for i in 0..N {
            self.value[i] = self.target[i];
            self.step[i] = (target[i] - self.value[i]) * inverse_len;
        }
        self.target = target;
    }

    fn still(&mut self) {
        self.value = self.target;
        self.step = [0.0; N];
    }

    #[inline(always)]
    fn advance(&mut self) {
        for i in 0..N {
            self.value[i] += self.step[i];
        }
    }
}

/// Both filters of one voice.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    state: [f32; 4],
    /// Column of A, b, feedback row.
    column: Moving<4>,
    input: Moving<4>,
    feedback: Moving<4>,
    /// Gains before and behind the ladder, then the high-pass's three coefficients.
    rest: Moving<5>,
    high: [f32; 2],
    fresh: bool,
}

/// Damping of the high-pass: Butterworth.
const DAMPING: f32 = std::f32::consts::SQRT_2;

impl Filter {
    /// Empties the filters; the next plan starts without ramps.
    pub fn start(&mut self) {
        *self = Self {
            fresh: true,
            ..Self::default()
        };
    }

    /// Plans a step of 1 / `inverse_len` samples towards cutoffs given as fractions of the sample
    /// rate.
    pub fn plan(
        &mut self,
        inverse_len: f32,
        settings: &LadderSettings,
        low_pass: f32,
        high_pass: f32,
    ) {
        let g = tan_pi(low_pass.min(TOP));
        let k = settings.feedback;
        let w = g / (1.0 + g);
        let c = 1.0 - w;
        let [w2, w3] = [w * w, w * w * w];
        let solve = 1.0 / (1.0 + k * w2 * w2);
        self.column.aim(
            [2.0 * c - 1.0, 2.0 * c * w, 2.0 * c * w2, 2.0 * c * w3],
            inverse_len,
        );
        self.input
            .aim([2.0 * w, 2.0 * w2, 2.0 * w3, 2.0 * w2 * w2], inverse_len);
        let f = k * c * solve;
        self.feedback.aim([f * w3, f * w2, f * w, f], inverse_len);
        let g = tan_pi(high_pass.min(TOP));
        let a1 = 1.0 / (1.0 + g * (g + DAMPING));
        // The mean of the last stage's old and new state is its output.
        let rest = [
            settings.into * solve,
            0.5 * settings.makeup,
            a1,
            g * a1,
            g * g * a1,
        ];
        self.rest.aim(rest, inverse_len);
        if self.fresh {
            self.fresh = false;
            self.column.still();
            self.input.still();
            self.feedback.still();
            self.rest.still();
        }
    }

    /// Cuts the planned step short where it is.
    pub fn cut(&mut self) {
        self.column.target = self.column.value;
        self.input.target = self.input.value;
        self.feedback.target = self.feedback.value;
        self.rest.target = self.rest.value;
    }

    /// Filters in place.
    #[inline(always)]
    pub fn process(&mut self, samples: &mut [f32]) {
        let mut f = *self;
        for x in samples.iter_mut() {
            let [s0, s1, s2, s3] = f.state;
            let [a0, a1, a2, a3] = f.column.value;
            let b = f.input.value;
            let h = f.feedback.value;
            let [into, makeup, h1, h2, h3] = f.rest.value;
            // 1e-18 keeps the states out of the denormal range.
            let drive = *x * into + 1e-18;
            let u = saturate(drive - ((h[0] * s0 + h[1] * s1) + (h[2] * s2 + h[3] * s3)));
            f.state = [
                a0 * s0 + b[0] * u,
                (a1 * s0 + a0 * s1) + b[1] * u,
                (a2 * s0 + a1 * s1 + a0 * s2) + b[2] * u,
                ((a3 * s0 + a2 * s1) + (a1 * s2 + a0 * s3)) + b[3] * u,
            ];
            let low = makeup * (s3 + f.state[3]);
            let v3 = low - f.high[1];
            let v1 = h1 * f.high[0] + h2 * v3;
            let v2 = f.high[1] + (h2 * f.high[0] + h3 * v3);
            f.high = [2.0 * v1 - f.high[0], 2.0 * v2 - f.high[1]];
            *x = low - DAMPING * v1 - v2;
            f.column.advance();
            f.input.advance();
            f.feedback.advance();
            f.rest.advance();
        }
        *self = f;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use realfft::RealFftPlanner;

    const N: usize = 1 << 16;

    /// Magnitudes of the response to a small impulse, at k * rate / N Hz.
    fn response(rate: f32, resonance: f32, low_pass: f32, high_pass: f32) -> Vec<f64> {
        let mut filter = Filter::default();
        filter.start();
        let settings = LadderSettings::new(resonance, 0.0);
        filter.plan(1.0, &settings, low_pass / rate, high_pass / rate);
        let mut samples = vec![0.0f32; N];
        samples[0] = 1e-3;
        filter.process(&mut samples);
        let fft = RealFftPlanner::<f64>::new().plan_fft_forward(N);
        let mut time: Vec<f64> = samples.iter().map(|&x| x as f64 * 1e3).collect();
        let mut bins = fft.make_output_vec();
        fft.process(&mut time, &mut bins).unwrap();
        bins.iter().map(|c| c.norm()).collect()
    }

    #[test]
    fn slopes_are_four_and_two_poles() {
        for rate in [16_000.0, 48_000.0, 192_000.0] {
            let db = |r: &[f64], hertz: f32| 20.0 * r[(hertz / rate * N as f32) as usize].log10();
            let low = response(rate, 0.0, 500.0, 1.0);
            let [pass, edge] = [db(&low, 50.0), db(&low, 500.0)];
            assert!(pass.abs() < 0.3, "pass band {pass:.2} dB at {rate} Hz");
            assert!(
                (edge + 12.04).abs() < 0.3,
                "cutoff {edge:.2} dB at {rate} Hz"
            );
            let fall = db(&low, 4_000.0) - db(&low, 2_000.0);
            assert!(
                rate < 20_000.0 || (-28.0..-21.0).contains(&fall),
                "{fall:.1} dB/octave"
            );
            let high = response(rate, 0.0, 7_000.0, 500.0);
            let rise = db(&high, 100.0) - db(&high, 50.0);
            assert!((rise - 12.0).abs() < 1.0, "high-pass {rise:.1} dB/octave");
            let edge = db(&high, 500.0);
            assert!(
                (edge + 3.01).abs() < 0.3,
                "high-pass at its cutoff: {edge:.2} dB"
            );
        }
    }

    #[test]
    fn resonance_peaks_at_the_cutoff_at_every_rate() {
        for rate in [16_000.0, 44_100.0, 48_000.0, 96_000.0, 192_000.0] {
            for cutoff in [110.0, 440.0, 1_760.0, 5_000.0] {
                let r = response(rate, 0.96, cutoff, 1.0);
                let top = (1..r.len()).max_by(|&a, &b| r[a].total_cmp(&r[b])).unwrap();
                // Parabola through the logarithms around the peak.
                let [a, b, c] = [r[top - 1].ln(), r[top].ln(), r[top + 1].ln()];
                let hertz =
                    (top as f64 + 0.5 * (a - c) / (a - 2.0 * b + c)) * rate as f64 / N as f64;
                let cents = 1200.0 * (hertz / cutoff as f64).log2();
                assert!(
                    cents.abs() < 6.0,
                    "{rate} Hz, cutoff {cutoff}: {cents:.1} cents"
                );
                assert!(r[top] > 3.0 && r[top] < 1e3, "gain {}", r[top]);
            }
        }
    }

    #[test]
    fn stays_bounded_under_audio_rate_modulation() {
        for rate in [44_100.0, 48_000.0, 96_000.0, 192_000.0] {
            for modulator in [5.0, 440.0, 0.11 * rate, 0.25 * rate, 0.49 * rate] {
                let settings = LadderSettings::new(1.0, 0.0);
                let mut filter = Filter::default();
                filter.start();
                let mut peak = 0.0f32;
                for i in 0..100_000 {
                    let t = i as f32 / rate;
                    let octaves = 4.0 * (std::f32::consts::TAU * modulator * t).sin();
                    let cutoff = 1_000.0 * octaves.exp2() / rate;
                    filter.plan(1.0, &settings, cutoff, 0.2 * cutoff);
                    let mut x = [2.0 * (220.0 * t).fract() - 1.0];
                    filter.process(&mut x);
                    assert!(x[0].is_finite());
                    peak = peak.max(x[0].abs());
                }
                println!("{rate} Hz, modulator {modulator} Hz: peak {peak:.2}");
                assert!(
                    peak <= 8.0,
                    "{rate} Hz, modulator {modulator} Hz: peak {peak}"
                );
            }
        }
    }

    #[test]
    fn full_resonance_decays_instead_of_growing() {
        let settings = LadderSettings::new(1.0, 0.0);
        let mut filter = Filter::default();
        filter.start();
        filter.plan(1.0, &settings, 0.02, 1e-4);
        let mut x = vec![0.0; 48_000];
        x[0] = 1.0;
        filter.process(&mut x);
        let peak = |r: &[f32]| r.iter().fold(0.0f32, |p, x| p.max(x.abs()));
        let [early, late] = [peak(&x[1_000..10_000]), peak(&x[38_000..])];
        assert!(
            late <= early && late > 1e-3 * early,
            "rings from {early} to {late}"
        );
    }

    #[test]
    fn drive_saturates_without_growing_louder() {
        for drive in [0.0, 0.3, 0.6, 1.0] {
            let settings = LadderSettings::new(0.0, drive);
            let mut filter = Filter::default();
            filter.start();
            filter.plan(1.0, &settings, 0.4, 1e-4);
            let tone = |i: usize| (i as f32 * 0.02).sin();
            let mut x: Vec<f32> = (0..10_000).map(tone).collect();
            filter.process(&mut x);
            let peak = x[2_000..].iter().fold(0.0f32, |p, x| p.max(x.abs()));
            assert!(
                (peak - 1.0).abs() < 0.15,
                "drive {drive}: a full tone peaks at {peak}"
            );
        }
    }
}
