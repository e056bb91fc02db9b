//! What a prediction misses by, bit by bit.
//!
//! First whether the value lies above the prediction's lower neighbour among the integers, then by how many steps, one bit
//! a step (steps of 2^k where misses are large), after [`STEPS`] of them by an exponential Golomb code. Each bit's
//! probability is mixed from what a logistic distribution around the prediction says and from counts in contexts: sizes
//! of misses nearby, the column, where between two integers the prediction lies, the last misses.

use crate::{
    coder::{Coder, WHOLE},
    logistic::{squash, stretch},
    mixer::{CONSTANT, Counter, Mixer},
    plane::FRACTION,
    predictor::{Prediction, size},
};

/// Steps that have bits of their own.
const STEPS: usize = 24;
/// Kinds of bits: above or not, and the steps.
const KINDS: usize = STEPS + 1;
const CONTEXTS: usize = 6;
const INPUTS: usize = CONTEXTS + 3;
/// Columns that have contexts of their own.
const MOST_COLUMNS: usize = 1024;
/// Sizes of misses that are told apart, half an octave each, from an eighth of a step upwards.
const SIZES: i32 = 32;

const ONE: i64 = 1 << FRACTION;

pub(crate) struct ResidualModel {
    columns: usize,
    counters: [Vec<Counter>; CONTEXTS],
    mixer: Mixer<INPUTS>,
    places: Mixer<INPUTS>,
    lengths: Vec<Counter>,
    halves: Vec<Counter>,
}

/// What a value's bits have in common.
struct Scene {
    /// log of the expected miss.
    energy: i32,
    /// The distribution's scale.
    scale: i64,
    own_scale: i64,
    /// Size class for the mixer.
    class: usize,
    contexts: [usize; CONTEXTS],
}

fn size_class(log: i32, finest: i32, classes: i32) -> usize {
    // An eighth of a step has the logarithm 40.
    ((log - 40) / finest).clamp(0, classes - 1) as usize
}

/// Sign and rough size of a miss, of seven classes.
fn leaning(miss: i64) -> usize {
    let rough = match miss.unsigned_abs() {
        0..64 => 0,
        64..192 => 1,
        192..640 => 2,
        _ => 3,
    };
    if miss < 0 { 3 - rough } else { 3 + rough }
}

impl ResidualModel {
    pub(crate) fn new(columns: usize) -> Self {
        let columns = columns.min(MOST_COLUMNS);
        let sizes = [SIZES as usize * 8, 12 * 12 * 4, columns * 4, 7 * 7 * 12, 12 * 12 * 4, columns * 8];
        let mut start = [1 << 14; INPUTS];
        start[0] = 1 << 15;
        start[1] = 1 << 14;
        start[2] = 0;
        ResidualModel {
            columns,
            counters: sizes.map(|size| vec![Counter::NEW; size * KINDS]),
            mixer: Mixer::new(KINDS * 12, start),
            places: Mixer::new(KINDS * columns, start),
            lengths: vec![Counter::NEW; 70],
            halves: vec![Counter::NEW; KINDS * 64],
        }
    }

    /// Codes a value whose prediction is `point`, `prediction` included.
    #[inline]
    pub(crate) fn code(&mut self, coder: &mut impl Coder, point: i64, prediction: &Prediction, told: i64) -> i64 {
        let floor = point >> FRACTION;
        let part = point & (ONE - 1);
        let energy = (4 * prediction.energies[0] + 2 * prediction.energies[1] + 2 * prediction.energies[2]) / 8;
        let k = ((energy >> 3) - FRACTION as i32 - 2).max(0) as u32;
        let column = prediction.group % self.columns;
        let mut scene = Scene {
            energy,
            scale: (size(energy) * 180 >> 8).max(16),
            own_scale: (size(prediction.energies[2]) * 180 >> 8).max(16),
            class: size_class(energy, 6, 12),
            contexts: [0; CONTEXTS],
        };
        scene.look(prediction, column, part);
        let told_up = told > floor;
        let up = self.bit(coder, &scene, column, 0, part - ONE / 2, None, told_up);
        // From here on, distances grow away from the prediction on the side of the value.
        let (folded, first) = if up { (ONE - 1 - part, ONE / 2 - part) } else { (part, part - ONE / 2) };
        scene.look(prediction, column, folded);
        let told_rest = if up { told.wrapping_sub(floor).wrapping_sub(1) } else { floor.wrapping_sub(told) } as u64;
        let told_steps = told_rest >> k;
        let mut steps = 0;
        while steps < STEPS as u64 {
            let inner = first + ((steps << (FRACTION + k)) as i64);
            let outer = inner + (ONE << k);
            if !self.bit(coder, &scene, column, steps as usize + 1, inner, Some(outer), told_steps > steps) {
                break;
            }
            steps += 1;
        }
        if steps == STEPS as u64 {
            steps = steps.wrapping_add(self.far(coder, told_steps.wrapping_sub(STEPS as u64)));
        }
        let mut rest = steps << k;
        if k > 0 {
            let at = (steps.min(STEPS as u64) as usize) * 64 + k as usize;
            let counter = &mut self.halves[at];
            let half = coder.bit(counter.probability(), told_rest >> (k - 1) & 1 == 1);
            counter.learn(half);
            rest |= u64::from(half) << (k - 1) | coder.plain(k - 1, told_rest);
        }
        if up { floor.wrapping_add(1).wrapping_add(rest as i64) } else { floor.wrapping_sub(rest as i64) }
    }

