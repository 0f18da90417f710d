//! The lower half: the few knobs that matter most, and a page for each group of sections.

use egui::{Align2, CursorIcon, Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};
use synth::params::*;
use synth::{COUNT, MATCHED, PARAMS, Section};

use super::control::{self, button_body};
use super::picture::Picture;
use super::{Scene, knob, locks, matrix, theme};

/// Height of the row of tabs, in points.
const TABS: f32 = 26.0;
/// Height of a card's heading.
const HEADING: f32 = 24.0;
/// Smallest and largest width of a control.
const CELL: [f32; 2] = [50.0, 84.0];
/// Largest height of a control.
const LARGE: f32 = 118.0;
/// Smallest height of a picture that is worth drawing.
const PICTURE: f32 = 26.0;

/// A page of the lower half.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// The most important controls of all sections.
    Main,
    /// All controls of some sections.
    Sections(&'static str, &'static [Section]),
    /// The modulation matrix.
    Matrix,
}

/// All pages, in the order in which sound flows.
pub const PAGES: [Page; 8] = [
    Page::Main,
    Page::Sections(
        "Oscillators",
        &[
            Section::Osc1,
            Section::Osc2,
            Section::Unison,
            Section::Mixer,
        ],
    ),
    Page::Sections("Filter", &[Section::Filter]),
    Page::Sections("Envelopes", &[Section::FilterEnv, Section::AmpEnv]),
    Page::Sections("LFOs", &[Section::Lfo, Section::Lfo2]),
    Page::Matrix,
    Page::Sections(
        "Effects",
        &[Section::Chorus, Section::Delay, Section::Reverb],
    ),
    Page::Sections("Playing", &[Section::Voice]),
];

impl Page {
    /// Name on its tab.
    pub fn name(self) -> &'static str {
        match self {
            Self::Main => "Main",
            Self::Matrix => "Modulation",
            Self::Sections(name, _) => name,
        }
    }
}

