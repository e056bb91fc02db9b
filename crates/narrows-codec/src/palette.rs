//! Columns of few values: their values by rank, beside a list of the values.
//!
//! A flag that is 0 or 5,000 is predicted and coded as one that is 0 or 1.

use crate::{
    coder::{Coder, Decoder, Encoder},
    error::{CodecError, Result},
    mixer::Counter,
    plane::FRACTION,
};

/// Most values of a column's list.
const MOST: usize = 1024;
/// A column has a list if its values take at most one in so many places.
const SPARSE: u64 = 2;

/// For each column its values in ascending order; empty for a column without a list.
pub(crate) struct Palettes {
    lists: Vec<Vec<i64>>,
}

impl Palettes {
    /// The lists of columns whose values are sparse; `None` if no column has any.
    pub(crate) fn of(values: &[i64], columns: usize) -> Option<Palettes> {
        let mut lists: Vec<Option<Vec<i64>>> = vec![Some(Vec::new()); columns];
        for (value, list) in values.iter().zip((0..columns).cycle()) {
            let Some(there) = &mut lists[list] else { continue };
            let Err(place) = there.binary_search(value) else { continue };
            there.insert(place, *value);
            if there.len() > MOST {
                lists[list] = None;
            }
        }
        let is_worth = |list: &Vec<i64>| match list.as_slice() {
            [] => false,
            [only] => *only != 0,
            [first, .., last] => last.abs_diff(*first) >= SPARSE * list.len() as u64 || first.unsigned_abs() > 64,
        };
        let lists: Vec<Vec<i64>> = lists.into_iter().map(|list| list.filter(is_worth).unwrap_or_default()).collect();
        lists.iter().any(|list| !list.is_empty()).then_some(Palettes { lists })
    }

    /// The ranks of values, which are all in the lists.
    pub(crate) fn ranks(&self, values: &[i64]) -> Vec<i64> {
        let rank = |(value, list): (&i64, &Vec<i64>)| match list.binary_search(value) {
            Ok(rank) => rank as i64,
            Err(_) => *value,
        };
        values.iter().zip(self.lists.iter().cycle()).map(rank).collect()
    }

    /// The values of ranks.
    pub(crate) fn values(&self, ranks: &[i64]) -> Result<Vec<i64>> {
        let value = |(rank, list): (&i64, &Vec<i64>)| {
            if list.is_empty() {
                return Ok(*rank);
            }
            let found = usize::try_from(*rank).ok().and_then(|rank| list.get(rank));
            let expected = || format!("one of {} values", list.len());
            found.copied().ok_or_else(|| CodecError::malformed("place in a list of values", expected(), rank))
        };
        ranks.iter().zip(self.lists.iter().cycle()).map(value).collect()
    }

    /// Guesses of values as guesses of ranks: on the line between the two values around each.
    pub(crate) fn guesses(&self, guesses: &[i64]) -> Vec<i64> {
        let guess = |(guess, list): (&i64, &Vec<i64>)| {
            let fixed = |value: i64| i128::from(value) << FRACTION;
            let (first, last) = match list.as_slice() {
                [] => return *guess,
                [first, .., last] => (*first, *last),
                [_] => return 0,
            };
            let here = i128::from(*guess).clamp(fixed(first), fixed(last));
            let above = list.partition_point(|value| fixed(*value) <= here).clamp(1, list.len() - 1);
            let (low, high) = (fixed(list[above - 1]), fixed(list[above]));
            (((above as i128 - 1) << FRACTION) + ((here - low) << FRACTION) / (high - low)) as i64
        };
        guesses.iter().zip(self.lists.iter().cycle()).map(guess).collect()
    }

    /// The lists as bytes.
    pub(crate) fn pack(&self) -> Vec<u8> {
        let mut encoder = Encoder::new();
        let mut lengths = Numbers::new();
        let mut steps = Numbers::new();
        for list in &self.lists {
            lengths.code(&mut encoder, 0, list.len() as u64);
            for (at, value) in list.iter().enumerate() {
                let step = if at == 0 { zigzag(*value) } else { value.abs_diff(list[at - 1]) - 1 };
                steps.code(&mut encoder, at.min(2), step);
            }
        }
        encoder.finish()
    }

