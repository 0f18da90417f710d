//! Every operation of every instruction set against plain Rust.

use super::*;
use std::array::from_fn;

/// Number of samples: more than the widest vectors have lanes.
const N: usize = 32;

/// Pairs of the kernel's results and the expected ones, lane by lane.
type Pairs<'a> = &'a mut Vec<(&'static str, Vec<f64>, Vec<f64>)>;

fn available() -> impl Iterator<Item = InstructionSet> {
    InstructionSet::ALL
        .into_iter()
        .filter(|set| set.is_available())
}

/// Numbers of both signs and many sizes; `salt` makes another series of them.
fn floats(salt: usize) -> [f32; N] {
    from_fn(|i| {
        let x = ((i * 7 + salt * 5) % 31) as f32 - 15.0;
        x * 1.375f32.powi((i * salt % 9) as i32 - 4)
    })
}

fn integers(salt: i32) -> [i32; N] {
    let mut x = from_fn(|i| (i as i32 + 1).wrapping_mul(0x2545_F491).wrapping_mul(salt));
    // The edges too.
    (x[0], x[1], x[2], x[3]) = (0, -1, i32::MAX, i32::MIN);
    x
}

struct Operations<'a>(Pairs<'a>);

impl Kernel for Operations<'_> {
    #[inline(always)]
    fn run<V: Vector>(self, v: V) {
        let [x, y, z] = [floats(1), floats(2), floats(3)];
        let [a, b, c] = [v.load(&x), v.load(&y), v.load(&z)];
        let out = self.0;
        let mut float = |name, got: V::F, expected: &dyn Fn(usize) -> f32| {
            let mut lanes = [0.0; N];
            v.store(&mut lanes, got);
            let got = lanes[..V::LANES].iter().map(|&x| x.into());
            let expected = (0..V::LANES).map(|i| expected(i).into());
            out.push((name, got.collect(), expected.collect()));
        };
        float("splat", v.splat(2.5), &|_| 2.5);
        float("add", v.add(a, b), &|i| x[i] + y[i]);
        float("sub", v.sub(a, b), &|i| x[i] - y[i]);
        float("mul", v.mul(a, b), &|i| x[i] * y[i]);
        let divisor = v.add(v.mul(b, b), v.splat(1.0));
        float("div", v.div(a, divisor), &|i| x[i] / (y[i] * y[i] + 1.0));
        float("max", v.max(a, b), &|i| x[i].max(y[i]));
        float("min", v.min(a, b), &|i| x[i].min(y[i]));
        float("step", v.step(a), &|i| f32::from(u8::from(x[i] > 0.0)));
        // Fused or not: these factors and sums are exact either way.
        let [p, q] = [v.splat(1.5), v.splat(4.0)];
        let r: [f32; N] = from_fn(|i| i as f32 - 7.0);
        float("mul_add", v.mul_add(p, q, v.load(&r)), &|i| 6.0 + r[i]);
        let difference = v.mul_sub_from(p, q, v.load(&r));
        float("mul_sub_from", difference, &|i| r[i] - 6.0);
        // Here a product is not: what is left of it shows whether it was rounded.
        let near = v.splat(1.0 + f32::EPSILON);
        let left = v.mul_add(near, near, v.splat(-1.0 - 2.0 * f32::EPSILON));
        let mut lanes = [0.0; N];
        v.store(&mut lanes, left);
        let fused = lanes[0] != 0.0;
        float("mul_add rounds once", left, &|_| match fused {
            true => f32::EPSILON * f32::EPSILON,
            false => 0.0,
        });
        let rows: [i32; N] = from_fn(|i| (i * 5 % 11) as i32);
        let table: Vec<[f32; 4]> = (0..11).map(|i| from_fn(|k| (4 * i + k) as f32)).collect();
        for (k, column) in v.gather4(&table[..], &rows).into_iter().enumerate() {
            float("gather4", column, &|i| (4 * rows[i] as usize + k) as f32);
        }
        let mut full = Box::new([[0.0; 4]; 1 << 16]);
        full[..11].copy_from_slice(&table);
        for (k, column) in v.gather4(&*full, &rows).into_iter().enumerate() {
            float("gather4 of all", column, &|i| {
                (4 * rows[i] as usize + k) as f32
            });
        }
        let mut folded = x[..V::LANES].to_vec();
        while folded.len() > 1 {
            let upper = folded.split_off(folded.len() / 2);
            folded.iter_mut().zip(upper).for_each(|(x, y)| *x += y);
        }
        let sum = v.sum(a);
        float("sum", v.splat(sum), &|_| folded[0]);
        let whole = N / V::LANES;
        assert_eq!(V::cast(&x[..N - 1]).len(), whole - 1);
        let mut copy = [0.0; N];
        V::cast_mut(&mut copy).copy_from_slice(V::cast(&x));
        assert_eq!(copy, x);
        float("cast", V::cast(&x)[1], &|i| x[V::LANES + i]);
        float("mul_add of any", v.mul_add(a, b, c), &|i| match fused {
            true => x[i].mul_add(y[i], z[i]),
            false => x[i] * y[i] + z[i],
        });

        let [m, n] = [integers(1), integers(3)];
        let [d, e] = [v.load_i(&m), v.load_i(&n)];
        float("to_f", v.to_f(d), &|i| m[i] as f32);
        let mut integer = |name, got: V::I, expected: &dyn Fn(usize) -> i32| {
            let mut lanes = [0; N];
            v.store_i(&mut lanes, got);
            let got = lanes[..V::LANES].iter().map(|&x| x.into());
            let expected = (0..V::LANES).map(|i| expected(i).into());
            out.push((name, got.collect(), expected.collect()));
        };
        integer("splat_i", v.splat_i(-3), &|_| -3);
        integer("add_i", v.add_i(d, e), &|i| m[i].wrapping_add(n[i]));
        integer("sub_i", v.sub_i(d, e), &|i| m[i].wrapping_sub(n[i]));
        integer("mul_i", v.mul_i(d, e), &|i| m[i].wrapping_mul(n[i]));
        integer("abs_i", v.abs_i(d), &|i| m[i].wrapping_abs());
        for bits in [0, 1, 9, 31] {
            integer("shift_left", v.shift_left(d, bits), &|i| m[i] << bits);
            integer("shift_right", v.shift_right(d, bits), &|i| {
                (m[i] as u32 >> bits) as i32
            });
        }
        integer("to_i", v.to_i(a), &|i| x[i] as i32);
    }
}

