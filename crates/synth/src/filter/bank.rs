//! The filter bank: channels in bundles side by side, one in each lane of the CPU's vectors.
//!
//! Lanes don't touch each other, so that a channel's samples don't depend on its neighbours. The
//! channels of a bundle share the code path: one model, and one of its modes.

use super::model::{Mode, Model, Named};
use super::{
    Filter, FilterModel, Gains, HIGH_PASS, MODEL, MODEL_STATES, ROW, STATES, halfband, high_pass,
};
use crate::math::INDEX;
use crate::{CONTROL, Samples};
use simd::Vector;

/// Channels in a bundle: two vectors of eight, so that one's arithmetic hides the other's latency.
pub const LANES: usize = 16;

/// Most bundles that are begun in a step and not full: one for each model and mode.
const PATHS: usize = 2 * FilterModel::ALL.len();

/// Rows that the transposition holds: a step's samples, or a channel's states.
const TRANSPOSED: usize = if STATES > CONTROL { STATES } else { CONTROL };

/// A number for each lane.
type Lanes = [f32; LANES];

/// Channels that run side by side: their samples, coefficients and states, by lane.
#[derive(Clone)]
#[repr(align(64))]
pub struct Bundle {
    model: FilterModel,
    mode: Mode,
    /// Lanes in use. Numbers in the others don't move, so they can't sink into the denormal range.
    count: usize,
    audio: [Samples; LANES],
    modulator: [Samples; LANES],
    start: [[f32; ROW]; LANES],
    step: [[f32; ROW]; LANES],
    state: [[f32; STATES]; LANES],
    done: Lanes,
    /// Results as the vectors have them, the lanes side by side.
    transposed: [Lanes; TRANSPOSED],
}

impl Default for Bundle {
    fn default() -> Self {
        Self {
            model: FilterModel::Off,
            mode: Mode::Bypass,
            count: 0,
            audio: [[0.0; CONTROL]; LANES],
            modulator: [[0.0; CONTROL]; LANES],
            start: [[0.0; ROW]; LANES],
            step: [[0.0; ROW]; LANES],
            state: [[0.0; STATES]; LANES],
            done: [0.0; LANES],
            transposed: [[0.0; LANES]; TRANSPOSED],
        }
    }
}

/// Position of a channel in the bank.
#[derive(Clone, Copy, Debug, Default)]
pub struct Slot {
    bundle: usize,
    lane: usize,
}

/// The channels of one step.
#[derive(Default)]
pub struct FilterBank {
    bundles: Vec<Bundle>,
    /// Number of bundles in use.
    used: usize,
}

impl FilterBank {
    /// Room for `channels` channels; more of them allocate.
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

    /// Takes in a channel: its filters as they are planned, its samples from the `done`-th of the
    /// planned step on, and the octaves by which each of them moves the cutoff, if any.
    #[inline(always)]
    pub fn push(
        &mut self,
        filter: &Filter,
        done: usize,
        audio: &Samples,
        modulator: Option<&Samples>,
    ) -> Slot {
        let [steady, modulated] = filter.model.modes();
        let mode = match modulator {
            Some(_) => modulated,
            None => steady,
        };
        // Most often it is the last one.
        let bundle = match self.bundles[..self.used].last() {
            Some(last) if last.has_room(filter.model, mode) => self.used - 1,
            _ => self.find(filter.model, mode),
        };
        let rows = &mut self.bundles[bundle];
        let lane = rows.count;
        rows.count += 1;
        rows.audio[lane] = *audio;
        if mode == Mode::Modulated {
            // Perhaps by nothing.
            rows.modulator[lane] = *modulator.unwrap_or(&[0.0; CONTROL]);
        }
        rows.start[lane] = filter.start;
        rows.step[lane] = filter.step;
        rows.state[lane] = filter.state;
        rows.done[lane] = done as f32;
        Slot { bundle, lane }
    }

    /// A bundle with room for another channel.
    fn find(&mut self, model: FilterModel, mode: Mode) -> usize {
        let mut used = self.bundles[..self.used].iter();
        if let Some(bundle) = used.position(|bundle| bundle.has_room(model, mode)) {
            return bundle;
        }
        if self.used == self.bundles.len() {
            self.bundles.push(Bundle::default());
        }
        let bundle = &mut self.bundles[self.used];
        bundle.model = model;
        bundle.mode = mode;
        bundle.count = 0;
        self.used += 1;
        self.used - 1
    }

    /// Filters the channels' next `len` samples; those past `len` are unspecified.
    #[inline(always)]
    pub fn filter<V: Vector>(&mut self, v: V, len: usize) {
        for bundle in &mut self.bundles[..self.used] {
            bundle.model.run(v, bundle, len);
        }
    }

    /// A channel's samples; its states go back to its filters.
    #[inline(always)]
    pub fn pull(&self, slot: Slot, filter: &mut Filter) -> &Samples {
        let bundle = &self.bundles[slot.bundle];
        filter.state = bundle.state[slot.lane];
        &bundle.audio[slot.lane]
    }
}

impl Bundle {
    fn has_room(&self, model: FilterModel, mode: Mode) -> bool {
        self.model == model && self.mode == mode && self.count < LANES
    }

    /// Leaves the samples as they are, but for the fade when a filter has just been switched.
    fn fade(&mut self, len: usize) {
        for lane in 0..self.count {
            let start = Gains::read(&self.start[lane]).output;
            let step = Gains::read(&self.step[lane]).output;
            for (i, x) in self.audio[lane][..len].iter_mut().enumerate() {
                *x *= start + step * (self.done[lane] + i as f32);
            }
        }
    }
}

