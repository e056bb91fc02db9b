//! Mixing in two layers: several sets of weights chosen by contexts, and a mixture of what they say.

use crate::{
    coder::WHOLE,
    logistic::{FARTHEST, squash},
};

const WEIGHT_BITS: u32 = 16;
const WEIGHT_LIMIT: i32 = 8 << WEIGHT_BITS;

/// Sets of weights, one per context.
pub(super) struct Weights {
    inputs: usize,
    weights: Vec<i32>,
    seen: Vec<u16>,
    rate: (i32, i32),
}

impl Weights {
    /// Sets that start from these weights; the rate of learning falls from the sum of both to the first.
    pub(super) fn new(contexts: usize, start: &[&[i32]], rate: (i32, i32)) -> Self {
        let inputs = start.first().map_or(0, |start| start.len());
        Weights { inputs, weights: start.concat().repeat(contexts), seen: vec![0; contexts * start.len()], rate }
    }

    #[inline]
    pub(super) fn mix(&self, context: usize, inputs: &[i32]) -> i32 {
        let weights = &self.weights[context * self.inputs..][..self.inputs];
        // A product has 31 bits at most.
        let sum: i32 = weights.iter().zip(inputs).map(|(&weight, &input)| (weight * input) >> 8).sum();
        (sum >> (WEIGHT_BITS - 8)).clamp(-FARTHEST, FARTHEST)
    }

    #[inline]
    pub(super) fn learn(&mut self, context: usize, inputs: &[i32], said: i32, bit: bool) {
        let error = if bit { WHOLE as i32 } else { 0 } - squash(said) as i32;
        let seen = &mut self.seen[context];
        let rate = self.rate.0 + 16 * self.rate.1 / (16 + i32::from(*seen));
        *seen = seen.saturating_add(1);
        // 17 bits of error and 10 of rate; 12 bits of an input.
        let step = (error * rate) >> 10;
        let weights = &mut self.weights[context * self.inputs..][..self.inputs];
        for (weight, &input) in weights.iter_mut().zip(inputs) {
            *weight = (*weight + ((input * step + (1 << 11)) >> 12)).clamp(-WEIGHT_LIMIT, WEIGHT_LIMIT);
        }
    }
}
