//! Filters in flight: bundles of channels side by side, one in each lane of the CPU's vectors.
//!
//! Lanes don't touch each other, so that a channel's samples don't depend on its neighbours. What
//! they share is the code path: a bundle holds filters of one kind, all modulated at audio rate or
//! none.

use super::low_pass::{Ladder, LowPass, Svf};
use super::{DAMPING, Filter, Kind, halfband, row, state};
use crate::CONTROL;
use crate::math::INDEX;
use crate::oscillator::Samples;
use simd::Vector;

/// Channels in a bundle: two vectors of eight, so that one's arithmetic hides the other's latency.
pub const LANES: usize = 16;

/// Which low-pass, and whether its cutoff is modulated at audio rate.
type Path = (Kind, bool);
/// How many there are.
const PATHS: usize = 7;

/// Numbers by lane.
type Row = [f32; LANES];

/// Channels that run side by side: what they bring, by lane.
#[derive(Clone)]
#[repr(align(64))]
struct Bundle {
    path: Path,
    /// Lanes in use. What is in the others doesn't move, towards denormals perhaps.
    count: usize,
    audio: [Samples; LANES],
    modulator: [Samples; LANES],
    start: [[f32; row::COUNT]; LANES],
    step: [[f32; row::COUNT]; LANES],
    state: [[f32; state::COUNT]; LANES],
    done: Row,
    /// Results as the vectors have them, the lanes side by side.
    turned: [Row; CONTROL],
}

impl Default for Bundle {
    fn default() -> Self {
        Self {
            path: (Kind::Off, false),
            count: 0,
            audio: [[0.0; CONTROL]; LANES],
            modulator: [[0.0; CONTROL]; LANES],
            start: [[0.0; row::COUNT]; LANES],
            step: [[0.0; row::COUNT]; LANES],
            state: [[0.0; state::COUNT]; LANES],
            done: [0.0; LANES],
            turned: [[0.0; LANES]; CONTROL],
        }
    }
}

/// Where a channel is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Place {
    bundle: usize,
    lane: usize,
}

/// The channels of one step.
#[derive(Default)]
pub struct Lanes {
    bundles: Vec<Bundle>,
    /// How many of them are in use.
    used: usize,
}

impl Lanes {
    /// Room for so many channels; more of them allocate.
    pub fn new(channels: usize) -> Self {
        Self {
            bundles: vec![Bundle::default(); channels / LANES + PATHS],
            used: 0,
        }
    }

    /// Forgets the channels of the step before.
    pub fn clear(&mut self) {
        self.used = 0;
    }

    /// Takes in a channel: its filters as they are planned, its samples from the `done`-th of the planned
    /// step on, and the octaves by which each of them moves the cutoff, if any.
    #[inline(always)]
    pub fn push(
        &mut self,
        filter: &Filter,
        done: usize,
        audio: &Samples,
        modulator: Option<&Samples>,
    ) -> Place {
        let path = match filter.kind {
            Kind::Off => (Kind::Off, false),
            // The state-variable filter is modulated always, perhaps by nothing.
            kind => (kind, kind.is_state_variable() || modulator.is_some()),
        };
        // Most often it is the last one.
        let bundle = match self.bundles[..self.used].last() {
            Some(last) if last.has_room(path) => self.used - 1,
            _ => self.find(path),
        };
        let rows = &mut self.bundles[bundle];
        let lane = rows.count;
        rows.count += 1;
        rows.audio[lane] = *audio;
        if path.1 {
            rows.modulator[lane] = *modulator.unwrap_or(&[0.0; CONTROL]);
        }
        rows.start[lane] = filter.start;
        rows.step[lane] = filter.step;
        rows.state[lane] = filter.state;
        rows.done[lane] = done as f32;
        Place { bundle, lane }
    }

    /// A bundle with room for another channel.
    fn find(&mut self, path: Path) -> usize {
        let mut used = self.bundles[..self.used].iter();
        if let Some(bundle) = used.position(|bundle| bundle.has_room(path)) {
            return bundle;
        }
        if self.used == self.bundles.len() {
            self.bundles.push(Bundle::default());
        }
        let bundle = &mut self.bundles[self.used];
        (bundle.path, bundle.count) = (path, 0);
        self.used += 1;
        self.used - 1
    }

    /// Filters the channels' next `len` samples; what follows them becomes any number.
    #[inline(always)]
    pub fn filter<V: Vector>(&mut self, v: V, len: usize) {
        for bundle in &mut self.bundles[..self.used] {
            bundle.filter(v, len);
        }
    }

    /// A channel's samples; its states go back to its filters.
    #[inline(always)]
    pub fn pull(&self, place: Place, filter: &mut Filter) -> &Samples {
        let bundle = &self.bundles[place.bundle];
        filter.state = bundle.state[place.lane];
        &bundle.audio[place.lane]
    }
}

impl Bundle {
    fn has_room(&self, path: Path) -> bool {
        self.path == path && self.count < LANES
    }

