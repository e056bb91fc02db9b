//! Maps: small integers of many channels at every position, such as the rounded coefficients of the blocks of an image.
//!
//! Channels are coded one after the other, so that a value is coded knowing its channel to the left and above, and all
//! earlier channels on every side. What is known is the same on both sides, and integers throughout. The bits of a value
//! are predicted by counters of several contexts, mixed; counters and weights start from a [`MapPrior`], which is learnt
//! from maps like these, so that a small map does not pay for learning.

mod layout;
mod model;
mod planes;
mod prior;

pub use layout::{MAGNITUDES, MEAN_CHANNELS, MagnitudeWeights, MapLayout, MapMoments};
pub use prior::MapPrior;

use crate::{
    coder::{Coder, Decoder, Encoder},
    error::{CodecError, Result},
};
use model::{MapModel, Target};

/// Fractional bits of the values that an encoder rounds.
pub const MAP_FRACTION: u32 = 8;
/// The farthest a value may lie from zero.
pub const MAP_FARTHEST: i32 = 1 << 20;

/// Size of a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MapShape {
    /// Rows of positions.
    pub height: usize,
    /// Positions in a row.
    pub width: usize,
    /// Values at each position, which lie side by side.
    pub channels: usize,
}

impl MapShape {
    /// Number of values.
    pub fn len(&self) -> usize {
        self.height * self.width * self.channels
    }

    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// How an encoder rounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounding {
    /// To the nearest integer.
    Nearest,
    /// To the integer that costs least in squared error and bits, where a bit is worth this many 65536ths of a squared step.
    Thrifty(u32),
}

/// Rounds values, in steps with [`MAP_FRACTION`] fractional bits, and codes them: the bytes, and the integers that they
/// decode to.
///
/// # Panics
/// Unless there are as many values as the shape says and as many channels as the prior has.
pub fn encode_maps(values: &[i32], shape: MapShape, prior: &MapPrior, rounding: Rounding) -> (Vec<u8>, Vec<i32>) {
    assert_eq!((values.len(), shape.channels), (shape.len(), prior.layout.channels()), "values of this shape");
    let used = used(values, shape, prior);
    let mut coder = Encoder::new();
    coder.plain(BITS_OF_USED, used as u64);
    let levels = walk(&mut coder, shape, prior, used, |at| Target::Given(values[at], rounding));
    (coder.finish(), levels)
}

/// The integers of a map.
///
/// # Errors
/// [`CodecError::Malformed`] if these are not the bytes of such a map.
pub fn decode_maps(bytes: &[u8], shape: MapShape, prior: &MapPrior) -> Result<Vec<i32>> {
    if shape.channels != prior.layout.channels() {
        return Err(CodecError::malformed("a map", format!("{} channels", prior.layout.channels()), shape.channels));
    }
    let mut coder = Decoder::new(bytes);
    let used = coder.plain(BITS_OF_USED, 0) as usize;
    if used > shape.channels {
        return Err(CodecError::malformed("a map", format!("at most {} channels", shape.channels), used));
    }
    let levels = walk(&mut coder, shape, prior, used, |_| Target::Unknown);
    match coder.is_broken() {
        false => Ok(levels),
        true => Err(CodecError::malformed("a map", "bytes of a map", "others")),
    }
}

/// Bits of the number of channels that are coded; those after them are zero.
const BITS_OF_USED: u32 = 16;

/// The number of channels, in coding order, up to the last with a value that may be other than zero.
fn used(values: &[i32], shape: MapShape, prior: &MapPrior) -> usize {
    let mut largest = vec![0; shape.channels];
    for position in values.chunks_exact(shape.channels) {
        largest.iter_mut().zip(position).for_each(|(largest, value)| *largest = (*largest).max(value.unsigned_abs()));
    }
    let half = 1 << (MAP_FRACTION - 1);
    let is_used = |channel: &u16| largest[usize::from(*channel)] > half;
    prior.layout.order.iter().rposition(is_used).map_or(0, |last| last + 1)
}

/// Codes the first `used` channels in the order of the prior.
fn walk(
    coder: &mut impl Coder,
    shape: MapShape,
    prior: &MapPrior,
    used: usize,
    target: impl Fn(usize) -> Target,
) -> Vec<i32> {
    let mut model = MapModel::of(prior);
    model.walk(coder, shape, used, target)
}

