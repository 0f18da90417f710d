//! Filters in flight: up to [`LANES`] channels side by side, one in each lane of the CPU's vectors.
//!
//! Lanes don't touch each other, so that a channel's samples don't depend on its neighbours. What
//! they share is the code path: a bundle holds filters of one kind, all modulated at audio rate or
//! none.

use super::{DAMPING, Filter, Kind, TOP, halfband, row, state};
use crate::CONTROL;
use crate::math::INDEX;
use crate::oscillator::Samples;
use crate::simd::{InstructionSet, Kernel, Vector};

/// Channels in a bundle: two vectors of eight, so that one's arithmetic hides the other's latency.
pub const LANES: usize = 16;

/// Damping per energy of the ringing: what bounds a self-oscillating state-variable filter.
const SOFT: f32 = 2.0;
/// Bound of the state-variable filter's states.
const BOUND: f32 = 4.0;

/// A channel on its way through the filters.
pub struct Channel<'a> {
    /// Its filters.
    pub filter: &'a mut Filter,
    /// Samples of the planned step that have been filtered.
    pub done: usize,
    /// The next ones, filtered in place.
    pub audio: &'a mut Samples,
    /// Octaves by which each of them moves the cutoff; `None`: by nothing.
    pub modulator: Option<&'a Samples>,
}

/// Numbers by lane.
type Row = [f32; LANES];

/// Room for one bundle: by lane as the channels have it, or lanes side by side as the vectors do.
#[repr(align(64))]
struct Rows {
    audio: [Samples; LANES],
    modulator: [Samples; LANES],
    start: [[f32; row::COUNT]; LANES],
    step: [[f32; row::COUNT]; LANES],
    /// Before and after: what is in the lanes that nobody uses doesn't move, towards denormals perhaps.
    state: [[Row; state::COUNT]; 2],
    done: Row,
    filtered: [Row; CONTROL],
}

/// Runs filters.
pub struct Lanes {
    set: InstructionSet,
    rows: Box<Rows>,
}

impl Lanes {
    /// Allocates everything.
    pub fn new(set: InstructionSet) -> Self {
        Self {
            set,
            rows: Box::new(Rows {
                audio: [[0.0; CONTROL]; LANES],
                modulator: [[0.0; CONTROL]; LANES],
                start: [[0.0; row::COUNT]; LANES],
                step: [[0.0; row::COUNT]; LANES],
                state: [[[0.0; LANES]; state::COUNT]; 2],
                done: [0.0; LANES],
                filtered: [[0.0; LANES]; CONTROL],
            }),
        }
    }

