//! Knobs that a length in the host's tempo stands in for: they show that length, and can't be
//! turned until it is off.

use egui::{Rect, Role, Sense, Ui, WidgetInfo};
use synth::Unit;
use synth::params::{DELAY_SYNC, DELAY_TIME, LFO_RATE, LFO_SYNC, LFO2_RATE, LFO2_SYNC};

use super::control::{centred, layout, row};
use super::knob::Look;
use super::{Scene, theme};

/// Rows that are synced, and the choices of their lengths.
const SYNCED: [(usize, usize); 3] = [
    (LFO_RATE, LFO_SYNC),
    (LFO2_RATE, LFO2_SYNC),
    (DELAY_TIME, DELAY_SYNC),
];

/// Row of the choice of a row's length.
fn choice(param: usize) -> Option<usize> {
    let found = SYNCED.iter().find(|(synced, _)| *synced == param);
    found.map(|&(_, choice)| choice)
}

/// Name of the length that stands in for a parameter; `None` while the parameter counts.
pub fn length(param: usize, scene: &Scene<'_>) -> Option<&'static str> {
    let choice = choice(param)?;
    let Unit::Choice(names) = row(choice).unit else {
        return None;
    };
    // The first one is off.
    let index = scene.effective.plain(choice).round() as usize;
    names.get(index).copied().filter(|_| index > 0)
}

/// Draws the knob of a parameter with the `length` that stands in for it.
pub fn show(ui: &Ui, rect: Rect, param: usize, label: &str, length: &str, scene: &Scene<'_>) {
    let (centre, radius, lines) = layout(rect);
    let value = scene.effective.get(param);
    Look {
        centre,
        radius,
        value,
        origin: value,
        sounding: None,
        range: None,
        active: false,
        modulation: None,
        lit: false,
        focused: false,
    }
    .paint(ui.painter());
    centred(ui, lines[0], label, theme::DIM);
    centred(ui, lines[1], length, theme::DIM);
    let table = row(param);
    let id = ui.scope_id().with(("synced", param));
    let response = ui.interact(rect, id, Sense::hover());
    response.widget_info(|| {
        let mut info = WidgetInfo::labeled(Role::Slider, false, table.name);
        info.current_text_value = Some(length.to_owned());
        info
    });
    let sync = choice(param).map_or("", |choice| row(choice).name);
    let name = table.name;
    response.on_hover_text(format!(
        "{name}: {length} of the host's tempo. Turn {sync} off to set it by hand."
    ));
}
