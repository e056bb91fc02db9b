//! The grain of a numeric column: its range in training rows, the decimals its numbers are written with, and how far
//! rebuilt numbers lie off. What a decoder puts out is smooth; new rows get the grain of the old ones.

use arrow::array::{Array, Float64Array};
use serde::{Deserialize, Serialize};

/// Most decimals that are looked for; a column with more is taken as it comes.
const MOST_DECIMALS: u8 = 6;
/// Beyond this a float has no room for decimals.
const LARGEST: f64 = 1e9;

/// What the numbers of one column look like.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Grain {
    pub(crate) lowest: f64,
    pub(crate) highest: f64,
    /// Decimals that every training cell can be written with; none where they have more than [`MOST_DECIMALS`].
    pub(crate) decimals: Option<u8>,
    /// The standard deviation of what rebuilding leaves over, in prepared units.
    pub(crate) noise: f32,
}

impl Grain {
    /// Looks at the cells of the training rows; none where no cell is a number.
    pub(crate) fn of(array: &Float64Array, rows: &[u32], noise: f32) -> Option<Grain> {
        let cells = || {
            let known = rows.iter().map(|row| *row as usize).filter(|row| array.is_valid(*row));
            known.map(|row| array.value(row)).filter(|x| x.is_finite())
        };
        let (lowest, highest) =
            cells().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
        let is_written = |decimals: &u8| cells().all(|x| x.abs() < LARGEST && rounded(x, *decimals) == x);
        let decimals = (0..=MOST_DECIMALS).find(is_written);
        (lowest <= highest).then_some(Grain { lowest, highest, decimals, noise })
    }

    /// The nearest number that the column could hold.
    pub(crate) fn hold(&self, x: f64) -> f64 {
        let x = x.clamp(self.lowest, self.highest);
        // Both ends of the range are written with these decimals, so rounding does not leave it.
        self.decimals.map_or(x, |decimals| rounded(x, decimals))
    }

    /// Refuses a range that is none, which would make holding panic; for grains that come from a file.
    pub(crate) fn is_sound(&self) -> bool {
        self.lowest <= self.highest && self.noise.is_finite() && self.noise >= 0.0
    }
}

/// As many decimals as a person would write.
fn rounded(x: f64, decimals: u8) -> f64 {
    let unit = 10.0_f64.powi(decimals.into());
    (x * unit).round() / unit
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(values: &[f64], decimals: Option<u8>, probe: f64, held: f64) {
        let array = Float64Array::from(values.to_vec());
        let rows: Vec<u32> = (0..values.len() as u32).collect();
        let grain = Grain::of(&array, &rows, 0.1).unwrap();
        assert_eq!((grain.decimals, grain.hold(probe)), (decimals, held), "{values:?}");
        assert!(grain.is_sound());
    }

    #[test]
    fn numbers_keep_their_range_and_their_decimals() {
        check(&[3.0, 1.0, 8.0], Some(0), 4.4, 4.0);
        check(&[3.0, 1.0, 8.0], Some(0), 9.7, 8.0);
        check(&[0.1, 0.25, f64::NAN, -3.0], Some(2), 0.123_4, 0.12);
        check(&[0.1, 0.25, -3.0], Some(2), -9.0, -3.0);
        check(&[1.0 / 3.0, 1.0], None, 0.5, 0.5);
        check(&[1e300, 0.0], None, 2.5, 2.5);
    }

    #[test]
    fn a_column_without_numbers_has_no_grain() {
        assert_eq!(Grain::of(&Float64Array::from(vec![None, Some(f64::INFINITY)]), &[0, 1], 0.0), None);
    }
}
