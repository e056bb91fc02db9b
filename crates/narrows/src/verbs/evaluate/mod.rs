//! `narrows evaluate`: detection quality on labelled rows, with PCA and an isolation forest as baselines.

mod images;
mod metrics_file;

use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use narrows_core::{Error, Evaluation, Model};
use serde::Serialize;

use self::images::Asked;
use super::score::with_threshold;
use crate::failure::{Failure, Outcome};
use crate::flags::{Common, ModelArg, ResizeArg};
use crate::input::InputArgs;
use crate::output;
use crate::pipeline::{self, Flow, Portion};
use crate::talk::{count, grouped};
use crate::targets::{ForceArg, Targets};

/// Evaluate a model on labelled data, with PCA and an isolation forest as baselines
///
/// Prints metrics with 95 % bootstrap confidence intervals. With a model fitted with --corrupt, corrupts clean
/// images, restores them, and compares the result with a classical baseline.
#[derive(Debug, ClapArgs)]
#[command(
    before_help = "Example: narrows evaluate m.narrows test.csv --label is_fraud --normal 0",
    before_long_help = "Examples:\n  narrows evaluate m.narrows test.csv --label is_fraud --normal 0\n  \
                        narrows evaluate m.narrows test.csv --label is_fraud --normal 0 --at 25,250 -o metrics.csv"
)]
pub(crate) struct Evaluate {
    #[command(flatten)]
    model: ModelArg,
    #[command(flatten)]
    input: InputArgs,
    /// Column that distinguishes normal rows from anomalies; by default the one that the model was fitted with
    #[arg(long, value_name = "COLUMN")]
    label: Option<String>,
    /// Value of the label in normal rows, several separated by commas; by default as in the fit, else the evident one.
    /// For images: the folders of normal images; if omitted, reconstruction or restoration is evaluated instead
    #[arg(long, value_name = "VALUE", allow_negative_numbers = true)]
    normal: Option<String>,
    /// Also write the metrics to this file: JSON, or a table with a row for each metric, by the extension; `-` prints JSON
    /// instead of text
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Precision and recall of the K rows with the highest scores, for these K
    #[arg(long, value_name = "K,..", value_delimiter = ',')]
    at: Vec<u64>,
    /// Images only: write a contact sheet (PNG) with input, output, ground truth and difference
    #[arg(long, value_name = "FILE")]
    sheet: Option<PathBuf>,
    #[command(flatten)]
    resize: ResizeArg,
    #[command(flatten)]
    force: ForceArg,
    /// Override the model's threshold rule, such as quantile=0.99 or fixed=3.2
    #[arg(long, value_name = "RULE")]
    threshold: Option<String>,
}

impl Evaluate {
    pub(crate) fn run(self, common: &Common) -> Result<Outcome, Failure> {
        let targets = Targets::new(self.force).reads([&self.model.path]).reads(self.input.inputs());
        targets.writes_if("--sheet", self.sheet.as_ref()).writes_if("--output", self.output.as_ref()).check()?;
        let model = with_threshold(self.model.load(common)?.with_decoder()?, self.threshold.as_deref())?;
        if model.reads_images() {
            return self.evaluate_images(&model, common);
        }
        let model = model.into_tabular()?;
        let source = self.input.table()?;
        let fitted = model.report().label.clone();
        let label = self.label.or_else(|| fitted.as_ref().map(|fitted| fitted.column.clone()));
        let message = "expected the column that marks normal rows, got nothing";
        let label = label.ok_or_else(|| Error::recipe("--label", message))?;
        let mut evaluator = model.evaluator(&label, self.normal.as_deref()).at_ranks(self.at);
        // The evident value is chosen by all rows.
        let is_known = self.normal.is_some() || fitted.is_some_and(|f| f.column == label && f.normal.is_some());
        let portion = if is_known { Portion::of(model.as_ref()) } else { Portion::Whole };
        pipeline::read(&source, None, portion, |table| {
            evaluator.add(table)?;
            Ok(Flow::More)
        })?;
        let evaluation = evaluator.finish()?;
        tell(&evaluation, for_people, self.output.as_deref(), common)?;
        Ok(Outcome::Done)
    }

