//! The interface of the filter models: coefficients, states, processing, frequency response.

use super::FilterSettings;
use realfft::num_complex::Complex64;
use simd::Vector;

/// Ways in which a model runs through a control step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Bit-transparent: neither the low-pass nor the high-pass after it runs.
    Bypass,
    /// Runs at the sample rate itself; the coefficients move linearly.
    Base,
    /// Runs at twice the sample rate; the coefficients move linearly.
    Doubled,
    /// Runs at twice the sample rate; the coefficients follow the cutoff sample by sample.
    Modulated,
}

impl Mode {
    /// Whether the model runs at twice the sample rate.
    pub const fn is_doubled(self) -> bool {
        matches!(self, Self::Doubled | Self::Modulated)
    }
}

/// A low-pass's cutoff, at most 0.45 of the sample rate.
pub struct Cutoff {
    /// Cutoff as a fraction of the doubled sample rate.
    pub doubled: f32,
    /// tan(pi f), f being the fraction of the rate that the model runs at, as numerator and
    /// denominator: the cutoff prewarped for the bilinear transform.
    pub tangent: [f32; 2],
}

/// Numbers that have names in a model's code and are contiguous in memory. `T` is `f32` for one
/// channel, and a vector for channels side by side.
pub trait Named<T: Copy>: Copy {
    /// Number of fields.
    const LEN: usize;
    /// Number of fields, from the first on, that are needed while the cutoff isn't modulated.
    const STEADY: usize;
    /// Reads the first numbers of a row; panics if there are fewer than [`Named::LEN`].
    fn read(row: &[T]) -> Self;
    /// Overwrites the first numbers of a row; panics if there are fewer than [`Named::LEN`].
    fn write(self, row: &mut [T]);
}

/// An empty set of numbers.
impl<T: Copy> Named<T> for [T; 0] {
    const LEN: usize = 0;
    const STEADY: usize = 0;
    #[inline(always)]
    fn read(_: &[T]) -> Self {
        []
    }
    #[inline(always)]
    fn write(self, _: &mut [T]) {}
}

/// Writes a struct that is [`Named`]. Fields behind a semicolon serve modulation alone.
macro_rules! named {
    (
        $(#[$doc:meta])*
        $name:ident {
            $($(#[$field_doc:meta])* $field:ident,)*
            $(; $($(#[$modulated_doc:meta])* $modulated:ident,)*)?
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name<T> {
            $($(#[$field_doc])* pub $field: T,)*
            $($($(#[$modulated_doc])* pub $modulated: T,)*)?
        }

        impl<T: Copy> $crate::filter::model::Named<T> for $name<T> {
            const STEADY: usize = [$(stringify!($field)),*].len();
            const LEN: usize = Self::STEADY $(+ [$(stringify!($modulated)),*].len())?;

            #[inline(always)]
            fn read(row: &[T]) -> Self {
                let [$($field,)* $($($modulated,)*)?] =
                    *row.first_chunk().expect("a row has all of its numbers");
                Self { $($field,)* $($($modulated,)*)? }
            }

            #[inline(always)]
            fn write(self, row: &mut [T]) {
                *row.first_chunk_mut().expect("a row has all of its numbers") =
                    [$(self.$field,)* $($(self.$modulated,)*)?];
            }
        }
    };
}

pub(super) use named;

/// A filter model. It sits between the gains of [`super::Gains`]; a high-pass follows it.
pub trait Model {
    /// Coefficients, which move linearly along a control step.
    type Coefficients<T: Copy>: Named<T>;
    /// States of the integrators.
    type States<T: Copy>: Named<T>;
    /// Modes while the cutoff is steady, and while it is modulated at audio rate.
    const MODES: [Mode; 2];

    /// Factor of the input gain that makes up for the effect of resonance on the level.
    fn input_gain(settings: &FilterSettings) -> f32;
    /// Coefficients for a cutoff.
    fn coefficients(settings: &FilterSettings, cutoff: &Cutoff) -> Self::Coefficients<f32>;
    /// States of a self-oscillation whose level, in the saturation, is `level`.
    fn kick(level: f32) -> Self::States<f32>;
    /// Filters the samples `x` of one sample's time, a channel in each lane: two of them where the
    /// mode is doubled, otherwise one. `octaves` moves the cutoff where the mode is modulated.
    fn process<V: Vector>(
        v: V,
        mode: Mode,
        x: &mut [V::F],
        octaves: V::F,
        c: &Self::Coefficients<V::F>,
        s: &mut Self::States<V::F>,
    );
    /// Frequency response at `z` on the unit circle of the rate that it runs at, for samples so
    /// small that nothing saturates.
    fn response(c: &Self::Coefficients<f32>, z: Complex64) -> Complex64;
}

/// Writes the enum of the models with the list of their names, and calls each variant's [`Model`].
macro_rules! models {
    (
        $(#[$doc:meta])* $choice:ident;
        $(#[$names_doc:meta])* $names:ident:
        $($(#[$variant_doc:meta])* $variant:ident $name:literal = $model:ty,)*
    ) => {
        $crate::choice::choice! {
            $(#[$doc])* $choice;
            $(#[$names_doc])* $names:
            $($(#[$variant_doc])* $variant $name,)*
        }

        /// Most coefficients that a model has.
        const MOST_COEFFICIENTS: usize = most(
            [$(<<$model as Model>::Coefficients<f32> as Named<f32>>::LEN),*]
        );
        /// Most states that a model has.
        const MOST_STATES: usize = most([$(<<$model as Model>::States<f32> as Named<f32>>::LEN),*]);

        impl $choice {
            /// [`Model::MODES`].
            #[inline(always)]
            fn modes(self) -> [Mode; 2] {
                match self {
                    $(Self::$variant => <$model>::MODES,)*
                }
            }

            /// Writes [`Model::coefficients`] to `row`; returns [`Model::input_gain`].
            #[inline(always)]
            fn coefficients(
                self,
                settings: &FilterSettings,
                cutoff: &Cutoff,
                row: &mut [f32],
            ) -> f32 {
                match self {
                    $(Self::$variant => {
                        <$model>::coefficients(settings, cutoff).write(row);
                        <$model>::input_gain(settings)
                    })*
                }
            }

            /// Writes [`Model::kick`] to `states`.
            fn kick(self, level: f32, states: &mut [f32]) {
                match self {
                    $(Self::$variant => <$model>::kick(level).write(states),)*
                }
            }

            /// [`Model::response`] with the coefficients in `row`.
            fn response(self, row: &[f32], z: Complex64) -> Complex64 {
                match self {
                    $(Self::$variant => <$model>::response(&Named::read(row), z),)*
                }
            }

            /// Filters the next `len` samples of a bundle.
            #[inline(always)]
            fn run<V: Vector>(self, v: V, bundle: &mut bank::Bundle, len: usize) {
                match self {
                    $(Self::$variant => bank::run::<V, $model>(v, bundle, len),)*
                }
            }
        }
    };
}

pub(super) use models;

/// The largest of some numbers.
pub const fn most<const N: usize>(numbers: [usize; N]) -> usize {
    let (mut most, mut i) = (0, 0);
    while i < N {
        if numbers[i] > most {
            most = numbers[i];
        }
        i += 1;
    }
    most
}
