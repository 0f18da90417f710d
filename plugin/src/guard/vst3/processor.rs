//! The guarded object's part as an audio processor: what a host sets up, and its blocks.

use std::sync::atomic::Ordering;

use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::MediaTypes_::kAudio;
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::ProcessModes_::kOffline;
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::SpeakerArr::{kMono, kStereo};
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::SymbolicSampleSizes_::kSample32;
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::{
    BusDirection, IAudioProcessorTrait, ProcessData, ProcessSetup, SpeakerArrangement,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::{
    TBool, int32, kInvalidArgument, kResultFalse, kResultOk, tresult, uint32,
};

use super::super::sound::LONGEST_PIECE;
use super::component::{Guarded, Setup, is_sidechain};
use super::process;

/// Single precision, and offline rendering.
#[allow(clippy::unnecessary_cast)] // The constants' type depends on the system.
pub const SINGLE: int32 = kSample32 as int32;
#[allow(clippy::unnecessary_cast)] // The constants' type depends on the system.
pub const OFFLINE: int32 = kOffline as int32;

impl IAudioProcessorTrait for Guarded {
    /// Takes a stereo output and a sidechain of one or two channels.
    unsafe fn setBusArrangements(
        &self,
        inputs: *mut SpeakerArrangement,
        input_count: int32,
        outputs: *mut SpeakerArrangement,
        output_count: int32,
    ) -> tresult {
        if input_count < 0
            || output_count < 0
            || (input_count > 0 && inputs.is_null())
            || (output_count > 0 && outputs.is_null())
        {
            return kInvalidArgument;
        }
        if input_count != 1 || output_count != 1 {
            return kResultFalse;
        }
        // SAFETY: one entry each, not null.
        let (input, output) = unsafe { (*inputs, *outputs) };
        let channels = input.count_ones();
        if !(1..=2).contains(&channels) || output.count_ones() != 2 {
            return kResultFalse;
        }
        self.sidechain.store(channels, Ordering::Release);
        kResultOk
    }

    unsafe fn getBusArrangement(
        &self,
        direction: BusDirection,
        index: int32,
        arrangement: *mut SpeakerArrangement,
    ) -> tresult {
        if arrangement.is_null() || index != 0 {
            return kInvalidArgument;
        }
        // SAFETY: not null.
        unsafe {
            let result = self.inner.getBusArrangement(direction, index, arrangement);
            #[allow(clippy::unnecessary_cast)] // The constant's type depends on the system.
            if result == kResultOk && is_sidechain(kAudio as int32, direction) {
                *arrangement = match self.sidechain.load(Ordering::Acquire) {
                    1 => kMono,
                    _ => kStereo,
                };
            }
            result
        }
    }

    unsafe fn canProcessSampleSize(&self, size: int32) -> tresult {
        // SAFETY: passed on.
        unsafe { self.inner.canProcessSampleSize(size) }
    }

    unsafe fn getLatencySamples(&self) -> uint32 {
        // SAFETY: passed on.
        unsafe { self.inner.getLatencySamples() }
    }

    unsafe fn setupProcessing(&self, setup: *mut ProcessSetup) -> tresult {
        self.pass_on_changes();
        // SAFETY: the host's promise.
        let Some(mut setup) = (unsafe { setup.as_ref().copied() }) else {
            return kInvalidArgument;
        };
        let rate = setup.sampleRate as f32;
        if setup.symbolicSampleSize != SINGLE || !(rate > 0.0 && rate.is_finite()) {
            return kResultFalse;
        }
        let longest = setup.maxSamplesPerBlock.clamp(1, LONGEST_PIECE as int32);
        setup.maxSamplesPerBlock = longest;
        self.door.set_offline(setup.processMode == OFFLINE);
        *self.setup.lock() = Some(Setup {
            rate: setup.sampleRate,
            longest: longest as usize,
        });
        // Twice: the framework activates the instance with the mode of the call before.
        // SAFETY: not null.
        unsafe {
            self.inner.setupProcessing(&mut setup);
            self.inner.setupProcessing(&mut setup)
        }
    }

    unsafe fn setProcessing(&self, state: TBool) -> tresult {
        let Some(mut audio) = self.audio() else {
            return kResultFalse;
        };
        if state != 0
            && let Some(audio) = audio.as_mut()
        {
            audio.reset();
        }
        // SAFETY: passed on.
        unsafe { self.inner.setProcessing(state) }
    }

    unsafe fn process(&self, data: *mut ProcessData) -> tresult {
        // SAFETY: the host's promise.
        let Some(data) = (unsafe { data.as_ref() }) else {
            return kInvalidArgument;
        };
        let mut audio = self.audio_now();
        // SAFETY: the host's promise.
        unsafe {
            match audio.as_deref_mut() {
                Some(Some(audio)) => return audio.process(self, data),
                // Not active: only parameters can change.
                Some(None) => process::take_parameters(self, data),
                // Processed twice at the same moment, or while it is (de)activated.
                None => {}
            }
            process::silence(data);
        }
        match data.numSamples {
            0 => kResultOk,
            _ => kResultFalse,
        }
    }

    unsafe fn getTailSamples(&self) -> uint32 {
        // The format has no other way to ask to be called while there is something to listen to.
        match self.door.hears_reference() {
            true => uint32::MAX,
            false => self.door.tail(),
        }
    }
}