/// A card of the main page.
struct Card {
    name: &'static str,
    /// Share of the width.
    share: f32,
    pictures: &'static [Picture],
    /// Rows of controls with their labels.
    rows: &'static [&'static [(usize, &'static str)]],
    /// Page with the rest.
    more: usize,
}

/// The main page.
static CARDS: [Card; 5] = [
    Card {
        name: "Oscillators",
        share: 3.9,
        pictures: &[Picture::Waveform(0), Picture::Waveform(1)],
        rows: &[
            &[
                (OSC1_SHAPE, "Shape 1"),
                (OSC1_PITCH, "Pitch 1"),
                (OSC2_SHAPE, "Shape 2"),
                (OSC2_DETUNE, "Detune"),
            ],
            &[
                (OSC_BALANCE, "Balance"),
                (SUB_LEVEL, "Sub"),
                (NOISE_LEVEL, "Noise"),
                (UNISON_VOICES, "Unison"),
            ],
        ],
        more: 1,
    },
    Card {
        name: "Filter",
        share: 3.5,
        pictures: &[Picture::Filter],
        rows: &[
            &[
                (FILTER_CUTOFF, "Cutoff"),
                (FILTER_RESONANCE, "Resonance"),
                (FILTER_DRIVE, "Drive"),
            ],
            &[
                (FILTER_TYPE, "Type"),
                (FILTER_ENV_AMOUNT, "Envelope"),
                (HIGHPASS_CUTOFF, "High-pass"),
            ],
        ],
        more: 2,
    },
    Card {
        name: "Filter envelope",
        share: 2.0,
        pictures: &[Picture::Envelope(Section::FilterEnv)],
        rows: &[
            &[(FILTER_ATTACK, "Attack"), (FILTER_DECAY, "Decay")],
            &[(FILTER_SUSTAIN, "Sustain"), (FILTER_RELEASE, "Release")],
        ],
        more: 3,
    },
    Card {
        name: "Amp envelope",
        share: 2.0,
        pictures: &[Picture::Envelope(Section::AmpEnv)],
        rows: &[
            &[(AMP_ATTACK, "Attack"), (AMP_DECAY, "Decay")],
            &[(AMP_SUSTAIN, "Sustain"), (AMP_RELEASE, "Release")],
        ],
        more: 3,
    },
    Card {
        name: "Movement and space",
        share: 3.9,
        pictures: &[Picture::Lfo(0)],
        rows: &[
            &[
                (LFO_RATE, "Rate"),
                (LFO_VIBRATO, "Vibrato"),
                (LFO_TREMOLO, "Tremolo"),
                (LFO_CUTOFF, "To cutoff"),
            ],
            &[
                (CHORUS_MIX, "Chorus"),
                (DELAY_MIX, "Delay"),
                (REVERB_MIX, "Reverb"),
                (LEVEL, "Level"),
            ],
        ],
        more: 4,
    },
];

/// The main page's rows of the table, by the pages of the rest that they belong to: name and rows.
pub fn main_page() -> Vec<(&'static str, Vec<usize>)> {
    let groups = CARDS.chunk_by(|a, b| a.more == b.more);
    let rows = |card: &'static Card| card.rows.iter().copied().flatten().map(|&(row, _)| row);
    groups
        .map(|cards| {
            let name = match cards {
                [card] => card.name,
                _ => PAGES[cards[0].more].name(),
            };
            (name, cards.iter().flat_map(rows).collect())
        })
        .collect()
}

/// Draws the tabs and the open page into `rect`; a click on a tab changes `page`.
pub fn show(ui: &mut Ui, rect: Rect, page: &mut usize, scene: &Scene<'_>) {
    let tabs = Rect::from_min_size(rect.min, vec2(rect.width(), TABS));
    let width = (tabs.width() / PAGES.len() as f32).min(108.0);
    for (i, tab) in PAGES.iter().enumerate() {
        let left = tabs.left() + width * i as f32;
        let place = Rect::from_min_size(pos2(left, tabs.top()), vec2(width - 4.0, TABS - 4.0));
        let response = ui
            .interact(place, ui.scope_id().with(("page", i)), Sense::click())
            .on_hover_cursor(CursorIcon::PointingHand);
        let open = *page == i;
        response.widget_info(|| WidgetInfo::selected(Role::Tab, true, open, tab.name()));
        if response.clicked() {
            *page = i;
        }
        button_body(ui, place, &response, open);
        let colour = if open { theme::TEXT } else { theme::DIM };
        let words = (place.center(), Align2::CENTER_CENTER, place.width() - 6.0);
        theme::line(ui.painter(), words.0, words.1, words.2, tab.name(), colour);
    }
    let below = Rect::from_min_max(pos2(rect.left(), tabs.bottom() + 2.0), rect.max);
    match PAGES[(*page).min(PAGES.len() - 1)] {
        Page::Main => main(ui, below, page, scene),
        Page::Matrix => matrix::show(ui, below, scene),
        Page::Sections(_, sections) => groups(ui, below, sections, scene),
    }
}

/// The main page.
fn main(ui: &mut Ui, rect: Rect, page: &mut usize, scene: &Scene<'_>) {
    let shares: f32 = CARDS.iter().map(|card| card.share).sum();
    let gaps = theme::GAP * (CARDS.len() - 1) as f32;
    let mut left = rect.left();
    for card in &CARDS {
        let width = (rect.width() - gaps) * card.share / shares;
        let area = Rect::from_min_size(pos2(left, rect.top()), vec2(width, rect.height()));
        left += width + theme::GAP;
        theme::card(ui.painter(), area);
        let inside = area.shrink2(vec2(6.0, 6.0));
        let rows: Vec<usize> = card
            .rows
            .iter()
            .copied()
            .flatten()
            .map(|&(row, _)| row)
            .collect();
        let more = heading(ui, inside, card.name, &rows, Some(card.more), scene);
        if more {
            *page = card.more;
        }
        let body = inside.height() - HEADING;
        // In a large window everything grows.
        let controls = (0.29 * body).clamp(control::HEIGHT.min(0.5 * body), LARGE);
        let foot = inside.bottom() - controls * card.rows.len() as f32;
        let height = foot - inside.top() - HEADING - 2.0;
        if height >= PICTURE {
            let width = inside.width() / card.pictures.len() as f32;
            for (n, picture) in card.pictures.iter().enumerate() {
                let corner = pos2(inside.left() + width * n as f32, inside.top() + HEADING);
                let size = vec2(width - 3.0 * (card.pictures.len() - 1) as f32, height);
                picture.show(ui, Rect::from_min_size(corner, size), scene);
            }
        }
        for (n, row) in card.rows.iter().enumerate() {
            let cell = inside.width() / row.len() as f32;
            for (k, &(param, label)) in row.iter().enumerate() {
                let corner = pos2(inside.left() + cell * k as f32, foot + controls * n as f32);
                let place = Rect::from_min_size(corner, vec2(cell, controls));
                control::show(ui, place, param, label, scene);
            }
        }
    }
}

/// A heading with the section's lock, and where there is `more`, the way to it: returns whether
/// that was clicked.
fn heading(
    ui: &Ui,
    rect: Rect,
    name: &str,
    rows: &[usize],
    more: Option<usize>,
    scene: &Scene<'_>,
) -> bool {
    let at = rect.min + vec2(4.0, 3.0);
    let written = theme::heading(ui.painter(), at, name);
    lock(
        ui,
        pos2(written.right() + 14.0, written.center().y),
        name,
        rows,
        scene,
    );
    let Some(more) = more else {
        return false;
    };
    let place = Rect::from_min_max(
        pos2(rect.right() - 38.0, rect.top()),
        rect.right_top() + vec2(0.0, 20.0),
    );
    if written.right() + 26.0 > place.left() {
        return false;
    }
    let response = ui
        .interact(place, ui.scope_id().with(("more", name)), Sense::click())
        .on_hover_cursor(CursorIcon::PointingHand);
    let label = format!("More: {}", PAGES[more].name());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &label));
    let colour = match response.hovered() || response.has_focus() {
        true => theme::TEXT,
        false => theme::DIM,
    };
    let end = place.right_center();
    let align = Align2::RIGHT_CENTER;
    ui.painter()
        .text(end, align, "more", theme::font(theme::SMALL), colour);
    response.on_hover_text(label).clicked()
}

