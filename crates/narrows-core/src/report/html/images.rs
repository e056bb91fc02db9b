//! Image reconstruction: the network input, and the quality on held-out images.

use askama::Template;

use super::number::{count, counted, decibels};
use super::sheet::SheetFigure;
use super::similarities::SimilarityTable;
use super::text::{TextSpan, cut, prose};
use crate::report::{ImagesReport, Reconstruction, Report};

/// Differences below this many dB count as equal.
const TIE_DB: f64 = 0.05;

/// The section.
#[derive(Template)]
#[template(path = "report/images.html", whitespace = "minimize")]
pub(super) struct ImagesSection {
    evaluated_on: String,
    verdict: Vec<TextSpan>,
    quality: SimilarityTable,
    sheet: Option<SheetFigure>,
    view: String,
    backbone: String,
    corruption: String,
}

impl ImagesSection {
    pub(super) fn new(report: &Report, images: &ImagesReport) -> ImagesSection {
        let quality = &images.quality;
        let pca = format!("PCA, {}", counted(report.pca.components as u64, "component"));
        let model = format!("this model, code {}", count(report.network.code_size as u64));
        let mut named = vec![(model.as_str(), &quality.model), (pca.as_str(), &quality.pca)];
        named.extend(quality.input.as_ref().map(|input| ("corrupted input", input)));
        ImagesSection {
            evaluated_on: counted(quality.n, "held-out image"),
            verdict: prose(&verdict(quality), 1000),
            quality: SimilarityTable::new(&named),
            sheet: SheetFigure::new(
                &images.sheet,
                "Held-out images, one per row: input, output, clean image, and the difference between output and clean image.",
            ),
            view: cut(&images.view, 400),
            backbone: cut(&images.backbone, 400),
            corruption: if is_corrupted(quality) { cut(&quality.damage, 200) } else { String::new() },
        }
    }
}

fn is_corrupted(quality: &Reconstruction) -> bool {
    !matches!(quality.damage.trim(), "" | "none")
}

/// The model compared with PCA and with the corrupted input.
fn verdict(quality: &Reconstruction) -> String {
    if quality.n == 0 {
        return "No image was held out, so quality was not measured.".to_owned();
    }
    let (model, pca) = (quality.model.psnr, quality.pca.psnr);
    let gain = model - pca;
    let against_pca = match gain {
        _ if gain.is_nan() => String::new(),
        _ if gain.abs() < TIE_DB => ", equal to PCA".to_owned(),
        _ if gain > 0.0 => format!(", {} better than PCA", decibels(gain)),
        _ => format!(", {} worse than PCA with a code of at most the same size", decibels(-gain)),
    };
    let input_psnr = quality.input.map(|input| input.psnr).filter(|_| is_corrupted(quality));
    let against_input = input_psnr.map_or_else(String::new, |input_psnr| {
        let comparison = if model > input_psnr { "better than" } else { "no better than" };
        format!(" This is {comparison} the input corrupted by `{}`: {}.", quality.damage, decibels(input_psnr))
    });
    format!("Held-out images are reconstructed with a PSNR of {}{against_pca}.{against_input}", decibels(model))
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    fn check(model: f64, pca: f64, input: Option<f64>, expected: &str) {
        let mut quality = sample::images().quality;
        (quality.model.psnr, quality.pca.psnr) = (model, pca);
        quality.damage = if input.is_some() { "gaussian:25" } else { "none" }.to_owned();
        quality.input = input.map(|psnr| crate::report::Similarity { psnr, ..quality.pca });
        assert_eq!(verdict(&quality).replace('\u{a0}', " "), expected);
    }

    #[test]
    fn the_verdict_is_honest() {
        let out = "Held-out images are reconstructed with a PSNR of 25.00 dB";
        check(25.0, 23.5, None, &format!("{out}, 1.50 dB better than PCA."));
        check(25.0, 27.0, None, &format!("{out}, 2.00 dB worse than PCA with a code of at most the same size."));
        check(25.0, 25.01, None, &format!("{out}, equal to PCA."));
        check(25.0, f64::NAN, None, &format!("{out}."));
        check(
            25.0,
            23.5,
            Some(20.0),
            &format!(
                "{out}, 1.50 dB better than PCA. This is better than the input corrupted by `gaussian:25`: 20.00 dB."
            ),
        );
        check(
            25.0,
            23.5,
            Some(26.0),
            &format!(
                "{out}, 1.50 dB better than PCA. This is no better than the input corrupted by `gaussian:25`: 26.00 dB."
            ),
        );
        let nothing = Reconstruction { n: 0, ..sample::images().quality };
        assert!(verdict(&nothing).contains("quality was not measured"));
    }
}
