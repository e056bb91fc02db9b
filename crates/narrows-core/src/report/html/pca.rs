//! Comparison with PCA of the same code size, including where PCA is better or the comparison is uninformative.

use askama::Template;

use super::number::{count, counted, number, percent};
use super::sample_kind::SampleKind;
use crate::report::Report;

/// Relative differences below this count as equal.
const TIE: f64 = 0.02;

/// A mean squared error within rounding error, in prepared units.
const ROUNDING_MSE: f64 = 1e-9;

/// The section.
#[derive(Template)]
#[template(path = "report/pca.html", whitespace = "minimize")]
pub(super) struct PcaSection {
    sample_kind: SampleKind,
    bars: Vec<ErrorBar>,
    verdict: String,
    /// The errors are folded away where they say nothing.
    is_uninformative: bool,
}

struct ErrorBar {
    class: &'static str,
    name: String,
    error: String,
    /// In percent of the widest bar.
    width: f64,
}

impl PcaSection {
    pub(super) fn new(report: &Report) -> PcaSection {
        let pca = &report.pca;
        let errors = [pca.model_error, pca.pca_error];
        let highest = errors.iter().copied().filter(|error| error.is_finite()).fold(0.0, f64::max);
        let width = |error: f64| match error / highest {
            share if share.is_finite() => (share.clamp(0.0, 1.0) * 1000.0).round() / 10.0,
            _ => 0.0,
        };
        let bar = |class, name, i: usize| ErrorBar { class, name, error: number(errors[i]), width: width(errors[i]) };
        PcaSection {
            sample_kind: SampleKind::network_input(report),
            verdict: verdict(report),
            is_uninformative: is_uninformative(report),
            bars: vec![
                bar("model", format!("this model, code {}", count(report.network.code_size as u64)), 0),
                bar("baseline", format!("PCA, {}", counted(pca.components as u64, "component")), 1),
            ],
        }
    }
}

/// Whether as many components as the code has units reconstruct everything.
fn is_uninformative(report: &Report) -> bool {
    let inputs = report.network.inputs;
    report.pca.components.max(report.network.code_size) >= inputs && inputs > 0
}

/// Which of the two reconstructs held-out samples better.
pub(in crate::report) fn verdict(report: &Report) -> String {
    let (model, pca, inputs, components) =
        (report.pca.model_error, report.pca.pca_error, report.network.inputs, report.pca.components);
    let (noun, plural) = (SampleKind::network_input(report).noun(), SampleKind::network_input(report).plural());
    let same_size = counted(components as u64, "component");
    if is_uninformative(report) {
        return format!(
            "This comparison is uninformative: PCA with {same_size} for {} reconstructs every {noun} exactly, anomalies included. Compare scores instead.",
            counted(inputs as u64, "input")
        );
    }
    if !model.is_finite() || !pca.is_finite() || model < 0.0 || pca < 0.0 {
        return "Not comparable: an error was not measured.".to_owned();
    }
    if pca <= ROUNDING_MSE {
        return format!(
            "This comparison is uninformative: PCA with {same_size} reconstructs every {noun} exactly, anomalies included."
        );
    }
    let gain = 1.0 - model / pca;
    match gain {
        _ if gain.abs() < TIE => format!(
            "The model and PCA with {same_size} reconstruct held-out {plural} equally well. PCA is the simpler choice if only reconstruction matters."
        ),
        _ if gain > 0.0 => format!(
            "The model reconstructs held-out {plural} with {} less error than PCA with {same_size}: it uses nonlinear structure.",
            percent(gain)
        ),
        _ => format!(
            "PCA with {same_size} reconstructs held-out {plural} with {} less error than the model. The data may be close to linear, or the model undertrained for its size. \
             Lower reconstruction error does not imply better anomaly detection; evaluate with labels if possible.",
            percent(1.0 - pca / model)
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    fn check(components: usize, model_error: f64, pca_error: f64, expected: &str) {
        let mut report = sample::report();
        report.network.code_size = components;
        report.pca = crate::report::PcaComparison { components, pca_error, model_error };
        let verdict = verdict(&report).replace('\u{a0}', " ");
        assert!(verdict.contains(expected), "{verdict}");
        PcaSection::new(&report).render().unwrap();
    }

    #[test]
    fn the_verdict_is_honest() {
        check(8, 0.08, 0.1, "20 % less error than PCA with 8 components");
        check(8, 0.1, 0.08, "PCA with 8 components reconstructs held-out rows with 20 % less error");
        check(8, 0.1, 0.1, "equally well");
        check(29, 0.1, 0.0, "uninformative");
        check(8, 0.1, 0.0, "uninformative");
        check(8, f64::NAN, 0.1, "Not comparable");
    }
}
