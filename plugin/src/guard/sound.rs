//! A block's samples: the host's buffers where they can be used, scratch where not.

use crate::door::{Door, Sidechain};

/// Longest piece of a block that is passed on at once. Scratch buffers are no longer than that,
/// whatever the host announces.
pub const LONGEST_PIECE: usize = 65_536;
/// Channels past the second of a host's output that are silenced.
const MOST_CHANNELS: usize = 64;
/// Amplitude (-120 dBFS) up to which the sidechain counts as silent.
const QUIET: f32 = 1e-6;
/// Seconds that the reference counts as sounding after its last sample: a window of the encoder,
/// the delay of its answer, and a glide.
const REFERENCE_HOLD: f64 = 2.0;

/// A host's buffer of one channel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Samples {
    /// No buffer.
    Missing,
    /// Samples in single precision.
    Single(*mut f32),
    /// Double precision, which no port of ours announces.
    Double(*mut f64),
}

impl Samples {
    /// The `channel`-th of `count` channels, whose pointers lie at `single` or `double`.
    ///
    /// # Safety
    /// A list that is not null has `count` entries.
    pub unsafe fn of_channel(
        single: *mut *mut f32,
        double: *mut *mut f64,
        count: usize,
        channel: usize,
    ) -> Self {
        if channel >= count {
            return Self::Missing;
        }
        // SAFETY: `channel` is within the list.
        unsafe {
            if !single.is_null() {
                let samples = *single.add(channel);
                if !samples.is_null() {
                    return Self::Single(samples);
                }
            } else if !double.is_null() {
                let samples = *double.add(channel);
                if !samples.is_null() {
                    return Self::Double(samples);
                }
            }
        }
        Self::Missing
    }

    /// Bytes of `frames` samples: first and past the last.
    fn bytes(self, frames: usize) -> (usize, usize) {
        let (begin, size) = match self {
            Self::Missing => (0, 0),
            Self::Single(p) => (p as usize, size_of::<f32>()),
            Self::Double(p) => (p as usize, size_of::<f64>()),
        };
        (begin, begin.saturating_add(frames.saturating_mul(size)))
    }

    fn overlaps(self, other: Self, frames: usize) -> bool {
        let ((a, a_end), (b, b_end)) = (self.bytes(frames), other.bytes(frames));
        a < b_end && b < a_end
    }

    /// Fills `frames` samples with zeros.
    ///
    /// # Safety
    /// A buffer has at least `frames` samples.
    pub unsafe fn silence(self, frames: usize) {
        // SAFETY: see above; all bits zero is 0.0.
        unsafe {
            match self {
                Self::Missing => {}
                Self::Single(p) => p.write_bytes(0, frames),
                Self::Double(p) => p.write_bytes(0, frames),
            }
        }
    }
}

/// A port's flags for the host: every channel's bit, or none.
pub fn flags(channels: u32, all: bool) -> u64 {
    match all {
        true => u64::MAX >> (64 - channels.clamp(1, 64)),
        false => 0,
    }
}

/// Sidechain of one block.
#[derive(Clone, Copy, Debug)]
pub struct Input {
    /// Left and right.
    pub channels: [Samples; 2],
    /// Whether the host gave a single channel.
    pub mono: bool,
}

impl Input {
    /// A sidechain that is not connected.
    pub const NONE: Self = Self {
        channels: [Samples::Missing; 2],
        mono: false,
    };

    /// The first two channels of a port with `count` channels.
    ///
    /// # Safety
    /// A list that is not null has `count` entries.
    pub unsafe fn of_port(single: *mut *mut f32, double: *mut *mut f64, count: usize) -> Self {
        // SAFETY: see above.
        let channel = |k| unsafe { Samples::of_channel(single, double, count, k) };
        Self {
            channels: [channel(0), channel(1)],
            mono: count == 1,
        }
    }

    /// The kind of sidechain, by its buffers and its samples.
    ///
    /// # Safety
    /// Buffers have at least `frames` samples.
    unsafe fn kind(&self, frames: usize) -> Sidechain {
        if self.channels == [Samples::Missing; 2] {
            return Sidechain::Unconnected;
        }
        // In pieces, which the compiler makes vectors of; NaN counts as sound.
        #[allow(clippy::neg_cmp_op_on_partial_ord)]
        let sounds = |samples: &Samples| match *samples {
            Samples::Missing => false,
            // SAFETY: see above.
            Samples::Single(p) => unsafe { std::slice::from_raw_parts(p, frames) }
                .chunks(64)
                .any(|piece| piece.iter().fold(false, |any, x| any | !(x.abs() <= QUIET))),
            // SAFETY: see above.
            Samples::Double(p) => unsafe { std::slice::from_raw_parts(p, frames) }
                .iter()
                .any(|x| x.abs() > f64::from(QUIET) || x.is_nan()),
        };
        if !self.channels.iter().any(sounds) {
            Sidechain::Silent
        } else if self.mono {
            Sidechain::Mono
        } else {
            Sidechain::Stereo
        }
    }
}

