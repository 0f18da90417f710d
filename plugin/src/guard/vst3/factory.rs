//! The library's entries for VST3 hosts and its factory.

use std::ffi::c_void;

use nice_plug::prelude::Vst3Plugin;
use nice_plug::wrapper::setup_logger;
use nice_plug::wrapper::vst3::PluginInfo;
use nice_plug::wrapper::vst3::vst3::Steinberg::{
    FIDString, FUnknown, IPluginFactory, IPluginFactory2, IPluginFactory2Trait, IPluginFactory3,
    IPluginFactory3Trait, IPluginFactoryTrait, PClassInfo, PClassInfo2, PClassInfoW, PFactoryInfo,
    TUID, int32, kInvalidArgument, kResultOk, tresult,
};
use nice_plug::wrapper::vst3::vst3::{Class, ComWrapper};

use super::component::Guarded;
use crate::MirrorNet;

/// Makes the plugin for VST3 hosts.
struct Factory {
    info: PluginInfo,
}

impl Class for Factory {
    type Interfaces = (IPluginFactory, IPluginFactory2, IPluginFactory3);
}

/// Writes `value` where the host wants it, for the only class there is.
unsafe fn fill<T>(index: int32, to: *mut T, value: impl FnOnce() -> T) -> tresult {
    if index != 0 || to.is_null() {
        return kInvalidArgument;
    }
    // SAFETY: the host's promise.
    unsafe { to.write(value()) };
    kResultOk
}

impl IPluginFactoryTrait for Factory {
    unsafe fn getFactoryInfo(&self, info: *mut PFactoryInfo) -> tresult {
        // SAFETY: the host's promise.
        unsafe { fill(0, info, || self.info.create_factory_info()) }
    }

    unsafe fn countClasses(&self) -> int32 {
        1
    }

    unsafe fn getClassInfo(&self, index: int32, info: *mut PClassInfo) -> tresult {
        // SAFETY: the host's promise.
        unsafe { fill(index, info, || self.info.create_class_info()) }
    }

    unsafe fn createInstance(
        &self,
        class: FIDString,
        interface: FIDString,
        object: *mut *mut c_void,
    ) -> tresult {
        if class.is_null() || interface.is_null() || object.is_null() {
            return kInvalidArgument;
        }
        // SAFETY: ids have 16 bytes; the new object is kept alive by what the host gets.
        unsafe {
            *object = std::ptr::null_mut();
            if *class.cast::<[u8; 16]>() != MirrorNet::PLATFORM_VST3_CLASS_ID {
                return kInvalidArgument;
            }
            let guarded = ComWrapper::new(Guarded::new());
            let Some(unknown) = guarded.as_com_ref::<FUnknown>() else {
                return kInvalidArgument;
            };
            let unknown = unknown.as_ptr();
            ((*(*unknown).vtbl).queryInterface)(unknown, interface.cast::<TUID>(), object)
        }
    }
}

impl IPluginFactory2Trait for Factory {
    unsafe fn getClassInfo2(&self, index: int32, info: *mut PClassInfo2) -> tresult {
        // SAFETY: the host's promise.
        unsafe { fill(index, info, || self.info.create_class_info_2()) }
    }
}

impl IPluginFactory3Trait for Factory {
    unsafe fn getClassInfoUnicode(&self, index: int32, info: *mut PClassInfoW) -> tresult {
        // SAFETY: the host's promise.
        unsafe { fill(index, info, || self.info.create_class_info_unicode()) }
    }

    unsafe fn setHostContext(&self, _context: *mut FUnknown) -> tresult {
        kResultOk
    }
}

/// The library's factory, which the caller owns.
#[unsafe(no_mangle)]
#[allow(non_snake_case)] // The format's name.
pub extern "system" fn GetPluginFactory() -> *mut c_void {
    let factory = Factory {
        info: PluginInfo::for_plugin::<MirrorNet>(),
    };
    match ComWrapper::new(factory).to_com_ptr::<IPluginFactory>() {
        Some(factory) => factory.into_raw().cast(),
        None => std::ptr::null_mut(),
    }
}

/// Defines the functions by which a host begins and ends its use of the library.
macro_rules! module_entries {
    ($abi:literal, $system:meta, $begin:ident($($begin_arg:ty)?), $end:ident) => {
        #[cfg($system)]
        #[unsafe(no_mangle)]
        #[allow(non_snake_case)] // The format's name.
        extern $abi fn $begin($(_: $begin_arg)?) -> bool {
            setup_logger::<MirrorNet>();
            true
        }

        #[cfg($system)]
        #[unsafe(no_mangle)]
        #[allow(non_snake_case)] // The format's name.
        extern $abi fn $end() -> bool {
            true
        }
    };
}

module_entries!(
    "C",
    all(unix, not(target_os = "macos")),
    ModuleEntry(*mut c_void),
    ModuleExit
);
module_entries!(
    "C",
    target_os = "macos",
    bundleEntry(*mut c_void),
    bundleExit
);
module_entries!("system", windows, InitDll(), ExitDll);
