//! baseview's events in egui's form.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use egui::{
    CursorIcon, DroppedFile, DroppedFileHandle, HoveredFile, Key, Modifiers, PointerButton, Pos2,
};
use keyboard_types::{Code, Key as Pressed, KeyState, NamedKey};
use nice_plug_egui::baseview::{
    DropData, DropEffect, Event, EventStatus, MouseButton, MouseCursor, MouseEvent, ScrollDelta,
    WindowEvent,
};

/// A file dropped on the window.
#[derive(Debug)]
struct File(PathBuf);

impl DroppedFile for File {
    fn path(&self) -> &Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        std::fs::read(&self.0).map_err(|error| error.to_string())
    }
}

/// Input since the last frame.
#[derive(Default)]
pub struct Input {
    /// Events in their order.
    pub events: Vec<egui::Event>,
    /// Keys that change others, as they are now.
    pub modifiers: Modifiers,
    /// Files held over the window.
    pub hovered: Vec<HoveredFile>,
    /// Files dropped on it.
    pub dropped: Vec<DroppedFileHandle>,
    pointer: Option<Pos2>,
}

impl Input {
    /// Takes an event, with `ratio` pixels in a point and the clipboard's text where `paste` gives
    /// it. Returns whether the next frame may look different.
    pub fn push(
        &mut self,
        event: &Event,
        ratio: f32,
        paste: &mut dyn FnMut() -> Option<String>,
    ) -> bool {
        match event {
            Event::Mouse(event) => return self.mouse(event, ratio),
            Event::Keyboard(event) => {
                self.modify(event.modifiers);
                let pressed = event.state == KeyState::Down;
                if let Some(key) = key(&event.key) {
                    self.events.push(egui::Event::Key {
                        key,
                        physical_key: None,
                        pressed,
                        repeat: event.repeat,
                        modifiers: self.modifiers,
                    });
                }
                if pressed {
                    self.text(&event.key, event.code, paste);
                }
            }
            Event::Window(WindowEvent::Focused) => {
                self.events.push(egui::Event::WindowFocused(true));
            }
            Event::Window(WindowEvent::Unfocused) => {
                self.events.push(egui::Event::WindowFocused(false));
            }
            _ => return false,
        }
        true
    }

    fn mouse(&mut self, event: &MouseEvent, ratio: f32) -> bool {
        match event {
            MouseEvent::CursorMoved {
                position,
                modifiers,
            } => {
                self.modify(*modifiers);
                self.move_to(position.x, position.y, ratio);
            }
            MouseEvent::ButtonPressed { button, modifiers } => {
                self.modify(*modifiers);
                self.button(*button, true);
            }
            MouseEvent::ButtonReleased { button, modifiers } => {
                self.modify(*modifiers);
                self.button(*button, false);
            }
            MouseEvent::WheelScrolled { delta, modifiers } => {
                self.modify(*modifiers);
                let (unit, delta) = match *delta {
                    ScrollDelta::Lines { x, y } => (egui::MouseWheelUnit::Line, [x, y]),
                    ScrollDelta::Pixels { x, y } => {
                        (egui::MouseWheelUnit::Point, [x / ratio, y / ratio])
                    }
                };
                self.events.push(egui::Event::MouseWheel {
                    unit,
                    delta: delta.into(),
                    modifiers: self.modifiers,
                    phase: egui::TouchPhase::Move,
                    source: egui::MouseWheelSource::Unknown,
                });
            }
            MouseEvent::CursorLeft => {
                self.pointer = None;
                self.events.push(egui::Event::PointerGone);
            }
            MouseEvent::DragEntered { position, data, .. }
            | MouseEvent::DragMoved { position, data, .. } => {
                self.move_to(position.x, position.y, ratio);
                let hovered = |path| HoveredFile {
                    path: Some(path),
                    ..HoveredFile::default()
                };
                self.hovered = paths(data).into_iter().map(hovered).collect();
            }
            MouseEvent::DragLeft => self.hovered.clear(),
            MouseEvent::DragDropped { position, data, .. } => {
                self.move_to(position.x, position.y, ratio);
                self.hovered.clear();
                let dropped = paths(data)
                    .into_iter()
                    .map(|path| Arc::new(File(path)) as _);
                self.dropped.extend(dropped);
            }
            _ => return false,
        }
        true
    }

