//! An auditory spectrogram that scrolls: of what is heard, or of what is played.

use ear::{CHANNELS, EarConfig, brightness, centre_frequencies};
use egui::{Align2, Color32, ColorImage, Rect, Stroke, TextureHandle, TextureOptions, Ui};
use egui::{pos2, vec2};

use super::theme;

/// Length of the picture in seconds.
pub const SECONDS: f32 = 4.0;
/// Range of levels below the peak in dB.
const RANGE: f32 = 60.0;
/// Smallest peak that counts as sound, about -100 dBFS.
const QUIET: f32 = 1e-5;
/// Time constant in seconds with which the peak decays.
const PEAK_DECAY: f32 = 3.2;
/// Frequencies written on the axis, in Hz.
const MARKS: [(f32, &str); 5] = [
    (100.0, "100"),
    (200.0, "200"),
    (500.0, "500"),
    (1e3, "1k"),
    (2e3, "2k"),
];
/// Width of the axis in points.
pub const AXIS: f32 = 34.0;

/// A frame of the ear.
pub type Spectrum = [f32; CHANNELS];

/// Colours from silence (0) to the peak (1); lightness ascends.
type Stops = [(f32, [u8; 3]); 5];

/// Colours of what is heard.
pub const HEARD: Stops = [
    (0.0, [0x0b, 0x0e, 0x12]),
    (0.4, [0x12, 0x33, 0x3c]),
    (0.7, [0x26, 0x83, 0x80]),
    (0.9, [0x5c, 0xde, 0xc9]),
    (1.0, [0xee, 0xff, 0xf9]),
];
/// Colours of what is played.
pub const PLAYED: Stops = [
    (0.0, [0x0b, 0x0e, 0x12]),
    (0.4, [0x3f, 0x27, 0x16]),
    (0.7, [0x9c, 0x5f, 0x2a]),
    (0.9, [0xf4, 0xa6, 0x5d]),
    (1.0, [0xff, 0xf6, 0xe8]),
];

/// The picture with its scale of levels.
pub struct Spectrogram {
    name: &'static str,
    texture: Option<TextureHandle>,
    palette: [Color32; 256],
    /// Whether low frequencies are at the top.
    flipped: bool,
    /// Number of frames heard when the picture was made.
    heard: u64,
    /// Level shown brightest.
    peak: f32,
}

/// Colour of a level from 0 to 1.
fn colour(stops: &Stops, level: f32) -> Color32 {
    let next = stops
        .iter()
        .position(|(at, _)| *at >= level)
        .unwrap_or(stops.len() - 1)
        .max(1);
    let ((from, a), (to, b)) = (stops[next - 1], stops[next]);
    let t = (level - from) / (to - from);
    let mix = |k: usize| (f32::from(a[k]) + t * (f32::from(b[k]) - f32::from(a[k]))).round() as u8;
    Color32::from_rgb(mix(0), mix(1), mix(2))
}

impl Spectrogram {
    /// An empty picture in these colours, its low frequencies below or, if `flipped`, above.
    pub fn new(name: &'static str, stops: &Stops, flipped: bool) -> Self {
        Self {
            name,
            texture: None,
            palette: std::array::from_fn(|i| colour(stops, i as f32 / 255.0)),
            flipped,
            heard: 0,
            peak: QUIET,
        }
    }

    /// Draws the newest of `frames`, of which there have been `heard` in all, with the axis into
    /// `rect`.
    pub fn show(&mut self, ui: &Ui, rect: Rect, frames: &[Spectrum], heard: u64, ear: &EarConfig) {
        if self.texture.is_none() || heard != self.heard {
            self.update(ui, frames, heard, ear);
        }
        let picture = Rect::from_min_max(rect.min + vec2(AXIS, 0.0), rect.max);
        if let Some(texture) = &self.texture {
            let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
            ui.painter()
                .image(texture.id(), picture, whole, Color32::WHITE);
        }
        self.axis(ui, picture, ear);
    }

    fn update(&mut self, ui: &Ui, frames: &[Spectrum], heard: u64, ear: &EarConfig) {
        let new = heard.saturating_sub(self.heard) as f32 / frame_rate(ear);
        self.heard = heard;
        let loudest = frames.iter().flatten().fold(QUIET, |peak, &x| peak.max(x));
        self.peak = (self.peak * (-new / PEAK_DECAY).exp()).max(loudest);
        let image = self.image(frames, columns(ear));
        match &mut self.texture {
            Some(texture) => texture.set(image, TextureOptions::LINEAR),
            None => {
                let options = TextureOptions::LINEAR;
                self.texture = Some(ui.ctx().load_texture(self.name, image, options));
            }
        }
    }

    /// An image of the newest `columns` frames, the newest at the right.
    fn image(&self, frames: &[Spectrum], columns: usize) -> ColorImage {
        image(frames, columns, self.flipped, |x| {
            let level = brightness(x, self.peak, RANGE);
            self.palette[usize::from((level * 255.0) as u8)]
        })
    }

