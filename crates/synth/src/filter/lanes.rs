//! Filters in flight: up to [`LANES`] channels side by side, one in each lane of the CPU's vectors.
//!
//! Lanes don't touch each other, so that a channel's samples don't depend on its neighbours. What
//! they share is the code path: a bundle holds filters of one kind, all modulated at audio rate or
//! none.

use super::low_pass::{Ladder, LowPass, Svf};
use super::{DAMPING, Filter, Kind, halfband, row, state};
use crate::CONTROL;
use crate::math::INDEX;
use crate::oscillator::Samples;
use crate::simd::{InstructionSet, Kernel, Vector};

/// Channels in a bundle: two vectors of eight, so that one's arithmetic hides the other's latency.
pub const LANES: usize = 16;

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
    /// By sample; it goes back to `audio`.
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
        // From within, nested iterators are plain loops.
        channels.for_each(|mut channel| {
            if channel.filter.kind == Kind::Off {
                bypass(&mut channel, len);
                return;
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
        });
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
            *channel.audio = rows.audio[lane];
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
    for quad in from / 4..at(G) / 4 {
        for i in (0..CONTROL).step_by(V::LANES) {
            let four = lanes(v, &rows.filtered, i, quad);
            for lane in 0..4 {
                v.store(&mut rows.audio[4 * quad + lane][i..], four[lane]);
            }
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
