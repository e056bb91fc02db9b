//! What a bit decides about a value, and how likely that is around a predictor.

use crate::{
    coder::WHOLE,
    logistic::{FARTHEST, UNIT, squash, stretch},
    plane::FRACTION,
    residual::Cut,
};

const ONE: i64 = 1 << FRACTION;

/// What a bit decides.
#[derive(Clone, Copy)]
pub(super) enum Node {
    /// Whether the value lies above the integer below the prediction.
    Side,
    /// Whether it lies beyond so many steps, above or below.
    Step { steps: u64, up: bool },
    /// Whether it lies in the upper half of the 2^`bits` values from `low` on.
    Half { low: i64, bits: u32 },
}

impl Node {
    /// The kind of bit, and a name of it for contexts.
    #[inline]
    pub(super) fn kind(self) -> (usize, usize) {
        match self {
            Node::Side => (0, 0),
            Node::Step { steps, up } => (steps as usize + 1, 2 * steps as usize + 2 + usize::from(up)),
            Node::Half { low, bits } => (bits as usize, (1 << 16 | low as usize) * 16 + bits as usize),
        }
    }

    /// The logit under a logistic distribution.
    #[inline]
    pub(super) fn logit(self, centre: i64, scale: i64, k: u32) -> i32 {
        match self {
            Node::Side => Cut { kind: 0, inner: centre - ONE / 2, outer: None }.logit(0, scale),
            Node::Step { steps, up } => {
                let first = if up { ONE / 2 - centre } else { centre - ONE / 2 };
                let inner = first + ((steps as i64) << (FRACTION + k));
                Cut { kind: 0, inner, outer: Some(inner + (ONE << k)) }.logit(0, scale)
            }
            Node::Half { low, bits } => {
                let below = |edge: i64| {
                    let distance = ((edge << FRACTION) - ONE / 2 - centre).clamp(-(1 << 40), 1 << 40);
                    let logit = (distance * i64::from(UNIT) / scale).clamp(-i64::from(FARTHEST), i64::from(FARTHEST));
                    squash(logit as i32)
                };
                let (from, middle, to) = (below(low), below(low + (1 << (bits - 1))), below(low + (1 << bits)));
                stretch((to - middle + 1) * (WHOLE / 2) / (to - from + 2) * 2)
            }
        }
    }

    /// The bit if the value is this one; `None` if it cannot be any more.
    #[inline]
    pub(super) fn says(self, value: i64, k: u32) -> Option<bool> {
        match self {
            Node::Side => Some(value > 0),
            Node::Step { steps, up } => {
                let rest = if up { value - 1 } else { -value };
                let there = rest >> k;
                (rest >= 0 && there >= steps as i64).then_some(there > steps as i64)
            }
            Node::Half { low, bits } => {
                let rest = value - low;
                (rest >= 0 && rest < 1 << bits).then_some(rest >> (bits - 1) == 1)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_above_what_lies_below_it() {
        let up = Node::Step { steps: 2, up: true };
        assert_eq!([3, 4, 2].map(|value| up.says(value, 0)), [Some(false), Some(true), None]);
        assert_eq!(Node::Step { steps: 0, up: false }.says(-1, 0), Some(true));
        let half = Node::Half { low: 4, bits: 2 };
        assert_eq!([3, 4, 7, 8].map(|value| half.says(value, 0)), [None, Some(false), Some(true), None]);
    }

    #[test]
    fn halves_are_as_likely_as_the_predictor_is_near() {
        let half = |centre: i64| Node::Half { low: 0, bits: 3 }.logit(centre << FRACTION, ONE, 0);
        assert!(half(0) < -UNIT && half(7) > UNIT);
        // The edge lies between 3 and 4.
        assert!((Node::Half { low: 0, bits: 3 }.logit(7 * ONE / 2, ONE, 0)).abs() < 16);
    }
}
