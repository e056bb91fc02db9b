//! Image similarity to the clean images: one row per method, one column per metric, best values in bold.

use askama::Template;

use super::number::{column, places};
use super::text::cut;
use crate::report::Similarity;

/// The table.
#[derive(Template)]
#[template(path = "report/similarities.html", whitespace = "minimize")]
pub(super) struct SimilarityTable {
    metrics: Vec<Metric>,
    methods: Vec<MethodRow>,
}

struct MethodRow {
    name: String,
    cells: Vec<MetricCell>,
}

struct MetricCell {
    text: String,
    is_best: bool,
}

/// A similarity metric.
struct Metric {
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
    /// Neither high nor low colourfulness is better as such.
    Unknown,
}

const METRICS: [Metric; 5] = [
    Metric { name: "PSNR", unit: "dB", of: |s| Some(s.psnr), write: |x| all_places(x, 2), better: Better::Higher },
    Metric { name: "SSIM", unit: "", of: |s| s.ssim, write: |x| all_places(x, 3), better: Better::Higher },
    Metric { name: "MSE", unit: "", of: |s| Some(s.mse), write: column, better: Better::Lower },
    Metric { name: "BCE", unit: "", of: |s| s.bce, write: column, better: Better::Lower },
    Metric {
        name: "colourfulness",
        unit: "",
        of: |s| s.colourfulness,
        write: |x| all_places(x, 1),
        better: Better::Unknown,
    },
];

impl SimilarityTable {
    /// One row per method; metrics without any value are left out.
    pub(super) fn new(named: &[(&str, &Similarity)]) -> SimilarityTable {
        let metrics: Vec<Metric> = METRICS
            .into_iter()
            .filter(|metric| named.iter().any(|(_, similarity)| (metric.of)(similarity).is_some()))
            .collect();
        let mut methods: Vec<MethodRow> =
            named.iter().map(|(name, _)| MethodRow { name: cut(name, 80), cells: Vec::new() }).collect();
        for metric in &metrics {
            methods.iter_mut().zip(cells(metric, named)).for_each(|(method, cell)| method.cells.push(cell));
        }
        SimilarityTable { metrics, methods }
    }
}

/// One metric, a cell per method.
fn cells(metric: &Metric, named: &[(&str, &Similarity)]) -> Vec<MetricCell> {
    let values: Vec<Option<f64>> = named.iter().map(|(_, similarity)| (metric.of)(similarity)).collect();
    let texts = (metric.write)(&values.iter().map(|value| value.unwrap_or(f64::NAN)).collect::<Vec<_>>());
    let rank = |value: f64| if metric.better == Better::Lower { -value } else { value };
    let comparable = || {
        values.iter().zip(&texts).filter_map(|(value, text)| Some(((*value).filter(|value| !value.is_nan())?, text)))
    };
    // Values that print alike are ties; there is no best among one value or ties only.
    let best = comparable()
        .max_by(|(a, _), (b, _)| rank(*a).total_cmp(&rank(*b)))
        .map(|(_, text)| text)
        .filter(|best| metric.better != Better::Unknown && comparable().any(|(_, text)| text != *best));
    let text = |value: &Option<f64>, text: &String| if value.is_some() { text.clone() } else { "–".to_owned() };
    values
        .iter()
        .zip(&texts)
        .map(|(value, written)| MetricCell { text: text(value, written), is_best: best == Some(written) })
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

    /// The cells as text, the best of each metric in brackets.
    fn rendered(named: &[(&str, &Similarity)]) -> Vec<String> {
        let text = |cell: &MetricCell| if cell.is_best { format!("[{}]", cell.text) } else { cell.text.clone() };
        let methods = SimilarityTable::new(named).methods;
        methods.iter().map(|method| method.cells.iter().map(text).collect::<Vec<_>>().join(" ")).collect()
    }

    #[test]
    fn the_best_value_of_each_metric_is_marked() {
        let (ours, baseline) = (similarity(20.48, Some(0.34), 0.008952), similarity(28.6491, Some(0.7522), 0.001366));
        assert_eq!(
            rendered(&[("ours", &ours), ("baseline", &baseline)]),
            ["20.48 0.340 0.008952", "[28.65] [0.752] [0.001366]"]
        );
        assert_eq!(rendered(&[("a", &ours), ("b", &ours)]), ["20.48 0.340 0.008952"; 2]);
    }

    #[test]
    fn what_none_has_is_left_out_and_what_one_lacks_is_a_dash() {
        let (with, without) = (similarity(20.0, Some(0.5), 0.01), similarity(f64::NAN, None, f64::INFINITY));
        assert_eq!(rendered(&[("with", &with), ("without", &without)]), ["20.00 0.500 [0.01000]", "n/a – ∞"]);
        let colourful = Similarity { colourfulness: Some(14.79), bce: Some(0.5), ..with };
        assert_eq!(rendered(&[("with", &with), ("colourful", &colourful)])[1], "20.00 0.500 0.01000 0.5000 14.8");
    }
}
