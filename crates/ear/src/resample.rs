//! Streaming change of sample rate: a causal windowed-sinc polyphase filter for any two rates.
//!
//! Rates are taken in mHz, so the time of every output sample is an exact rational and never
//! drifts. With at most [`MAX_PHASES`] distinct phases each has its own taps, otherwise taps are
//! interpolated linearly between neighbouring phases.

use simd::{InstructionSet, Kernel, Vector};

/// Half of the transition band, as a fraction of the lower of both rates.
const HALF_TRANSITION: f64 = 0.045;
/// Kaiser window for 80 dB, and the width it needs in samples times the transition in cycles a
/// sample.
const KAISER_BETA: f64 = 7.86;
const KAISER_WIDTH: f64 = 5.01;
const MAX_PHASES: u64 = 640;
/// Phases of the table between which taps are interpolated.
const TABLE_PHASES: usize = 512;

/// Resamples one stream.
pub(crate) struct Resampler {
    instructions: InstructionSet,
    /// Input samples per output sample: `whole + part / parts`.
    whole: usize,
    part: u64,
    parts: u64,
    /// Phase of the next output sample, 0 to `parts`.
    phase: u64,
    /// Input samples still to come before the next output sample.
    wait: usize,
    /// Taps of a phase, whole vectors.
    taps: usize,
    /// `taps` for each phase and one more, oldest sample first.
    table: Vec<f32>,
    interpolate: bool,
    /// The last `taps` input samples, twice in a row so that they can always be read as one slice.
    history: Vec<f32>,
    head: usize,
    /// Delay in output samples.
    delay: usize,
}

impl Resampler {
    /// A resampler from `from` Hz to `to` Hz.
    pub(crate) fn new(from: f64, to: f64, instructions: InstructionSet) -> Self {
        let (a, b) = ((from * 1000.0).round() as u64, (to * 1000.0).round() as u64);
        let divisor = gcd(a, b);
        let (step, parts) = (a / divisor, b / divisor);
        let ratio = step as f64 / parts as f64;
        // Frequencies in cycles per input sample.
        let lower = (1.0 / ratio).min(1.0);
        let cutoff = 0.5 * lower;
        let half_width = KAISER_WIDTH / (2.0 * HALF_TRANSITION * lower) / 2.0;
        // A whole number of output samples, so that a clip's frames can be aligned exactly.
        let delay = (half_width / ratio).ceil() as usize;
        let lag = delay as f64 * ratio;
        let taps = (lag + half_width).ceil() as usize + 1;
        let taps = taps.next_multiple_of(instructions.lanes());
        let interpolate = parts > MAX_PHASES;
        let phases = if interpolate {
            TABLE_PHASES
        } else {
            parts as usize
        };
        let mut table = Vec::with_capacity((phases + 1) * taps);
        for phase in 0..=phases {
            let fraction = phase as f64 / phases as f64;
            let start = table.len();
            for tap in 0..taps {
                // Age of this tap's sample when the output falls `fraction` after the newest one.
                let age = (taps - 1 - tap) as f64 + fraction;
                table.push(kernel(age - lag, cutoff, half_width));
            }
            // Equal gain at 0 Hz for every phase, or a constant would become a buzz.
            let sum: f64 = table[start..].iter().sum();
            table[start..].iter_mut().for_each(|t| *t /= sum);
        }
        let mut resampler = Self {
            instructions,
            whole: (step / parts) as usize,
            part: step % parts,
            parts,
            phase: 0,
            wait: 1,
            taps,
            table: table.into_iter().map(|t| t as f32).collect(),
            interpolate,
            history: vec![0.0; 2 * taps],
            head: 0,
            delay,
        };
        resampler.reset();
        resampler
    }

    /// Delay in output samples.
    pub(crate) fn delay(&self) -> usize {
        self.delay
    }

    /// Forgets everything heard.
    pub(crate) fn reset(&mut self) {
        self.history.fill(0.0);
        self.head = 0;
        self.phase = 0;
        self.wait = 1;
    }

    /// Takes one input sample and hands each output sample that is now due to `sink`.
    #[inline]
    pub(crate) fn push(&mut self, x: f32, mut sink: impl FnMut(f32)) {
        self.history[self.head] = x;
        self.history[self.head + self.taps] = x;
        self.head += 1;
        if self.head == self.taps {
            self.head = 0;
        }
        self.wait -= 1;
        while self.wait == 0 {
            sink(self.output());
            self.phase += self.part;
            self.wait = self.whole;
            if self.phase >= self.parts {
                self.phase -= self.parts;
                self.wait += 1;
            }
        }
    }

    fn output(&self) -> f32 {
        let history = &self.history[self.head..][..self.taps];
        let filtered = |row: usize| {
            let mut sum = 0.0;
            self.instructions.run(Dot {
                a: history,
                b: &self.table[row * self.taps..][..self.taps],
                sum: &mut sum,
            });
            sum
        };
        if !self.interpolate {
            return filtered(self.phase as usize);
        }
        let position = self.phase as f64 * TABLE_PHASES as f64 / self.parts as f64;
        let row = position as usize;
        let (low, high) = (filtered(row), filtered(row + 1));
        low + (high - low) * (position - row as f64) as f32
    }
}

