//! What followed the same past before: the longest match of the last values, and the last follower of a context.

use super::experts::Experts;

/// Lengths of the past that are looked up.
const LENGTHS: [usize; 2] = [12, 5];
const BITS: u32 = 16;
/// Longest count of a match.
const MOST: u32 = 63;

/// A match of each length: where it continues, and for how many values it has been right.
pub(super) struct Matches {
    tables: Vec<Vec<u32>>,
    found: Vec<[(u32, u32); LENGTHS.len()]>,
}

pub(super) const MATCHES: usize = LENGTHS.len();

impl Matches {
    pub(super) fn new(channels: usize) -> Self {
        Matches { tables: vec![vec![u32::MAX; 1 << BITS]; MATCHES], found: vec![[(u32::MAX, 0); MATCHES]; channels] }
    }

    /// The expected values and how long they have been right, for the next value.
    #[inline]
    pub(super) fn expected(&self, experts: &Experts) -> [Option<(i32, u32)>; MATCHES] {
        let found = &self.found[experts.forecast.channel];
        found.map(|(at, count)| experts.values.get(at as usize).map(|&value| (value, count)))
    }

    /// Learns the value at the next place, before it is appended.
    #[inline]
    pub(super) fn learn(&mut self, experts: &Experts, value: i32) {
        let (channel, channels) = (experts.forecast.channel, experts.layout.channels);
        let at = experts.values.len();
        let mut past = [0i32; 12];
        past[0] = value;
        for (back, past) in (1..).zip(&mut past[1..]) {
            *past = experts.lag(back).unwrap_or(i32::MIN);
        }
        for (which, length) in LENGTHS.into_iter().enumerate() {
            let mut hash = channel as u32;
            for &x in &past[..length] {
                hash = (hash ^ x as u32).wrapping_mul(0x9E37_79B1).rotate_left(13);
            }
            let slot = &mut self.tables[which][(hash.wrapping_mul(0x85EB_CA6B) >> (32 - BITS)) as usize];
            let (next, count) = &mut self.found[channel][which];
            let is_right = experts.values.get(*next as usize) == Some(&value);
            if is_right {
                *count = (*count + 1).min(MOST);
                *next += channels as u32;
            } else {
                (*next, *count) = (u32::MAX, 0);
            }
            if *next == u32::MAX && *slot != u32::MAX {
                // How far back both agree.
                let from = *slot as usize;
                let agree = (0..length)
                    .take_while(|back| {
                        let there = from.checked_sub(back * channels).map(|at| experts.values[at]);
                        there == Some(past[*back])
                    })
                    .count();
                if agree >= length.min(5) {
                    (*next, *count) = ((from + channels) as u32, 1);
                }
            }
            *slot = at as u32;
        }
    }
}
