//! `narrows drift`: whether new data are still like those of the fit.

mod for_people;
mod recalibrate;

pub(super) use for_people::promise;

use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use narrows_core::drift::{DriftMonitor, DriftReport, ImageDriftMonitor};
use narrows_core::range::Rate;
use narrows_core::{Error, ImageModel, Model, Recalibration, TabularModel};
use serde::Serialize;

use self::recalibrate::RecalibrateArgs;
use crate::failure::{Failure, Outcome};
use crate::flags::{Common, ModelArg, ResizeArg};
use crate::images;
use crate::input::InputArgs;
use crate::output;
use crate::pipeline::{self, Flow, Portion};
use crate::targets::{ForceArg, Targets};

/// Tell whether new data are still like those that a model was fitted to
///
/// Compares scores with those of the calibration, and each column with its training rows; of images also brightness,
/// contrast, colourfulness, sharpness and size. Drift is what is both significant and of some size.
#[derive(Debug, ClapArgs)]
#[command(
    before_help = "Example: narrows drift m.narrows new.parquet",
    before_long_help = "Examples:\n  narrows drift m.narrows new.parquet\n  \
                        narrows drift parts.narrows today/\n  \
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
    #[command(flatten)]
    recalibrate: RecalibrateArgs,
    /// Model file to write, with --recalibrate
    #[arg(short, long, value_name = "FILE", requires = "recalibrate")]
    output: Option<PathBuf>,
    #[command(flatten)]
    resize: ResizeArg,
    #[command(flatten)]
    force: ForceArg,
}

/// The document of `--json`: the comparison, and with `--recalibrate` the file that was written before it.
#[derive(Serialize)]
struct DriftDocument<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<&'a Path>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recalibration: Option<&'a Recalibration>,
    #[serde(flatten)]
    report: &'a DriftReport,
}

impl Drift {
    pub(crate) fn run(self, common: &Common) -> Result<Outcome, Failure> {
        let targets = Targets::new(self.force).reads([&self.model.path]).reads(self.input.inputs());
        targets.reads(self.recalibrate.input()).writes_if("--output", self.output.as_ref()).check()?;
        let level: Rate = self.level.parse().map_err(|message: String| Error::recipe("--level", message))?;
        self.recalibrate.check_other_than(self.input.inputs())?;
        let mut model = self.model.load(common)?.with_decoder()?;
        let mut recalibration = None;
        if let Some(path) = &self.output {
            let (again, found) = self.recalibrate.apply(model, self.resize, common)?;
            again.save(path)?;
            (model, recalibration) = (again, Some(found));
        }
        let (report, skipped) = match model {
            Model::Images(model) => self.compare_images(&model, level, common)?,
            model => (self.compare_rows(model.into_tabular()?.as_ref(), level)?, 0),
        };
        if common.json {
            let (output, recalibration) = (self.output.as_deref(), recalibration.as_ref());
            output::print_json(&DriftDocument { output, recalibration, report: &report })?;
        } else {
            output::print(&for_people::for_people(&report))?;
        }
        let has_drifted = self.fail_on_drift && report.has_drifted;
        Ok(if has_drifted { Outcome::DriftFound } else { images::outcome(skipped) })
    }

    fn compare_rows(&self, model: &dyn TabularModel, level: Rate) -> Result<DriftReport, Failure> {
        let source = self.input.table()?;
        let mut monitor = DriftMonitor::new(model, level);
        pipeline::read(&source, Some(&model.columns_read()), Portion::of(model), |table| {
            monitor.add(table)?;
            Ok(Flow::More)
        })?;
        Ok(monitor.finish())
    }

    /// The comparison, and the number of images that could not be read.
    fn compare_images(
        &self,
        model: &ImageModel,
        level: Rate,
        common: &Common,
    ) -> Result<(DriftReport, usize), Failure> {
        self.input.check_images()?;
        let talk = common.talk();
        let album = images::open(self.input.inputs(), talk)?;
        images::check_sizes(model, &album, self.resize.resize, talk)?;
        let mut monitor = ImageDriftMonitor::new(model, level);
        let skipped = images::each_batch(&album, talk, |_, images| {
            monitor.add(images);
            Ok(())
        })?;
        Ok((monitor.finish(), skipped))
    }
}
