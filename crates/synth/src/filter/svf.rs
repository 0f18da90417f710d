//! The state-variable filter: one section, or two in series, behind a saturation (Simper, "Solving
//! the continuous SVF equations using trapezoidal integration", 2013).

use super::FilterSettings;
use super::curves::{saturate, tangent};
use super::model::{Cutoff, Mode, Model, named};
use realfft::num_complex::Complex64;
use simd::Vector;
use std::f32::consts::SQRT_2;
use std::f64::consts::PI;

/// Dampings of two second-order sections that make a fourth-order Butterworth filter.
const FOURTH_ORDER: [f32; 2] = [1.847_759, 0.765_366_9];
/// Damping taken off per unit of resonance boost.
const BOOST: f32 = 0.89;
/// Damping per energy of the ringing: bounds the self-oscillation.
const SOFT: f32 = 2.0;
/// Bound of the states.
const BOUND: f32 = 4.0;

/// `SECTIONS` (1 or 2) state-variable filters in series, the last one resonant.
pub struct Svf<const SECTIONS: usize>;

named! {
    /// Coefficients, all of which serve every step: the cutoff always counts as modulated.
    Coefficients {
        /// Cutoff as a fraction of the doubled rate.
        cutoff,
        /// Damping of the resonant section.
        damping,
        /// Damping of the first of two sections.
        first_damping,
        /// Weight of a section's low output.
        low,
        /// Weight of a section's band output.
        band,
        /// Weight of a section's high output.
        high,
    }
}

named! {
    /// Integrators: of the resonant section, and of the one before it.
    States {
        /// Integrator of the resonant section's band output.
        band,
        /// Integrator of the resonant section's low output.
        low,
        /// Integrator of the first section's band output.
        first_band,
        /// Integrator of the first section's low output.
        first_low,
    }
}

impl<const SECTIONS: usize> Model for Svf<SECTIONS> {
    type Coefficients<T: Copy> = Coefficients<T>;
    type States<T: Copy> = States<T>;
    const MODES: [Mode; 2] = [Mode::Modulated; 2];

    /// Makes up for a part of the level that resonance adds.
    #[inline(always)]
    fn input_gain(settings: &FilterSettings) -> f32 {
        1.0 - 0.2 * (1.0 - settings.damping)
    }

    #[inline(always)]
    fn coefficients(settings: &FilterSettings, cutoff: &Cutoff) -> Coefficients<f32> {
        let [first_damping, resonant] = if SECTIONS == 1 {
            [0.0, SQRT_2]
        } else {
            FOURTH_ORDER
        };
        // A band output's peak is 1 / damping; without resonance it is to be 1.
        let band = if SECTIONS == 1 { SQRT_2 } else { SQRT_2.sqrt() };
        Coefficients {
            cutoff: cutoff.doubled,
            damping: resonant * settings.damping - BOOST * settings.boost,
            first_damping,
            low: (1.0 - settings.morph).max(0.0),
            band: band * (1.0 - (1.0 - settings.morph).abs()),
            high: (settings.morph - 1.0).max(0.0),
        }
    }

    fn kick(level: f32) -> States<f32> {
        States {
            band: level * 0.21,
            low: 0.0,
            first_band: 0.0,
            first_low: 0.0,
        }
    }

    #[inline(always)]
    fn process<V: Vector>(
        v: V,
        _: Mode,
        x: &mut [V::F],
        octaves: V::F,
        c: &Coefficients<V::F>,
        s: &mut States<V::F>,
    ) {
        let [n, d] = tangent(v, c.cutoff, octaves);
        let g = v.div(n, d);
        for x in x {
            let mut y = saturate(v, *x);
            if SECTIONS == 2 {
                let states = [&mut s.first_band, &mut s.first_low];
                y = section(v, y, states, g, c.first_damping, c);
            }
            // Damping that grows with the energy of the ringing bounds self-oscillation; a steady
            // one keeps it constant, so that the frequency stays the linear filter's.
            let apart = v.sub(s.low, y);
            let energy = v.mul_add(apart, apart, v.mul(s.band, s.band));
            let damping = v.mul_add(v.splat(SOFT), energy, c.damping);
            *x = section(v, y, [&mut s.band, &mut s.low], g, damping, c);
        }
    }

    /// (low + band p + high p^2) / (1 + damping p + p^2) for each section, with p = (z - 1) /
    /// (g (z + 1)).
    fn response(c: &Coefficients<f32>, z: Complex64) -> Complex64 {
        let [low, band, high] = [c.low, c.band, c.high].map(f64::from);
        let g = (PI * f64::from(c.cutoff)).tan();
        // Both multiplied by g (z + 1), which is 0 at half the rate.
        let [p, one] = [z - 1.0, g * (z + 1.0)];
        let section = |damping: f32| {
            let damping = f64::from(damping);
            let above = low * one * one + band * one * p + high * p * p;
            above / (one * one + damping * one * p + p * p)
        };
        match SECTIONS {
            1 => section(c.damping),
            _ => section(c.first_damping) * section(c.damping),
        }
    }
}

/// Keeps a state in its bounds.
#[inline(always)]
fn bound<V: Vector>(v: V, y: V::F) -> V::F {
    v.max(v.min(y, v.splat(BOUND)), v.splat(-BOUND))
}

/// Filters one sample by one section, whose states are those of its band and low outputs.
#[inline(always)]
fn section<V: Vector>(
    v: V,
    x: V::F,
    [band_state, low_state]: [&mut V::F; 2],
    g: V::F,
    damping: V::F,
    c: &Coefficients<V::F>,
) -> V::F {
    let [one, two] = [v.splat(1.0), v.splat(2.0)];
    let scale = v.div(one, v.mul_add(g, v.add(g, damping), one));
    let band = v.mul(scale, v.mul_add(g, v.sub(x, *low_state), *band_state));
    let low = v.mul_add(g, band, *low_state);
    let high = v.sub(v.mul_sub_from(damping, band, x), low);
    *band_state = bound(v, v.sub(v.mul(two, band), *band_state));
    *low_state = bound(v, v.sub(v.mul(two, low), *low_state));
    v.mul_add(c.low, low, v.mul_add(c.band, band, v.mul(c.high, high)))
}
