//! What is known of maps of a kind before one is seen: their layout, and counters and weights that have learnt.

use super::layout::{MAGNITUDES, MEAN_CHANNELS, MapLayout};
use crate::{
    error::{CodecError, Result},
    logistic::UNIT,
    mixer::{Counter, Mixer},
};

/// Kinds of decisions: zero, sign, and larger than one to `STEPS` - 1.
pub(super) const KINDS: usize = STEPS as usize + 1;
/// From this magnitude on values are coded in exponential Golomb code.
pub(super) const STEPS: i32 = 8;
/// Classes of a magnitude.
pub(super) const LEVELS: usize = 32;
/// Contexts of a decision.
pub(super) const SETS: usize = 8;
/// Inputs of a mixture: a counter for each context, and a constant.
pub(super) const INPUTS: usize = SETS + 1;
/// Counters of lengths.
const LENGTHS: usize = 25;
/// Most channels.
const MOST_CHANNELS: usize = 1024;
/// Observations that a counter counts for at most when a map begins, so that it can still follow the map.
const TRUSTED: u32 = 100;

/// Where the counters of each context begin.
pub(super) struct Sizes {
    pub(super) channels: usize,
    pub(super) first: [usize; SETS],
    /// Where those for signs begin, after the first.
    pub(super) signs: [usize; SETS],
    total: usize,
}

impl Sizes {
    pub(super) fn of(channels: usize) -> Sizes {
        let (by_channel, pairs) = (channels * KINDS * LEVELS, LEVELS * LEVELS * KINDS);
        let counts =
            [by_channel, 6 * 256 * KINDS, by_channel, by_channel, pairs, pairs, by_channel, LEVELS * 4 * KINDS];
        let own = [0, 1, 0, 0, 72, 81, 0, 8];
        let (mut first, mut signs, mut total) = ([0; SETS], [0; SETS], 0);
        for i in 0..SETS {
            first[i] = total;
            // Sets by channel and kind have cells for signs among the others.
            signs[i] = if own[i] > 0 { counts[i] } else { 0 };
            total += counts[i] + own[i];
        }
        Sizes { channels, first, signs, total }
    }
}

/// What is known of maps of a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MapPrior {
    /// The layout.
    pub layout: MapLayout,
    counters: Vec<u32>,
    lengths: Vec<u32>,
    by_level: Vec<[i32; INPUTS]>,
    by_channel: Vec<[i32; INPUTS]>,
}

impl MapPrior {
    /// Without knowledge beside the layout.
    ///
    /// # Panics
    /// If the layout contradicts itself, or has more than 1024 channels.
    pub fn new(layout: MapLayout) -> MapPrior {
        assert!(layout.fault().is_none() && layout.channels() <= MOST_CHANNELS, "a layout that is one");
        let start = [UNIT * 256 / 4; INPUTS];
        let channels = layout.channels();
        MapPrior {
            layout,
            counters: vec![Counter::NEW.bits(); Sizes::of(channels).total],
            lengths: vec![Counter::NEW.bits(); LENGTHS],
            by_level: vec![start; LEVELS / 2 * KINDS],
            by_channel: vec![start; channels * KINDS],
        }
    }

    pub(super) fn counters(&self) -> (Vec<Counter>, Vec<Counter>) {
        let of = |bits: &Vec<u32>| bits.iter().map(|bits| Counter::of_bits(*bits)).collect();
        (of(&self.counters), of(&self.lengths))
    }

    pub(super) fn mixers(&self) -> (Mixer<INPUTS>, Mixer<INPUTS>) {
        (Mixer::trained(&self.by_level), Mixer::trained(&self.by_channel))
    }

    pub(super) fn take(&mut self, model: (Vec<Counter>, Vec<Counter>, Mixer<INPUTS>, Mixer<INPUTS>)) {
        let of = |counters: Vec<Counter>| counters.into_iter().map(Counter::bits).collect();
        (self.counters, self.lengths) = (of(model.0), of(model.1));
        (self.by_level, self.by_channel) = (model.2.weights(), model.3.weights());
    }

