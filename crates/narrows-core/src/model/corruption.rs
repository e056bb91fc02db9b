//! The corruption axis: noise on the input, never on the target (Vincent et al. 2008).
//!
//! Corruption is redrawn in every epoch and keyed by (seed, epoch, row), so it does not depend on the order of rows,
//! the batch size or the number of threads.

use narrows_engine::rng::{Purpose, Stream};
use serde::{Deserialize, Serialize};

use crate::prep::Block;
use crate::range::{Fraction, Positive, lit};

/// Corruption of the input in training.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Corruption {
    /// Nothing.
    #[default]
    None,
    /// Normal noise added to every prepared value.
    Gaussian {
        /// Standard deviation, in prepared units (1 = a column's own standard deviation under standard scaling).
        #[serde(default = "default_sigma")]
        sigma: Positive,
    },
    /// Columns set to zero, the mean under standard scaling.
    Masking {
        /// Share of the columns.
        #[serde(default = "default_rate")]
        rate: Fraction,
    },
    /// Cells replaced by the same column's value in another row: marginals are kept, dependencies are broken.
    Swap {
        /// Share of the columns.
        #[serde(default = "default_rate")]
        rate: Fraction,
    },
}

fn default_sigma() -> Positive {
    lit!(Positive, 0.1)
}

fn default_rate() -> Fraction {
    lit!(Fraction, 0.15)
}

/// The rows that swap corruption samples from: all training rows, prepared, row-major.
#[derive(Clone, Copy)]
pub struct Donors<'a> {
    /// `[n, width]`.
    pub rows: &'a [f32],
    /// Values per row.
    pub width: usize,
}

impl Corruption {
    /// Corrupts one prepared `row` in place.
    pub fn apply(&self, row: &mut [f32], stream: &mut Stream, blocks: &[Block], donors: Donors<'_>) {
        match *self {
            Corruption::None => {}
            Corruption::Gaussian { sigma } => {
                let mut noise = vec![0.0; row.len()];
                stream.fill_normal(&mut noise);
                let sigma = sigma.get() as f32;
                row.iter_mut().zip(noise).for_each(|(x, e)| *x += sigma * e);
            }
            Corruption::Masking { rate } => {
                each_struck(blocks, rate, stream, |block, _| {
                    // Absent steps stay absent.
                    row[block.range.clone()].iter_mut().filter(|x| !x.is_nan()).for_each(|x| *x = 0.0);
                })
            }
            Corruption::Swap { rate } => {
                let n = (donors.rows.len() / donors.width.max(1)) as u32;
                each_struck(blocks, rate, stream, |block, stream| {
                    let donor = stream.below(n) as usize * donors.width;
                    let donor = &donors.rows[donor + block.range.start..donor + block.range.end];
                    let pairs = row[block.range.clone()].iter_mut().zip(donor);
                    pairs.filter(|(x, d)| !x.is_nan() && !d.is_nan()).for_each(|(x, d)| *x = *d);
                });
            }
        }
    }

    /// The random stream of `row` in `epoch`.
    pub fn stream(seed: u64, epoch: u64, row: u64) -> Stream {
        Stream::new(seed, Purpose::Corruption, epoch, row)
    }

    /// Strength of the corruption, to compare members of an ensemble.
    pub fn strength(&self) -> f64 {
        match self {
            Corruption::None => 0.0,
            Corruption::Gaussian { sigma } => sigma.get(),
            Corruption::Masking { rate } | Corruption::Swap { rate } => rate.get(),
        }
    }
}

impl std::fmt::Display for Corruption {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Corruption::None => f.write_str("none"),
            Corruption::Gaussian { sigma } => write!(f, "gaussian, sigma {sigma}"),
            Corruption::Masking { rate } => write!(f, "masking, rate {rate}"),
            Corruption::Swap { rate } => write!(f, "swap, rate {rate}"),
        }
    }
}

/// Calls `strike` for each block, selected with probability `rate`: a one-hot block is corrupted as a whole.
fn each_struck(blocks: &[Block], rate: Fraction, stream: &mut Stream, mut strike: impl FnMut(&Block, &mut Stream)) {
    for block in blocks {
        if f64::from(stream.uniform()) < rate.get() {
            strike(block, stream);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prep::BlockKind;

    fn blocks(n: usize) -> Vec<Block> {
        (0..n)
            .map(|i| Block { column: format!("c{i}"), kind: BlockKind::Number, range: i..i + 1, unit_interval: false })
            .collect()
    }

    fn apply(corruption: Corruption, epoch: u64) -> Vec<f32> {
        let rows: Vec<f32> = (0..4000).map(|i| i as f32 + 1.0).collect();
        let mut row = rows[..2000].to_vec();
        let donors = Donors { rows: &rows, width: 2000 };
        corruption.apply(&mut row, &mut Corruption::stream(1, epoch, 0), &blocks(2000), donors);
        row
    }

    #[test]
    fn gaussian_noise_has_its_sigma_and_is_fresh_in_every_epoch() {
        let gaussian = Corruption::Gaussian { sigma: lit!(Positive, 0.5) };
        let noise: Vec<f32> = apply(gaussian, 0).iter().enumerate().map(|(i, x)| x - (i as f32 + 1.0)).collect();
        let std = (noise.iter().map(|e| e * e).sum::<f32>() / 2000.0).sqrt();
        assert!((std - 0.5).abs() < 0.05, "{std}");
        assert_eq!(apply(gaussian, 0), apply(gaussian, 0));
        assert_ne!(apply(gaussian, 0), apply(gaussian, 1));
    }

    #[test]
    fn masking_and_swap_strike_their_share_of_columns() {
        let masked = apply(Corruption::Masking { rate: lit!(Fraction, 0.2) }, 0).iter().filter(|x| **x == 0.0).count();
        assert!((300..500).contains(&masked), "{masked}");
        let swapped = apply(Corruption::Swap { rate: lit!(Fraction, 0.4) }, 0);
        let changed = swapped.iter().enumerate().filter(|(i, x)| **x != *i as f32 + 1.0).count();
        assert!((300..500).contains(&changed), "half of the selected columns swap with the row itself: {changed}");
        assert!(swapped.iter().enumerate().all(|(i, x)| (*x - 1.0) as usize % 2000 == i), "a swap stays in its column");
    }
}
