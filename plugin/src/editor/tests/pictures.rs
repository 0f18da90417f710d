//! Pictures of each page, drawn without a screen, against those that are stored.
//!
//! `UPDATE_PICTURES=1` stores new ones. `PICTURES=FOLDER` also writes what is drawn there.

use super::*;
use raster::draw;

/// Largest mean difference from the stored picture, of 255. Fonts and spectra differ by a little
/// from one instruction set to another.
const LIMIT: f64 = 1.0;

/// Draws a stage at a scale.
fn picture(stage: &mut Stage, scale: f32) -> image::RgbImage {
    stage.window.context.set_pixels_per_point(scale);
    for _ in 0..3 {
        stage.frame(Vec::new());
    }
    let shapes = stage.frame(Vec::new());
    let primitives = stage.window.context.tessellate(shapes, scale);
    let [width, height] = stage.window.size.map(|x| (x * scale) as usize);
    let pixels = draw(&primitives, &stage.window.textures, [width, height], scale);
    let bytes = pixels.concat();
    image::RgbImage::from_raw(width as u32, height as u32, bytes).expect("as many as pixels")
}

/// Compares with the stored picture of this name, at half its size.
fn check(name: &str, picture: &image::RgbImage) {
    if let Some(folder) = std::env::var_os("PICTURES") {
        let file = PathBuf::from(folder).join(format!("{name}.png"));
        picture.save(file).expect("the folder is there");
    }
    let [width, height] = [picture.width() / 2, picture.height() / 2];
    let small = image::RgbImage::from_fn(width, height, |x, y| {
        let sum =
            [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(i, j)| picture.get_pixel(2 * x + i, 2 * y + j));
        image::Rgb(std::array::from_fn(|k| {
            (sum.iter().map(|pixel| u32::from(pixel[k])).sum::<u32>() / 4) as u8
        }))
    });
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pictures");
    let file = folder.join(format!("{name}.png"));
    if std::env::var_os("UPDATE_PICTURES").is_some() {
        std::fs::create_dir_all(&folder).expect("it can be made");
        small.save(&file).expect("it can be written");
        return;
    }
    let stored = image::open(&file)
        .expect("UPDATE_PICTURES=1 stores it")
        .to_rgb8();
    assert_eq!(stored.dimensions(), small.dimensions(), "{name}");
    let difference: f64 = stored
        .iter()
        .zip(small.iter())
        .map(|(&a, &b)| f64::from(a.abs_diff(b)))
        .sum::<f64>()
        / stored.len() as f64;
    assert!(difference <= LIMIT, "{name} differs by {difference} of 255");
}

#[test]
fn pages_look_as_stored() {
    for (size, word) in [(SIZE, "first"), (SMALLEST, "smallest")] {
        let mut stage = Stage::new(size, None);
        for page in 0..sections::PAGES.len() {
            stage.app.page = page;
            let name = sections::PAGES[page].name().to_lowercase();
            check(&format!("{word}-{name}"), &picture(&mut stage, 1.0));
        }
        for (view, name) in [
            (View::Browser { saving: true }, "browser"),
            (View::Sounds, "sounds"),
            (View::About, "about"),
        ] {
            stage.app.view = view;
            check(&format!("{word}-{name}"), &picture(&mut stage, 1.0));
        }
    }
}

#[test]
fn the_largest_window_at_twice_the_size_uses_its_room() {
    let mut stage = Stage::new([2400.0, 1500.0], None);
    let found = [0.2, 0.5, 0.8].map(|x| KnownSound {
        mean: [x; MATCHED_COUNT],
        lean: synth::Lean::NONE,
        likeness: x,
    });
    stage.params.state.set_sounds(found.to_vec());
    check("largest", &picture(&mut stage, 1.0));
    let mut stage = Stage::new(SIZE, None);
    check("double", &picture(&mut stage, 2.0));
}
