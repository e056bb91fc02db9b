//! The page of a restorer: task, quality and training. A restorer has no code and no scores.

use askama::Template;

use super::data::DataSection;
use super::number::{count, counted, decibels, gain};
use super::reproduce::ReproduceSection;
use super::restoration::{RestorationSection, is_identity};
use super::summary::{SummarySection, SummaryTile};
use super::text::cut;
use super::training::TrainingSection;
use crate::error::{Error, Result};
use crate::report::RestorerReport;

/// The page: its sections in reading order.
#[derive(Template)]
#[template(path = "report/restorer.html", whitespace = "minimize")]
struct RestorerPage {
    title: String,
    kind: &'static str,
    version: String,
    summary: SummarySection,
    restoration: RestorationSection,
    data: DataSection,
    network: String,
    parameters: String,
    training: TrainingSection,
    reproduce: ReproduceSection,
}

/// Renders the report of a restorer as one self-contained HTML file. The same report gives the same bytes.
///
/// # Errors
/// If formatting fails, which cannot happen in memory.
pub fn render_restorer(report: &RestorerReport) -> Result<String> {
    let page = RestorerPage {
        title: name(report),
        kind: "restorer report",
        version: report.version.clone(),
        summary: SummarySection::restorer(report),
        restoration: RestorationSection::new(report),
        data: DataSection::restorer(report),
        network: cut(&report.network, 400),
        parameters: count(report.parameters),
        training: TrainingSection::without_code(&report.training),
        reproduce: ReproduceSection::restorer(report),
    };
    page.render().map_err(|error| Error::write("report.html", std::io::Error::other(error)))
}

/// The page title.
pub(super) fn name(report: &RestorerReport) -> String {
    format!("Restorer for {}", cut(&report.damage, 120))
}

/// `Trained on 11 images to restore gaussian:25. …`
pub(in crate::report) fn lead(report: &RestorerReport) -> String {
    format!(
        "Trained on {} to restore images corrupted by `{}`. The network has no bottleneck and predicts a residual; \
         it has no code and does not detect anomalies.",
        counted(report.album.train, "image"),
        cut(&report.damage, 200)
    )
}

pub(super) fn tiles(report: &RestorerReport) -> Vec<SummaryTile> {
    let (images, quality) = (&report.album, report.quality.as_ref());
    let figure = |value: Option<String>| value.unwrap_or_else(|| "n/a".to_owned());
    let means = quality.map(|quality| &quality.means);
    let held_out = if images.validation > 0 { "held-out image" } else { "training image" };
    vec![
        SummaryTile {
            name: "restored",
            value: figure(means.map(|means| decibels(means.restored.psnr))),
            detail: quality.map_or_else(
                || "not measured".to_owned(),
                |quality| format!("PSNR of {}", counted(quality.n, held_out)),
            ),
        },
        SummaryTile {
            name: "input",
            value: figure(means.map(|means| decibels(means.input.psnr))),
            detail: "PSNR before restoration".to_owned(),
        },
        SummaryTile {
            name: "gain",
            value: figure(means.map(|means| gain(means.restored.psnr - means.input.psnr))),
            detail: "over the input".to_owned(),
        },
        SummaryTile {
            name: "classical baseline",
            value: figure(means.map(|means| decibels(means.baseline.similarity.psnr))),
            detail: means.map_or_else(String::new, |means| {
                let name = cut(&means.baseline.name, 40);
                if is_identity(means) { format!("{name}, identity") } else { name }
            }),
        },
        SummaryTile {
            name: "images read",
            value: count(images.read),
            detail: match images.skipped.len() {
                0 => format!("{} for training", count(images.train)),
                skipped => format!("{} for training, {} unreadable", count(images.train), count(skipped as u64)),
            },
        },
        SummaryTile { name: "parameters", value: count(report.parameters), detail: "no bottleneck".to_owned() },
    ]
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn the_summary_names_the_corruption_and_the_missing_bottleneck() {
        let mut report = sample::restorer();
        let text = |report: &RestorerReport| {
            let tiles = tiles(report);
            let tiles = tiles.iter().map(|tile| format!("{}: {}, {}", tile.name, tile.value, tile.detail));
            let words: Vec<String> = [name(report), lead(report)].into_iter().chain(tiles).collect();
            words.join("\n").replace('\u{a0}', " ")
        };
        let words = text(&report);
        for expected in [
            "Restorer for gaussian:25",
            "Trained on 108 images to restore images corrupted by `gaussian:25`. The network has no bottleneck",
            "restored: 29.10 dB, PSNR of 12 held-out images",
            "input: 20.40 dB",
            "gain: +8.70 dB",
            "classical baseline: 28.30 dB, non-local means",
            "images read: 120, 108 for training, 2 unreadable",
            "parameters: 211,348, no bottleneck",
        ] {
            assert!(words.contains(expected), "`{expected}` is missing in {words}");
        }
        report.quality = None;
        assert!(text(&report).contains("restored: n/a, not measured"));
    }
}
