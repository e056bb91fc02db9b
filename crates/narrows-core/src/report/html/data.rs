//! How the rows or images were split, and the columns of a table.

use askama::Template;

use super::album::AlbumFacts;
use super::columns::ColumnTable;
use super::number::{count, percent};
use super::sample_kind::SampleKind;
use crate::report::{AlbumReport, Report, RestorerReport, RowCounts};

/// The section.
#[derive(Template)]
#[template(path = "report/data.html", whitespace = "minimize")]
pub(super) struct DataSection {
    introduction: &'static str,
    heading: String,
    subsets: Vec<SubsetCount>,
    subsets_description: String,
    columns: Option<ColumnTable>,
    album: Option<AlbumFacts>,
}

struct SubsetCount {
    class: &'static str,
    name: &'static str,
    count: String,
    percent: String,
    /// `flex-grow` of the bar segment.
    grow: f64,
}

impl DataSection {
    pub(super) fn new(report: &Report) -> DataSection {
        match &report.images {
            Some(images) => DataSection {
                introduction: "How the images were split. Calibration images are not used for training; they set the threshold.",
                album: Some(AlbumFacts::new(&images.album, report.label.as_ref())),
                ..DataSection::of(&report.rows, SampleKind::Image)
            },
            None => DataSection {
                introduction: "How the rows and columns were used. Calibration rows are not used for training; they set the threshold.",
                columns: Some(ColumnTable::new(report)),
                heading: match &report.population {
                    Some(all) => format!("A sample of {} of {} rows", count(all.sampled), count(all.rows)),
                    None => format!("{} rows read", count(report.rows.read)),
                },
                ..DataSection::of(&report.rows, SampleKind::Row)
            },
        }
    }

    pub(super) fn restorer(report: &RestorerReport) -> DataSection {
        let AlbumReport { read, train, validation, calibration, .. } = report.album;
        let rows = RowCounts { read, train, validation, calibration, ..RowCounts::default() };
        DataSection {
            introduction: "How the images were split. Validation images are not used for training; they select the weights.",
            album: Some(AlbumFacts::new(&report.album, None)),
            ..DataSection::of(&rows, SampleKind::Image)
        }
    }

    fn of(rows: &RowCounts, sample_kind: SampleKind) -> DataSection {
        let subsets = subsets(rows);
        let parts: Vec<String> = subsets.iter().map(|subset| format!("{} {}", subset.name, subset.count)).collect();
        DataSection {
            introduction: "",
            heading: format!("{} {} read", count(rows.read), sample_kind.plural()),
            subsets_description: format!("{}: {}", sample_kind.plural(), parts.join(", ")),
            subsets,
            columns: None,
            album: None,
        }
    }
}

/// The disjoint subsets of the rows read; rows that the report does not account for are `not used`.
fn subsets(rows: &RowCounts) -> Vec<SubsetCount> {
    let counts = [
        ("train", "train", rows.train),
        ("validation", "validation", rows.validation),
        ("calibration", "calibration", rows.calibration),
        ("not-normal", "excluded, not normal", rows.not_normal),
        ("unlabelled", "excluded, no label", rows.unlabelled),
    ];
    let sum = counts.iter().fold(0u64, |sum, (_, _, n)| sum.saturating_add(*n));
    let all = rows.read.max(sum);
    let share = |n: u64| if all == 0 { 0.0 } else { n as f64 / all as f64 };
    counts
        .into_iter()
        .chain([("unused", "not used", rows.read.saturating_sub(sum))])
        .filter(|(_, _, n)| *n > 0)
        .map(|(class, name, n)| SubsetCount {
            class,
            name,
            count: count(n),
            percent: percent(share(n)),
            grow: (share(n) * 1e4).round() / 10.0,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_read_is_in_a_subset() {
        let subsets =
            subsets(&RowCounts { read: 100, not_normal: 5, unlabelled: 0, train: 60, validation: 10, calibration: 20 });
        let counts: Vec<String> = subsets.iter().map(|subset| format!("{} {}", subset.name, subset.count)).collect();
        assert_eq!(counts, ["train 60", "validation 10", "calibration 20", "excluded, not normal 5", "not used 5"]);
        assert!(self::subsets(&RowCounts::default()).is_empty());
        assert_eq!(
            self::subsets(&RowCounts { read: 1, train: u64::MAX, validation: u64::MAX, ..RowCounts::default() }).len(),
            2
        );
    }
}
