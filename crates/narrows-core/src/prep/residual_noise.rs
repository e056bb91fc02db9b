//! The noise of decoded numbers: a normal distribution of what a decoder's output leaves unexplained on held-out rows,
//! with the correlations between columns.

use narrows_engine::rng::Stream;
use serde::{Deserialize, Serialize};

use super::block::{Block, BlockKind};

/// More numbers than this get independent noise: their covariance would be larger than the model.
const MOST_TOGETHER: usize = 256;
/// Rows that know two numbers for their correlation to be trusted.
const FEWEST_ROWS: f64 = 20.0;
/// By this correlations are shrunk at first, and again while they contradict each other.
const SHRINKAGE: f64 = 0.98;
const MOST_SHRINKING: usize = 400;

/// Correlated normal noise of the numbers of prepared rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResidualNoise {
    /// Inputs that are numbers, in ascending order, `[m]`.
    slots: Vec<u32>,
    /// Standard deviations `[m]`, or a lower triangular factor of the covariance `[m (m + 1) / 2]`, by rows.
    factor: Vec<f32>,
}

impl ResidualNoise {
    /// Of the differences between targets, NaN where unobserved, and outputs, both `[n, width]`.
    pub(crate) fn of(blocks: &[Block], target: &[f32], output: &[f32], width: usize) -> ResidualNoise {
        let numbers = blocks.iter().filter(|block| block.kind == BlockKind::Number);
        let slots: Vec<usize> = numbers.flat_map(|block| block.range.clone()).collect();
        let m = slots.len();
        let is_joint = m <= MOST_TOGETHER;
        let mut sums = vec![(0.0_f64, 0.0_f64); m * m];
        for (target, output) in target.chunks_exact(width).zip(output.chunks_exact(width)) {
            let residuals: Vec<f64> = slots.iter().map(|slot| f64::from(target[*slot] - output[*slot])).collect();
            for i in (0..m).filter(|i| residuals[*i].is_finite()) {
                for j in (if is_joint { 0 } else { i }..=i).filter(|j| residuals[*j].is_finite()) {
                    let sum = &mut sums[i * m + j];
                    *sum = (sum.0 + 1.0, sum.1 + residuals[i] * residuals[j]);
                }
            }
        }
        let mean = |i: usize, j: usize| sums[i * m + j].1 / sums[i * m + j].0.max(1.0);
        let deviations: Vec<f64> = (0..m).map(|i| mean(i, i).max(0.0).sqrt()).collect();
        let slots = slots.into_iter().map(|slot| slot as u32).collect();
        let factor = match is_joint {
            true => {
                let correlation = |i: usize, j: usize| {
                    let (size, n) = (deviations[i] * deviations[j], sums[i * m + j].0);
                    if size > 1e-12 && n >= FEWEST_ROWS { (mean(i, j) / size).clamp(-1.0, 1.0) } else { 0.0 }
                };
                let root = root(m, correlation);
                let scaled = |i: usize| root[i * (i + 1) / 2..][..=i].iter().map(move |x| (x, i));
                (0..m).flat_map(scaled).map(|(x, i)| (deviations[i] * x) as f32).collect()
            }
            false => deviations.iter().map(|x| *x as f32).collect(),
        };
        ResidualNoise { slots, factor }
    }

    /// Rejects noise of another number of inputs, or that is no number; for noise read from a file.
    pub(crate) fn is_sound(&self, width: usize) -> bool {
        let m = self.slots.len();
        let is_sized = self.factor.len() == m || self.factor.len() == m * (m + 1) / 2;
        is_sized
            && self.slots.is_sorted_by(|a, b| a < b)
            && self.slots.last().is_none_or(|last| (*last as usize) < width)
            && self.factor.iter().all(|x| x.is_finite())
    }

    /// Fills the noise of one row, `[width]`; 0 for what is no number.
    pub(crate) fn draw(&self, noise: &mut [f32], stream: &mut Stream) {
        let m = self.slots.len();
        let mut normal = vec![0.0; m];
        stream.fill_normal(&mut normal);
        noise.fill(0.0);
        for (i, slot) in self.slots.iter().enumerate() {
            noise[*slot as usize] = match self.factor.len() == m && m > 1 {
                true => self.factor[i] * normal[i],
                false => self.factor[i * (i + 1) / 2..][..=i].iter().zip(&normal).map(|(f, e)| f * e).sum(),
            };
        }
    }
}

/// The lower triangular root of a matrix of correlations, by rows: of pairs known in different rows they can contradict
/// each other, and are shrunk until they do not.
fn root(m: usize, correlation: impl Fn(usize, usize) -> f64) -> Vec<f64> {
    let mut shrink = SHRINKAGE;
    for _ in 0..MOST_SHRINKING {
        if let Some(root) = cholesky(m, |i, j| if i == j { 1.0 } else { shrink * correlation(i, j) }) {
            return root;
        }
        shrink *= SHRINKAGE;
    }
    (0..m).flat_map(|i| (0..=i).map(move |j| f64::from(u8::from(i == j)))).collect()
}

fn cholesky(m: usize, entry: impl Fn(usize, usize) -> f64) -> Option<Vec<f64>> {
    let mut root: Vec<f64> = Vec::with_capacity(m * (m + 1) / 2);
    for i in 0..m {
        let own = i * (i + 1) / 2;
        for j in 0..=i {
            let other = j * (j + 1) / 2;
            let product: f64 = (0..j).map(|k| root[own + k] * root[other + k]).sum();
            let rest = entry(i, j) - product;
            root.push(match i == j {
                true if rest > 1e-6 => rest.sqrt(),
                true => return None,
                false => rest / root[other + j],
            });
        }
    }
    Some(root)
}

#[cfg(test)]
mod tests {
    use super::*;
    use narrows_engine::rng::Purpose;

    fn number(i: usize) -> Block {
        Block { column: format!("c{i}"), kind: BlockKind::Number, range: i..i + 1, unit_interval: false }
    }

    #[test]
    fn noise_has_the_deviations_and_the_correlations_of_the_residuals() {
        let n = 4000;
        let mut target = Vec::new();
        for row in 0..n {
            let mut stream = Stream::new(1, Purpose::Sample, 0, row);
            let (a, b) = (stream.normal(), stream.normal());
            target.extend([2.0 * a, 0.5 * a + 0.1 * b, if row % 2 == 0 { f32::NAN } else { b }]);
        }
        let blocks: Vec<Block> = (0..3).map(number).collect();
        let noise = ResidualNoise::of(&blocks, &target, &vec![0.0; target.len()], 3);
        assert!(noise.is_sound(3) && !noise.is_sound(2));
        let (mut squares, mut product) = ([0.0_f64; 3], 0.0);
        for row in 0..n {
            let mut drawn = [9.0; 3];
            noise.draw(&mut drawn, &mut Stream::new(2, Purpose::Sample, 0, row));
            (0..3).for_each(|i| squares[i] += f64::from(drawn[i]).powi(2) / n as f64);
            product += f64::from(drawn[0] * drawn[1]) / n as f64;
        }
        assert!((squares[0] - 4.0).abs() < 0.3 && (squares[1] - 0.26).abs() < 0.03 && (squares[2] - 1.0).abs() < 0.1);
        assert!(product / (squares[0] * squares[1]).sqrt() > 0.93, "{product}");
    }

    #[test]
    fn correlations_that_contradict_each_other_are_shrunk() {
        let root = root(3, |i, j| if (i, j) == (2, 1) { -0.9 } else { 0.9 });
        assert!(root.iter().all(|x| x.is_finite()) && root.len() == 6);
    }
}