    fn move_to(&mut self, x: f64, y: f64, ratio: f32) {
        let at = Pos2::new(x as f32 / ratio, y as f32 / ratio);
        self.pointer = Some(at);
        self.events.push(egui::Event::PointerMoved(at));
    }

    fn button(&mut self, button: MouseButton, pressed: bool) {
        let button = match button {
            MouseButton::Left => PointerButton::Primary,
            MouseButton::Right => PointerButton::Secondary,
            MouseButton::Middle => PointerButton::Middle,
            _ => return,
        };
        if let Some(pos) = self.pointer {
            self.events.push(egui::Event::PointerButton {
                pos,
                button,
                pressed,
                modifiers: self.modifiers,
            });
        }
    }

    /// Takes the text that a key writes, or does what it does with the clipboard.
    fn text(&mut self, key: &Pressed, code: Code, paste: &mut dyn FnMut() -> Option<String>) {
        let held = self.modifiers;
        let insert = cfg!(target_os = "windows") && code == Code::Insert;
        if held.command && code == Code::KeyX {
            self.events.push(egui::Event::Cut);
        } else if held.command && code == Code::KeyC || held.ctrl && insert {
            self.events.push(egui::Event::Copy);
        } else if held.command && code == Code::KeyV || held.shift && insert {
            self.events.extend(paste().map(egui::Event::Paste));
        } else if let Pressed::Character(text) = key
            && !held.ctrl
            && !held.command
        {
            self.events.push(egui::Event::Text(text.clone()));
        }
    }

    fn modify(&mut self, held: keyboard_types::Modifiers) {
        let mac = cfg!(target_os = "macos");
        let new = Modifiers {
            alt: held.alt(),
            ctrl: held.ctrl(),
            shift: held.shift(),
            mac_cmd: mac && held.meta(),
            command: if mac { held.meta() } else { held.ctrl() },
        };
        if self.modifiers != new {
            self.modifiers = new;
            self.events.push(egui::Event::ModifiersChanged(new));
        }
    }
}

/// The files that a drag carries.
fn paths(data: &DropData) -> Vec<PathBuf> {
    match data {
        DropData::Files(paths) => paths.clone(),
        _ => Vec::new(),
    }
}

/// The answer to an event of egui's: files are welcome.
pub fn status(event: &Event) -> EventStatus {
    match event {
        Event::Mouse(
            MouseEvent::DragEntered { data, .. }
            | MouseEvent::DragMoved { data, .. }
            | MouseEvent::DragDropped { data, .. },
        ) if !paths(data).is_empty() => EventStatus::AcceptDrop(DropEffect::Copy),
        _ => EventStatus::Captured,
    }
}

fn key(key: &Pressed) -> Option<Key> {
    Some(match key {
        Pressed::Named(NamedKey::ArrowDown) => Key::ArrowDown,
        Pressed::Named(NamedKey::ArrowLeft) => Key::ArrowLeft,
        Pressed::Named(NamedKey::ArrowRight) => Key::ArrowRight,
        Pressed::Named(NamedKey::ArrowUp) => Key::ArrowUp,
        Pressed::Named(NamedKey::Escape) => Key::Escape,
        Pressed::Named(NamedKey::Tab) => Key::Tab,
        Pressed::Named(NamedKey::Backspace) => Key::Backspace,
        Pressed::Named(NamedKey::Enter) => Key::Enter,
        Pressed::Named(NamedKey::Insert) => Key::Insert,
        Pressed::Named(NamedKey::Delete) => Key::Delete,
        Pressed::Named(NamedKey::Home) => Key::Home,
        Pressed::Named(NamedKey::End) => Key::End,
        Pressed::Named(NamedKey::PageUp) => Key::PageUp,
        Pressed::Named(NamedKey::PageDown) => Key::PageDown,
        Pressed::Character(text) if text == " " => Key::Space,
        Pressed::Character(text) => Key::from_name(&text.to_uppercase())?,
        _ => return None,
    })
}