    /// Filters the next `len` samples of the planned step of each channel.
    pub fn process<'a>(&mut self, len: usize, channels: impl Iterator<Item = Channel<'a>>) {
        let mut bundle: [Option<Channel<'a>>; LANES] = [const { None }; LANES];
        let (mut count, mut path) = (0, (Kind::Off, false));
        for mut channel in channels {
            if channel.filter.kind == Kind::Off {
                bypass(&mut channel, len);
                continue;
            }
            // The state-variable filter is modulated always, perhaps by nothing.
            let kind = channel.filter.kind;
            let modulated = kind.is_state_variable() || channel.modulator.is_some();
            let its = (kind, modulated);
            if count == LANES || (count > 0 && its != path) {
                self.run(len, path, &mut bundle[..count]);
                count = 0;
            }
            path = its;
            self.load(count, &channel);
            bundle[count] = Some(channel);
            count += 1;
        }
        if count > 0 {
            self.run(len, path, &mut bundle[..count]);
        }
    }

    fn load(&mut self, lane: usize, channel: &Channel<'_>) {
        let rows = &mut *self.rows;
        let filter = &*channel.filter;
        rows.audio[lane] = *channel.audio;
        if let Some(modulator) = channel.modulator {
            rows.modulator[lane] = *modulator;
        } else if filter.kind.is_state_variable() {
            rows.modulator[lane] = [0.0; CONTROL];
        }
        rows.start[lane] = filter.start;
        rows.step[lane] = filter.step;
        rows.done[lane] = channel.done as f32;
        let count = states(filter.kind, channel.modulator.is_some());
        for (row, state) in rows.state[0].iter_mut().zip(&filter.state[..count]) {
            row[lane] = *state;
        }
    }

    fn run(
        &mut self,
        len: usize,
        (kind, modulated): (Kind, bool),
        bundle: &mut [Option<Channel<'_>>],
    ) {
        self.set.run(Pass {
            rows: &mut self.rows,
            lanes: bundle.len(),
            len,
            kind,
            modulated,
        });
        let rows = &*self.rows;
        let count = states(kind, modulated);
        for (lane, channel) in bundle.iter_mut().enumerate() {
            let Some(channel) = channel.take() else {
                continue;
            };
            for (x, row) in channel.audio.iter_mut().zip(&rows.filtered) {
                *x = row[lane];
            }
            let states = &mut channel.filter.state[..count];
            for (state, row) in states.iter_mut().zip(&rows.state[1]) {
                *state = row[lane];
            }
        }
    }
}

/// How many states matter on a code path.
fn states(kind: Kind, modulated: bool) -> usize {
    match (kind, modulated) {
        (Kind::Plain, false) => state::PLAIN,
        _ => state::COUNT,
    }
}

/// What a switched-off filter does: nothing, but for the fade when it has just been switched.
fn bypass(channel: &mut Channel<'_>, len: usize) {
    let filter = &mut *channel.filter;
    if !filter.is_bypassed() {
        for (i, x) in channel.audio[..len].iter_mut().enumerate() {
            let step = filter.step[row::OUT];
            *x *= filter.start[row::OUT] + step * (channel.done + i) as f32;
        }
    }
}

/// A bundle's run.
struct Pass<'a> {
    rows: &'a mut Rows,
    lanes: usize,
    len: usize,
    kind: Kind,
    modulated: bool,
}

impl Kernel for Pass<'_> {
    #[inline(always)]
    fn run<V: Vector>(self, v: V) {
        let Self {
            rows,
            lanes,
            len,
            kind,
            modulated,
        } = self;
        let mut from = 0;
        while from < lanes {
            // Two vectors at a time where there are so many lanes.
            let wide = lanes - from > V::LANES;
            match (kind, modulated) {
                (Kind::Plain, false) if wide => {
                    pass::<V, Ladder<false, false>, 2>(v, rows, from, len);
                    from += V::LANES;
                }
                (Kind::Plain, false) => pass::<V, Ladder<false, false>, 1>(v, rows, from, len),
                (Kind::Ladder, false) if wide => {
                    pass::<V, Ladder<true, false>, 2>(v, rows, from, len);
                    from += V::LANES;
                }
                (Kind::Ladder, false) => pass::<V, Ladder<true, false>, 1>(v, rows, from, len),
                (Kind::Plain | Kind::Ladder, true) => {
                    pass::<V, Ladder<true, true>, 1>(v, rows, from, len);
                }
                (Kind::Svf12, _) => pass::<V, Svf<1>, 1>(v, rows, from, len),
                (Kind::Svf24, _) => pass::<V, Svf<2>, 1>(v, rows, from, len),
                (Kind::Off, _) => {}
            }
            from += V::LANES;
        }
    }
}

/// A low-pass.
trait LowPass {
    /// Whether it runs at the doubled rate.
    const TWICE: bool;
    /// Whether its cutoff is modulated.
    const MODULATED: bool;
    /// Filters the one or two samples of one sample's time; `m` moves the cutoff by so many octaves.
    fn filter<V: Vector>(v: V, x: &mut [V::F], m: V::F, s: &mut [V::F], c: &[V::F]);
}

/// The `quad`-th four numbers of each of the lanes from `from` on, side by side.
#[inline(always)]
fn lanes<V: Vector, const N: usize>(
    v: V,
    rows: &[[f32; N]; LANES],
    from: usize,
    quad: usize,
) -> [V::F; 4] {
    let quads = rows[from..from + V::LANES].as_flattened().as_chunks().0;
    let mut places = [0; LANES];
    for lane in 0..V::LANES {
        places[lane] = (lane * (N / 4) + quad) as i32;
    }
    v.quads(quads, &places)
}