/// Draws a section's lock, if the match has a part in it: a click releases all its knobs, or keeps
/// them as they sound if none is locked.
fn lock(ui: &Ui, centre: egui::Pos2, name: &str, rows: &[usize], scene: &Scene<'_>) {
    let matched = |i: usize| rows.contains(&MATCHED[i]);
    let locked = (0..MATCHED.len()).any(|i| matched(i) && scene.limits.locked[i]);
    let heard = scene.held.is_some() && scene.amount > 0.0;
    if !(0..MATCHED.len()).any(matched) || !(locked || heard) {
        return;
    }
    let place = Rect::from_center_size(centre, vec2(18.0, 18.0));
    let lock = ui
        .interact(
            place,
            ui.scope_id().with(("section lock", name)),
            Sense::click(),
        )
        .on_hover_cursor(CursorIcon::PointingHand);
    let label = format!("{name} lock");
    lock.widget_info(|| WidgetInfo::selected(Role::CheckBox, true, locked, &label));
    knob::paint_lock(
        ui.painter(),
        centre,
        locked,
        lock.hovered() || lock.has_focus(),
    );
    if lock.clicked() {
        match locked {
            true => locks::release(name, rows, scene),
            false => locks::lock_as_heard(name, rows, scene),
        }
    }
    lock.on_hover_text(match locked {
        true => "Click to release this section: the match moves all its knobs again.",
        false => "Click to keep this section as it sounds now.",
    });
}

/// Rows of the table in a section.
pub fn rows_of(section: Section) -> Vec<usize> {
    (0..COUNT)
        .filter(|&row| PARAMS[row].section == section)
        .collect()
}

