//! The window's events and frames.

use std::cell::{Cell, RefCell};
use std::mem::take;
use std::sync::Arc;
use std::time::{Duration, Instant};

use copypasta::{ClipboardContext, ClipboardProvider};
use egui::{Context, OutputCommand, RawInput, Rect, ViewportId, ViewportInfo, pos2, vec2};
use egui_glow::Painter;
use egui_glow::glow::{self, HasContext as _};
use nice_plug::context::gui::GuiContext;
use nice_plug::editor::dpi::LogicalSize;
use nice_plug_egui::baseview::{
    Event, EventStatus, HandlerError, MouseCursor, TimerHandle, WindowContext, WindowHandler,
    WindowSize,
};
use parking_lot::Mutex;

use super::input::{self, Input};
use super::keyboard::Keyboard;
use super::{Content, Measure};

/// Time at which a frame is due; `None` until something happens.
type Due = Arc<Mutex<Option<Instant>>>;

/// Time between two looks at whether something has changed.
const LOOK: Duration = Duration::from_millis(33);

/// The window's part in baseview's loop.
pub struct Handler<C: Content> {
    window: WindowContext,
    keyboard: Keyboard,
    context: Context,
    painter: RefCell<Painter>,
    gl: Arc<glow::Context>,
    input: RefCell<Input>,
    clipboard: RefCell<Option<ClipboardContext>>,
    cursor: Cell<MouseCursor>,
    start: Instant,
    measure: Arc<Mutex<Measure>>,
    content: Arc<Mutex<C>>,
    /// [`Content::stamp`] of the last frame; `None` before the first, until which no frame may be
    /// asked for: baseview asks an unmapped X11 window for its next frame and waits for ever.
    drawn: Cell<Option<u64>>,
    /// Time at which egui wants its next frame.
    due: Due,
    look: TimerHandle,
}

impl<C: Content> Handler<C> {
    /// The handler of a new window; `embedded` in a host's.
    ///
    /// # Errors
    ///
    /// Returns an error where the window has no OpenGL.
    pub fn new(
        window: WindowContext,
        embedded: bool,
        measure: Arc<Mutex<Measure>>,
        content: Arc<Mutex<C>>,
        gui: GuiContext,
    ) -> Result<Self, HandlerError> {
        let (gl, painter) = painter(&window)?;
        let context = Context::default();
        context.set_zoom_factor(measure.lock().zoom);
        content.lock().open(&context, gui);
        let look = window.create_timer(LOOK)?;
        let due = Due::default();
        let wanted = due.clone();
        context.set_request_repaint_callback(move |info| {
            if let Some(at) = Instant::now().checked_add(info.delay) {
                let mut due = wanted.lock();
                *due = Some(due.map_or(at, |due| due.min(at)));
            }
        });
        Ok(Self {
            keyboard: Keyboard::new(&window, embedded),
            context,
            painter: RefCell::new(painter),
            gl,
            input: RefCell::new(Input::default()),
            clipboard: RefCell::new(ClipboardContext::new().ok()),
            cursor: Cell::new(MouseCursor::Default),
            start: Instant::now(),
            measure,
            content,
            drawn: Cell::new(None),
            due,
            look,
            window,
        })
    }

    /// Pixels in one of egui's points.
    fn pixels_per_point(&self) -> f32 {
        self.window.scale_factor() as f32 * self.context.zoom_factor()
    }

    /// All that egui is told before a frame.
    fn raw_input(&self) -> RawInput {
        let size = self.window.size();
        let ratio = self.pixels_per_point();
        let points = vec2(size.physical.width as f32, size.physical.height as f32) / ratio;
        let screen = Rect::from_min_size(pos2(0.0, 0.0), points);
        let mut input = self.input.borrow_mut();
        let viewport = ViewportInfo {
            native_pixels_per_point: Some(size.scale_factor as f32),
            inner_rect: Some(screen),
            focused: Some(self.keyboard.held()),
            ..ViewportInfo::default()
        };
        RawInput {
            viewport_id: ViewportId::ROOT,
            viewports: [(ViewportId::ROOT, viewport)].into_iter().collect(),
            screen_rect: Some(screen),
            max_texture_side: Some(self.painter.borrow().max_texture_side()),
            time: Some(self.start.elapsed().as_secs_f64()),
            focused: self.keyboard.held(),
            events: take(&mut input.events),
            hovered_files: input.hovered.clone(),
            dropped_files: take(&mut input.dropped),
            ..RawInput::default()
        }
    }

    /// Paints what egui has drawn.
    fn paint(&self, output: &mut egui::FullOutput) -> Result<(), HandlerError> {
        let size = self.window.size().physical;
        let ratio = self.pixels_per_point();
        let shapes = self.context.tessellate(take(&mut output.shapes), ratio);
        let mut painter = self.painter.borrow_mut();
        let surface = self.window.gl_context().ok_or_else(no_opengl)?;
        // SAFETY: the context is this window's, and current on this thread only here.
        #[allow(unsafe_code)] // OpenGL is foreign code.
        unsafe {
            surface.make_current()?;
            self.gl.clear_color(0.0, 0.0, 0.0, 1.0);
            self.gl.clear(glow::COLOR_BUFFER_BIT);
        }
        for (id, images) in output.textures_delta.set.drain() {
            for image in images {
                painter.set_texture(id, &image);
            }
        }
        painter.paint_primitives([size.width, size.height], ratio, &shapes);
        for id in output.textures_delta.free.drain() {
            painter.free_texture(id);
        }
        surface.swap_buffers()?;
        // SAFETY: as above.
        #[allow(unsafe_code)]
        unsafe {
            surface.make_not_current()?;
        }
        Ok(())
    }

