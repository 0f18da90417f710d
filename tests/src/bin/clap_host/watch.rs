//! Counts forbidden operations of the audio thread inside `process`.
//!
//! Heap calls: this executable defines malloc and its like, and so stands in for the C allocator in
//! every library it loads (glibc only). System calls: the kernel's syscall user dispatch (Linux
//! 5.11, x86-64) raises SIGSYS at the first one of each `process` call.

use tests::job::Watch;

/// Runs `f` and counts its forbidden operations where this platform can observe them.
pub fn watched<R>(f: impl FnOnce() -> R) -> R {
    imp::watched(f)
}

/// Sets up the traps; call once on the audio thread before [`watched`].
pub fn start() {
    imp::start();
}

/// The counts so far.
pub fn report() -> Watch {
    imp::report()
}

#[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
#[allow(unsafe_code)]
mod imp {
    use super::Watch;
    use libc::{c_int, c_void, siginfo_t, size_t};
    use std::backtrace::Backtrace;
    use std::cell::Cell;
    use std::sync::OnceLock;
    use std::sync::atomic::{
        AtomicBool, AtomicI64, AtomicU8, AtomicU64, AtomicUsize, Ordering::Relaxed,
    };

    thread_local! {
        // A constant without a destructor: reading it never allocates.
        static WATCHED: Cell<bool> = const { Cell::new(false) };
    }
    static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
    static FREES: AtomicU64 = AtomicU64::new(0);
    static FIRST: OnceLock<String> = OnceLock::new();

    /// Read by the kernel at each system call of the audio thread: 0 lets it pass, 1 traps it.
    static SELECTOR: AtomicU8 = AtomicU8::new(0);
    static TRAPPING: AtomicBool = AtomicBool::new(false);
    static CALLS: [AtomicI64; 32] = [const { AtomicI64::new(-1) }; 32];
    static CALL_COUNT: AtomicUsize = AtomicUsize::new(0);

    const PR_SET_SYSCALL_USER_DISPATCH: c_int = 59;
    const PR_SYS_DISPATCH_ON: c_int = 1;

    pub fn watched<R>(f: impl FnOnce() -> R) -> R {
        WATCHED.set(true);
        SELECTOR.store(TRAPPING.load(Relaxed) as u8, Relaxed);
        let result = f();
        SELECTOR.store(0, Relaxed);
        WATCHED.set(false);
        result
    }