/// Sum of products of whole vectors.
struct Dot<'a> {
    a: &'a [f32],
    b: &'a [f32],
    sum: &'a mut f32,
}

impl Kernel for Dot<'_> {
    #[inline(always)]
    fn run<V: Vector>(self, v: V) {
        let (a, b) = (V::cast(self.a), V::cast(self.b));
        // Two sums, so that one addition need not wait for the other.
        let (mut even, mut odd) = (v.splat(0.0), v.splat(0.0));
        let (a2, b2) = (a.chunks_exact(2), b.chunks_exact(2));
        if let ([a], [b]) = (a2.remainder(), b2.remainder()) {
            odd = v.mul(*a, *b);
        }
        for (a, b) in a2.zip(b2) {
            even = v.mul_add(a[0], b[0], even);
            odd = v.mul_add(a[1], b[1], odd);
        }
        *self.sum = v.sum(v.add(even, odd));
    }
}

/// Low-pass of `cutoff` cycles a sample under a Kaiser window, `t` samples from its centre.
fn kernel(t: f64, cutoff: f64, half_width: f64) -> f64 {
    let inside = 1.0 - (t / half_width).powi(2);
    if inside <= 0.0 {
        return 0.0;
    }
    let angle = std::f64::consts::TAU * cutoff * t;
    let sinc = if angle.abs() < 1e-9 {
        1.0
    } else {
        angle.sin() / angle
    };
    sinc * bessel_i0(KAISER_BETA * inside.sqrt())
}

/// Modified Bessel function of the first kind, order 0, by its power series.
fn bessel_i0(x: f64) -> f64 {
    let (mut term, mut sum) = (1.0, 1.0);
    for k in 1..40 {
        term *= (x / (2.0 * k as f64)).powi(2);
        sum += term;
    }
    sum
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(rate: f64, hz: f64, samples: usize) -> Vec<f32> {
        (0..samples)
            .map(|n| (std::f64::consts::TAU * hz * n as f64 / rate).sin() as f32)
            .collect()
    }

    fn run(r: &mut Resampler, x: &[f32]) -> Vec<f32> {
        let mut out = Vec::new();
        x.iter().for_each(|&x| r.push(x, |y| out.push(y)));
        out
    }

    #[test]
    fn sines_come_out_unchanged_after_the_declared_delay() {
        let cases = [
            (44_100.0, 16_000.0),
            (48_000.0, 16_000.0),
            (8_000.0, 16_000.0),
            (192_000.0, 8_000.0),
            (11_025.0, 32_000.0),
            (44_117.647, 16_000.0),
            (96_000.0, 32_000.0),
        ];
        for (from, to) in cases {
            let mut r = Resampler::new(from, to, InstructionSet::best());
            for part in [0.02, 0.2, 0.4] {
                r.reset();
                let hz = part * f64::min(from, to);
                let out = run(&mut r, &sine(from, hz, (from * 0.2) as usize));
                let settled = 3 * r.delay();
                for (n, y) in out.iter().enumerate().skip(settled) {
                    let t = (n as f64 - r.delay() as f64) / to;
                    let want = (std::f64::consts::TAU * hz * t).sin();
                    assert!(
                        (f64::from(*y) - want).abs() < 1.5e-3,
                        "{from} -> {to}, {hz} Hz, {n}: {y} {want}"
                    );
                }
            }
        }
    }

    #[test]
    fn frequencies_above_the_lower_rates_nyquist_are_removed() {
        for from in [44_100.0, 48_000.0, 192_000.0, 44_117.647] {
            let mut r = Resampler::new(from, 16_000.0, InstructionSet::best());
            for hz in [8_900.0, 12_000.0, 16_000.0, 20_000.0] {
                r.reset();
                let out = run(&mut r, &sine(from, hz, (from * 0.1) as usize));
                let peak = out[3 * r.delay()..]
                    .iter()
                    .fold(0.0f32, |m, y| m.max(y.abs()));
                assert!(peak < 2e-4, "{from}, {hz} Hz: {peak}");
            }
        }
    }

    #[test]
    fn a_constant_stays_constant_and_time_does_not_drift() {
        for (from, to) in [
            (44_100.0, 16_000.0),
            (44_117.647, 16_000.0),
            (22_050.0, 32_000.0),
        ] {
            let mut r = Resampler::new(from, to, InstructionSet::best());
            let seconds = 20;
            let out = run(
                &mut r,
                &vec![1.0; (from * f64::from(seconds)).round() as usize],
            );
            let want = to * f64::from(seconds);
            assert!(
                (out.len() as f64 - want).abs() <= 2.0,
                "{} {want}",
                out.len()
            );
            assert!(out[3 * r.delay()..].iter().all(|y| (y - 1.0).abs() < 1e-6));
        }
    }
}
