//! The head of the page: what was fitted, in one sentence and a few numbers, and what to know before trusting it.

use askama::Template;

use super::label::{Label, Piece, prose};
use super::number::{count, counted, number, percent};
use super::training::denoises;
use crate::report::Report;

/// Notes shown before the rest is folded away.
const NOTES_SHOWN: usize = 8;
/// Notes kept at all; the JSON has the rest.
const NOTES_KEPT: usize = 200;

/// The section.
#[derive(Template)]
#[template(path = "report/summary.html", whitespace = "minimize")]
pub(super) struct Summary {
    source: Label,
    network: String,
    decision: String,
    tiles: Vec<Tile>,
    warnings: Vec<Vec<Piece>>,
    notes: Vec<Vec<Piece>>,
    more_notes: Vec<Vec<Piece>>,
    unlisted_notes: usize,
}

struct Tile {
    name: &'static str,
    value: String,
    remark: String,
}

impl Summary {
    pub(super) fn new(report: &Report) -> Summary {
        let notes = &report.notes;
        let kept = notes.len().min(NOTES_KEPT);
        let shown = if kept <= NOTES_SHOWN + 2 { kept } else { NOTES_SHOWN };
        Summary {
            source: Label::new(&report.source),
            network: network(report),
            decision: decision(report),
            tiles: tiles(report),
            warnings: sentences(&report.warnings),
            notes: sentences(&notes[..shown]),
            more_notes: sentences(&notes[shown..kept]),
            unlisted_notes: notes.len() - kept,
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
        "{} with {} and a code of {}, trained on {}.",
        counted(network.members as u64, kind),
        counted(network.inputs as u64, "input"),
        count(network.code_size as u64),
        counted(report.rows.train, "row")
    )
}

fn decision(report: &Report) -> String {
    let detection = &report.detection;
    let rule = format!("A row is an anomaly when its score exceeds {}", number(detection.threshold));
    match detection.promised_rate.filter(|rate| rate.is_finite()) {
        Some(rate) => format!("{rule}; the promised false-alarm rate is {}.", percent(rate)),
        None => format!("{rule}; no false-alarm rate is promised."),
    }
}

fn tiles(report: &Report) -> Vec<Tile> {
    let (rows, network, detection) = (&report.rows, &report.network, &report.detection);
    let promise = detection.promised_rate.filter(|rate| rate.is_finite());
    let mut qualities: Vec<f64> =
        report.columns.iter().filter_map(|column| column.quality).filter(|quality| quality.is_finite()).collect();
    qualities.sort_by(f64::total_cmp);
    let rebuilt = qualities.get(qualities.len() / 2);
    vec![
        Tile { name: "rows read", value: count(rows.read), remark: format!("{} trained", count(rows.train)) },
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
            remark: format!("from {}", counted(rows.calibration, "row")),
        },
        Tile {
            name: "false alarms",
            value: promise.map_or_else(|| "no promise".to_owned(), |rate| format!("≤ {}", percent(rate))),
            remark: promise.map_or("see the threshold rule", |_| "promised on fresh normal rows").to_owned(),
        },
        Tile {
            name: "rebuilt",
            value: rebuilt.map_or_else(|| "n/a".to_owned(), |quality| percent(*quality)),
            remark: "median quality of columns".to_owned(),
        },
    ]
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
    fn many_notes_are_folded_and_none_is_lost_in_silence() {
        let mut report = sample::report();
        report.notes = (0..300).map(|i| format!("note {i}")).collect();
        let summary = Summary::new(&report);
        assert_eq!((summary.notes.len(), summary.more_notes.len(), summary.unlisted_notes), (8, 192, 100));
    }
}
