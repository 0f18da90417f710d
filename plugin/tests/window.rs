//! The editor's window in a host's, on an X server of its own: who has the keyboard, what is
//! painted while nothing changes, and what many openings leave behind.
//!
//! It has no test harness: the environment names the X server, and only the first thread may set
//! it.

#[cfg(not(target_os = "linux"))]
fn main() {}

#[cfg(target_os = "linux")]
fn main() {
    linux::run();
}

#[cfg(target_os = "linux")]
#[allow(unsafe_code)] // A host's and an X client's part is played here.
mod linux {
    use std::ffi::{CStr, c_char, c_void};
    use std::io::{BufRead, BufReader};
    use std::process::{Child, Command, Stdio};
    use std::ptr::{null, null_mut};
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread::sleep;
    use std::time::{Duration, Instant};

    use clap_sys::events::{clap_event_header, clap_input_events, clap_output_events};
    use clap_sys::ext::gui::*;
    use clap_sys::ext::params::{CLAP_EXT_PARAMS, clap_param_info, clap_plugin_params};
    use clap_sys::factory::plugin_factory::{CLAP_PLUGIN_FACTORY_ID, clap_plugin_factory};
    use clap_sys::host::clap_host;
    use clap_sys::plugin::clap_plugin;
    use clap_sys::version::CLAP_VERSION;
    use x11_dl::keysym::{XK_5, XK_Escape, XK_Return, XK_space};
    use x11_dl::xlib::{
        CurrentTime, Display, KeyPress, KeyPressMask, RevertToParent, XEvent, Xlib,
    };
    use x11_dl::xtest::Xf86vmode as XTest;

    /// Size of the host's window.
    const SIZE: [u32; 2] = [1180, 760];
    /// Where the knob of the cutoff is, and the number below it.
    const KNOB: [i32; 2] = [362, 616];
    const NUMBER: [i32; 2] = [362, 664];
    /// Openings after which nothing may have grown.
    const OPENINGS: usize = 100;

    static CALLBACK: AtomicBool = AtomicBool::new(false);

    static GUI: clap_host_gui = clap_host_gui {
        resize_hints_changed: Some(ignore),
        request_resize: Some(request_resize),
        request_show: Some(refuse),
        request_hide: Some(refuse),
        closed: Some(closed),
    };

    static HOST: clap_host = clap_host {
        clap_version: CLAP_VERSION,
        host_data: null_mut(),
        name: c"window".as_ptr(),
        vendor: c"".as_ptr(),
        url: c"".as_ptr(),
        version: c"0".as_ptr(),
        get_extension: Some(extension),
        request_restart: Some(ignore),
        request_process: Some(ignore),
        request_callback: Some(callback),
    };

    unsafe extern "C" fn extension(_: *const clap_host, id: *const c_char) -> *const c_void {
        // SAFETY: the format's promise.
        match unsafe { CStr::from_ptr(id) } == CLAP_EXT_GUI {
            true => (&raw const GUI).cast(),
            false => null(),
        }
    }
    unsafe extern "C" fn ignore(_: *const clap_host) {}
    unsafe extern "C" fn callback(_: *const clap_host) {
        CALLBACK.store(true, Ordering::Release);
    }
    unsafe extern "C" fn request_resize(_: *const clap_host, _: u32, _: u32) -> bool {
        false
    }
    unsafe extern "C" fn refuse(_: *const clap_host) -> bool {
        false
    }
    unsafe extern "C" fn closed(_: *const clap_host, _: bool) {}

    static NOTHING: clap_input_events = clap_input_events {
        ctx: null_mut(),
        size: Some(none),
        get: Some(no_event),
    };
    static EVERYTHING: clap_output_events = clap_output_events {
        ctx: null_mut(),
        try_push: Some(take),
    };
    unsafe extern "C" fn none(_: *const clap_input_events) -> u32 {
        0
    }
    unsafe extern "C" fn no_event(_: *const clap_input_events, _: u32) -> *const clap_event_header {
        null()
    }
    unsafe extern "C" fn take(_: *const clap_output_events, _: *const clap_event_header) -> bool {
        true
    }

    /// Calls a function of the plugin's.
    macro_rules! call {
        ($object:expr, $function:ident $(, $arg:expr)*) => {
            // SAFETY: the test decides.
            unsafe { ((*$object).$function.expect("the plugin has it"))($($arg),*) }
        };
    }

    /// An X server that ends with the test.
    struct Server(Child);

    impl Server {
        fn start() -> Self {
            let mut child = Command::new("Xvfb")
                .args([
                    "-displayfd",
                    "1",
                    "-screen",
                    "0",
                    "1280x900x24",
                    "+extension",
                    "GLX",
                ])
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .expect("Xvfb runs: `cargo xtask test` installs it");
            let output = child.stdout.take().expect("it is piped");
            let mut line = String::new();
            BufReader::new(output)
                .read_line(&mut line)
                .expect("the display's number");
            // SAFETY: no other thread runs yet.
            unsafe {
                std::env::set_var("DISPLAY", format!(":{}", line.trim()));
                std::env::set_var("LIBGL_ALWAYS_SOFTWARE", "1");
            }
            Self(child)
        }
    }

