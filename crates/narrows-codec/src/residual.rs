//! Binary coding of prediction residuals.
//!
//! First whether the value lies above the integer below the prediction, then by how many steps, one bit
//! per step (steps of 2^k for large residuals), after [`STEPS`] of them by an exponential Golomb code. Each bit's
//! probability is mixed from a logistic distribution around the prediction and from counts in contexts: sizes
//! of residuals nearby, the column, the fractional part of the prediction, the last residuals.

use crate::{
    coder::{Coder, WHOLE},
    golomb::golomb,
    logistic::{FARTHEST, UNIT, squash, stretch},
    mixer::{Counter, Mixer},
    plane::FRACTION,
    predictor::{PATTERNS, Prediction, size},
};

/// Number of steps with their own bits.
const STEPS: usize = 24;
/// Kinds of bits: the direction, and the steps.
const KINDS: usize = STEPS + 1;
const CONTEXTS: usize = 9;
const INPUTS: usize = CONTEXTS + 4;
/// Number of columns with their own contexts.
const MOST_COLUMNS: usize = 1024;
/// Number of classes of residual sizes, half an octave each, from an eighth of a step upwards.
const SIZES: i32 = 32;

const ONE: i64 = 1 << FRACTION;

pub(crate) struct ResidualModel {
    columns: usize,
    counters: [Vec<Counter>; CONTEXTS],
    by_size: Mixer<INPUTS>,
    by_column: Mixer<INPUTS>,
    by_pattern: Mixer<INPUTS>,
    lengths: Vec<Counter>,
    halves: Vec<Counter>,
}

/// The context shared by the bits of a value.
struct Scene<'a> {
    prediction: &'a Prediction,
    column: usize,
    /// The logarithm of the expected residual.
    energy: i32,
    /// Steps are 2^k wide.
    k: u32,
    /// Scales of the logistic distribution, from all residuals nearby and from those of the column.
    scale: i64,
    own_scale: i64,
    /// Position of the other prediction relative to this one, towards the value.
    other: i64,
    /// Positions of the last two values relative to the integer below the prediction.
    nearby: [i64; 2],
    columns: usize,
    contexts: [usize; CONTEXTS],
}

/// The event that one bit codes.
#[derive(Clone, Copy)]
pub(crate) struct Cut {
    pub kind: usize,
    /// Given that the value lies beyond this...
    pub inner: i64,
    /// ...whether it lies beyond this. `None` for the first bit: whether the value lies beyond -`inner`.
    pub outer: Option<i64>,
}

/// Coarse size classes, three quarters of an octave each.
const ROUGH: usize = 12;

fn rough(log: i32) -> usize {
    size_class(log, 6, ROUGH as i32)
}

fn size_class(log: i32, finest: i32, classes: i32) -> usize {
    // An eighth of a step has the logarithm 40.
    ((log - 40) / finest).clamp(0, classes - 1) as usize
}

/// The scale of a logistic distribution for this residual size: its mean absolute value is 2 ln 2 scales.
fn scale_of(log: i32) -> i64 {
    ((size(log) * 180) >> 8).max(16)
}

fn near_value(above: i64, most: i64) -> usize {
    (above.clamp(-most, most) + most) as usize
}

