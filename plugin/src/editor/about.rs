//! The page about this instance: version, engine, counters, and what to send with a question.

use std::sync::atomic::Ordering;

use egui::{Rect, RichText, Ui};
use matcher::engine::EngineStatus;

use super::{App, Scene, View, theme};

impl App {
    /// Draws the page into `rect`.
    pub(super) fn about(&mut self, ui: &mut Ui, rect: Rect, scene: &Scene<'_>) {
        theme::card(ui.painter(), rect);
        let mut ui = ui.new_child(egui::UiBuilder::new().max_rect(rect.shrink(16.0)));
        ui.horizontal(|ui| {
            ui.label(RichText::new("MirrorNet").size(20.0));
            ui.label(concat!("version ", env!("CARGO_PKG_VERSION")));
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                if ui.button("Close").clicked() {
                    self.view = View::Main;
                }
            });
        });
        ui.label("A synthesizer that sounds like what it listens to. MIT or Apache-2.0.");
        ui.add_space(10.0);
        egui::ScrollArea::vertical().show(&mut ui, |ui| {
            ui.label(RichText::new("THE ENCODER").size(11.0).color(theme::DIM));
            match &scene.engine {
                None => drop(ui.label("The host has switched this instrument off.")),
                Some(_) => drop(ui.label(scene.listening())),
            }
            let again = matches!(
                scene.engine,
                Some(
                    EngineStatus::Running { .. }
                        | EngineStatus::Missing { .. }
                        | EngineStatus::Stopped { .. }
                )
            );
            let failed = matches!(
                scene.snapshot.status,
                matcher::live::Status::NotListening(_)
            );
            if (again || failed) && ui.button("Restart, and read the model again").clicked() {
                scene.params.state.listener.restart();
            }
            ui.add_space(10.0);
            ui.label(
                RichText::new("SINCE THE START")
                    .size(11.0)
                    .color(theme::DIM),
            );
            for (name, count) in counts(scene) {
                ui.label(format!("{name}: {count}"));
            }
            ui.add_space(10.0);
            if ui.button("Copy diagnostics").clicked() {
                ui.ctx().copy_text(diagnostics(scene));
                let time = ui.input(|input| input.time);
                self.note = Some(("The diagnostics are on the clipboard".into(), time));
            }
        });
    }
}

/// Counts of events that can make one pass sound unlike the next.
fn counts(scene: &Scene<'_>) -> [(&'static str, u64); 4] {
    let snapshot = &scene.snapshot;
    let switches = &scene.params.state.offline_switches;
    [
        ("Answers that came too late", snapshot.late),
        ("Samples that were not heard", snapshot.dropped),
        (
            "Times the host was found to be faster than real time",
            u64::from(switches.load(Ordering::Relaxed)),
        ),
        (
            "Changes between engine and built-in encoder",
            snapshot.changes,
        ),
    ]
}

/// Text to send with a question.
fn diagnostics(scene: &Scene<'_>) -> String {
    let mut text = format!(
        "MirrorNet {} on {} {}\nAs: {:?}\nSample rate: {} Hz\nStatus: {}\nEncoder: {}\n",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH,
        scene.api,
        scene.params.state.feed.rate(),
        scene.snapshot.status,
        scene.listening(),
    );
    for (name, count) in counts(scene) {
        text += &format!("{name}: {count}\n");
    }
    text
}
