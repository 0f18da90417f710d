//! A state in memory: what the framework reads and writes instead of the host's stream, whose reads
//! and writes may be short.

use std::cell::RefCell;
use std::ffi::c_void;

use nice_plug::wrapper::vst3::vst3::Steinberg::IBStream_::IStreamSeekMode_::{
    kIBSeekCur, kIBSeekEnd, kIBSeekSet,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::{
    IBStream, IBStreamTrait, int32, int64, kInvalidArgument, kResultFalse, kResultOk, tresult,
};
use nice_plug::wrapper::vst3::vst3::{Class, ComRef};

/// Largest state that is read.
const LARGEST: usize = 1 << 28;
/// Bytes read at a time.
const PIECE: usize = 1 << 16;
/// Value of a count that the host has not set.
const UNSET: int32 = int32::MIN;

/// Reads all that is left of a host's stream; `None` if that fails.
///
/// # Safety
/// A stream of the host's.
pub unsafe fn read_all(stream: ComRef<'_, IBStream>) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut piece = vec![0u8; PIECE];
    loop {
        let mut count = UNSET;
        // SAFETY: the buffer is as long as said.
        let result = unsafe { stream.read(piece.as_mut_ptr().cast(), PIECE as int32, &mut count) };
        match usize::try_from(count) {
            // Some hosts report the end as a failure.
            Ok(0) => return Some(bytes),
            Ok(count) if count <= PIECE && bytes.len() + count <= LARGEST => {
                bytes.extend_from_slice(&piece[..count]);
            }
            Err(_) if count == UNSET && result != kResultOk => return Some(bytes),
            _ => return None,
        }
    }
}

/// Writes all `bytes` to a host's stream. Returns whether that worked.
///
/// # Safety
/// A stream of the host's.
pub unsafe fn write_all(stream: ComRef<'_, IBStream>, bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while !rest.is_empty() {
        let size = rest.len().min(LARGEST);
        let mut count = UNSET;
        // SAFETY: the bytes are as many as said, and only read.
        let result = unsafe {
            let from = rest.as_ptr().cast_mut().cast();
            stream.write(from, size as int32, &mut count)
        };
        let written = match usize::try_from(count) {
            Ok(written) => written,
            // A host that doesn't count has written all or failed.
            Err(_) if count == UNSET && result == kResultOk => size,
            Err(_) => return false,
        };
        if written == 0 || written > size {
            return false;
        }
        rest = &rest[written..];
    }
    true
}

/// A stream in memory.
#[derive(Default)]
pub struct Memory {
    /// Contents, and the position of the next byte.
    contents: RefCell<(Vec<u8>, usize)>,
}

impl Memory {
    /// A stream of `bytes`, at their beginning.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self {
            contents: RefCell::new((bytes, 0)),
        }
    }

    /// Takes the contents.
    pub fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.contents.borrow_mut().0)
    }
}

impl Class for Memory {
    type Interfaces = (IBStream,);
}

impl IBStreamTrait for Memory {
    unsafe fn read(&self, buffer: *mut c_void, size: int32, count: *mut int32) -> tresult {
        let (Ok(mut contents), Ok(size)) = (self.contents.try_borrow_mut(), usize::try_from(size))
        else {
            return kInvalidArgument;
        };
        let (bytes, position) = &mut *contents;
        let done = size.min(bytes.len().saturating_sub(*position));
        // SAFETY: the framework's buffer is as long as said.
        unsafe {
            let from = bytes.as_ptr().add(*position);
            buffer.cast::<u8>().copy_from_nonoverlapping(from, done);
            if let Some(count) = count.as_mut() {
                *count = done as int32;
            }
        }
        *position += done;
        kResultOk
    }

    unsafe fn write(&self, buffer: *mut c_void, size: int32, count: *mut int32) -> tresult {
        let (Ok(mut contents), Ok(size)) = (self.contents.try_borrow_mut(), usize::try_from(size))
        else {
            return kInvalidArgument;
        };
        let (bytes, position) = &mut *contents;
        // SAFETY: the framework's buffer is as long as said.
        unsafe {
            bytes.truncate(*position);
            bytes.extend_from_slice(std::slice::from_raw_parts(buffer.cast(), size));
            if let Some(count) = count.as_mut() {
                *count = size as int32;
            }
        }
        *position = bytes.len();
        kResultOk
    }

    #[allow(clippy::unnecessary_cast)] // The constants' type depends on the system.
    unsafe fn seek(&self, by: int64, mode: int32, result: *mut int64) -> tresult {
        let Ok(mut contents) = self.contents.try_borrow_mut() else {
            return kInvalidArgument;
        };
        let (bytes, position) = &mut *contents;
        let from = match mode {
            m if m == kIBSeekSet as int32 => 0,
            m if m == kIBSeekCur as int32 => *position as int64,
            m if m == kIBSeekEnd as int32 => bytes.len() as int64,
            _ => return kInvalidArgument,
        };
        let to = from.saturating_add(by).clamp(0, bytes.len() as int64);
        *position = to as usize;
        // SAFETY: the framework's variable.
        if let Some(result) = unsafe { result.as_mut() } {
            *result = to;
        }
        kResultOk
    }

    unsafe fn tell(&self, position: *mut int64) -> tresult {
        // SAFETY: the framework's variable.
        match (self.contents.try_borrow(), unsafe { position.as_mut() }) {
            (Ok(contents), Some(position)) => {
                *position = contents.1 as int64;
                kResultOk
            }
            _ => kResultFalse,
        }
    }
}
