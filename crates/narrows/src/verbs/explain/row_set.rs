//! Row numbers as typed: `3`, `3,17,40-42`.

use std::ops::RangeInclusive;
use std::str::FromStr;

/// Row numbers, ascending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RowSet {
    /// Disjoint and ascending.
    ranges: Vec<RangeInclusive<u64>>,
}

impl RowSet {
    /// The largest number.
    pub(super) fn last(&self) -> u64 {
        self.ranges.last().map_or(0, |range| *range.end())
    }

    /// The only number, if there is one only.
    pub(super) fn single(&self) -> Option<u64> {
        match self.ranges.as_slice() {
            [range] if range.start() == range.end() => Some(*range.start()),
            _ => None,
        }
    }

    /// The numbers from `first` to before `end`, counted from `first`.
    pub(super) fn within(&self, first: u64, end: u64) -> Vec<u32> {
        let inside = self.ranges.iter().flat_map(|range| (*range.start()).max(first)..(*range.end() + 1).min(end));
        inside.map(|row| (row - first) as u32).collect()
    }
}

impl FromStr for RowSet {
    type Err = String;

    fn from_str(text: &str) -> Result<RowSet, String> {
        let wrong = || format!("expected row numbers such as 3 or 3,17,40-42, got `{text}`");
        let number = |text: &str| text.trim().parse::<u64>().ok().filter(|row| *row < u64::MAX).ok_or_else(wrong);
        let mut ranges = text
            .split(',')
            .map(|part| match part.split_once('-') {
                None => number(part).map(|row| row..=row),
                Some((from, to)) => Ok(number(from)?..=number(to)?),
            })
            .collect::<Result<Vec<_>, String>>()?;
        if ranges.iter().any(RangeInclusive::is_empty) {
            return Err(wrong());
        }
        ranges.sort_by_key(|range| *range.start());
        let mut merged: Vec<RangeInclusive<u64>> = Vec::new();
        for range in ranges {
            match merged.last_mut() {
                Some(last) if *range.start() <= *last.end() => {
                    *last = *last.start()..=(*last.end()).max(*range.end());
                }
                _ => merged.push(range),
            }
        }
        Ok(RowSet { ranges: merged })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[u32]) {
        let rows: RowSet = text.parse().unwrap();
        assert_eq!(rows.within(0, 100), expected, "{text}");
        assert_eq!(rows.last(), u64::from(*expected.last().unwrap()));
        assert_eq!(rows.single().is_some(), expected.len() == 1);
    }

    #[test]
    fn numbers_and_ranges_are_rows_once_each() {
        check("3", &[3]);
        check("3,17,40-42", &[3, 17, 40, 41, 42]);
        check("42,40-41, 3 ,41-42", &[3, 40, 41, 42]);
        assert_eq!("3,17,40-42".parse::<RowSet>().unwrap().within(17, 42), [0, 23, 24]);
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "x", "5-3", "1,,2", "-1", "1-", "18446744073709551615"] {
            assert!(text.parse::<RowSet>().unwrap_err().contains("3,17,40-42"), "{text}");
        }
    }
}
