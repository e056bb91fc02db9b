//! The layout of maps: the order of channels, which channels tell of each other, and how much neighbours tell.
//!
//! A caller finds it by least squares; [`MapMoments`] collects the sums for that, in integers.

use super::planes::Planes;
use super::{MAP_FARTHEST, MapShape};

/// Magnitudes that the magnitude of a value is predicted from, and a one.
pub const MAGNITUDES: usize = 13;
/// The first channels in coding order, whose values are predicted, not only their magnitudes.
pub const MEAN_CHANNELS: usize = 16;
/// Fractional bits of the weights.
pub(super) const WEIGHT_BITS: u32 = 12;
/// The largest weight.
const LARGEST_WEIGHT: i32 = 1 << 20;
/// Magnitudes are counted up to this in sums.
pub(super) const MOST: i32 = 255;

/// Weights of magnitudes, with 12 fractional bits.
pub type MagnitudeWeights = [i32; MAGNITUDES];

/// The layout of maps of a kind. Channels are meant by their place in `order`, apart from `order` itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MapLayout {
    /// The channels in the order of coding.
    pub order: Vec<u16>,
    /// For each channel three earlier ones whose magnitudes tell of its own; the channel itself stands for none.
    pub related: Vec<[u16; 3]>,
    /// The weights of a channel's [`MAGNITUDES`].
    pub magnitudes: Vec<MagnitudeWeights>,
    /// For each of the first channels the weights of its value's neighbours, [`MapLayout::mean_count`] of them.
    pub means: Vec<Vec<i32>>,
}

impl MapLayout {
    /// A layout without knowledge: channels in their order, each like the one before.
    pub fn plain(channels: usize) -> MapLayout {
        let one = 1 << WEIGHT_BITS;
        let related = |c: usize| std::array::from_fn(|i| c.saturating_sub(i + 1).max(usize::from(c == 0)) as u16);
        let related = |c: usize| if c == 0 { [0; 3] } else { related(c) };
        let mut magnitudes = [one / 6; MAGNITUDES];
        magnitudes[MAGNITUDES - 4..].copy_from_slice(&[one / 16, 0, 0, 0]);
        let mean = |c: usize| (0..Self::mean_count(c)).map(|i| [one / 2, one / 2][..].get(i).copied().unwrap_or(0));
        MapLayout {
            order: (0..channels as u16).collect(),
            related: (0..channels).map(related).collect(),
            magnitudes: vec![magnitudes; channels],
            means: (0..channels.min(MEAN_CHANNELS)).map(|c| mean(c).collect()).collect(),
        }
    }

    /// Number of channels.
    pub fn channels(&self) -> usize {
        self.order.len()
    }

    /// Number of neighbours that the value of channel number `c` is predicted from: its own four before it, and of each
    /// earlier channel the value at its place and four around.
    pub fn mean_count(c: usize) -> usize {
        4 + 5 * c
    }

    /// What is wrong with it, if anything.
    pub(super) fn fault(&self) -> Option<&'static str> {
        let n = self.channels();
        let mut seen = vec![false; n];
        for &channel in &self.order {
            match seen.get_mut(usize::from(channel)) {
                Some(seen) if !*seen => *seen = true,
                _ => return Some("each channel once"),
            }
        }
        let earlier = |(c, related): (usize, &[u16; 3])| related.iter().all(|r| usize::from(*r) <= c);
        let is_weight = |weight: &i32| weight.unsigned_abs() <= LARGEST_WEIGHT as u32;
        let counts = self.means.iter().enumerate().all(|(c, means)| means.len() == Self::mean_count(c));
        if self.related.len() != n || !self.related.iter().enumerate().all(earlier) {
            Some("earlier channels")
        } else if self.magnitudes.len() != n || !self.magnitudes.iter().flatten().all(is_weight) {
            Some("weights within their range")
        } else if self.means.len() != n.min(MEAN_CHANNELS) || !counts || !self.means.iter().flatten().all(is_weight) {
            Some("weights of means within their range")
        } else {
            None
        }
    }

    /// A weight of least squares in the form of a layout, `part` of `whole`.
    pub fn weight(part: i64) -> i32 {
        part.clamp(-i64::from(LARGEST_WEIGHT), LARGEST_WEIGHT.into()) as i32
    }

    /// The value that is expected at a place, with [`super::MAP_FRACTION`] fractional bits.
    #[inline]
    pub(super) fn mean(&self, c: usize, planes: &Planes, at: usize) -> i32 {
        let Some(weights) = self.means.get(c) else { return 0 };
        let mut sum = 0i64;
        planes.neighbours(c, at, |i, value| sum += i64::from(weights[i]) * i64::from(value));
        let limit = i64::from(MAP_FARTHEST) << super::MAP_FRACTION;
        (sum >> (WEIGHT_BITS - super::MAP_FRACTION)).clamp(-limit, limit) as i32
    }

    /// The magnitude that is expected at a place, with 12 fractional bits.
    #[inline]
    pub(super) fn magnitude(&self, c: usize, features: &MagnitudeWeights) -> i64 {
        self.magnitudes[c].iter().zip(features).map(|(weight, &feature)| i64::from(*weight) * i64::from(feature)).sum()
    }
}