    /// Exponential Golomb, its length counted.
    fn far(&mut self, coder: &mut impl Coder, told: u64) -> u64 {
        let told = told.saturating_add(1);
        let told_bits = told.ilog2();
        let mut bits = 0;
        while bits < 63 {
            let counter = &mut self.lengths[bits as usize];
            let more = coder.bit(counter.probability(), told_bits > bits);
            counter.learn(more);
            if !more {
                break;
            }
            bits += 1;
        }
        (1u64 << bits | coder.plain(bits, told)).wrapping_sub(1)
    }

    /// One bit: whether the value lies beyond `outer` given that it lies beyond `inner`, or with no `outer`, whether it
    /// lies beyond minus `inner`.
    #[inline]
    fn bit(
        &mut self,
        coder: &mut impl Coder,
        scene: &Scene,
        column: usize,
        kind: usize,
        inner: i64,
        outer: Option<i64>,
        told: bool,
    ) -> bool {
        let mut inputs = [0i32; INPUTS];
        inputs[0] = logistic(inner, outer, scene.scale);
        inputs[1] = logistic(inner, outer, scene.own_scale);
        inputs[2] = CONSTANT;
        for ((input, counters), context) in inputs[3..].iter_mut().zip(&self.counters).zip(scene.contexts) {
            *input = counters[context * KINDS + kind].logit();
        }
        let (by_size, by_place) = (kind * 12 + scene.class, kind * self.columns + column);
        let said = self.mixer.mix(by_size, &inputs);
        let placed = self.places.mix(by_place, &inputs);
        let bit = coder.bit(squash((said + placed) / 2).clamp(1, WHOLE - 1), told);
        self.mixer.learn(by_size, &inputs, said, bit);
        self.places.learn(by_place, &inputs, placed, bit);
        for (counters, context) in self.counters.iter_mut().zip(scene.contexts) {
            counters[context * KINDS + kind].learn(bit);
        }
        bit
    }
}

impl Scene {
    /// Looks up the contexts, `part` being where between two integers the prediction lies.
    #[inline]
    fn look(&mut self, prediction: &Prediction, column: usize, part: i64) {
        let (eighth, quarter) = ((part >> 5) as usize, (part >> 6) as usize);
        let [near, wide, own] = prediction.energies;
        let energy = size_class(self.energy, 4, SIZES);
        let rough = |log| size_class(log, 6, 12);
        let [last, before] = prediction.last.map(leaning);
        self.contexts = [
            energy * 8 + eighth,
            (rough(near) * 12 + rough(own)) * 4 + quarter,
            column * 4 + quarter,
            (last * 7 + before) * 12 + rough(self.energy),
            (rough(near) * 12 + rough(wide)) * 4 + quarter,
            column * 8 + size_class(self.energy, 8, 8),
        ];
    }
}

/// The logit of lying beyond `outer` given beyond `inner` (or, of none, of lying beyond -`inner`) in a logistic
/// distribution of this scale around zero.
#[inline]
fn logistic(inner: i64, outer: Option<i64>, scale: i64) -> i32 {
    let logit = |distance: i64| (distance.clamp(-(1 << 48), 1 << 48) * 256 / scale).clamp(-2816, 2816) as i32;
    match outer {
        None => logit(inner),
        Some(outer) => {
            let (beyond, given) = (squash(-logit(outer)), squash(-logit(inner)));
            stretch((beyond * 65_535 / given).min(WHOLE - 1))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logistic_tail_falls_evenly() {
        // Far out, each step of one scale is survived with probability 1/e: a logit of ln(1 / (e - 1)) = -0.541.
        assert!((logistic(6 * 256, Some(7 * 256), 256) + 139).abs() < 8);
        assert_eq!(logistic(0, None, 256), 0);
    }
}
