//! `narrows drift`: whether new data are still like those of the fit.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use narrows_core::data::Source;
use narrows_core::drift::{ColumnDrift, DriftMonitor, DriftReport, LEAST_DISTANCE, LEAST_MISSING, LEAST_PSI};
use narrows_core::range::Rate;
use narrows_core::{Error, Model};

use crate::address;
use crate::failure::{Failure, Outcome};
use crate::flags::{Common, ModelArg};
use crate::input::InputArgs;
use crate::output;
use crate::pipeline::{self, Flow, Portion};
use crate::talk::{count, grouped};
use crate::targets::{ForceArg, Targets};

/// Columns of the table for people; all of them are in the JSON.
const TOLD_COLUMNS: usize = 40;

/// Tell whether new data are still like those that a model was fitted to
///
/// Compares scores with those of the calibration, and each column with its training rows. Drift is what is both significant
/// and of some size.
#[derive(Debug, ClapArgs)]
#[command(
    before_help = "Example: narrows drift m.narrows new.parquet",
    before_long_help = "Examples:\n  narrows drift m.narrows new.parquet\n  \
                        narrows drift m.narrows today.csv --json --fail-on-drift\n  \
                        narrows drift m.narrows today.csv --recalibrate normal.csv -o new.narrows"
)]
pub(crate) struct Drift {
    #[command(flatten)]
    model: ModelArg,
    #[command(flatten)]
    input: InputArgs,
    /// Greatest probability that unchanged data are reported, over all tests together
    #[arg(long, value_name = "RATE", default_value = "0.01")]
    level: String,
    /// Exit with code 10 if anything has drifted
    #[arg(long)]
    fail_on_drift: bool,
    /// Tables only: first set the threshold anew on these rows, all of which are normal, without training; the model is
    /// saved to the file of --output
    #[arg(long, value_name = "NORMAL", requires = "output")]
    recalibrate: Option<String>,
    /// Model file to write, with --recalibrate
    #[arg(short, long, value_name = "FILE", requires = "recalibrate")]
    output: Option<PathBuf>,
    #[command(flatten)]
    force: ForceArg,
}

impl Drift {
    pub(crate) fn run(self, common: &Common) -> Result<Outcome, Failure> {
        let targets = Targets::new(self.force).reads([&self.model.path]).reads(self.input.inputs());
        targets.reads(&self.recalibrate).writes_if("--output", self.output.as_ref()).check()?;
        let level: Rate = self.level.parse().map_err(|message: String| Error::recipe("--level", message))?;
        let model = self.model.load(common)?.with_decoder()?;
        let model = match (&self.recalibrate, &self.output) {
            (Some(normal), Some(path)) => {
                let model = recalibrated(model, normal, common)?;
                model.save(path)?;
                model
            }
            _ => model,
        };
        if let Model::Images(_) = model {
            let message = "expected a model of tables or series, got one of images, whose drift is not compared";
            return Err(Error::mismatch(message).into());
        }
        let model = model.into_tabular()?;
        let source = self.input.table()?;
        let mut monitor = DriftMonitor::new(model.as_ref(), level);
        pipeline::read(&source, Some(&model.columns_read()), Portion::of(model.as_ref()), |table| {
            monitor.add(table)?;
            Ok(Flow::More)
        })?;
        let report = monitor.finish();
        if common.json {
            output::print_json(&report)?;
        } else {
            output::print(&for_people(&report))?;
        }
        Ok(if self.fail_on_drift && report.has_drifted { Outcome::DriftFound } else { Outcome::Done })
    }
}

/// The model with the threshold set anew on the rows of a file.
fn recalibrated(model: Model, normal: &str, common: &Common) -> Result<Model, Failure> {
    let Model::Table(model) = model else {
        let message = "expected a model of tables, whose threshold can be set anew; got another";
        return Err(Error::recipe("--recalibrate", message).with_hint("fit it again").into());
    };
    let inputs = [normal.to_owned()];
    address::refuse(&inputs)?;
    let table = pipeline::read_whole(&Source::parse(&inputs)?, common.talk())?;
    let known = model.report().warnings.len();
    let model = model.recalibrated(&table)?;
    model.report().warnings.iter().skip(known).for_each(|warning| common.talk().warn(warning));
    let line =
        format!("threshold {:.4}, set on {} of {normal}", model.threshold(), count(table.n_rows() as u64, "row"));
    common.talk().line(line);
    Ok(Model::Table(model))
}

