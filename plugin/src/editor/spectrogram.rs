//! The reference as the ear hears it, scrolling.

use ear::{CHANNELS, EarConfig, centre_frequencies};
use egui::{Align2, Color32, ColorImage, Painter, Rect, Stroke, TextureHandle, TextureOptions, Ui};
use egui::{pos2, vec2};
use matcher::live::Snapshot;

use super::theme;

/// Frames shown: 4 s.
const FRAMES: usize = 500;
/// Frames a second.
const FRAME_RATE: f32 = 125.0;
/// Decibels below the loudest cell shown.
const RANGE: f32 = 60.0;
/// Smallest peak that counts as sound, about -100 dBFS.
const QUIET: f32 = 1e-5;
/// Share of the peak that is forgotten with each frame: about 3 s.
const FORGET: f32 = 0.9975;
/// Frequencies written on the axis, in Hz.
const MARKS: [(f32, &str); 6] = [
    (100.0, "100"),
    (200.0, "200"),
    (500.0, "500"),
    (1e3, "1k"),
    (2e3, "2k"),
    (5e3, "5k"),
];
/// Width of the axis in points.
const AXIS: f32 = 34.0;

/// From silence to the loudest, by lightness.
const STOPS: [(f32, [u8; 3]); 6] = [
    (0.0, [0x0c, 0x0f, 0x13]),
    (0.3, [0x16, 0x26, 0x3d]),
    (0.55, [0x1d, 0x58, 0x6e]),
    (0.75, [0x30, 0x9c, 0x97]),
    (0.9, [0x8f, 0xdc, 0xb4]),
    (1.0, [0xfa, 0xfb, 0xe6]),
];

/// The picture and its scale.
pub struct Spectrogram {
    texture: Option<TextureHandle>,
    palette: [Color32; 256],
    /// Frames heard when the picture was made.
    heard: u64,
    peak: f32,
}

impl Default for Spectrogram {
    fn default() -> Self {
        Self {
            texture: None,
            palette: std::array::from_fn(|i| colour(i as f32 / 255.0)),
            heard: 0,
            peak: QUIET,
        }
    }
}

/// Colour of a level from 0 to 1.
fn colour(level: f32) -> Color32 {
    let next = STOPS
        .iter()
        .position(|(at, _)| *at >= level)
        .unwrap_or(STOPS.len() - 1)
        .max(1);
    let ((from, a), (to, b)) = (STOPS[next - 1], STOPS[next]);
    let t = (level - from) / (to - from);
    let mix = |k: usize| (f32::from(a[k]) + t * (f32::from(b[k]) - f32::from(a[k]))).round() as u8;
    Color32::from_rgb(mix(0), mix(1), mix(2))
}

impl Spectrogram {
    /// Draws it into `rect`.
    pub fn show(&mut self, ui: &Ui, rect: Rect, snapshot: &Snapshot) {
        if self.texture.is_none() || snapshot.heard != self.heard {
            self.update(ui, snapshot);
        }
        let painter = ui.painter();
        let picture = Rect::from_min_max(rect.min + vec2(AXIS, 0.0), rect.max - vec2(0.0, 16.0));
        if let Some(texture) = &self.texture {
            let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
            painter.image(texture.id(), picture, whole, Color32::WHITE);
        }
        axes(painter, picture, &snapshot.ear);
    }

    fn update(&mut self, ui: &Ui, snapshot: &Snapshot) {
        let new = snapshot.heard.saturating_sub(self.heard).min(FRAMES as u64);
        self.heard = snapshot.heard;
        let loudest = snapshot
            .frames
            .iter()
            .flatten()
            .fold(QUIET, |peak, &x| peak.max(x));
        self.peak = (self.peak * FORGET.powi(new as i32)).max(loudest);
        let image = self.image(&snapshot.frames);
        match &mut self.texture {
            Some(texture) => texture.set(image, TextureOptions::LINEAR),
            None => {
                let texture = ui
                    .ctx()
                    .load_texture("spectrogram", image, TextureOptions::LINEAR);
                self.texture = Some(texture);
            }
        }
    }

    /// The newest frame at the right, the lowest channel at the bottom.
    fn image(&self, frames: &[[f32; CHANNELS]]) -> ColorImage {
        let mut pixels = vec![self.palette[0]; FRAMES * CHANNELS];
        let shown = frames.len().min(FRAMES);
        for (k, frame) in frames[frames.len() - shown..].iter().enumerate() {
            let column = FRAMES - shown + k;
            for (channel, &x) in frame.iter().enumerate() {
                let level = 1.0 + 20.0 * (x / self.peak).max(1e-9).log10() / RANGE;
                let row = CHANNELS - 1 - channel;
                // `as u8` saturates: below the range is the first colour.
                pixels[row * FRAMES + column] = self.palette[usize::from((level * 255.0) as u8)];
            }
        }
        ColorImage::new([FRAMES, CHANNELS], pixels)
    }
}

/// Frequencies at the left, seconds below.
fn axes(painter: &Painter, picture: Rect, ear: &EarConfig) {
    let frequencies = centre_frequencies(ear, ear.preset.rate());
    let grid = Stroke::new(1.0, Color32::from_white_alpha(14));
    for (frequency, label) in MARKS {
        let Some(channel) = place(&frequencies, frequency) else {
            continue;
        };
        let y = picture.bottom() - (channel + 0.5) / CHANNELS as f32 * picture.height();
        painter.hline(picture.x_range(), y, grid);
        let at = pos2(picture.left() - 6.0, y);
        painter.text(
            at,
            Align2::RIGHT_CENTER,
            label,
            theme::font(10.0),
            theme::DIM,
        );
    }
    let unit = picture.left_bottom() + vec2(-6.0, 3.0);
    painter.text(
        unit,
        Align2::RIGHT_TOP,
        "Hz",
        theme::font(10.0),
        theme::FAINT,
    );
    let seconds = FRAMES as f32 / FRAME_RATE;
    for ago in 0..=seconds as usize {
        let x = picture.right() - ago as f32 / seconds * picture.width();
        let (label, anchor) = match ago {
            0 => ("now".into(), Align2::RIGHT_TOP),
            _ => (format!("-{ago} s"), Align2::CENTER_TOP),
        };
        if ago > 0 && (ago as f32) < seconds {
            painter.vline(x, picture.y_range(), grid);
        }
        if (ago as f32) < seconds {
            let at = pos2(x, picture.bottom() + 3.0);
            painter.text(at, anchor, label, theme::font(10.0), theme::FAINT);
        }
    }
}

/// Where among the channels a frequency lies; `None` outside.
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
        let spectrogram = Spectrogram::default();
        let light = |c: &Color32| {
            0.299 * f32::from(c.r()) + 0.587 * f32::from(c.g()) + 0.114 * f32::from(c.b())
        };
        let lights: Vec<_> = spectrogram.palette.iter().map(light).collect();
        assert!(lights.windows(2).all(|pair| pair[0] <= pair[1]));
        assert!(lights[255] > lights[0] + 200.0);
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
    fn the_newest_frame_is_at_the_right_and_low_at_the_bottom() {
        let spectrogram = Spectrogram {
            peak: 1.0,
            ..Spectrogram::default()
        };
        let mut newest = [0.0; CHANNELS];
        newest[0] = 1.0;
        let image = spectrogram.image(&[[0.0; CHANNELS], newest]);
        let bright: Vec<_> = (0..image.pixels.len())
            .filter(|&i| image.pixels[i] != spectrogram.palette[0])
            .collect();
        assert_eq!(bright, [FRAMES * CHANNELS - 1]);
    }
}
