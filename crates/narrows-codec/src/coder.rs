//! The entropy coder: `constriction`'s range coder with one interface for both directions.
//!
//! Models are written once, against [`Coder`]: an encoder writes the given symbol and returns it, a
//! decoder ignores the argument and returns the symbol it reads. So both adapt identically.
//!
//! Probabilities have [`PRECISION`] bits. The range coder's final 32-bit words are truncated to the
//! fewest bytes within its final interval, and a decoder reads zeros past the end: a short stream costs
//! its information and at most one byte.

use constriction::{
    UnwrapInfallible,
    backends::ReadWords,
    stream::{
        Decode, Encode,
        model::{DecoderModel, EncoderModel, EntropyModel},
        queue::{EncoderSituation, RangeDecoder, RangeEncoder},
    },
};
use std::{borrow::Borrow, convert::Infallible, num::NonZeroU32};

/// Bits of a probability.
pub(crate) const PRECISION: usize = 16;
/// Probability 1, which no coded symbol has.
pub(crate) const WHOLE: u32 = 1 << PRECISION;

/// An interval of [0, `WHOLE`): start and width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Share {
    pub start: u32,
    pub width: u32,
}

/// A partition of [0, `WHOLE`) among symbols 0..n. Every interval has a width from 1 to less than `WHOLE`.
pub(crate) trait Shares {
    /// The interval of `symbol`.
    fn share(&self, symbol: usize) -> Share;
    /// The symbol whose interval contains `point`.
    fn find(&self, point: u32) -> usize;
}

/// An encoder or a decoder; see the module documentation.
pub(crate) trait Coder {
    /// Codes `bit`, which is set with probability `set` of [`WHOLE`].
    fn bit(&mut self, set: u32, bit: bool) -> bool;
    /// Codes `symbol` by its interval.
    fn symbol(&mut self, shares: &impl Shares, symbol: usize) -> usize;

    /// Codes the lowest `count` bits of `value`, highest first, without modelling.
    fn plain(&mut self, count: u32, value: u64) -> u64 {
        (0..count).rev().fold(0, |read, at| read << 1 | u64::from(self.bit(WHOLE / 2, value >> at & 1 == 1)))
    }
}

struct Bit {
    set: u32,
}

impl EntropyModel<PRECISION> for Bit {
    type Symbol = bool;
    type Probability = u32;
}

impl EncoderModel<PRECISION> for Bit {
    fn left_cumulative_and_probability(&self, bit: impl Borrow<bool>) -> Option<(u32, NonZeroU32)> {
        let (start, width) = if *bit.borrow() { (0, self.set) } else { (self.set, WHOLE - self.set) };
        Some((start, NonZeroU32::new(width)?))
    }
}

impl DecoderModel<PRECISION> for Bit {
    fn quantile_function(&self, point: u32) -> (bool, u32, NonZeroU32) {
        let bit = point < self.set;
        let (start, width) = if bit { (0, self.set) } else { (self.set, WHOLE - self.set) };
        (bit, start, NonZeroU32::new(width).unwrap_or(NonZeroU32::MIN))
    }
}

struct Line<'a, S>(&'a S);

impl<S> EntropyModel<PRECISION> for Line<'_, S> {
    type Symbol = usize;
    type Probability = u32;
}

impl<S: Shares> EncoderModel<PRECISION> for Line<'_, S> {
    fn left_cumulative_and_probability(&self, symbol: impl Borrow<usize>) -> Option<(u32, NonZeroU32)> {
        let share = self.0.share(*symbol.borrow());
        Some((share.start, NonZeroU32::new(share.width)?))
    }
}

impl<S: Shares> DecoderModel<PRECISION> for Line<'_, S> {
    fn quantile_function(&self, point: u32) -> (usize, u32, NonZeroU32) {
        let symbol = self.0.find(point);
        let share = self.0.share(symbol);
        (symbol, share.start, NonZeroU32::new(share.width).unwrap_or(NonZeroU32::MIN))
    }
}

/// The encoder.
pub(crate) struct Encoder {
    range: RangeEncoder<u32, u64>,
}

impl Encoder {
    pub(crate) fn new() -> Self {
        Self { range: RangeEncoder::new() }
    }