    /// Does what egui asks the system for.
    fn obey(&self, output: egui::PlatformOutput) {
        for command in output.commands {
            match command {
                OutputCommand::CopyText(text) => {
                    if let Some(clipboard) = &mut *self.clipboard.borrow_mut() {
                        // There is nothing to be done about a clipboard that refuses.
                        let _ = clipboard.set_contents(text);
                    }
                }
                OutputCommand::OpenUrl(_)
                | OutputCommand::CopyImage(_)
                | OutputCommand::TextSelectionSettled(_) => {}
            }
        }
        let cursor = input::cursor(output.cursor_icon);
        if self.cursor.replace(cursor) != cursor {
            let _ = self.window.set_mouse_cursor(cursor);
        }
    }

    /// Gives the window the size of its content after the player has changed the zoom.
    fn zoom(&self) {
        let zoom = self.context.zoom_factor();
        let mut measure = self.measure.lock();
        if measure.zoom == zoom {
            return;
        }
        measure.zoom = zoom;
        let size = measure.logical();
        drop(measure);
        // A host may refuse; the window then shows more or less in the same room.
        let _ = self.window.resize(size);
    }

    /// Asks for a frame where there is a window to show it in.
    fn request(&self) {
        if self.drawn.get().is_some() && self.keyboard.visible() {
            self.window.request_redraw();
        }
    }
}

/// The error of a window that can't be drawn in.
fn no_opengl() -> std::io::Error {
    std::io::Error::other("the window has no OpenGL: install or update the graphics driver")
}

/// egui's painter for a window.
fn painter(window: &WindowContext) -> Result<(Arc<glow::Context>, Painter), HandlerError> {
    let surface = window.gl_context().ok_or_else(no_opengl)?;
    // SAFETY: the context is this window's, and current on this thread only here.
    #[allow(unsafe_code)] // OpenGL is foreign code.
    let gl = unsafe {
        surface.make_current()?;
        glow::Context::from_loader_function_cstr(|name| surface.get_proc_address(name))
    };
    let gl = Arc::new(gl);
    let painter = Painter::new(gl.clone(), "", None, true)?;
    // SAFETY: as above.
    #[allow(unsafe_code)]
    unsafe {
        surface.make_not_current()?;
    }
    Ok((gl, painter))
}

impl<C: Content> WindowHandler for Handler<C> {
    fn draw(&self) -> Result<(), HandlerError> {
        *self.due.lock() = None;
        let input = self.raw_input();
        let (stamp, mut output) = {
            let mut content = self.content.lock();
            let stamp = content.stamp();
            (stamp, self.context.run_ui(input, |ui| content.show(ui)))
        };
        self.drawn.set(Some(stamp));
        self.paint(&mut output)?;
        self.obey(take(&mut output.platform_output));
        self.zoom();
        self.keyboard
            .follow(self.context.egui_wants_keyboard_input());
        Ok(())
    }

    fn resized(&self, size: WindowSize) -> Result<(), HandlerError> {
        let mut measure = self.measure.lock();
        let points: LogicalSize<f32> = size
            .physical
            .to_logical(size.scale_factor * f64::from(measure.zoom));
        measure.points = [points.width, points.height];
        measure.scale = Some(size.scale_factor);
        Ok(())
    }

    fn on_event(&self, event: Event) -> EventStatus {
        let mut input = self.input.borrow_mut();
        let mut paste = || self.clipboard.borrow_mut().as_mut()?.get_contents().ok();
        let news = input.push(&event, self.pixels_per_point(), &mut paste);
        drop(input);
        self.keyboard.watch(&event);
        if news {
            self.request();
        }
        match event {
            Event::Keyboard(_) if !self.context.egui_wants_keyboard_input() => EventStatus::Ignored,
            event => input::status(&event),
        }
    }

    fn on_timer(&self, timer: &TimerHandle) {
        if timer != self.look || self.drawn.get().is_none() {
            return;
        }
        let due = self.due.lock().is_some_and(|due| due <= Instant::now());
        if due || self.drawn.get() != Some(self.content.lock().stamp()) {
            self.request();
        }
    }
}

impl<C: Content> Drop for Handler<C> {
    fn drop(&mut self) {
        self.content.lock().close();
        self.keyboard.follow(false);
        if let Some(surface) = self.window.gl_context() {
            // SAFETY: the context is this window's; its textures go with it.
            #[allow(unsafe_code)] // OpenGL is foreign code.
            unsafe {
                if surface.make_current().is_ok() {
                    self.painter.borrow_mut().destroy();
                    let _ = surface.make_not_current();
                }
            }
        }
    }
}
