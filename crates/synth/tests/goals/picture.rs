//! The pictures in assets/voice.

use crate::sound::RANGE;
use crate::spectrum::Spectrum;
use plotters::prelude::*;
use plotters::style::{FontStyle, register_font};
use std::path::PathBuf;
use std::sync::Once;

/// Prepares fonts, which plotters lacks, and returns the path of a picture.
fn prepare(name: &str) -> PathBuf {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let font = epaint_default_fonts::UBUNTU_LIGHT;
        // Fails only for bytes that are no font.
        let _ = register_font("sans-serif", FontStyle::Normal, font);
    });
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../assets/voice");
    std::fs::create_dir_all(&folder).unwrap();
    folder.join(name).with_extension("png")
}

/// A spectrum in dB re the component at `hertz`, up to half of `rate`.
pub fn spectrum(name: &str, title: &str, spectrum: &Spectrum, hertz: f64, rate: f64) {
    let path = prepare(name);
    let root = BitMapBackend::new(&path, (820, 360)).into_drawing_area();
    root.fill(&WHITE).unwrap();
    let mut chart = ChartBuilder::on(&root)
        .caption(title, ("sans-serif", 17))
        .margin(10)
        .x_label_area_size(34)
        .y_label_area_size(48)
        .build_cartesian_2d(0.0..rate / 2_000.0, -200.0..10.0f64)
        .unwrap();
    chart
        .configure_mesh()
        .x_desc("kHz")
        .y_desc("dB re the fundamental")
        .light_line_style(WHITE)
        .draw()
        .unwrap();
    let whole = spectrum.strongest(hertz - 3.0, hertz + 3.0);
    let step = rate / 2.0 / 1_500.0;
    let line = (0..1_500).map(|i| {
        let from = i as f64 * step;
        let power = spectrum.strongest(from, from + step) / whole;
        (
            (from + 0.5 * step) / 1_000.0,
            10.0 * power.max(1e-21).log10(),
        )
    });
    chart.draw_series(LineSeries::new(line, &BLUE)).unwrap();
    root.present().unwrap();
}

/// Draws images of `bands` bands, `columns` in a row, each with its title in a `tile` of the given
/// number of pixels: time to the right, the bands upwards, dark where it is loud.
pub fn sheet(
    name: &str,
    images: &[(String, Vec<f64>)],
    bands: usize,
    columns: usize,
    tile: (u32, u32),
) {
    let path = prepare(name);
    let rows = images.len().div_ceil(columns);
    let size = (tile.0 * columns as u32, tile.1 * rows as u32);
    let root = BitMapBackend::new(&path, size).into_drawing_area();
    root.fill(&WHITE).unwrap();
    let areas = root.split_evenly((rows, columns));
    for ((title, image), area) in images.iter().zip(areas) {
        let style = ("sans-serif", 13).into_font();
        area.draw(&Text::new(title.clone(), (4, 2), style)).unwrap();
        let times = image.len() / bands;
        for x in 0..tile.0 - 8 {
            for y in 0..tile.1 - 24 {
                let time = x as usize * times / (tile.0 - 8) as usize;
                let band = bands - 1 - y as usize * bands / (tile.1 - 24) as usize;
                let light = (255.0 * image[time * bands + band] / RANGE) as u8;
                let colour = RGBColor(light, light, light);
                area.draw_pixel((x as i32 + 4, y as i32 + 20), &colour)
                    .unwrap();
            }
        }
    }
    root.present().unwrap();
}
