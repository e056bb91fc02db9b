//! The columns of a table: type, role and preprocessing.

use askama::Template;

use super::number::{count, percent};
use super::quality::QualityBar;
use super::text::{DisplayName, TextSpan, cut, prose};
use crate::report::{ColumnReport, Report, Role};

/// Columns shown before the rest is folded.
const COLUMNS_SHOWN: usize = 40;
/// Columns listed at all; the JSON has the rest.
const COLUMNS_KEPT: usize = 400;
/// Dropped columns named.
const DROPPED_KEPT: usize = 40;

/// Part of the data section.
#[derive(Template)]
#[template(path = "report/columns.html", whitespace = "minimize")]
pub(super) struct ColumnTable {
    counts: String,
    shown: Vec<ColumnRow>,
    folded: Vec<ColumnRow>,
    unlisted: String,
    dropped: Vec<DroppedColumn>,
    more_dropped: String,
}

struct ColumnRow {
    name: DisplayName,
    kind: String,
    role: &'static str,
    treatment: Vec<TextSpan>,
    missing: String,
    quality: Option<QualityBar>,
}

struct DroppedColumn {
    name: DisplayName,
    reason: Vec<TextSpan>,
}

impl ColumnTable {
    pub(super) fn new(report: &Report) -> ColumnTable {
        let mut columns =
            report.columns.iter().take(COLUMNS_KEPT).map(|column| self::column(column, report.rows.train));
        let shown = if report.columns.len() <= COLUMNS_SHOWN + 10 { COLUMNS_SHOWN + 10 } else { COLUMNS_SHOWN };
        let all_dropped: Vec<&ColumnReport> =
            report.columns.iter().filter(|column| column.role == Role::Dropped).collect();
        ColumnTable {
            counts: counts(&report.columns),
            shown: columns.by_ref().take(shown).collect(),
            folded: columns.collect(),
            unlisted: more(report.columns.len(), COLUMNS_KEPT),
            dropped: all_dropped
                .iter()
                .take(DROPPED_KEPT)
                .map(|column| DroppedColumn { name: DisplayName::new(&column.name), reason: prose(&column.words, 200) })
                .collect(),
            more_dropped: more(all_dropped.len(), DROPPED_KEPT),
        }
    }
}

/// The number of unlisted columns; empty if all are listed.
fn more(all: usize, kept: usize) -> String {
    if all > kept { count((all - kept) as u64) } else { String::new() }
}

fn column(column: &ColumnReport, train: u64) -> ColumnRow {
    let missing = match column.missing {
        0 => "–".to_owned(),
        n if train > 0 => format!("{} ({})", count(n), percent(n as f64 / train as f64)),
        n => count(n),
    };
    ColumnRow {
        name: DisplayName::new(&column.name),
        kind: cut(&column.kind, 40),
        role: role(&column.role),
        treatment: prose(&column.words, 200),
        missing,
        quality: column.quality.map(QualityBar::new),
    }
}

/// A role in a word.
pub(in crate::report) fn role(role: &Role) -> &'static str {
    match role {
        Role::Feature => "feature",
        Role::Label => "label",
        Role::Ignored => "ignored",
        Role::Dropped => "dropped",
        Role::Invariant => "invariant",
    }
}

/// `29 columns: 27 features, 1 label, 1 dropped`
pub(in crate::report) fn counts(columns: &[ColumnReport]) -> String {
    let of = |role: Role| columns.iter().filter(|column| column.role == role).count() as u64;
    let features = of(Role::Feature);
    let parts: Vec<String> = [
        (features, if features == 1 { "feature" } else { "features" }),
        (of(Role::Label), "label"),
        (of(Role::Ignored), "ignored"),
        (of(Role::Dropped), "dropped"),
        (of(Role::Invariant), "that never changed"),
    ]
    .into_iter()
    .filter(|(n, _)| *n > 0)
    .map(|(n, word)| format!("{} {word}", count(n)))
    .collect();
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn dropped_columns_are_named_with_their_reason() {
        let columns = ColumnTable::new(&sample::report());
        let html = columns.render().unwrap();
        assert!(
            columns
                .dropped
                .iter()
                .any(|column| column.name.short == "currency" && column.reason[0].text.contains("constant")),
            "{html}"
        );
        assert_eq!(counts(&sample::report().columns), "29 features, 1 label, 1 ignored, 2 dropped");
    }
}
