//! The guarded object, and its part as a component: buses, activation, state.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{self, ThreadId};
use std::time::Duration;

use nice_plug::wrapper::vst3::Wrapper;
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::BusDirections_::kInput;
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::ChannelContext::IInfoListener;
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::MediaTypes_::kAudio;
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::{
    BusDirection, BusInfo, IAudioProcessor, IComponent, IComponentHandler2,
    IComponentHandler2Trait, IComponentTrait, IEditController, IMidiMapping,
    INoteExpressionController, IProcessContextRequirements, IUnitInfo, IoMode, MediaType,
    RoutingInfo,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::{
    FUnknown, IBStream, IPluginBaseTrait, TBool, TUID, int32, kInvalidArgument, kResultFalse,
    kResultOk, tresult,
};
use nice_plug::wrapper::vst3::vst3::{Class, ComPtr, ComRef, ComWrapper};
use parking_lot::{Mutex, MutexGuard};

use super::process::Audio;
use super::stream::{Memory, read_all, write_all};
use crate::MirrorNet;
use crate::door::Door;

/// Longest time that a call waits for a host that processes at the same moment.
const PATIENCE: Duration = Duration::from_secs(1);

/// Set-up of the host before the activation.
#[derive(Clone, Copy)]
pub struct Setup {
    /// Sample rate in Hz.
    pub rate: f64,
    /// Length of the longest piece of a block that is passed on.
    pub longest: usize,
}

/// A plugin as the host sees it.
pub struct Guarded {
    /// The framework's object.
    pub inner: Wrapper<MirrorNet>,
    pub door: Arc<Door>,
    /// The thread that made the object: the host's main thread.
    main_thread: ThreadId,
    /// The host's handler, which is notified of unsaved changes.
    pub handler: Mutex<Option<ComPtr<IComponentHandler2>>>,
    pub setup: Mutex<Option<Setup>>,
    /// Channels of the sidechain that host and plugin agreed on: 1 or 2.
    pub sidechain: AtomicU32,
    /// `None` while the plugin is not active.
    audio: Mutex<Option<Audio>>,
}

// A COM object's methods may be called from any thread.
// SAFETY: the framework's object is made for that; what is ours is atomic or behind locks, and the
// lists within `audio` are only used under its lock.
unsafe impl Send for Guarded {}
// SAFETY: as above.
unsafe impl Sync for Guarded {}

impl Class for Guarded {
    type Interfaces = (
        IComponent,
        IEditController,
        IAudioProcessor,
        IMidiMapping,
        INoteExpressionController,
        IProcessContextRequirements,
        IUnitInfo,
        IInfoListener,
    );
}

impl Guarded {
    /// A new plugin, made on the host's main thread.
    pub fn new() -> Self {
        let door = Arc::new(Door::default());
        Self {
            inner: door.open(Wrapper::new),
            door,
            main_thread: thread::current().id(),
            handler: Mutex::new(None),
            setup: Mutex::new(None),
            sidechain: AtomicU32::new(2),
            audio: Mutex::new(None),
        }
    }

    /// The audio thread's part, unless the host processes at the same moment for too long.
    pub fn audio(&self) -> Option<MutexGuard<'_, Option<Audio>>> {
        self.audio.try_lock_for(PATIENCE)
    }

    /// The audio thread's part, unless somebody else has it.
    pub fn audio_now(&self) -> Option<MutexGuard<'_, Option<Audio>>> {
        self.audio.try_lock()
    }

    /// Notifies the host of unsaved changes, if this is the main thread. VST3 has no way to ask for
    /// a call there, so that every call on it is used.
    pub fn pass_on_changes(&self) {
        if thread::current().id() != self.main_thread {
            return;
        }
        let handler = self.handler.lock().clone();
        if let Some(handler) = handler
            && self.door.take_changed()
        {
            // SAFETY: the host's object.
            unsafe { handler.setDirty(1) };
        }
    }
}

#[allow(clippy::unnecessary_cast)] // The constants' type depends on the system.
pub fn is_sidechain(media: MediaType, direction: BusDirection) -> bool {
    media == kAudio as i32 && direction == kInput as i32
}

