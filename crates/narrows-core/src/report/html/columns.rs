//! The columns of a table: what each is and what was done with it.

use askama::Template;

use super::label::{Label, Piece, cut, prose};
use super::number::{count, percent};
use super::quality::Rebuilt;
use crate::report::{ColumnReport, Report, Role};

/// Columns shown before the rest is folded away.
const COLUMNS_SHOWN: usize = 40;
/// Columns listed at all; the JSON has the rest.
const COLUMNS_KEPT: usize = 400;
/// Columns named as left out.
const LEFT_OUT_KEPT: usize = 40;

/// A part of the data section.
#[derive(Template)]
#[template(path = "report/columns.html", whitespace = "minimize")]
pub(super) struct Columns {
    told: String,
    shown: Vec<Column>,
    folded: Vec<Column>,
    unlisted: String,
    left_out: Vec<LeftOut>,
    more_left_out: String,
}

struct Column {
    name: Label,
    kind: String,
    role: &'static str,
    words: Vec<Piece>,
    missing: String,
    rebuilt: Option<Rebuilt>,
}

struct LeftOut {
    name: Label,
    reason: Vec<Piece>,
}

impl Columns {
    pub(super) fn new(report: &Report) -> Columns {
        let mut columns =
            report.columns.iter().take(COLUMNS_KEPT).map(|column| self::column(column, report.rows.train));
        let shown = if report.columns.len() <= COLUMNS_SHOWN + 10 { COLUMNS_SHOWN + 10 } else { COLUMNS_SHOWN };
        let dropped: Vec<&ColumnReport> = report.columns.iter().filter(|column| column.role == Role::Dropped).collect();
        Columns {
            told: counts(&report.columns),
            shown: columns.by_ref().take(shown).collect(),
            folded: columns.collect(),
            unlisted: more(report.columns.len(), COLUMNS_KEPT),
            left_out: dropped
                .iter()
                .take(LEFT_OUT_KEPT)
                .map(|column| LeftOut { name: Label::new(&column.name), reason: prose(&column.words, 200) })
                .collect(),
            more_left_out: more(dropped.len(), LEFT_OUT_KEPT),
        }
    }
}

/// How many go unlisted, in words; empty where none does.
fn more(all: usize, kept: usize) -> String {
    if all > kept { count((all - kept) as u64) } else { String::new() }
}

fn column(column: &ColumnReport, train: u64) -> Column {
    let missing = match column.missing {
        0 => "–".to_owned(),
        n if train > 0 => format!("{} ({})", count(n), percent(n as f64 / train as f64)),
        n => count(n),
    };
    Column {
        name: Label::new(&column.name),
        kind: cut(&column.kind, 40),
        role: role(&column.role),
        words: prose(&column.words, 200),
        missing,
        rebuilt: column.quality.map(Rebuilt::new),
    }
}

fn role(role: &Role) -> &'static str {
    match role {
        Role::Feature => "feature",
        Role::Label => "label",
        Role::Ignored => "ignored",
        Role::Dropped => "dropped",
    }
}

/// `29 columns: 27 features, 1 label, 1 dropped`
fn counts(columns: &[ColumnReport]) -> String {
    let of = |role: Role| columns.iter().filter(|column| column.role == role).count() as u64;
    let features = of(Role::Feature);
    let told: Vec<String> = [
        (features, if features == 1 { "feature" } else { "features" }),
        (of(Role::Label), "label"),
        (of(Role::Ignored), "ignored"),
        (of(Role::Dropped), "dropped"),
    ]
    .into_iter()
    .filter(|(n, _)| *n > 0)
    .map(|(n, word)| format!("{} {word}", count(n)))
    .collect();
    told.join(", ")
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn dropped_columns_are_named_with_their_reason() {
        let columns = Columns::new(&sample::report());
        let html = columns.render().unwrap();
        assert!(
            columns
                .left_out
                .iter()
                .any(|column| column.name.short == "currency" && column.reason[0].text.contains("constant")),
            "{html}"
        );
        assert_eq!(counts(&sample::report().columns), "29 features, 1 label, 1 ignored, 2 dropped");
    }
}
