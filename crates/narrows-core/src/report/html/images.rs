//! Images on their way through the code: how they were seen, and how well held-out ones come out.

use askama::Template;

use super::label::{Piece, cut, prose};
use super::number::{count, counted, decibels};
use super::sheet::Sheet;
use super::similarities::Similarities;
use crate::report::{ImagesReport, Reconstruction, Report};

/// Differences below this many dB are called none.
const SAME: f64 = 0.05;

/// The section.
#[derive(Template)]
#[template(path = "report/images.html", whitespace = "minimize")]
pub(super) struct Images {
    measured: String,
    verdict: Vec<Piece>,
    quality: Similarities,
    sheet: Option<Sheet>,
    view: String,
    backbone: String,
    damage: String,
}

impl Images {
    pub(super) fn new(report: &Report, images: &ImagesReport) -> Images {
        let quality = &images.quality;
        let pca = format!("PCA, {}", counted(report.pca.components as u64, "component"));
        let model = format!("this model, code {}", count(report.network.code_size as u64));
        let mut named = vec![(model.as_str(), &quality.model), (pca.as_str(), &quality.pca)];
        named.extend(quality.input.as_ref().map(|input| ("as they came, damaged", input)));
        Images {
            measured: counted(quality.n, "held-out image"),
            verdict: prose(&verdict(quality), 1000),
            quality: Similarities::new(&named),
            sheet: Sheet::new(
                &images.sheet,
                "Held-out images, one a row: what went in, what came out, the clean image, and the difference of the last two.",
            ),
            view: cut(&images.view, 400),
            backbone: cut(&images.backbone, 400),
            damage: if is_damaged(quality) { cut(&quality.damage, 200) } else { String::new() },
        }
    }
}

fn is_damaged(quality: &Reconstruction) -> bool {
    !matches!(quality.damage.trim(), "" | "none")
}

/// How good that is, beside what is simplest.
fn verdict(quality: &Reconstruction) -> String {
    if quality.n == 0 {
        return "No image was held out, so nothing was measured.".to_owned();
    }
    let (model, pca) = (quality.model.psnr, quality.pca.psnr);
    let gain = model - pca;
    let beside = match gain {
        _ if gain.is_nan() => String::new(),
        _ if gain.abs() < SAME => ", as well as PCA does".to_owned(),
        _ if gain > 0.0 => format!(", {} better than PCA", decibels(gain)),
        _ => format!(", {} worse than PCA, whose code is no larger", decibels(-gain)),
    };
    let came = quality.input.map(|input| input.psnr).filter(|_| is_damaged(quality));
    let damaged = came.map_or_else(String::new, |came| {
        let than_came = if model > came { "better" } else { "no better" };
        format!(
            " They were damaged first, by `{}`, and came in with {}: what comes out is {than_came}.",
            quality.damage,
            decibels(came)
        )
    });
    format!("Held-out images come out of the code with a PSNR of {}{beside}.{damaged}", decibels(model))
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
        let out = "Held-out images come out of the code with a PSNR of 25.00 dB";
        check(25.0, 23.5, None, &format!("{out}, 1.50 dB better than PCA."));
        check(25.0, 27.0, None, &format!("{out}, 2.00 dB worse than PCA, whose code is no larger."));
        check(25.0, 25.01, None, &format!("{out}, as well as PCA does."));
        check(25.0, f64::NAN, None, &format!("{out}."));
        let damaged = " They were damaged first, by `gaussian:25`, and came in with";
        check(
            25.0,
            23.5,
            Some(20.0),
            &format!("{out}, 1.50 dB better than PCA.{damaged} 20.00 dB: what comes out is better."),
        );
        check(
            25.0,
            23.5,
            Some(26.0),
            &format!("{out}, 1.50 dB better than PCA.{damaged} 26.00 dB: what comes out is no better."),
        );
        let nothing = Reconstruction { n: 0, ..sample::images().quality };
        assert!(verdict(&nothing).contains("nothing was measured"));
    }
}
