//! The head of the page: what was fitted, in one sentence and a few numbers, and what to know before trusting it.

use askama::Template;

use super::label::{Label, Piece, prose};
use super::number::{count, counted, decibels, number, percent};
use super::restorer;
use super::subject::Subject;
use super::training::denoises;
use crate::report::{Reconstruction, Report, RestorerReport};

/// Notes shown before the rest is folded away.
const NOTES_SHOWN: usize = 8;
/// Notes kept at all; the JSON has the rest.
const NOTES_KEPT: usize = 200;

/// The section.
#[derive(Template)]
#[template(path = "report/summary.html", whitespace = "minimize")]
pub(super) struct Summary {
    name: Label,
    lead: Vec<Piece>,
    tiles: Vec<Tile>,
    warnings: Vec<Vec<Piece>>,
    notes: Vec<Vec<Piece>>,
    more_notes: Vec<Vec<Piece>>,
    unlisted_notes: usize,
}

/// A figure worth the head of the page.
pub(super) struct Tile {
    pub(super) name: &'static str,
    pub(super) value: String,
    pub(super) remark: String,
}

impl Summary {
    pub(super) fn new(report: &Report) -> Summary {
        let notes = &report.notes;
        let kept = notes.len().min(NOTES_KEPT);
        let shown = if kept <= NOTES_SHOWN + 2 { kept } else { NOTES_SHOWN };
        Summary {
            name: Label::new(&report.source),
            lead: prose(&format!("{} {}", network(report), decision(report)), 2000),
            tiles: tiles(report),
            warnings: sentences(&report.warnings),
            notes: sentences(&notes[..shown]),
            more_notes: sentences(&notes[shown..kept]),
            unlisted_notes: notes.len() - kept,
        }
    }

    /// Of a restorer, which chooses nothing for its user.
    pub(super) fn restorer(report: &RestorerReport) -> Summary {
        Summary {
            name: Label::new(&restorer::name(report)),
            lead: prose(&restorer::lead(report), 2000),
            tiles: restorer::tiles(report),
            warnings: sentences(&report.warnings),
            notes: Vec::new(),
            more_notes: Vec::new(),
            unlisted_notes: 0,
        }
    }
}

fn sentences(texts: &[String]) -> Vec<Vec<Piece>> {
    texts.iter().map(|text| prose(text, 1000)).collect()
}

/// `4 denoising networks with 29 inputs and a code of 256, trained on 800 rows.`
fn network(report: &Report) -> String {
    let network = &report.network;
    let kind = if denoises(&report.training) { "denoising network" } else { "network" };
    format!(
        "{} with {} and a code of {}, trained on {}{}.",
        counted(network.members as u64, kind),
        counted(network.inputs as u64, "input"),
        count(network.code_size as u64),
        if Subject::seen(report) == Subject::Piece { "pieces of " } else { "" },
        counted(report.rows.train, Subject::judged(report).noun())
    )
}

fn decision(report: &Report) -> String {
    let detection = &report.detection;
    let subject = match Subject::judged(report) {
        Subject::Image => "An image",
        Subject::Piece => "A piece",
        Subject::Row => "A row",
    };
    let rule = format!("{subject} is an anomaly when its score exceeds {}", number(detection.threshold));
    match detection.promised_rate.filter(|rate| rate.is_finite()) {
        Some(rate) => format!("{rule}; the promised false-alarm rate is {}.", percent(rate)),
        None => format!("{rule}; no false-alarm rate is promised."),
    }
}

