//! Bit probabilities: adaptive counters per context, and their mixture.
//!
//! Each context counts set bits. The logits of the contexts and of other predictions are combined with
//! weights that follow the gradient of the coding cost (logistic mixing, Mahoney's PAQ7 and lpaq).

use crate::{
    coder::WHOLE,
    logistic::{FARTHEST, squash, stretch},
};

/// A counter: a probability of 22 bits, and a confidence count of ten bits.
#[derive(Clone, Copy)]
pub(crate) struct Counter(u32);

/// From this count on the adaptation rate is constant.
const PATIENCE: u32 = 255;
/// 65536 / (n + 1.6), in steps of a share.
static SHARES: [u32; PATIENCE as usize + 1] = shares();
/// Weight of a counter's logit, of 256, by its count.
static TRUST: [i32; PATIENCE as usize + 1] = trust();

const fn shares() -> [u32; PATIENCE as usize + 1] {
    let mut table = [0; PATIENCE as usize + 1];
    let mut n = 0;
    while n < table.len() {
        table[n] = 655_360 / (10 * n as u32 + 16);
        n += 1;
    }
    table
}

const fn trust() -> [i32; PATIENCE as usize + 1] {
    let mut table = [0; PATIENCE as usize + 1];
    let mut n = 0;
    while n < table.len() {
        table[n] = (512 * n / (2 * n + 3)) as i32;
        n += 1;
    }
    table
}

impl Counter {
    /// No observations.
    pub(crate) const NEW: Counter = Counter(1 << 31);

    /// As a number, to be kept.
    pub(crate) fn bits(self) -> u32 {
        self.0
    }

    /// From such a number; the count is brought into its range.
    pub(crate) fn of_bits(bits: u32) -> Counter {
        Counter(bits & !1023 | (bits & 1023).min(PATIENCE))
    }

    /// The same with a lower count, so that it adapts faster.
    pub(crate) fn at_most(self, count: u32) -> Counter {
        Counter(self.0 & !1023 | (self.0 & 1023).min(count))
    }

    #[inline]
    pub(crate) fn probability(self) -> u32 {
        self.0 >> 16
    }

    /// The logit, attenuated at low counts.
    #[inline]
    pub(crate) fn logit(self) -> i32 {
        (stretch(self.0 >> 16) * TRUST[(self.0 & 1023) as usize]) >> 8
    }

    #[inline]
    pub(crate) fn learn(&mut self, bit: bool) {
        let (probability, seen) = (self.0 >> 10, self.0 & 1023);
        let target = if bit { (1 << 22) - 1 } else { 0 };
        let step = ((i64::from(target) - i64::from(probability)) * i64::from(SHARES[seen as usize])) >> 16;
        let probability = (i64::from(probability) + step) as u32;
        self.0 = probability << 10 | (seen + 1).min(PATIENCE);
    }
}

/// Fractional bits of a mixing weight.
const WEIGHT_BITS: u32 = 16;
const WEIGHT_LIMIT: i32 = 8 << WEIGHT_BITS;
/// Final learning rate of the weights, and its initial multiple.
const RATE_LAST: u32 = 64;
const RATE_FIRST: u32 = 16 * 40;
/// Observations that weights which have learnt count for.
const SETTLED: u32 = 1 << 10;

/// Mixing weights, one set per context.
pub(crate) struct Mixer<const N: usize> {
    sets: Vec<([i32; N], u32)>,
}

impl<const N: usize> Mixer<N> {
    pub(crate) fn new(contexts: usize, start: [i32; N]) -> Self {
        Mixer { sets: vec![(start, 0); contexts] }
    }

    /// With weights that have learnt, and change slowly from here on.
    pub(crate) fn trained(weights: &[[i32; N]]) -> Self {
        let limited = |weights: &[i32; N]| weights.map(|weight| weight.clamp(-WEIGHT_LIMIT, WEIGHT_LIMIT));
        Mixer { sets: weights.iter().map(|weights| (limited(weights), SETTLED)).collect() }
    }

    /// The weights of all contexts.
    pub(crate) fn weights(&self) -> Vec<[i32; N]> {
        self.sets.iter().map(|(weights, _)| *weights).collect()
    }

    /// The mixture of `inputs` with the weights of `context`.
    #[inline]
    pub(crate) fn mix(&self, context: usize, inputs: &[i32; N]) -> i32 {
        let (weights, _) = &self.sets[context];
        let sum: i64 = weights.iter().zip(inputs).map(|(&weight, &input)| i64::from(weight) * i64::from(input)).sum();
        (sum >> WEIGHT_BITS).clamp(-i64::from(FARTHEST), i64::from(FARTHEST)) as i32
    }

    /// Learns from a bit what `mix` should have said; `said` is what it said.
    #[inline]
    pub(crate) fn learn(&mut self, context: usize, inputs: &[i32; N], said: i32, bit: bool) {
        let (weights, seen) = &mut self.sets[context];
        let error = if bit { WHOLE as i32 } else { 0 } - squash(said) as i32;
        let rate = RATE_LAST + RATE_FIRST / (16 + *seen);
        *seen = (*seen + 1).min(1 << 16);
        for (weight, &input) in weights.iter_mut().zip(inputs) {
            let step = (i64::from(input) * i64::from(error) * i64::from(rate) + (1 << 21)) >> 22;
            *weight = (i64::from(*weight) + step).clamp(-i64::from(WEIGHT_LIMIT), i64::from(WEIGHT_LIMIT)) as i32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_counts() {
        let mut counter = Counter::NEW;
        for at in 0..1000 {
            counter.learn(at % 4 == 0);
        }
        assert!(counter.probability().abs_diff(WHOLE / 4) < WHOLE / 100);
    }

    #[test]
    fn a_mixer_learns_whom_to_believe() {
        let mut mixer = Mixer::<2>::new(1, [0; 2]);
        for at in 0..4000u32 {
            let bit = at.wrapping_mul(2_654_435_761) >> 31 == 1;
            let inputs = [if bit { 500 } else { -500 }, if at % 2 == 0 { 500 } else { -500 }];
            let said = mixer.mix(0, &inputs);
            mixer.learn(0, &inputs, said, bit);
        }
        assert!(squash(mixer.mix(0, &[500, 0])) > WHOLE / 100 * 90);
    }
}
