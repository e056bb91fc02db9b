//! Cells within a bound: the whole number whose multiple of a step is never further off.

use narrows_codec::FRACTION;

/// Multiples of a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Lattice {
    pub(crate) step: f64,
    pub(crate) bound: f64,
}

/// Whole numbers up to here are exact in an `f64`, and leave room for the fraction of a guess.
const LARGEST: f64 = (1_u64 << 52) as f64;

/// A step is this much smaller than twice the bound, so that rounding cannot push a cell over it.
const MARGIN: f64 = 1.0 - 1e-9;

impl Lattice {
    /// The coarsest steps that keep every number within `bound` of its cell.
    pub(crate) fn within(bound: f64) -> Lattice {
        Lattice { step: 2.0 * bound * MARGIN, bound }
    }

    /// The same for whole numbers, which come back whole; a bound below 1 keeps them as they are.
    pub(crate) fn whole(bound: f64) -> Lattice {
        Lattice { step: 2.0 * bound.floor() + 1.0, bound }
    }

    /// Where a number lies; none where its cell would be further off than the bound.
    pub(crate) fn index(self, x: f64) -> Option<i64> {
        let place = (x / self.step).round();
        let fits = place.abs() <= LARGEST && (place * self.step - x).abs() <= self.bound;
        fits.then_some(place as i64)
    }

    /// The number at a place.
    pub(crate) fn value(self, index: i64) -> f64 {
        index as f64 * self.step
    }

    /// A guessed number as a place with a fraction, in fixed point.
    pub(crate) fn guess(self, x: f64) -> i64 {
        let scale = f64::from(1_u32 << FRACTION);
        let place = (x / self.step * scale).round();
        // What is no number guesses nothing.
        if place.is_finite() { place.clamp(-LARGEST * scale, LARGEST * scale) as i64 } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_has_a_place_is_within_the_bound(x in -1e9..1e9f64, bound in 1e-6..1e3f64) {
            for lattice in [Lattice::within(bound), Lattice::whole(bound)] {
                if let Some(index) = lattice.index(x) {
                    prop_assert!((lattice.value(index) - x).abs() <= bound, "{} {:?}", x, lattice);
                }
            }
            prop_assert!(Lattice::within(bound).index(x).is_some());
        }

        #[test]
        fn whole_numbers_come_back_whole(x in -1_000_000_000i64..1_000_000_000, bound in 0.0..50.0f64) {
            let lattice = Lattice::whole(bound);
            let index = lattice.index(x as f64).unwrap();
            let back = lattice.value(index);
            prop_assert!(back.fract() == 0.0 && (back - x as f64).abs() <= bound);
        }
    }

    #[test]
    fn what_no_place_holds_has_none() {
        let lattice = Lattice::within(1e-3);
        for x in [f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 1e300] {
            assert_eq!(lattice.index(x), None);
            let _ = lattice.guess(x);
        }
        assert_eq!(lattice.guess(f64::NAN), 0);
        assert_eq!(Lattice::whole(0.5).index(7.0), Some(7));
        assert_eq!(Lattice::whole(0.5).index(7.6), Some(8), "0.4 off is within a half");
        assert_eq!(Lattice::whole(0.0).index(7.6), None);
    }
}
