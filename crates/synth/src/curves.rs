//! Curves of a patch for an editor: waveforms, envelopes and low-frequency oscillators, computed by
//! the functions that play them. The filters' response is
//! [`FilterResponse`](crate::FilterResponse).

use simd::Baseline;

use crate::envelope::Envelope;
use crate::lfo::{Clock, Lfo};
use crate::oscillator::Oscillator;
use crate::params::{DESTINATIONS, Destination};
use crate::settings::Settings;
use crate::wavetable::Wavetables;
use crate::{CONTROL, Patch, Section};

/// Sample rate of the computation, in Hz.
const RATE: f32 = 48_000.0;

/// `samples` samples of one cycle of oscillator 1 (0) or 2 (1), without FM, -1 to 1 or a little
/// beyond.
pub fn waveform(patch: &Patch, oscillator: usize, samples: usize) -> Vec<f32> {
    let timbre = Settings::new(patch, RATE).osc[oscillator].timbre;
    // A cycle that comes out even: what is drawn begins and ends at phase 0.
    let increment = ((1_u64 << 32) / samples.max(2) as u64) as u32;
    let mut osc = Oscillator::default();
    osc.start(0, increment, &timbre);
    let mut cycle = Vec::with_capacity(samples + CONTROL);
    while cycle.len() < samples {
        osc.plan(CONTROL, increment, &timbre);
        cycle.extend(osc.tone(Baseline, Wavetables::shared(), 0, None));
    }
    cycle.truncate(samples);
    cycle
}

/// Levels, 0 to 1, of the envelope of `section` at `points` times from 0 to `seconds`, for a key
/// that is let go after `held` seconds, at middle C and without velocity.
pub fn envelope(
    patch: &Patch,
    section: Section,
    seconds: f32,
    held: f32,
    points: usize,
) -> Vec<f32> {
    let settings = Settings::new(patch, RATE);
    let settings = match section {
        Section::FilterEnv => settings.filter_env,
        _ => settings.amp,
    };
    let step = seconds * RATE / points.max(2) as f32;
    let mut envelope = Envelope::default();
    envelope.attack();
    let mut released = false;
    (0..points)
        .map(|k| {
            let level = envelope.level();
            if !released && k as f32 * step >= held * RATE {
                envelope.release();
                released = true;
            }
            envelope.advance(step, 1.0, &settings);
            level
        })
        .collect()
}

/// Levels, -1 to 1, of low-frequency oscillator 1 (0) or 2 (1) at `points` times from a note's
/// start to `seconds`, at `tempo` beats a minute.
pub fn lfo(patch: &Patch, oscillator: usize, tempo: f32, seconds: f32, points: usize) -> Vec<f32> {
    let settings = Settings::new(patch, RATE).lfos[oscillator];
    let clock = Clock {
        tempo: tempo / 60.0,
        turns: 0.0,
    };
    let mut lfo = Lfo::new(1, &settings, &clock);
    let step = seconds / points.max(2) as f32;
    // An LFO takes steps of less than a cycle.
    let parts = (step * settings.hertz(clock.tempo) * 4.0).ceil().max(1.0);
    (0..points)
        .map(|_| {
            let level = lfo.level();
            (0..parts as usize).for_each(|_| lfo.advance(step / parts, &settings, &clock));
            level
        })
        .collect()
}

/// Row of the table that the matrix's destination with this index moves; `None` for those that no
/// row has (pitch, amplitude, pan), and outside the list.
pub fn destination_row(index: usize) -> Option<usize> {
    (index < DESTINATIONS.len()).then_some(())?;
    match Destination::from_plain(index as f32) {
        Destination::Row(row) => Some(row),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PARAMS, params};

    #[test]
    fn a_waveform_is_the_oscillators() {
        let mut patch = Patch::default();
        patch.set_plain(params::OSC1_SHAPE, 0.0);
        let sine = waveform(&patch, 0, 256);
        for (k, x) in sine.iter().enumerate() {
            let expected = (k as f32 / 256.0 * std::f32::consts::TAU).sin();
            assert!((x - expected).abs() < 1e-3, "{k}: {x} {expected}");
        }
        patch.set_plain(params::OSC1_SHAPE, 2.0);
        let saw = waveform(&patch, 0, 256);
        // Away from the edge, and but for the ripple of a limited band.
        for (k, x) in saw.iter().enumerate().take(232).skip(24) {
            let expected = 1.0 - k as f32 / 128.0;
            assert!((x - expected).abs() < 0.02, "{k}: {x} {expected}");
        }
    }

    #[test]
    fn an_envelope_rises_falls_to_its_sustain_and_ends() {
        let mut patch = Patch::default();
        patch.set_plain(params::FILTER_ATTACK, 0.1);
        patch.set_plain(params::FILTER_DECAY, 0.2);
        patch.set_plain(params::FILTER_SUSTAIN, 0.5);
        patch.set_plain(params::FILTER_RELEASE, 0.1);
        let levels = envelope(&patch, Section::FilterEnv, 2.0, 1.0, 200);
        assert_eq!(levels[0], 0.0);
        assert!((levels[10] - 1.0).abs() < 1e-3, "{}", levels[10]);
        // A twentieth of the time in which it falls by 60 dB.
        let fallen = 0.5 + 0.5 * 10f32.powf(-3.0 / 20.0);
        assert!((levels[11] - fallen).abs() < 5e-3, "{}", levels[11]);
        assert!((levels[99] - 0.5).abs() < 0.02, "{}", levels[99]);
        assert!(levels[199] < 0.01);
    }

    #[test]
    fn an_lfo_turns_at_its_rate_after_its_delay() {
        let mut patch = Patch::default();
        patch.set_plain(params::LFO_RATE, 2.0);
        let levels = lfo(&patch, 0, 120.0, 2.0, 400);
        let crossings = levels.windows(2).filter(|w| w[0] < 0.0 && w[1] >= 0.0);
        assert_eq!(crossings.count(), 3);
        patch.set_plain(params::LFO_DELAY, 1.0);
        let levels = lfo(&patch, 0, 120.0, 2.0, 400);
        assert!(levels[..190].iter().all(|&x| x == 0.0));
    }

    #[test]
    fn slots_and_destinations_are_the_tables() {
        for [source, amount, destination] in params::SLOT_ROWS {
            assert!(PARAMS[source].id.ends_with("_source"));
            assert!(PARAMS[amount].id.ends_with("_amount"));
            assert!(PARAMS[destination].id.ends_with("_dest"));
        }
        let name = |row: usize| PARAMS[row].id;
        assert_eq!(destination_row(17).map(name), Some("filter_cutoff"));
        assert_eq!(destination_row(0), None);
        assert_eq!(destination_row(1000), None);
    }
}
