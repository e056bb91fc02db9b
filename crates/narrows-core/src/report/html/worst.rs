//! The images that score highest, and where in them.

use askama::Template;

use super::label::Label;
use super::number::{column, probability};
use super::sheet::Sheet;
use crate::report::{ImagesReport, Report};

/// Images listed at most.
const IMAGES_KEPT: usize = 100;

/// The section.
#[derive(Template)]
#[template(path = "report/worst.html", whitespace = "minimize")]
pub(super) struct Worst {
    among: &'static str,
    images: Vec<Image>,
    unlisted: usize,
    sheet: Option<Sheet>,
}

struct Image {
    name: Label,
    score: String,
    p_value: String,
    is_anomaly: bool,
}

impl Worst {
    pub(super) fn new(report: &Report, images: &ImagesReport) -> Worst {
        let worst = &images.worst[..images.worst.len().min(IMAGES_KEPT)];
        let scores = column(&worst.iter().map(|image| image.score).collect::<Vec<_>>());
        let image = |(image, score): (&crate::report::WorstImage, String)| Image {
            name: Label::new(&image.name),
            score,
            p_value: probability(image.p_value),
            is_anomaly: image.is_anomaly,
        };
        Worst {
            among: match report.rows.not_normal {
                0 => "calibration images, which never trained",
                _ => "calibration images, which never trained, and those that are not normal",
            },
            images: worst.iter().zip(scores).map(image).collect(),
            unlisted: images.worst.len() - worst.len(),
            sheet: Sheet::new(
                &images.worst_sheet,
                "The first of the list, from the highest score down, each beside its heat map: the brighter, the worse rebuilt.",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn the_strangest_images_are_named_with_score_and_p_value() {
        let mut report = sample::report();
        let mut images = sample::images();
        let html = Worst::new(&report, &images).render().unwrap();
        for words in ["scratch/0417.png", "38.20", "0.0050", "▲", "those that are not normal"] {
            assert!(html.contains(words), "`{words}` is missing in {html}");
        }
        report.rows.not_normal = 0;
        images.worst.clear();
        let html = Worst::new(&report, &images).render().unwrap();
        assert!(html.contains("No image was kept") && !html.contains("not normal"));
    }
}