#[test]
fn every_operation_is_the_plain_one_on_every_set() {
    for set in available() {
        let mut pairs = Vec::new();
        set.run(Operations(&mut pairs));
        assert!(pairs.len() > 30, "{set:?} ran {} operations", pairs.len());
        for (name, got, expected) in pairs {
            assert_eq!(got.len(), set.lanes(), "{set:?}");
            assert_eq!(got, expected, "{set:?}: {name}");
        }
    }
}

/// Whether multiplying and adding rounds once.
struct IsFused<'a>(&'a mut bool);

impl Kernel for IsFused<'_> {
    #[inline(always)]
    fn run<V: Vector>(self, v: V) {
        let near = v.splat(1.0 + f32::EPSILON);
        let left = v.mul_add(near, near, v.splat(-1.0 - 2.0 * f32::EPSILON));
        *self.0 = v.sum(left) != 0.0;
    }
}

#[test]
fn all_but_the_baseline_are_fused() {
    for set in available() {
        let mut fused = false;
        set.run(IsFused(&mut fused));
        assert_eq!(fused, set != InstructionSet::Baseline, "{set:?}");
    }
}

#[test]
fn the_best_set_is_the_widest_that_fits() {
    assert!(InstructionSet::Baseline.is_available());
    let widest = available().map(InstructionSet::lanes).max();
    assert_eq!(Some(InstructionSet::best().lanes()), widest);
    for lanes in [0, 4, 8, 16, usize::MAX] {
        let set = InstructionSet::best_within(lanes);
        assert!(set.is_available());
        assert!(set.lanes() <= lanes.max(4), "{set:?} within {lanes}");
        let wider = available().filter(|s| s.lanes() <= lanes);
        assert!(wider.into_iter().all(|s| s.lanes() <= set.lanes()));
    }
}

#[test]
fn a_set_runs_on_its_lanes_or_fewer() {
    for set in InstructionSet::ALL {
        let mut pairs = Vec::new();
        set.run(Operations(&mut pairs));
        let fitting = available().filter(|other| other.lanes() <= set.lanes());
        let lanes = fitting.map(InstructionSet::lanes).max().unwrap_or(4);
        assert_eq!(pairs[0].1.len(), lanes, "{set:?}");
        pairs.clear();
        set.run_narrow(Operations(&mut pairs));
        assert_eq!(pairs[0].1.len(), lanes.min(8), "{set:?}");
    }
}
