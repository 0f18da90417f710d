//! Fuzzing of the ABI: calls that the formats' types allow, in any order and with any numbers,
//! from a seed. No crash, no call of more than two seconds, no NaN, no subnormal, no write outside.
//!
//! A round that fails names its seed; `MIRRORNET_FUZZ_SEED` repeats it alone.

mod clap;
mod vst3;

use std::ptr::null_mut;
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;

use crate::check_samples;
use crate::memory::Fenced;

/// Longest time of a round's calls, each.
const LONGEST_CALL: Duration = Duration::from_secs(2);
/// Calls of a round.
const CALLS: usize = 40;

/// Seed of the current round, and when its current call began, in milliseconds since the start.
static SEED: AtomicU64 = AtomicU64::new(0);
static BEGAN: AtomicU64 = AtomicU64::new(u64::MAX);

#[test]
fn careless_calls_do_no_harm() {
    fuzz(Duration::from_secs(10));
}

#[test]
#[ignore = "takes ten minutes"]
fn careless_calls_do_no_harm_for_long() {
    fuzz(Duration::from_secs(600));
}

fn fuzz(time: Duration) {
    crate::without_engine();
    name_the_seed_of_a_crash();
    let start = Instant::now();
    watch(start);
    let only = std::env::var("MIRRORNET_FUZZ_SEED");
    let only = only.ok().and_then(|seed| seed.parse::<u64>().ok());
    let first = only.unwrap_or(time.as_secs());
    let mut rounds = 0;
    while start.elapsed() < time {
        let seed = first.wrapping_mul(1_000_000) + rounds;
        let seed = only.unwrap_or(seed);
        SEED.store(seed, Ordering::SeqCst);
        let mut round = Round {
            rng: Pcg64Mcg::seed_from_u64(seed),
            start,
        };
        let result =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| match round.chance(0.5) {
                true => clap::round(&mut round),
                false => vst3::round(&mut round),
            }));
        BEGAN.store(u64::MAX, Ordering::SeqCst);
        if let Err(panic) = result {
            eprintln!("the round with seed {seed} failed");
            std::panic::resume_unwind(panic);
        }
        rounds += 1;
        if only.is_some() {
            break;
        }
    }
    println!("{rounds} rounds of {CALLS} calls");
}

/// Ends the process when a call takes too long.
fn watch(start: Instant) {
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(Duration::from_millis(50));
            let began = BEGAN.load(Ordering::SeqCst);
            let now = start.elapsed().as_millis() as u64;
            if began != u64::MAX && now > began + LONGEST_CALL.as_millis() as u64 {
                say(b"a call takes more than two seconds; ");
                std::process::abort();
            }
        }
    });
}

/// Writes past the test's captured output.
fn say(text: &[u8]) {
    // SAFETY: bytes of ours.
    unsafe { libc::write(2, text.as_ptr().cast(), text.len()) };
}

fn name_the_seed_of_a_crash() {
    extern "C" fn on_signal(signal: libc::c_int) {
        let mut digits = [b'0'; 20];
        let mut rest = SEED.load(Ordering::SeqCst);
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        say(b"crashed in the fuzzer's round with seed ");
        say(&digits);
        say(b"\n");
        // SAFETY: what the system would have done.
        unsafe {
            libc::signal(signal, libc::SIG_DFL);
            libc::raise(signal);
        }
    }
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        for signal in [
            libc::SIGSEGV,
            libc::SIGBUS,
            libc::SIGABRT,
            libc::SIGILL,
            libc::SIGFPE,
        ] {
            let handler = on_signal as extern "C" fn(libc::c_int);
            // SAFETY: the handler only writes.
            unsafe { libc::signal(signal, handler as libc::sighandler_t) };
        }
    });
}

/// Chance of one round.
pub struct Round {
    rng: Pcg64Mcg,
    start: Instant,
}

impl Round {
    fn chance(&mut self, probability: f64) -> bool {
        self.rng.random_bool(probability)
    }

    fn below(&mut self, end: u32) -> u32 {
        self.rng.random_range(0..end)
    }