/// The output of one block.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    /// Left and right.
    channels: [Samples; 2],
    /// Whether the host gave a single channel, which gets the mean of both.
    mono: bool,
}

impl Output {
    /// No output: what is rendered is thrown away.
    pub const NONE: Self = Self {
        channels: [Samples::Missing; 2],
        mono: false,
    };

    /// The first two channels of a port with `count` channels of `frames` samples. Channels past
    /// them are silenced.
    ///
    /// # Safety
    /// A list that is not null has `count` entries; each one that is not null has `frames` samples.
    pub unsafe fn of_port(
        single: *mut *mut f32,
        double: *mut *mut f64,
        count: usize,
        frames: usize,
    ) -> Self {
        // SAFETY: see above.
        let channel = |k| unsafe { Samples::of_channel(single, double, count, k) };
        for k in 2..count.min(MOST_CHANNELS) {
            // SAFETY: see above.
            unsafe { channel(k).silence(frames) };
        }
        let channels = [channel(0), channel(1)];
        // Two slices of the same memory would be undefined.
        let shared = channels[0].overlaps(channels[1], frames);
        match (count == 1 || shared, channels) {
            (true, [left, _]) => Self {
                channels: [left, Samples::Missing],
                mono: true,
            },
            (false, channels) => Self {
                channels,
                mono: false,
            },
        }
    }

    /// Fills `frames` samples with silence.
    ///
    /// # Safety
    /// Buffers have at least `frames` samples.
    pub unsafe fn silence(&self, frames: usize) {
        for samples in self.channels {
            // SAFETY: see above.
            unsafe { samples.silence(frames) };
        }
    }
}

/// Buffers for what a host does not give, and what is known of the sound so far.
pub struct Sound {
    zeros: Vec<f32>,
    input: [Vec<f32>; 2],
    output: [Vec<f32>; 2],
    /// Samples since the reference last sounded, and those for which it counts as sounding.
    unheard: u64,
    hold: u64,
}

impl Sound {
    /// Buffers for pieces of at most `longest` samples, at `rate` Hz.
    pub fn new(longest: usize, rate: f64) -> Self {
        let buffer = || vec![0.0; longest.clamp(1, LONGEST_PIECE)];
        Self {
            zeros: buffer(),
            input: [buffer(), buffer()],
            output: [buffer(), buffer()],
            unheard: u64::MAX,
            hold: (REFERENCE_HOLD * rate) as u64,
        }
    }

    /// Length of the longest piece.
    pub fn longest(&self) -> usize {
        self.zeros.len()
    }

    /// Notes at the door what kind of sidechain a block of `frames` samples has, and whether the
    /// reference sounds.
    ///
    /// # Safety
    /// Buffers have at least `frames` samples.
    pub unsafe fn listen(&mut self, input: &Input, frames: usize, door: &Door) {
        // SAFETY: see above.
        let kind = unsafe { input.kind(frames) };
        door.set_sidechain(kind);
        self.unheard = match kind {
            Sidechain::Mono | Sidechain::Stereo => 0,
            Sidechain::Silent | Sidechain::Unconnected => {
                self.unheard.saturating_add(frames as u64)
            }
        };
        door.set_hears_reference(self.unheard < self.hold);
    }

    /// Pointers to samples `start..start + len` of the sidechain, of single precision, with silence
    /// for what is missing.
    ///
    /// # Safety
    /// Buffers have at least `start + len` samples, and `len` is at most [`Sound::longest`].
    pub unsafe fn input(&mut self, input: &Input, start: usize, len: usize) -> [*mut f32; 2] {
        let mut pointers = [self.zeros.as_mut_ptr(); 2];
        for (k, samples) in input.channels.iter().enumerate() {
            match *samples {
                Samples::Missing => {}
                // SAFETY: see above.
                Samples::Single(p) => pointers[k] = unsafe { p.add(start) },
                Samples::Double(p) => {
                    // SAFETY: see above.
                    let from = unsafe { std::slice::from_raw_parts(p.add(start), len) };
                    for (to, from) in self.input[k].iter_mut().zip(from) {
                        *to = *from as f32;
                    }
                    pointers[k] = self.input[k].as_mut_ptr();
                }
            }
        }
        pointers
    }

    /// Pointers to where samples `start..start + len` of the output are to be rendered.
    ///
    /// # Safety
    /// Buffers have at least `start + len` samples, and `len` is at most [`Sound::longest`].
    pub unsafe fn output(&mut self, output: &Output, start: usize) -> [*mut f32; 2] {
        std::array::from_fn(|k| match output.channels[k] {
            // SAFETY: see above.
            Samples::Single(p) if !output.mono => unsafe { p.add(start) },
            _ => self.output[k].as_mut_ptr(),
        })
    }