    /// The bytes of all symbols. Trailing zeros are omitted, since a decoder reads zeros past the end.
    pub(crate) fn finish(self) -> Vec<u8> {
        let (words, state, situation) = self.range.into_raw_parts();
        let (lower, range) = (u128::from(state.lower()), u128::from(state.range().get()));
        // The fewest leading bytes of a point inside [lower, lower + range); all eight always do.
        let point = (0..=8)
            .map(|bytes| {
                let rest = (1u128 << (64 - 8 * bytes)) - 1;
                (lower + rest) & !rest
            })
            .find(|point| point - lower < range)
            .unwrap_or(lower);
        let mut out: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        if let EncoderSituation::Inverted(count, first) = situation {
            // Words withheld until the carry is decided.
            let (first, others) = if point >> 64 == 0 { (first, u32::MAX) } else { (first.wrapping_add(1), 0) };
            out.extend(first.to_be_bytes());
            for _ in 1..count.get() {
                out.extend(others.to_be_bytes());
            }
        }
        out.extend((point as u64).to_be_bytes());
        while out.last() == Some(&0) {
            out.pop();
        }
        out
    }
}

impl Coder for Encoder {
    #[inline]
    fn bit(&mut self, set: u32, bit: bool) -> bool {
        let coded = self.range.encode_symbol(bit, Bit { set: set.clamp(1, WHOLE - 1) });
        debug_assert!(coded.is_ok());
        bit
    }

    fn symbol(&mut self, shares: &impl Shares, symbol: usize) -> usize {
        let coded = self.range.encode_symbol(symbol, Line(shares));
        debug_assert!(coded.is_ok());
        symbol
    }
}

struct Words<'a>(&'a [u8]);

impl ReadWords<u32, constriction::Queue> for Words<'_> {
    type ReadError = Infallible;

    #[inline]
    fn read(&mut self) -> Result<Option<u32>, Infallible> {
        if let Some((word, rest)) = self.0.split_first_chunk() {
            self.0 = rest;
            return Ok(Some(u32::from_be_bytes(*word)));
        }
        let mut word = [0; 4];
        word[..self.0.len()].copy_from_slice(self.0);
        self.0 = &[];
        // Zeros without end; the number of symbols is known from elsewhere.
        Ok(Some(u32::from_be_bytes(word)))
    }

    fn maybe_exhausted(&self) -> bool {
        true
    }
}

/// The decoder.
pub(crate) struct Decoder<'a> {
    range: RangeDecoder<u32, u64, Words<'a>>,
    broken: bool,
}

impl<'a> Decoder<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { range: RangeDecoder::with_backend(Words(bytes)).unwrap_infallible(), broken: false }
    }

    /// Whether bytes were invalid; symbols read since then are arbitrary.
    pub(crate) fn is_broken(&self) -> bool {
        self.broken
    }
}

impl Coder for Decoder<'_> {
    #[inline]
    fn bit(&mut self, set: u32, _: bool) -> bool {
        match self.range.decode_symbol(Bit { set: set.clamp(1, WHOLE - 1) }) {
            Ok(bit) => bit,
            Err(_) => {
                self.broken = true;
                false
            }
        }
    }

    fn symbol(&mut self, shares: &impl Shares, _: usize) -> usize {
        match self.range.decode_symbol(Line(shares)) {
            Ok(symbol) => symbol,
            Err(_) => {
                self.broken = true;
                0
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bits_come_back(bits in prop::collection::vec((1u32..WHOLE, any::<bool>()), 0..200)) {
            let mut encoder = Encoder::new();
            for &(set, bit) in &bits {
                encoder.bit(set, bit);
            }
            let bytes = encoder.finish();
            let mut decoder = Decoder::new(&bytes);
            for &(set, bit) in &bits {
                prop_assert_eq!(decoder.bit(set, !bit), bit);
            }
            prop_assert!(!decoder.is_broken());
        }
    }

    #[test]
    fn a_stream_costs_its_information_and_at_most_a_byte() {
        for count in 0..200u32 {
            let mut encoder = Encoder::new();
            for at in 0..count {
                encoder.bit(WHOLE / 2, at % 3 == 0);
            }
            assert!(encoder.finish().len() <= count as usize / 8 + 2, "{count} bits");
        }
    }

    #[test]
    fn what_is_certain_costs_nothing() {
        let mut encoder = Encoder::new();
        for _ in 0..1000 {
            encoder.bit(WHOLE - 1, true);
        }
        assert!(encoder.finish().len() <= 1);
    }
}
