//! Boolean columns: 0 or 1.

use arrow::array::{Array, BooleanArray};
use narrows_engine::rng::Stream;
use serde::{Deserialize, Serialize};

use super::cell::Cell;
use super::prepared::{BlockSlots, PrepTally};

/// The encoding of one boolean column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FlagEncoder {
    /// The majority value in training rows, for missing cells.
    pub(crate) fill: bool,
    pub(crate) has_indicator: bool,
}

impl FlagEncoder {
    /// Fits on the training rows; returns a description, the number of missing cells, and whether all are equal.
    pub(crate) fn fit(array: &BooleanArray, rows: &[u32]) -> (FlagEncoder, String, u64, bool) {
        let cells =
            || rows.iter().map(|row| *row as usize).filter(|row| array.is_valid(*row)).map(|row| array.value(row));
        let (known, n_true) = (cells().count(), cells().filter(|flag| *flag).count());
        let missing = (rows.len() - known) as u64;
        let flag = FlagEncoder { fill: 2 * n_true > known, has_indicator: missing > 0 };
        let mut what = format!("true as 1, false as 0 ({:.1} % true)", 100.0 * n_true as f64 / known.max(1) as f64);
        if missing > 0 {
            what.push_str(&format!("; {missing} missing filled with {}, with an indicator", flag.fill));
        }
        (flag, what, missing, n_true == 0 || n_true == known)
    }

    /// Encodes the cells of rows `first..first + n`: the flag, then the indicator if there is one.
    pub(crate) fn write(&self, array: &BooleanArray, first: usize, n: usize, slots: &mut BlockSlots<'_>) -> PrepTally {
        let as_number = |flag: bool| f32::from(u8::from(flag));
        let mut tally = PrepTally::default();
        for i in 0..n {
            let is_missing = array.is_null(first + i);
            if is_missing {
                tally.missing += 1;
                slots.fill(i, 0, as_number(self.fill));
            } else {
                slots.put(i, 0, as_number(array.value(first + i)));
            }
            if self.has_indicator {
                slots.put(i, 1, as_number(is_missing));
            }
        }
        tally
    }

    /// Samples from the probabilities of true and of missing in these inputs, in place.
    pub(crate) fn draw(&self, features: &mut [f32], stream: &mut Stream) -> Cell {
        let (chance, truth) = (stream.uniform(), stream.uniform());
        if self.has_indicator {
            let is_missing = chance < features[1];
            features[1] = f32::from(u8::from(is_missing));
            if is_missing {
                features[0] = f32::from(u8::from(self.fill));
                return Cell::Missing;
            }
        }
        let flag = truth < features[0];
        features[0] = f32::from(u8::from(flag));
        Cell::Flag(flag)
    }

    /// Decodes these inputs.
    pub(crate) fn read(&self, features: &[f32]) -> Cell {
        if self.has_indicator && features[1] > 0.5 { Cell::Missing } else { Cell::Flag(features[0] > 0.5) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_written_and_read_and_missing_ones_marked() {
        let array = BooleanArray::from(vec![Some(true), None, Some(false), Some(true)]);
        let (flag, what, missing, is_constant) = FlagEncoder::fit(&array, &[0, 1, 2, 3]);
        assert_eq!(what, "true as 1, false as 0 (66.7 % true); 1 missing filled with true, with an indicator");
        assert_eq!((missing, is_constant), (1, false));
        let (mut input, mut target) = (vec![0.0; 8], vec![0.0; 8]);
        let mut slots = BlockSlots { input: &mut input, target: &mut target, width: 2, start: 0 };
        assert_eq!(flag.write(&array, 0, 4, &mut slots).missing, 1);
        assert_eq!(input, [1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0]);
        assert!(target[2].is_nan());
        assert_eq!(
            [flag.read(&[0.7, 0.0]), flag.read(&[0.2, 0.0]), flag.read(&[0.7, 0.8])],
            [Cell::Flag(true), Cell::Flag(false), Cell::Missing]
        );
    }
}
