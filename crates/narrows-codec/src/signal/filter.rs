//! Adaptive filters: normalised least mean squares in integers.

/// Fractional bits of a weight.
const WEIGHT_BITS: u32 = 16;
/// Weights are clipped to this.
const WEIGHT_LIMIT: i64 = 4 << WEIGHT_BITS;

/// A linear filter over the last values, whose weights follow the gradient of the squared error.
pub(super) struct Filter {
    weights: Vec<i32>,
    /// The last values twice, so that any run of them is contiguous.
    past: Vec<i32>,
    at: usize,
    energy: i64,
    /// The step: 2^-`shift` of the gradient, normalised.
    shift: u32,
}

impl Filter {
    pub(super) fn new(taps: usize, shift: u32) -> Self {
        Filter { weights: vec![0; taps], past: vec![0; 2 * taps], at: 0, energy: 0, shift }
    }

    /// The expected next value.
    #[inline]
    pub(super) fn predict(&self) -> i64 {
        let past = &self.past[self.at..self.at + self.weights.len()];
        let sum: i64 = self.weights.iter().zip(past).map(|(&w, &x)| i64::from(w) * i64::from(x)).sum();
        (sum + (1 << (WEIGHT_BITS - 1))) >> WEIGHT_BITS
    }

    /// Adapts to the value that came, whose distance from the expected one is `miss`.
    #[inline]
    pub(super) fn learn(&mut self, value: i32, miss: i64) {
        let n = self.weights.len();
        // 24 bits of the value and of the error at most, so products fit.
        let rate = (miss.clamp(-(1 << 30), 1 << 30) << (WEIGHT_BITS + 8)) / (self.energy + (n as i64) * 256 + 1);
        let shift = self.shift + 8;
        let half = 1i64 << (shift - 1);
        for (weight, &x) in self.weights.iter_mut().zip(&self.past[self.at..self.at + n]) {
            let step = (rate.saturating_mul(i64::from(x)) + half) >> shift;
            *weight = (i64::from(*weight) + step).clamp(-WEIGHT_LIMIT, WEIGHT_LIMIT) as i32;
        }
        let square = |x: i32| i64::from(x) * i64::from(x);
        self.at = if self.at == 0 { n - 1 } else { self.at - 1 };
        self.energy += square(value) - square(self.past[self.at]);
        self.past[self.at] = value;
        self.past[self.at + n] = value;
    }
}
