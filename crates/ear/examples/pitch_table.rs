//! Prints the pitch tracker's errors on melodies played by sampled instruments.
//!
//! ```text
//! apt install fluidsynth timgm6mb-soundfont
//! cargo run --release -p ear --example pitch_table [FONT.sf2] [--seed N] [--others] [--verbose]
//! ```
//! Each instrument of the General MIDI set plays 72 notes over its own range in random order, once
//! detached and once legato; together they span 55 to 1760 Hz. `--others` takes instruments the
//! tracker was tuned on instead, `--seed` other melodies. Every frame is compared with the note
//! that the score holds at the frame's end, from the note's first frame on; under legato notes the
//! note before may still ring. `gross` counts errors over 50 cents among frames that the score and
//! the ear both call voiced: of all notes, of detached and legato ones, in the first 40 ms of notes
//! and after. `missed` are audible frames of a note called unvoiced, `false` frames of rests (from
//! 200 ms after a note's end) called voiced.

use ear::{EarConfig, key_to_hz, spectrogram};
use midly::num::{u4, u7, u15, u24, u28};
use midly::{Format, Header, MetaMessage, MidiMessage, Smf, Timing, TrackEvent, TrackEventKind};
use std::error::Error;
use std::path::Path;
use std::process::Command;

/// Name, General MIDI program, lowest and highest key.
type Instrument = (&'static str, u8, u8, u8);
const INSTRUMENTS: [Instrument; 9] = [
    ("piano", 0, 33, 93),
    ("flute", 73, 60, 93),
    ("violin", 40, 55, 93),
    ("trumpet", 56, 52, 84),
    ("cello", 42, 36, 76),
    ("tenor sax", 66, 44, 76),
    ("clarinet", 71, 50, 91),
    ("electric bass", 33, 33, 60),
    ("nylon guitar", 24, 40, 83),
];
/// Instruments the tracker was tuned on.
const OTHERS: [Instrument; 10] = [
    ("electric piano", 4, 33, 93),
    ("steel guitar", 25, 40, 84),
    ("fretless bass", 35, 33, 62),
    ("viola", 41, 48, 86),
    ("trombone", 57, 40, 72),
    ("soprano sax", 64, 56, 88),
    ("piccolo", 72, 74, 93),
    ("recorder", 74, 72, 93),
    ("pan flute", 75, 60, 93),
    ("ocarina", 79, 60, 88),
];
/// Length of a note's start in ms.
const START: u32 = 40;
const NOTES: usize = 72;
/// One tick is a millisecond: 500 ticks a beat at 120 beats a minute.
const TICKS: u16 = 500;
const RATE: f64 = 44_100.0;

struct Note {
    key: u8,
    start: u32,
    end: u32,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut soundfont = "/usr/share/sounds/sf2/TimGM6mb.sf2".to_string();
    let (mut verbose, mut seed, mut instruments) = (false, 1, &INSTRUMENTS[..]);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--verbose" => verbose = true,
            "--others" => instruments = &OTHERS,
            "--seed" => seed = arguments.next().ok_or("--seed takes a number")?.parse()?,
            path => soundfont = path.to_string(),
        }
    }
    let folder = std::env::temp_dir().join(format!("ear-pitch-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    println!(
        "{:15} {:>7} {:>8} {:>9} {:>8} {:>8} {:>8} {:>9} {:>8} {:>13}",
        "instrument",
        "frames",
        "gross %",
        "detached",
        "legato",
        "start",
        "after",
        "missed %",
        "false %",
        "median cents"
    );
    let mut totals = [Count::default(), Count::default()];
    for (index, &(name, program, low, high)) in instruments.iter().enumerate() {
        let mut counts = [Count::default(), Count::default()];
        for (count, legato) in counts.iter_mut().zip([false, true]) {
            let melody = melody(low, high, legato, seed + index as u32);
            let sound = play(&folder, &soundfont, program, &melody)?;
            count.compare(&sound, &melody, verbose.then_some(name))?;
        }
        print(name, &counts);
        for (total, count) in totals.iter_mut().zip(counts) {
            total.add(count);
        }
    }
    print("all", &totals);
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

/// Random keys between `low` and `high`: detached notes of 300 ms with rests of 300 ms, or legato
/// notes of 250 ms.
fn melody(low: u8, high: u8, legato: bool, seed: u32) -> Vec<Note> {
    let mut state = seed;
    let mut random = move |below: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) % below
    };
    let (step, length) = if legato { (250, 250) } else { (600, 300) };
    let mut notes: Vec<Note> = Vec::new();
    for i in 0..NOTES as u32 {
        let mut key = low + random(u32::from(high - low) + 1) as u8;
        if notes.last().is_some_and(|n| n.key == key) {
            key = if key == high { low } else { key + 1 };
        }
        notes.push(Note {
            key,
            start: i * step,
            end: i * step + length,
        });
    }
    notes
}