    fn between(&mut self, from: usize, to: usize) -> usize {
        self.rng.random_range(from..=to)
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.rng.random_range(0..from.len())]
    }

    /// Any number, rather an odd one.
    fn number(&mut self) -> f64 {
        match self.below(12) {
            0 => f64::NAN,
            1 => f64::INFINITY,
            2 => -f64::INFINITY,
            3 => 1e300,
            4 => -1e300,
            5 => 1e-310,
            6 => f64::from(self.rng.random::<i32>()),
            _ => self.rng.random_range(-1.0..2.0),
        }
    }

    fn int(&mut self) -> i32 {
        match self.below(8) {
            0 => i32::MIN,
            1 => i32::MAX,
            2 => -1,
            3 => 0,
            4 => self.rng.random(),
            _ => self.rng.random_range(-2..200),
        }
    }

    /// A time in a block of `frames`, or not.
    fn time(&mut self, frames: usize) -> u32 {
        match self.below(8) {
            0 => frames as u32,
            1 => frames as u32 + 1,
            2 => u32::MAX,
            3 => self.rng.random(),
            4 => 0,
            _ => self.rng.random_range(0..=frames as u32),
        }
    }

    fn rate(&mut self) -> f64 {
        match self.below(6) {
            0 => self.number(),
            1 => self.pick(&[1.0, 1_000.0, 1_234.567_8, 384_000.0, 768_000.0]),
            _ => self.pick(&[44_100.0, 48_000.0, 96_000.0]),
        }
    }

    /// Length of a block for a host that announced `longest`.
    fn frames(&mut self, longest: usize) -> usize {
        match self.below(10) {
            0 => 0,
            1 => 1,
            2 => longest,
            3 => longest + 1 + self.below(300) as usize,
            _ => self.rng.random_range(0..=longest),
        }
    }

    /// Bytes of a state, mended by chance.
    fn mangled(&mut self, mut state: Vec<u8>) -> Vec<u8> {
        match self.below(5) {
            0 => state.truncate(self.below(state.len() as u32 + 1) as usize),
            1 => {
                for _ in 0..8 {
                    let at = self.rng.random_range(0..state.len());
                    state[at] = self.rng.random();
                }
            }
            2 => state = (0..self.below(100)).map(|_| self.rng.random()).collect(),
            _ => {}
        }
        state
    }

    /// Notes the beginning of a call, for the watchdog.
    fn begin_call(&self) {
        let now = self.start.elapsed().as_millis() as u64;
        BEGAN.store(now, Ordering::SeqCst);
    }
}

/// The buffers of a port, and their list.
struct Channels {
    list: Option<Fenced<*mut f32>>,
    buffers: Vec<Option<Fenced<f32>>>,
}

impl Channels {
    fn new(round: &mut Round, frames: usize) -> Self {
        let count = round.pick(&[0, 1, 2, 2, 2, 2, 3, 6]);
        let hole = if round.chance(0.3) { 0.3 } else { 0.0 };
        let value = match round.below(6) {
            0 => f32::NAN,
            1 => 1e-40,
            2 => f32::MAX,
            _ => 0.3,
        };
        let buffers: Vec<_> = (0..count)
            .map(|_| (!round.chance(hole)).then(|| Fenced::new(value, frames)))
            .collect();
        let pointers: Vec<_> = buffers
            .iter()
            .map(|b| b.as_ref().map_or(null_mut(), Fenced::as_ptr))
            .collect();
        let list = (count > 0 && !round.chance(0.1)).then(|| Fenced::of(&pointers));
        Self { list, buffers }
    }

    fn pointer(&self) -> *mut *mut f32 {
        self.list.as_ref().map_or(null_mut(), Fenced::as_ptr)
    }

    /// Fails for a write outside, and for a bad sample in an output.
    fn check(&self, output: bool) {
        for buffer in self.buffers.iter().flatten() {
            buffer.check();
            if output && self.list.is_some() {
                check_samples(buffer.values());
            }
        }
    }
}