/// Sign and coarse size of a residual, in seven classes.
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
        let pairs = ROUGH * ROUGH * 4;
        let sizes = [
            SIZES as usize * 8,
            pairs,
            columns * 4,
            7 * 7 * ROUGH,
            pairs,
            columns * 8,
            PATTERNS * 8 * 4,
            15 * 15,
            columns * 49,
        ];
        // Initially only the distribution has weight.
        let mut start = [10_000; INPUTS];
        (start[0], start[1], start[2]) = (1 << 14, 1 << 12, 0);
        ResidualModel {
            columns,
            counters: sizes.map(|size| vec![Counter::NEW; size * KINDS]),
            by_size: Mixer::new(KINDS * ROUGH, start),
            by_column: Mixer::new(KINDS * columns, start),
            by_pattern: Mixer::new(KINDS * PATTERNS, start),
            lengths: vec![Counter::NEW; 70],
            halves: vec![Counter::NEW; KINDS * 64],
        }
    }

    /// Codes a value whose prediction is `point`, `prediction` included.
    #[inline]
    pub(crate) fn code(
        &mut self,
        coder: &mut impl Coder,
        point: i64,
        prediction: &Prediction,
        values: &[i64],
        told: i64,
    ) -> i64 {
        let floor = point >> FRACTION;
        let part = point & (ONE - 1);
        let energy = (4 * prediction.energies[0] + 3 * prediction.energies[1] + prediction.energies[2]) / 8;
        let k = ((energy >> 3) - FRACTION as i32 - 2).max(0) as u32;
        let mut scene = Scene {
            prediction,
            column: prediction.group % self.columns,
            energy,
            k,
            scale: scale_of(energy),
            own_scale: scale_of(prediction.energies[2]),
            other: -prediction.other,
            nearby: prediction.places.map(|at| at.map_or(0, |at| values[at].wrapping_sub(floor))),
            columns: self.columns,
            contexts: [0; CONTEXTS],
        };
        scene.look(part);
        let up = self.bit(coder, &scene, Cut { kind: 0, inner: part - ONE / 2, outer: None }, told > floor);
        // From here on, distances are measured from the prediction towards the value.
        let (folded, first) = if up { (ONE - 1 - part, ONE / 2 - part) } else { (part, part - ONE / 2) };
        scene.other = if up { prediction.other } else { -prediction.other };
        scene.look(folded);
        let told_rest = if up { told.wrapping_sub(floor).wrapping_sub(1) } else { floor.wrapping_sub(told) } as u64;
        let told_steps = told_rest >> k;
        let mut steps = 0;
        while steps < STEPS as u64 {
            let inner = first + ((steps << (FRACTION + k)) as i64);
            let cut = Cut { kind: steps as usize + 1, inner, outer: Some(inner + (ONE << k)) };
            if !self.bit(coder, &scene, cut, told_steps > steps) {
                break;
            }
            steps += 1;
        }
        if steps == STEPS as u64 {
            steps = steps.wrapping_add(self.far(coder, told_steps.wrapping_sub(STEPS as u64)));
        }
        let mut rest = steps << k;
        if k > 0 {
            // Within a step the nearer half is likelier; finer bits are nearly uniform.
            let counter = &mut self.halves[steps.min(STEPS as u64) as usize * 64 + k as usize];
            let half = coder.bit(counter.probability(), told_rest >> (k - 1) & 1 == 1);
            counter.learn(half);
            rest |= u64::from(half) << (k - 1) | coder.plain(k - 1, told_rest);
        }
        if up { floor.wrapping_add(1).wrapping_add(rest as i64) } else { floor.wrapping_sub(rest as i64) }
    }

    /// Exponential Golomb code with an adaptive length.
    fn far(&mut self, coder: &mut impl Coder, told: u64) -> u64 {
        let told = told.saturating_add(1);
        golomb(coder, &mut self.lengths, 63, told).wrapping_sub(1)
    }

    /// Codes one bit and adapts.
    #[inline]
    fn bit(&mut self, coder: &mut impl Coder, scene: &Scene<'_>, cut: Cut, told: bool) -> bool {
        let kind = cut.kind;
        let mut inputs = [0i32; INPUTS];
        inputs[0] = cut.logit(0, scene.scale);
        inputs[1] = cut.logit(0, scene.own_scale);
        inputs[2] = UNIT;
        inputs[3] = cut.logit(scene.other, scene.scale);
        for ((input, counters), context) in inputs[4..].iter_mut().zip(&self.counters).zip(scene.contexts) {
            *input = counters[context * KINDS + kind].logit();
        }
        // Three sets of weights, adapted independently; their mean has a lower error than each.
        let mixers = [&mut self.by_size, &mut self.by_column, &mut self.by_pattern];
        let sets = [
            kind * ROUGH + rough(scene.energy),
            kind * self.columns + scene.column,
            kind * PATTERNS + scene.prediction.pattern,
        ];
        let said = [mixers[0].mix(sets[0], &inputs), mixers[1].mix(sets[1], &inputs), mixers[2].mix(sets[2], &inputs)];
        let bit = coder.bit(squash(said.iter().sum::<i32>() / 3), told);
        for ((mixer, set), said) in mixers.into_iter().zip(sets).zip(said) {
            mixer.learn(set, &inputs, said, bit);
        }
        for (counters, context) in self.counters.iter_mut().zip(scene.contexts) {
            counters[context * KINDS + kind].learn(bit);
        }
        bit
    }
}

impl Scene<'_> {
    /// Looks up the contexts; `part` is the fractional part of the prediction.
    #[inline]
    fn look(&mut self, part: i64) {
        let (prediction, column) = (self.prediction, self.column);
        let (eighth, quarter) = ((part >> 5) as usize, (part >> 6) as usize);
        let [near, wide, own] = prediction.energies;
        let energy = size_class(self.energy, 4, SIZES);
        // With wide steps, their width relative to the residuals replaces the fractional part.
        let phase = (self.energy & 7) as usize;
        let (eighth, quarter) = if self.k > 0 { (phase, phase / 2) } else { (eighth, quarter) };
        let by_column = if self.k > 0 { self.k as usize & 3 } else { quarter };
        let [last, before] = prediction.last.map(leaning);
        let [one, two] = self.nearby;
        self.contexts = [
            energy * 8 + eighth,
            (rough(near) * ROUGH + rough(own)) * 4 + quarter,
            column * 4 + by_column,
            (last * 7 + before) * ROUGH + rough(self.energy),
            (rough(near) * ROUGH + rough(wide)) * 4 + quarter,
            column * 8 + size_class(self.energy, 8, 8),
            (prediction.pattern * 8 + size_class(self.energy, 8, 8)) * 4 + quarter,
            near_value(one, 7) * 15 + near_value(two, 7),
            (near_value(one, 3) * 7 + near_value(two, 3)) * self.columns + column,
        ];
    }
}

impl Cut {
    /// The logit of the event under a logistic distribution of this scale around `centre`.
    #[inline]
    pub(crate) fn logit(self, centre: i64, scale: i64) -> i32 {
        let (unit, farthest) = (i64::from(UNIT), i64::from(FARTHEST));
        let logit = |edge: i64| {
            let distance = (edge - centre).clamp(-(1 << 48), 1 << 48);
            (distance * unit / scale).clamp(-farthest, farthest) as i32
        };
        match self.outer {
            None => logit(self.inner),
            Some(outer) => {
                let (beyond, given) = (squash(-logit(outer)), squash(-logit(self.inner)));
                stretch(beyond * (WHOLE - 1) / given)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logistic_tail_falls_evenly() {
        // In the tail, each step of one scale is survived with probability 1/e: a logit of ln(1 / (e - 1)) = -0.541.
        let cut = Cut { kind: 7, inner: 6 * ONE, outer: Some(7 * ONE) };
        assert!((cut.logit(0, ONE) + 139).abs() < 8);
        assert_eq!(Cut { kind: 0, inner: 0, outer: None }.logit(0, ONE), 0);
    }
}