    /// The lists of so many columns, for so many values in all, which is what they hold at most.
    pub(crate) fn unpack(bytes: &[u8], columns: usize, count: usize) -> Result<Palettes> {
        let mut left = count;
        let mut decoder = Decoder::new(bytes);
        let mut lengths = Numbers::new();
        let mut steps = Numbers::new();
        let mut lists = Vec::new();
        for _ in 0..columns {
            let length = lengths.code(&mut decoder, 0, 0);
            if length > MOST as u64 || decoder.is_broken() {
                return Err(CodecError::malformed("values of a list", format!("at most {MOST}"), length));
            }
            let fewer = || CodecError::malformed("values of all lists", format!("at most {count}"), "more");
            left = left.checked_sub(length as usize).ok_or_else(fewer)?;
            let mut list = Vec::with_capacity(length as usize);
            for at in 0..length as usize {
                let step = steps.code(&mut decoder, at.min(2), 0);
                let value = match at.checked_sub(1).map(|before| list[before]) {
                    None => Some((step >> 1) as i64 ^ -((step & 1) as i64)),
                    Some(before) => i64::checked_add_unsigned(before, step).and_then(|value| value.checked_add(1)),
                };
                let wrong = || CodecError::malformed("values of a list", "ascending", step);
                list.push(value.ok_or_else(wrong)?);
            }
            lists.push(list);
        }
        Ok(Palettes { lists })
    }
}

fn zigzag(value: i64) -> u64 {
    (value << 1 ^ value >> 63) as u64
}

/// Numbers in an adaptive exponential Golomb code, in three contexts.
struct Numbers {
    lengths: Vec<Counter>,
    bits: Vec<Counter>,
}

impl Numbers {
    fn new() -> Self {
        Numbers { lengths: vec![Counter::NEW; 3 * 65], bits: vec![Counter::NEW; 3 * 65 * 64] }
    }

    fn code(&mut self, coder: &mut impl Coder, context: usize, told: u64) -> u64 {
        let told_length = 64 - told.leading_zeros();
        let mut length = 0;
        while length < 64 {
            let counter = &mut self.lengths[context * 65 + length as usize];
            let more = coder.bit(counter.probability(), told_length > length);
            counter.learn(more);
            if !more {
                break;
            }
            length += 1;
        }
        let Some(top) = length.checked_sub(1) else { return 0 };
        let mut number = 1u64;
        for at in (0..top).rev() {
            let counter = &mut self.bits[(context * 65 + length as usize) * 64 + at as usize];
            let bit = coder.bit(counter.probability(), told >> at & 1 == 1);
            counter.learn(bit);
            number = number << 1 | u64::from(bit);
        }
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn lists_come_back(values in prop::collection::vec(prop_oneof![Just(0i64), Just(5000), Just(-70), any::<i64>()], 1..60), columns in 1usize..5) {
            let Some(palettes) = Palettes::of(&values, columns) else { return Ok(()) };
            let back = Palettes::unpack(&palettes.pack(), columns, values.len()).unwrap();
            prop_assert_eq!(&back.lists, &palettes.lists);
            prop_assert_eq!(back.values(&palettes.ranks(&values)).unwrap(), values);
        }

        #[test]
        fn any_bytes_are_lists_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..40), guess: i64) {
            if let Ok(palettes) = Palettes::unpack(&bytes, 3, 50) {
                prop_assert!(palettes.lists.iter().map(Vec::len).sum::<usize>() <= 50);
                palettes.guesses(&[guess; 3]);
            }
        }
    }

    #[test]
    fn a_guess_keeps_its_place_between_the_values() {
        let palettes = Palettes::of(&[0, 5000, 9000, 0], 1).unwrap();
        let guesses = [-9, 0, 2500, 5000, 7000, 10_000].map(|guess| guess << FRACTION);
        assert_eq!(palettes.guesses(&guesses), [0, 0, 128, 256, 384, 512]);
    }
}
