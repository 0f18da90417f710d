//! A row of the table as a host parameter: continuous for a quantity, stepped for a choice or a
//! count.

use std::sync::Arc;

use nice_plug::plugin::ParamValue;
use nice_plug::prelude::{
    FloatParam, FloatRange, IntParam, IntRange, Param, ParamPtr, ParamSetter, RemoteControlsPage,
};

/// A host parameter whose normalised value is its row's.
///
/// A quantity is saved as its normalised value, a choice or a count as its plain number: a list of
/// names that grows later leaves saved choices what they are.
pub enum HostParam {
    /// A quantity.
    Quantity(FloatParam),
    /// A choice or a count.
    Stepped(IntParam),
}

/// Calls the same method on either kind.
macro_rules! either {
    ($self:ident, $param:ident => $call:expr) => {
        match $self {
            HostParam::Quantity($param) => $call,
            HostParam::Stepped($param) => $call,
        }
    };
}

impl HostParam {
    /// The parameter of a row, at its default. `modulation` is the id by which modulation events
    /// of single notes address a quantity.
    pub fn new(row: &'static synth::Param, modulation: Option<u32>) -> Self {
        if row.is_stepped() {
            let range = IntRange::Linear {
                min: row.min as i32,
                max: row.max as i32,
            };
            return Self::Stepped(
                IntParam::new(row.name, row.default.round() as i32, range)
                    .with_value_to_string(Arc::new(|v| row.format(v as f32)))
                    .with_string_to_value(Arc::new(|text| {
                        row.parse(text).map(|v| v.round() as i32)
                    })),
            );
        }
        let default = row.normalized(row.default);
        let param = FloatParam::new(row.name, default, FloatRange::Linear { min: 0.0, max: 1.0 })
            .with_value_to_string(Arc::new(|x| row.format(row.plain(x))))
            .with_string_to_value(Arc::new(|text| row.parse(text).map(|v| row.normalized(v))));
        Self::Quantity(match modulation {
            Some(id) => param.with_poly_modulation_id(id),
            None => param,
        })
    }

    /// The normalised value, without the host's modulation.
    pub fn value(&self) -> f32 {
        either!(self, param => param.unmodulated_normalized_value())
    }

    /// The value as a state holds it.
    pub fn saved(&self) -> ParamValue {
        match self {
            Self::Quantity(param) => ParamValue::F32(param.unmodulated_plain_value()),
            Self::Stepped(param) => ParamValue::I32(param.unmodulated_plain_value()),
        }
    }

    /// The normalised value with the host's modulation.
    pub fn modulated(&self) -> f32 {
        either!(self, param => param.modulated_normalized_value())
    }

    /// The host's modulation, normalised; `said` is what the host says it is. What the framework
    /// adds to the knob ends with the knob's range.
    pub fn modulation(&self, said: f32) -> f32 {
        let seen = self.modulated() - self.value();
        let at_the_end = matches!(self.modulated(), 0.0 | 1.0);
        match at_the_end && said * seen >= 0.0 && said.abs() > seen.abs() {
            true => said,
            false => seen,
        }
    }

    /// The normalised default.
    pub fn default(&self) -> f32 {
        either!(self, param => param.default_normalized_value())
    }

    /// Name shown to players.
    pub fn name(&self) -> &str {
        either!(self, param => param.name())
    }

    /// A normalised value as text with its unit.
    pub fn text(&self, x: f32) -> String {
        either!(self, param => param.normalized_value_to_string(x, true))
    }

    /// The framework's pointer to the parameter.
    pub fn as_ptr(&self) -> ParamPtr {
        either!(self, param => param.as_ptr())
    }

    /// Sets the normalised value at once, unknown to the host: as a state is loaded. Wait-free.
    #[allow(unsafe_code)] // The framework keeps this for its own pointers.
    pub fn restore(&self, x: f32) {
        // SAFETY: the pointer is to this very parameter, whose value is atomic.
        unsafe { self.as_ptr()._internal_set_normalized_value(x) };
    }

    /// Puts the parameter on a page of a controller's.
    pub fn add_to(&self, page: &mut impl RemoteControlsPage) {
        either!(self, param => page.add_param(param));
    }

    /// Tells the host that a gesture begins.
    pub fn begin(&self, setter: &ParamSetter<'_>) {
        either!(self, param => setter.begin_set_parameter(param))
    }

    /// Sets the normalised value within a gesture.
    pub fn set(&self, setter: &ParamSetter<'_>, x: f32) {
        either!(self, param => setter.set_parameter_normalized(param, x))
    }

    /// Tells the host that the gesture is over.
    pub fn end(&self, setter: &ParamSetter<'_>) {
        either!(self, param => setter.end_set_parameter(param))
    }
}
