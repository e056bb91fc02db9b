//! What has drifted, in words and original units.

use super::{ColumnDrift, DriftReport, MissingDrift};

/// Columns that are told one by one.
const TOLD: usize = 12;
/// A median that moves by less of the middle half's width is not what has changed.
const MEDIAN_MOVES: f64 = 0.1;
/// As is a width of the middle half within these bounds.
const WIDTH_STAYS: std::ops::Range<f64> = 0.8..1.25;

/// A sentence without a full stop for each change, the threshold's first, then columns by the size of the change.
pub(super) fn findings(report: &DriftReport) -> Vec<String> {
    let mut found = Vec::new();
    let (t, unit) = (&report.threshold, report.unit);
    if !t.stands {
        let was = match t.promised_rate {
            Some(rate) => format!("where at most {} of normal {unit}s were promised", percent(rate)),
            None => format!("where it was {} of the held-out {unit}s", percent(t.share_was)),
        };
        found.push(format!(
            "the threshold no longer holds: {} of {unit}s are above it, {was}; unless these {unit}s hold anomalies, set it anew",
            percent(t.share)
        ));
    }
    if report.score.has_drifted {
        let medians = match (report.score.median, report.score.median_was) {
            (Some(median), Some(was)) => format!("median {}, was {}", number(median), number(was)),
            _ => "another distribution".to_owned(),
        };
        found.push(format!("scores: {medians} (distance {:.2})", report.score.distance));
    }
    let mut moved: Vec<&ColumnDrift> =
        report.columns.iter().filter(|column| column.has_drifted || column.missing.has_drifted).collect();
    let size = |column: &ColumnDrift| column.psi.unwrap_or(0.0);
    moved.sort_by(|a, b| size(b).total_cmp(&size(a)));
    found.extend(moved.iter().take(TOLD).map(|column| column_words(column)));
    if let Some(more) = moved.len().checked_sub(TOLD).filter(|more| *more > 0) {
        found.push(format!("{more} more columns have drifted"));
    }
    found
}

/// As in "`temperature`: median 21.3, was 18.0 (distance 0.21, PSI 0.31)".
fn column_words(column: &ColumnDrift) -> String {
    let mut parts = Vec::new();
    if column.has_drifted {
        let what = match (column.quartiles, column.quartiles_were, &column.level) {
            (Some(now), Some(was), _) => quartile_words(now, was),
            (_, _, Some(level)) => {
                let unseen = column.unseen.filter(|unseen| *unseen > 0);
                let unseen = unseen.map_or_else(String::new, |n| format!("; levels that training had not in {n} rows"));
                format!(
                    "`{}` in {} of rows, was {}{unseen}",
                    level.level,
                    percent(level.share),
                    percent(level.share_was)
                )
            }
            _ => "another distribution".to_owned(),
        };
        let distance = column.distance.map_or_else(String::new, |distance| format!("distance {distance:.2}, "));
        let index = column.psi.map_or_else(String::new, |psi| format!("PSI {psi:.2}"));
        parts.push(format!("{what} ({distance}{index})"));
    }
    if column.missing.has_drifted {
        let MissingDrift { share, share_was, .. } = column.missing;
        parts.push(format!("{} of cells missing, was {}", percent(share), percent(share_was)));
    }
    format!("`{}`: {}", column.column, parts.join("; "))
}

fn quartile_words([low, median, high]: [f64; 3], [low_was, median_was, high_was]: [f64; 3]) -> String {
    let (width, width_was) = (high - low, high_was - low_was);
    let mut parts = Vec::new();
    if (median - median_was).abs() > MEDIAN_MOVES * width_was {
        parts.push(format!("median {}, was {}", number(median), number(median_was)));
    }
    if width_was > 0.0 && !WIDTH_STAYS.contains(&(width / width_was)) {
        let half = |low, high| format!("{} to {}", number(low), number(high));
        parts.push(format!("middle half {}, was {}", half(low, high), half(low_was, high_was)));
    }
    if parts.is_empty() { "another distribution around the same median".to_owned() } else { parts.join(", ") }
}

/// A share as per cent.
fn percent(share: f64) -> String {
    let x = 100.0 * share;
    if x != 0.0 && x < 0.1 { format!("{x:.2} %") } else { format!("{x:.1} %") }
}

/// A number with four significant digits, without trailing zeros behind the point.
fn number(x: f64) -> String {
    if x == 0.0 || !x.is_finite() {
        return x.to_string();
    }
    let magnitude = x.abs().log10().floor();
    if !(-4.0..9.0).contains(&magnitude) {
        return format!("{x:.3e}");
    }
    let text = format!("{x:.*}", (3.0 - magnitude).max(0.0) as usize);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moved_is_told_and_nothing_else() {
        assert_eq!(quartile_words([17.0, 21.3, 25.0], [14.0, 18.0, 22.0]), "median 21.3, was 18");
        assert_eq!(quartile_words([-3.0, 0.0, 3.0], [-2.0, 0.0, 2.0]), "middle half -3 to 3, was -2 to 2");
        assert_eq!(quartile_words([-2.0, 0.1, 2.0], [-2.0, 0.0, 2.0]), "another distribution around the same median");
        assert_eq!(quartile_words([0.0, 1.0, 1.0], [0.0, 0.0, 0.0]), "median 1, was 0");
    }

    #[test]
    fn numbers_are_short() {
        for (x, text) in
            [(0.0, "0"), (18.0, "18"), (21.345, "21.34"), (123_456.0, "123456"), (1e-7, "1.000e-7"), (0.05, "0.05")]
        {
            assert_eq!(number(x), text);
        }
        assert_eq!((percent(0.0), percent(0.0005), percent(0.053)), ("0.0 %".into(), "0.05 %".into(), "5.3 %".into()));
    }
}
