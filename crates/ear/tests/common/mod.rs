//! Shared by the tests: reading fixtures, comparing spectrograms, making signals.
#![allow(dead_code)] // Each test uses its part.

use ear::HairCell;
use std::path::Path;

/// One hair cell of each kind.
pub const HAIR_CELLS: [HairCell; 4] = [
    HairCell::Linear,
    HairCell::HalfWave,
    HairCell::Hard,
    HairCell::Factor(0.1),
];

/// The values of a one- or two-dimensional .npy fixture of int16 or float16.
pub fn fixture(name: &str) -> Vec<f64> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(format!("{name}.npy"));
    let bytes = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00");
    let data = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header = std::str::from_utf8(&bytes[10..data]).unwrap();
    let decode: fn(u16) -> f64 = if header.contains("'<i2'") {
        |bits| f64::from(bits as i16)
    } else {
        assert!(header.contains("'<f2'"), "{header}");
        half
    };
    bytes[data..]
        .chunks_exact(2)
        .map(|b| decode(u16::from_le_bytes([b[0], b[1]])))
        .collect()
}

/// The value of a non-negative IEEE half.
fn half(bits: u16) -> f64 {
    let (exponent, fraction) = (i32::from(bits >> 10), f64::from(bits & 0x3ff));
    assert!(exponent < 31, "negative, infinite or NaN");
    match exponent {
        0 => fraction * 2f64.powi(-24),
        _ => (1024.0 + fraction) * 2f64.powi(exponent - 25),
    }
}

/// Pearson correlation over all cells, and |y - r| / |r|.
pub fn agreement(y: &[f32], r: &[f64]) -> (f64, f64) {
    assert_eq!(y.len(), r.len());
    let n = y.len() as f64;
    let y: Vec<f64> = y.iter().map(|&y| f64::from(y)).collect();
    let (my, mr) = (y.iter().sum::<f64>() / n, r.iter().sum::<f64>() / n);
    let (mut yy, mut rr, mut yr, mut error, mut power) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for (y, r) in y.iter().zip(r) {
        yy += (y - my).powi(2);
        rr += (r - mr).powi(2);
        yr += (y - my) * (r - mr);
        error += (y - r).powi(2);
        power += r * r;
    }
    (yr / (yy * rr).sqrt(), (error / power).sqrt())
}

/// Uniform noise in (-1, 1).
pub fn noise(samples: usize) -> Vec<f32> {
    let mut state = 1u32;
    (0..samples)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / 8_388_608.0 - 1.0
        })
        .collect()
}
