//! Holm's correction (1979) of p-values for the number of tests: the probability that any test of unchanged data is
//! significant stays below the level, however the tests depend on each other.

/// The corrected p-values, in the order given.
pub(super) fn corrected(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|a, b| p_values[*a].total_cmp(&p_values[*b]));
    let mut corrected = vec![1.0; p_values.len()];
    let mut least = 0.0_f64;
    for (rank, test) in order.into_iter().enumerate() {
        least = least.max((p_values.len() - rank) as f64 * p_values[test]).min(1.0);
        corrected[test] = least;
    }
    corrected
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_counts_for_all_tests_and_the_next_for_one_less() {
        let found = corrected(&[0.02, 0.5, 0.01, 0.03]);
        let expected = [0.06, 0.5, 0.04, 0.06];
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{found:?}");
        assert_eq!(corrected(&[0.7, 0.9]), [1.0, 1.0]);
        assert_eq!(corrected(&[]), [0.0; 0]);
    }
}
