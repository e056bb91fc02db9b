//! The head of the page: the fit in one sentence, key figures, warnings and notes.

use askama::Template;

use super::number::{count, counted, decibels, number, percent};
use super::restorer;
use super::sample_kind::SampleKind;
use super::text::{DisplayName, TextSpan, prose};
use super::training::denoises;
use crate::report::{Grade, Reconstruction, Report, RestorerReport};

/// Notes shown before the rest is folded.
const NOTES_SHOWN: usize = 8;
/// Notes kept at all; the JSON has the rest.
const NOTES_KEPT: usize = 200;

/// The section.
#[derive(Template)]
#[template(path = "report/summary.html", whitespace = "minimize")]
pub(super) struct SummarySection {
    name: DisplayName,
    /// The class of the verdict's box, and its words.
    grade: &'static str,
    verdict: Vec<TextSpan>,
    lead: Vec<TextSpan>,
    tiles: Vec<SummaryTile>,
    warnings: Vec<Vec<TextSpan>>,
    notes: Vec<Vec<TextSpan>>,
    more_notes: Vec<Vec<TextSpan>>,
    unlisted_notes: usize,
}

/// A key figure.
pub(super) struct SummaryTile {
    pub(super) name: &'static str,
    pub(super) value: String,
    pub(super) detail: String,
}

impl SummarySection {
    pub(super) fn new(report: &Report) -> SummarySection {
        let notes = &report.notes;
        let kept = notes.len().min(NOTES_KEPT);
        let shown = if kept <= NOTES_SHOWN + 2 { kept } else { NOTES_SHOWN };
        let verdict = report.verdict();
        SummarySection {
            name: DisplayName::new(&report.source),
            grade: class(verdict.grade),
            verdict: prose(&capitalised(&verdict.sentence), 2000),
            lead: prose(&format!("{} {}", network(report), decision(report)), 2000),
            tiles: tiles(report),
            warnings: sentences(&report.warnings),
            notes: sentences(&notes[..shown]),
            more_notes: sentences(&notes[shown..kept]),
            unlisted_notes: notes.len() - kept,
        }
    }

    /// The head of a restorer's page, which has no notes.
    pub(super) fn restorer(report: &RestorerReport) -> SummarySection {
        let verdict = report.verdict();
        SummarySection {
            name: DisplayName::new(&restorer::name(report)),
            grade: class(verdict.grade),
            verdict: prose(&capitalised(&verdict.sentence), 2000),
            lead: prose(&restorer::lead(report), 2000),
            tiles: restorer::tiles(report),
            warnings: sentences(&report.warnings),
            notes: Vec::new(),
            more_notes: Vec::new(),
            unlisted_notes: 0,
        }
    }
}

/// The class of a verdict's box.
fn class(grade: Grade) -> &'static str {
    match grade {
        Grade::Good => "good",
        Grade::Check => "check",
        Grade::DoNotUse => "bad",
    }
}

/// A clause as a sentence.
fn capitalised(clause: &str) -> String {
    let mut letters = clause.chars();
    letters.next().map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), letters.as_str()))
}

fn sentences(texts: &[String]) -> Vec<Vec<TextSpan>> {
    texts.iter().map(|text| prose(text, 1000)).collect()
}

/// `4 denoising networks with 29 inputs and a code of 256, trained on 800 rows.`
pub(in crate::report) fn network(report: &Report) -> String {
    let network = &report.network;
    let kind = if denoises(&report.training) { "denoising network" } else { "network" };
    format!(
        "{} with {} and a code of {}, trained on {}{}.",
        counted(network.members as u64, kind),
        counted(network.inputs as u64, "input"),
        count(network.code_size as u64),
        if SampleKind::network_input(report) == SampleKind::Patch { "patches of " } else { "" },
        counted(report.rows.train, SampleKind::scored(report).noun())
    )
}

pub(in crate::report) fn decision(report: &Report) -> String {
    let detection = &report.detection;
    let subject = match SampleKind::scored(report) {
        SampleKind::Image => "An image",
        SampleKind::Patch => "A patch",
        SampleKind::Row => "A row",
    };
    let rule = format!("{subject} is an anomaly when its score exceeds {}", number(detection.threshold));
    match detection.promised_rate.filter(|rate| rate.is_finite()) {
        Some(rate) => format!("{rule}; the guaranteed false-alarm rate is {}.", percent(rate)),
        None => format!("{rule}; no false-alarm rate is guaranteed."),
    }
}

