//! What became of the rows or images, and of the columns.

use askama::Template;

use super::album::Album;
use super::columns::Columns;
use super::number::{count, percent};
use super::subject::Subject;
use crate::report::{AlbumReport, Report, RestorerReport, RowCounts};

/// The section.
#[derive(Template)]
#[template(path = "report/data.html", whitespace = "minimize")]
pub(super) struct Data {
    about: &'static str,
    subject: Subject,
    read: String,
    fates: Vec<Fate>,
    fates_description: String,
    columns: Option<Columns>,
    album: Option<Album>,
}

struct Fate {
    class: &'static str,
    name: &'static str,
    count: String,
    percent: String,
    /// Share of the bar, a plain number for the stylesheet.
    grow: f64,
}

impl Data {
    pub(super) fn new(report: &Report) -> Data {
        match &report.images {
            Some(images) => Data {
                about: "What became of the images. Calibration images never train: they set the threshold.",
                album: Some(Album::new(&images.album, report.label.as_ref())),
                ..Data::of(&report.rows, Subject::Image)
            },
            None => Data {
                about: "What became of the rows and columns. Calibration rows never train: they set the threshold.",
                columns: Some(Columns::new(report)),
                ..Data::of(&report.rows, Subject::Row)
            },
        }
    }

    pub(super) fn restorer(report: &RestorerReport) -> Data {
        let AlbumReport { read, train, validation, calibration, .. } = report.album;
        let rows = RowCounts { read, train, validation, calibration, ..RowCounts::default() };
        Data {
            about: "What became of the images. Validation images never train: they choose which weights to keep.",
            album: Some(Album::new(&report.album, None)),
            ..Data::of(&rows, Subject::Image)
        }
    }

    fn of(rows: &RowCounts, subject: Subject) -> Data {
        let fates = fates(rows);
        let said: Vec<String> = fates.iter().map(|fate| format!("{} {}", fate.name, fate.count)).collect();
        Data {
            about: "",
            subject,
            read: count(rows.read),
            fates_description: format!("{}: {}", subject.plural(), said.join(", ")),
            fates,
            columns: None,
            album: None,
        }
    }
}

/// Every row read has one fate; what the report does not account for is shown as such.
fn fates(rows: &RowCounts) -> Vec<Fate> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_read_has_a_fate() {
        let fates =
            fates(&RowCounts { read: 100, not_normal: 5, unlabelled: 0, train: 60, validation: 10, calibration: 20 });
        let told: Vec<String> = fates.iter().map(|fate| format!("{} {}", fate.name, fate.count)).collect();
        assert_eq!(told, ["train 60", "validation 10", "calibration 20", "left out, not normal 5", "not used 5"]);
        assert!(self::fates(&RowCounts::default()).is_empty());
        assert_eq!(
            self::fates(&RowCounts { read: 1, train: u64::MAX, validation: u64::MAX, ..RowCounts::default() }).len(),
            2
        );
    }
}
