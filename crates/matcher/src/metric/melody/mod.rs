//! The notes of a monophonic sound, from its pitch track.
//!
//! Within each voiced stretch a Viterbi path over semitones, tuned to the sound's own concert
//! pitch, assigns each frame to a note: a change costs as much as 6 frames a semitone off, so
//! vibrato of +-1 semitone stays inside a note while a step of a tone shows after 50 ms. Where one
//! note rings into the next, trackers slip for some 10 ms to a subharmonic; such slips are merged
//! into their neighbour. A rise of level splits repeated notes. A note's key is the median of its
//! frames, so it need not be tempered.

use ear::{PitchFrame, Spectrogram};
use synth::{Note, PARAMS, params::VELOCITY};

/// Shortest note, in seconds.
const SHORTEST: f64 = 0.050;
/// Longest interruption of voicing inside a note, in seconds.
const GAP: f64 = 0.025;
/// Fall in dB at which an interruption ends the note.
const GAP_FALL: f32 = 12.0;
/// Rise in dB within [`RISE_TIME`] seconds that starts a note.
const RISE: f32 = 6.0;
const RISE_TIME: f64 = 0.040;
/// Cost of changing the note; a frame costs the squared deviation in semitones over [`SPREAD`]
/// squared.
const CHANGE: f32 = 40.0;
const SPREAD: f32 = 0.4;
/// Deviations beyond this many semitones cost no more: the tracker has slipped.
const SLIP: f32 = 2.0;
/// Longest time, in seconds, and largest fall in level, in dB, from a note's first voiced frame
/// back to its onset.
const LEAD: f64 = 0.064;
const LEAD_FALL: f32 = 24.0;

/// A note as frames `start..end`.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Span {
    start: usize,
    end: usize,
    /// True if another note precedes it without a pause.
    joined: bool,
}

/// Transcribes the notes of `heard`, in order, without overlaps; its pitch must be tracked.
/// Velocities are such that the default velocity response gives the levels heard, the loudest note
/// being 1.
pub fn melody(heard: &Spectrogram) -> Vec<Note> {
    let frames = &heard.pitch;
    let per = |seconds: f64| (seconds * heard.frame_rate).round() as usize;
    let keys = bridged(frames, per(GAP));
    let level = envelope(frames);
    let runs = runs(&keys, per(SHORTEST));
    let tuning = tuning(&runs);
    let mut spans: Vec<Span> = Vec::new();
    for (first, run) in &runs {
        for step in steps(run, tuning, per(SHORTEST)) {
            let step = Span {
                start: step.start + first,
                end: step.end + first,
                ..step
            };
            spans.extend(rises(&level, step, per(RISE_TIME), per(SHORTEST)));
        }
    }

    let median = |span: &Span| {
        let mut inside: Vec<f32> = keys[span.start..span.end]
            .iter()
            .flatten()
            .copied()
            .collect();
        inside.sort_by(f32::total_cmp);
        inside[inside.len() / 2]
    };
    let loudness = |span: &Span| {
        let inside = frames[span.start..span.end].iter();
        inside.fold(f32::MIN, |m, p| m.max(p.level_db))
    };
    let loudest = spans.iter().map(loudness).fold(f32::MIN, f32::max);
    let mut notes: Vec<Note> = Vec::new();
    for span in &spans {
        let first = match span.joined {
            true => span.start,
            false => begin(&level, span.start, per(LEAD)),
        };
        let mut onset = first as f64 / heard.frame_rate;
        let end = span.end as f64 / heard.frame_rate;
        if let Some(last) = notes.last_mut() {
            let until = last.onset + last.duration;
            if span.joined {
                last.duration = onset - last.onset;
            } else {
                onset = onset.max(until);
            }
        }
        let velocity = velocity(loudness(span) - loudest);
        notes.push(Note {
            onset,
            duration: end - onset,
            key: median(span),
            velocity,
        });
    }
    notes
}