fn tiles(report: &Report) -> Vec<Tile> {
    let (rows, network, detection) = (&report.rows, &report.network, &report.detection);
    let promise = detection.promised_rate.filter(|rate| rate.is_finite());
    let subject = Subject::judged(report);
    vec![
        Tile { name: subject.read(), value: count(rows.read), remark: format!("{} trained", count(rows.train)) },
        Tile {
            name: "inputs → code",
            value: format!("{} → {}", count(network.inputs as u64), count(network.code_size as u64)),
            remark: shape(report),
        },
        Tile {
            name: "parameters",
            value: count(network.parameters as u64),
            remark: if network.members > 1 {
                format!("in each of {} networks", count(network.members as u64))
            } else {
                "in one network".to_owned()
            },
        },
        Tile {
            name: "threshold",
            value: number(detection.threshold),
            remark: format!("from {}", counted(rows.calibration, subject.noun())),
        },
        Tile {
            name: "false alarms",
            value: promise.map_or_else(|| "no promise".to_owned(), |rate| format!("≤ {}", percent(rate))),
            remark: promise.map_or_else(
                || "see the threshold rule".to_owned(),
                |_| format!("promised on fresh normal {}", subject.plural()),
            ),
        },
        match &report.images {
            Some(images) => rebuilt_images(&images.quality),
            None => rebuilt_columns(report),
        },
    ]
}

fn rebuilt_columns(report: &Report) -> Tile {
    let mut qualities: Vec<f64> =
        report.columns.iter().filter_map(|column| column.quality).filter(|quality| quality.is_finite()).collect();
    qualities.sort_by(f64::total_cmp);
    let rebuilt = qualities.get(qualities.len() / 2);
    Tile {
        name: "rebuilt",
        value: rebuilt.map_or_else(|| "n/a".to_owned(), |quality| percent(*quality)),
        remark: "median quality of columns".to_owned(),
    }
}

fn rebuilt_images(quality: &Reconstruction) -> Tile {
    match quality.n {
        0 => Tile { name: "rebuilt", value: "n/a".to_owned(), remark: "no image held out".to_owned() },
        _ => Tile {
            name: "rebuilt",
            value: decibels(quality.model.psnr),
            remark: format!("PSNR held out; PCA {}", decibels(quality.pca.psnr)),
        },
    }
}

fn shape(report: &Report) -> String {
    let narrower = report.network.code_size < report.network.inputs;
    if narrower { "narrower than the data" } else { "not narrower than the data" }.to_owned()
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
            "A row is an anomaly when its score exceeds 3.41; the promised false-alarm rate is 1 %."
        );
        report.training.iter_mut().for_each(|training| training.corruption = "none".to_owned());
        report.network.members = 1;
        report.detection.promised_rate = None;
        assert!(plain(network(&report)).starts_with("1 network with"));
        assert!(decision(&report).ends_with("no false-alarm rate is promised."));
    }

    #[test]
    fn of_images_the_sentence_and_the_tiles_speak_of_images() {
        let mut report = sample::report();
        let told = |report: &Report| {
            let tiles = tiles(report);
            let tiles = tiles.iter().map(|tile| format!("{}: {}, {}", tile.name, tile.value, tile.remark));
            let words: Vec<String> = [network(report), decision(report)].into_iter().chain(tiles).collect();
            words.join("\n").replace('\u{a0}', " ")
        };
        report.images = Some(sample::images());
        report.rows.train = 43_200;
        let words = told(&report);
        for expected in [
            "trained on pieces of 43,200 images.",
            "An image is an anomaly when",
            "images read: 1,061, 43,200 trained",
            "from 200 images",
            "promised on fresh normal images",
            "rebuilt: 27.70 dB, PSNR held out; PCA 26.90 dB",
        ] {
            assert!(words.contains(expected), "`{expected}` is missing in {words}");
        }
        assert!(!words.contains(" row"), "{words}");
        let images = report.images.as_mut().unwrap();
        (images.stride, images.quality.n) = (None, 0);
        let words = told(&report);
        assert!(words.contains("trained on 43,200 images.") && words.contains("no image held out"), "{words}");
    }

    #[test]
    fn many_notes_are_folded_and_none_is_lost_in_silence() {
        let mut report = sample::report();
        report.notes = (0..300).map(|i| format!("note {i}")).collect();
        let summary = Summary::new(&report);
        assert_eq!((summary.notes.len(), summary.more_notes.len(), summary.unlisted_notes), (8, 192, 100));
    }
}
