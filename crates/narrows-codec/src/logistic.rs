//! The logistic function and its inverse in fixed point, by tables computed in integer arithmetic.
//!
//! A probability has [`PRECISION`](crate::coder::PRECISION) bits; its logit, ln(p / (1 - p)), has [`UNIT`] steps to one.

use crate::coder::WHOLE;

/// One in logits.
pub(crate) const UNIT: i32 = 256;
/// The largest logit: 1 / (1 + e^-11) is the last that 16 bits distinguish from one.
pub(crate) const FARTHEST: i32 = 11 * UNIT;

/// e^(-1/256) in units of 2^-62.
const DECAY: u128 = 4_593_706_758_521_714_574;
const STRETCH_BITS: u32 = 12;

static SQUASH: [u16; FARTHEST as usize + 1] = squash_table();
static STRETCH: [i16; 1 << STRETCH_BITS] = stretch_table();

/// 1 / (1 + e^-x) for x from zero to `FARTHEST`, minus one half, so that it fits 16 bits.
const fn squash_table() -> [u16; FARTHEST as usize + 1] {
    let mut table = [0; FARTHEST as usize + 1];
    let mut power: u128 = 1 << 62;
    let mut at = 0;
    while at < table.len() {
        let one = 1u128 << 62;
        table[at] = (((WHOLE as u128) << 62) / (one + power) - WHOLE as u128 / 2) as u16;
        power = (power * DECAY) >> 62;
        at += 1;
    }
    table
}

/// For each sixteenth of a thousandth or so, the logit whose probability lies nearest its middle.
const fn stretch_table() -> [i16; 1 << STRETCH_BITS] {
    let squash = squash_table();
    let mut table = [0; 1 << STRETCH_BITS];
    let middle = 1 << (STRETCH_BITS - 1);
    let width = WHOLE >> STRETCH_BITS;
    let mut logit = 0;
    let mut at = 0;
    while at < middle {
        let wanted = at as u32 * width + width / 2;
        while logit + 1 < squash.len() && (squash[logit] as u32) < wanted {
            logit += 1;
        }
        table[middle + at] = logit as i16;
        table[middle - 1 - at] = -(logit as i16);
        at += 1;
    }
    table
}

/// The probability of a logit.
#[inline]
pub(crate) fn squash(logit: i32) -> u32 {
    let above = u32::from(SQUASH[logit.unsigned_abs().min(FARTHEST as u32) as usize]);
    if logit < 0 { WHOLE / 2 - above } else { WHOLE / 2 + above }
}

/// The logit of a probability.
#[inline]
pub(crate) fn stretch(probability: u32) -> i32 {
    i32::from(STRETCH[(probability.min(WHOLE - 1) >> (16 - STRETCH_BITS)) as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        assert_eq!(squash(0), WHOLE / 2);
        // 65536 / (1 + 1/e) and 65536 / (1 + e).
        assert!(squash(UNIT).abs_diff(47_911) <= 1 && squash(-UNIT).abs_diff(17_625) <= 1);
        assert!(squash(i32::MIN) >= 1 && squash(i32::MAX) < WHOLE);
    }

    #[test]
    fn stretch_undoes_squash() {
        for logit in -5 * UNIT..5 * UNIT {
            assert!((stretch(squash(logit)) - logit).abs() <= 8 + UNIT / 8, "{logit}");
        }
        assert!((stretch(0) + stretch(WHOLE - 1)).abs() <= 1);
    }
}
