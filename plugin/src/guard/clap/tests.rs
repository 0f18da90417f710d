//! Behaviour that only the instance behind the guard can cause.

use std::ffi::{c_char, c_void};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicU32, Ordering};

use clap_sys::audio_buffer::clap_audio_buffer;
use clap_sys::ext::state::{CLAP_EXT_STATE, clap_host_state};
use clap_sys::process::clap_process;
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
            (
                CALLBACKS.load(Ordering::SeqCst),
                MARKS.load(Ordering::SeqCst),
            )
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

/// Checks that the editor shows the refusal.
#[test]
fn a_refused_state_is_noted() {
    // SAFETY: the plugin's functions, with a host that outlives it; nothing is read from a null
    // stream.
    unsafe {
        let plugin = create(&HOST);
        assert!((*plugin).init.is_some_and(|init| init(plugin)));
        let load = extensions::STATE.load.expect("the guard has it");
        assert!(!load(plugin, null()));
        let guard = Guard::of(plugin).expect("just made");
        assert!(guard.door.take_refused());
        ((*plugin).destroy.expect("the guard has it"))(plugin);
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

/// A block of the host's, with a stereo output and a silent sidechain.
struct Block {
    buffers: [Vec<f32>; 4],
}

impl Block {
    fn with<R>(&mut self, frames: usize, process: impl FnOnce(&clap_process) -> R) -> R {
        let mut pointers = self.buffers.each_mut().map(|b| b.as_mut_ptr());
        let (inputs, outputs) = pointers.split_at_mut(2);
        let port = |channels: &mut [*mut f32]| clap_audio_buffer {
            data32: channels.as_mut_ptr(),
            data64: null_mut(),
            channel_count: 2,
            latency: 0,
            constant_mask: 0,
        };
        let (input, mut output) = (port(inputs), port(outputs));
        process(&clap_process {
            steady_time: -1,
            frames_count: frames as u32,
            transport: null(),
            audio_inputs: &input,
            audio_outputs: &mut output,
            audio_inputs_count: 1,
            audio_outputs_count: 1,
            in_events: null(),
            out_events: null(),
        })
    }
}

#[test]
#[ignore = "measures time: needs a machine with nothing else to do"]
fn the_guard_takes_less_than_a_thousandth_of_a_block() {
    const RATE: f64 = 48_000.0;
    const BLOCKS: usize = 20;
    // Longer blocks outrun the clock, and the instance waits for what it would hear.
    for frames in [64, 512] {
        // SAFETY: the plugin's functions, with a host that outlives it.
        unsafe {
            let plugin = create(&HOST);
            let guard = Guard::of(plugin).expect("just made");
            assert!((*plugin).init.is_some_and(|init| init(plugin)));
            let activate = (*plugin).activate.expect("the guard has it");
            assert!(activate(plugin, RATE, 1, frames as u32));
            let guarded = (*plugin).process.expect("the guard has it");
            let mut block = Block {
                buffers: [(); 4].map(|()| vec![0.0; frames]),
            };
            let mut fastest = [f64::INFINITY; 2];
            for k in 0..4_000 {
                let start = std::time::Instant::now();
                for _ in 0..BLOCKS {
                    block.with(frames, |block| match k % 2 {
                        0 => guarded(plugin, block),
                        _ => guard.process_inner(block),
                    });
                }
                let each = start.elapsed().as_secs_f64() / BLOCKS as f64;
                fastest[k % 2] = fastest[k % 2].min(each);
            }
            let share = (fastest[0] - fastest[1]) / (frames as f64 / RATE);
            println!(
                "{frames} frames: {:.2} us guarded, {:.2} us not: {:.4} % of the block",
                1e6 * fastest[0],
                1e6 * fastest[1],
                100.0 * share
            );
            assert!(share < 1e-3, "{share} of a block of {frames}");
            ((*plugin).destroy.expect("the guard has it"))(plugin);
        }
    }
}
