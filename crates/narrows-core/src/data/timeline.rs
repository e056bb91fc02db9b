//! Chronological train, validation and calibration split of a series.
//!
//! Neighbouring points are correlated and windows overlap. In a random split, held-out windows would share points with
//! training windows, and the threshold would be too low for new data.

use std::ops::Range;

use crate::error::{Error, Place, Result};

/// Splits the points `0..n` of one series into ranges for training, validation and calibration, in this order.
///
/// The sizes are proportional to `parts`; a part of 0 becomes an empty range. `gap` points between two parts
/// belong to neither, so that no window of up to `gap + 1` points overlaps two parts. Every part has at least `gap + 1`
/// points, that is such a window, even if its proportion would be less.
///
/// # Errors
/// [`Error::Data`] for too few points, with the number needed.
///
/// # Panics
/// If a part is negative or not finite, or none is above 0.
///
/// ```
/// use narrows_core::data::split_in_time;
/// assert_eq!(split_in_time(104, (0.7, 0.1, 0.2), 2)?, [0..70, 72..82, 84..104]);
/// # Ok::<(), narrows_core::Error>(())
/// ```
pub fn split_in_time(n: usize, parts: (f64, f64, f64), gap: usize) -> Result<[Range<usize>; 3]> {
    let parts = [parts.0, parts.1, parts.2];
    let total: f64 = parts.iter().sum();
    assert!(parts.iter().all(|part| *part >= 0.0) && total > 0.0 && total.is_finite(), "invalid parts: {parts:?}");
    let mut open = parts.iter().filter(|part| **part > 0.0).count();
    let shortest = gap.saturating_add(1);
    let needed = shortest.saturating_mul(open).saturating_add(gap.saturating_mul(open - 1));
    if n < needed {
        let error = Error::data(Place::default(), format!("expected at least {needed} points in time, got {n}"));
        return Err(error.with_hint("give a longer series, or use shorter windows"));
    }
    let usable = n - gap * (open - 1);
    let mut ranges = [0..0, n..n, n..n];
    let (mut end, mut left) = (n, usable);
    // From last to first: the rounding remainder goes to training.
    for (part, range) in parts.iter().zip(&mut ranges).rev() {
        if *part == 0.0 {
            *range = end..end;
            continue;
        }
        open -= 1;
        let most = left - open * shortest;
        let size =
            if open == 0 { left } else { ((usable as f64 * part / total).round() as usize).clamp(shortest, most) };
        *range = end - size..end;
        left -= size;
        end = if open == 0 { 0 } else { range.start - gap };
    }
    Ok(ranges)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(n: usize, parts: (f64, f64, f64), gap: usize, expected: &str) {
        let got = split_in_time(n, parts, gap).map_or_else(|error| error.to_string(), |ranges| format!("{ranges:?}"));
        assert_eq!(got, expected);
    }

    #[test]
    fn parts_follow_each_other_with_gaps_between() {
        check(100, (0.7, 0.1, 0.2), 0, "[0..70, 70..80, 80..100]");
        check(100, (0.72, 0.08, 0.2), 9, "[0..56, 65..75, 84..100]");
        check(110, (0.8, 0.0, 0.2), 10, "[0..80, 80..80, 90..110]");
        check(10, (1.0, 0.0, 0.0), 3, "[0..10, 10..10, 10..10]");
        check(10, (0.0, 0.0, 1.0), 3, "[0..0, 0..0, 0..10]");
    }

    #[test]
    fn few_points_are_shared_out_until_they_are_too_few() {
        check(3, (0.9, 0.05, 0.05), 0, "[0..1, 1..2, 2..3]");
        check(13, (0.9, 0.05, 0.05), 2, "[0..3, 5..8, 10..13]");
        check(12, (0.9, 0.05, 0.05), 2, "input: expected at least 13 points in time, got 12");
        check(0, (0.8, 0.0, 0.2), 0, "input: expected at least 2 points in time, got 0");
        let error = split_in_time(1, (0.8, 0.0, 0.2), usize::MAX).unwrap_err();
        assert_eq!(error.hint_text().as_deref(), Some("give a longer series, or use shorter windows"));
    }

    proptest! {
        #[test]
        fn every_point_has_one_place_and_windows_see_one_part(
            n in 0_usize..400, parts in (0.01_f64..1.0, 0.0_f64..1.0, 0.0_f64..1.0), gap in 0_usize..50,
        ) {
            let Ok(ranges) = split_in_time(n, parts, gap) else { return Ok(()) };
            let full: Vec<_> = ranges.iter().filter(|range| !range.is_empty()).collect();
            prop_assert_eq!((full[0].start, full[full.len() - 1].end), (0, n));
            prop_assert!(full.iter().all(|range| range.len() > gap));
            prop_assert!(full.windows(2).all(|pair| pair[1].start - pair[0].end == gap));
        }
    }
}