/// The label of a row: its name without the words that all names of its section begin with.
pub fn label(row: usize) -> String {
    let rows = rows_of(PARAMS[row].section);
    let words = |row: usize| PARAMS[row].name.split_inclusive(' ');
    let shared = |n: usize| {
        let first = words(rows[0]).nth(n).filter(|word| word.ends_with(' '));
        first.is_some_and(|word| rows.iter().all(|&row| words(row).nth(n) == Some(word)))
    };
    let common = (0..).take_while(|&n| rows.len() > 1 && shared(n)).count();
    let prefix: usize = words(row).take(common).map(str::len).sum();
    let rest = &PARAMS[row].name[prefix..];
    let mut letters = rest.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

/// The row of an effect's mix; `None` for sections that are no effects.
fn mix_of(section: Section) -> Option<usize> {
    match section {
        Section::Chorus => Some(CHORUS_MIX),
        Section::Delay => Some(DELAY_MIX),
        Section::Reverb => Some(REVERB_MIX),
        _ => None,
    }
}

/// Mix of an effect that is switched on for the first time.
const FIRST_MIX: f32 = 0.3;

/// The switch of an effect: off is a mix of 0 %, on brings the last one back.
fn effect_switch(ui: &Ui, rect: Rect, name: &str, mix: usize, scene: &Scene<'_>) {
    let now = scene.params.get(mix).value();
    let key = ui.scope_id().with(("last mix", mix));
    if now > 0.0 {
        ui.data_mut(|data| data.insert_temp(key, now));
    }
    let on = now > 0.0;
    let place = Rect::from_min_size(rect.right_top() - vec2(44.0, 0.0), vec2(44.0, 20.0));
    let response = ui
        .interact(place, ui.scope_id().with(("switch", mix)), Sense::click())
        .on_hover_cursor(CursorIcon::PointingHand);
    let label = format!("{name} switch");
    response.widget_info(|| WidgetInfo::selected(Role::Switch, true, on, &label));
    button_body(ui, place, &response, on);
    let (at, align) = (place.center(), Align2::CENTER_CENTER);
    let word = if on { "On" } else { "Off" };
    theme::line(ui.painter(), at, align, 40.0, word, theme::TEXT);
    if response.clicked() {
        let last = ui.data(|data| data.get_temp(key)).unwrap_or(FIRST_MIX);
        control::set(mix, if on { 0.0 } else { last }, scene);
    }
    response.on_hover_text(match on {
        true => "Switches the effect off: its mix becomes 0 %.",
        false => "Switches the effect on.",
    });
}

/// A card for each section, with all its controls.
fn groups(ui: &mut Ui, rect: Rect, sections: &[Section], scene: &Scene<'_>) {
    let counts: Vec<usize> = sections
        .iter()
        .map(|&section| rows_of(section).len())
        .collect();
    let gaps = theme::GAP * (sections.len() - 1) as f32;
    // A card with few controls still has a heading to show.
    let weight = |count: usize| (count as f32).max(4.0);
    let all: f32 = counts.iter().map(|&count| weight(count)).sum();
    let mut left = rect.left();
    for (&section, &count) in sections.iter().zip(&counts) {
        let width = (rect.width() - gaps) * weight(count) / all;
        let area = Rect::from_min_size(pos2(left, rect.top()), vec2(width, rect.height()));
        left += width + theme::GAP;
        group(ui, area, section, scene);
    }
}

/// The card of a section.
fn group(ui: &mut Ui, area: Rect, section: Section, scene: &Scene<'_>) {
    theme::card(ui.painter(), area);
    let inside = area.shrink2(vec2(8.0, 6.0));
    let rows = rows_of(section);
    heading(ui, inside, section.name(), &rows, None, scene);
    if let Some(mix) = mix_of(section) {
        effect_switch(ui, inside, section.name(), mix, scene);
    }
    let body = Rect::from_min_max(inside.min + vec2(0.0, HEADING), inside.max);
    let fit = |cell: f32| ((body.width() / cell) as usize).max(1);
    let lines = |columns: usize| rows.len().div_ceil(columns);
    let most_lines = ((body.height() / control::HEIGHT) as usize).max(1);
    let mut cell = CELL[1];
    while lines(fit(cell)) > most_lines && cell > CELL[0] {
        cell -= 1.0;
    }
    let columns = fit(cell).min(rows.len());
    // The same number in every line, as far as it goes.
    let columns = rows.len().div_ceil(lines(columns));
    let cell = (body.width() / columns as f32).min(1.5 * CELL[1]);
    let least = control::HEIGHT.min(body.height() / lines(columns) as f32);
    let height = (0.29 * body.height()).clamp(least, LARGE.max(least));
    let height = height.min(body.height() / lines(columns) as f32);
    let room = body.height() - height * lines(columns) as f32;
    let mut top = body.top();
    if let Some(picture) = Picture::of(section).filter(|_| room >= PICTURE) {
        let size = vec2(body.width(), (room - 6.0).min(0.5 * body.height()));
        picture.show(ui, Rect::from_min_size(body.min, size), scene);
        top += size.y + 6.0;
    }
    for (k, &row) in rows.iter().enumerate() {
        let corner = pos2(
            body.left() + cell * (k % columns) as f32,
            top + height * (k / columns) as f32,
        );
        let place = Rect::from_min_size(corner, vec2(cell, height));
        control::show(ui, place, row, &label(row), scene);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_a_page_and_a_label() {
        let mut rows: Vec<usize> = PAGES
            .iter()
            .flat_map(|page| match page {
                Page::Main => Vec::new(),
                Page::Matrix => SLOT_ROWS.concat(),
                Page::Sections(_, sections) => sections.iter().flat_map(|&s| rows_of(s)).collect(),
            })
            .collect();
        rows.sort_unstable();
        assert!(rows.iter().copied().eq(0..COUNT));
        assert!((0..COUNT).all(|row| !label(row).is_empty()));
        assert_eq!(label(OSC1_SHAPE), "Shape");
        assert_eq!(label(VELOCITY), "Velocity to level");
    }

    #[test]
    fn the_main_page_leads_to_the_pages_of_its_controls() {
        for card in &CARDS {
            let Page::Sections(_, sections) = PAGES[card.more] else {
                panic!("{} leads to no sections", card.name);
            };
            let first = card.rows[0][0].0;
            assert!(sections.contains(&PARAMS[first].section), "{}", card.name);
        }
    }
}
