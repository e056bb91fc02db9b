//! The model beside PCA with a code of the same size: honest where PCA rebuilds better, or where the comparison is empty.

use askama::Template;

use super::number::{count, counted, number, percent};
use super::subject::Subject;
use crate::report::Report;

/// Errors closer than this are called the same.
const SAME: f64 = 0.02;

/// A mean squared error that rounding alone explains, in prepared units of about 1.
const NOTHING: f64 = 1e-9;

/// The section.
#[derive(Template)]
#[template(path = "report/pca.html", whitespace = "minimize")]
pub(super) struct Pca {
    subject: Subject,
    bars: Vec<Bar>,
    verdict: String,
}

struct Bar {
    class: &'static str,
    name: String,
    error: String,
    /// In percent of the bar.
    width: f64,
}

impl Pca {
    pub(super) fn new(report: &Report) -> Pca {
        let pca = &report.pca;
        let errors = [pca.model_error, pca.pca_error];
        let highest = errors.iter().copied().filter(|error| error.is_finite()).fold(0.0, f64::max);
        let width = |error: f64| match error / highest {
            share if share.is_finite() => (share.clamp(0.0, 1.0) * 1000.0).round() / 10.0,
            _ => 0.0,
        };
        let bar = |class, name, i: usize| Bar { class, name, error: number(errors[i]), width: width(errors[i]) };
        Pca {
            subject: Subject::seen(report),
            verdict: verdict(report),
            bars: vec![
                bar("model", format!("this model, code {}", count(report.network.code_size as u64)), 0),
                bar("baseline", format!("PCA, {}", counted(pca.components as u64, "component")), 1),
            ],
        }
    }
}

fn verdict(report: &Report) -> String {
    let (model, pca, inputs, components) =
        (report.pca.model_error, report.pca.pca_error, report.network.inputs, report.pca.components);
    let (noun, plural) = (Subject::seen(report).noun(), Subject::seen(report).plural());
    let same_size = counted(components as u64, "component");
    if components.max(report.network.code_size) >= inputs && inputs > 0 {
        return format!(
            "This comparison says nothing here: PCA with {same_size} for {} copies every {noun} perfectly, anomalies included. Look at the scores instead.",
            counted(inputs as u64, "input")
        );
    }
    if !model.is_finite() || !pca.is_finite() || model < 0.0 || pca < 0.0 {
        return "The two cannot be compared: an error was not measured.".to_owned();
    }
    if pca <= NOTHING {
        return format!(
            "This comparison says nothing here: {same_size} of PCA copy every {noun} perfectly, anomalies included."
        );
    }
    let gain = 1.0 - model / pca;
    match gain {
        _ if gain.abs() < SAME => format!(
            "The two rebuild held-out {plural} equally well. PCA with {same_size} is the simpler choice where only reconstruction counts."
        ),
        _ if gain > 0.0 => format!(
            "The model rebuilds held-out {plural} with {} less error than PCA with {same_size}: it uses what is not linear in the data.",
            percent(gain)
        ),
        _ => format!(
            "PCA with {same_size} rebuilds these {plural} better, with {} less error than the model. The data may be close to linear, or the model trained too briefly for its size. \
             Rebuilding well and finding anomalies are not the same, but look before you trust.",
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
        Pca::new(&report).render().unwrap();
    }

    #[test]
    fn the_verdict_is_honest() {
        check(8, 0.08, 0.1, "20 % less error than PCA with 8 components");
        check(8, 0.1, 0.08, "PCA with 8 components rebuilds these rows better, with 20 % less error");
        check(8, 0.1, 0.1, "equally well");
        check(29, 0.1, 0.0, "says nothing here");
        check(8, 0.1, 0.0, "says nothing here");
        check(8, f64::NAN, 0.1, "cannot be compared");
    }
}
