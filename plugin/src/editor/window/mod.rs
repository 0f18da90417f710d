//! The editor's window: a baseview window with egui in it, made for hosts.
//!
//! It takes no keyboard at a click, accepts dropped files, and paints only when what it shows has
//! changed and can be seen. The framework's own egui window does none of these (see
//! `docs/upstream/egui-window.md`).

mod handler;
mod input;
mod keyboard;
#[cfg(target_os = "linux")]
mod x11;

use std::error::Error;
use std::sync::Arc;

use nice_plug::context::gui::GuiContext;
use nice_plug::editor::dpi::{LogicalSize, NativeSize, PhysicalSize, Size};
use nice_plug::editor::{
    Editor, EditorHandle, HostCallbacks, HostMainThreadCaller, HostMethods, ParentWindowHandle,
    ResizeHint, SizeConstraints, SpawnedEditor,
};
use nice_plug_egui::baseview::gl::GlConfig;
use nice_plug_egui::baseview::{self, HandlerError, Window, WindowSettings, WindowSize, host};
use parking_lot::Mutex;

use handler::Handler;

/// Content of a window.
pub trait Content: Send + 'static {
    /// Prepares for a window that was opened.
    fn open(&mut self, context: &egui::Context, gui: GuiContext);

    /// Gives up what belonged to the window, which is closed.
    fn close(&mut self);

    /// Draws one frame.
    fn show(&mut self, ui: &mut egui::Ui);

    /// A number that differs from the last one wherever a new frame would look different, by other
    /// causes than the player's input.
    fn stamp(&mut self) -> u64;
}

/// The size of a window in points, its zoom, and the system's scale.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Measure {
    /// Width and height in egui's points.
    points: [f32; 2],
    /// Host's points in one of egui's.
    zoom: f32,
    /// Pixels in one of the host's points; `None` until a window was open.
    scale: Option<f64>,
}

impl Measure {
    /// The size in the host's points.
    fn logical(&self) -> LogicalSize<f64> {
        let [width, height] = self.points.map(|x| f64::from(x * self.zoom));
        LogicalSize::new(width, height)
    }
}

/// An editor that shows `C` in a window.
pub struct WindowEditor<C: Content> {
    title: String,
    smallest: [f32; 2],
    measure: Arc<Mutex<Measure>>,
    content: Arc<Mutex<C>>,
}

impl<C: Content> WindowEditor<C> {
    /// An editor with a window of `size`, at least `smallest`, in points of `zoom` times the
    /// host's.
    pub fn new(title: &str, size: [f32; 2], smallest: [f32; 2], zoom: f32, content: C) -> Self {
        let measure = Measure {
            points: size,
            zoom,
            scale: None,
        };
        Self {
            title: title.to_owned(),
            smallest,
            measure: Arc::new(Mutex::new(measure)),
            content: Arc::new(Mutex::new(content)),
        }
    }
}

impl<C: Content> Editor for WindowEditor<C> {
    type Handle = Handle;

    fn spawn(
        &self,
        parent: Option<ParentWindowHandle>,
        wait_for_parent: bool,
        fallback_scale_factor: Option<f64>,
        gui: GuiContext,
        host: Option<HostMethods>,
    ) -> Result<SpawnedEditor<Handle>, Box<dyn Error>> {
        let embedded = parent.is_some() || wait_for_parent;
        let (measure, content) = (self.measure.clone(), self.content.clone());
        let settings = WindowSettings::new()
            .with_title(self.title.clone())
            .with_size(measure.lock().logical())
            // A hosted window is as large as the host says.
            .with_min_size::<Size>((!embedded).then(|| smallest(self.smallest)))
            .with_resizable(true)
            .with_parent(parent.as_ref())
            .with_wait_for_parent(wait_for_parent)
            .with_fallback_scale_factor(fallback_scale_factor)
            .with_gl_config(Some(GlConfig::default()));
        let build = move |window| Handler::new(window, embedded, measure, content, gui);
        let window = Window::create_with_host(settings, build, host.map(adapt))?;
        let handle = Handle {
            hint: self.resize_hint(),
        };
        Ok(SpawnedEditor { handle, window })
    }

    fn size(&self) -> NativeSize<u32> {
        let measure = *self.measure.lock();
        NativeSize::from_size(measure.logical().into(), measure.scale.unwrap_or(1.0))
    }

    fn resize_hint(&self) -> ResizeHint {
        let zoom = self.measure.lock().zoom;
        let [width, height] = self.smallest.map(|x| x * zoom);
        ResizeHint {
            can_resize: true,
            can_resize_horizontally: true,
            can_resize_vertically: true,
            size_constraints: SizeConstraints::Logical {
                min_size: Some(LogicalSize::new(width, height)),
                max_size: None,
            },
            ..ResizeHint::NON_RESIZABLE
        }
    }
}

/// A smallest size for the window manager: the size at the smallest zoom.
fn smallest(points: [f32; 2]) -> Size {
    let [width, height] = points.map(|x| f64::from(x * super::settings::ZOOMS[0]));
    LogicalSize::new(width, height).into()
}

/// A window that is open.
pub struct Handle {
    hint: ResizeHint,
}

impl EditorHandle for Handle {
    type Window = Window;
    type Error = baseview::Error;

    fn run_until_closed(window: Window) -> Result<(), baseview::Error> {
        window.run_until_closed()
    }

    fn set_parent(
        &self,
        parent: ParentWindowHandle,
        window: &Window,
    ) -> Result<(), baseview::Error> {
        window.set_parent(&parent)
    }

    fn show(&self, window: &Window) -> Result<(), baseview::Error> {
        window.show()
    }

    fn hide(&self, window: &Window) -> Result<(), baseview::Error> {
        window.hide()
    }

    fn set_size(&self, size: NativeSize<u32>, window: &Window) -> Result<(), baseview::Error> {
        window.resize(size)
    }

    fn host_main_thread_callback(&self, window: &Window) {
        window.host_main_thread_callback();
    }

    fn adjust_size(&self, size: NativeSize<u32>, window: &Window) -> Option<NativeSize<u32>> {
        let now = window.size();
        let native = NativeSize::from_logical_or_physical(now.logical, now.physical);
        Some(self.hint.adjust_size(size, native, now.scale_factor))
    }

    fn set_fallback_scale_factor(
        &self,
        scale: f64,
        window: &Window,
    ) -> Result<(), baseview::Error> {
        window.suggest_fallback_scale_factor(scale)
    }

    // The window looks for changes by itself, at its own pace.
    fn param_value_changed(&self, _id: &str, _normalized_value: f32) {}
    fn param_modulation_changed(&self, _id: &str, _modulation_offset: f32) {}
}

/// The host's callbacks in baseview's form.
fn adapt(methods: HostMethods) -> host::Host {
    struct Callbacks(Box<dyn HostCallbacks>);
    impl host::HostCallbacks for Callbacks {
        fn request_resize(&mut self, size: WindowSize) -> Result<(), HandlerError> {
            let pixels: PhysicalSize<u32> = size.physical;
            self.0
                .request_resize(pixels.into(), size.scale_factor)
                .map_err(HandlerError::from_boxed)
        }
        fn destroyed(&mut self) {
            self.0.destroyed();
        }
    }
    struct MainThread(Box<dyn HostMainThreadCaller>);
    impl host::HostMainThreadCaller for MainThread {
        fn call_main_thread(&mut self) {
            self.0.call_main_thread();
        }
    }
    host::Host::new()
        .with_callbacks(Callbacks(methods.callbacks))
        .with_main_thread(MainThread(methods.main_thread_caller))
}
