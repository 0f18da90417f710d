//! The low-passes, a channel in each lane of a vector.

use super::{TOP, row};
use simd::Vector;

/// Damping per energy of the ringing: what bounds a self-oscillating state-variable filter.
const SOFT: f32 = 2.0;
/// Bound of the state-variable filter's states.
const BOUND: f32 = 4.0;

/// A low-pass.
pub trait LowPass {
    /// Whether it runs at the doubled rate.
    const TWICE: bool;
    /// Whether its cutoff is modulated.
    const MODULATED: bool;
    /// Filters the one or two samples of one sample's time; `m` moves the cutoff by so many octaves.
    fn filter<V: Vector>(v: V, x: &mut [V::F], m: V::F, s: &mut [V::F], c: &[V::F]);
}

/// [`crate::math::saturate`] in lanes.
#[inline(always)]
fn saturate<V: Vector>(v: V, x: V::F) -> V::F {
    let x = v.max(v.min(x, v.splat(1.5)), v.splat(-1.5));
    let q = v.mul(x, x);
    v.mul(x, v.mul_sub_from(v.splat(4.0 / 27.0), q, v.splat(1.0)))
}

/// tan(pi f) as a fraction for the cutoff `f` moved by `m` octaves and kept below 0.225.
#[inline(always)]
fn tangent<V: Vector>(v: V, f: V::F, m: V::F) -> [V::F; 2] {
    // 2^m = (e^(m ln 2 / 16))^16, a Taylor series for |m| <= 6: relative error below 1e-5.
    let e = v.mul(m, v.splat(std::f32::consts::LN_2 / 16.0));
    let e = v.max(v.min(e, v.splat(0.26)), v.splat(-0.26));
    let mut p = v.splat(1.0 / 120.0);
    for c in [1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        p = v.mul_add(p, e, v.splat(c));
    }
    for _ in 0..4 {
        p = v.mul(p, p);
    }
    let f = v.min(v.mul(f, p), v.splat(0.5 * TOP));
    // As in [`crate::math::tan_pis`].
    let h = v.mul(f, v.splat(std::f32::consts::FRAC_PI_2));
    let q = v.mul(h, h);
    let n = v.mul_add(v.sub(q, v.splat(105.0)), q, v.splat(945.0));
    let n = v.mul(h, n);
    let d = v.mul_add(v.splat(15.0), q, v.splat(-420.0));
    let d = v.mul_add(d, q, v.splat(945.0));
    let nd = v.mul(n, d);
    [v.add(nd, nd), v.mul_sub_from(n, n, v.mul(d, d))]
}

/// Four one-pole stages in a loop whose delay is solved away.
pub struct Ladder<const TWICE: bool, const MODULATED: bool>;

impl<const TWICE: bool, const MODULATED: bool> LowPass for Ladder<TWICE, MODULATED> {
    const TWICE: bool = TWICE;
    const MODULATED: bool = MODULATED;

    #[inline(always)]
    fn filter<V: Vector>(v: V, x: &mut [V::F], m: V::F, s: &mut [V::F], c: &[V::F]) {
        let one = v.splat(1.0);
        let feedback = c[row::LOOP];
        let (mut w, mut solve) = (c[row::GAIN], c[row::SOLVE]);
        if MODULATED {
            let [n, d] = tangent(v, c[row::CUTOFF], m);
            w = v.div(n, v.add(n, d));
        }
        let w2 = v.mul(w, w);
        let [w3, w4] = [v.mul(w2, w), v.mul(w2, w2)];
        let around = v.mul(feedback, w4);
        if MODULATED {
            solve = v.div(one, v.add(one, around));
        }
        let keep = v.sub(one, w);
        let coefficients = Loop {
            keep,
            w: [w, w2, w3, w4],
            back: v.mul(feedback, keep),
            around,
            solve,
        };
        for x in x {
            *x = coefficients.step::<V, TWICE>(v, *x, s);
        }
    }
}

/// A ladder's coefficients at a moment.
struct Loop<F> {
    /// Share of its state in a stage's output.
    keep: F,
    /// Powers of the share of its input.
    w: [F; 4],
    /// Feedback times `keep`.
    back: F,
    /// Feedback times w^4.
    around: F,
    /// 1 / (1 + feedback w^4).
    solve: F,
}

