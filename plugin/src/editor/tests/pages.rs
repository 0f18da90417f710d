//! The pages: what stands where, and what they do.

use super::*;
use crate::history::{redo, undo};
use crate::patches;
use egui::Shape;
use synth::params::{FILTER_MORPH, FILTER_TYPE, OSC1_SHAPE, OSC2_SHAPE, Unit};

/// All texts of a stage with their places.
fn texts(stage: &mut Stage) -> Vec<(String, Rect)> {
    // Texts have their size from the second picture on.
    stage.frame(Vec::new());
    let shapes = stage.frame(Vec::new());
    let mut texts = Vec::new();
    for clipped in shapes {
        if let Shape::Text(text) = clipped.shape {
            let rect = text.visual_bounding_rect().intersect(clipped.clip_rect);
            if rect.is_positive() && !text.galley.text().is_empty() {
                texts.push((text.galley.text().to_owned(), rect));
            }
        }
    }
    texts
}

/// Every page of the lower half, and every view.
fn everywhere() -> Vec<(View, usize)> {
    let pages = (0..sections::PAGES.len()).map(|page| (View::Main, page));
    let views = [
        View::Browser { saving: false },
        View::Browser { saving: true },
        View::Sounds,
        View::About,
    ];
    pages.chain(views.map(|view| (view, 0))).collect()
}

#[test]
fn a_choice_has_a_list_at_the_left_button_and_a_menu_at_the_right() {
    let mut stage = Stage::new(SIZE, None);
    stage.app.page = 0;
    let table = control::row(FILTER_TYPE);
    let Unit::Choice(names) = table.unit else {
        panic!("the filter's type is no choice");
    };
    let [first, last] = [names[0], names[names.len() - 1]];
    let button = stage.find(first);
    stage.click(button);
    assert_eq!(stage.places(first).len(), 2, "the list is not open");
    stage.click_text(last);
    let chosen = |stage: &Stage| stage.params.knobs().plain(FILTER_TYPE) as usize;
    assert_eq!(chosen(&stage), names.len() - 1);
    assert_eq!(stage.places(last).len(), 1, "the list is still open");
    stage.click_with(PointerButton::Secondary, button);
    stage.click_text(&format!("Default: {first}"));
    assert_eq!(chosen(&stage), 0);
}