    pub fn start() {
        // SAFETY: the handler only touches atomics and its own context; the selector is a static.
        let on = unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = on_system_call as *const () as usize;
            action.sa_flags = libc::SA_SIGINFO;
            libc::sigaction(libc::SIGSYS, &action, std::ptr::null_mut()) == 0
                && libc::prctl(
                    PR_SET_SYSCALL_USER_DISPATCH,
                    PR_SYS_DISPATCH_ON,
                    0,
                    0,
                    SELECTOR.as_ptr(),
                ) == 0
        };
        TRAPPING.store(on, Relaxed);
    }

    pub fn report() -> Watch {
        let calls = CALLS
            .iter()
            .take(CALL_COUNT.load(Relaxed))
            .map(|c| c.load(Relaxed))
            .collect();
        Watch {
            allocations: ALLOCATIONS.load(Relaxed),
            frees: FREES.load(Relaxed),
            first_heap_call: FIRST.get().cloned(),
            system_calls: TRAPPING.load(Relaxed).then_some(calls),
        }
    }

    /// Notes the call, lifts the trap until the next `process`, and repeats the call.
    extern "C" fn on_system_call(_signal: c_int, _info: *mut siginfo_t, context: *mut c_void) {
        SELECTOR.store(0, Relaxed);
        // SAFETY: with SA_SIGINFO the kernel hands over a ucontext_t. It has put the call's number
        // back into rax, and rip stands behind the two bytes of `syscall`.
        let registers = unsafe { &mut (*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs };
        let index = CALL_COUNT.fetch_add(1, Relaxed);
        if let Some(slot) = CALLS.get(index) {
            slot.store(registers[libc::REG_RAX as usize], Relaxed);
        }
        registers[libc::REG_RIP as usize] -= 2;
    }

    fn count(counter: &AtomicU64) {
        if WATCHED.get() {
            WATCHED.set(false);
            let trap = SELECTOR.swap(0, Relaxed);
            counter.fetch_add(1, Relaxed);
            FIRST.get_or_init(|| Backtrace::force_capture().to_string());
            SELECTOR.store(trap, Relaxed);
            WATCHED.set(true);
        }
    }

    // SAFETY (all below): glibc's own allocator under its second name; the callers keep the
    // contract of the C functions.
    unsafe extern "C" {
        fn __libc_malloc(size: size_t) -> *mut c_void;
        fn __libc_calloc(count: size_t, size: size_t) -> *mut c_void;
        fn __libc_realloc(old: *mut c_void, size: size_t) -> *mut c_void;
        fn __libc_memalign(align: size_t, size: size_t) -> *mut c_void;
        fn __libc_free(old: *mut c_void);
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn malloc(size: size_t) -> *mut c_void {
        count(&ALLOCATIONS);
        unsafe { __libc_malloc(size) }
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn calloc(n: size_t, size: size_t) -> *mut c_void {
        count(&ALLOCATIONS);
        unsafe { __libc_calloc(n, size) }
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn realloc(old: *mut c_void, size: size_t) -> *mut c_void {
        count(&ALLOCATIONS);
        unsafe { __libc_realloc(old, size) }
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn memalign(align: size_t, size: size_t) -> *mut c_void {
        count(&ALLOCATIONS);
        unsafe { __libc_memalign(align, size) }
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn aligned_alloc(align: size_t, size: size_t) -> *mut c_void {
        count(&ALLOCATIONS);
        unsafe { __libc_memalign(align, size) }
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn posix_memalign(
        out: *mut *mut c_void,
        align: size_t,
        size: size_t,
    ) -> c_int {
        count(&ALLOCATIONS);
        let memory = unsafe { __libc_memalign(align, size) };
        if memory.is_null() {
            return libc::ENOMEM;
        }
        unsafe { *out = memory };
        0
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn free(old: *mut c_void) {
        count(&FREES);
        unsafe { __libc_free(old) }
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64")))]
mod imp {
    use super::Watch;

    pub fn watched<R>(f: impl FnOnce() -> R) -> R {
        f()
    }

    pub fn start() {}

    pub fn report() -> Watch {
        Watch::default()
    }
}

#[cfg(all(test, target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
mod checks {
    use super::*;
    use std::hint::black_box;

    #[test]
    fn heap_and_system_calls_are_seen_and_arithmetic_is_not() {
        start();
        let before = report();
        assert_eq!(watched(|| black_box(2) + black_box(2)), 4);
        let idle = report();
        assert_eq!(
            (idle.allocations, idle.frees),
            (before.allocations, before.frees)
        );
        assert_eq!(idle.system_calls, before.system_calls);

        watched(|| drop(black_box(Box::new(1u64))));
        let heap = report();
        assert_eq!(
            (heap.allocations, heap.frees),
            (before.allocations + 1, before.frees + 1)
        );
        assert!(heap.first_heap_call.is_some());

        if let Some(seen) = heap.system_calls {
            // The trapped call still does its work.
            #[allow(unsafe_code)]
            // SAFETY: getppid has no arguments and can't fail.
            let parent = watched(|| unsafe { libc::syscall(libc::SYS_getppid) });
            assert_eq!(parent as u32, std::os::unix::process::parent_id());
            let now = report().system_calls.expect("traps stay on");
            assert_eq!(now.len(), seen.len() + 1);
            assert_eq!(now.last(), Some(&libc::SYS_getppid));
        }
    }
}
