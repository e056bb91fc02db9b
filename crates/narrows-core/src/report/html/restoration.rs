//! How well damage is undone: restored images beside the damaged ones and a classical method's.

use askama::Template;

use super::label::{Label, Piece, cut, prose};
use super::number::{column, counted, decibels, places};
use super::sheet::Sheet;
use super::similarities::Similarities;
use crate::report::{self, ImageQuality, RestorationMeans, RestorerReport, Similarity};

/// Images listed; the JSON has the rest.
const IMAGES_KEPT: usize = 500;
/// Differences below this many dB are called none.
const SAME: f64 = 0.05;

/// The section.
#[derive(Template)]
#[template(path = "report/restoration.html", whitespace = "minimize")]
pub(super) struct Restoration {
    measured: Option<Measured>,
    sheet: Option<Sheet>,
}

struct Measured {
    /// The images it was measured on, in words.
    on: String,
    damage: String,
    verdict: Vec<Piece>,
    means: Similarities,
    /// Empty where the baseline is idle.
    baseline: String,
    ways: Vec<&'static str>,
    kinds: Vec<&'static str>,
    images: Vec<Image>,
    unlisted: String,
    has_colours: bool,
}

/// One image, each kind of figure for each way: as it came, restored, by the baseline.
struct Image {
    name: Label,
    figures: Vec<String>,
}

