//! Restoration quality: restored images compared with the corrupted input and a classical method.

use askama::Template;

use super::number::{column, counted, decibels, places};
use super::sheet::SheetFigure;
use super::similarities::SimilarityTable;
use super::text::{DisplayName, TextSpan, cut, prose};
use crate::report::{self, ImageQuality, RestorationMeans, RestorerReport, Similarity};

/// Images listed at most; the JSON has the rest.
const IMAGES_KEPT: usize = 500;
/// Differences below this many dB count as equal.
const TIE_DB: f64 = 0.05;

/// The section.
#[derive(Template)]
#[template(path = "report/restoration.html", whitespace = "minimize")]
pub(super) struct RestorationSection {
    evaluation: Option<RestorationQuality>,
    sheet: Option<SheetFigure>,
}

struct RestorationQuality {
    /// The images evaluated, such as `12 held-out images`.
    images_used: String,
    damage: String,
    verdict: Vec<TextSpan>,
    means: SimilarityTable,
    /// Empty if the baseline is the identity.
    baseline: String,
    methods: Vec<&'static str>,
    metrics: Vec<&'static str>,
    images: Vec<RestoredImageRow>,
    unlisted: String,
    has_colours: bool,
}

/// One image: each metric for the input, the restored image and the baseline.
struct RestoredImageRow {
    name: DisplayName,
    values: Vec<String>,
}

