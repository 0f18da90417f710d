//! Requests to X11 that baseview doesn't make: keys and visibility.
//!
//! X11 gives a key to the window under the pointer if that selects keys, also where another window
//! of the same program has the focus: a plugin that selects them swallows the host's shortcuts. So
//! the window selects them only while the player types into it.
#![allow(unsafe_code)] // Xlib is foreign code.

use std::cell::Cell;
use std::mem::zeroed;

use nice_plug_egui::baseview::WindowContext;
use raw_window_handle::{HasDisplayHandle, HasWindowHandle, RawDisplayHandle, RawWindowHandle};
use x11_dl::keysym::XK_Tab;
use x11_dl::xlib::{
    CurrentTime, Display, GrabModeAsync, IsViewable, KeyPressMask, KeyReleaseMask, LockMask,
    Mod2Mask, RevertToParent, Window, XWindowAttributes, Xlib,
};

const KEYS: i64 = KeyPressMask | KeyReleaseMask;
/// Locks that a key may be pressed with: none, caps, num, both.
const LOCKS: [u32; 4] = [0, LockMask, Mod2Mask, LockMask | Mod2Mask];

/// The window on baseview's own connection: a selection of events belongs to a connection.
pub struct X11 {
    xlib: Xlib,
    display: *mut Display,
    window: Window,
    /// The window that had the keyboard before this one.
    before: Cell<Option<(Window, i32)>>,
    /// Whether Tab comes to this window.
    tab: Cell<bool>,
}

impl X11 {
    /// `None` where the window isn't one of X11, or Xlib can't be loaded.
    pub fn new(window: &WindowContext) -> Option<Self> {
        let handle = window.window_handle().ok()?.as_raw();
        let display = window.display_handle().ok()?.as_raw();
        let (RawWindowHandle::Xlib(handle), RawDisplayHandle::Xlib(display)) = (handle, display)
        else {
            return None;
        };
        Some(Self {
            xlib: Xlib::open().ok()?,
            display: display.display?.as_ptr().cast(),
            window: handle.window,
            before: Cell::new(None),
            tab: Cell::new(false),
        })
    }

    fn attributes(&self) -> Option<XWindowAttributes> {
        // SAFETY: the display and the window are the context's, which outlives this; the answer is
        // plain data that Xlib fills in.
        unsafe {
            let mut answer: XWindowAttributes = zeroed();
            let known =
                (self.xlib.XGetWindowAttributes)(self.display, self.window, &mut answer) != 0;
            known.then_some(answer)
        }
    }

    /// Whether the window and all that it lies in are mapped.
    pub fn viewable(&self) -> bool {
        self.attributes()
            .is_none_or(|answer| answer.map_state == IsViewable)
    }

    fn select(&self, change: impl Fn(i64) -> i64) {
        if let Some(answer) = self.attributes() {
            // SAFETY: as in `attributes`.
            unsafe {
                let mask = change(answer.your_event_mask);
                (self.xlib.XSelectInput)(self.display, self.window, mask);
                (self.xlib.XFlush)(self.display);
            }
        }
    }

    /// Leaves keys to the host's window.
    pub fn leave_keys(&self) {
        self.select(|mask| mask & !KEYS);
    }

    /// Lets keys come to this window, and remembers which had the keyboard.
    pub fn take_keys(&self) {
        // SAFETY: as in `attributes`.
        let before = unsafe {
            let (mut window, mut revert) = (0, 0);
            (self.xlib.XGetInputFocus)(self.display, &mut window, &mut revert);
            (window, revert)
        };
        if before.0 != self.window {
            self.before.set(Some(before));
        }
        self.select(|mask| mask | KEYS);
    }

    /// Gives the keyboard back to the window that had it, and leaves keys to the host.
    pub fn give_keys_back(&self) {
        self.leave_keys();
        // SAFETY: as in `attributes`. A window that is gone makes an error event, which baseview
        // ignores.
        unsafe {
            let (mut now, mut revert) = (0, 0);
            (self.xlib.XGetInputFocus)(self.display, &mut now, &mut revert);
            if let Some((window, _)) = self.before.take().filter(|_| now == self.window) {
                (self.xlib.XSetInputFocus)(self.display, window, RevertToParent, CurrentTime);
            }
            (self.xlib.XFlush)(self.display);
        }
    }

    /// Lets Tab come to this window while the pointer is in it, or leaves it to the host.
    pub fn watch_tab(&self, on: bool) {
        if self.tab.replace(on) == on {
            return;
        }
        // SAFETY: as in `attributes`.
        unsafe {
            let tab = (self.xlib.XKeysymToKeycode)(self.display, u64::from(XK_Tab));
            for locks in LOCKS {
                if on {
                    (self.xlib.XGrabKey)(
                        self.display,
                        i32::from(tab),
                        locks,
                        self.window,
                        0,
                        GrabModeAsync,
                        GrabModeAsync,
                    );
                } else {
                    (self.xlib.XUngrabKey)(self.display, i32::from(tab), locks, self.window);
                }
            }
            (self.xlib.XFlush)(self.display);
        }
    }
}
