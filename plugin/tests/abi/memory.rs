//! Buffers that notice a write or a read past their end.

use std::marker::PhantomData;

/// Bytes in front of a buffer that nobody may write to.
const CANARY: [u8; 64] = [0xA5; 64];

/// A buffer whose end is the end of the memory: the page behind it can't be touched.
pub struct Fenced<T> {
    map: *mut u8,
    mapped: usize,
    start: *mut T,
    len: usize,
    _owns: PhantomData<T>,
}

// SAFETY: it owns its memory.
unsafe impl<T: Send> Send for Fenced<T> {}

impl<T: Copy> Fenced<T> {
    /// A buffer of `len` times `value`.
    pub fn new(value: T, len: usize) -> Self {
        // SAFETY: the system's page size; a new mapping of whole pages, the last one closed.
        unsafe {
            let page = libc::sysconf(libc::_SC_PAGESIZE) as usize;
            let bytes = len * size_of::<T>();
            let open = (bytes + CANARY.len() + align_of::<T>()).div_ceil(page) * page;
            let mapped = open + page;
            let map = libc::mmap(
                std::ptr::null_mut(),
                mapped,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            );
            assert_ne!(map, libc::MAP_FAILED, "no memory");
            assert_eq!(libc::mprotect(map.byte_add(open), page, libc::PROT_NONE), 0);
            let map = map.cast::<u8>();
            let start = map.add(open - bytes).cast::<T>();
            assert!(
                start.is_aligned(),
                "a size that is no multiple of the alignment"
            );
            start
                .cast::<u8>()
                .sub(CANARY.len())
                .copy_from_nonoverlapping(CANARY.as_ptr(), CANARY.len());
            for k in 0..len {
                start.add(k).write(value);
            }
            Self {
                map,
                mapped,
                start,
                len,
                _owns: PhantomData,
            }
        }
    }

    pub fn of(values: &[T]) -> Self {
        let fenced = Self::new(values[0], values.len());
        // SAFETY: as many values.
        unsafe {
            fenced
                .start
                .copy_from_nonoverlapping(values.as_ptr(), values.len())
        };
        fenced
    }

    pub fn as_ptr(&self) -> *mut T {
        self.start
    }

    pub fn values(&self) -> &[T] {
        // SAFETY: it owns them.
        unsafe { std::slice::from_raw_parts(self.start, self.len) }
    }

    /// Fails if something was written in front of the buffer.
    pub fn check(&self) {
        // SAFETY: in front of the buffer, within the mapping.
        let canary = unsafe { *self.start.cast::<[u8; CANARY.len()]>().sub(1) };
        assert_eq!(canary, CANARY, "written in front of a buffer");
    }
}

impl<T> Drop for Fenced<T> {
    fn drop(&mut self) {
        // SAFETY: mapped by `new`.
        unsafe { libc::munmap(self.map.cast(), self.mapped) };
    }
}
