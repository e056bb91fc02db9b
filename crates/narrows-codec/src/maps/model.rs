//! How the bits of a value are predicted.
//!
//! A value is coded as what it misses its expected value by: whether that is zero, its sign, then whether it is larger than
//! one, than two and so on, and from [`STEPS`] on in exponential Golomb code.

use super::layout::MagnitudeWeights;
use super::planes::{Planes, rounded};
use super::prior::{INPUTS, KINDS, LEVELS, MapPrior, SETS, STEPS, Sizes};
use super::{MAP_FARTHEST, MAP_FRACTION, MapShape, Rounding};
use crate::{
    coder::{Coder, WHOLE},
    golomb::golomb,
    logistic::{UNIT, squash},
    mixer::{Counter, Mixer},
    predictor::log,
};

/// What the encoder knows of a value.
#[derive(Clone, Copy)]
pub(super) enum Target {
    /// It is to be read.
    Unknown,
    /// It is this, with fractional bits, to be rounded.
    Given(i32, Rounding),
}

/// Bits of a length in exponential Golomb code.
const LONGEST: u32 = 24;
/// Costs are in eighths of a bit.
const BIT: i64 = 8;
/// What a value costs beside the decision that it is not zero: its sign and the decision that it is not larger.
const SIGN_AND_END: i64 = 13;
/// What each further step costs.
const STEP_COST: i64 = 7;

/// The counters and the weights while a map is coded.
pub(super) struct MapModel<'a> {
    prior: &'a MapPrior,
    sizes: Sizes,
    counters: Vec<Counter>,
    lengths: Vec<Counter>,
    by_level: Mixer<INPUTS>,
    by_channel: Mixer<INPUTS>,
}

/// What is known of a value before it is coded.
struct Surroundings {
    c: usize,
    /// Classes of magnitudes: expected, own, related, activity, activity all around.
    expected: usize,
    own: usize,
    related: usize,
    active: usize,
    wide: usize,
    /// The nearest magnitudes one by one.
    near: usize,
    /// The fraction of the expected value: in eighths, and its size in eighths.
    eighth: usize,
    offset: usize,
    /// Signs of the neighbours, and of the related channels.
    signs: usize,
    related_signs: usize,
}

