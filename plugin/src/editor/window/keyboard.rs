//! Keyboard focus: the host has it until the player types into the editor.

use std::cell::Cell;

use nice_plug_egui::baseview::{Event, MouseEvent, WindowContext};

#[cfg(target_os = "linux")]
use super::x11::X11;

/// The window's claim to the keyboard.
pub struct Keyboard {
    window: WindowContext,
    /// Whether the window lies in a host's: one of its own has the keyboard whenever the window
    /// manager gives it.
    embedded: bool,
    held: Cell<bool>,
    #[cfg(target_os = "linux")]
    x11: Option<X11>,
}

impl Keyboard {
    /// No claim.
    pub fn new(window: &WindowContext, embedded: bool) -> Self {
        #[cfg(target_os = "linux")]
        let x11 = X11::new(window);
        #[cfg(target_os = "linux")]
        if embedded && let Some(x11) = &x11 {
            x11.leave_keys();
        }
        Self {
            window: window.clone(),
            embedded,
            held: Cell::new(!embedded),
            #[cfg(target_os = "linux")]
            x11,
        }
    }

    /// Whether keys come to this window.
    pub fn held(&self) -> bool {
        self.held.get()
    }

    /// Takes the keyboard while egui `wants` it: a text is edited, or the player moves among the
    /// controls. Gives it back after.
    pub fn follow(&self, wants: bool) {
        if !self.embedded || self.held.replace(wants) == wants {
            return;
        }
        if wants {
            #[cfg(target_os = "linux")]
            if let Some(x11) = &self.x11 {
                x11.take_keys();
            }
            let _ = self.window.focus();
        } else {
            self.give_back();
        }
    }

    #[cfg(target_os = "linux")]
    fn give_back(&self) {
        if let Some(x11) = &self.x11 {
            x11.give_keys_back();
        }
    }

    #[cfg(target_os = "windows")]
    #[allow(unsafe_code)] // The system's functions are foreign.
    fn give_back(&self) {
        use raw_window_handle::{HasWindowHandle, RawWindowHandle};
        #[link(name = "user32")]
        unsafe extern "system" {
            fn GetParent(window: isize) -> isize;
            fn SetFocus(window: isize) -> isize;
        }
        let handle = self.window.window_handle().map(|handle| handle.as_raw());
        if let Ok(RawWindowHandle::Win32(handle)) = handle {
            // SAFETY: the window lives as long as its context, and belongs to this thread.
            unsafe {
                SetFocus(GetParent(handle.hwnd.get()));
            }
        }
    }

    // AppKit gives keys that the view ignores to the next responder, the host's.
    #[cfg(not(any(target_os = "linux", target_os = "windows")))]
    fn give_back(&self) {}

    /// Lets the first Tab after a click in the window begin a walk among the controls.
    pub fn watch(&self, event: &Event) {
        #[cfg(target_os = "linux")]
        if let (true, Some(x11)) = (self.embedded, &self.x11) {
            match event {
                Event::Mouse(MouseEvent::ButtonPressed { .. }) => x11.watch_tab(true),
                Event::Mouse(MouseEvent::CursorLeft) => x11.watch_tab(false),
                _ => {}
            }
        }
        #[cfg(not(target_os = "linux"))]
        let _ = (event, MouseEvent::CursorLeft);
    }

    /// Whether any part of the window may be on a screen. Unknown counts as yes.
    pub fn visible(&self) -> bool {
        #[cfg(target_os = "linux")]
        if let Some(x11) = &self.x11 {
            return x11.viewable();
        }
        true
    }
}