    /// Writes frequencies at the left.
    fn axis(&self, ui: &Ui, picture: Rect, ear: &EarConfig) {
        let frequencies = centre_frequencies(ear, ear.preset.rate());
        let grid = Stroke::new(1.0, Color32::from_white_alpha(12));
        let mut last = f32::NAN;
        for (frequency, label) in MARKS {
            let Some(channel) = place(&frequencies, frequency) else {
                continue;
            };
            let share = (channel + 0.5) / CHANNELS as f32;
            let y = match self.flipped {
                true => picture.top() + share * picture.height(),
                false => picture.bottom() - share * picture.height(),
            };
            ui.painter().hline(picture.x_range(), y, grid);
            // Labels of a low picture would touch.
            if (y - last).abs() < 13.0 {
                continue;
            }
            last = y;
            let at = pos2(picture.left() - 6.0, y);
            let font = theme::font(10.5);
            ui.painter()
                .text(at, Align2::RIGHT_CENTER, label, font, theme::DIM);
        }
    }
}

/// An image of the newest `columns` frames, the newest at the right, low frequencies below or, if
/// `flipped`, above; `colour` is that of a magnitude.
fn image(
    frames: &[Spectrum],
    columns: usize,
    flipped: bool,
    colour: impl Fn(f32) -> Color32,
) -> ColorImage {
    let mut pixels = vec![colour(0.0); columns * CHANNELS];
    let shown = frames.len().min(columns);
    for (k, frame) in frames[frames.len() - shown..].iter().enumerate() {
        let column = columns - shown + k;
        for (channel, &x) in frame.iter().enumerate() {
            let row = match flipped {
                true => channel,
                false => CHANNELS - 1 - channel,
            };
            pixels[row * columns + column] = colour(x);
        }
    }
    ColorImage::new([columns, CHANNELS], pixels)
}

/// Draws these frames in the colours of the heard sound, low frequencies below, with `range` dB
/// from the loudest to black.
pub fn still(frames: &[Spectrum], range: f32) -> ColorImage {
    let peak = frames.iter().flatten().fold(QUIET, |peak, &x| peak.max(x));
    let columns = frames.len().max(1);
    image(frames, columns, false, |x| {
        colour(&HEARD, brightness(x, peak, range))
    })
}

/// Frames per second of an ear at its preset's rate.
pub fn frame_rate(ear: &EarConfig) -> f32 {
    ear.frame_rate(ear.preset.rate()) as f32
}

/// Frames of a picture of [`SECONDS`].
pub fn columns(ear: &EarConfig) -> usize {
    (SECONDS * frame_rate(ear)).round() as usize
}

/// Position of a frequency among the channels, with a fraction; `None` outside them.
fn place(frequencies: &[f32; CHANNELS], frequency: f32) -> Option<f32> {
    let above = frequencies.iter().position(|&f| f >= frequency)?;
    let below = above.checked_sub(1)?;
    let (low, high) = (frequencies[below], frequencies[above]);
    Some(below as f32 + (frequency / low).ln() / (high / low).ln())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn louder_is_lighter() {
        for stops in [&HEARD, &PLAYED] {
            let spectrogram = Spectrogram::new("test", stops, false);
            let light = |c: &Color32| {
                0.299 * f32::from(c.r()) + 0.587 * f32::from(c.g()) + 0.114 * f32::from(c.b())
            };
            let lights: Vec<_> = spectrogram.palette.iter().map(light).collect();
            assert!(lights.windows(2).all(|pair| pair[0] <= pair[1]));
            assert!(lights[255] > lights[0] + 200.0);
        }
    }

    #[test]
    fn the_picture_covers_the_same_time_with_frames_of_any_length() {
        for frame_ms in [4.0, 8.0, 16.0] {
            let ear = EarConfig {
                frame_ms,
                ..EarConfig::default()
            };
            assert_eq!(columns(&ear) as f32 * frame_ms, 1000.0 * SECONDS);
        }
    }

    #[test]
    fn frequencies_lie_where_their_channels_are() {
        let ear = EarConfig::default();
        let frequencies = centre_frequencies(&ear, ear.preset.rate());
        for (channel, &frequency) in frequencies.iter().enumerate().skip(1) {
            let at = place(&frequencies, frequency).unwrap();
            assert!((at - channel as f32).abs() < 1e-3);
        }
        assert_eq!(place(&frequencies, 1.0), None);
        assert_eq!(place(&frequencies, 1e5), None);
    }

    #[test]
    fn the_newest_frame_is_at_the_right_and_low_at_the_mirror() {
        let mut newest = [0.0; CHANNELS];
        newest[0] = 1.0;
        let frames = [[0.0; CHANNELS], newest];
        let columns = columns(&EarConfig::default());
        for (flipped, row) in [(false, CHANNELS - 1), (true, 0)] {
            let mut spectrogram = Spectrogram::new("test", &HEARD, flipped);
            spectrogram.peak = 1.0;
            let image = spectrogram.image(&frames, columns);
            let bright: Vec<_> = (0..image.pixels.len())
                .filter(|&i| image.pixels[i] != spectrogram.palette[0])
                .collect();
            assert_eq!(bright, [row * columns + columns - 1]);
        }
    }
}
