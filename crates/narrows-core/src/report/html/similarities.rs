//! How alike images are to the clean ones: one line a way of making them, the best figure of each kind standing out.

use askama::Template;

use super::label::cut;
use super::number::{column, places};
use crate::report::Similarity;

/// A table of them.
#[derive(Template)]
#[template(path = "report/similarities.html", whitespace = "minimize")]
pub(super) struct Similarities {
    kinds: Vec<Kind>,
    lines: Vec<Line>,
}

struct Line {
    name: String,
    figures: Vec<Figure>,
}

struct Figure {
    text: String,
    is_best: bool,
}

/// A kind of figure.
struct Kind {
    name: &'static str,
    unit: &'static str,
    of: fn(&Similarity) -> Option<f64>,
    write: fn(&[f64]) -> Vec<String>,
    better: Better,
}

#[derive(Clone, Copy, PartialEq)]
enum Better {
    Higher,
    Lower,
    /// Colours are to be as in life, which no figure here tells.
    Unknown,
}

const KINDS: [Kind; 5] = [
    Kind { name: "PSNR", unit: "dB", of: |s| Some(s.psnr), write: |x| all_places(x, 2), better: Better::Higher },
    Kind { name: "SSIM", unit: "", of: |s| s.ssim, write: |x| all_places(x, 3), better: Better::Higher },
    Kind { name: "MSE", unit: "", of: |s| Some(s.mse), write: column, better: Better::Lower },
    Kind { name: "BCE", unit: "", of: |s| s.bce, write: column, better: Better::Lower },
    Kind {
        name: "colourfulness",
        unit: "",
        of: |s| s.colourfulness,
        write: |x| all_places(x, 1),
        better: Better::Unknown,
    },
];

impl Similarities {
    /// One line each; kinds of figures that none of them has are left out.
    pub(super) fn new(named: &[(&str, &Similarity)]) -> Similarities {
        let kinds: Vec<Kind> = KINDS
            .into_iter()
            .filter(|kind| named.iter().any(|(_, similarity)| (kind.of)(similarity).is_some()))
            .collect();
        let figures: Vec<Vec<Figure>> = kinds.iter().map(|kind| figures(kind, named)).collect();
        let mut by_line: Vec<Line> =
            named.iter().map(|(name, _)| Line { name: cut(name, 80), figures: Vec::new() }).collect();
        for kind in figures {
            by_line.iter_mut().zip(kind).for_each(|(line, figure)| line.figures.push(figure));
        }
        Similarities { kinds, lines: by_line }
    }
}

/// One kind of figure, a line each.
fn figures(kind: &Kind, named: &[(&str, &Similarity)]) -> Vec<Figure> {
    let values: Vec<Option<f64>> = named.iter().map(|(_, similarity)| (kind.of)(similarity)).collect();
    let texts = (kind.write)(&values.iter().map(|value| value.unwrap_or(f64::NAN)).collect::<Vec<_>>());
    let rank = |value: f64| if kind.better == Better::Lower { -value } else { value };
    let comparable = || {
        values.iter().zip(&texts).filter_map(|(value, text)| Some(((*value).filter(|value| !value.is_nan())?, text)))
    };
    // What is written alike is alike, and what is alone is not the best of any.
    let best = comparable()
        .max_by(|(a, _), (b, _)| rank(*a).total_cmp(&rank(*b)))
        .map(|(_, text)| text)
        .filter(|best| kind.better != Better::Unknown && comparable().any(|(_, text)| text != *best));
    let text = |value: &Option<f64>, text: &String| if value.is_some() { text.clone() } else { "–".to_owned() };
    values
        .iter()
        .zip(&texts)
        .map(|(value, written)| Figure { text: text(value, written), is_best: best == Some(written) })
        .collect()
}

fn all_places(values: &[f64], decimals: usize) -> Vec<String> {
    values.iter().map(|x| places(*x, decimals)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn similarity(psnr: f64, ssim: Option<f64>, mse: f64) -> Similarity {
        Similarity { psnr, ssim, mse, bce: None, colourfulness: None }
    }

    /// The figures as written, the best of each kind in brackets.
    fn told(named: &[(&str, &Similarity)]) -> Vec<String> {
        let words = |figure: &Figure| if figure.is_best { format!("[{}]", figure.text) } else { figure.text.clone() };
        let lines = Similarities::new(named).lines;
        lines.iter().map(|line| line.figures.iter().map(words).collect::<Vec<_>>().join(" ")).collect()
    }

    #[test]
    fn the_best_figure_of_each_kind_stands_out() {
        let (ours, baseline) = (similarity(20.48, Some(0.34), 0.008952), similarity(28.6491, Some(0.7522), 0.001366));
        assert_eq!(
            told(&[("ours", &ours), ("baseline", &baseline)]),
            ["20.48 0.340 0.008952", "[28.65] [0.752] [0.001366]"]
        );
        assert_eq!(told(&[("a", &ours), ("b", &ours)]), ["20.48 0.340 0.008952"; 2]);
    }

    #[test]
    fn what_none_has_is_left_out_and_what_one_lacks_is_a_dash() {
        let (with, without) = (similarity(20.0, Some(0.5), 0.01), similarity(f64::NAN, None, f64::INFINITY));
        assert_eq!(told(&[("with", &with), ("without", &without)]), ["20.00 0.500 [0.01000]", "n/a – ∞"]);
        let colourful = Similarity { colourfulness: Some(14.79), bce: Some(0.5), ..with };
        assert_eq!(told(&[("with", &with), ("colourful", &colourful)])[1], "20.00 0.500 0.01000 0.5000 14.8");
    }
}
