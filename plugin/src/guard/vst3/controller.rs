//! The guarded object's part as a controller: parameters and the editor.

use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::{
    IComponentHandler, IEditControllerTrait, ParamID, ParamValue, ParameterInfo, String128, TChar,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::{
    FIDString, IBStream, IPlugView, int32, kInvalidArgument, kResultOk, tresult,
};
use nice_plug::wrapper::vst3::vst3::{ComRef, ComWrapper};

use super::component::Guarded;
use super::grouping::Grouping;

/// The value at which a MIDI controller rests, if `id` is the parameter that stands for it. Some
/// hosts send every parameter's value at the start: at the framework's 0.5 the pedals would be
/// down, and the volume low.
fn rest(id: ParamID) -> Option<ParamValue> {
    /// Controllers, pressure and pitch bend of each of 16 channels, at the end of the ids.
    const EACH: ParamID = 130;
    const FIRST: ParamID = (1 << 31) - 16 * EACH;
    let number = (FIRST..1 << 31)
        .contains(&id)
        .then(|| (id - FIRST) % EACH)?;
    Some(match number {
        // Volume and expression; no registered parameter.
        7 | 11 | 98..=101 => 1.0,
        // Balance, pan, sound controllers, pitch bend.
        8 | 10 | 70..=79 | 129 => 0.5,
        _ => 0.0,
    })
}

impl IEditControllerTrait for Guarded {
    unsafe fn setComponentState(&self, state: *mut IBStream) -> tresult {
        self.pass_on_changes();
        // SAFETY: passed on; the framework doesn't look at it.
        unsafe { self.inner.setComponentState(state) }
    }

    unsafe fn setState(&self, state: *mut IBStream) -> tresult {
        // SAFETY: passed on; the framework doesn't look at it.
        unsafe { IEditControllerTrait::setState(&self.inner, state) }
    }

    unsafe fn getState(&self, state: *mut IBStream) -> tresult {
        // SAFETY: passed on; the framework doesn't look at it.
        unsafe { IEditControllerTrait::getState(&self.inner, state) }
    }

    unsafe fn getParameterCount(&self) -> int32 {
        // SAFETY: passed on.
        unsafe { self.inner.getParameterCount() }
    }

    unsafe fn getParameterInfo(&self, index: int32, info: *mut ParameterInfo) -> tresult {
        // SAFETY: not null; the framework takes the count itself for an index.
        unsafe {
            if info.is_null() || !(0..self.getParameterCount()).contains(&index) {
                return kInvalidArgument;
            }
            let result = self.inner.getParameterInfo(index, info);
            if let Some(rest) = rest((*info).id) {
                (*info).defaultNormalizedValue = rest;
            }
            result
        }
    }

    unsafe fn getParamStringByValue(
        &self,
        id: ParamID,
        value: ParamValue,
        text: *mut String128,
    ) -> tresult {
        self.pass_on_changes();
        if text.is_null() || !value.is_finite() {
            return kInvalidArgument;
        }
        // SAFETY: not null.
        unsafe { self.inner.getParamStringByValue(id, value, text) }
    }

    unsafe fn getParamValueByString(
        &self,
        id: ParamID,
        text: *mut TChar,
        value: *mut ParamValue,
    ) -> tresult {
        if text.is_null() || value.is_null() {
            return kInvalidArgument;
        }
        let mut found = f64::NAN;
        // SAFETY: not null.
        unsafe {
            let result = self.inner.getParamValueByString(id, text, &mut found);
            if result != kResultOk || !found.is_finite() {
                return kInvalidArgument;
            }
            *value = found;
        }
        kResultOk
    }

    unsafe fn normalizedParamToPlain(&self, id: ParamID, value: ParamValue) -> ParamValue {
        // SAFETY: passed on.
        unsafe { self.inner.normalizedParamToPlain(id, value) }
    }

    unsafe fn plainParamToNormalized(&self, id: ParamID, value: ParamValue) -> ParamValue {
        // SAFETY: passed on.
        unsafe {
            let ends = [0.0, 1.0].map(|end| self.inner.normalizedParamToPlain(id, end));
            let (low, high) = (ends[0].min(ends[1]), ends[0].max(ends[1]));
            // Far outside its range a count overflows in the framework.
            let value = value.max(low).min(high);
            self.inner.plainParamToNormalized(id, value)
        }
    }

    unsafe fn getParamNormalized(&self, id: ParamID) -> ParamValue {
        self.pass_on_changes();
        // SAFETY: passed on.
        rest(id).unwrap_or_else(|| unsafe { self.inner.getParamNormalized(id) })
    }

    unsafe fn setParamNormalized(&self, id: ParamID, value: ParamValue) -> tresult {
        self.pass_on_changes();
        if !value.is_finite() {
            return kInvalidArgument;
        }
        // SAFETY: passed on.
        unsafe { self.inner.setParamNormalized(id, value.clamp(0.0, 1.0)) }
    }

    unsafe fn setComponentHandler(&self, handler: *mut IComponentHandler) -> tresult {
        // SAFETY: an object of the host's, or null.
        unsafe {
            let Some(host) = ComRef::from_raw(handler).map(|handler| handler.to_com_ptr()) else {
                *self.handler.lock() = None;
                return self.inner.setComponentHandler(handler);
            };
            let second = host.cast();
            self.handler.lock().clone_from(&second);
            let grouping = Grouping::new(host, second, self.door.clone());
            let ours = ComWrapper::new(grouping).to_com_ptr::<IComponentHandler>();
            let ours = ours.expect("it has this interface");
            self.inner.setComponentHandler(ours.as_ptr())
        }
    }

    unsafe fn createView(&self, name: FIDString) -> *mut IPlugView {
        self.pass_on_changes();
        if name.is_null() {
            return std::ptr::null_mut();
        }
        // SAFETY: passed on.
        unsafe { self.inner.createView(name) }
    }
}
