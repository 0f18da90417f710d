//! The reference's auditory spectrogram, scrolling.

use ear::{CHANNELS, EarConfig, brightness, centre_frequencies};
use egui::{Align2, Color32, ColorImage, Painter, Rect, Stroke, TextureHandle, TextureOptions, Ui};
use egui::{pos2, vec2};
use matcher::live::Snapshot;

use super::theme;

/// Length of the picture in seconds.
const SECONDS: f32 = 4.0;
/// Range of levels below the peak in dB.
const RANGE: f32 = 60.0;
/// Smallest peak that counts as sound, about -100 dBFS.
const QUIET: f32 = 1e-5;
/// Time constant in seconds with which the peak decays.
const PEAK_DECAY: f32 = 3.2;
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

/// Colours from silence (0) to the peak (1); lightness ascends.
const STOPS: [(f32, [u8; 3]); 6] = [
    (0.0, [0x0c, 0x0f, 0x13]),
    (0.3, [0x16, 0x26, 0x3d]),
    (0.55, [0x1d, 0x58, 0x6e]),
    (0.75, [0x30, 0x9c, 0x97]),
    (0.9, [0x8f, 0xdc, 0xb4]),
    (1.0, [0xfa, 0xfb, 0xe6]),
];

/// The picture with its scale of levels.
pub struct Spectrogram {
    texture: Option<TextureHandle>,
    palette: [Color32; 256],
    /// [`Snapshot::heard`] when the picture was made.
    heard: u64,
    /// Level shown brightest.
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
    /// Draws the picture with its axes into `rect`.
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
        let rate = frame_rate(&snapshot.ear);
        let new = snapshot.heard.saturating_sub(self.heard) as f32 / rate;
        self.heard = snapshot.heard;
        let loudest = snapshot
            .frames
            .iter()
            .flatten()
            .fold(QUIET, |peak, &x| peak.max(x));
        self.peak = (self.peak * (-new / PEAK_DECAY).exp()).max(loudest);
        let image = self.image(&snapshot.frames, columns(&snapshot.ear));
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

    /// An image of the newest `columns` frames: the newest at the right, the lowest channel at the
    /// bottom.
    fn image(&self, frames: &[[f32; CHANNELS]], columns: usize) -> ColorImage {
        let mut pixels = vec![self.palette[0]; columns * CHANNELS];
        let shown = frames.len().min(columns);
        for (k, frame) in frames[frames.len() - shown..].iter().enumerate() {
            let column = columns - shown + k;
            for (channel, &x) in frame.iter().enumerate() {
                let level = brightness(x, self.peak, RANGE);
                let row = CHANNELS - 1 - channel;
                pixels[row * columns + column] = self.palette[usize::from((level * 255.0) as u8)];
            }
        }
        ColorImage::new([columns, CHANNELS], pixels)
    }
}

/// Frames per second of an ear at its preset's rate.
fn frame_rate(ear: &EarConfig) -> f32 {
    ear.frame_rate(ear.preset.rate()) as f32
}

/// Frames of a picture of [`SECONDS`].
fn columns(ear: &EarConfig) -> usize {
    (SECONDS * frame_rate(ear)).round() as usize
}

/// Draws the axes: frequencies at the left, seconds below.
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
    for ago in 0..=SECONDS as usize {
        let x = picture.right() - ago as f32 / SECONDS * picture.width();
        let (label, anchor) = match ago {
            0 => ("now".into(), Align2::RIGHT_TOP),
            _ => (format!("-{ago} s"), Align2::CENTER_TOP),
        };
        if ago > 0 && (ago as f32) < SECONDS {
            painter.vline(x, picture.y_range(), grid);
        }
        if (ago as f32) < SECONDS {
            let at = pos2(x, picture.bottom() + 3.0);
            painter.text(at, anchor, label, theme::font(10.0), theme::FAINT);
        }
    }
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
        let spectrogram = Spectrogram::default();
        let light = |c: &Color32| {
            0.299 * f32::from(c.r()) + 0.587 * f32::from(c.g()) + 0.114 * f32::from(c.b())
        };
        let lights: Vec<_> = spectrogram.palette.iter().map(light).collect();
        assert!(lights.windows(2).all(|pair| pair[0] <= pair[1]));
        assert!(lights[255] > lights[0] + 200.0);
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
    fn the_newest_frame_is_at_the_right_and_low_at_the_bottom() {
        let spectrogram = Spectrogram {
            peak: 1.0,
            ..Spectrogram::default()
        };
        let mut newest = [0.0; CHANNELS];
        newest[0] = 1.0;
        let columns = columns(&EarConfig::default());
        assert_eq!(columns, 500);
        let image = spectrogram.image(&[[0.0; CHANNELS], newest], columns);
        let bright: Vec<_> = (0..image.pixels.len())
            .filter(|&i| image.pixels[i] != spectrogram.palette[0])
            .collect();
        assert_eq!(bright, [columns * CHANNELS - 1]);
    }
}