    impl Drop for Server {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    /// The host: an X client with a window, and the plugin.
    struct Bench {
        xlib: Xlib,
        xtest: XTest,
        display: *mut Display,
        window: u64,
        plugin: *const clap_plugin,
        gui: *const clap_plugin_gui,
    }

    impl Bench {
        fn new() -> Self {
            let xlib = Xlib::open().expect("libX11");
            let xtest = XTest::open().expect("libXtst");
            // SAFETY: Xlib's functions with its own data.
            let (display, window) = unsafe {
                let display = (xlib.XOpenDisplay)(null());
                assert!(!display.is_null());
                let root = (xlib.XDefaultRootWindow)(display);
                let [width, height] = SIZE;
                let window =
                    (xlib.XCreateSimpleWindow)(display, root, 0, 0, width, height, 0, 0, 0);
                (xlib.XSelectInput)(display, window, KeyPressMask);
                (xlib.XMapWindow)(display, window);
                (xlib.XSync)(display, 0);
                (xlib.XSetInputFocus)(display, window, RevertToParent, CurrentTime);
                (xlib.XSync)(display, 0);
                (display, window)
            };
            let entry = &raw const plugin::clap_entry;
            assert!(call!(entry, init, c"".as_ptr()));
            let factory: *const clap_plugin_factory =
                call!(entry, get_factory, CLAP_PLUGIN_FACTORY_ID.as_ptr()).cast();
            let descriptor = call!(factory, get_plugin_descriptor, factory, 0);
            // SAFETY: the plugin's descriptor.
            let id = unsafe { (*descriptor).id };
            let plugin = call!(factory, create_plugin, factory, &HOST, id);
            assert!(call!(plugin, init, plugin));
            let gui = call!(plugin, get_extension, plugin, CLAP_EXT_GUI.as_ptr()).cast();
            Self {
                xlib,
                xtest,
                display,
                window,
                plugin,
                gui,
            }
        }

        /// Lives for a while, as a host does on its first thread.
        fn wait(&self, seconds: f64) {
            let until = Instant::now() + Duration::from_secs_f64(seconds);
            while Instant::now() < until {
                if CALLBACK.swap(false, Ordering::AcqRel) {
                    call!(self.plugin, on_main_thread, self.plugin);
                }
                sleep(Duration::from_millis(5));
            }
        }

        fn open(&self) {
            let api = CLAP_WINDOW_API_X11.as_ptr();
            assert!(call!(self.gui, create, self.plugin, api, false));
            let window = clap_window {
                api,
                specific: clap_window_handle { x11: self.window },
            };
            assert!(call!(self.gui, set_parent, self.plugin, &window));
            assert!(call!(self.gui, show, self.plugin));
        }

        fn close(&self) {
            call!(self.gui, destroy, self.plugin);
        }

        fn sync(&self) {
            // SAFETY: as in `new`.
            unsafe { (self.xlib.XSync)(self.display, 0) };
        }

        /// Moves the pointer and clicks.
        fn click(&self, [x, y]: [i32; 2]) {
            // SAFETY: as in `new`.
            unsafe {
                (self.xtest.XTestFakeMotionEvent)(self.display, 0, x, y, 0);
                self.sync();
                self.wait(0.15);
                for down in [1, 0] {
                    (self.xtest.XTestFakeButtonEvent)(self.display, 1, down, 0);
                    self.sync();
                    self.wait(0.05);
                }
            }
            self.wait(0.35);
        }

        /// Waits until the keyboard has left the host's window, or come back to it.
        fn await_keyboard(&self, left: bool) {
            let until = Instant::now() + Duration::from_secs(5);
            let has_left = || {
                let (mut window, mut revert) = (0, 0);
                // SAFETY: as in `new`.
                unsafe { (self.xlib.XGetInputFocus)(self.display, &mut window, &mut revert) };
                window != self.window
            };
            while has_left() != left && Instant::now() < until {
                self.wait(0.05);
            }
        }

        /// Presses and lets go a key; returns whether the host's window got it.
        fn key(&self, symbol: u32) -> bool {
            // SAFETY: as in `new`.
            unsafe {
                let code = (self.xlib.XKeysymToKeycode)(self.display, u64::from(symbol));
                for down in [1, 0] {
                    (self.xtest.XTestFakeKeyEvent)(self.display, u32::from(code), down, 0);
                    self.sync();
                    self.wait(0.05);
                }
                self.wait(0.3);
                self.sync();
                let mut got = false;
                while (self.xlib.XPending)(self.display) > 0 {
                    let mut event: XEvent = std::mem::zeroed();
                    (self.xlib.XNextEvent)(self.display, &mut event);
                    got |= event.get_type() == KeyPress && event.key.keycode == u32::from(code);
                }
                got
            }
        }

