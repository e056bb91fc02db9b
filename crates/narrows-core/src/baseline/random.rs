//! Seeded random numbers in keyed streams, so that work can be distributed over threads in any way.
//!
//! SplitMix64 (Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators"): a counter and a mixing
//! function, sufficient for subsamples, splits and bootstrap replicates. Not cryptographic.

use std::collections::BTreeSet;

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// A stream of random numbers.
#[derive(Debug, Clone)]
pub(crate) struct Stream {
    counter: u64,
}

impl Stream {
    /// Stream `key` under `seed`; streams with other keys are independent of it.
    pub(crate) fn new(seed: u64, key: u64) -> Stream {
        Stream { counter: mix(mix(seed.wrapping_add(GOLDEN)) ^ mix(key.wrapping_mul(GOLDEN).wrapping_add(1))) }
    }

    /// The next 64 random bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.counter = self.counter.wrapping_add(GOLDEN);
        mix(self.counter)
    }

    /// An integer in `0..bound`; the bias is below `bound / 2^64`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.bits()) * bound as u128) >> 64) as usize
    }

    /// A number in [0, 1).
    pub(crate) fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
    }

    /// A standard normal number, by Box and Muller.
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// `m` distinct numbers out of `0..n` in ascending order, or all of them if `m >= n`; Floyd's algorithm.
    pub(crate) fn sample(&mut self, n: usize, m: usize) -> Vec<usize> {
        if m >= n {
            return (0..n).collect();
        }
        let mut chosen = BTreeSet::new();
        for last in n - m..n {
            let candidate = self.below(last + 1);
            if !chosen.insert(candidate) {
                chosen.insert(last);
            }
        }
        chosen.into_iter().collect()
    }
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_repeatable_and_another_key_is_another_stream() {
        let draw = |seed, key| Stream::new(seed, key).bits();
        assert_eq!(draw(1, 2), draw(1, 2));
        assert_ne!(draw(1, 2), draw(1, 3));
        assert_ne!(draw(1, 2), draw(2, 2));
        assert_ne!(draw(0, 0), 0);
    }

    #[test]
    fn moments_are_those_of_the_distributions() {
        let mut stream = Stream::new(7, 0);
        let n = 40_000;
        let uniform = (0..n).map(|_| stream.uniform()).sum::<f64>() / f64::from(n);
        let (sum, squares) = (0..n).map(|_| stream.normal()).fold((0.0, 0.0), |(s, q), z| (s + z, q + z * z));
        // Four standard errors.
        assert!((uniform - 0.5).abs() < 4.0 * 0.289 / 200.0);
        assert!((sum / f64::from(n)).abs() < 4.0 / 200.0);
        assert!((squares / f64::from(n) - 1.0).abs() < 4.0 * 1.415 / 200.0);
    }

    #[test]
    fn a_sample_is_sorted_without_repeats_and_even() {
        let mut counts = [0_u32; 10];
        for key in 0..5000 {
            let sample = Stream::new(3, key).sample(10, 4);
            assert_eq!(sample.len(), 4);
            assert!(sample.windows(2).all(|pair| pair[0] < pair[1]));
            sample.into_iter().for_each(|i| counts[i] += 1);
        }
        assert!(counts.iter().all(|&count| (1800..2200).contains(&count)), "{counts:?}");
        assert_eq!(Stream::new(3, 0).sample(3, 9), [0, 1, 2]);
    }
}