/// The system's cursor for egui's.
pub fn cursor(icon: CursorIcon) -> MouseCursor {
    match icon {
        CursorIcon::PointingHand => MouseCursor::Hand,
        CursorIcon::Text => MouseCursor::Text,
        CursorIcon::Grab => MouseCursor::Hand,
        CursorIcon::Grabbing => MouseCursor::HandGrabbing,
        CursorIcon::ResizeHorizontal => MouseCursor::EwResize,
        CursorIcon::ResizeVertical => MouseCursor::NsResize,
        CursorIcon::Crosshair => MouseCursor::Crosshair,
        CursorIcon::NotAllowed | CursorIcon::NoDrop => MouseCursor::NotAllowed,
        CursorIcon::None => MouseCursor::Hidden,
        _ => MouseCursor::Default,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nice_plug::editor::dpi::PhysicalPosition;

    fn push(input: &mut Input, event: MouseEvent) -> bool {
        input.push(&Event::Mouse(event), 2.0, &mut || None)
    }

    #[test]
    fn a_dropped_file_arrives_where_the_pointer_is() {
        let mut input = Input::default();
        let position = PhysicalPosition::new(40.0, 60.0);
        let data = DropData::Files(vec!["a.json".into()]);
        let modifiers = keyboard_types::Modifiers::empty();
        let entered = MouseEvent::DragEntered {
            position,
            modifiers,
            data: data.clone(),
        };
        let accepted = EventStatus::AcceptDrop(DropEffect::Copy);
        assert_eq!(status(&Event::Mouse(entered.clone())), accepted);
        assert!(push(&mut input, entered));
        assert_eq!(input.hovered.len(), 1);
        let dropped = MouseEvent::DragDropped {
            position,
            modifiers,
            data,
        };
        assert!(push(&mut input, dropped));
        assert!(input.hovered.is_empty());
        assert_eq!(input.dropped[0].path(), Path::new("a.json"));
        let at = Pos2::new(20.0, 30.0);
        assert!(input.events.contains(&egui::Event::PointerMoved(at)));
    }

    #[test]
    fn a_click_is_where_the_pointer_went_and_none_without_it() {
        let mut input = Input::default();
        let modifiers = keyboard_types::Modifiers::SHIFT;
        let button = MouseButton::Left;
        push(&mut input, MouseEvent::ButtonPressed { button, modifiers });
        assert!(input.modifiers.shift);
        let pressed = |input: &Input| {
            input.events.iter().find_map(|event| match event {
                egui::Event::PointerButton { pos, .. } => Some(*pos),
                _ => None,
            })
        };
        assert_eq!(pressed(&input), None);
        let position = PhysicalPosition::new(10.0, 10.0);
        push(
            &mut input,
            MouseEvent::CursorMoved {
                position,
                modifiers,
            },
        );
        push(&mut input, MouseEvent::ButtonPressed { button, modifiers });
        assert_eq!(pressed(&input), Some(Pos2::new(5.0, 5.0)));
    }

    #[test]
    fn keys_write_text_and_use_the_clipboard() {
        let mut input = Input::default();
        let mut press = |key: &str, code, modifiers| {
            let event = keyboard_types::KeyboardEvent {
                state: KeyState::Down,
                key: Pressed::Character(key.into()),
                code,
                modifiers,
                ..Default::default()
            };
            input.events.clear();
            input.push(&Event::Keyboard(event), 1.0, &mut || Some("pasted".into()));
            input.events.clone()
        };
        let none = keyboard_types::Modifiers::empty();
        let events = press("é", Code::KeyE, none);
        assert!(events.contains(&egui::Event::Text("é".into())));
        let command = match cfg!(target_os = "macos") {
            true => keyboard_types::Modifiers::META,
            false => keyboard_types::Modifiers::CONTROL,
        };
        let events = press("v", Code::KeyV, command);
        assert!(events.contains(&egui::Event::Paste("pasted".into())));
        assert!(
            !events
                .iter()
                .any(|event| matches!(event, egui::Event::Text(_)))
        );
        assert!(press("c", Code::KeyC, command).contains(&egui::Event::Copy));
    }
}