#[test]
fn no_text_leaves_the_window_or_covers_another() {
    for size in [SIZE, SMALLEST, [1600.0, 1000.0], [2400.0, 1500.0]] {
        for message in [false, true] {
            let mut stage = Stage::new(size, None);
            if message {
                let text = "Not all of the project's match could be read. The rest is loaded.";
                stage.params.state.set_message(Some(text.into()));
            }
            for (view, page) in everywhere() {
                (stage.app.view, stage.app.page) = (view, page);
                let texts = texts(&mut stage);
                let window = Rect::from_min_size(pos2(0.0, 0.0), size.into());
                for (k, (text, rect)) in texts.iter().enumerate() {
                    let place = format!("{size:?} {view:?} {page}: {text:?} at {rect:?}");
                    assert!(window.contains_rect(*rect), "{place}");
                    for (other, other_rect) in &texts[..k] {
                        let both = rect.intersect(*other_rect);
                        let overlap = both.width().max(0.0) * both.height().max(0.0);
                        assert!(overlap < 2.0, "{place} covers {other:?} at {other_rect:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn the_longest_names_of_shapes_are_not_cut() {
    let mut stage = Stage::new(SMALLEST, None);
    stage.params.amount.set(&stage.gui.param_setter(), 0.0);
    let mut found = 0;
    for from in 0..4 {
        for row in [OSC1_SHAPE, OSC2_SHAPE, FILTER_MORPH] {
            let x = control::row(row).normalized(from as f32 + 0.44);
            stage.params.rows[row].set(&stage.gui.param_setter(), x);
        }
        for page in 0..3 {
            stage.app.page = page;
            stage.frame(Vec::new());
            for clipped in stage.frame(Vec::new()) {
                if let Shape::Text(text) = &clipped.shape
                    && text.galley.text().contains(" +44")
                {
                    assert!(!text.galley.elided, "{page}: {}", text.galley.text());
                    found += 1;
                }
            }
        }
    }
    // Both shapes on two pages, and the morph, which ends sooner, on one.
    assert_eq!(found, 4 * 4 + 2);
}

/// A host gives the window whatever size it likes.
#[test]
fn a_window_of_any_size_is_drawn() {
    for size in [
        [1.0, 1.0],
        [60.0, 1200.0],
        [1500.0, 40.0],
        [420.0, 300.0],
        [4000.0, 2200.0],
    ] {
        let mut stage = Stage::new(size, None);
        for (view, page) in everywhere() {
            (stage.app.view, stage.app.page) = (view, page);
            let shapes = stage.frame(Vec::new());
            stage.window.context.tessellate(shapes, 1.0);
        }
    }
}

#[test]
fn capture_writes_what_sounds_into_the_knobs_as_one_step() {
    let mut stage = Stage::new(SIZE, None);
    let before = stage.params.knobs();
    let scene = Scene::now(&stage.params, &stage.gui);
    let sounds = scene.effective;
    drop(scene);
    stage.click_text("Capture");
    let knobs = stage.params.knobs();
    for row in 0..COUNT {
        assert!((knobs.get(row) - sounds.get(row)).abs() < 1e-6, "row {row}");
    }
    // What sounds is what sounded, and nothing was locked by it.
    let scene = Scene::now(&stage.params, &stage.gui);
    assert_eq!(scene.effective, knobs);
    assert_eq!(
        scene.limits.locked.iter().filter(|&&locked| locked).count(),
        1
    );
    drop(scene);
    undo(&stage.params, &stage.gui.param_setter());
    assert_eq!(stage.params.knobs(), before);
    redo(&stage.params, &stage.gui.param_setter());
    assert_eq!(stage.params.knobs(), knobs);
}

#[test]
fn the_three_words_and_the_source_do_what_they_say() {
    let mut stage = Stage::new(SIZE, None);
    stage.click_text("Freeze");
    assert!(!stage.params.listen.value());
    stage.click_text("Listen");
    assert!(stage.params.listen.value());
    stage.click_text("Search");
    assert!(!stage.params.search.value());
    let source = stage.find("Sidechain");
    let at = stage.find("Search") - vec2(90.0, 0.0);
    assert!(source.y < at.y);
    stage.click(at);
    stage.click_text("Reed pipe");
    assert_eq!(stage.params.state.source.choice(), Choice::Melody(1));
    // The project keeps it.
    let saved = stage.params.state.save();
    stage.params.state.source.choose(Choice::Sidechain);
    let knobs = stage.params.unmodulated();
    stage.params.state.restore(Some(&saved), &knobs);
    assert_eq!(stage.params.state.source.choice(), Choice::Melody(1));
}

#[test]
fn a_found_sound_is_recalled_and_stays() {
    let mut stage = Stage::new(SIZE, None);
    let found = [0.2, 0.8].map(|x| KnownSound {
        mean: [x; MATCHED_COUNT],
        lean: synth::Lean::NONE,
        likeness: 0.9,
    });
    stage.params.state.set_sounds(found.to_vec());
    stage.app.view = View::Sounds;
    stage.click_text("Sound 2");
    let held = stage.params.state.held().expect("a sound");
    assert_eq!(held.inference.mean, [0.8; MATCHED_COUNT]);
    assert!(!stage.params.listen.value());
    undo(&stage.params, &stage.gui.param_setter());
    assert_eq!(
        stage.params.state.held().unwrap().inference.mean,
        [0.55; MATCHED_COUNT]
    );
    // It listened before, and does again; a match that was frozen stays so.
    assert!(stage.params.listen.value());
    redo(&stage.params, &stage.gui.param_setter());
    assert!(!stage.params.listen.value());
    stage.click_text("Sound 1");
    undo(&stage.params, &stage.gui.param_setter());
    assert!(!stage.params.listen.value());
}

#[test]
fn patches_are_searched_loaded_and_saved() {
    let folder = tempfile::tempdir().unwrap();
    let mut stage = Stage::new(SIZE, Some(folder.path().to_owned()));
    stage.click_text("Browse");
    stage.click_text("Search names and tags");
    stage.frame(vec![Event::Text("cello".into())]);
    stage.click_text("Cello Section");
    assert_eq!(stage.params.state.patch_name(), "Cello Section");
    let cello = patches::factory()
        .iter()
        .find(|patch| patch.name == "Cello Section")
        .unwrap();
    assert_eq!(
        stage.params.knobs().get(FILTER_CUTOFF),
        cello.patch.get(FILTER_CUTOFF)
    );
    assert_eq!(stage.params.state.held(), None);
    stage.click_text("Close");
    stage.find("Cello Section");
    // A knob is turned: the name says so.
    stage.params.rows[FILTER_CUTOFF].set(&stage.gui.param_setter(), 0.9);
    stage.find("Cello Section (changed)");
    stage.click_text("Save");
    stage.click_text("Save what sounds");
    let own = patches::in_folder(folder.path());
    assert_eq!(own.len(), 1);
    assert_eq!(own[0].name, "Cello Section");
    assert!((own[0].patch.get(FILTER_CUTOFF) - 0.9).abs() < 1e-4);
}

#[test]
fn a_dropped_patch_is_loaded_and_anything_else_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let mut stage = Stage::new(SIZE, None);
    let good = patches::save(folder.path(), &patches::factory()[10], false).unwrap();
    let bad = folder.path().join("song.json");
    std::fs::write(&bad, b"RIFF").unwrap();
    stage
        .app
        .load_file(&good, 0.0, &Scene::now(&stage.params, &stage.gui));
    assert_eq!(stage.params.state.patch_name(), patches::factory()[10].name);
    let knobs = stage.params.knobs();
    stage
        .app
        .load_file(&bad, 0.0, &Scene::now(&stage.params, &stage.gui));
    assert_eq!(stage.params.knobs(), knobs);
    let message = stage.params.state.message().expect("a message");
    assert!(message.contains("song.json"), "{message}");
}

#[test]
fn a_dropped_sound_is_listened_to() {
    let folder = tempfile::tempdir().unwrap();
    let mut stage = Stage::new(SIZE, None);
    let path = folder.path().join("song.wav");
    let scene = Scene::now(&stage.params, &stage.gui);
    stage.app.take_file(&path, 0.0, &scene);
    drop(scene);
    assert_eq!(stage.params.state.source.choice().name(), "song.wav");
    // It isn't there: that is said where it can't be overlooked.
    let until = std::time::Instant::now() + Duration::from_secs(5);
    while stage.params.state.message().is_none() {
        assert!(std::time::Instant::now() < until, "nothing is said");
        std::thread::sleep(Duration::from_millis(10));
    }
    let message = stage.params.state.message().unwrap();
    assert!(message.contains("song.wav"), "{message}");
    stage.click_text("OK");
    assert_eq!(stage.params.state.message(), None);
}

#[test]
fn a_project_comes_back_with_its_sound_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("reed.wav");
    let reed = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../assets/references/reed-pipe.wav"
    );
    std::fs::copy(reed, &path).unwrap();
    let (first, _) = params();
    let hash = String::new();
    let choice = Choice::File { path, hash };
    first.state.source.choose(choice).unwrap().join().unwrap();
    let saved = first.state.save();
    let (second, mut audio) = params();
    second.state.restore(Some(&saved), &second.unmodulated());
    assert_eq!(second.state.source.choice(), first.state.source.choice());
    audio.source.prepare(64);
    assert!(audio.source.play(64, 48_000.0, None), "it is there at once");
    assert_eq!(second.state.message(), None);
}

#[test]
fn two_sounds_are_compared_and_each_comes_back() {
    let mut stage = Stage::new(SIZE, None);
    let first = stage.params.knobs();
    stage.click_text("B");
    assert_eq!(stage.params.knobs(), first, "B begins as A");
    stage.params.rows[FILTER_CUTOFF].set(&stage.gui.param_setter(), 0.9);
    let second = stage.params.knobs();
    stage.click_text("A");
    assert_eq!(stage.params.knobs(), first);
    stage.click_text("B");
    assert_eq!(stage.params.knobs(), second);
}

#[test]
fn modulations_are_added_and_removed() {
    let mut stage = Stage::new(SIZE, None);
    stage.app.page = sections::PAGES
        .iter()
        .position(|p| *p == sections::Page::Matrix)
        .unwrap();
    let first = synth::params::SLOT_ROWS[0];
    let before = stage.params.knobs();
    stage.click_text("+ add a modulation");
    let plain = |stage: &Stage, row: usize| stage.params.knobs().plain(row);
    assert!(plain(&stage, first[0]) > 0.0 && plain(&stage, first[2]) > 0.0);
    stage.find("Mod wheel");
    undo(&stage.params, &stage.gui.param_setter());
    assert_eq!(stage.params.knobs(), before);
}

#[test]
fn an_effect_is_switched_off_and_comes_back_as_it_was() {
    let mut stage = Stage::new(SIZE, None);
    stage.open("Effects");
    let mix = synth::params::CHORUS_MIX;
    let value = |stage: &Stage| stage.params.rows[mix].value();
    stage.click_text("Off");
    assert!(value(&stage) > 0.0, "the first switch is the chorus's");
    stage.params.rows[mix].set(&stage.gui.param_setter(), 0.77);
    stage.click_text("On");
    assert_eq!(value(&stage), 0.0);
    stage.click_text("Off");
    assert_eq!(value(&stage), 0.77);
}

#[test]
fn every_control_has_a_name_and_a_value_for_those_who_do_not_see_it() {
    let mut stage = Stage::new(SIZE, None);
    stage.window.context.enable_accesskit();
    stage.frame(Vec::new());
    let output = stage.window.names();
    for name in [
        "Cutoff",
        "Match",
        "Listen",
        "Capture",
        "Nothing to undo",
        "Amp release",
        "Filter type",
    ] {
        assert!(
            output.iter().any(|found| found.starts_with(name)),
            "{name}: {output:?}"
        );
    }
}

#[test]
fn nothing_is_drawn_while_nothing_changes() {
    let mut stage = Stage::new(SIZE, None);
    let first = stage.app.stamp();
    assert_eq!(stage.app.stamp(), first);
    stage.params.rows[FILTER_CUTOFF].set(&stage.gui.param_setter(), 0.9);
    assert_ne!(stage.app.stamp(), first);
}

#[test]
fn a_loaded_patch_leaves_nothing_locked_or_held_and_is_one_step() {
    let (params, mut audio) = params();
    audio.mailbox.report(Some(inference(0.5)));
    let state = &params.state;
    state.set_lock(0, true);
    let before = state.snapshot(&params.unmodulated());
    let gui = GuiContext::new(Arc::new(Host::default()));
    let mut loaded = Patch::default();
    loaded.set(FILTER_CUTOFF, 0.9);
    loaded.set_plain(FILTER_TYPE, 2.0);
    patch::load("Load", &loaded, &Scene::now(&params, &gui));
    assert_eq!(params.knobs(), loaded);
    assert_eq!((state.held(), state.limits()), (None, Limits::NONE));
    // The values are no hand's.
    for (i, &row) in MATCHED.iter().enumerate() {
        assert!(state.arrived(i, loaded.get(row)));
    }
    let (again, unknown) = Patch::from_json(&patch::text(&loaded)).unwrap();
    assert_eq!(again.plain(FILTER_CUTOFF), loaded.plain(FILTER_CUTOFF));
    assert!(unknown.is_empty());
    // As if the host had set all of them back at once, and more: what was held is back.
    undo(&params, &gui.param_setter());
    assert_eq!(state.snapshot(&params.unmodulated()), before);
    redo(&params, &gui.param_setter());
    assert_eq!(params.knobs(), loaded);
    assert_eq!((state.held(), state.limits()), (None, Limits::NONE));
}

#[test]
fn sections_are_kept_as_heard_and_released() {
    let (params, mut audio) = params();
    audio.mailbox.report(Some(inference(0.25)));
    let gui = GuiContext::new(Arc::new(Host::default()));
    let scene = |params| Scene::now(params, &gui);
    locks::lock_as_heard("all", &MATCHED, &scene(&params));
    assert!(params.state.limits().locked.iter().all(|&locked| locked));
    assert!(MATCHED.iter().all(|&row| params.rows[row].value() == 0.25));
    locks::release("Filter", &[FILTER_CUTOFF], &scene(&params));
    assert!(!params.state.limits().locked[cutoff()]);
    locks::release("all", &MATCHED, &scene(&params));
    assert!(!params.state.limits().locked.contains(&true));
    for _ in 0..3 {
        undo(&params, &gui.param_setter());
    }
    assert_eq!(params.knobs(), Patch::default());
    assert!(!params.state.limits().locked.contains(&true));
}
