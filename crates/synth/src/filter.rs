//! The voice's filters: a saturating four-pole ladder low-pass and a two-pole high-pass.
//!
//! The ladder is four trapezoidal one-pole stages in a loop whose delay is solved away (Zavalishin,
//! "The Art of VA Filter Design", ch. 5: the linear solution first, then the saturation). Its
//! states are advanced in one matrix step, s' = A s + b u, and the feedback is computed a sample
//! ahead, which shortens the chain of dependent operations. The saturation bounds the loop, hence the states, under any modulation.

use crate::math::tan_pi;
use wide::f32x4;

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

/// Coefficients that move linearly along a control step.
#[derive(Clone, Copy, Debug, Default)]
struct Moving {
    value: f32x4,
    step: f32x4,
    target: f32x4,
}

impl Moving {
    fn aim(&mut self, target: [f32; 4], inverse_len: f32) {
        self.value = self.target;
        self.target = f32x4::from(target);
        self.step = (self.target - self.value) * inverse_len;
    }

    fn still(&mut self) {
        self.value = self.target;
        self.step = f32x4::ZERO;
    }

    fn cut(&mut self) {
        self.target = self.value;
    }

    #[inline(always)]
    fn advance(&mut self) {
        self.value += self.step;
    }
}

/// Both filters of one voice.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    /// The ladder's four states.
    state: f32x4,
    /// What the ladder's next sample will feed back, as far as the states decide it.
    fed_back: f32,
    /// Columns of A.
    columns: [Moving; 4],
    /// b.
    input: Moving,
    /// h A, where h s is what the states feed back: the next sample's feedback straight from this
    /// one's states, ahead of the saturation.
    ahead: Moving,
    /// h b, then the gains before and behind the ladder.
    gains: Moving,
    /// The high-pass's coefficients.
    high_pass: Moving,
    high_state: [f32; 2],
    fresh: bool,
}

/// Damping of the high-pass: Butterworth.
const DAMPING: f32 = std::f32::consts::SQRT_2;

fn dot(a: [f32; 4], b: [f32; 4]) -> f32 {
    (a[0] * b[0] + a[1] * b[1]) + (a[2] * b[2] + a[3] * b[3])
}

impl Filter {
    /// Empties the filters; the next plan starts without ramps.
    pub fn start(&mut self) {
        *self = Self {
            fresh: true,
            ..Self::default()
        };
    }

    fn moving(&mut self) -> impl Iterator<Item = &mut Moving> {
        self.columns.iter_mut().chain([
            &mut self.input,
            &mut self.ahead,
            &mut self.gains,
            &mut self.high_pass,
        ])
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
        // One stage, with w = g / (1 + g): y = (1 - w) s + w x, s' = 2 y - s.
        let [n, d] = tan_pi(low_pass.min(TOP));
        let w = n / (n + d);
        let c = 1.0 - w;
        let [w2, w3] = [w * w, w * w * w];
        let a = [2.0 * c - 1.0, 2.0 * c * w, 2.0 * c * w2, 2.0 * c * w3];
        let columns = [
            a,
            [0.0, a[0], a[1], a[2]],
            [0.0, 0.0, a[0], a[1]],
            [0.0, 0.0, 0.0, a[0]],
        ];
        let b = [2.0 * w, 2.0 * w2, 2.0 * w3, 2.0 * w2 * w2];
        let solve = 1.0 / (1.0 + settings.feedback * w2 * w2);
        let f = settings.feedback * c * solve;
        let h = [f * w3, f * w2, f * w, f];
        for (column, target) in self.columns.iter_mut().zip(columns) {
            column.aim(target, inverse_len);
        }
        self.input.aim(b, inverse_len);
        self.ahead
            .aim(columns.map(|column| dot(h, column)), inverse_len);
        // The mean of the last stage's old and new state is its output.
        let gains = [dot(h, b), settings.into * solve, 0.5 * settings.makeup, 0.0];
        self.gains.aim(gains, inverse_len);

        // a1 = 1 / (1 + g (g + damping)), g a1 and g^2 a1 with g = n / d.
        let [n, d] = tan_pi(high_pass.min(TOP));
        let scale = 1.0 / (d * d + n * (n + DAMPING * d));
        let high_pass = [d * d * scale, n * d * scale, n * n * scale, 0.0];
        self.high_pass.aim(high_pass, inverse_len);
        if self.fresh {
            self.fresh = false;
            self.moving().for_each(Moving::still);
        }
    }

