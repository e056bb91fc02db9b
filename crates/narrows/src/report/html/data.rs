//! What became of the rows and of the columns.

use askama::Template;

use super::label::{Label, Piece, cut, prose};
use super::number::{count, percent};
use super::quality::Rebuilt;
use crate::report::{ColumnReport, Report, Role, Rows};

/// Columns shown before the rest is folded away.
const COLUMNS_SHOWN: usize = 40;
/// Columns listed at all; the JSON has the rest.
const COLUMNS_KEPT: usize = 400;
/// Columns named as left out.
const LEFT_OUT_KEPT: usize = 40;

/// The section.
#[derive(Template)]
#[template(path = "report/data.html", whitespace = "minimize")]
pub(super) struct Data {
    read: String,
    fates: Vec<Fate>,
    fates_in_words: String,
    columns: String,
    shown: Vec<Column>,
    folded: Vec<Column>,
    unlisted: String,
    left_out: Vec<LeftOut>,
    more_left_out: String,
}

struct Fate {
    class: &'static str,
    name: &'static str,
    count: String,
    percent: String,
    /// Share of the bar, a plain number for the stylesheet.
    grow: f64,
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

impl Data {
    pub(super) fn new(report: &Report) -> Data {
        let fates = fates(&report.rows);
        let said: Vec<String> = fates.iter().map(|fate| format!("{} {}", fate.name, fate.count)).collect();
        let mut columns =
            report.columns.iter().take(COLUMNS_KEPT).map(|column| self::column(column, report.rows.train));
        let shown = if report.columns.len() <= COLUMNS_SHOWN + 10 { COLUMNS_SHOWN + 10 } else { COLUMNS_SHOWN };
        let dropped: Vec<&ColumnReport> = report.columns.iter().filter(|column| column.role == Role::Dropped).collect();
        Data {
            read: count(report.rows.read),
            fates_in_words: format!("Rows: {}", said.join(", ")),
            fates,
            columns: counts(&report.columns),
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

/// Every row read has one fate; what the report does not account for is shown as such.
fn fates(rows: &Rows) -> Vec<Fate> {
    let told = [
        ("train", "train", rows.train),
        ("validation", "validation", rows.validation),
        ("calibration", "calibration", rows.calibration),
        ("not-normal", "left out, not normal", rows.not_normal),
        ("unlabelled", "left out, no label", rows.unlabelled),
    ];
    let sum = told.iter().fold(0u64, |sum, (_, _, n)| sum.saturating_add(*n));
    let all = rows.read.max(sum);
    let share = |n: u64| if all == 0 { 0.0 } else { n as f64 / all as f64 };
    told.into_iter()
        .chain([("unused", "not used", rows.read.saturating_sub(sum))])
        .filter(|(_, _, n)| *n > 0)
        .map(|(class, name, n)| Fate {
            class,
            name,
            count: count(n),
            percent: percent(share(n)),
            grow: (share(n) * 1e4).round() / 10.0,
        })
        .collect()
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
    fn every_row_read_has_a_fate() {
        let fates =
            fates(&Rows { read: 100, not_normal: 5, unlabelled: 0, train: 60, validation: 10, calibration: 20 });
        let told: Vec<String> = fates.iter().map(|fate| format!("{} {}", fate.name, fate.count)).collect();
        assert_eq!(told, ["train 60", "validation 10", "calibration 20", "left out, not normal 5", "not used 5"]);
        assert!(self::fates(&Rows::default()).is_empty());
        assert_eq!(self::fates(&Rows { read: 1, train: u64::MAX, validation: u64::MAX, ..Rows::default() }).len(), 2);
    }

    #[test]
    fn dropped_columns_are_named_with_their_reason() {
        let data = Data::new(&sample::report());
        let html = data.render().unwrap();
        assert!(
            data.left_out
                .iter()
                .any(|column| column.name.short == "currency" && column.reason[0].text.contains("constant")),
            "{html}"
        );
        assert_eq!(counts(&sample::report().columns), "29 features, 1 label, 1 ignored, 2 dropped");
    }
}
