//! Planes: integers with predictions known to both sides, on a grid with neighbours.
//!
//! A value is predicted from its guess, from the errors of its neighbours' guesses, and from the differences of guesses
//! between neighbours; weights adapt while coding ([`fit`](crate::fit)). The residual is coded
//! bit by bit ([`residual`](crate::residual)). The decoder repeats this from the values decoded so far.
//!
//! Values whose past says more are coded as a [`signal`](crate::signal); [`choice`](crate::choice) finds the smallest.

use crate::{
    coder::{Coder, Decoder, Encoder},
    error::{CodecError, Result},
    predictor::Predictor,
    residual::ResidualModel,
};

/// Fractional bits of a guess: a value is near guess / 2^8.
pub const FRACTION: u32 = 8;

/// The layout of a plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Independent samples, one per row; columns may be related.
    Rows {
        /// Samples.
        rows: usize,
        /// Values per sample.
        columns: usize,
    },
    /// Consecutive points in time, one per row.
    Series {
        /// Points in time.
        points: usize,
        /// Values per point.
        channels: usize,
    },
    /// An image, its channels interleaved.
    Image {
        /// Height in pixels.
        height: usize,
        /// Width in pixels.
        width: usize,
        /// Values per pixel.
        channels: usize,
    },
    /// Images of one size, concatenated.
    Images {
        /// Images.
        count: usize,
        /// Height in pixels.
        height: usize,
        /// Width in pixels.
        width: usize,
        /// Values per pixel.
        channels: usize,
    },
}

impl Shape {
    /// Number of values; `None` on overflow.
    pub fn values(&self) -> Option<usize> {
        let factors = match *self {
            Shape::Rows { rows, columns } => [rows, columns, 1, 1],
            Shape::Series { points, channels } => [points, channels, 1, 1],
            Shape::Image { height, width, channels } => [height, width, channels, 1],
            Shape::Images { count, height, width, channels } => [count, height, width, channels],
        };
        if factors.contains(&0) {
            return Some(0);
        }
        factors.into_iter().try_fold(1usize, usize::checked_mul)
    }

    /// Number of columns or channels: the period of the column index.
    pub(crate) fn columns(&self) -> usize {
        match *self {
            Shape::Rows { columns, .. } => columns,
            Shape::Series { channels, .. } | Shape::Image { channels, .. } | Shape::Images { channels, .. } => channels,
        }
    }
}

/// The side information shared by encoder and decoder.
#[derive(Debug, Clone, Copy)]
pub struct Plane<'a> {
    /// The layout.
    pub shape: Shape,
    /// A guess for each value, with [`FRACTION`] fractional bits. Zeros without a prediction.
    pub guesses: &'a [i64],
}

/// Guesses and deviations from them are clipped to this.
const FARTHEST: i64 = 1 << 61;
/// Deviations are scaled down until nine in ten have this many bits.
const DEVIATION_BITS: u32 = 17;

/// Encodes `values` by their neighbours alone: in a tenth of the time of [`encode_plane`](crate::encode_plane), and often
/// larger. Any values are valid; those beyond 2^53 cost more than necessary.
///
/// # Panics
///
/// If the number of values differs from the number of guesses or from the shape.
pub fn encode_plane_fast(values: &[i64], plane: &Plane<'_>) -> Vec<u8> {
    assert_eq!(Some(values.len()), plane.shape.values(), "values of the shape");
    assert_eq!(values.len(), plane.guesses.len(), "a guess for each value");
    let scale = scale(values, plane.guesses, plane.shape.columns());
    let mut encoder = Encoder::new();
    let mut walk = Walk::new(plane, scale);
    for &value in values {
        walk.step(&mut encoder, value);
    }
    let mut out = vec![scale as u8];
    out.extend(encoder.finish());
    out.extend(checksum(&walk.values).to_le_bytes());
    out
}

/// Decodes a plane written by [`encode_plane_fast`] with the same shape and guesses.
pub(crate) fn decode_by_neighbours(bytes: &[u8], plane: &Plane<'_>) -> Result<Vec<i64>> {
    let count = plane.guesses.len();
    if plane.shape.values() != Some(count) {
        return Err(CodecError::malformed("guesses of a plane", format!("as many as {:?}", plane.shape), count));
    }
    let Some((&[scale], rest)) = bytes.split_first_chunk() else {
        return Err(CodecError::malformed("length of a plane", "at least 5 bytes", 0));
    };
    let Some((coded, stored)) = rest.split_last_chunk() else {
        return Err(CodecError::malformed("length of a plane", "at least 5 bytes", bytes.len()));
    };
    if scale > 62 {
        return Err(CodecError::malformed("scale of a plane", "at most 62", scale));
    }
    let mut decoder = Decoder::new(coded);
    let mut walk = Walk::new(plane, u32::from(scale));
    for _ in 0..count {
        walk.step(&mut decoder, 0);
        if decoder.is_broken() {
            break;
        }
    }
    let (expected, got) = (u32::from_le_bytes(*stored), checksum(&walk.values));
    if expected != got || decoder.is_broken() || walk.values.len() != count {
        return Err(CodecError::Diverged { section: "a plane".to_owned(), expected, got });
    }
    Ok(walk.values)
}

pub(crate) fn checksum(values: &[i64]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    for value in values {
        hasher.update(&value.to_le_bytes());
    }
    hasher.finalize()
}

/// Shift that scales deviations for least squares. Deviations closer to the first of
/// their column are measured from it, as in the predictor.
fn scale(values: &[i64], guesses: &[i64], columns: usize) -> u32 {
    let mut bits = [0usize; 65];
    let deviations = values.iter().zip(guesses).map(|(&value, &guess)| deviation(value, guess));
    let first: Vec<i64> = deviations.clone().take(columns).collect();
    for (deviation, first) in deviations.zip(first.iter().cycle()) {
        let size = deviation.unsigned_abs().min(deviation.abs_diff(*first));
        bits[(64 - size.leading_zeros()) as usize] += 1;
    }
    let mut beyond = 0;
    let most = (0..=64).rev().find(|&at| {
        beyond += bits[at];
        beyond * 10 > values.len()
    });
    (most.unwrap_or(0) as u32).saturating_sub(DEVIATION_BITS)
}

fn deviation(value: i64, guess: i64) -> i64 {
    value.saturating_mul(1 << FRACTION).saturating_sub(guess.clamp(-FARTHEST, FARTHEST)).clamp(-FARTHEST, FARTHEST)
}

/// A pass over the plane, the same in both directions.
struct Walk<'a> {
    guesses: &'a [i64],
    values: Vec<i64>,
    predictor: Predictor<'a>,
    residuals: ResidualModel,
}

impl<'a> Walk<'a> {
    fn new(plane: &Plane<'a>, scale: u32) -> Self {
        let predictor = Predictor::new(plane.shape, plane.guesses, scale);
        let residuals = ResidualModel::new(predictor.groups());
        Walk { guesses: plane.guesses, values: Vec::with_capacity(plane.guesses.len()), predictor, residuals }
    }

    #[inline]
    fn step(&mut self, coder: &mut impl Coder, told: i64) {
        let guess = self.guesses[self.values.len()].clamp(-FARTHEST, FARTHEST);
        let prediction = self.predictor.predict();
        let point = guess.saturating_add(prediction.shift).clamp(-FARTHEST, FARTHEST);
        let value = self.residuals.code(coder, point, &prediction, &self.values, told);
        self.values.push(value);
        let miss = deviation(value, point);
        self.predictor.learn(deviation(value, guess), miss);
    }
}
