//! Coding of signals: values whose past predicts them, in one or several channels.
//!
//! Several predictors, adapted while coding, each give an expected value ([`experts`]); so do values that followed the
//! same past before ([`memory`]). A value is coded bit by bit as its distance from a mean of the predictors; each bit's
//! probability is mixed, in two layers, from a distribution around each predictor, from what was expected, and from
//! counts in contexts of the last values ([`bits`]). The decoder repeats all of it from the values decoded so far.
//!
//! Cascades of adaptive filters: Ghido, "An asymptotically optimal predictor for stereo lossless audio compression"
//! (2003). Mixing and matches: Mahoney, "Adaptive weighing of context models for lossless data compression" (2005).

mod bits;
mod counters;
mod experts;
mod filter;
mod memory;
mod mixing;
mod node;
mod period;

use crate::{
    coder::{Coder, Decoder, Encoder},
    error::{CodecError, Result},
    plane::{FRACTION, Shape},
    predictor::Predictor,
    varint,
};
use bits::BitModel;
use experts::Experts;
pub(crate) use period::period;

/// Values are at most this far from the base.
const FARTHEST: i64 = 1 << 24;
/// Most channels.
pub(crate) const MOST_CHANNELS: usize = 4096;
/// Longest period.
pub(crate) const MOST_PERIOD: usize = 1 << 16;

/// Most bits of a value that is coded by halving.
pub(crate) const DEEPEST: u32 = 10;

/// How a signal is laid out: point after point, the values of its channels together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Values per point.
    pub channels: usize,
    /// Points after which the signal resembles itself; 0 if it does not.
    pub period: usize,
    /// Points of a window that does not go on where the one before ended; 0 if all points are consecutive.
    pub window: usize,
    /// Bits of a value that is coded by halving the range of all values; 0 if values are coded as steps.
    pub depth: u32,
}

/// The bytes of a signal; `None` if its values are too far apart.
pub(crate) fn encode(values: &[i64], guesses: &[i64], layout: Layout) -> Option<Vec<u8>> {
    let is_near = |value: &i64, base: i64| value.abs_diff(base) <= FARTHEST as u64;
    let lowest = *values.iter().min()?;
    let base = if layout.depth > 0 {
        lowest
    } else if values.iter().all(|value| is_near(value, 0)) {
        0
    } else {
        *values.first()?
    };
    if layout.depth > 0 && values.iter().any(|value| value.abs_diff(lowest) >> layout.depth > 0) {
        return None;
    }
    if layout.channels == 0 || layout.channels > MOST_CHANNELS || !values.iter().all(|value| is_near(value, base)) {
        return None;
    }
    let scale = scale(values, layout.channels);
    let mut out = vec![scale as u8, layout.depth as u8];
    varint::push(&mut out, layout.period as u64);
    varint::push(&mut out, (base << 1 ^ base >> 63) as u64);
    let mut encoder = Encoder::new();
    let mut walk = Pass::new(guesses, base, layout, scale);
    for &value in values {
        walk.step(&mut encoder, value - base);
    }
    out.extend(encoder.finish());
    Some(out)
}

/// The values of a signal of this layout; its period is read.
pub(crate) fn decode(bytes: &[u8], guesses: &[i64], layout: Layout) -> Result<Vec<i64>> {
    let Some((&[scale, depth], bytes)) = bytes.split_first_chunk() else {
        return Err(CodecError::malformed("length of a signal", "at least 4 bytes", bytes.len()));
    };
    if scale > 24 || u32::from(depth) > DEEPEST {
        let expected = format!("at most 24 and {DEEPEST}");
        return Err(CodecError::malformed("scale and depth of a signal", expected, format!("{scale} and {depth}")));
    }
    let (period, rest) = varint::read(bytes, "period of a signal")?;
    let (base, coded) = varint::read(rest, "base of a signal")?;
    if period > MOST_PERIOD as u64 {
        return Err(CodecError::malformed("period of a signal", format!("at most {MOST_PERIOD}"), period));
    }
    let base = (base >> 1) as i64 ^ -((base & 1) as i64);
    let mut decoder = Decoder::new(coded);
    let mut walk = Pass::new(
        guesses,
        base,
        Layout { period: period as usize, depth: u32::from(depth), ..layout },
        u32::from(scale),
    );
    for _ in 0..guesses.len() {
        walk.step(&mut decoder, 0);
        if decoder.is_broken() {
            break;
        }
    }
    Ok(walk.experts.values.iter().map(|&value| i64::from(value).wrapping_add(base)).collect())
}

/// The shift by which nine in ten differences take few bits.
fn scale(values: &[i64], channels: usize) -> u32 {
    let mut bits = [0usize; 65];
    for (value, before) in values.iter().skip(channels).zip(values) {
        bits[64 - value.abs_diff(*before).leading_zeros() as usize] += 1;
    }
    let mut beyond = 0;
    let most = (0..=64).rev().find(|&at| {
        beyond += bits[at];
        beyond * 10 > values.len()
    });
    (most.unwrap_or(0) as u32 + FRACTION).saturating_sub(17).min(24)
}

/// A pass over the signal, the same in both directions.
struct Pass<'a> {
    guesses: &'a [i64],
    base: i64,
    experts: Experts,
    bits: BitModel,
    /// Predictions from the columns of rows of windows.
    columns: Option<Predictor<'a>>,
}

impl<'a> Pass<'a> {
    fn new(guesses: &'a [i64], base: i64, layout: Layout, scale: u32) -> Self {
        Pass {
            guesses,
            base,
            experts: Experts::new(layout, guesses.len(), scale),
            bits: BitModel::new(layout, guesses.len()),
            columns: (layout.window > 0).then(|| {
                Predictor::new(
                    Shape::Rows { rows: guesses.len() / layout.window, columns: layout.window },
                    guesses,
                    scale,
                )
            }),
        }
    }

    #[inline]
    fn step(&mut self, coder: &mut impl Coder, told: i64) {
        let guess = self.guesses[self.experts.values.len()].saturating_sub(self.base.saturating_mul(1 << FRACTION));
        let guess = guess.clamp(-FARTHEST << FRACTION, FARTHEST << FRACTION);
        let told_by = self.columns.as_mut().map(|columns| {
            let prediction = columns.predict();
            let centre = guess.saturating_add(prediction.shift);
            ([centre, centre.saturating_add(prediction.other)], prediction.energies)
        });
        self.experts.predict(guess, told_by);
        let value = self.bits.code(coder, &self.experts, told).clamp(-FARTHEST, FARTHEST);
        self.bits.learn(&self.experts, value);
        if let (Some(columns), Some(([centre, _], _))) = (&mut self.columns, told_by) {
            columns.learn((value << FRACTION) - guess, (value << FRACTION).saturating_sub(centre));
        }
        self.experts.learn(value);
    }
}