/// A metric of one image: name, value, and formatting of a column of values.
type ImageMetric = (&'static str, fn(&Similarity) -> Option<f64>, fn(&[f64]) -> Vec<String>);

const METRICS: [ImageMetric; 4] = [
    ("PSNR, dB", |s| Some(s.psnr), |x| x.iter().map(|x| places(*x, 2)).collect()),
    ("SSIM", |s| s.ssim, |x| x.iter().map(|x| places(*x, 3)).collect()),
    ("MSE", |s| Some(s.mse), column),
    ("colourfulness", |s| s.colourfulness, |x| x.iter().map(|x| places(*x, 1)).collect()),
];

impl RestorationSection {
    pub(super) fn new(report: &RestorerReport) -> RestorationSection {
        RestorationSection {
            evaluation: report.quality.as_ref().map(|quality| evaluation(quality, report.album.validation > 0)),
            sheet: SheetFigure::new(
                &report.sheet,
                "Images, one per row: corrupted input, restored image, clean image, and the difference between the last two.",
            ),
        }
    }
}

fn evaluation(quality: &report::Restoration, is_held_out: bool) -> RestorationQuality {
    let means = &quality.means;
    let baseline = cut(&means.baseline.name, 80);
    let is_identity = is_identity(means);
    let input = if is_identity { format!("input: {baseline}") } else { "input".to_owned() };
    let mut named = vec![(input.as_str(), &means.input), ("restored by this model", &means.restored)];
    if !is_identity {
        named.push((&baseline, &means.baseline.similarity));
    }
    let n_methods = named.len();
    let listed = &quality.images[..quality.images.len().min(IMAGES_KEPT)];
    let has = |of: fn(&Similarity) -> Option<f64>| {
        listed.iter().any(|image| methods(&image.qualities, n_methods).any(|s| of(s).is_some()))
    };
    let metrics: Vec<ImageMetric> = METRICS.into_iter().filter(|(_, of, _)| has(*of)).collect();
    let unlisted = (quality.images.len() - listed.len()) as u64;
    RestorationQuality {
        images_used: match is_held_out {
            true => counted(quality.n, "held-out image"),
            false => format!("{} used for training", counted(quality.n, "image")),
        },
        damage: cut(&quality.damage, 200),
        verdict: prose(&verdict(means), 1000),
        means: SimilarityTable::new(&named),
        images: images(listed, &metrics, n_methods),
        methods: ["input", "restored", "baseline"].into_iter().take(n_methods).collect(),
        metrics: metrics.iter().map(|(name, ..)| *name).collect(),
        unlisted: if unlisted > 0 { counted(unlisted, "more image") } else { String::new() },
        has_colours: means.restored.colourfulness.is_some(),
        baseline: if is_identity { String::new() } else { baseline.clone() },
    }
}

/// The first `n` of: input, restored, baseline.
fn methods(qualities: &RestorationMeans, n: usize) -> impl Iterator<Item = &Similarity> {
    [&qualities.input, &qualities.restored, &qualities.baseline.similarity].into_iter().take(n)
}

fn images(listed: &[ImageQuality], metrics: &[ImageMetric], n_methods: usize) -> Vec<RestoredImageRow> {
    let mut images: Vec<RestoredImageRow> = listed
        .iter()
        .map(|image| RestoredImageRow { name: DisplayName::new(&image.name), values: Vec::new() })
        .collect();
    for (_, of, write) in metrics {
        let values: Vec<Option<f64>> =
            listed.iter().flat_map(|image| methods(&image.qualities, n_methods).map(*of)).collect();
        let texts = write(&values.iter().map(|value| value.unwrap_or(f64::NAN)).collect::<Vec<_>>());
        for (i, (value, text)) in values.iter().zip(texts).enumerate() {
            images[i / n_methods].values.push(if value.is_some() { text } else { "–".to_owned() });
        }
    }
    images
}

/// The restored images compared with the input and with the baseline.
fn verdict(means: &RestorationMeans) -> String {
    let (restored, input, baseline) = (means.restored.psnr, means.input.psnr, means.baseline.similarity.psnr);
    if restored.is_nan() || input.is_nan() {
        return "Not comparable: the PSNR was not measured.".to_owned();
    }
    let over_input = match restored - input {
        gain if gain.is_nan() || gain.abs() < TIE_DB => "Restoration does not change the PSNR.".to_owned(),
        gain if gain > 0.0 => format!("Restoration raises the PSNR by {}.", decibels(gain)),
        gain => {
            format!("Restoration lowers the PSNR by {}: by this metric the input is better.", decibels(-gain))
        }
    };
    let name = cut(&means.baseline.name, 80);
    let over_baseline = match restored - baseline {
        _ if is_identity(means) => String::new(),
        lead if lead.is_nan() => String::new(),
        lead if lead.abs() < TIE_DB => format!(" {} is equally good without a network.", capital(&name)),
        lead if lead > 0.0 => format!(" The model is better than {name}, a classical method, by {}.", decibels(lead)),
        lead => format!(
            " {}, a classical method, is better by {}: use it, or train on more images or for longer.",
            capital(&name),
            decibels(-lead)
        ),
    };
    over_input + &over_baseline
}

/// Whether the classical method leaves the input unchanged.
pub(super) fn is_identity(means: &RestorationMeans) -> bool {
    means.baseline.similarity == means.input
}

fn capital(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    fn check(restored: f64, input: f64, baseline: f64, expected: &str) {
        let mut means = sample::restorer().quality.unwrap().means;
        (means.restored.psnr, means.input.psnr, means.baseline.similarity.psnr) = (restored, input, baseline);
        let verdict = verdict(&means).replace('\u{a0}', " ");
        assert!(verdict.contains(expected), "{verdict}");
    }

    #[test]
    fn the_verdict_is_honest() {
        check(29.0, 20.0, 28.0, "raises the PSNR by 9.00 dB. The model is better than non-local means");
        check(20.48, 20.25, 28.65, "Non-local means, a classical method, is better by 8.17 dB");
        check(20.0, 20.01, 20.02, "does not change the PSNR. Non-local means is equally good");
        check(19.0, 20.0, f64::NAN, "lowers the PSNR by 1.00 dB");
        check(f64::NAN, 20.0, 20.0, "Not comparable");
        check(f64::INFINITY, f64::INFINITY, f64::INFINITY, "does not change");
    }

    #[test]
    fn an_identity_baseline_is_left_out() {
        let mut report = sample::restorer();
        let means = &mut report.quality.as_mut().unwrap().means;
        means.baseline = report::Baseline { name: "grey".to_owned(), similarity: means.input };
        let html = RestorationSection::new(&report).render().unwrap();
        assert!(html.contains("input: grey"));
        assert!(!html.contains("classical") && !html.contains(">baseline<"), "{html}");
    }

    #[test]
    fn images_are_listed_up_to_a_bound() {
        let mut report = sample::restorer();
        let html = RestorationSection::new(&report).render().unwrap().replace('\u{a0}', " ");
        for words in ["castle.png", "12 held-out images", "<code><bdi>gaussian:25</bdi></code>", "colourfulness"] {
            assert!(html.contains(words), "`{words}` is missing");
        }
        let quality = report.quality.as_mut().unwrap();
        quality.images = vec![quality.images.clone(); 100].concat();
        for image in &mut quality.images {
            image.qualities.restored.ssim = None;
        }
        report.album.validation = 0;
        let html = RestorationSection::new(&report).render().unwrap().replace('\u{a0}', " ");
        assert!(html.contains("700 more images") && html.contains("used for training") && html.contains("–"), "{html}");
        report.quality = None;
        assert!(RestorationSection::new(&report).render().unwrap().contains("quality was not measured"));
    }
}
