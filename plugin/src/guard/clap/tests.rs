//! What only the instance behind the guard can bring about.

use std::ffi::{c_char, c_void};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicU32, Ordering};

use clap_sys::ext::state::{CLAP_EXT_STATE, clap_host_state};
use clap_sys::version::CLAP_VERSION;

use super::instance::{Guard, create};
use super::*;

static CALLBACKS: AtomicU32 = AtomicU32::new(0);
static MARKS: AtomicU32 = AtomicU32::new(0);

unsafe extern "C" fn request_callback(_: *const clap_host) {
    CALLBACKS.fetch_add(1, Ordering::SeqCst);
}

unsafe extern "C" fn mark_dirty(_: *const clap_host) {
    MARKS.fetch_add(1, Ordering::SeqCst);
}

unsafe extern "C" fn get_extension(_: *const clap_host, id: *const c_char) -> *const c_void {
    static STATE: clap_host_state = clap_host_state {
        mark_dirty: Some(mark_dirty),
    };
    // SAFETY: a string of the guard's.
    match unsafe { CStr::from_ptr(id) } == CLAP_EXT_STATE {
        true => (&raw const STATE).cast(),
        false => null(),
    }
}

/// Every function that a host may leave out is left out.
const HOST: clap_host = clap_host {
    clap_version: CLAP_VERSION,
    host_data: null_mut(),
    name: null(),
    vendor: null(),
    url: null(),
    version: null(),
    get_extension: Some(get_extension),
    request_restart: None,
    request_process: None,
    request_callback: Some(request_callback),
};

#[test]
fn a_change_of_the_project_reaches_the_host_on_its_main_thread() {
    // SAFETY: the plugin's functions, with a host that outlives it.
    unsafe {
        let plugin = create(&HOST);
        let guard = Guard::of(plugin).expect("just made");
        let call = |name: Option<unsafe extern "C" fn(*const clap_plugin)>| {
            name.expect("the guard has it")(plugin)
        };
        assert!((*plugin).init.is_some_and(|init| init(plugin)));
        let activate = (*plugin).activate.expect("the guard has it");
        assert!(activate(plugin, 48_000.0, 1, 64));
        let process = || {
            let block = std::mem::zeroed();
            (*plugin).process.expect("the guard has it")(plugin, &block);
            (CALLBACKS.load(Ordering::SeqCst), MARKS.load(Ordering::SeqCst))
        };
        let (callbacks, marks) = process();
        guard.door.mark_changed();
        assert_eq!(process(), (callbacks + 1, marks));
        assert_eq!(process(), (callbacks + 1, marks));
        call((*plugin).on_main_thread);
        call((*plugin).on_main_thread);
        assert_eq!(process(), (callbacks + 1, marks + 1));
        call((*plugin).destroy);
    }
}

#[test]
fn a_host_that_lacks_functions_is_no_trouble() {
    let bare = clap_host {
        get_extension: None,
        request_callback: None,
        ..HOST
    };
    // SAFETY: the plugin's functions, with a host that outlives it.
    unsafe {
        let plugin = create(&bare);
        assert!((*plugin).init.is_some_and(|init| init(plugin)));
        let guard = Guard::of(plugin).expect("just made");
        guard.door.mark_changed();
        guard.pass_on_changes();
        ((*plugin).on_main_thread.expect("the guard has it"))(plugin);
        ((*plugin).destroy.expect("the guard has it"))(plugin);
    }
}
