//! The form of identifiers, so that new ones can be made: numbers that go on, a number within a fixed text, UUIDs, and
//! texts of one length with certain characters at each place.

use std::collections::BTreeSet;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use serde::{Deserialize, Serialize};

use super::token::is_uuid;

/// Longest identifier whose places are learnt.
const LONGEST: usize = 64;
/// Fewest different identifiers, as a power of two, that such a text has to allow.
const FEWEST_BITS: u32 = 20;
const MOST_BITS: u32 = 60;

/// How identifiers of a column are made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum IdentifierForm {
    /// Whole numbers from this one on.
    Whole {
        /// The first that no training row has.
        next: i64,
    },
    /// A whole number within a text.
    Numbered {
        prefix: String,
        suffix: String,
        /// Digits, filled up with zeros; 0 if not.
        width: usize,
        next: u64,
    },
    /// Random UUIDs of version 4.
    Uuid,
    /// One of these characters at each place.
    Places(Vec<String>),
}

impl IdentifierForm {
    /// The form of these cells; `None` if they have none that is known.
    pub(crate) fn of(array: &ArrayRef) -> Option<IdentifierForm> {
        if array.data_type().is_integer() {
            let whole = cast(array, &DataType::Int64).ok()?;
            let last = whole.as_primitive::<Int64Type>().iter().flatten().max()?;
            return last.checked_add(1).map(|next| IdentifierForm::Whole { next });
        }
        if array.data_type().is_floating() {
            let numbers = cast(array, &DataType::Float64).ok()?;
            let numbers = numbers.as_primitive::<arrow::datatypes::Float64Type>();
            let is_whole = numbers.iter().flatten().all(|x| x.fract() == 0.0 && x.abs() < 1e15);
            let last = numbers.iter().flatten().reduce(f64::max)?;
            return is_whole.then_some(IdentifierForm::Whole { next: last as i64 + 1 });
        }
        let text = cast(array, &DataType::Utf8).ok()?;
        let text = text.as_string::<i32>();
        if text.iter().flatten().next().is_some() && text.iter().flatten().all(is_uuid) {
            return Some(IdentifierForm::Uuid);
        }
        numbered(text).or_else(|| places(text))
    }

    /// The identifier of row `row` of the sequence that `seed` gives: of different rows, different ones.
    pub(crate) fn at(&self, row: u64, seed: u64) -> String {
        match self {
            IdentifierForm::Whole { next } => i128::from(*next).saturating_add(row.into()).to_string(),
            IdentifierForm::Numbered { prefix, suffix, width, next } => {
                let number = u128::from(*next) + u128::from(row);
                format!("{prefix}{number:0width$}{suffix}")
            }
            IdentifierForm::Uuid => {
                let (high, low) = (mixed(row ^ mixed(seed)), mixed(row.wrapping_add(seed).wrapping_add(ODD)));
                // The row is a bijection in the high half, of which the version takes four bits: no two rows are likely the same.
                let bits = (u128::from(high) << 64) | u128::from(low);
                let hex = format!("{bits:032x}");
                format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
            }
            IdentifierForm::Places(places) => {
                let bits = bits(places);
                let mask = (1_u64 << bits) - 1;
                let mut left = u128::from(row.wrapping_mul(ODD).wrapping_add(mixed(seed)) & mask);
                // Rows beyond the mask would begin anew.
                left |= u128::from(row >> bits) << bits;
                let mut rest = mixed(row ^ seed);
                let place = |choices: &String| {
                    let n = choices.chars().count() as u64;
                    let which = if left > 0 { left % u128::from(n) } else { u128::from(rest % n) };
                    (left, rest) = (left / u128::from(n), mixed(rest));
                    choices.chars().nth(which as usize).unwrap_or_default()
                };
                places.iter().map(place).collect()
            }
        }
    }

    /// Rejects forms that could not have been learnt; for those read from a file.
    pub(crate) fn is_sound(&self) -> bool {
        match self {
            IdentifierForm::Numbered { width, .. } => *width <= LONGEST,
            IdentifierForm::Places(places) => {
                places.len() <= LONGEST && places.iter().all(|place| !place.is_empty()) && bits(places) >= FEWEST_BITS
            }
            IdentifierForm::Whole { .. } | IdentifierForm::Uuid => true,
        }
    }
}

const ODD: u64 = 0x9e37_79b9_7f4a_7c15;