fn tiles(report: &Report) -> Vec<SummaryTile> {
    let (rows, network, detection) = (&report.rows, &report.network, &report.detection);
    let guarantee = detection.promised_rate.filter(|rate| rate.is_finite());
    let sample_kind = SampleKind::scored(report);
    vec![
        SummaryTile {
            name: sample_kind.count_label(),
            value: count(rows.read),
            detail: format!("{} for training", count(rows.train)),
        },
        SummaryTile {
            name: "inputs → code",
            value: format!("{} → {}", count(network.inputs as u64), count(network.code_size as u64)),
            detail: shape(report),
        },
        SummaryTile {
            name: "parameters",
            value: count(network.parameters as u64),
            detail: if network.members > 1 {
                format!("per network, {} networks", count(network.members as u64))
            } else {
                "one network".to_owned()
            },
        },
        SummaryTile {
            name: "threshold",
            value: number(detection.threshold),
            detail: format!("from {}", counted(rows.calibration, sample_kind.noun())),
        },
        SummaryTile {
            name: "false alarms",
            value: guarantee.map_or_else(|| "no guarantee".to_owned(), |rate| format!("≤ {}", percent(rate))),
            detail: guarantee.map_or_else(
                || "see the threshold rule".to_owned(),
                |_| format!("guaranteed on unseen normal {}", sample_kind.plural()),
            ),
        },
        match &report.images {
            Some(images) => image_quality(&images.quality),
            None => column_quality(report),
        },
    ]
}

fn column_quality(report: &Report) -> SummaryTile {
    let mut qualities: Vec<f64> =
        report.columns.iter().filter_map(|column| column.quality).filter(|quality| quality.is_finite()).collect();
    qualities.sort_by(f64::total_cmp);
    let median = qualities.get(qualities.len() / 2);
    SummaryTile {
        name: "reconstruction",
        value: median.map_or_else(|| "n/a".to_owned(), |quality| percent(*quality)),
        detail: "median column quality".to_owned(),
    }
}

fn image_quality(quality: &Reconstruction) -> SummaryTile {
    match quality.n {
        0 => SummaryTile { name: "reconstruction", value: "n/a".to_owned(), detail: "no image held out".to_owned() },
        _ => SummaryTile {
            name: "reconstruction",
            value: decibels(quality.model.psnr),
            detail: format!("held-out PSNR; PCA {}", decibels(quality.pca.psnr)),
        },
    }
}

fn shape(report: &Report) -> String {
    let is_undercomplete = report.network.code_size < report.network.inputs;
    if is_undercomplete { "undercomplete" } else { "overcomplete" }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn the_sentence_says_what_was_fitted_and_how_it_decides() {
        let mut report = sample::report();
        let plain = |text: String| text.replace('\u{a0}', " ");
        assert_eq!(
            plain(network(&report)),
            "4 denoising networks with 29 inputs and a code of 256, trained on 800 rows."
        );
        assert_eq!(
            plain(decision(&report)),
            "A row is an anomaly when its score exceeds 3.41; the guaranteed false-alarm rate is 1 %."
        );
        report.training.iter_mut().for_each(|training| training.corruption = "none".to_owned());
        report.network.members = 1;
        report.detection.promised_rate = None;
        assert!(plain(network(&report)).starts_with("1 network with"));
        assert!(decision(&report).ends_with("no false-alarm rate is guaranteed."));
    }

    #[test]
    fn image_reports_mention_images_only() {
        let mut report = sample::report();
        let text = |report: &Report| {
            let tiles = tiles(report);
            let tiles = tiles.iter().map(|tile| format!("{}: {}, {}", tile.name, tile.value, tile.detail));
            let words: Vec<String> = [network(report), decision(report)].into_iter().chain(tiles).collect();
            words.join("\n").replace('\u{a0}', " ")
        };
        report.images = Some(sample::images());
        report.rows.train = 43_200;
        let words = text(&report);
        for expected in [
            "trained on patches of 43,200 images.",
            "An image is an anomaly when",
            "images read: 1,061, 43,200 for training",
            "from 200 images",
            "guaranteed on unseen normal images",
            "reconstruction: 27.70 dB, held-out PSNR; PCA 26.90 dB",
        ] {
            assert!(words.contains(expected), "`{expected}` is missing in {words}");
        }
        assert!(!words.contains(" row"), "{words}");
        let images = report.images.as_mut().unwrap();
        (images.stride, images.quality.n) = (None, 0);
        let words = text(&report);
        assert!(words.contains("trained on 43,200 images.") && words.contains("no image held out"), "{words}");
    }

    #[test]
    fn many_notes_are_folded_and_counted() {
        let mut report = sample::report();
        report.notes = (0..300).map(|i| format!("note {i}")).collect();
        let summary = SummarySection::new(&report);
        assert_eq!((summary.notes.len(), summary.more_notes.len(), summary.unlisted_notes), (8, 192, 100));
    }
}
