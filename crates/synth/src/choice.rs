//! Choices: an enum together with the names that the parameter table shows for it.

/// Writes an enum and the list of its variants' names, which is what a row of the table chooses
/// from.
macro_rules! choice {
    (
        $(#[$doc:meta])* $choice:ident;
        $(#[$names_doc:meta])* $names:ident:
        $($(#[$variant_doc:meta])* $variant:ident $name:literal,)*
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub(crate) enum $choice { $($(#[$variant_doc])* $variant),* }

        $(#[$names_doc])*
        pub const $names: &[&str] = &[$($name),*];

        impl $choice {
            /// Every variant, in the order of the names.
            pub(crate) const ALL: [Self; $names.len()] = [$(Self::$variant),*];

            /// Variant of a row's plain value: its index, rounded.
            pub(crate) fn from_plain(plain: f32) -> Self {
                Self::ALL[(plain.round() as usize).min(Self::ALL.len() - 1)]
            }
        }
    };
}

pub(crate) use choice;