/// MIDI pitch of voiced frames, with interruptions of up to `longest` frames filled.
fn bridged(frames: &[PitchFrame], longest: usize) -> Vec<Option<f32>> {
    let key = |p: &PitchFrame| (p.voiced && p.hz > 0.0).then(|| p.key());
    let mut keys: Vec<Option<f32>> = frames.iter().map(key).collect();
    let mut i = 0;
    while i < keys.len() {
        let gap = keys[i..].iter().take_while(|k| k.is_none()).count();
        let whole = i > 0 && i + gap < keys.len() && gap <= longest;
        if gap > 0 && whole {
            let floor = frames[i - 1].level_db.min(frames[i + gap].level_db) - GAP_FALL;
            if frames[i..i + gap].iter().all(|p| p.level_db > floor) {
                let before = keys[i - 1];
                keys[i..i + gap].fill(before);
            }
        }
        i += gap.max(1);
    }
    keys
}

/// Level of each frame in dBFS, the largest of three frames: a frame is shorter than a low note's
/// period.
fn envelope(frames: &[PitchFrame]) -> Vec<f32> {
    (0..frames.len())
        .map(|i| {
            frames[i.saturating_sub(2)..=i]
                .iter()
                .fold(f32::MIN, |m, p| m.max(p.level_db))
        })
        .collect()
}

/// Voiced stretches of at least `shortest` frames, as their first frame and their keys.
fn runs(keys: &[Option<f32>], shortest: usize) -> Vec<(usize, Vec<f32>)> {
    let mut runs = Vec::new();
    let mut start = 0;
    while start < keys.len() {
        let run: Vec<f32> = keys[start..].iter().map_while(|k| *k).collect();
        let next = start + run.len().max(1);
        if run.len() >= shortest.max(1) {
            runs.push((start, run));
        }
        start = next;
    }
    runs
}

/// Finds the cheapest path through semitones `tuning` above the tempered ones, and its cost. The
/// path is in semitones above its lowest state.
fn path(run: &[f32], tuning: f32) -> (Vec<usize>, f32) {
    let low = run.iter().fold(f32::MAX, |m, &k| m.min(k)).floor() - 1.0;
    let high = run.iter().fold(f32::MIN, |m, &k| m.max(k)).ceil() + 1.0;
    let states = (high - low) as usize + 1;
    let cost = |key: f32, state: usize| {
        let off = (key - (low + state as f32 + tuning)).abs().min(SLIP) / SPREAD;
        off * off
    };
    let least = |total: &[f32]| {
        (0..states)
            .min_by(|&a, &b| total[a].total_cmp(&total[b]))
            .unwrap_or(0)
    };
    let mut total = vec![0.0; states];
    // Previous state, per frame and state.
    let mut from: Vec<Vec<usize>> = Vec::with_capacity(run.len());
    for &key in run {
        let best = least(&total);
        let change = total[best] + CHANGE;
        from.push(
            (0..states)
                .map(|s| if total[s] <= change { s } else { best })
                .collect(),
        );
        for (s, t) in total.iter_mut().enumerate() {
            *t = t.min(change) + cost(key, s);
        }
    }
    let mut state = least(&total);
    let cheapest = total[state];
    let mut path = vec![0; run.len()];
    for (i, before) in from.iter().enumerate().rev() {
        path[i] = state;
        state = before[state];
    }
    (path, cheapest)
}

/// Deviation of the sound from A = 440 Hz, in semitones to a tenth: the one that its notes fit
/// best.
fn tuning(runs: &[(usize, Vec<f32>)]) -> f32 {
    let cost = |tenths: i32| {
        runs.iter()
            .map(|(_, run)| path(run, tenths as f32 / 10.0).1)
            .sum::<f32>()
    };
    let costs: Vec<f32> = (-5..5).map(cost).collect();
    let best = (0..costs.len())
        .min_by(|&a, &b| costs[a].total_cmp(&costs[b]))
        .unwrap_or(5);
    (best as f32 - 5.0) / 10.0
}

