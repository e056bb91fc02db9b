//! `narrows demo`: the whole way from data to explained anomalies, on data it makes itself.
//!
//! Each step is a command line that a user could have typed, shown and then run through the same parser, so the
//! demonstration cannot drift away from the program.

use std::fs;
use std::path::PathBuf;

use arrow::array::AsArray;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use clap::{Args as ClapArgs, Parser, ValueEnum};
use narrows::data::{Source, Table};
use narrows::{Error, demo};

use crate::args::{Args, Common};
use crate::failure::{Failure, Outcome};
use crate::output::{OutputArgs, TableWriter};
use crate::pipeline::BATCH_ROWS;
use crate::talk::{Talk, count};

/// Make data, then fit, score, evaluate, explain and report on it
///
/// Makes card payments, some of them fraud, in a new folder, and runs the other verbs on them, each shown before it runs.
#[derive(Debug, ClapArgs)]
#[command(
    before_help = "Example: narrows demo",
    before_long_help = "Examples:\n  narrows demo\n  narrows demo --data-only --kind wide --rows 285000 --features 29 -o wide.parquet"
)]
pub(crate) struct Demo {
    /// Rows to fit on; half as many more to test with
    #[arg(long, value_name = "N", default_value_t = 6000)]
    rows: usize,
    /// Key of all randomness
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Folder for the files; else narrows-demo, or narrows-demo-2 and so on where that exists
    #[arg(long, value_name = "DIR", conflicts_with = "data_only")]
    dir: Option<PathBuf>,
    /// Use a folder that is not empty
    #[arg(short, long, requires = "dir")]
    force: bool,
    /// Only write the data, with its label, as one table
    #[arg(long)]
    data_only: bool,
    /// The data
    #[arg(long, value_enum, default_value_t = Kind::Payments, requires = "data_only")]
    kind: Kind,
    /// Columns of the wide table
    #[arg(long, value_name = "N", default_value_t = 29, requires = "data_only")]
    features: usize,
    #[command(flatten)]
    output: OutputArgs,
}

/// What data to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Card payments with fraud: numbers, categories, dates, missing cells
    Payments,
    /// Numbers only, near a curved surface, with anomalies off it
    Wide,
}

impl Demo {
    pub(crate) fn run(self, common: &Common) -> Result<Outcome, Failure> {
        if self.data_only {
            let table = match self.kind {
                Kind::Payments => demo::payments(self.rows, demo::PAYMENTS_FRAUD_SHARE, self.seed),
                Kind::Wide if self.features == 0 => {
                    return Err(Error::recipe("--features", "expected at least 1, got 0").into());
                }
                Kind::Wide => demo::wide(self.rows, self.features, demo::WIDE_ANOMALY_SHARE, self.seed),
            };
            write(&table, self.output.writer()?)?;
            return Ok(Outcome::Done);
        }
        let talk = common.talk();
        let folder = self.folder()?;
        // The test rows come after the training rows in time, as they would.
        let rows = demo::payments(self.rows + self.rows / 2, demo::PAYMENTS_FRAUD_SHARE, self.seed);
        let files = Files { folder };
        for (name, table) in
            [("train.csv", rows.slice(0, self.rows)), ("test.csv", rows.slice(self.rows, self.rows / 2))]
        {
            let writer = TableWriter::create(&files.path(name))?;
            write(&table, writer)?;
            talk.line(format_args!("{}: {} of card payments", files.name(name), count(table.n_rows() as u64, "row")));
        }
        for mut step in files.steps(self.seed) {
            if step[0] == "explain" {
                step.push(highest(&files.name("scores.csv"))?.to_string());
            }
            match run(&step, common, talk)? {
                Outcome::Done => {}
                other => return Ok(other),
            }
        }
        talk.line(format_args!("\nopen {} in a browser to see what the model is made of", files.name("report.html")));
        Ok(Outcome::Done)
    }

    fn folder(&self) -> Result<PathBuf, Failure> {
        let folder = match &self.dir {
            Some(folder) => {
                let is_used = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
                if is_used && !self.force {
                    let message =
                        format!("expected a new or empty folder, got `{}`, which holds files", folder.display());
                    return Err(Error::recipe("--dir", message)
                        .with_hint("--force writes into it all the same")
                        .into());
                }
                folder.clone()
            }
            None => {
                let numbered = (2..).map(|i| PathBuf::from(format!("narrows-demo-{i}")));
                let mut names = std::iter::once(PathBuf::from("narrows-demo")).chain(numbered);
                names.find(|name| !name.exists()).expect("an endless row of names")
            }
        };
        fs::create_dir_all(&folder).map_err(|error| Failure::write(&folder.display().to_string(), error))?;
        Ok(folder)
    }
}

struct Files {
    folder: PathBuf,
}

impl Files {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn name(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// The command lines, without the program's name; the row to explain is known only after the scores.
    fn steps(&self, seed: u64) -> Vec<Vec<String>> {
        let [train, test, model, scores, report] =
            ["train.csv", "test.csv", "payments.narrows", "scores.csv", "report.html"].map(|name| self.name(name));
        let seed = seed.to_string();
        let label = demo::PAYMENTS_LABEL;
        let steps: [&[&str]; 5] = [
            &["fit", &train, "--label", label, "--normal", "0", "--seed", &seed, "-o", &model, "--force"],
            &["score", &model, &test, "-o", &scores, "--keep", label, "--explain", "3"],
            &["evaluate", &model, &test, "--label", label, "--normal", "0"],
            &["explain", &model, &test, "--row"],
            &["report", &model, "-o", &report],
        ];
        steps.iter().map(|step| step.iter().map(|word| (*word).to_owned()).collect()).collect()
    }
}

fn write(table: &Table, mut writer: TableWriter) -> Result<(), Failure> {
    for first in (0..table.n_rows()).step_by(BATCH_ROWS) {
        writer.write(table.slice(first, BATCH_ROWS.min(table.n_rows() - first)).batch())?;
    }
    writer.finish()
}

/// Shows a command line and does what it says.
fn run(step: &[String], common: &Common, talk: Talk) -> Result<Outcome, Failure> {
    talk.line(format_args!("\n$ narrows {}", step.join(" ")));
    let words = std::iter::once("narrows").chain(step.iter().map(String::as_str));
    let mut args = Args::try_parse_from(words).expect("the demonstration types what the parser knows");
    args.common = common.clone();
    super::run(args)
}

/// The row with the highest score.
fn highest(scores: &str) -> Result<u64, Failure> {
    let table = Source::parse(&[scores])?.open(BATCH_ROWS, None)?.read_all()?;
    let score = cast(table.expect_column("score")?, &DataType::Float64).expect("scores are written as numbers");
    let score = score.as_primitive::<Float64Type>().values();
    Ok((0..score.len()).max_by(|a, b| score[*a].total_cmp(&score[*b])).unwrap_or(0) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_row_to_explain_is_the_one_that_scores_highest() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("scores.csv");
        fs::write(&path, "row,score\n0,1.5\n1,7.25\n2,0.5\n").unwrap();
        assert_eq!(highest(path.to_str().unwrap()).unwrap(), 1);
    }
}
