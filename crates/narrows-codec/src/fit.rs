//! Recursive least squares in integers: second moments are accumulated, weights are solved from them.
//!
//! Moments are exact sums; only the solution rounds, identically everywhere. Samples are weighted by the inverse of their
//! expected squared error, otherwise noisy regions would dominate.

/// Maximum number of features per sample.
pub(crate) const MOST: usize = 28;
/// Features are clipped to this.
pub(crate) const FEATURE_LIMIT: i64 = 1 << 20;
/// Fractional bits of a weight.
const WEIGHT_BITS: u32 = 16;
/// Weights are clipped to this.
const WEIGHT_LIMIT: i128 = 64 << WEIGHT_BITS;
/// Fractional bits of the triangular factor.
const FACTOR_BITS: u32 = 24;
/// Moments are halved before they reach this.
const MOMENT_LIMIT: i64 = 1 << 60;
/// Bits of the largest moment while a system is solved.
const SOLVE_BITS: u32 = 48;
/// Products of samples with weight one are shifted by this much, which keeps precision for samples of low weight.
const SAMPLE_BITS: u32 = 12;
/// Ridge added to the diagonal, which shrinks weights towards zero.
const RIDGE: i64 = 1 << (19 + SAMPLE_BITS);

/// Sums of products of features with each other and with the target.
#[derive(Clone)]
pub(crate) struct Moments {
    products: Vec<i64>,
    cross: Vec<i64>,
    /// Number of samples, in 2^-8; halved with the sums.
    count: i64,
}

impl Moments {
    pub(crate) fn new(features: usize) -> Self {
        Moments { products: vec![0; features * (features + 1) / 2], cross: vec![0; features], count: 0 }
    }

    /// Adds a sample whose weight is 4^-`lightness`.
    #[inline]
    pub(crate) fn add(&mut self, features: &[i32], target: i64, lightness: u32) {
        let target = target.clamp(-FEATURE_LIMIT, FEATURE_LIMIT);
        let (left, right) = match (2 * lightness).min(40) {
            shift if shift <= SAMPLE_BITS => (SAMPLE_BITS - shift, 0),
            shift => (0, shift - SAMPLE_BITS),
        };
        let mut full = false;
        let mut rest = self.products.as_mut_slice();
        for (row, &feature) in features.iter().enumerate() {
            let (line, after) = rest.split_at_mut(row + 1);
            rest = after;
            let feature = i64::from(feature);
            for (sum, &other) in line.iter_mut().zip(features) {
                *sum += (feature * i64::from(other)) << left >> right;
            }
            full |= line[row] > MOMENT_LIMIT;
            self.cross[row] += (feature * target) << left >> right;
        }
        self.count += 256;
        if full || self.cross.iter().any(|sum| sum.unsigned_abs() > MOMENT_LIMIT as u64) {
            self.fade();
        }
    }

    /// Halves the sums.
    pub(crate) fn fade(&mut self) {
        self.products.iter_mut().chain(&mut self.cross).for_each(|sum| *sum /= 2);
        self.count /= 2;
    }

    /// Effective number of samples.
    pub(crate) fn samples(&self) -> i64 {
        self.count >> 8
    }