    #[inline(always)]
    fn filter<V: Vector>(&mut self, v: V, len: usize) {
        let mut from = 0;
        while from < self.count {
            // Two vectors at a time where there are so many lanes.
            let wide = self.count - from > V::LANES;
            match self.path {
                (Kind::Plain, false) if wide => {
                    pass::<V, Ladder<false, false>, 2>(v, self, from, len);
                    from += V::LANES;
                }
                (Kind::Plain, false) => pass::<V, Ladder<false, false>, 1>(v, self, from, len),
                (Kind::Ladder, false) if wide => {
                    pass::<V, Ladder<true, false>, 2>(v, self, from, len);
                    from += V::LANES;
                }
                (Kind::Ladder, false) => pass::<V, Ladder<true, false>, 1>(v, self, from, len),
                (Kind::Plain | Kind::Ladder, true) => {
                    pass::<V, Ladder<true, true>, 1>(v, self, from, len);
                }
                (Kind::Svf12, _) => pass::<V, Svf<1>, 1>(v, self, from, len),
                (Kind::Svf24, _) => pass::<V, Svf<2>, 1>(v, self, from, len),
                (Kind::Off, _) => return self.fade(len),
            }
            from += V::LANES;
        }
    }

    /// What switched-off filters do: nothing, but for the fade when one has just been switched.
    fn fade(&mut self, len: usize) {
        for lane in 0..self.count {
            let [start, step] = [self.start[lane][row::OUT], self.step[lane][row::OUT]];
            for (i, x) in self.audio[lane][..len].iter_mut().enumerate() {
                *x *= start + step * (self.done[lane] + i as f32);
            }
        }
    }
}

/// The `quad`-th four numbers of a vector's worth of rows from `from` on: each becomes a lane.
#[inline(always)]
fn lanes<V: Vector, const N: usize>(
    v: V,
    rows: &[[f32; N]],
    from: usize,
    quad: usize,
) -> [V::F; 4] {
    let quads = rows[from..from + V::LANES].as_flattened().as_chunks().0;
    let mut places = [0; LANES];
    for lane in 0..V::LANES {
        places[lane] = (lane * (N / 4) + quad) as i32;
    }
    v.gather4(quads, &places)
}

/// The first `count` numbers of the lanes from `from` to `to`, back from where they are side by side.
#[inline(always)]
fn turn_back<V: Vector>(
    v: V,
    turned: &[Row; CONTROL],
    [from, to, count]: [usize; 3],
    rows: &mut [[f32; CONTROL]; LANES],
) {
    for quad in from / 4..to.div_ceil(4) {
        for i in (0..count).step_by(V::LANES) {
            let four = lanes(v, turned, i, quad);
            for lane in 0..4 {
                if 4 * quad + lane < to {
                    v.store(&mut rows[4 * quad + lane][i..], four[lane]);
                }
            }
        }
    }
}

/// `G` vectors of lanes from `from` on.
#[inline(always)]
fn pass<V: Vector, L: LowPass, const G: usize>(v: V, bundle: &mut Bundle, from: usize, len: usize) {
    let states = if L::TWICE { state::COUNT } else { state::PLAIN };
    let rows = if L::MODULATED {
        row::COUNT
    } else {
        row::STEADY
    };
    let at = |g: usize| from + g * V::LANES;
    let to = bundle.count.min(at(G));
    let zero = v.splat(0.0);
    let mut state = [[zero; state::COUNT]; G];
    let mut start = [[zero; row::COUNT]; G];
    let mut step = [[zero; row::COUNT]; G];
    let mut done = [zero; G];
    // In loops of their own, short enough that the compiler unrolls this one: states in registers.
    for g in 0..G {
        for quad in 0..states / 4 {
            let four = lanes(v, &bundle.state, at(g), quad);
            for r in 0..4 {
                state[g][4 * quad + r] = four[r];
            }
        }
    }
    for g in 0..G {
        for quad in 0..rows / 4 {
            let [starts, steps] = [
                lanes(v, &bundle.start, at(g), quad),
                lanes(v, &bundle.step, at(g), quad),
            ];
            for r in 0..4 {
                start[g][4 * quad + r] = starts[r];
                step[g][4 * quad + r] = steps[r];
            }
        }
        done[g] = v.load(&bundle.done[at(g)..]);
    }
    for quad in 0..len.div_ceil(4) {
        let mut x = [[zero; 4]; G];
        let mut m = [[zero; 4]; G];
        for g in 0..G {
            x[g] = lanes(v, &bundle.audio, at(g), quad);
            if L::MODULATED {
                m[g] = lanes(v, &bundle.modulator, at(g), quad);
            }
        }
        for i in 0..4.min(len - 4 * quad) {
            for g in 0..G {
                let index = v.add(done[g], v.splat(INDEX[4 * quad + i]));
                let mut value = [zero; row::COUNT];
                for r in 0..rows {
                    value[r] = v.mul_add(step[g][r], index, start[g][r]);
                }
                let y = sample::<V, L>(v, x[g][i], m[g][i], &mut state[g], &value);
                v.store(&mut bundle.turned[4 * quad + i][at(g)..], y);
            }
        }
    }
    turn_back(v, &bundle.turned, [from, to, CONTROL], &mut bundle.audio);
    for g in 0..G {
        for r in 0..states {
            v.store(&mut bundle.turned[r][at(g)..], state[g][r]);
        }
    }
    turn_back(v, &bundle.turned, [from, to, states], &mut bundle.state);
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
        halfband::down(v, x, &mut s[state::DOWN..state::END])
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
