//! The page of a restorer: what it undoes, how well, and how it was trained. It has no code, so no scores either.

use askama::Template;

use super::data::Data;
use super::label::cut;
use super::number::{count, counted, decibels, gain};
use super::reproduce::Reproduce;
use super::restoration::{Restoration, is_idle};
use super::summary::{Summary, Tile};
use super::training::TrainingCurves;
use crate::error::{Error, Result};
use crate::report::RestorerReport;

/// The page: its sections in reading order.
#[derive(Template)]
#[template(path = "report/restorer.html", whitespace = "minimize")]
struct Page {
    title: String,
    kind: &'static str,
    version: String,
    summary: Summary,
    restoration: Restoration,
    data: Data,
    network: String,
    parameters: String,
    training: TrainingCurves,
    reproduce: Reproduce,
}

/// PatchSampler the report of a restorer as one self-contained HTML file. The same report gives the same bytes.
///
/// # Errors
/// Where the page cannot be formatted, which a page in memory never is.
pub fn render_restorer(report: &RestorerReport) -> Result<String> {
    let page = Page {
        title: name(report),
        kind: "restorer report",
        version: report.version.clone(),
        summary: Summary::restorer(report),
        restoration: Restoration::new(report),
        data: Data::restorer(report),
        network: cut(&report.network, 400),
        parameters: count(report.parameters),
        training: TrainingCurves::without_code(&report.training),
        reproduce: Reproduce::restorer(report),
    };
    page.render().map_err(|error| Error::write("report.html", std::io::Error::other(error)))
}

/// What it does, as a title.
pub(super) fn name(report: &RestorerReport) -> String {
    format!("Undoes {}", cut(&report.damage, 120))
}

/// `Trained on 11 images to undo gaussian:25. …`
pub(super) fn lead(report: &RestorerReport) -> String {
    format!(
        "Trained on {} to undo `{}`. The network has no bottleneck: its output leans on the input. \
         It has no code, and finds no anomalies.",
        counted(report.album.train, "image"),
        cut(&report.damage, 200)
    )
}

pub(super) fn tiles(report: &RestorerReport) -> Vec<Tile> {
    let (images, quality) = (&report.album, report.quality.as_ref());
    let figure = |value: Option<String>| value.unwrap_or_else(|| "n/a".to_owned());
    let means = quality.map(|quality| &quality.means);
    let held_out = if images.validation > 0 { "held-out image" } else { "training image" };
    vec![
        Tile {
            name: "restored",
            value: figure(means.map(|means| decibels(means.restored.psnr))),
            remark: quality.map_or_else(
                || "not measured".to_owned(),
                |quality| format!("PSNR of {}", counted(quality.n, held_out)),
            ),
        },
        Tile {
            name: "as they came",
            value: figure(means.map(|means| decibels(means.input.psnr))),
            remark: "PSNR before".to_owned(),
        },
        Tile {
            name: "gain",
            value: figure(means.map(|means| gain(means.restored.psnr - means.input.psnr))),
            remark: "over as they came".to_owned(),
        },
        Tile {
            name: "classical baseline",
            value: figure(means.map(|means| decibels(means.baseline.similarity.psnr))),
            remark: means.map_or_else(String::new, |means| {
                let name = cut(&means.baseline.name, 40);
                if is_idle(means) { format!("{name}, as they came") } else { name }
            }),
        },
        Tile {
            name: "images read",
            value: count(images.read),
            remark: match images.skipped.len() {
                0 => format!("{} trained", count(images.train)),
                skipped => format!("{} trained, {} more unreadable", count(images.train), count(skipped as u64)),
            },
        },
        Tile { name: "parameters", value: count(report.parameters), remark: "no bottleneck".to_owned() },
    ]
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn the_head_says_what_it_undoes_and_that_nothing_narrows() {
        let mut report = sample::restorer();
        let told = |report: &RestorerReport| {
            let tiles = tiles(report);
            let tiles = tiles.iter().map(|tile| format!("{}: {}, {}", tile.name, tile.value, tile.remark));
            let words: Vec<String> = [name(report), lead(report)].into_iter().chain(tiles).collect();
            words.join("\n").replace('\u{a0}', " ")
        };
        let words = told(&report);
        for expected in [
            "Undoes gaussian:25",
            "Trained on 108 images to undo `gaussian:25`. The network has no bottleneck",
            "restored: 29.10 dB, PSNR of 12 held-out images",
            "as they came: 20.40 dB",
            "gain: +8.70 dB",
            "classical baseline: 28.30 dB, non-local means",
            "images read: 120, 108 trained, 2 more unreadable",
            "parameters: 211,348, no bottleneck",
        ] {
            assert!(words.contains(expected), "`{expected}` is missing in {words}");
        }
        report.quality = None;
        assert!(told(&report).contains("restored: n/a, not measured"));
    }
}
