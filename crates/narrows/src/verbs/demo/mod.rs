//! `narrows demo`: the complete workflow on generated data.
//!
//! Each step is a command line, which is printed and then run through the regular parser, so the demonstration stays in
//! sync with the command.

mod images;
mod list;
mod story;

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, ValueEnum};
use narrows_core::data::Table;
use narrows_core::output::TableWriter;
use narrows_core::{Error, demo};

use crate::failure::{Failure, Outcome};
use crate::flags::Common;
use crate::output::{self, OutputArgs};
use crate::pipeline::BATCH_ROWS;
use crate::talk::{Talk, count};
use crate::verbs::Args;

use story::{Files, Story};

/// Generate example data and run fit, score, evaluate, explain and report on it
///
/// Generates card payments with fraud, heartbeats with arrhythmias, sensors with faults, or images to restore, in a new
/// folder, and runs the other verbs on them, printing each command line. `--list` says how long each takes.
#[derive(Debug, ClapArgs)]
#[command(
    before_help = "Example: narrows demo",
    before_long_help = "Examples:\n  narrows demo\n  narrows demo --list\n  narrows demo heartbeat\n  narrows demo images\n  \
                        narrows demo wide --data-only --rows 285000 --features 29 -o wide.parquet"
)]
pub(crate) struct Demo {
    /// Kind of example data
    #[arg(value_name = "DATA", value_enum, default_value_t = Kind::Payments)]
    kind: Kind,
    /// List the demonstrations and how long each takes, without running one
    #[arg(long, conflicts_with_all = ["rows", "dir", "data_only"])]
    list: bool,
    /// Number of training rows or images; half as many are generated for testing
    #[arg(long, value_name = "N")]
    rows: Option<usize>,
    /// Random seed
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Output folder; by default narrows-demo, or narrows-demo-2, ... if it exists
    #[arg(long, value_name = "DIR", conflicts_with = "data_only")]
    dir: Option<PathBuf>,
    /// Only write the data with labels, as one table; images as files in the folder --output
    #[arg(long)]
    data_only: bool,
    /// Number of columns of the wide table
    #[arg(long, value_name = "N", default_value_t = 29, requires = "data_only")]
    features: usize,
    #[command(flatten)]
    output: OutputArgs,
}

/// Kinds of example data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Card payments with fraud: numbers, categories, dates, missing cells
    Payments,
    /// Heartbeats, one per row, some abnormal
    Heartbeat,
    /// Three machines with three sensors each, one time step per row, with faults towards the end
    Machines,
    /// Small colour images to restore, and machined parts, some scratched
    Images,
    /// Numbers near a nonlinear manifold, with anomalies off it; requires --data-only
    Wide,
}

impl Demo {
    pub(crate) fn run(self, common: &Common) -> Result<Outcome, Failure> {
        if self.list {
            list::print(common)?;
            return Ok(Outcome::Done);
        }
        self.output.targets().check()?;
        if !self.data_only {
            common.talk().line(list::headline(self.kind));
        }
        if let Kind::Images = self.kind {
            return self.run_images(common);
        }
        if self.data_only {
            write(&self.table()?, self.output.writer()?)?;
            return Ok(Outcome::Done);
        }
        let story = Story::of(self.kind)?;
        let talk = common.talk();
        let files = Files { folder: self.folder()? };
        let (train, test) = story.split(&self.table()?);
        for (name, table) in [("train.csv", train), ("test.csv", test)] {
            write(&table, output::table(&files.path(name))?)?;
            talk.line(format_args!("{}: {} of {}", files.name(name), count(table.n_rows() as u64, "row"), story.what));
        }
        for step in story.steps(&files, self.seed) {
            match run(&step, common, talk)? {
                Outcome::Done => {}
                other => return Ok(other),
            }
        }
        talk.line(format_args!("\nopen {} in a browser for the report of the model", files.name("report.html")));
        Ok(Outcome::Done)
    }

    fn run_images(self, common: &Common) -> Result<Outcome, Failure> {
        let talk = common.talk();
        let drawn = images::Drawn { images: self.rows.unwrap_or(images::IMAGES), seed: self.seed };
        if self.data_only {
            return drawn.draw(self.output.folder("images")?, talk).map(|()| Outcome::Done);
        }
        let files = Files { folder: self.folder()? };
        drawn.draw(&files.folder, talk)?;
        for step in drawn.steps(&files) {
            match run(&step, common, talk)? {
                Outcome::Done => {}
                other => return Ok(other),
            }
        }
        images::tell_defects(&files, talk)?;
        Ok(Outcome::Done)
    }

    /// The data as one table: training rows, then test rows.
    fn table(&self) -> Result<Table, Failure> {
        let fit_on = self.rows.unwrap_or(match self.kind {
            Kind::Payments | Kind::Machines | Kind::Wide => 6000,
            Kind::Heartbeat => 1500,
            Kind::Images => images::IMAGES,
        });
        let rows = if self.data_only { fit_on } else { fit_on + fit_on / 2 };
        Ok(match self.kind {
            Kind::Payments => demo::payments(rows, demo::PAYMENTS_FRAUD_SHARE, self.seed),
            Kind::Heartbeat => demo::heartbeat(rows, demo::HEARTBEAT_ANOMALY_SHARE, self.seed),
            Kind::Machines => demo::machines(rows / story::MACHINES, story::MACHINES, self.seed),
            Kind::Wide if self.features == 0 => {
                return Err(Error::recipe("--features", "expected at least 1, got 0").into());
            }
            Kind::Wide => demo::wide(rows, self.features, demo::WIDE_ANOMALY_SHARE, self.seed),
            Kind::Images => unreachable!("images go to files"),
        })
    }

    fn folder(&self) -> Result<PathBuf, Failure> {
        let folder = match &self.dir {
            Some(folder) => {
                let is_used = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
                if is_used && !self.output.force.force {
                    let message =
                        format!("expected a new or empty folder, got `{}`, which holds files", folder.display());
                    return Err(Error::recipe("--dir", message).with_hint("--force allows it").into());
                }
                folder.clone()
            }
            None => {
                let numbered = (2..).map(|i| PathBuf::from(format!("narrows-demo-{i}")));
                let mut names = std::iter::once(PathBuf::from("narrows-demo")).chain(numbered);
                names.find(|name| !name.exists()).expect("an endless row of names")
            }
        };
        fs::create_dir_all(&folder).map_err(|error| Error::write(&folder, error))?;
        Ok(folder)
    }
}

fn write(table: &Table, mut writer: TableWriter<'_>) -> Result<(), Failure> {
    for first in (0..table.n_rows()).step_by(BATCH_ROWS) {
        writer.write(table.slice(first, BATCH_ROWS.min(table.n_rows() - first)).batch())?;
    }
    Ok(writer.finish()?)
}

/// Prints and runs a command line.
fn run(step: &[String], common: &Common, talk: Talk) -> Result<Outcome, Failure> {
    talk.line(format_args!("\n$ narrows {}", step.join(" ")));
    let words: Vec<OsString> = step.iter().map(OsString::from).collect();
    let name = OsString::from("narrows");
    let mut args = Args::try_parse_from(std::iter::once(&name).chain(&words))
        .expect("the demonstration types what the parser knows");
    args.common = common.clone();
    super::run(args, &words)
}
