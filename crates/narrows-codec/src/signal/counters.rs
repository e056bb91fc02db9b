//! Counters of bits in contexts, found by hash.

use crate::mixer::Counter;

/// Number of classes of counts.
pub(super) const COUNTS: usize = 16;

/// Counters found by hash, with a check.
pub(super) struct Counters {
    counters: Vec<Counter>,
    checks: Vec<u8>,
    shift: u32,
}

impl Counters {
    pub(super) fn new(bits: u32) -> Self {
        Counters { counters: vec![Counter::NEW; 1 << bits], checks: vec![0; 1 << bits], shift: 32 - bits }
    }

    #[inline]
    pub(super) fn place(&self, context: u32, kind: usize) -> (usize, u8) {
        let hash = (context ^ (kind as u32 + 1).wrapping_mul(0x9E37_79B1)).wrapping_mul(0x85EB_CA6B);
        let hash = (hash ^ hash >> 15).wrapping_mul(0xC2B2_AE35);
        ((hash >> self.shift) as usize, hash as u8)
    }

    #[inline]
    pub(super) fn logit(&self, (at, check): (usize, u8)) -> i32 {
        if self.checks[at] == check { self.counters[at].logit() } else { 0 }
    }

    #[inline]
    pub(super) fn learn(&mut self, (at, check): (usize, u8), bit: bool) {
        if self.checks[at] != check {
            self.checks[at] = check;
            self.counters[at] = Counter::NEW;
        }
        self.counters[at].learn(bit);
    }
}

/// A coarse logarithm of a count.
pub(super) fn count_class(count: u32) -> usize {
    match count {
        0..8 => count as usize,
        8..12 => 8,
        12..16 => 9,
        16..24 => 10,
        24..32 => 11,
        32..64 => 12,
        64..128 => 13,
        128..512 => 14,
        _ => 15,
    }
}

/// A hash of a context's parts.
pub(super) fn hash(parts: &[i64]) -> u32 {
    let mut hash = 0x1234_5678u32;
    for &part in parts {
        hash = (hash ^ part as u32).wrapping_mul(0x9E37_79B1).rotate_left(15);
    }
    hash ^ hash >> 13
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_that_was_never_seen_says_nothing() {
        let mut counters = Counters::new(12);
        let place = counters.place(hash(&[1, 2]), 3);
        assert_eq!(counters.logit(place), 0);
        (0..20).for_each(|_| counters.learn(place, true));
        assert!(counters.logit(place) > 256);
        assert_eq!(counters.logit(counters.place(hash(&[2, 1]), 3)), 0);
    }
}