/// Renders `melody` with fluidsynth, dry, and returns the left channel.
fn play(
    folder: &Path,
    soundfont: &str,
    program: u8,
    melody: &[Note],
) -> Result<Vec<f32>, Box<dyn Error>> {
    let channel = u4::new(0);
    let midi = |message| TrackEventKind::Midi { channel, message };
    let mut events = vec![
        (
            0,
            TrackEventKind::Meta(MetaMessage::Tempo(u24::new(500_000))),
        ),
        (
            0,
            midi(MidiMessage::ProgramChange {
                program: u7::new(program),
            }),
        ),
    ];
    for note in melody {
        let key = u7::new(note.key);
        events.push((
            note.start,
            midi(MidiMessage::NoteOn {
                key,
                vel: u7::new(100),
            }),
        ));
        events.push((
            note.end,
            midi(MidiMessage::NoteOff {
                key,
                vel: u7::new(64),
            }),
        ));
    }
    // At equal times the old note ends first: the sort is stable, and it was pushed first.
    events.sort_by_key(|e| e.0);
    let end = melody.last().map_or(0, |n| n.end) + 500;
    events.push((end, TrackEventKind::Meta(MetaMessage::EndOfTrack)));
    let mut now = 0;
    let track = events
        .into_iter()
        .map(|(time, kind)| {
            let delta = u28::new(time - now);
            now = time;
            TrackEvent { delta, kind }
        })
        .collect();
    let header = Header::new(Format::SingleTrack, Timing::Metrical(u15::new(TICKS)));
    let (score, sound) = (folder.join("melody.mid"), folder.join("melody.wav"));
    Smf {
        header,
        tracks: vec![track],
    }
    .save(&score)?;
    let rendered = Command::new("fluidsynth")
        .args(["-ni", "-q", "-R", "0", "-C", "0", "-r", "44100", "-F"])
        .arg(&sound)
        .arg(soundfont)
        .arg(&score)
        .output()
        .map_err(|e| {
            format!("can't run fluidsynth ({e}): apt install fluidsynth timgm6mb-soundfont")
        })?;
    if !rendered.status.success() {
        return Err(String::from_utf8_lossy(&rendered.stderr).into());
    }
    let mut reader = hound::WavReader::open(&sound)?;
    let samples: Result<Vec<i32>, _> = reader.samples().collect();
    Ok(samples?
        .into_iter()
        .step_by(2)
        .map(|s| s as f32 / 32_768.0)
        .collect())
}

#[derive(Clone, Default)]
struct Count {
    /// Frames voiced in score and report, in the first [`START`] ms of notes and after, and gross
    /// errors among them.
    voiced: [usize; 2],
    gross: [usize; 2],
    sounding: usize,
    missed: usize,
    resting: usize,
    false_alarms: usize,
    cents: Vec<f64>,
}

impl Count {
    fn compare(
        &mut self,
        sound: &[f32],
        melody: &[Note],
        verbose: Option<&str>,
    ) -> Result<(), Box<dyn Error>> {
        let heard = spectrogram(&EarConfig::default(), sound, RATE, true)?;
        for (i, frame) in heard.pitch.iter().enumerate() {
            let time = ((i + 1) as f64 * 1000.0 / heard.frame_rate) as u32;
            if let Some(note) = melody.iter().find(|n| n.start < time && time <= n.end) {
                let since = time - note.start;
                // A sampled instrument may speak late; what is silent is not missed.
                let audible = frame.level_db > -55.0;
                self.sounding += usize::from(audible);
                self.missed += usize::from(audible && !frame.voiced);
                if frame.voiced {
                    let want = key_to_hz(f64::from(note.key));
                    let cents = 1200.0 * (f64::from(frame.hz) / want).log2();
                    let wrong = cents.abs() > 50.0;
                    let part = usize::from(since > START);
                    self.voiced[part] += 1;
                    self.gross[part] += usize::from(wrong);
                    self.cents.push(cents.abs());
                    if let (true, Some(name)) = (wrong, verbose) {
                        println!(
                            "  {name} key {} {want:.1} Hz, {since} ms: {:.1} Hz, clarity {:.2}, {:.0} dB",
                            note.key, frame.hz, frame.clarity, frame.level_db
                        );
                    }
                }
            } else if melody.iter().all(|n| time < n.start || time > n.end + 200) {
                self.resting += 1;
                self.false_alarms += usize::from(frame.voiced);
            }
        }
        Ok(())
    }

    fn add(&mut self, other: Count) {
        for part in 0..2 {
            self.voiced[part] += other.voiced[part];
            self.gross[part] += other.gross[part];
        }
        self.sounding += other.sounding;
        self.missed += other.missed;
        self.resting += other.resting;
        self.false_alarms += other.false_alarms;
        self.cents.extend(other.cents);
    }

    /// Percentage of gross errors.
    fn gross(&self) -> f64 {
        percent(self.gross.iter().sum(), self.voiced.iter().sum())
    }
}

fn percent(part: usize, of: usize) -> f64 {
    100.0 * part as f64 / of.max(1) as f64
}

/// One line of the table; `counts` are of detached and legato notes.
fn print(name: &str, counts: &[Count; 2]) {
    let mut both = Count::default();
    for count in counts {
        both.add(count.clone());
    }
    both.cents.sort_by(f64::total_cmp);
    println!(
        "{name:15} {:7} {:8.2} {:9.2} {:8.2} {:8.2} {:8.2} {:9.2} {:8.2} {:13.1}",
        both.voiced.iter().sum::<usize>(),
        both.gross(),
        counts[0].gross(),
        counts[1].gross(),
        percent(both.gross[0], both.voiced[0]),
        percent(both.gross[1], both.voiced[1]),
        percent(both.missed, both.sounding),
        percent(both.false_alarms, both.resting),
        both.cents
            .get(both.cents.len() / 2)
            .copied()
            .unwrap_or(f64::NAN),
    );
}
