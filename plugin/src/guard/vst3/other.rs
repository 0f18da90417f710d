//! The guarded object's smaller interfaces: MIDI controllers, note expressions, units, the track.

use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::ChannelContext::IInfoListenerTrait;
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::{
    BusDirection, CString, CtrlNumber, IAttributeList, IMidiMappingTrait,
    INoteExpressionControllerTrait, IProcessContextRequirementsTrait, IUnitInfoTrait, MediaType,
    NoteExpressionTypeID, NoteExpressionTypeInfo, NoteExpressionValue, ParamID, ProgramListID,
    ProgramListInfo, String128, TChar, UnitID, UnitInfo,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::{
    IBStream, int16, int32, kInvalidArgument, kResultFalse, tresult, uint32,
};

use super::component::Guarded;

impl IMidiMappingTrait for Guarded {
    unsafe fn getMidiControllerAssignment(
        &self,
        bus: int32,
        channel: int16,
        controller: CtrlNumber,
        id: *mut ParamID,
    ) -> tresult {
        if id.is_null() {
            return kInvalidArgument;
        }
        // SAFETY: not null.
        unsafe {
            self.inner
                .getMidiControllerAssignment(bus, channel, controller, id)
        }
    }
}

impl INoteExpressionControllerTrait for Guarded {
    unsafe fn getNoteExpressionCount(&self, bus: int32, channel: int16) -> int32 {
        // SAFETY: passed on.
        unsafe { self.inner.getNoteExpressionCount(bus, channel) }
    }

    unsafe fn getNoteExpressionInfo(
        &self,
        bus: int32,
        channel: int16,
        index: int32,
        info: *mut NoteExpressionTypeInfo,
    ) -> tresult {
        if info.is_null() {
            return kInvalidArgument;
        }
        // SAFETY: not null.
        unsafe { self.inner.getNoteExpressionInfo(bus, channel, index, info) }
    }

    unsafe fn getNoteExpressionStringByValue(
        &self,
        _bus: int32,
        _channel: int16,
        _id: NoteExpressionTypeID,
        _value: NoteExpressionValue,
        _text: *mut String128,
    ) -> tresult {
        kResultFalse
    }

    unsafe fn getNoteExpressionValueByString(
        &self,
        _bus: int32,
        _channel: int16,
        _id: NoteExpressionTypeID,
        _text: *const TChar,
        _value: *mut NoteExpressionValue,
    ) -> tresult {
        kResultFalse
    }
}

impl IProcessContextRequirementsTrait for Guarded {
    unsafe fn getProcessContextRequirements(&self) -> uint32 {
        // SAFETY: passed on.
        unsafe { self.inner.getProcessContextRequirements() }
    }
}

impl IUnitInfoTrait for Guarded {
    unsafe fn getUnitCount(&self) -> int32 {
        // SAFETY: passed on.
        unsafe { self.inner.getUnitCount() }
    }

    unsafe fn getUnitInfo(&self, index: int32, info: *mut UnitInfo) -> tresult {
        // SAFETY: not null, and an index within the units.
        unsafe {
            if info.is_null() || !(0..self.getUnitCount()).contains(&index) {
                return kInvalidArgument;
            }
            self.inner.getUnitInfo(index, info)
        }
    }

    unsafe fn getProgramListCount(&self) -> int32 {
        // SAFETY: passed on.
        unsafe { self.inner.getProgramListCount() }
    }

    unsafe fn getProgramListInfo(&self, _index: int32, _info: *mut ProgramListInfo) -> tresult {
        kInvalidArgument
    }

    unsafe fn getProgramName(
        &self,
        _list: ProgramListID,
        _index: int32,
        _name: *mut String128,
    ) -> tresult {
        kInvalidArgument
    }

    unsafe fn getProgramInfo(
        &self,
        _list: ProgramListID,
        _index: int32,
        _id: CString,
        _value: *mut String128,
    ) -> tresult {
        kInvalidArgument
    }

    unsafe fn hasProgramPitchNames(&self, _list: ProgramListID, _index: int32) -> tresult {
        kInvalidArgument
    }

    unsafe fn getProgramPitchName(
        &self,
        _list: ProgramListID,
        _index: int32,
        _pitch: int16,
        _name: *mut String128,
    ) -> tresult {
        kInvalidArgument
    }

    unsafe fn getSelectedUnit(&self) -> UnitID {
        // SAFETY: passed on.
        unsafe { self.inner.getSelectedUnit() }
    }

    unsafe fn selectUnit(&self, unit: UnitID) -> tresult {
        // SAFETY: passed on.
        unsafe { self.inner.selectUnit(unit) }
    }

    unsafe fn getUnitByBus(
        &self,
        _media: MediaType,
        _direction: BusDirection,
        _bus: int32,
        _channel: int32,
        _unit: *mut UnitID,
    ) -> tresult {
        kResultFalse
    }

    unsafe fn setUnitProgramData(
        &self,
        _list: int32,
        _program: int32,
        _data: *mut IBStream,
    ) -> tresult {
        kInvalidArgument
    }
}

impl IInfoListenerTrait for Guarded {
    unsafe fn setChannelContextInfos(&self, list: *mut IAttributeList) -> tresult {
        self.pass_on_changes();
        if list.is_null() {
            return kInvalidArgument;
        }
        // SAFETY: not null.
        unsafe { self.inner.setChannelContextInfos(list) }
    }
}