/// Sums of products for least squares.
#[derive(Debug, Clone)]
pub struct MapMoments {
    layout: MapLayout,
    /// For each channel the products of its magnitudes with each other, and with its own.
    pub magnitudes: Vec<([[i64; MAGNITUDES]; MAGNITUDES], [i64; MAGNITUDES])>,
    /// For each of the first channels the products of its neighbours, row by row, and with its own value.
    pub means: Vec<(Vec<i64>, Vec<i64>)>,
}

impl MapMoments {
    /// Nothing seen, of maps in this layout, whose weights of means are used and whose weights of magnitudes are not.
    pub fn new(layout: MapLayout) -> MapMoments {
        let count = MapLayout::mean_count;
        let means = (0..layout.means.len()).map(|c| (vec![0; count(c) * count(c)], vec![0; count(c)])).collect();
        let magnitudes = vec![([[0; MAGNITUDES]; MAGNITUDES], [0; MAGNITUDES]); layout.channels()];
        MapMoments { layout, magnitudes, means }
    }

    /// The sums of both.
    #[must_use]
    pub fn with(mut self, other: MapMoments) -> MapMoments {
        fn add<'a>(to: impl IntoIterator<Item = &'a mut i64>, from: impl IntoIterator<Item = i64>) {
            to.into_iter().zip(from).for_each(|(to, from)| *to += from);
        }
        for ((products, own), (other_products, other_own)) in self.magnitudes.iter_mut().zip(other.magnitudes) {
            add(products.as_flattened_mut(), other_products.as_flattened().iter().copied());
            add(own, other_own);
        }
        for ((products, own), (other_products, other_own)) in self.means.iter_mut().zip(other.means) {
            add(products, other_products);
            add(own, other_own);
        }
        self
    }

    /// Adds the products of neighbouring values.
    pub fn add_means(&mut self, levels: &[i32], shape: MapShape) {
        let planes = Planes::filled(levels, shape, &self.layout);
        for (c, (products, own)) in self.means.iter_mut().enumerate() {
            let mut around = vec![0i64; own.len()];
            for at in planes.places() {
                planes.neighbours(c, at, |i, value| around[i] = value.into());
                let value = i64::from(planes.level(c, at));
                for (i, a) in around.iter().enumerate() {
                    own[i] += a * value;
                    let row = &mut products[i * around.len()..][..around.len()];
                    row.iter_mut().zip(&around).for_each(|(product, b)| *product += a * b);
                }
            }
        }
    }

    /// Adds the products of neighbouring magnitudes.
    pub fn add_magnitudes(&mut self, levels: &[i32], shape: MapShape) {
        let mut planes = Planes::filled(levels, shape, &self.layout);
        for (c, (products, own)) in self.magnitudes.iter_mut().enumerate() {
            for at in planes.places() {
                let features = planes.magnitudes(c, at, &self.layout.related[c]);
                let value = i64::from(planes.size(c, at).min(MOST));
                for (i, &a) in features.iter().enumerate() {
                    own[i] += i64::from(a) * value;
                    products[i].iter_mut().zip(&features).for_each(|(product, b)| *product += i64::from(a * b));
                }
            }
            planes.close(c);
        }
    }
}