/// A kind of figure of a single image, and how a column of it is written.
type Kind = (&'static str, fn(&Similarity) -> Option<f64>, fn(&[f64]) -> Vec<String>);

const KINDS: [Kind; 4] = [
    ("PSNR, dB", |s| Some(s.psnr), |x| x.iter().map(|x| places(*x, 2)).collect()),
    ("SSIM", |s| s.ssim, |x| x.iter().map(|x| places(*x, 3)).collect()),
    ("MSE", |s| Some(s.mse), column),
    ("colourfulness", |s| s.colourfulness, |x| x.iter().map(|x| places(*x, 1)).collect()),
];

impl Restoration {
    pub(super) fn new(report: &RestorerReport) -> Restoration {
        Restoration {
            measured: report.quality.as_ref().map(|quality| measured(quality, report.album.validation > 0)),
            sheet: Sheet::new(
                &report.sheet,
                "Images, one a row: as they came, damaged; restored; the clean image; and the difference of the last two.",
            ),
        }
    }
}

fn measured(quality: &report::Restoration, is_held_out: bool) -> Measured {
    let means = &quality.means;
    let baseline = cut(&means.baseline.name, 80);
    let is_idle = is_idle(means);
    let as_they_came = if is_idle { format!("as they came: {baseline}") } else { "as they came".to_owned() };
    let mut named = vec![(as_they_came.as_str(), &means.input), ("restored by this model", &means.restored)];
    if !is_idle {
        named.push((&baseline, &means.baseline.similarity));
    }
    let n_ways = named.len();
    let listed = &quality.images[..quality.images.len().min(IMAGES_KEPT)];
    let has = |of: fn(&Similarity) -> Option<f64>| {
        listed.iter().any(|image| ways(&image.qualities, n_ways).any(|s| of(s).is_some()))
    };
    let kinds: Vec<Kind> = KINDS.into_iter().filter(|(_, of, _)| has(*of)).collect();
    let unlisted = (quality.images.len() - listed.len()) as u64;
    Measured {
        on: match is_held_out {
            true => counted(quality.n, "held-out image"),
            false => format!("{} that it trained on", counted(quality.n, "image")),
        },
        damage: cut(&quality.damage, 200),
        verdict: prose(&verdict(means), 1000),
        means: Similarities::new(&named),
        images: images(listed, &kinds, n_ways),
        ways: ["came", "restored", "baseline"].into_iter().take(n_ways).collect(),
        kinds: kinds.iter().map(|(name, ..)| *name).collect(),
        unlisted: if unlisted > 0 { counted(unlisted, "more image") } else { String::new() },
        has_colours: means.restored.colourfulness.is_some(),
        baseline: if is_idle { String::new() } else { baseline.clone() },
    }
}

/// The first `n` of: as it came, restored, by the baseline.
fn ways(qualities: &RestorationMeans, n: usize) -> impl Iterator<Item = &Similarity> {
    [&qualities.input, &qualities.restored, &qualities.baseline.similarity].into_iter().take(n)
}

fn images(listed: &[ImageQuality], kinds: &[Kind], n_ways: usize) -> Vec<Image> {
    let mut images: Vec<Image> =
        listed.iter().map(|image| Image { name: Label::new(&image.name), figures: Vec::new() }).collect();
    for (_, of, write) in kinds {
        let values: Vec<Option<f64>> =
            listed.iter().flat_map(|image| ways(&image.qualities, n_ways).map(*of)).collect();
        let texts = write(&values.iter().map(|value| value.unwrap_or(f64::NAN)).collect::<Vec<_>>());
        for (i, (value, text)) in values.iter().zip(texts).enumerate() {
            images[i / n_ways].figures.push(if value.is_some() { text } else { "–".to_owned() });
        }
    }
    images
}

/// How good that is, beside doing nothing and beside the baseline.
fn verdict(means: &RestorationMeans) -> String {
    let (restored, input, baseline) = (means.restored.psnr, means.input.psnr, means.baseline.similarity.psnr);
    if restored.is_nan() || input.is_nan() {
        return "The restored images cannot be compared: they were not measured.".to_owned();
    }
    let over_input = match restored - input {
        gain if gain.is_nan() || gain.abs() < SAME => "Restoring leaves the PSNR as it was.".to_owned(),
        gain if gain > 0.0 => format!("Restoring raises the PSNR by {}.", decibels(gain)),
        gain => {
            format!("Restoring lowers the PSNR by {}: by that, images are better left as they came.", decibels(-gain))
        }
    };
    let name = cut(&means.baseline.name, 80);
    let over_rival = match restored - baseline {
        _ if is_idle(means) => String::new(),
        lead if lead.is_nan() => String::new(),
        lead if lead.abs() < SAME => format!(" {} does as well, without a network.", capital(&name)),
        lead if lead > 0.0 => format!(" The model beats {name}, a classical method, by {}.", decibels(lead)),
        lead => format!(
            " {}, a classical method, does better by {}: use that, or train on more images or for longer.",
            capital(&name),
            decibels(-lead)
        ),
    };
    over_input + &over_rival
}

/// Whether the classical method does no more than was done to the images to be compared at all.
pub(super) fn is_idle(means: &RestorationMeans) -> bool {
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
        check(29.0, 20.0, 28.0, "raises the PSNR by 9.00 dB. The model beats non-local means");
        check(20.48, 20.25, 28.65, "Non-local means, a classical method, does better by 8.17 dB");
        check(20.0, 20.01, 20.02, "leaves the PSNR as it was. Non-local means does as well");
        check(19.0, 20.0, f64::NAN, "lowers the PSNR by 1.00 dB");
        check(f64::NAN, 20.0, 20.0, "cannot be compared");
        check(f64::INFINITY, f64::INFINITY, f64::INFINITY, "as it was");
    }

    #[test]
    fn a_rival_that_does_nothing_is_none() {
        let mut report = sample::restorer();
        let means = &mut report.quality.as_mut().unwrap().means;
        means.baseline = report::Baseline { name: "grey".to_owned(), similarity: means.input };
        let html = Restoration::new(&report).render().unwrap();
        assert!(html.contains("as they came: grey"));
        assert!(!html.contains("classical") && !html.contains(">baseline<"), "{html}");
    }

    #[test]
    fn every_image_has_its_line_up_to_a_bound() {
        let mut report = sample::restorer();
        let html = Restoration::new(&report).render().unwrap().replace('\u{a0}', " ");
        for words in ["castle.png", "12 held-out images", "<code><bdi>gaussian:25</bdi></code>", "colourfulness"] {
            assert!(html.contains(words), "`{words}` is missing");
        }
        let quality = report.quality.as_mut().unwrap();
        quality.images = vec![quality.images.clone(); 100].concat();
        for image in &mut quality.images {
            image.qualities.restored.ssim = None;
        }
        report.album.validation = 0;
        let html = Restoration::new(&report).render().unwrap().replace('\u{a0}', " ");
        assert!(
            html.contains("700 more images") && html.contains("that it trained on") && html.contains("–"),
            "{html}"
        );
        report.quality = None;
        assert!(Restoration::new(&report).render().unwrap().contains("Nothing was measured"));
    }
}