    /// The same with counters that still follow what they see.
    #[must_use]
    pub fn settled(mut self) -> MapPrior {
        let settle = |bits: &mut u32| *bits = Counter::of_bits(*bits).at_most(TRUSTED).bits();
        self.counters.iter_mut().chain(&mut self.lengths).for_each(settle);
        self
    }

    /// As bytes, a multiple of four of them.
    pub fn to_bytes(&self) -> Vec<u8> {
        let layout = &self.layout;
        let mut bytes = Vec::new();
        bytes.extend((layout.channels() as u32).to_le_bytes());
        layout.order.iter().chain(layout.related.iter().flatten()).for_each(|c| bytes.extend(c.to_le_bytes()));
        let weights = layout.magnitudes.iter().flatten().chain(layout.means.iter().flatten());
        let mixed = self.by_level.iter().flatten().chain(self.by_channel.iter().flatten());
        weights.chain(mixed).for_each(|weight| bytes.extend(weight.to_le_bytes()));
        self.counters.iter().chain(&self.lengths).for_each(|bits| bytes.extend(bits.to_le_bytes()));
        bytes
    }

    /// From bytes.
    ///
    /// # Errors
    /// [`CodecError::Malformed`] if they are not of a prior.
    pub fn from_bytes(bytes: &[u8]) -> Result<MapPrior> {
        let bad = |expected: &str| CodecError::malformed("the prior of maps", expected, "others");
        let (head, rest) = bytes.split_first_chunk::<4>().ok_or_else(|| bad("its number of channels"))?;
        let n = u32::from_le_bytes(*head) as usize;
        if n == 0 || n > MOST_CHANNELS {
            return Err(CodecError::malformed("the prior of maps", format!("1 to {MOST_CHANNELS} channels"), n));
        }
        let (short, long) = rest.split_at_checked(8 * n).ok_or_else(|| bad("its order of channels"))?;
        let short: Vec<u16> = short.chunks_exact(2).map(|b| u16::from_le_bytes([b[0], b[1]])).collect();
        let mut numbers = long.chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]));
        let mut take = |count: usize| -> Result<Vec<u32>> {
            let taken: Vec<u32> = numbers.by_ref().take(count).collect();
            if taken.len() == count { Ok(taken) } else { Err(bad("all of its numbers")) }
        };
        let signed = |numbers: Vec<u32>| -> Vec<i32> { numbers.into_iter().map(|number| number as i32).collect() };
        let sets = |numbers: Vec<i32>| -> Vec<[i32; INPUTS]> { numbers.as_chunks().0.to_vec() };
        let magnitudes = signed(take(n * MAGNITUDES)?).as_chunks().0.to_vec();
        let mut means = Vec::new();
        for c in 0..n.min(MEAN_CHANNELS) {
            means.push(signed(take(MapLayout::mean_count(c))?));
        }
        let related = short[n..].as_chunks().0.to_vec();
        let layout = MapLayout { order: short[..n].to_vec(), related, magnitudes, means };
        if let Some(fault) = layout.fault() {
            return Err(bad(fault));
        }
        let prior = MapPrior {
            layout,
            by_level: sets(signed(take(LEVELS / 2 * KINDS * INPUTS)?)),
            by_channel: sets(signed(take(n * KINDS * INPUTS)?)),
            counters: take(Sizes::of(n).total)?,
            lengths: take(LENGTHS)?,
        };
        let is_counter = |bits: &u32| Counter::of_bits(*bits).bits() == *bits;
        let is_whole = (long.len() / 4).checked_mul(4) == Some(long.len()) && numbers.next().is_none();
        let is_known = prior.counters.iter().chain(&prior.lengths).all(is_counter);
        if is_whole && is_known { Ok(prior) } else { Err(bad("nothing but its numbers")) }
    }
}