/// Filters the next `len` samples of a bundle of this model.
#[expect(
    clippy::if_same_then_else,
    reason = "a constant condition of its own spares compiling the other path"
)]
#[inline(always)]
pub fn run<V: Vector, M: Model>(v: V, bundle: &mut Bundle, len: usize) {
    if const { M::MODES[0] as u8 == M::MODES[1] as u8 } {
        run_mode::<V, M, 0>(v, bundle, len);
    } else if bundle.mode == M::MODES[0] {
        run_mode::<V, M, 0>(v, bundle, len);
    } else {
        run_mode::<V, M, 1>(v, bundle, len);
    }
}

/// [`run`] in the `MODE`-th of the model's modes.
#[inline(always)]
fn run_mode<V: Vector, M: Model, const MODE: usize>(v: V, bundle: &mut Bundle, len: usize) {
    if const { matches!(M::MODES[MODE], Mode::Bypass) } {
        return bundle.fade(len);
    }
    let mut from = 0;
    while from < bundle.count {
        if const { matches!(M::MODES[MODE], Mode::Modulated) } {
            pass::<V, M, MODE, 1>(v, bundle, from, len);
        } else if bundle.count - from > V::LANES {
            // Two vectors at a time where there are so many lanes.
            pass::<V, M, MODE, 2>(v, bundle, from, len);
            from += V::LANES;
        } else {
            pass::<V, M, MODE, 1>(v, bundle, from, len);
        }
        from += V::LANES;
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

/// The first `count` numbers of the lanes from `from` to `to`, back from where they are side by
/// side; `count` is a multiple of the vectors' lanes.
#[inline(always)]
fn transpose_back<V: Vector, const N: usize>(
    v: V,
    transposed: &[Lanes; TRANSPOSED],
    [from, to, count]: [usize; 3],
    rows: &mut [[f32; N]; LANES],
) {
    for quad in from / 4..to.div_ceil(4) {
        for i in (0..count).step_by(V::LANES) {
            let four = lanes(v, transposed, i, quad);
            for lane in 0..4 {
                if 4 * quad + lane < to {
                    v.store(&mut rows[4 * quad + lane][i..], four[lane]);
                }
            }
        }
    }
}

/// Filters `G` vectors of lanes from `from` on.
#[inline(always)]
fn pass<V: Vector, M: Model, const MODE: usize, const G: usize>(
    v: V,
    bundle: &mut Bundle,
    from: usize,
    len: usize,
) {
    let mode = const { M::MODES[MODE] };
    let states = const {
        let resampler = if M::MODES[MODE].is_doubled() {
            2 * halfband::STATES
        } else {
            0
        };
        let states = MODEL_STATES + <M::States<f32> as Named<f32>>::LEN + resampler;
        states.next_multiple_of(V::LANES)
    };
    let rows = const {
        let own = match M::MODES[MODE] {
            Mode::Modulated => <M::Coefficients<f32> as Named<f32>>::LEN,
            _ => <M::Coefficients<f32> as Named<f32>>::STEADY,
        };
        (MODEL + own).next_multiple_of(4)
    };
    let at = |g: usize| from + g * V::LANES;
    let to = bundle.count.min(at(G));
    let zero = v.splat(0.0);
    let mut state = [[zero; STATES]; G];
    let mut start = [[zero; ROW]; G];
    let mut step = [[zero; ROW]; G];
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
            if mode == Mode::Modulated {
                m[g] = lanes(v, &bundle.modulator, at(g), quad);
            }
        }
        for i in 0..4.min(len - 4 * quad) {
            for g in 0..G {
                let index = v.add(done[g], v.splat(INDEX[4 * quad + i]));
                let mut value = [zero; ROW];
                for r in 0..rows {
                    value[r] = v.mul_add(step[g][r], index, start[g][r]);
                }
                let y = sample::<V, M>(v, mode, x[g][i], m[g][i], &mut state[g], &value);
                v.store(&mut bundle.transposed[4 * quad + i][at(g)..], y);
            }
        }
    }
    let audio = [from, to, CONTROL];
    transpose_back(v, &bundle.transposed, audio, &mut bundle.audio);
    for g in 0..G {
        for r in 0..states {
            v.store(&mut bundle.transposed[r][at(g)..], state[g][r]);
        }
    }
    let kept = [from, to, states];
    transpose_back(v, &bundle.transposed, kept, &mut bundle.state);
}

/// Filters one sample of each lane, whose coefficients are `c` and states `s`.
#[inline(always)]
fn sample<V: Vector, M: Model>(
    v: V,
    mode: Mode,
    x: V::F,
    octaves: V::F,
    s: &mut [V::F; STATES],
    c: &[V::F; ROW],
) -> V::F {
    let gains = Gains::read(c);
    let coefficients = M::Coefficients::read(&c[MODEL..]);
    let (behind, own) = s.split_at_mut(MODEL_STATES);
    let (own, resampler) = own.split_at_mut(const { <M::States<f32> as Named<f32>>::LEN });
    let mut states = M::States::read(own);
    let x = v.mul(x, gains.input);
    let low = if mode.is_doubled() {
        let (up, down) = resampler.split_at_mut(halfband::STATES);
        let mut x = halfband::up(v, x, up);
        M::process(v, mode, &mut x, octaves, &coefficients, &mut states);
        halfband::down(v, x, down)
    } else {
        let mut x = [x];
        M::process(v, mode, &mut x, octaves, &coefficients, &mut states);
        x[0]
    };
    states.write(own);
    let low = v.mul(low, gains.output);
    let mut states = high_pass::States::read(behind);
    let y = high_pass::process(v, low, &Named::read(&c[HIGH_PASS..]), &mut states);
    states.write(behind);
    y
}
