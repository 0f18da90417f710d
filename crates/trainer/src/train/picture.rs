//! `losses.png`: the losses, and the likeness on held-out sounds, over the steps.

use super::history::{History, Point};
use super::losses::Losses;
use plotters::prelude::*;
use std::io;
use std::path::Path;

/// A curve: its name, and its value at a point where it has one.
type Curve = (&'static str, Vec<Option<f64>>);

/// The curve of each loss.
fn of_losses(points: &[Point]) -> Vec<Curve> {
    let curve = |i: usize| {
        let value = |p: &Point| Some(p.losses.values()[i]).filter(|&loss| loss != 0.0);
        points.iter().map(value).collect()
    };
    let names = Losses::NAMES.into_iter().enumerate();
    names.map(|(i, name)| (name, curve(i))).collect()
}

/// The likenesses.
fn of_qualities(points: &[Point]) -> Vec<Curve> {
    let own = points.iter().map(|p| Some(p.quality.own)).collect();
    let foreign = points.iter().map(|p| p.quality.foreign).collect();
    vec![
        ("own, unseen patches", own),
        ("foreign, unseen clips", foreign),
    ]
}

/// Draws the curves to `path`; with fewer than two points there is nothing to draw.
pub fn losses(path: &Path, history: &History) -> io::Result<()> {
    if history.points.len() < 2 {
        return Ok(());
    }
    mirrornet::pictures::save(path, |to| draw(to, history))
}

fn draw(path: &Path, history: &History) -> Result<(), Box<dyn std::error::Error>> {
    let root = BitMapBackend::new(path, (900, 900)).into_drawing_area();
    root.fill(&WHITE)?;
    let (upper, lower) = root.split_vertically(450);
    let base = history.baseline;
    panel(
        &upper,
        "loss",
        &history.points,
        &of_losses(&history.points),
        &[],
    )?;
    let lines: Vec<(&str, f64)> = [
        ("default patch, own", Some(base.own)),
        ("default patch, foreign", base.foreign),
    ]
    .into_iter()
    .filter_map(|(name, v)| Some((name, v?)))
    .collect();
    panel(
        &lower,
        "likeness",
        &history.points,
        &of_qualities(&history.points),
        &lines,
    )?;
    root.present()?;
    Ok(())
}

fn panel(
    area: &DrawingArea<BitMapBackend<'_>, plotters::coord::Shift>,
    title: &str,
    points: &[Point],
    curves: &[Curve],
    constants: &[(&str, f64)],
) -> Result<(), Box<dyn std::error::Error>> {
    let values = curves.iter().flat_map(|(_, curve)| curve.iter().flatten());
    let values = values.copied();
    let values = values.chain(constants.iter().map(|&(_, v)| v));
    let (low, high) = values.fold((f64::MAX, f64::MIN), |(a, b), v| (a.min(v), b.max(v)));
    let margin = 0.05 * (high - low).max(1e-3);
    let last = points.last().map_or(1, |p| p.step);
    let mut chart = ChartBuilder::on(area)
        .caption(title, ("sans-serif", 22))
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(56)
        .build_cartesian_2d(0..last, low - margin..high + margin)?;
    chart
        .configure_mesh()
        .x_desc("step")
        .y_desc(title)
        .light_line_style(WHITE)
        .draw()?;
    for (i, (name, curve)) in curves.iter().enumerate() {
        let colour = Palette99::pick(i).to_rgba();
        let line = points.iter().zip(curve);
        let line = line.filter_map(|(p, value)| Some((p.step, (*value)?)));
        chart
            .draw_series(LineSeries::new(line, colour.stroke_width(2)))?
            .label(*name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(2)));
    }
    for (i, &(name, v)) in constants.iter().enumerate() {
        let colour = Palette99::pick(i).to_rgba().mix(0.5);
        chart
            .draw_series(LineSeries::new([(0, v), (last, v)], colour))?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour));
    }
    if let Some(p) = points.iter().find(|p| p.mirroring) {
        chart
            .draw_series(LineSeries::new(
                [(p.step, low - margin), (p.step, high + margin)],
                BLACK.mix(0.3),
            ))?
            .label("mirroring begins")
            .legend(|(x, y)| PathElement::new([(x, y), (x + 16, y)], BLACK.mix(0.3)));
    }
    chart
        .configure_series_labels()
        .background_style(WHITE.mix(0.8))
        .draw()?;
    Ok(())
}
