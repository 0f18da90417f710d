//! The filters against their definitions: slopes, resonance, bypass, bounds.

use super::bank::FilterBank;
use super::*;
use crate::{CONTROL, Samples, Synth};
use realfft::RealFftPlanner;
use simd::{InstructionSet, Kernel, Vector};

mod response;

const N: usize = 1 << 16;

/// A filter, its samples, and the modulator of its cutoff.
type Channel<'a> = (&'a mut Filter, &'a mut Samples, Option<&'a Samples>);

/// Filters the first `len` samples of a step of several channels side by side.
struct Filtering<'a, 'b> {
    bank: &'a mut FilterBank,
    channels: &'a mut [Channel<'b>],
    len: usize,
}

impl Kernel for Filtering<'_, '_> {
    #[inline(always)]
    fn run<V: Vector>(self, v: V) {
        self.bank.clear();
        let mut slots = Vec::new();
        for (filter, audio, modulator) in &*self.channels {
            slots.push(self.bank.push(filter, 0, audio, *modulator));
        }
        self.bank.filter(v, self.len);
        for ((filter, audio, _), slot) in self.channels.iter_mut().zip(slots) {
            **audio = *self.bank.pull(slot, filter);
        }
    }
}

/// A filter that plays alone.
struct Alone {
    filter: Filter,
    bank: FilterBank,
}

impl Alone {
    fn new(settings: &FilterSettings) -> Self {
        let mut filter = Filter::default();
        filter.start(settings);
        let bank = FilterBank::new(1);
        Self { filter, bank }
    }

    /// Filters in place with a steady cutoff, or one that `modulator` moves by octaves.
    fn process(
        &mut self,
        settings: &FilterSettings,
        cutoffs: [f32; 2],
        samples: &mut [f32],
        modulator: Option<&[f32]>,
    ) {
        for (k, chunk) in samples.chunks_mut(CONTROL).enumerate() {
            let [mut audio, mut octaves] = [[0.0; CONTROL]; 2];
            audio[..chunk.len()].copy_from_slice(chunk);
            if let Some(modulator) = modulator {
                octaves[..chunk.len()].copy_from_slice(&modulator[k * CONTROL..][..chunk.len()]);
            }
            self.filter.plan(1.0 / CONTROL as f32, settings, cutoffs);
            Synth::best_instruction_set().run_narrow(Filtering {
                bank: &mut self.bank,
                channels: &mut [(&mut self.filter, &mut audio, modulator.map(|_| &octaves))],
                len: chunk.len(),
            });
            chunk.copy_from_slice(&audio[..chunk.len()]);
        }
    }
}

fn ladder(resonance: f32, drive: f32) -> FilterSettings {
    FilterSettings::new(FilterModel::Ladder2x, resonance, 0.0, drive, 0.0)
}

/// Magnitudes of the response to a small impulse, at k * rate / N Hz.
fn response(settings: &FilterSettings, rate: f32, low_pass: f32, high_pass: f32) -> Vec<f64> {
    let bins = spectrum(settings, [low_pass / rate, high_pass / rate]);
    bins.iter().map(|c| c.norm()).collect()
}

/// The response to a small impulse, at k / N of the sample rate.
fn spectrum(settings: &FilterSettings, cutoffs: [f32; 2]) -> Vec<Complex64> {
    let mut samples = vec![0.0f32; N];
    samples[0] = 1e-3;
    Alone::new(settings).process(settings, cutoffs, &mut samples, None);
    let fft = RealFftPlanner::<f64>::new().plan_fft_forward(N);
    let mut time: Vec<f64> = samples.iter().map(|&x| x as f64 * 1e3).collect();
    let mut bins = fft.make_output_vec();
    fft.process(&mut time, &mut bins).unwrap();
    bins
}

fn db(response: &[f64], rate: f32, hertz: f32) -> f64 {
    20.0 * response[(hertz / rate * N as f32) as usize].log10()
}

