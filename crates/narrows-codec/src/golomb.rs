//! Numbers in an exponential Golomb code whose lengths are learnt.

use crate::{coder::Coder, mixer::Counter};

/// Codes a number of at least 1: how many bits follow its first one, at most `longest`, each step of that with a probability of its
/// own, and then these bits.
pub(crate) fn golomb(coder: &mut impl Coder, lengths: &mut [Counter], longest: u32, told: u64) -> u64 {
    let told_bits = told.ilog2();
    let mut bits = 0;
    while bits < longest {
        let counter = &mut lengths[bits as usize];
        let more = coder.bit(counter.probability(), told_bits > bits);
        counter.learn(more);
        if !more {
            break;
        }
        bits += 1;
    }
    1u64 << bits | coder.plain(bits, told)
}
