//! The knobs of all sections, laid out from the parameter table.

use egui::{Align2, CursorIcon, Pos2, Rect, Sense, Ui, pos2, vec2};
use synth::params::matched_index;
use synth::{MATCHED, PARAMS, Section};

use super::knob::{Inferred, Knob, LockClick, paint_lock};
use super::{Scene, capitalised, locks, theme};

/// Distance from a panel's top to the foot of the labels, in points.
const LABELS: f32 = 46.0;
/// Height of a row of panels.
const ROW: f32 = 135.0;
/// Rows of panels on a page.
const ROWS: usize = 3;
/// Names and sections of the pages.
pub const PAGES: [(&str, &[Section]); 3] = [
    (
        "Sound",
        &[
            Section::Osc1,
            Section::Osc2,
            Section::Unison,
            Section::Mixer,
            Section::Filter,
            Section::FilterEnv,
            Section::AmpEnv,
        ],
    ),
    (
        "Modulation",
        &[
            Section::Lfo,
            Section::Lfo2,
            Section::Modulation,
            Section::Modulation2,
        ],
    ),
    (
        "Playing and effects",
        &[
            Section::Voice,
            Section::Chorus,
            Section::Delay,
            Section::Reverb,
        ],
    ),
];
/// Largest width of a knob's cell.
const WIDEST: f32 = 100.0;
/// Width of a page's tab.
const TAB: f32 = 140.0;
/// Height of the tabs.
const TABS: f32 = 22.0;
/// Height of a page with the tabs.
pub const HEIGHT: f32 = TABS + ROWS as f32 * (ROW + theme::GAP) - theme::GAP;
/// Largest radius of a knob's track.
const RADIUS: f32 = 19.0;

/// A section with its rows of the table.
struct Panel {
    section: Section,
    rows: Vec<usize>,
    /// Length in bytes of the words that all names begin with; labels leave them out.
    prefix: usize,
}

/// The panels of all pages; a page has rows of about equally many knobs.
pub struct Panels {
    pages: [[Vec<Panel>; ROWS]; PAGES.len()],
    /// Index of the open page.
    pub page: usize,
}

impl Panels {
    /// Lays out the parameter table.
    pub fn new() -> Self {
        let pages = PAGES.map(|(_, sections)| {
            let panels: Vec<Panel> = sections.iter().map(|&s| Panel::of(s)).collect();
            let all: usize = panels.iter().map(|panel| panel.rows.len()).sum();
            let mut rows = [const { Vec::new() }; ROWS];
            let mut knobs = 0;
            for panel in panels {
                // A panel lies where its middle would in one long row, cut into equal parts.
                let middle = 2 * knobs + panel.rows.len();
                knobs += panel.rows.len();
                rows[(ROWS * middle / (2 * all)).min(ROWS - 1)].push(panel);
            }
            rows
        });
        Self { pages, page: 0 }
    }

    /// Draws the open page into `rect` and carries out clicks and drags.
    pub fn show(&mut self, ui: &Ui, rect: Rect, scene: &Scene<'_>) {
        self.tabs(ui, rect.min);
        for (k, row) in self.pages[self.page].iter().enumerate() {
            let top = rect.top() + TABS + k as f32 * (ROW + theme::GAP);
            let knobs: usize = row.iter().map(|panel| panel.rows.len()).sum();
            let margins = row.len() as f32 * (2.0 * theme::PAD + theme::GAP) - theme::GAP;
            let cell = ((rect.width() - margins) / knobs as f32).min(WIDEST);
            let mut left = rect.left();
            for panel in row {
                let width = panel.rows.len() as f32 * cell + 2.0 * theme::PAD;
                let area = Rect::from_min_size(pos2(left, top), vec2(width, ROW));
                panel.show(ui, area, cell, scene);
                left += width + theme::GAP;
            }
        }
    }

    /// Draws the tabs; a click opens a page.
    fn tabs(&mut self, ui: &Ui, at: Pos2) {
        for (page, (name, _)) in PAGES.into_iter().enumerate() {
            let corner = at + vec2(theme::PAD + TAB * page as f32, 0.0);
            let area = Rect::from_min_size(corner, vec2(TAB - theme::PAD, TABS - 4.0));
            let tab = ui
                .interact(area, ui.scope_id().with(("page", page)), Sense::click())
                .on_hover_cursor(CursorIcon::PointingHand);
            if tab.clicked() {
                self.page = page;
            }
            let colour = match (self.page == page, tab.hovered()) {
                (true, _) => theme::TEXT,
                (false, true) => theme::DIM,
                (false, false) => theme::FAINT,
            };
            ui.painter().text(
                area.left_center(),
                Align2::LEFT_CENTER,
                name.to_uppercase(),
                theme::font(10.5),
                colour,
            );
        }
    }
}

