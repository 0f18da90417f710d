//! Two auditory spectrograms mirrored at the notes, as a PNG.

use ear::{CHANNELS, Spectrogram};
use std::ops::Range;
use synth::Note;

/// Decibels from the darkest colour to the brightest.
const RANGE_DB: f32 = 60.0;
/// Rows of pixels of the notes between the spectrograms, and of one of them.
const BAND: usize = 40;
const BAR: usize = 4;
/// Rows of pixels of a pair.
const HEIGHT: usize = 2 * CHANNELS + BAND;
/// Shares of the height that the upper and the lower spectrogram take.
pub const UPPER: Range<f32> = 0.0..CHANNELS as f32 / HEIGHT as f32;
pub const LOWER: Range<f32> = (CHANNELS + BAND) as f32 / HEIGHT as f32..1.0;

/// Colours of each spectrogram in the palette, those of the upper first.
const COLOURS: u8 = 120;
/// Places of the notes' band and bars in the palette.
const BAND_COLOUR: u8 = 2 * COLOURS;
const BAR_COLOUR: u8 = BAND_COLOUR + 1;

/// A level from 0 to 1, and its colour.
pub type Stop = (f32, [u8; 3]);
/// Colours of the sound that is heard, as in the plugin's editor; lightness ascends.
const HEARD: [Stop; 6] = [
    (0.0, [0x0c, 0x0f, 0x13]),
    (0.3, [0x13, 0x24, 0x33]),
    (0.55, [0x1b, 0x56, 0x66]),
    (0.75, [0x30, 0x9c, 0x97]),
    (0.9, [0x7f, 0xe0, 0xc4]),
    (1.0, [0xf2, 0xfb, 0xee]),
];
/// Colours of what the live loop plays, of like lightness.
pub const LIVE: [Stop; 6] = [
    (0.0, [0x0c, 0x0f, 0x13]),
    (0.3, [0x20, 0x22, 0x40]),
    (0.55, [0x40, 0x48, 0x8a]),
    (0.75, [0x70, 0x83, 0xd0]),
    (0.9, [0xb4, 0xc6, 0xff]),
    (1.0, [0xf4, 0xf6, 0xff]),
];
/// Colours of what a search has found.
pub const SEARCHED: [Stop; 6] = [
    (0.0, [0x0c, 0x0f, 0x13]),
    (0.3, [0x30, 0x1f, 0x1c]),
    (0.55, [0x76, 0x3f, 0x24]),
    (0.75, [0xc2, 0x76, 0x3a]),
    (0.9, [0xf7, 0xbb, 0x7c]),
    (1.0, [0xff, 0xf6, 0xe4]),
];

/// Draws `heard` with low frequencies below, `notes` of it, and `played` upside down in `colours`:
/// a column for each frame of `heard`, brightness for the level below each one's peak.
pub fn png(heard: &Spectrogram, notes: &[Note], played: &Spectrogram, colours: &[Stop]) -> Vec<u8> {
    let width = heard.frames().max(1);
    let mut pixels = vec![0u8; width * HEIGHT];
    for (sound, first, place) in [
        (
            heard,
            0,
            &(|channel| CHANNELS - 1 - channel) as &dyn Fn(usize) -> usize,
        ),
        (played, COLOURS, &|channel| CHANNELS + BAND + channel),
    ] {
        let levels = ear::decibel_image(&sound.data, RANGE_DB);
        for (frame, levels) in levels.chunks_exact(CHANNELS).take(width).enumerate() {
            for (channel, level) in levels.iter().enumerate() {
                let colour = first + (level * f32::from(COLOURS - 1)).round() as u8;
                pixels[place(channel) * width + frame] = colour;
            }
        }
    }
    pixels[CHANNELS * width..][..BAND * width].fill(BAND_COLOUR);
    for (rows, columns) in bars(notes, heard.frame_rate, width) {
        for row in rows {
            pixels[row * width..][columns.clone()].fill(BAR_COLOUR);
        }
    }
    encode(&pixels, width, colours)
}

/// Rows and columns of pixels of the bar of each note, higher ones above.
fn bars(notes: &[Note], rate: f64, width: usize) -> Vec<(Range<usize>, Range<usize>)> {
    let keys = notes.iter().map(|n| n.key);
    let low = keys.clone().fold(f32::INFINITY, f32::min);
    let span = (keys.fold(low, f32::max) - low).max(1.0);
    let free = (BAND - 3 * BAR) as f32;
    let bar = |note: &Note| {
        let top = CHANNELS + BAR + (free * (1.0 - (note.key - low) / span)).round() as usize;
        let column = |seconds: f64| ((seconds * rate).round().max(0.0) as usize).min(width);
        // A frame less, or notes that follow each other would be one.
        let end = column(note.onset + note.duration).saturating_sub(1);
        (top..top + BAR, column(note.onset).min(end)..end)
    };
    notes.iter().map(bar).collect()
}

