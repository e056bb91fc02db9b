//! The most anomalous images with their heat maps.

use askama::Template;

use super::number::{column, probability};
use super::sheet::SheetFigure;
use super::text::DisplayName;
use crate::report::{ImagesReport, Report, WorstImage};

/// Images listed at most.
const IMAGES_KEPT: usize = 100;

/// The section.
#[derive(Template)]
#[template(path = "report/anomalous_images.html", whitespace = "minimize")]
pub(super) struct AnomalousImagesSection {
    population: &'static str,
    images: Vec<AnomalousImageRow>,
    unlisted: usize,
    sheet: Option<SheetFigure>,
}

/// A row of the table.
pub(super) struct AnomalousImageRow {
    pub(super) name: DisplayName,
    pub(super) score: String,
    pub(super) p_value: String,
    pub(super) is_anomaly: bool,
}

impl AnomalousImagesSection {
    pub(super) fn new(report: &Report, images: &ImagesReport) -> AnomalousImagesSection {
        let listed = &images.worst[..images.worst.len().min(IMAGES_KEPT)];
        AnomalousImagesSection {
            population: match report.rows.not_normal {
                0 => "calibration images, which are not used for training",
                _ => "calibration images, which are not used for training, and images that are not normal",
            },
            images: rows(listed),
            unlisted: images.worst.len() - listed.len(),
            sheet: SheetFigure::new(
                &images.worst_sheet,
                "The first images of the list with their heat maps: brighter pixels have a larger reconstruction error.",
            ),
        }
    }
}

/// The rows of the table.
pub(super) fn rows(worst: &[WorstImage]) -> Vec<AnomalousImageRow> {
    let scores = column(&worst.iter().map(|image| image.score).collect::<Vec<_>>());
    let row = |(image, score): (&WorstImage, String)| AnomalousImageRow {
        name: DisplayName::new(&image.name),
        score,
        p_value: probability(image.p_value),
        is_anomaly: image.is_anomaly,
    };
    worst.iter().zip(scores).map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn the_most_anomalous_images_are_listed_with_score_and_p_value() {
        let mut report = sample::report();
        let mut images = sample::images();
        let html = AnomalousImagesSection::new(&report, &images).render().unwrap();
        for words in ["scratch/0417.png", "38.20", "0.0050", "▲", "images that are not normal"] {
            assert!(html.contains(words), "`{words}` is missing in {html}");
        }
        report.rows.not_normal = 0;
        images.worst.clear();
        let html = AnomalousImagesSection::new(&report, &images).render().unwrap();
        assert!(html.contains("No images are listed") && !html.contains("not normal"));
    }
}