fn for_people(report: &DriftReport) -> String {
    let of = if report.independent < report.rows - report.unscored {
        format!(", which count as {} independent ones", grouped(report.independent))
    } else {
        String::new()
    };
    let mut lines = vec![format!("{} compared with the fit{of}", count(report.rows, "row")), String::new()];
    lines.push(head());
    let s = &report.score;
    lines.push(line("score", Some(s.distance), None, Some(s.corrected), s.has_drifted));
    let t = &report.threshold;
    lines.push(line("share above the threshold", None, None, Some(t.corrected), !t.stands));
    let mut columns: Vec<&ColumnDrift> = report.columns.iter().collect();
    let p = |column: &ColumnDrift| column.corrected.unwrap_or(1.0).min(column.missing.corrected.unwrap_or(1.0));
    if columns.len() > TOLD_COLUMNS {
        columns.sort_by(|a, b| p(a).total_cmp(&p(b)));
    }
    for column in columns.iter().take(TOLD_COLUMNS) {
        let ColumnDrift { distance, psi, corrected, has_drifted, .. } = column;
        lines.push(line(&format!("`{}`", column.column), *distance, *psi, *corrected, *has_drifted));
        if let Some(corrected) = column.missing.corrected {
            lines.push(line("  missing cells", None, None, Some(corrected), column.missing.has_drifted));
        }
    }
    if let Some(more) = columns.len().checked_sub(TOLD_COLUMNS).filter(|more| *more > 0) {
        lines.push(format!("  and {} with higher p-values", count(more as u64, "column")));
    }
    lines.push(String::new());
    if report.has_drifted {
        lines.push("drift:".to_owned());
        lines.extend(report.findings.iter().map(|finding| format!("  {finding}")));
    } else {
        lines.push("no drift".to_owned());
    }
    lines.push(promise(report));
    lines.push(format!(
        "drift is a corrected p-value of at most {} and a distance of at least {LEAST_DISTANCE}, a PSI of at least {LEAST_PSI}, \
         or {:.0} % more or fewer missing cells",
        report.level,
        100.0 * LEAST_MISSING
    ));
    lines.extend(report.notes.iter().map(|note| format!("note: {note}")));
    lines.join("\n")
}

/// Whether the threshold's promise still stands.
fn promise(report: &DriftReport) -> String {
    let t = &report.threshold;
    if report.rows == report.unscored {
        return "no row has a score".to_owned();
    }
    let flagged = format!("{} above the threshold ({:.2} %)", count(t.flagged, "row"), 100.0 * t.share);
    match (t.promised_rate, t.stands) {
        (Some(rate), true) => {
            format!("{flagged}: not significantly more than the promise, {:.2} % of normal rows", 100.0 * rate)
        }
        (Some(rate), false) => {
            format!("{flagged}: the promise, at most {:.2} % of normal rows, does not stand", 100.0 * rate)
        }
        (None, _) => format!("{flagged}, {:.2} % of the held-out rows; the rule promises nothing", 100.0 * t.share_was),
    }
}

fn head() -> String {
    format!("  {:<28} {:>8} {:>7} {:>13}", "", "distance", "PSI", "corrected p")
}

fn line(name: &str, distance: Option<f64>, psi: Option<f64>, corrected: Option<f64>, has_drifted: bool) -> String {
    let cell = |x: Option<f64>| x.map_or_else(String::new, |x| format!("{x:.3}"));
    let p =
        corrected.map_or_else(|| "-".to_owned(), |p| if p < 0.001 { format!("{p:.1e}") } else { format!("{p:.3}") });
    let (distance, psi) = (cell(distance), cell(psi));
    let drift = if has_drifted { "   drift" } else { "" };
    format!("  {name:<28} {distance:>8} {psi:>7} {p:>13}{drift}")
}
