//! Spectrograms as a picture with axes.

use ear::{CHANNELS, Spectrogram};
use plotters::prelude::*;
use std::io;
use std::path::Path;

/// Frequencies marked on the axis in Hz, as far as the ear hears them.
const TICKS: [f32; 8] = [
    50.0, 100.0, 200.0, 500.0, 1_000.0, 2_000.0, 5_000.0, 10_000.0,
];
/// Decibels from white to black.
const RANGE_DB: f32 = 60.0;

/// Draws spectrograms under their titles, one above the other, to the PNG `path`: time in seconds
/// to the right, frequency in Hz upwards (`cf` holds the channels' centre frequencies), level as
/// darkness over the upper 60 dB.
pub fn save(path: &Path, heard: &[(String, &Spectrogram)], cf: &[f32; CHANNELS]) -> io::Result<()> {
    super::save(path, |to| draw(to, heard, cf))
}

fn draw(
    path: &Path,
    heard: &[(String, &Spectrogram)],
    cf: &[f32; CHANNELS],
) -> Result<(), Box<dyn std::error::Error>> {
    let frames = heard.iter().map(|(_, h)| h.frames()).max().unwrap_or(0);
    let width = (frames as u32).clamp(320, 1600);
    let size = (width + 100, 480 * heard.len().max(1) as u32);
    let root = BitMapBackend::new(path, size).into_drawing_area();
    root.fill(&WHITE)?;
    for (panel, (title, heard)) in root.split_evenly((heard.len().max(1), 1)).iter().zip(heard) {
        draw_one(&root, panel, title, heard, cf)?;
    }
    root.present()?;
    Ok(())
}

type Area<'a> = DrawingArea<BitMapBackend<'a>, plotters::coord::Shift>;

fn draw_one(
    root: &Area<'_>,
    panel: &Area<'_>,
    title: &str,
    heard: &Spectrogram,
    cf: &[f32; CHANNELS],
) -> Result<(), Box<dyn std::error::Error>> {
    let frames = heard.frames();
    let seconds = frames.max(1) as f64 / heard.frame_rate;
    let mut chart = ChartBuilder::on(panel);
    if !title.is_empty() {
        chart.caption(title, ("sans-serif", 20));
    }
    let mut chart = chart
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(64)
        // Channels are equally spaced in log frequency, as the pixels below are in the channel.
        .build_cartesian_2d(
            0.0..seconds,
            (cf[0]..cf[CHANNELS - 1])
                .log_scale()
                .with_key_points(TICKS.to_vec()),
        )?;
    chart
        .configure_mesh()
        .disable_mesh()
        .x_desc("s")
        .y_desc("Hz")
        .y_label_formatter(&|hz| format!("{hz:.0}"))
        .draw()?;
    let levels = ear::decibel_image(&heard.data, RANGE_DB);
    let area = chart.plotting_area();
    let (pixels_wide, pixels_high) = area.dim_in_pixel();
    let (left, top) = area.get_base_pixel();
    for px in 0..pixels_wide {
        let first = px as usize * frames / pixels_wide as usize;
        let end = ((px as usize + 1) * frames / pixels_wide as usize)
            .max(first + 1)
            .min(frames);
        for py in 0..pixels_high {
            let channel = CHANNELS - 1 - py as usize * CHANNELS / pixels_high as usize;
            // The loudest of the frames that share a pixel: a short sound must not vanish.
            let level = (first..end)
                .map(|i| levels[i * CHANNELS + channel])
                .fold(0.0f32, f32::max);
            let grey = (255.0 * (1.0 - level)) as u8;
            if grey < 255 {
                root.draw_pixel(
                    (left + px as i32, top + py as i32),
                    &RGBColor(grey, grey, grey),
                )?;
            }
        }
    }
    Ok(())
}
