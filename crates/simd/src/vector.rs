//! Arithmetic on vectors of 32-bit numbers, whatever the instruction set.

/// A table with rows of four numbers, for [`Vector::gather4`].
pub trait Table4: Copy {
    /// One row; panics if there is no such row.
    fn row(self, row: i32) -> [f32; 4];
}

impl Table4 for &[[f32; 4]] {
    #[inline(always)]
    fn row(self, row: i32) -> [f32; 4] {
        self[row as u32 as usize]
    }
}

/// A table of 65,536 rows, in which every 16-bit index is valid: the low half of `row` is taken,
/// and no bound is checked.
impl Table4 for &[[f32; 4]; 1 << 16] {
    #[inline(always)]
    fn row(self, row: i32) -> [f32; 4] {
        self[row as u16 as usize]
    }
}

/// The operations of an instruction set on vectors of [`Vector::LANES`] numbers, lane by lane.
///
/// Every method is `#[inline(always)]`; see [the crate](crate#writing-a-kernel).
pub trait Vector: Copy {
    /// Number of lanes of a vector.
    const LANES: usize;

    /// A vector of `f32`.
    type F: Copy;
    /// `x` in all lanes.
    fn splat(self, x: f32) -> Self::F;
    /// `a + b`.
    fn add(self, a: Self::F, b: Self::F) -> Self::F;
    /// `a - b`.
    fn sub(self, a: Self::F, b: Self::F) -> Self::F;
    /// `a * b`.
    fn mul(self, a: Self::F, b: Self::F) -> Self::F;
    /// `a / b`.
    fn div(self, a: Self::F, b: Self::F) -> Self::F;
    /// The larger number of each pair; unspecified for NaN.
    fn max(self, a: Self::F, b: Self::F) -> Self::F;
    /// The smaller number of each pair; unspecified for NaN.
    fn min(self, a: Self::F, b: Self::F) -> Self::F;
    /// `a * b + c`, rounded once where the instruction set is fused, otherwise twice.
    fn mul_add(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F;
    /// `c - a * b`, rounded like [`Vector::mul_add`].
    fn mul_sub_from(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F;
    /// 1 where `a > 0`, otherwise 0.
    fn step(self, a: Self::F) -> Self::F;
    /// Sum of the lanes: the upper half is added to the lower one until one number is left.
    fn sum(self, a: Self::F) -> f32;

    /// The first vector of a slice; panics if the slice is shorter.
    fn load(self, from: &[f32]) -> Self::F;
    /// Overwrites the first vector of a slice; panics if the slice is shorter.
    fn store(self, to: &mut [f32], a: Self::F);
    /// A slice as vectors; a rest shorter than a vector is left out.
    fn cast(slice: &[f32]) -> &[Self::F];
    /// A mutable slice as vectors; a rest shorter than a vector is left out.
    fn cast_mut(slice: &mut [f32]) -> &mut [Self::F];
    /// Gathers one row of a table per lane and transposes them: lane `i` of the four vectors has
    /// the four numbers of row `rows[i]`. Panics if `rows` is shorter than a vector, or a row is
    /// missing.
    fn gather4(self, table: impl Table4, rows: &[i32]) -> [Self::F; 4];

    /// A vector of `i32`, whose arithmetic wraps.
    type I: Copy;
    /// `x` in all lanes.
    fn splat_i(self, x: i32) -> Self::I;
    /// `a + b`.
    fn add_i(self, a: Self::I, b: Self::I) -> Self::I;
    /// `a - b`.
    fn sub_i(self, a: Self::I, b: Self::I) -> Self::I;
    /// `a * b`.
    fn mul_i(self, a: Self::I, b: Self::I) -> Self::I;
    /// The absolute value; `i32::MIN` stays as it is.
    fn abs_i(self, a: Self::I) -> Self::I;
    /// Shifts to the left by 0 to 31 bits.
    fn shift_left(self, a: Self::I, bits: u32) -> Self::I;
    /// Shifts to the right by 0 to 31 bits, zeros coming in: the numbers are taken as unsigned.
    fn shift_right(self, a: Self::I, bits: u32) -> Self::I;
    /// The first vector of a slice; panics if the slice is shorter.
    fn load_i(self, from: &[i32]) -> Self::I;
    /// Overwrites the first vector of a slice; panics if the slice is shorter.
    fn store_i(self, to: &mut [i32], a: Self::I);
    /// The nearest `f32`.
    fn to_f(self, a: Self::I) -> Self::F;
    /// Truncated to an integer; unspecified where no `i32` holds it.
    fn to_i(self, a: Self::F) -> Self::I;
}