    /// Cleans what was rendered to the pointers of [`Sound::output`], and moves it to where the
    /// host wants it. Returns whether it is all silence.
    ///
    /// # Safety
    /// As for [`Sound::output`], and both channels are rendered.
    pub unsafe fn deliver(&mut self, output: &Output, start: usize, len: usize) -> bool {
        // SAFETY: see above.
        let pointers = unsafe { self.output(output, start) };
        // SAFETY: see above; the channels don't overlap, or they are scratch.
        let [left, right] = pointers.map(|p| unsafe { std::slice::from_raw_parts_mut(p, len) });
        let silent = clean(left) & clean(right);
        if output.mono {
            for (l, r) in left.iter_mut().zip(&*right) {
                *l = 0.5 * (*l + r);
            }
            clean(left);
        }
        for (samples, rendered) in output.channels.iter().zip([&*left, &*right]) {
            match *samples {
                Samples::Missing => {}
                // SAFETY: see above.
                Samples::Single(p) => unsafe {
                    let to = p.add(start);
                    if !std::ptr::eq(to, rendered.as_ptr()) {
                        to.copy_from_nonoverlapping(rendered.as_ptr(), len);
                    }
                },
                Samples::Double(p) => {
                    for (k, x) in rendered.iter().enumerate() {
                        // SAFETY: see above.
                        unsafe { p.add(start + k).write(f64::from(*x)) };
                    }
                }
            }
        }
        silent
    }
}

/// Replaces NaN, infinities and subnormals by 0. Returns whether all samples are 0.
fn clean(samples: &mut [f32]) -> bool {
    const EXPONENT: u32 = 0x7f80_0000;
    let mut seen = 0;
    for x in samples {
        let bits = x.to_bits();
        let exponent = bits & EXPONENT;
        let kept = if exponent == 0 || exponent == EXPONENT {
            0
        } else {
            bits
        };
        *x = f32::from_bits(kept);
        seen |= kept;
    }
    seen == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cleaning_keeps_every_normal_number_and_nothing_else() {
        let kept = [1.0, -1.0, f32::MIN_POSITIVE, -f32::MIN_POSITIVE, f32::MAX];
        let mut samples = kept;
        assert!(!clean(&mut samples));
        assert_eq!(samples, kept);
        let subnormal = f32::MIN_POSITIVE / 2.0;
        let mut samples = [
            f32::NAN,
            f32::INFINITY,
            -f32::INFINITY,
            subnormal,
            -subnormal,
            -0.0,
        ];
        assert!(clean(&mut samples));
        assert!(samples.iter().all(|x| x.to_bits() == 0));
    }

    #[test]
    fn a_single_output_channel_gets_the_mean_and_doubles_are_converted() {
        let mut sound = Sound::new(8, 48e3);
        let mut single = [7.0f32; 4];
        let mut list = [single.as_mut_ptr()];
        let mut doubles = [[7.0f64; 4]; 2];
        let mut double_list = doubles.each_mut().map(|d| d.as_mut_ptr());
        let null = std::ptr::null_mut();
        // SAFETY: the lists have 1 and 2 entries of 4 samples.
        unsafe {
            for output in [
                Output::of_port(list.as_mut_ptr(), null, 1, 4),
                Output::of_port(std::ptr::null_mut(), double_list.as_mut_ptr(), 2, 4),
            ] {
                for (k, p) in sound.output(&output, 1).into_iter().enumerate() {
                    std::slice::from_raw_parts_mut(p, 2).fill(0.5 * k as f32);
                }
                assert!(!sound.deliver(&output, 1, 2));
            }
        }
        assert_eq!(single, [7.0, 0.25, 0.25, 7.0]);
        assert_eq!(doubles, [[7.0, 0.0, 0.0, 7.0], [7.0, 0.5, 0.5, 7.0]]);
    }

    #[test]
    fn kinds_of_sidechain_are_told_apart() {
        let mut buffers = [[0.0f32; 4]; 2];
        let kind = |buffers: &mut [[f32; 4]; 2], count: usize| {
            let mut list = buffers.each_mut().map(|b| b.as_mut_ptr());
            // SAFETY: the list has two entries of 4 samples.
            unsafe { Input::of_port(list.as_mut_ptr(), std::ptr::null_mut(), count).kind(4) }
        };
        assert_eq!(kind(&mut buffers, 0), Sidechain::Unconnected);
        assert_eq!(kind(&mut buffers, 2), Sidechain::Silent);
        buffers[1][3] = -0.1;
        assert_eq!(kind(&mut buffers, 2), Sidechain::Stereo);
        assert_eq!(kind(&mut buffers, 1), Sidechain::Silent);
        buffers[0][0] = 0.1;
        assert_eq!(kind(&mut buffers, 1), Sidechain::Mono);
    }
}