impl Panel {
    fn of(section: Section) -> Self {
        let rows: Vec<_> = (0..PARAMS.len())
            .filter(|&row| PARAMS[row].section == section)
            .collect();
        let words = |row: usize| PARAMS[row].name.split_inclusive(' ');
        let shared = |n: usize| {
            let first = words(rows[0]).nth(n).filter(|word| word.ends_with(' '));
            first.is_some_and(|word| rows.iter().all(|&row| words(row).nth(n) == Some(word)))
        };
        let common = if rows.len() > 1 {
            (0..).take_while(|&n| shared(n)).count()
        } else {
            0
        };
        let prefix = rows
            .first()
            .map_or(0, |&row| words(row).take(common).map(str::len).sum());
        Self {
            section,
            rows,
            prefix,
        }
    }

    fn show(&self, ui: &Ui, area: Rect, cell: f32, scene: &Scene<'_>) {
        theme::card(ui.painter(), area);
        let corner = area.min + vec2(theme::PAD, 8.0);
        theme::heading(ui.painter(), corner, self.section.name());
        self.lock(ui, pos2(area.right() - theme::PAD, corner.y + 6.0), scene);
        for (k, &row) in self.rows.iter().enumerate() {
            let radius = RADIUS.min(cell / 2.0 - 8.0);
            let centre = pos2(
                area.left() + theme::PAD + (k as f32 + 0.5) * cell,
                area.top() + LABELS + Knob::outer(radius),
            );
            let label = capitalised(&PARAMS[row].name[self.prefix..]);
            knob(ui, centre, cell, radius, &label, row, scene);
        }
    }
}

impl Panel {
    /// Draws the section's lock, if the match has a part in it: a click releases all its knobs, or
    /// keeps them as they sound if none is locked.
    fn lock(&self, ui: &Ui, centre: Pos2, scene: &Scene<'_>) {
        let matched = |i: usize| self.rows.contains(&MATCHED[i]);
        let locked = (0..MATCHED.len()).any(|i| matched(i) && scene.limits.locked[i]);
        let heard = scene.held.is_some() && scene.amount > 0.0;
        if !(0..MATCHED.len()).any(matched) || !(locked || heard) {
            return;
        }
        let place = Rect::from_center_size(centre, vec2(18.0, 18.0));
        let name = self.section.name();
        let lock = ui
            .interact(place, ui.scope_id().with(("lock", name)), Sense::click())
            .on_hover_cursor(CursorIcon::PointingHand);
        paint_lock(ui.painter(), centre, locked, lock.hovered());
        if lock.clicked() {
            match locked {
                true => locks::release(name, &self.rows, scene),
                false => locks::lock_as_heard(name, &self.rows, scene),
            }
        }
        lock.on_hover_text(match locked {
            true => "Click to release this section: the match moves all its knobs again.",
            false => "Click to keep this section as it sounds now.",
        });
    }
}

/// Draws the knob of a row of the table.
fn knob(
    ui: &Ui,
    centre: Pos2,
    width: f32,
    radius: f32,
    label: &str,
    row: usize,
    scene: &Scene<'_>,
) {
    let table = &PARAMS[row];
    let place = matched_index(row);
    let locked = place.is_some_and(|i| scene.limits.locked[i]);
    let inferred = place
        .zip(scene.held)
        .filter(|_| !locked && scene.amount > 0.0)
        .map(|(i, held)| Inferred {
            effective: scene.effective.get(row),
            text: table.format(table.plain(held.inferred(i, &scene.limits))),
        });
    let hint = match (&inferred, place) {
        (Some(inferred), _) => {
            let sounds = table.format(scene.effective.plain(row));
            format!(
                "{}: inferred {}, sounds at {sounds}",
                table.name, inferred.text
            )
        }
        (None, Some(_)) => format!("{} (follows the reference)", table.name),
        (None, None) => format!("{} (not matched)", table.name),
    };
    let click = Knob {
        param: row,
        label,
        radius,
        origin: table.normalized(0.0f32.clamp(table.min, table.max)),
        matched: place.is_some(),
        inferred,
        locked,
        hint: &hint,
    }
    .show(ui, centre, width, scene);
    match click {
        Some(LockClick::Lock) => locks::lock_as_heard(table.name, &[row], scene),
        Some(LockClick::Release) => locks::release(table.name, &[row], scene),
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_one_knob_with_a_name() {
        let panels = Panels::new();
        let mut rows: Vec<_> = panels
            .pages
            .iter()
            .flatten()
            .flatten()
            .flat_map(|panel| panel.rows.clone())
            .collect();
        rows.sort_unstable();
        assert!(rows.iter().copied().eq(0..PARAMS.len()));
        for panel in panels.pages.iter().flatten().flatten() {
            for &row in &panel.rows {
                assert!(!PARAMS[row].name[panel.prefix..].trim().is_empty());
            }
        }
        let prefix = |section| Panel::of(section).prefix;
        assert_eq!(prefix(Section::Osc1), "Osc 1 ".len());
        assert_eq!(prefix(Section::Voice), 0);
    }
}
