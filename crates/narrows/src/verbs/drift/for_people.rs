//! The comparison as a table for people.

use narrows_core::drift::{ColumnDrift, DriftReport, LEAST_DISTANCE, LEAST_EXCESS, LEAST_MISSING, LEAST_PSI};

use crate::talk::{count, grouped};

/// Columns of the table; all of them are in the JSON.
const TOLD_COLUMNS: usize = 40;

/// The table, what has drifted, whether the promise stands, and what counts as drift.
pub(super) fn for_people(report: &DriftReport) -> String {
    let of = if report.independent < report.rows - report.unscored {
        format!(", which count as {} independent ones", grouped(report.independent))
    } else {
        String::new()
    };
    let mut lines = vec![format!("{} compared with the fit{of}", count(report.rows, report.unit)), String::new()];
    lines.push(head());
    let s = &report.score;
    lines.push(line("score", Some(s.distance), None, Some(s.corrected), s.has_drifted));
    let t = &report.threshold;
    lines.push(line("share above the threshold", None, None, Some(t.corrected), !t.stands));
    let mut columns: Vec<&ColumnDrift> = report.columns.iter().collect();
    let p = |column: &ColumnDrift| column.corrected.unwrap_or(1.0).min(column.missing.corrected.unwrap_or(1.0));
    if columns.len() > TOLD_COLUMNS {
        columns.sort_by(|a, b| p(a).total_cmp(&p(b)));
    }
    for column in columns.iter().take(TOLD_COLUMNS) {
        let ColumnDrift { distance, psi, corrected, has_drifted, .. } = column;
        lines.push(line(&format!("`{}`", column.column), *distance, *psi, *corrected, *has_drifted));
        if let Some(corrected) = column.missing.corrected {
            lines.push(line("  missing cells", None, None, Some(corrected), column.missing.has_drifted));
        }
    }
    if let Some(more) = columns.len().checked_sub(TOLD_COLUMNS).filter(|more| *more > 0) {
        lines.push(format!("  and {} with higher p-values", count(more as u64, "column")));
    }
    lines.push(String::new());
    if report.has_drifted {
        lines.push("drift:".to_owned());
        lines.extend(report.findings.iter().map(|finding| format!("  {finding}")));
    } else {
        lines.push("no drift".to_owned());
    }
    lines.push(promise(report));
    lines.push(format!(
        "drift is a corrected p-value of at most {} and a distance of at least {LEAST_DISTANCE}, a PSI of at least {LEAST_PSI}, \
         {:.0} % more or fewer missing cells, or {LEAST_EXCESS} times as many {}s above the threshold as promised",
        report.level,
        100.0 * LEAST_MISSING,
        report.unit
    ));
    lines.extend(report.notes.iter().map(|note| format!("note: {note}")));
    lines.join("\n")
}

/// Whether the threshold's promise still stands.
pub(in crate::verbs) fn promise(report: &DriftReport) -> String {
    let (t, unit) = (&report.threshold, report.unit);
    if report.rows == report.unscored {
        return format!("no {} has a score", report.unit);
    }
    let is_significant = t.corrected <= report.level;
    let flagged = format!("{} above the threshold ({:.2} %)", count(t.flagged, report.unit), 100.0 * t.share);
    match (t.promised_rate, t.stands) {
        (Some(rate), true) if is_significant => {
            format!(
                "{flagged}: more than the promise, {:.2} % of normal {unit}s, but less than {LEAST_EXCESS} times as many",
                100.0 * rate
            )
        }
        (Some(rate), true) => {
            format!("{flagged}: not significantly more than the promise, {:.2} % of normal {unit}s", 100.0 * rate)
        }
        (Some(rate), false) => {
            format!("{flagged}: the promise, at most {:.2} % of normal {unit}s, does not stand", 100.0 * rate)
        }
        (None, _) => {
            format!("{flagged}, {:.2} % of the held-out {unit}s; the rule promises nothing", 100.0 * t.share_was)
        }
    }
}

fn head() -> String {
    format!("  {:<28} {:>8} {:>7} {:>13}", "", "distance", "PSI", "corrected p")
}

fn line(name: &str, distance: Option<f64>, psi: Option<f64>, corrected: Option<f64>, has_drifted: bool) -> String {
    let cell = |x: Option<f64>| x.map_or_else(String::new, |x| format!("{x:.3}"));
    let p =
        corrected.map_or_else(|| "-".to_owned(), |p| if p < 0.001 { format!("{p:.1e}") } else { format!("{p:.3}") });
    let (distance, psi) = (cell(distance), cell(psi));
    let drift = if has_drifted { "   drift" } else { "" };
    format!("  {name:<28} {distance:>8} {psi:>7} {p:>13}{drift}")
}
