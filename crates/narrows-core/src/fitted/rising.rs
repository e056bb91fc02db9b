//! Columns that only rise: running numbers, clocks, totals. They take values that training never saw as soon as new
//! rows arrive.

use crate::data::SeriesSet;

/// With fewer values, an order may be coincidence.
pub(super) const ENOUGH: usize = 50;
/// A column that rises in a smaller share of rows is one that the rows are sorted by, such as an age.
const RISES: f64 = 0.25;

/// Whether numbers, in their order, rise throughout; what is NaN is passed over.
pub(super) fn rises(numbers: impl Iterator<Item = f64>) -> bool {
    let (mut previous, mut n, mut rising) = (f64::NEG_INFINITY, 0_usize, 0_usize);
    for x in numbers.filter(|x| !x.is_nan()) {
        if x < previous {
            return false;
        }
        rising += usize::from(x > previous);
        n += 1;
        previous = x;
    }
    n >= ENOUGH && rising as f64 >= RISES * n as f64
}

/// Notes on channels that rise throughout every series.
pub(super) fn channels(set: &SeriesSet) -> impl Iterator<Item = String> {
    let k = set.channels.len();
    let rises = move |c: usize| set.series.iter().all(|series| rises(series.values.iter().skip(c).step_by(k).copied()));
    set.channels.iter().enumerate().filter(move |(c, _)| rises(*c)).map(|(_, name)| {
        format!(
            "channel `{name}` rises throughout: later points lie beyond what was learnt and may all be flagged; \
             `ignore` leaves it out, data.transform=difference learns its steps"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_only_rise_are_found_with_gaps_and_ties() {
        let check = |n: usize, of: &dyn Fn(usize) -> f64| rises((0..n).map(of));
        assert!(check(60, &|i| (i * i) as f64));
        assert!(check(60, &|i| if i % 7 == 3 { f64::NAN } else { i as f64 }));
        assert!(check(90, &|i| (i / 3) as f64));
        assert!(!check(60, &|i| (i / 10) as f64), "sorted by, not running");
        assert!(!check(60, &|i| if i == 40 { 0.0 } else { i as f64 }));
        assert!(!check(20, &|i| i as f64), "few rows");
        assert!(!check(60, &|_| f64::NAN));
    }
}
