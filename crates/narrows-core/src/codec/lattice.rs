//! Error-bounded quantisation: cells as integer multiples of a step within the bound.

use narrows_codec::FRACTION;

/// Multiples of a step, rounded to as many decimals as the bound allows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Lattice {
    pub(crate) step: f64,
    pub(crate) bound: f64,
    decimals: Decimals,
}

/// Decimal rounding of the reconstructed numbers, which keeps them short.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Decimals {
    /// No rounding.
    Exact,
    /// To multiples of one over this power of ten.
    Over(f64),
    /// To multiples of this power of ten.
    Times(f64),
}

/// Integers up to this are exact in an `f64`, with room for the fraction of a prediction.
const LARGEST: f64 = (1_u64 << 52) as f64;

/// Share of the bound reserved for decimal rounding.
const ROUNDING: f64 = 0.0025;

impl Decimals {
    /// The largest power of ten whose half is within the share of the bound reserved for rounding.
    fn within(bound: f64) -> Decimals {
        let largest = 2.0 * ROUNDING * bound;
        // By multiplication only, which is reproducible on every machine; powers of ten are exact up to the 22nd.
        let power = |n: i32| (0..n).fold(1.0_f64, |power, _| power * 10.0);
        let (fine, coarse) = (1..=22, 0..=22);
        if largest >= 1.0 {
            let unit = coarse.map(power).take_while(|unit| *unit <= largest).last().unwrap_or(1.0);
            return Decimals::Times(unit);
        }
        fine.map(power).find(|over| 1.0 / over <= largest).map_or(Decimals::Exact, Decimals::Over)
    }

    fn rounded(self, x: f64) -> f64 {
        match self {
            Decimals::Exact => x,
            Decimals::Over(power) => (x * power).round() / power,
            Decimals::Times(unit) => (x / unit).round() * unit,
        }
    }
}

impl Lattice {
    /// The largest step that keeps every number within `bound`.
    pub(crate) fn within(bound: f64) -> Lattice {
        Lattice { step: 2.0 * bound * (1.0 - 2.0 * ROUNDING), bound, decimals: Decimals::within(bound) }
    }

    /// The same for integers, which are reconstructed as integers; a bound below 1 is lossless.
    pub(crate) fn whole(bound: f64) -> Lattice {
        Lattice { step: 2.0 * bound.floor() + 1.0, bound, decimals: Decimals::Exact }
    }

    /// Steps of this many levels.
    pub(crate) fn levels(step: u32) -> Lattice {
        Lattice { step: f64::from(step), bound: f64::from(step / 2), decimals: Decimals::Exact }
    }

    /// The index of a number; `None` if its reconstruction would exceed the bound.
    pub(crate) fn index(self, x: f64) -> Option<i64> {
        let place = (x / self.step).round();
        let fits = place.abs() <= LARGEST && (self.decimals.rounded(place * self.step) - x).abs() <= self.bound;
        fits.then_some(place as i64)
    }

    /// The number at an index.
    pub(crate) fn value(self, index: i64) -> f64 {
        self.decimals.rounded(index as f64 * self.step)
    }

    /// A predicted number as an index with a fraction, in fixed point.
    pub(crate) fn guess(self, x: f64) -> i64 {
        let scale = f64::from(1_u32 << FRACTION);
        let place = (x / self.step * scale).round();
        // NaN predicts nothing.
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
    fn numbers_are_written_in_a_few_digits() {
        let check = |bound: f64, x: f64, longest: usize| {
            let lattice = Lattice::within(bound);
            let back = lattice.value(lattice.index(x).unwrap());
            let digits = format!("{back:e}").split('e').next().unwrap().len();
            assert!(digits <= longest && (back - x).abs() <= bound, "{bound} {x} {back}");
        };
        check(0.32, 64.49, 6);
        check(1e-3, 0.5, 7);
        check(40_000.0, 1_234_567.0, 6);
        check(1.0, 3.0, 4);
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