/// Splits a voiced stretch where its pitch steps to another semitone for good.
fn steps(run: &[f32], tuning: f32, shortest: usize) -> Vec<Span> {
    let (path, _) = path(run, tuning);
    // Stretches of one state.
    let mut notes: Vec<(usize, Span)> = Vec::new();
    for (i, &state) in path.iter().enumerate() {
        match notes.last_mut() {
            Some((last, span)) if *last == state => span.end = i + 1,
            last => {
                let joined = last.is_some();
                notes.push((
                    state,
                    Span {
                        start: i,
                        end: i + 1,
                        joined,
                    },
                ));
            }
        }
    }
    // Slips, shortest first, are merged into the neighbour they came from.
    while notes.len() > 1 {
        let length = |i: usize| notes[i].1.end - notes[i].1.start;
        let slip = |i: usize| {
            let below = |j: usize| is_subharmonic(notes[j].0 as i32 - notes[i].0 as i32);
            let (before, after) = (i > 0 && below(i - 1), i + 1 < notes.len() && below(i + 1));
            length(i) < shortest || (length(i) < 2 * shortest && (before || after))
        };
        let Some(i) = (0..notes.len())
            .filter(|&i| slip(i))
            .min_by_key(|&i| length(i))
        else {
            break;
        };
        let after =
            i + 1 < notes.len() && is_subharmonic(notes[i + 1].0 as i32 - notes[i].0 as i32);
        let (_, gone) = notes.remove(i);
        if i == 0 || after {
            notes[i].1.start = gone.start;
            notes[i].1.joined = gone.joined;
        } else {
            notes[i - 1].1.end = gone.end;
        }
        // Neighbours that are now one note.
        let j = i.min(notes.len() - 1);
        if j > 0 && notes[j].0 == notes[j - 1].0 {
            notes[j - 1].1.end = notes[j].1.end;
            notes.remove(j);
        }
    }
    notes.into_iter().map(|(_, span)| span).collect()
}

/// Returns whether `up` semitones lead from a subharmonic to its pitch, 2 to 6 times as high.
fn is_subharmonic(up: i32) -> bool {
    matches!(up, 12 | 19 | 24 | 28 | 31)
}

/// Splits a span where its level rises.
fn rises(level: &[f32], span: Span, time: usize, shortest: usize) -> Vec<Span> {
    let mut spans = vec![span];
    let mut i = span.start + shortest;
    while i + shortest <= span.end {
        let last = spans.len() - 1;
        let window = &level[(i - time.min(i)).max(spans[last].start)..i];
        let low = window.iter().fold(f32::MAX, |m, &l| m.min(l));
        // The frame after the lowest is where the rise begins.
        let back = window.iter().rev().take_while(|&&l| l > low).count();
        let onset = i - back;
        // A rise right after a span's start is that note's own.
        if level[i] - low >= RISE && onset - spans[last].start >= shortest {
            spans[last].end = onset;
            spans.push(Span {
                start: onset,
                end: span.end,
                joined: false,
            });
            i += shortest;
        } else {
            i += 1;
        }
    }
    spans
}

/// First frame of the sound that is voiced from frame `first` on: a pitch is known only after some
/// periods.
fn begin(level: &[f32], first: usize, lead: usize) -> usize {
    let floor = level[first] - LEAD_FALL;
    let earliest = first.saturating_sub(lead);
    (earliest..first)
        .rev()
        .take_while(|&i| level[i] > floor)
        .last()
        .unwrap_or(first)
}

/// Velocity that plays a note `db` decibels softer than at 1; the synth's amplitude is
/// 1 - response (1 - velocity^2).
fn velocity(db: f32) -> f32 {
    let gain = 10f32.powf(db / 20.0);
    let response = PARAMS[VELOCITY].default;
    (1.0 - (1.0 - gain) / response)
        .max(0.0)
        .sqrt()
        .clamp(0.1, 1.0)
}

#[cfg(test)]
mod tests;