#[test]
fn ladder_and_high_pass_have_four_and_two_poles() {
    for rate in [16_000.0, 48_000.0, 192_000.0] {
        let low = response(&ladder(0.0, 0.0), rate, 500.0, 1.0);
        let db = |r: &[f64], hertz: f32| db(r, rate, hertz);
        let [pass, edge] = [db(&low, 50.0), db(&low, 500.0)];
        assert!(pass.abs() < 0.3, "pass band {pass:.2} dB at {rate} Hz");
        assert!(
            (edge + 12.04).abs() < 0.3,
            "cutoff {edge:.2} dB at {rate} Hz"
        );
        let fall = db(&low, 4_000.0) - db(&low, 2_000.0);
        assert!((-28.0..-21.0).contains(&fall), "{fall:.1} dB/octave");
        let high = response(&ladder(0.0, 0.0), rate, 7_000.0, 500.0);
        let rise = db(&high, 100.0) - db(&high, 50.0);
        assert!((rise - 12.0).abs() < 1.0, "high-pass {rise:.1} dB/octave");
        let edge = db(&high, 500.0);
        assert!(
            (edge + 3.01).abs() < 0.3,
            "high-pass at its cutoff: {edge:.2} dB"
        );
    }
}

#[test]
fn state_variable_filter_morphs_between_butterworth_responses() {
    let rate = 48_000.0;
    for (model, slope) in [(FilterModel::Svf12, 12.0), (FilterModel::Svf24, 24.0)] {
        let of = |morph| {
            let settings = FilterSettings::new(model, 0.0, 0.0, 0.0, morph);
            response(&settings, rate, 1_000.0, 1.0)
        };
        let [low, band, high] = [of(0.0), of(1.0), of(2.0)];
        let at = |r: &[f64], hertz| db(r, rate, hertz);
        for (name, passed, edge, stop) in [
            (
                "low",
                at(&low, 50.0),
                at(&low, 1_000.0),
                at(&low, 4_000.0) - at(&low, 2_000.0),
            ),
            (
                "high",
                at(&high, 18_000.0),
                at(&high, 1_000.0),
                at(&high, 125.0) - at(&high, 250.0),
            ),
        ] {
            assert!(
                passed.abs() < 0.3,
                "{model:?} {name}: pass band {passed:.2} dB"
            );
            assert!(
                (edge + 3.01).abs() < 0.4,
                "{model:?} {name}: cutoff {edge:.2} dB"
            );
            assert!(
                (stop + slope).abs() < 2.0,
                "{model:?} {name}: {stop:.1} dB/octave"
            );
        }
        let [below, peak, above] = [at(&band, 125.0), at(&band, 1_000.0), at(&band, 8_000.0)];
        assert!(
            peak.abs() < 0.5,
            "{model:?} band: {peak:.2} dB at the cutoff"
        );
        // Half the slope on either side, three octaves away.
        for side in [below, above] {
            assert!(
                (side - peak + 1.5 * slope).abs() < 5.0,
                "{model:?} band: {side:.1} dB three octaves away"
            );
        }
    }
}

/// Frequency of the late part of `x`, which starts at `from`, by its rising zero crossings.
fn own_pitch(x: &[f32], from: usize, rate: f32) -> f64 {
    let mut crossings = (from..x.len() - 1)
        .filter(|&i| x[i] < 0.0 && x[i + 1] >= 0.0)
        .map(|i| i as f64 + (x[i] / (x[i] - x[i + 1])) as f64);
    let first = crossings.next().unwrap();
    let (mut last, mut cycles) = (first, 0);
    for crossing in crossings {
        (last, cycles) = (crossing, cycles + 1);
    }
    cycles as f64 / (last - first) * rate as f64
}