impl<'a> MapModel<'a> {
    pub(super) fn of(prior: &'a MapPrior) -> MapModel<'a> {
        let sizes = Sizes::of(prior.layout.channels());
        let (counters, lengths) = prior.counters();
        let (by_level, by_channel) = prior.mixers();
        MapModel { prior, sizes, counters, lengths, by_level, by_channel }
    }

    /// Codes all values of the first channels.
    pub(super) fn walk(
        &mut self,
        coder: &mut impl Coder,
        shape: MapShape,
        used: usize,
        target: impl Fn(usize) -> Target,
    ) -> Vec<i32> {
        let layout = &self.prior.layout;
        let mut planes = Planes::new(shape);
        for c in 0..used {
            let channel = usize::from(layout.order[c]);
            for (position, at) in planes.places().enumerate() {
                let mean = layout.mean(c, &planes, at);
                let base = rounded(mean);
                let around = self.look(&planes, c, at, mean - (base << MAP_FRACTION));
                let target = match target(position * shape.channels + channel) {
                    Target::Unknown => Target::Unknown,
                    Target::Given(value, rounding) => {
                        Target::Given(value.saturating_sub(base << MAP_FRACTION), rounding)
                    }
                };
                let miss = self.value(coder, &around, target);
                planes.set(c, at, base.saturating_add(miss), miss);
            }
            planes.close(c);
        }
        planes.levels(layout)
    }

    /// Gives counters and weights back as a prior.
    pub(super) fn into_parts(self) -> (Vec<Counter>, Vec<Counter>, Mixer<INPUTS>, Mixer<INPUTS>) {
        (self.counters, self.lengths, self.by_level, self.by_channel)
    }

    #[inline]
    fn look(&self, planes: &Planes, c: usize, at: usize, fraction: i32) -> Surroundings {
        let related = &self.prior.layout.related[c];
        let features: MagnitudeWeights = planes.magnitudes(c, at, related);
        let expected = self.prior.layout.magnitude(c, &features).max(0) >> 6;
        let [w, n, nw, ne, ..] = features;
        let [z0, z1, z2] = [features[6], features[7], features[8]];
        let sign = |miss: i32| (miss.signum() + 1) as usize;
        let of_related = |i: usize| {
            let other = usize::from(related[i]);
            if other < c { sign(planes.miss(other, at)) } else { 1 }
        };
        Surroundings {
            c,
            expected: class(expected),
            own: class(i64::from((2 * w + 2 * n + nw + ne) * 2)),
            related: class(i64::from((2 * z0 + z1 + z2) * 4)),
            active: class(i64::from(features[10] * 2)),
            wide: class(i64::from(features[10] + features[11] / 2)),
            near: ((w.min(3) * 4 + n.min(3)) * 4 + (nw + ne).min(3)) as usize * 4 + z0.min(3) as usize,
            eighth: ((fraction + 128) >> 5).clamp(0, 7) as usize,
            offset: (fraction.abs() >> 5).min(3) as usize,
            signs: sign(planes.miss(c, at - 1)) * 3 + sign(planes.above(c, at)),
            related_signs: of_related(0) * 3 + of_related(1),
        }
    }

    /// Codes what a value misses its expectation by.
    fn value(&mut self, coder: &mut impl Coder, around: &Surroundings, target: Target) -> i32 {
        let mut scene = self.scene(around, 0);
        let told = match target {
            Target::Unknown => 0,
            Target::Given(value, rounding) => chosen(value, rounding, scene.said),
        };
        if !self.bit(coder, &mut scene, told != 0) {
            return 0;
        }
        let mut scene = self.scene(around, 1);
        let is_positive = self.bit(coder, &mut scene, told > 0);
        let size = told.saturating_abs();
        let mut steps = 1;
        while steps < STEPS {
            let mut scene = self.scene(around, 1 + steps as usize);
            if !self.bit(coder, &mut scene, size > steps) {
                break;
            }
            steps += 1;
        }
        if steps == STEPS {
            steps += self.far(coder, size - STEPS);
        }
        if is_positive { steps } else { -steps }
    }

    /// Exponential Golomb code with an adaptive length.
    fn far(&mut self, coder: &mut impl Coder, told: i32) -> i32 {
        let told = u64::from(told.max(0) as u32) + 1;
        let read = golomb(coder, &mut self.lengths, LONGEST, told) - 1;
        (read as i32).min(2 * MAP_FARTHEST)
    }

    /// The inputs of the mixture for a decision.
    #[inline]
    fn scene(&self, around: &Surroundings, kind: usize) -> Decision {
        let c = around.c;
        let row = (c * KINDS + kind) * LEVELS;
        let group = c * 6 / self.sizes.channels.max(6);
        let places = if kind == 1 {
            [
                row + around.eighth,
                0,
                row + around.signs,
                row + around.related_signs,
                around.signs * 8 + around.eighth,
                around.related_signs * 9 + around.signs,
                row + around.own.min(LEVELS - 1),
                around.eighth,
            ]
        } else {
            [
                row + around.expected,
                (group * 256 + around.near) * KINDS + kind,
                row + around.own,
                row + around.related,
                (around.own * LEVELS + around.related) * KINDS + kind,
                (around.expected * LEVELS + around.active) * KINDS + kind,
                row + around.wide,
                (around.expected * 4 + around.offset) * KINDS + kind,
            ]
        };
        // Decisions about the sign have cells of their own in the sets that are not by kind.
        let signs = if kind == 1 { self.sizes.signs } else { [0; SETS] };
        let mut scene = Decision {
            places: std::array::from_fn(|i| self.sizes.first[i] + signs[i] + places[i]),
            inputs: [UNIT / 2; INPUTS],
            sets: [(around.expected / 2) * KINDS + kind, c * KINDS + kind],
            each: [0; 2],
            said: 0,
        };
        for (input, place) in scene.inputs.iter_mut().zip(scene.places) {
            *input = self.counters[place].logit();
        }
        scene.each =
            [self.by_level.mix(scene.sets[0], &scene.inputs), self.by_channel.mix(scene.sets[1], &scene.inputs)];
        scene.said = (scene.each[0] + scene.each[1]) / 2;
        scene
    }

    /// Codes one decision and learns from it.
    #[inline]
    fn bit(&mut self, coder: &mut impl Coder, scene: &mut Decision, told: bool) -> bool {
        let bit = coder.bit(squash(scene.said), told);
        self.by_level.learn(scene.sets[0], &scene.inputs, scene.each[0], bit);
        self.by_channel.learn(scene.sets[1], &scene.inputs, scene.each[1], bit);
        for place in scene.places {
            self.counters[place].learn(bit);
        }
        bit
    }
}

/// The prediction of one decision.
struct Decision {
    places: [usize; SETS],
    inputs: [i32; INPUTS],
    sets: [usize; 2],
    each: [i32; 2],
    said: i32,
}

/// A class of a magnitude: single values, then four to an octave.
#[inline]
fn class(size: i64) -> usize {
    let size = size.max(0) as u64;
    if size < 4 {
        return size as usize;
    }
    let octave = size.ilog2() as usize;
    (4 + (octave - 2) * 4 + (size >> (octave - 2)) as usize - 4).min(LEVELS - 1)
}

/// The integer that an encoder codes for a value, if it is not zero with this logit.
fn chosen(value: i32, rounding: Rounding, logit: i32) -> i32 {
    let size = i64::from(value.unsigned_abs());
    let near = (size + (1 << (MAP_FRACTION - 1))) >> MAP_FRACTION;
    let best = match rounding {
        Rounding::Nearest => near,
        Rounding::Thrifty(price) => {
            let p = squash(logit);
            let bits = |p: u32| 16 * BIT - i64::from(log(u64::from(p.clamp(1, WHOLE))));
            let cost = |candidate: i64| {
                let miss = size - (candidate << MAP_FRACTION);
                let bits = match candidate {
                    0 => bits(WHOLE - p),
                    _ => bits(p) + SIGN_AND_END + (candidate - 1).min(STEPS.into()) * STEP_COST,
                };
                miss * miss * BIT + bits * i64::from(price)
            };
            let floor = size >> MAP_FRACTION;
            let candidates = if floor <= 1 { 0..=floor + 1 } else { floor..=floor + 1 };
            candidates.min_by_key(|candidate| cost(*candidate)).unwrap_or(near)
        }
    };
    let best = best.min(2 * i64::from(MAP_FARTHEST)) as i32;
    if value < 0 { -best } else { best }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_grow_with_the_size() {
        let classes: Vec<usize> = (0..2000).map(class).collect();
        assert!(classes.is_sorted() && classes[0] == 0 && classes[7] == 7 && classes[8] == 8);
        assert_eq!(class(i64::from(i32::MAX)), LEVELS - 1);
    }

    #[test]
    fn what_is_unlikely_is_rounded_to_zero() {
        let thrifty = Rounding::Thrifty(9000);
        assert_eq!(chosen(200, Rounding::Nearest, 0), 1);
        assert_eq!(chosen(200, thrifty, 2 * UNIT), 1);
        assert_eq!(chosen(200, thrifty, -4 * UNIT), 0);
        assert_eq!(chosen(-2000, thrifty, -4 * UNIT), -8);
    }
}