/// `G` vectors of lanes from `from` on.
#[inline(always)]
fn pass<V: Vector, L: LowPass, const G: usize>(v: V, rows: &mut Rows, from: usize, len: usize) {
    let at = |g: usize| from + g * V::LANES;
    let zero = v.splat(0.0);
    let mut state = [[zero; state::COUNT]; G];
    let mut start = [[zero; row::COUNT]; G];
    let mut step = [[zero; row::COUNT]; G];
    let mut done = [zero; G];
    for g in 0..G {
        for r in 0..state::COUNT {
            state[g][r] = v.load(&rows.state[0][r][at(g)..]);
        }
        for quad in 0..row::COUNT / 4 {
            let [starts, steps] = [
                lanes(v, &rows.start, at(g), quad),
                lanes(v, &rows.step, at(g), quad),
            ];
            for r in 0..4 {
                start[g][4 * quad + r] = starts[r];
                step[g][4 * quad + r] = steps[r];
            }
        }
        done[g] = v.load(&rows.done[at(g)..]);
    }
    for quad in 0..len.div_ceil(4) {
        let mut x = [[zero; 4]; G];
        let mut m = [[zero; 4]; G];
        for g in 0..G {
            x[g] = lanes(v, &rows.audio, at(g), quad);
            if L::MODULATED {
                m[g] = lanes(v, &rows.modulator, at(g), quad);
            }
        }
        for i in 0..4.min(len - 4 * quad) {
            for g in 0..G {
                let index = v.add(done[g], v.splat(INDEX[4 * quad + i]));
                let mut value = start[g];
                for r in 0..row::COUNT {
                    value[r] = v.mul_add(step[g][r], index, start[g][r]);
                }
                let y = sample::<V, L>(v, x[g][i], m[g][i], &mut state[g], &value);
                v.store(&mut rows.filtered[4 * quad + i][at(g)..], y);
            }
        }
    }
    for g in 0..G {
        for r in 0..state::COUNT {
            v.store(&mut rows.state[1][r][at(g)..], state[g][r]);
        }
    }
}

#[inline(always)]
fn sample<V: Vector, L: LowPass>(
    v: V,
    x: V::F,
    m: V::F,
    s: &mut [V::F; state::COUNT],
    c: &[V::F; row::COUNT],
) -> V::F {
    let x = v.mul(x, c[row::INTO]);
    let low = if L::TWICE {
        let mut x = halfband::up(v, x, &mut s[state::UP..state::DOWN]);
        L::filter(v, &mut x, m, &mut s[state::LOW..state::HIGH], c);
        halfband::down(v, x, &mut s[state::DOWN..state::COUNT])
    } else {
        let mut x = [x];
        L::filter(v, &mut x, m, &mut s[state::LOW..state::HIGH], c);
        x[0]
    };
    let low = v.mul(low, c[row::OUT]);

    let [h1, h2, h3] = [c[row::HIGH], c[row::HIGH + 1], c[row::HIGH + 2]];
    let [s1, s2] = [s[state::HIGH], s[state::HIGH + 1]];
    let v3 = v.sub(low, s2);
    let v1 = v.mul_add(h1, s1, v.mul(h2, v3));
    let v2 = v.add(s2, v.mul_add(h2, s1, v.mul(h3, v3)));
    let two = v.splat(2.0);
    s[state::HIGH] = v.sub(v.mul(two, v1), s1);
    s[state::HIGH + 1] = v.sub(v.mul(two, v2), s2);
    v.sub(v.mul_sub_from(v.splat(DAMPING), v1, low), v2)
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
    // As in [`crate::math::tan_pi`].
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
struct Ladder<const TWICE: bool, const MODULATED: bool>;

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
struct Svf<const SECTIONS: usize>;

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