#[test]
fn resonance_rings_at_the_cutoff_at_every_rate() {
    for (model, boost, limit) in [
        (FilterModel::Ladder, 0.0, 1.0),
        (FilterModel::Ladder2x, 0.0, 1.0),
        (FilterModel::Ladder2x, 0.1, 1.0),
        (FilterModel::Svf12, 0.1, 1.0),
        (FilterModel::Svf24, 0.1, 1.0),
    ] {
        let mut worst = 0.0f64;
        for rate in [16_000.0, 44_100.0, 48_000.0, 96_000.0, 192_000.0] {
            for cutoff in [55.0, 110.0, 440.0, 1_760.0, 5_000.0, 7_040.0, 14_080.0] {
                if cutoff > 0.4 * rate {
                    continue;
                }
                let settings = FilterSettings::new(model, 1.0, boost, 0.0, 0.0);
                let mut x = vec![0.0f32; rate as usize];
                x[..8].fill(0.1);
                Alone::new(&settings).process(&settings, [cutoff / rate, 1.0 / rate], &mut x, None);
                let hertz = own_pitch(&x, x.len() / 2, rate);
                let cents = 1200.0 * (hertz / cutoff as f64).log2();
                let peak = x[x.len() / 2..].iter().fold(0.0f32, |p, x| p.max(x.abs()));
                println!(
                    "{model:?} boost {boost}, {rate} Hz, {cutoff}: {cents:.3} cents, peak {peak:.3}"
                );
                worst = worst.max(cents.abs());
                let limit = if cutoff > 0.15 * rate { 3.0 } else { limit };
                assert!(
                    cents.abs() < limit,
                    "{model:?}, {rate} Hz, cutoff {cutoff}: {cents:.2} cents"
                );
                assert!(boost == 0.0 || (0.3..1.2).contains(&peak), "level {peak}");
            }
        }
        println!("{model:?}, boost {boost}: own pitch, worst {worst:.3} cents");
    }
}

#[test]
fn stays_bounded_under_audio_rate_modulation() {
    for model in [
        FilterModel::Ladder,
        FilterModel::Ladder2x,
        FilterModel::Svf12,
        FilterModel::Svf24,
    ] {
        let mut worst = 0.0f32;
        for rate in [44_100.0, 48_000.0, 96_000.0, 192_000.0] {
            for modulator in [5.0, 440.0, 0.11 * rate, 0.25 * rate, 0.49 * rate] {
                for morph in [0.0, 1.0, 2.0] {
                    if matches!(model, FilterModel::Ladder | FilterModel::Ladder2x) && morph > 0.0 {
                        continue;
                    }
                    let settings = FilterSettings::new(model, 1.0, 0.1, 0.0, morph);
                    let wave = |i: usize, hertz: f32| (i as f32 * hertz / rate).fract();
                    let mut x: Vec<f32> = (0..50_000).map(|i| 2.0 * wave(i, 220.0) - 1.0).collect();
                    let octaves: Vec<f32> = (0..50_000)
                        .map(|i| 4.0 * (std::f32::consts::TAU * wave(i, modulator)).sin())
                        .collect();
                    let cutoffs = [1_000.0 / rate, 20.0 / rate];
                    Alone::new(&settings).process(&settings, cutoffs, &mut x, Some(&octaves));
                    assert!(x.iter().all(|x| x.is_finite()));
                    let peak = x.iter().fold(0.0f32, |p, x| p.max(x.abs()));
                    worst = worst.max(peak);
                    assert!(
                        peak <= 4.0,
                        "{model:?}, morph {morph}, {rate} Hz, modulator {modulator} Hz: peak {peak}"
                    );
                }
            }
        }
        println!("{model:?}: peak {worst:.2} of an input of 1");
    }
}

#[test]
fn modulation_by_nothing_changes_nothing() {
    for model in [
        FilterModel::Ladder2x,
        FilterModel::Svf12,
        FilterModel::Svf24,
    ] {
        let settings = FilterSettings::new(model, 0.8, 0.0, 0.3, 0.3);
        let saw: Vec<f32> = (0..4_800)
            .map(|i| (i as f32 / 100.0).fract() - 0.5)
            .collect();
        let [mut still, mut moved] = [saw.clone(), saw.clone()];
        let cutoffs = [0.05, 0.001];
        Alone::new(&settings).process(&settings, cutoffs, &mut still, None);
        Alone::new(&settings).process(&settings, cutoffs, &mut moved, Some(&vec![0.0; 4_800]));
        for (a, b) in still.iter().zip(&moved) {
            assert!((a - b).abs() < 1e-4, "{model:?}: {a} {b}");
        }
    }
}

#[test]
fn full_resonance_decays_instead_of_growing() {
    let settings = ladder(1.0, 0.0);
    let mut x = vec![0.0; 48_000];
    x[0] = 1.0;
    Alone::new(&settings).process(&settings, [0.02, 1e-4], &mut x, None);
    let peak = |r: &[f32]| r.iter().fold(0.0f32, |p, x| p.max(x.abs()));
    let [early, late] = [peak(&x[1_000..10_000]), peak(&x[38_000..])];
    assert!(
        late <= early && late > 1e-3 * early,
        "rings from {early} to {late}"
    );
}

