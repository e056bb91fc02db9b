//! The grain of a numeric column: its training range, its number of decimals, and its residual standard deviation.
//! Decoder output is smooth; generated rows get the grain of the training rows.

use arrow::array::{Array, Float64Array};
use serde::{Deserialize, Serialize};

use super::grain_levels::GrainLevels;

/// Maximum number of decimals tried; columns with more are not rounded.
const MOST_DECIMALS: u8 = 6;
/// Above this magnitude an f64 has no room for decimals.
const LARGEST: f64 = 1e9;

/// How the decoder's output for one prepared value differs from it, on held-out rows.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct OutputError {
    /// Standard deviation of the difference.
    pub(crate) deviation: f32,
    /// The least-squares line of the output: `intercept + slope * value`.
    pub(crate) intercept: f64,
    pub(crate) slope: f64,
    /// Standard deviation around the line.
    pub(crate) spread: f64,
}

/// Range, decimals and noise of one column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Grain {
    pub(crate) lowest: f64,
    pub(crate) highest: f64,
    /// Decimals of the training cells; `None` if they have more than [`MOST_DECIMALS`].
    pub(crate) decimals: Option<u8>,
    /// Standard deviation of the reconstruction residual, in prepared units.
    pub(crate) noise: f32,
    /// The values of a column with few whole numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) levels: Option<GrainLevels>,
}

impl Grain {
    /// Fits on the training rows; `None` if no cell is a number.
    pub(crate) fn of(array: &Float64Array, rows: &[u32], error: &OutputError) -> Option<Grain> {
        let cells = || {
            let known = rows.iter().map(|row| *row as usize).filter(|row| array.is_valid(*row));
            known.map(|row| array.value(row)).filter(|x| x.is_finite())
        };
        let (lowest, highest) =
            cells().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
        let is_written = |decimals: &u8| cells().all(|x| x.abs() < LARGEST && rounded(x, *decimals) == x);
        let decimals = (0..=MOST_DECIMALS).find(is_written);
        let levels = GrainLevels::of(cells(), error);
        (lowest <= highest).then_some(Grain { lowest, highest, decimals, noise: error.deviation, levels })
    }

    /// Rounds and clamps to a number the column could hold.
    pub(crate) fn hold(&self, x: f64) -> f64 {
        if let Some(levels) = &self.levels {
            return levels.nearest(x);
        }
        let x = x.clamp(self.lowest, self.highest);
        // Both bounds have these decimals, so rounding stays in range.
        self.decimals.map_or(x, |decimals| rounded(x, decimals))
    }

    /// Whether the range is valid, since clamping to another would panic; for grains read from a file.
    pub(crate) fn is_sound(&self) -> bool {
        let has_decimals = self.decimals.is_none_or(|decimals| decimals <= MOST_DECIMALS);
        self.lowest <= self.highest
            && self.noise.is_finite()
            && self.noise >= 0.0
            && has_decimals
            && self.levels.as_ref().is_none_or(GrainLevels::is_sound)
    }
}

/// The shortest decimal representation's number of decimals.
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
        let grain = Grain::of(&array, &rows, &OutputError::default()).unwrap();
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
    fn few_whole_numbers_are_held_at_those_seen() {
        let stars: Vec<f64> = [1.0, 2.0, 4.0, 5.0].into_iter().cycle().take(80).collect();
        check(&stars, Some(0), 3.3, 4.0);
        let old: Grain = serde_json::from_str(r#"{"lowest":1.0,"highest":5.0,"decimals":0,"noise":0.1}"#).unwrap();
        assert_eq!((old.hold(3.3), old.levels), (3.0, None));
    }

    #[test]
    fn a_column_without_numbers_has_no_grain() {
        let array = Float64Array::from(vec![None, Some(f64::INFINITY)]);
        assert_eq!(Grain::of(&array, &[0, 1], &OutputError::default()), None);
    }
}
