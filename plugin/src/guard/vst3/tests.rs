//! Behaviour that only the instance behind the guard can cause.

use std::cell::Cell;
use std::rc::Rc;

use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::{
    IComponentHandler, IComponentHandler2, IComponentHandler2Trait, IComponentHandlerTrait,
    IComponentTrait, IEditControllerTrait,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::{FIDString, TBool, int32, kResultOk, tresult};
use nice_plug::wrapper::vst3::vst3::{Class, ComWrapper};

use super::component::Guarded;

/// A host's handler that counts marks.
struct Handler {
    marks: Rc<Cell<u32>>,
}

impl Class for Handler {
    type Interfaces = (IComponentHandler, IComponentHandler2);
}

impl IComponentHandlerTrait for Handler {
    unsafe fn beginEdit(&self, _id: u32) -> tresult {
        kResultOk
    }
    unsafe fn performEdit(&self, _id: u32, _value: f64) -> tresult {
        kResultOk
    }
    unsafe fn endEdit(&self, _id: u32) -> tresult {
        kResultOk
    }
    unsafe fn restartComponent(&self, _flags: int32) -> tresult {
        kResultOk
    }
}

impl IComponentHandler2Trait for Handler {
    unsafe fn setDirty(&self, state: TBool) -> tresult {
        self.marks.set(self.marks.get() + u32::from(state));
        kResultOk
    }
    unsafe fn requestOpenEditor(&self, _name: FIDString) -> tresult {
        kResultOk
    }
    unsafe fn startGroupEdit(&self) -> tresult {
        kResultOk
    }
    unsafe fn finishGroupEdit(&self) -> tresult {
        kResultOk
    }
}

/// Checks that the editor shows the refusal.
#[test]
fn a_refused_state_is_noted() {
    let guarded = Guarded::new();
    // SAFETY: nothing is read from a null stream.
    let result = unsafe { IComponentTrait::setState(&guarded, std::ptr::null_mut()) };
    assert_ne!(result, kResultOk);
    assert!(guarded.door.take_refused());
}

#[test]
fn a_change_of_the_project_reaches_the_host_at_its_next_call() {
    let guarded = Guarded::new();
    let marks = Rc::new(Cell::new(0));
    let handler = ComWrapper::new(Handler {
        marks: marks.clone(),
    });
    let pointer = handler
        .as_com_ref::<IComponentHandler>()
        .expect("it has it");
    // SAFETY: an object of this function's.
    unsafe {
        guarded.setComponentHandler(pointer.as_ptr());
        guarded.getParamNormalized(0);
        assert_eq!(marks.get(), 0);
        guarded.door.mark_changed();
        guarded.getParamNormalized(0);
        guarded.getParamNormalized(0);
        assert_eq!(marks.get(), 1);
        guarded.setComponentHandler(std::ptr::null_mut());
    }
}