#[test]
fn drive_saturates_without_growing_louder() {
    for model in [
        FilterModel::Ladder,
        FilterModel::Ladder2x,
        FilterModel::Svf12,
        FilterModel::Svf24,
    ] {
        for drive in [0.0, 0.3, 0.6, 1.0] {
            let settings = FilterSettings::new(model, 0.0, 0.0, drive, 0.0);
            let tone = |i: usize| (i as f32 * 0.02).sin();
            let mut x: Vec<f32> = (0..10_000).map(tone).collect();
            Alone::new(&settings).process(&settings, [0.4, 1e-4], &mut x, None);
            let peak = x[2_000..].iter().fold(0.0f32, |p, x| p.max(x.abs()));
            assert!(
                (peak - 1.0).abs() < 0.15,
                "{model:?}, drive {drive}: a full tone peaks at {peak}"
            );
        }
    }
}

#[test]
fn lanes_do_not_touch_each_other() {
    // 37 filters of four models, side by side and each alone: the same bits.
    for set in InstructionSet::ALL
        .into_iter()
        .filter(|s| s.is_available() && s.lanes() <= 8)
    {
        let models = [
            FilterModel::Ladder,
            FilterModel::Ladder2x,
            FilterModel::Svf12,
            FilterModel::Svf24,
        ];
        let settings: Vec<_> = (0..37)
            .map(|i| FilterSettings::new(models[i * 7 % 4], i as f32 / 37.0, 0.0, 0.4, 0.5))
            .collect();
        let fresh = |s: &FilterSettings| {
            let mut filter = Filter::default();
            filter.start(s);
            filter
        };
        let mut filters: Vec<_> = settings.iter().map(fresh).collect();
        let mut alone = filters.clone();
        let mut bank = FilterBank::new(37);
        let mut process = |channels: &mut [Channel<'_>]| {
            set.run_narrow(Filtering {
                bank: &mut bank,
                channels,
                len: CONTROL,
            });
        };
        for round in 0..20 {
            let mut audio: Vec<Samples> = (0..37)
                .map(|n| std::array::from_fn(|i| ((i + n * round) as f32 * 0.37).sin()))
                .collect();
            let octaves = audio.clone();
            let mut expected = audio.clone();
            for (n, s) in settings.iter().enumerate() {
                let cutoff = 0.001 * (n + round + 1) as f32;
                filters[n].plan(0.0625, s, [cutoff, 0.001]);
                alone[n].plan(0.0625, s, [cutoff, 0.001]);
                let modulator = (n % 5 == 0).then_some(&octaves[n]);
                process(&mut [(&mut alone[n], &mut expected[n], modulator)]);
            }
            let channels = filters.iter_mut().zip(&mut audio).zip(&octaves).enumerate();
            let channel =
                |(n, ((filter, audio), octaves))| (filter, audio, (n % 5 == 0).then_some(octaves));
            process(&mut channels.map(channel).collect::<Vec<_>>());
            assert!(audio == expected, "{set:?}, round {round}");
        }
    }
}

#[test]
fn off_is_a_true_bypass_and_switching_fades() {
    let off = FilterSettings::new(FilterModel::Off, 1.0, 0.1, 1.0, 1.0);
    let input: Vec<f32> = (0..960).map(|i| (i as f32 * 0.05).sin()).collect();
    let mut x = input.clone();
    let mut alone = Alone::new(&off);
    alone.process(&off, [0.01, 0.01], &mut x, None);
    assert_eq!(x, input);
    let mut x = input.clone();
    let cutoffs = [0.2, 0.0005];
    // From here on the other knobs stand still.
    let off = FilterSettings::new(FilterModel::Off, 0.2, 0.0, 0.0, 0.0);
    alone.process(&ladder(0.2, 0.0), cutoffs, &mut x[..320], None);
    alone.process(&off, cutoffs, &mut x[320..640], None);
    alone.process(&ladder(0.2, 0.0), cutoffs, &mut x[640..], None);
    assert_eq!(x[400..640], input[400..640]);
    let steepest = x
        .windows(2)
        .map(|w| (w[1] - w[0]).abs())
        .fold(0.0, f32::max);
    assert!(steepest < 0.2, "a step of {steepest}");
}