    /// The weights for these samples and `prior`, whose samples count as `strength` together.
    // Indices as in the formulas.
    #[allow(clippy::needless_range_loop)]
    pub(crate) fn solve(&self, prior: Option<(&Moments, i64)>) -> [i32; MOST] {
        let n = self.cross.len();
        let joined = |own: i64, other: i64, share: i128| i128::from(own) + ((i128::from(other) * share) >> 20);
        // At most the number of the prior's samples.
        let (prior, share) = match prior {
            Some((prior, strength)) if prior.count > 0 => {
                (prior, ((i128::from(strength) << 28) / i128::from(prior.count)).min(1 << 20))
            }
            _ => (self, 0),
        };
        let mut matrix = [[0i128; MOST]; MOST];
        let mut right = [0i128; MOST];
        let mut at = 0;
        let mut largest = 1;
        for row in 0..n {
            for column in 0..=row {
                matrix[row][column] = joined(self.products[at], prior.products[at], share);
                at += 1;
            }
            matrix[row][row] += i128::from(RIDGE) + (matrix[row][row] >> 16);
            right[row] = joined(self.cross[row], prior.cross[row], share);
            largest = largest.max(matrix[row][row]);
        }
        let down = (largest.ilog2() + 1).saturating_sub(SOLVE_BITS);
        // L D L', where `scaled` is L D. All entries fit i64: their products are computed in i128.
        let mut lower = [[0i64; MOST]; MOST];
        let mut scaled = [[0i64; MOST]; MOST];
        let mut diagonal = [1i64; MOST];
        let narrow = |value: i128| value.clamp(-(1 << 62), 1 << 62) as i64;
        for column in 0..n {
            for row in column..n {
                let mut sum = (matrix[row][column] >> down) << FACTOR_BITS;
                for k in 0..column {
                    sum -= i128::from(scaled[row][k]) * i128::from(lower[column][k]);
                }
                scaled[row][column] = narrow(sum >> FACTOR_BITS);
            }
            diagonal[column] = scaled[column][column].max(((RIDGE as u64 >> down) as i64).max(1));
            for row in column + 1..n {
                lower[row][column] =
                    narrow((i128::from(scaled[row][column]) << FACTOR_BITS) / i128::from(diagonal[column]))
                        .clamp(-(1 << 44), 1 << 44);
            }
        }
        let mut solution = [0i128; MOST];
        for row in 0..n {
            let mut sum = (right[row] >> down) << FACTOR_BITS;
            for k in 0..row {
                sum -= i128::from(lower[row][k]) * solution[k];
            }
            solution[row] = i128::from(narrow(sum >> FACTOR_BITS));
        }
        let mut weights = [0i32; MOST];
        for row in (0..n).rev() {
            let mut sum = (solution[row] << WEIGHT_BITS) / i128::from(diagonal[row]);
            for k in row + 1..n {
                sum -= (i128::from(lower[k][row]) * i128::from(weights[k])) >> FACTOR_BITS;
            }
            weights[row] = sum.clamp(-WEIGHT_LIMIT, WEIGHT_LIMIT) as i32;
        }
        weights
    }
}

/// The dot product of `weights` and `features`.
#[inline]
pub(crate) fn weighted(weights: &[i32; MOST], features: &[i32]) -> i64 {
    let sum: i64 = weights.iter().zip(features).map(|(&weight, &feature)| i64::from(weight) * i64::from(feature)).sum();
    (sum + (1 << (WEIGHT_BITS - 1))) >> WEIGHT_BITS
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn noise(at: u64) -> i32 {
        ((at.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as i32 % 20_000) - 10_000
    }

    #[test]
    fn the_weights_of_a_line_are_found() {
        let mut moments = Moments::new(3);
        for at in 0..500 {
            let features = [noise(3 * at), noise(3 * at + 1), 1 << 14];
            let target = i64::from(features[0]) / 2 - i64::from(features[1]) * 2 + 1000;
            moments.add(&features, target, 0);
        }
        let weights = moments.solve(None);
        for (got, wanted) in weights.iter().zip([32_768, -131_072, 4_000]) {
            assert!((got - wanted).abs() < 1000, "{weights:?}");
        }
    }

    #[test]
    fn a_prior_speaks_where_nothing_was_seen() {
        let mut prior = Moments::new(1);
        for at in 0..500 {
            prior.add(&[noise(at)], i64::from(noise(at)) * 3, 0);
        }
        let weights = Moments::new(1).solve(Some((&prior, 8)));
        assert!((weights[0] - 3 * 65_536).abs() < 3_000, "{weights:?}");
    }

    proptest! {
        #[test]
        fn extremes_do_not_overflow(samples in prop::collection::vec((prop::array::uniform4(-1i32 << 20..1 << 20), any::<i64>(), 0u32..40), 0..50), repeat in 1..2000) {
            let mut moments = Moments::new(4);
            for (features, target, lightness) in &samples {
                for _ in 0..repeat {
                    moments.add(features, *target, *lightness);
                }
            }
            moments.solve(Some((&moments, 9)));
        }
    }
}
