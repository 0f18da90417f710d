//! Peaks of the normalised square difference function: the candidates for the period.

/// Steps of the searched function per sample: whole samples are too coarse for its peaks.
pub(super) const FINE: usize = 2;
/// Periods shorter than this many samples are measured over several periods.
const COARSE_LAG: f32 = 40.0;
/// Lowest peak that is a candidate.
pub(super) const LOWEST_PEAK: f32 = 0.2;

/// A period, in steps of the function's argument, and the height of its peak, 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Peak {
    pub(super) period: f32,
    pub(super) clarity: f32,
}

/// The peaks of the normalised function that are candidates, shortest period first.
pub(super) fn peaks(n: &[f32], shortest: usize) -> impl Iterator<Item = Peak> {
    // The slope down from lag 0 holds no candidate.
    let slope = (1..n.len()).find(|&l| n[l] < 0.5).unwrap_or(n.len());
    (slope.max(shortest)..n.len() - 1)
        .filter(|&l| n[l] > LOWEST_PEAK && n[l] >= n[l - 1] && n[l] > n[l + 1])
        .map(|l| {
            let (offset, height) = parabola(n[l - 1], n[l], n[l + 1]);
            Peak {
                period: l as f32 + offset,
                clarity: height.clamp(0.0, 1.0),
            }
        })
}

/// Refines a short period from the peak at 2, 4, ... times its lag, where a fraction of a sample
/// matters less.
pub(super) fn refine(
    n: &[f32],
    Peak {
        mut period,
        clarity,
    }: Peak,
) -> f32 {
    let mut times = 2.0;
    while times * period < FINE as f32 * COARSE_LAG {
        let near = (times * period).round() as usize;
        let peak = (near - 1..=near + 1).find(|&l| n[l] >= n[l - 1] && n[l] > n[l + 1]);
        match peak {
            Some(lag) if n[lag] > 0.5 * clarity => {
                let (offset, _) = parabola(n[lag - 1], n[lag], n[lag + 1]);
                period = (lag as f32 + offset) / times;
            }
            _ => break,
        }
        times *= 2.0;
    }
    period
}

/// Interpolates `coarse`, which is symmetric about 0, to twice as many steps.
pub(super) fn halve_steps(coarse: &[f32], fine: &mut [f32]) {
    // Half-band low-pass: sinc at odd multiples of a half, under a Hann window of 12 steps.
    const TAPS: [f32; 6] = [
        0.625208, -0.180966, 0.080066, -0.033673, 0.010350, -0.000985,
    ];
    let last = coarse.len() - 1;
    for lag in 0..coarse.len() {
        fine[2 * lag] = coarse[lag];
        let sides = (0..TAPS.len())
            .map(|k| TAPS[k] * (coarse[lag.abs_diff(k)] + coarse[(lag + 1 + k).min(last)]));
        fine[2 * lag + 1] = sides.sum();
    }
}

/// Vertex of the parabola through three neighbours: offset from the middle one, and height.
fn parabola(left: f32, middle: f32, right: f32) -> (f32, f32) {
    let curve = left - 2.0 * middle + right;
    if curve >= 0.0 {
        return (0.0, middle);
    }
    let offset = (0.5 * (left - right) / curve).clamp(-0.5, 0.5);
    (offset, middle - 0.25 * (left - right) * offset)
}