impl<F: Copy> Loop<F> {
    #[inline(always)]
    fn step<V: Vector<F = F>, const EXACT: bool>(&self, v: V, x: F, s: &mut [F]) -> F {
        let [w, w2, w3, w4] = self.w;
        // h, times `keep`: what the states give to each stage's output.
        let h1 = s[0];
        let h2 = v.mul_add(w, h1, s[1]);
        let h3 = v.mul_add(w, h2, s[2]);
        let h4 = v.mul_add(w, h3, s[3]);
        // u = saturate(x - feedback y4) with y4 = keep h4 + w^4 u: the linear solution saturated, then, to
        // be exact, one step of Newton's method with the slope at rest.
        let drive = v.mul_sub_from(self.back, h4, x);
        let mut u = saturate(v, v.mul(drive, self.solve));
        if EXACT {
            let again = saturate(v, v.mul_sub_from(self.around, u, drive));
            u = v.mul_sub_from(v.sub(u, again), self.solve, u);
        }
        let y1 = v.mul_add(w, u, v.mul(self.keep, h1));
        let y2 = v.mul_add(w2, u, v.mul(self.keep, h2));
        let y3 = v.mul_add(w3, u, v.mul(self.keep, h3));
        let y4 = v.mul_add(w4, u, v.mul(self.keep, h4));
        let two = v.splat(2.0);
        s[0] = v.sub(v.mul(two, y1), s[0]);
        s[1] = v.sub(v.mul(two, y2), s[1]);
        s[2] = v.sub(v.mul(two, y3), s[2]);
        s[3] = v.sub(v.mul(two, y4), s[3]);
        y4
    }
}

/// `SECTIONS` state-variable filters in series.
pub struct Svf<const SECTIONS: usize>;

impl<const SECTIONS: usize> LowPass for Svf<SECTIONS> {
    const TWICE: bool = true;
    const MODULATED: bool = true;

    #[inline(always)]
    fn filter<V: Vector>(v: V, x: &mut [V::F], m: V::F, s: &mut [V::F], c: &[V::F]) {
        let [n, d] = tangent(v, c[row::CUTOFF], m);
        let g = v.div(n, d);
        for x in x {
            *x = sections::<V, SECTIONS>(v, *x, g, s, c);
        }
    }
}

/// One sample through the saturation and the sections.
#[inline(always)]
fn sections<V: Vector, const SECTIONS: usize>(
    v: V,
    x: V::F,
    g: V::F,
    s: &mut [V::F],
    c: &[V::F],
) -> V::F {
    let (resonant, other) = s.split_at_mut(2);
    let mut x = saturate(v, x);
    if SECTIONS == 2 {
        x = section(v, x, other, g, c[row::SOLVE], c);
    }
    // Damping that grows with the energy of the ringing bounds self-oscillation; a steady one keeps it
    // constant, so that the frequency stays the linear filter's.
    let apart = v.sub(resonant[1], x);
    let energy = v.mul_add(apart, apart, v.mul(resonant[0], resonant[0]));
    let damping = v.mul_add(v.splat(SOFT), energy, c[row::LOOP]);
    section(v, x, resonant, g, damping, c)
}

/// Keeps a state in its bounds.
#[inline(always)]
fn bound<V: Vector>(v: V, y: V::F) -> V::F {
    v.max(v.min(y, v.splat(BOUND)), v.splat(-BOUND))
}

/// One sample through one section.
#[inline(always)]
fn section<V: Vector>(v: V, x: V::F, s: &mut [V::F], g: V::F, damping: V::F, c: &[V::F]) -> V::F {
    let [one, two] = [v.splat(1.0), v.splat(2.0)];
    let scale = v.div(one, v.mul_add(g, v.add(g, damping), one));
    let band = v.mul(scale, v.mul_add(g, v.sub(x, s[1]), s[0]));
    let low = v.mul_add(g, band, s[1]);
    let high = v.sub(v.mul_sub_from(damping, band, x), low);
    s[0] = bound(v, v.sub(v.mul(two, band), s[0]));
    s[1] = bound(v, v.sub(v.mul(two, low), s[1]));
    let [l, b, h] = [c[row::MORPH], c[row::MORPH + 1], c[row::MORPH + 2]];
    v.mul_add(l, low, v.mul_add(b, band, v.mul(h, high)))
}