/// A bijection of 64 bits (splitmix64).
fn mixed(x: u64) -> u64 {
    let x = x.wrapping_add(ODD);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// Cells that differ in one number alone.
fn numbered(text: &StringArray) -> Option<IdentifierForm> {
    let first = text.iter().flatten().next()?;
    let (mut prefix, mut suffix) = (first.len(), first.len());
    for cell in text.iter().flatten() {
        prefix = prefix.min(first.bytes().zip(cell.bytes()).take_while(|(a, b)| a == b).count());
        suffix = suffix.min(first.bytes().rev().zip(cell.bytes().rev()).take_while(|(a, b)| a == b).count());
    }
    // Digits that all have in common belong to the number.
    let prefix = first.as_bytes()[..prefix].iter().rposition(|byte| !byte.is_ascii_digit()).map_or(0, |i| i + 1);
    let tail = &first.as_bytes()[first.len() - suffix..];
    let suffix = tail.iter().position(|byte| !byte.is_ascii_digit()).map_or(0, |i| tail.len() - i);
    let (mut lengths, mut last) = (BTreeSet::new(), 0);
    let mut has_zero = false;
    for cell in text.iter().flatten() {
        let digits = cell.get(prefix..cell.len().checked_sub(suffix)?)?;
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        lengths.insert(digits.len());
        has_zero |= digits.len() > 1 && digits.starts_with('0');
        last = last.max(digits.parse::<u64>().ok()?);
    }
    let width = if has_zero || lengths.len() == 1 { *lengths.last()? } else { 0 };
    let next = last.checked_add(1)?;
    let (prefix, suffix) = (first[..prefix].to_owned(), first[first.len() - suffix..].to_owned());
    Some(IdentifierForm::Numbered { prefix, suffix, width, next })
}

/// Cells of one length, if enough others of the same characters are possible.
fn places(text: &StringArray) -> Option<IdentifierForm> {
    let length = text.iter().flatten().next()?.len();
    let mut places: Vec<BTreeSet<char>> = vec![BTreeSet::new(); length];
    for cell in text.iter().flatten() {
        if cell.len() != length || length > LONGEST || !cell.is_ascii() || cell.contains(char::is_whitespace) {
            return None;
        }
        places.iter_mut().zip(cell.chars()).for_each(|(place, c)| _ = place.insert(c));
    }
    let places: Vec<String> = places.into_iter().map(|place| place.into_iter().collect()).collect();
    (bits(&places) >= FEWEST_BITS).then_some(IdentifierForm::Places(places))
}

/// The number of bits that the choices at these places can hold.
fn bits(places: &[String]) -> u32 {
    let total: f64 = places.iter().map(|place| (place.chars().count().max(1) as f64).log2()).sum();
    (total.floor() as u32).min(MOST_BITS)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::Int64Array;

    use super::*;

    fn of(cells: &[&str]) -> Option<IdentifierForm> {
        IdentifierForm::of(&(Arc::new(cells.iter().map(|cell| Some(*cell)).collect::<StringArray>()) as ArrayRef))
    }

    fn check(cells: &[&str], expected: &str) {
        let form = of(cells).unwrap();
        assert!(form.is_sound(), "{form:?}");
        assert_eq!(form.at(0, 5), expected, "{form:?}");
        let many: BTreeSet<String> = (0..3000).map(|row| form.at(row, 5)).collect();
        assert_eq!(many.len(), 3000, "{form:?}");
        assert!(cells.iter().all(|cell| !many.contains(*cell)), "{form:?}");
    }

    #[test]
    fn new_identifiers_are_others_in_the_form_of_the_old() {
        check(&["B-00000", "B-00001", "B-00017"], "B-00018");
        check(&["guest0@example.org", "guest1@example.org", "guest12@example.org"], "guest13@example.org");
        check(&["101049", "101043"], "101050");
        let form = IdentifierForm::of(&(Arc::new(Int64Array::from(vec![7, 3])) as ArrayRef));
        assert_eq!(form, Some(IdentifierForm::Whole { next: 8 }));
    }

    #[test]
    fn texts_of_one_length_keep_the_characters_of_each_place() {
        let cells: Vec<String> = (0..400_u64).map(|i| format!("x{:08x}", mixed(i) as u32)).collect();
        let form = of(&cells.iter().map(String::as_str).collect::<Vec<_>>()).unwrap();
        let made: BTreeSet<String> = (0..20_000).map(|row| form.at(row, 1)).collect();
        assert_eq!(made.len(), 20_000);
        assert!(made.iter().all(|id| id.len() == 9 && id.starts_with('x')));
        let uuid = of(&["6fa459ea-ee8a-3ca4-894e-db77e160355e"]).unwrap();
        assert!(uuid == IdentifierForm::Uuid && is_uuid(&uuid.at(3, 1)) && uuid.at(3, 1) != uuid.at(4, 1));
    }

    #[test]
    fn names_have_no_form() {
        assert_eq!(of(&["Anna Schmidt", "Bo Li"]), None);
        assert_eq!(of(&["ab", "cd"]), None);
    }
}