    /// Cuts the planned step short where it is.
    pub fn cut(&mut self) {
        self.moving().for_each(Moving::cut);
    }

    /// Filters in place.
    #[inline(always)]
    pub fn process(&mut self, samples: &mut [f32]) {
        let mut f = *self;
        for x in samples.iter_mut() {
            let [feedback, into, makeup, _] = f.gains.value.to_array();
            // 1e-18 keeps the states out of the denormal range.
            let u = saturate(*x * into + 1e-18 - f.fed_back);
            f.fed_back = dot(f.ahead.value.to_array(), f.state.to_array()) + feedback * u;
            let s = f.state.to_array();
            let [c0, c1, c2, c3] = f.columns.map(|column| column.value);
            f.state = (c0 * s[0] + c1 * s[1]) + (c2 * s[2] + c3 * s[3]) + f.input.value * u;
            let low = makeup * (s[3] + f.state.to_array()[3]);

            let [h1, h2, h3, _] = f.high_pass.value.to_array();
            let v3 = low - f.high_state[1];
            let v1 = h1 * f.high_state[0] + h2 * v3;
            let v2 = f.high_state[1] + (h2 * f.high_state[0] + h3 * v3);
            f.high_state = [2.0 * v1 - f.high_state[0], 2.0 * v2 - f.high_state[1]];
            *x = low - DAMPING * v1 - v2;
            let [c0, c1, c2, c3] = &mut f.columns;
            c0.advance();
            c1.advance();
            c2.advance();
            c3.advance();
            f.input.advance();
            f.ahead.advance();
            f.gains.advance();
            f.high_pass.advance();
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
    fn full_resonance_rings_at_the_cutoff_at_every_rate() {
        let mut worst = 0.0f64;
        for rate in [16_000.0, 44_100.0, 48_000.0, 96_000.0, 192_000.0] {
            for cutoff in [55.0, 110.0, 440.0, 1_760.0, 5_000.0, 7_040.0, 14_080.0] {
                if cutoff > 0.4 * rate {
                    continue;
                }
                let mut filter = Filter::default();
                filter.start();
                let settings = LadderSettings::new(1.0, 0.0);
                filter.plan(1.0, &settings, cutoff / rate, 1.0 / rate);
                let mut x = vec![0.0f32; rate as usize];
                x[..8].fill(0.1);
                filter.process(&mut x);
                // From the first to the last rising zero crossing, interpolated, of the late half.
                let from = x.len() / 2;
                let mut crossings = (from..x.len() - 1)
                    .filter(|&i| x[i] < 0.0 && x[i + 1] >= 0.0)
                    .map(|i| i as f64 + (x[i] / (x[i] - x[i + 1])) as f64);
                let first = crossings.next().unwrap();
                let (mut last, mut cycles) = (first, 0);
                for crossing in crossings {
                    (last, cycles) = (crossing, cycles + 1);
                }
                let hertz = cycles as f64 / (last - first) * rate as f64;
                let cents = 1200.0 * (hertz / cutoff as f64).log2();
                worst = worst.max(cents.abs());
                assert!(
                    cents.abs() < 1.0,
                    "{rate} Hz, cutoff {cutoff}: {cents:.2} cents"
                );
            }
        }
        println!("own pitch: worst {worst:.3} cents");
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