/// Writes rows of palette indices as a PNG.
fn encode(pixels: &[u8], width: usize, played: &[Stop]) -> Vec<u8> {
    let shade = |stops: &[Stop], i: u8| colour(stops, f32::from(i) / f32::from(COLOURS - 1));
    let palette = (0..COLOURS)
        .map(|i| shade(&HEARD, i))
        .chain((0..COLOURS).map(|i| shade(played, i)))
        .chain([[0x08, 0x0a, 0x0d], [0xdf, 0xe4, 0xeb]]);
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width as u32, (pixels.len() / width) as u32);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Best);
    encoder.set_palette(palette.flatten().collect::<Vec<u8>>());
    let mut writer = encoder.write_header().expect("the size is not 0");
    writer
        .write_image_data(pixels)
        .expect("memory takes all of whole rows");
    writer.finish().expect("memory takes the end");
    bytes
}

/// Colour of a level from 0 to 1.
fn colour(stops: &[Stop], level: f32) -> [u8; 3] {
    let next = stops.iter().position(|(at, _)| *at >= level);
    let next = next.unwrap_or(stops.len() - 1).max(1);
    let ((from, a), (to, b)) = (stops[next - 1], stops[next]);
    let t = (level - from) / (to - from);
    std::array::from_fn(|k| {
        (f32::from(a[k]) + t * (f32::from(b[k]) - f32::from(a[k]))).round() as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Decodes a PNG to its size and RGB pixels.
    fn decode(bytes: &[u8]) -> (u32, u32, Vec<[u8; 3]>) {
        let mut decoder = png::Decoder::new(bytes);
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().unwrap();
        let mut data = vec![0; reader.output_buffer_size()];
        let info = reader.next_frame(&mut data).unwrap();
        let pixels = data.chunks_exact(3).map(|p| [p[0], p[1], p[2]]).collect();
        (info.width, info.height, pixels)
    }

    /// A sound of 50 frames with one channel.
    fn tone(channel: usize) -> Spectrogram {
        let cells = (0..50 * CHANNELS).map(|i| f32::from(i % CHANNELS == channel));
        Spectrogram {
            data: cells.collect(),
            pitch: Vec::new(),
            frame_rate: 125.0,
        }
    }

    #[test]
    fn sounds_are_mirrored_at_the_notes() {
        let note = Note {
            onset: 0.08,
            duration: 0.16,
            key: 60.0,
            velocity: 1.0,
        };
        let (width, height, pixels) = decode(&png(&tone(10), &[note], &tone(30), &LIVE));
        assert_eq!((width, height), (50, HEIGHT as u32));
        let row = |y: usize| &pixels[y * 50..][..50];
        // Full level is the last colour of each; low channels are next to the notes.
        assert!(row(CHANNELS - 1 - 10).iter().all(|p| *p == HEARD[5].1));
        assert!(row(CHANNELS + BAND + 30).iter().all(|p| *p == LIVE[5].1));
        assert!(row(CHANNELS - 1 - 30).iter().all(|p| *p == HEARD[0].1));
        let band: Vec<_> = (CHANNELS..CHANNELS + BAND).map(row).collect();
        let lit: Vec<usize> = (0..50)
            .filter(|&x| band.iter().any(|r| r[x][0] > 0x80))
            .collect();
        assert_eq!(lit, (10..29).collect::<Vec<_>>());
    }

    #[test]
    fn silence_and_sounds_of_other_lengths_are_drawn_too() {
        let silence = Spectrogram {
            data: vec![0.0; 3 * CHANNELS],
            ..tone(0)
        };
        assert_eq!(decode(&png(&silence, &[], &tone(5), &LIVE)).0, 3);
        assert_eq!(decode(&png(&tone(5), &[], &silence, &LIVE)).0, 50);
        assert_eq!(
            decode(&png(&Spectrogram::default(), &[], &silence, &LIVE)).0,
            1
        );
    }

    #[test]
    fn colours_get_lighter_with_the_level() {
        for stops in [HEARD, LIVE, SEARCHED] {
            let light = |i: u8| {
                let [r, g, b] = colour(&stops, f32::from(i) / 255.0).map(f32::from);
                0.30 * r + 0.59 * g + 0.11 * b
            };
            assert!((1..=255).all(|i| light(i) >= light(i - 1) - 1.0));
        }
    }
}