impl IPluginBaseTrait for Guarded {
    unsafe fn initialize(&self, context: *mut FUnknown) -> tresult {
        // SAFETY: passed on.
        unsafe { self.inner.initialize(context) }
    }

    unsafe fn terminate(&self) -> tresult {
        *self.handler.lock() = None;
        // SAFETY: passed on.
        unsafe { self.inner.terminate() }
    }
}

impl IComponentTrait for Guarded {
    unsafe fn getControllerClassId(&self, class: *mut TUID) -> tresult {
        // SAFETY: passed on; the framework doesn't look at it.
        unsafe { self.inner.getControllerClassId(class) }
    }

    unsafe fn setIoMode(&self, mode: IoMode) -> tresult {
        // SAFETY: passed on.
        unsafe { self.inner.setIoMode(mode) }
    }

    unsafe fn getBusCount(&self, media: MediaType, direction: BusDirection) -> int32 {
        // SAFETY: passed on.
        unsafe { self.inner.getBusCount(media, direction) }
    }

    unsafe fn getBusInfo(
        &self,
        media: MediaType,
        direction: BusDirection,
        index: int32,
        info: *mut BusInfo,
    ) -> tresult {
        // SAFETY: an index within the buses, and a pointer that is not null.
        unsafe {
            if info.is_null() || !(0..self.getBusCount(media, direction)).contains(&index) {
                return kInvalidArgument;
            }
            let result = self.inner.getBusInfo(media, direction, index, info);
            if result == kResultOk && is_sidechain(media, direction) {
                (*info).channelCount = self.sidechain.load(Ordering::Acquire) as int32;
            }
            result
        }
    }

    unsafe fn getRoutingInfo(&self, input: *mut RoutingInfo, output: *mut RoutingInfo) -> tresult {
        if input.is_null() || output.is_null() {
            return kInvalidArgument;
        }
        // SAFETY: not null.
        unsafe { self.inner.getRoutingInfo(input, output) }
    }

    unsafe fn activateBus(
        &self,
        media: MediaType,
        direction: BusDirection,
        index: int32,
        state: TBool,
    ) -> tresult {
        // SAFETY: passed on.
        unsafe { self.inner.activateBus(media, direction, index, state) }
    }

    unsafe fn setActive(&self, state: TBool) -> tresult {
        self.pass_on_changes();
        let Some(mut audio) = self.audio() else {
            return kResultFalse;
        };
        let setup = *self.setup.lock();
        // SAFETY: passed on.
        unsafe {
            if state == 0 {
                return match audio.take() {
                    Some(_) => self.inner.setActive(0),
                    None => kResultOk,
                };
            }
            let Some(setup) = setup else {
                return kResultFalse;
            };
            let result = self.inner.setActive(1);
            *audio = (result == kResultOk).then(|| Audio::new(setup.rate, setup.longest));
            result
        }
    }

    unsafe fn setState(&self, state: *mut IBStream) -> tresult {
        // SAFETY: a stream of the host's; ours lives until the framework has read it.
        let result = unsafe {
            let bytes = ComRef::from_raw(state).and_then(|state| read_all(state));
            let memory = bytes.map(|bytes| ComWrapper::new(Memory::new(bytes)));
            match memory.as_ref().and_then(|m| m.as_com_ref::<IBStream>()) {
                Some(stream) => IComponentTrait::setState(&self.inner, stream.as_ptr()),
                None => kResultFalse,
            }
        };
        if result != kResultOk {
            self.door.mark_refused();
        }
        result
    }

    unsafe fn getState(&self, state: *mut IBStream) -> tresult {
        // SAFETY: a stream of the host's; ours lives until the framework has written it.
        unsafe {
            let memory = ComWrapper::new(Memory::default());
            let (Some(to), Some(stream)) =
                (ComRef::from_raw(state), memory.as_com_ref::<IBStream>())
            else {
                return kInvalidArgument;
            };
            let result = IComponentTrait::getState(&self.inner, stream.as_ptr());
            if result == kResultOk && !write_all(to, &memory.take()) {
                return kResultFalse;
            }
            result
        }
    }
}