    fn evaluate_images(self, model: &Model, common: &Common) -> Result<Outcome, Failure> {
        if self.label.is_some() {
            return Err(Error::recipe("--label", "expected a table, got images, which have no columns").into());
        }
        let normal = self.normal.iter().flat_map(|names| names.split(',').map(str::to_owned)).collect();
        let (output, sheet) = (self.output.as_deref(), self.sheet.as_deref());
        let asked = Asked { inputs: self.input.inputs(), normal, output, sheet, resize: self.resize };
        images::evaluate(model, asked, common)
    }
}

/// Writes the metrics to `file`, if there is one, and prints them.
fn tell<T: Serialize>(
    metrics: &T,
    words: fn(&T) -> String,
    file: Option<&Path>,
    common: &Common,
) -> Result<(), Failure> {
    if let Some(file) = file {
        metrics_file::write(file, metrics)?;
    }
    match file {
        Some(file) if file.as_os_str() == "-" => Ok(()),
        _ if common.json => output::print_json(metrics),
        _ => output::print(&words(metrics)),
    }
}

fn for_people(evaluation: &Evaluation) -> String {
    let e = evaluation;
    let interval = |[low, high]: [f64; 2]| format!("[{low:.3}, {high:.3}]");
    let percent = |share: f64| format!("{:.2} %", 100.0 * share);
    let label = e.label.as_ref().map(|label| format!("label `{}`: {}", label.column, label.describe()));
    let mut lines: Vec<String> = label.into_iter().collect();
    lines.extend([
        format!("{}, {} anomalous", count(e.n, "labelled row"), grouped(e.n_anomalies)),
        String::new(),
        format!("{:<20} {:>7} {:>16}   {:>7} {:>16}", "", "AUC-ROC", "95 %", "AUC-PR", "95 %"),
        format!(
            "{:<20} {:>7.3} {:>16}   {:>7.3} {:>16}",
            "this model",
            e.auc_roc,
            interval(e.intervals.auc_roc),
            e.auc_pr,
            interval(e.intervals.auc_pr)
        ),
    ]);
    for (name, quality) in [("PCA", &e.baselines.pca), ("isolation forest", &e.baselines.isolation_forest)] {
        lines.push(
            format!("{name:<20} {:>7.3} {:>16}   {:>7.3}", quality.auc_roc, "", quality.auc_pr).trim_end().to_owned(),
        );
    }
    lines.push(String::new());
    lines.push(format!("at the threshold {:.4} ({})", e.threshold, e.rule));
    let c = &e.confusion;
    lines.push(format!("  {:<17} {:>12} {:>12}", "", "flagged", "not flagged"));
    lines.push(format!(
        "  {:<17} {:>12} {:>12}",
        "anomalous rows",
        grouped(c.true_positives),
        grouped(c.false_negatives)
    ));
    lines.push(format!("  {:<17} {:>12} {:>12}", "normal rows", grouped(c.false_positives), grouped(c.true_negatives)));
    lines.push(format!(
        "  precision         {}",
        e.precision.map_or_else(|| "undefined: no row is flagged".to_owned(), percent)
    ));
    lines.push(format!("  recall            {}", percent(e.recall)));
    lines.push(format!("  F1                {:.3} {}", e.f1, interval(e.intervals.f1)));
    let promise =
        e.promised_rate.map_or_else(String::new, |rate| format!(" (guaranteed: at most {} on average)", percent(rate)));
    lines.push(format!("  false alarms      {} of normal rows{promise}", percent(e.false_alarm_rate)));
    for at in &e.precision_at {
        let k = format!("highest {}", grouped(at.k));
        lines.push(format!("{k:<20} precision {}, recall {}", percent(at.precision), percent(at.recall)));
    }
    lines.push(format!(
        "best F1 over all thresholds: {:.3} at {:.4} (upper bound: chosen on these rows)",
        e.best_f1.f1, e.best_f1.threshold
    ));
    if let Some(pixels) = &e.pixels {
        let (images, regions) = (count(pixels.images, "image"), count(pixels.regions, "defect"));
        lines.push(format!(
            "pixels: AUC-ROC {:.3}, AUPRO {:.3} (up to a false-positive rate of 0.3), {images} with {regions} in masks",
            pixels.auc_roc, pixels.aupro
        ));
    }
    if e.unlabelled > 0 {
        lines.push(format!("{} without a label excluded", count(e.unlabelled, "row")));
    }
    lines.extend(e.beyond.iter().map(|beyond| format!("note: {beyond}: the model knows nothing of such rows")));
    lines.join("\n")
}