        /// Normalised value of the parameter of this name.
        fn value(&self, name: &str) -> f64 {
            let params: *const clap_plugin_params = call!(
                self.plugin,
                get_extension,
                self.plugin,
                CLAP_EXT_PARAMS.as_ptr()
            )
            .cast();
            // What the editor has set goes through the host.
            call!(params, flush, self.plugin, &NOTHING, &EVERYTHING);
            for k in 0..call!(params, count, self.plugin) {
                // SAFETY: all bits may be zero, and names are strings.
                let mut info: clap_param_info = unsafe { std::mem::zeroed() };
                assert!(call!(params, get_info, self.plugin, k, &mut info));
                let found = unsafe { CStr::from_ptr(info.name.as_ptr()) };
                if found.to_bytes() == name.as_bytes() {
                    let mut value = f64::NAN;
                    assert!(call!(params, get_value, self.plugin, info.id, &mut value));
                    return value;
                }
            }
            panic!("no parameter {name}");
        }
    }

    /// Processor time of this process in seconds: what is painted costs some.
    fn processor_time() -> f64 {
        let stat = std::fs::read_to_string("/proc/self/stat").expect("procfs");
        let fields = stat
            .rsplit(')')
            .next()
            .unwrap_or_default()
            .split_whitespace();
        let ticks: u64 = fields
            .skip(11)
            .take(2)
            .filter_map(|x| x.parse::<u64>().ok())
            .sum();
        ticks as f64 / 100.0
    }

    /// Open files and threads of this process.
    fn belongings() -> [usize; 2] {
        ["/proc/self/fd", "/proc/self/task"]
            .map(|folder| std::fs::read_dir(folder).map_or(0, Iterator::count))
    }

    pub fn run() {
        let _server = Server::start();
        let bench = Bench::new();
        bench.open();
        bench.wait(2.0);

        // A click takes no keyboard, neither here nor under the pointer.
        assert!(
            bench.key(XK_space),
            "before any click the host has the keyboard"
        );
        bench.click(KNOB);
        assert!(bench.key(XK_space), "a click on a knob took the keyboard");

        // A text field does, Enter gives it back, and the value is what was typed.
        let before = bench.value("Cutoff");
        bench.click(NUMBER);
        bench.await_keyboard(true);
        assert!(!bench.key(XK_5), "the host got what was typed");
        bench.key(XK_5);
        bench.key(XK_5);
        bench.key(XK_Return);
        bench.await_keyboard(false);
        let typed = bench.value("Cutoff");
        assert_ne!(typed, before, "nothing was typed");
        assert!(bench.key(XK_space), "Enter kept the keyboard");
        bench.click(NUMBER);
        bench.await_keyboard(true);
        assert!(!bench.key(XK_5));
        bench.key(XK_Escape);
        bench.await_keyboard(false);
        assert_eq!(bench.value("Cutoff"), typed, "Escape took the value");
        assert!(bench.key(XK_space), "Escape kept the keyboard");
        println!("keyboard: ok");

        // Nothing is painted while nothing changes.
        bench.click([5, 5]);
        bench.wait(1.0);
        let start = processor_time();
        bench.wait(5.0);
        let idle = (processor_time() - start) / 5.0;
        println!("idle: {:.1} % of a core", 100.0 * idle);
        assert!(
            idle < 0.05,
            "an idle window costs {:.1} % of a core",
            100.0 * idle
        );

        // Hidden, it doesn't paint what changes either.
        // SAFETY: as in `Bench::new`.
        unsafe { (bench.xlib.XUnmapWindow)(bench.display, bench.window) };
        bench.sync();
        bench.wait(0.5);
        let start = processor_time();
        bench.wait(5.0);
        let hidden = (processor_time() - start) / 5.0;
        println!("hidden: {:.1} % of a core", 100.0 * hidden);
        assert!(
            hidden < 0.05,
            "a hidden window costs {:.1} % of a core",
            100.0 * hidden
        );
        // SAFETY: as in `Bench::new`.
        unsafe { (bench.xlib.XMapWindow)(bench.display, bench.window) };
        bench.sync();
        bench.wait(0.5);

        // Many openings leave nothing behind.
        bench.close();
        for _ in 0..3 {
            bench.open();
            bench.wait(0.05);
            bench.close();
        }
        bench.wait(0.3);
        let before = belongings();
        let start = Instant::now();
        for _ in 0..OPENINGS {
            bench.open();
            bench.wait(0.01);
            bench.close();
        }
        println!(
            "{OPENINGS} openings: {:.1} s",
            start.elapsed().as_secs_f64()
        );
        bench.wait(0.5);
        let after = belongings();
        assert!(
            after[0] <= before[0] + 2 && after[1] <= before[1] + 1,
            "files and threads: {before:?} before, {after:?} after {OPENINGS} openings"
        );
        call!(bench.plugin, destroy, bench.plugin);
        println!("test result: ok");
    }
}