impl MapPrior {
    /// Learns from a map of integers: counters and weights go on from where they are.
    ///
    /// # Panics
    /// As [`encode_maps`].
    pub fn learn(&mut self, levels: &[i32], shape: MapShape) {
        assert_eq!((levels.len(), shape.channels), (shape.len(), self.layout.channels()), "values of this shape");
        let mut model = MapModel::of(self);
        let target = |at: usize| Target::Given(levels[at] << MAP_FRACTION, Rounding::Nearest);
        model.walk(&mut Encoder::new(), shape, shape.channels, target);
        let learnt = model.into_parts();
        self.take(learnt);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: MapShape = MapShape { height: 9, width: 13, channels: 6 };

    /// Values that fall off with the channel and vary smoothly with the position.
    fn values(shape: MapShape, seed: i64) -> Vec<i32> {
        let value = |at: usize| {
            let (position, channel) = (at / shape.channels, at % shape.channels);
            let (y, x) = ((position / shape.width) as i64, (position % shape.width) as i64);
            let noise = (at as i64 + seed).wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1) >> 40 & 1023;
            (((y * 700 - x * 300 + noise) / (1 + 3 * channel as i64)) as i32) - 500 / (1 + channel as i32)
        };
        (0..shape.len()).map(value).collect()
    }

    fn rounded(values: &[i32]) -> Vec<i32> {
        values.iter().map(|value| (value + 128) >> MAP_FRACTION).collect()
    }

    #[test]
    fn maps_come_back_and_a_learnt_prior_makes_them_shorter() {
        let mut prior = MapPrior::new(MapLayout::plain(6));
        let new = encode_maps(&values(SHAPE, 3), SHAPE, &prior, Rounding::Nearest);
        for seed in 10..40 {
            prior.learn(&rounded(&values(SHAPE, seed)), SHAPE);
        }
        for prior in [prior.clone(), MapPrior::from_bytes(&prior.to_bytes()).unwrap()] {
            let (bytes, levels) = encode_maps(&values(SHAPE, 3), SHAPE, &prior, Rounding::Nearest);
            assert!(levels.iter().zip(values(SHAPE, 3)).all(|(level, value)| (level * 256 - value).abs() <= 128));
            assert_eq!(decode_maps(&bytes, SHAPE, &prior).unwrap(), levels);
            assert!(bytes.len() * 10 < new.0.len() * 9, "{} {}", bytes.len(), new.0.len());
        }
    }

    #[test]
    fn thrift_takes_fewer_bytes_for_a_larger_error() {
        let prior = MapPrior::new(MapLayout::plain(6));
        let given = values(SHAPE, 5);
        let error = |levels: &[i32]| -> i64 {
            levels.iter().zip(&given).map(|(level, value)| i64::from(level * 256 - value).pow(2)).sum()
        };
        let (near, thrifty) = (
            encode_maps(&given, SHAPE, &prior, Rounding::Nearest),
            encode_maps(&given, SHAPE, &prior, Rounding::Thrifty(9000)),
        );
        assert!(thrifty.0.len() < near.0.len() && error(&thrifty.1) > error(&near.1));
        assert_eq!(decode_maps(&thrifty.0, SHAPE, &prior).unwrap(), thrifty.1);
    }

    #[test]
    fn far_values_and_odd_shapes_come_back() {
        for (height, width, channels) in [(1, 1, 1), (1, 40, 3), (33, 1, 2), (2, 2, 200)] {
            let shape = MapShape { height, width, channels };
            let prior = MapPrior::new(MapLayout::plain(channels));
            let given: Vec<i32> = (0..shape.len() as i32).map(|i| (i % 7 - 3) * (1 << (i % 19 + 8))).collect();
            let (bytes, levels) = encode_maps(&given, shape, &prior, Rounding::Nearest);
            assert!(levels.iter().zip(&given).all(|(level, value)| level << 8 == *value));
            assert_eq!(decode_maps(&bytes, shape, &prior).unwrap(), levels);
        }
    }

    #[test]
    fn foreign_bytes_end_in_values_or_an_error() {
        let prior = MapPrior::new(MapLayout::plain(6));
        for fill in [0, 1, 0x55, 0xff] {
            for levels in decode_maps(&[fill; 300], SHAPE, &prior).iter() {
                assert!(levels.len() == SHAPE.len());
            }
        }
        let wrong = MapShape { channels: 5, ..SHAPE };
        assert!(decode_maps(&[], wrong, &prior).unwrap_err().to_string().contains("6 channels"));
    }

    #[test]
    fn priors_that_no_one_wrote_are_refused() {
        let bytes = MapPrior::new(MapLayout::plain(6)).to_bytes();
        assert!(MapPrior::from_bytes(&bytes).is_ok());
        for cut in [0, 1, 5, 40, bytes.len() - 1] {
            assert!(MapPrior::from_bytes(&bytes[..cut]).is_err(), "{cut}");
        }
        let mut more = bytes.clone();
        more.push(0);
        assert!(MapPrior::from_bytes(&more).is_err());
    }
}
