//! `narrows generate`: new samples, variations of given samples, or interpolations.

mod images;

use std::cell::RefCell;

use clap::Args as ClapArgs;
use narrows_core::data::{Dropped, Filter, Source, Table};
use narrows_core::{Error, ImageModel, Model, SampleSimilarity, TabularModel, Variation};

use self::images::Show;
use super::summary;
use crate::failure::{Failure, Outcome};
use crate::flags::{Common, ModelArg};
use crate::output::{self, OutputArgs};
use crate::pipeline::{self, BATCH_ROWS, Flow, Portion, write_while};
use crate::talk::grouped;
use crate::targets::Targets;

/// Generate new rows, series or images from the model
///
/// The same seed gives the same rows, and the first rows do not depend on the number of rows. The preset designed for
/// generation is `variational`; all models sample from a density fitted to the codes of training rows. Rows of tables have
/// the columns of the training file in its types: flags, categories, frequent values and missing cells are sampled from
/// their predicted probabilities; numbers keep the range and the number of decimals of the training rows, dates their
/// range; constants are repeated, and identifiers are new.
#[derive(Debug, ClapArgs)]
#[command(
    before_help = "Example: narrows generate m.narrows -n 1000 -o new.csv",
    before_long_help = "Examples:\n  narrows generate m.narrows -n 1000 -o new.csv\n  \
                        narrows generate m.narrows -n 100 --where \"class = 7\"\n  \
                        narrows generate m.narrows --like some.csv --spread 0.3\n  \
                        narrows generate m.narrows --like some.csv --between 3,17 --steps 8\n  \
                        narrows generate m.narrows -n 1000 --judge held_out.csv\n  \
                        narrows generate digits.narrows --manifold 15 -o grid.png"
)]
pub(crate) struct Generate {
    #[command(flatten)]
    model: ModelArg,
    /// Number of rows; with --like, by default one for each given row, else the given rows are cycled
    #[arg(short = 'n', long = "rows", value_name = "N", required_unless_present_any = ["like", "between", "manifold"])]
    rows: Option<u64>,
    /// Only rows of a table for which this is true, such as "class = 7" or "amount > 100 and country = 'DE'"
    ///
    /// Written as for other verbs: = != < <= > >=, `in (..)`, `between .. and ..`, `is null`, `and`, `or`, `not`. Rows are
    /// drawn until enough match, and how many were drawn is told; if hardly any matches, this is an error.
    #[arg(long = "where", value_name = "EXPRESSION", conflicts_with_all = ["like", "between", "manifold", "judge"])]
    condition: Option<String>,
    /// Random seed; by default the seed of the model
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Generate variations of the rows of this file, or of these images
    #[arg(long, value_name = "FILE")]
    like: Option<String>,
    /// Standard deviation of the noise added to codes, relative to that of the codes; 0 gives the reconstruction
    #[arg(long, value_name = "SPREAD", requires = "like", conflicts_with = "between", default_value_t = Variation::USUAL_SPREAD)]
    spread: f32,
    /// Interpolate linearly in latent space between two rows of --like, counted from 0; for images also two files
    #[arg(long, value_name = "A,B", conflicts_with = "rows")]
    between: Option<String>,
    /// Number of interpolated rows, including both ends
    #[arg(long, value_name = "N", requires = "between", default_value_t = Variation::USUAL_STEPS)]
    steps: usize,
    /// Image models with 2 code units only: decode a regular SIDE x SIDE grid over the code
    #[arg(long, value_name = "SIDE", conflicts_with_all = ["rows", "like", "between"])]
    manifold: Option<usize>,
    /// Instead of rows, print the similarity of generated rows to the held-out rows of this file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["like", "between", "manifold"])]
    judge: Option<String>,
    #[command(flatten)]
    output: OutputArgs,
}

/// Maximum number of interpolated rows.
const MOST_STEPS: usize = 1_000_000;

impl Generate {
    pub(crate) fn run(self, common: &Common) -> Result<Outcome, Failure> {
        if !(self.spread.is_finite() && self.spread >= 0.0) {
            let message = format!("expected a number of at least 0, got {}", self.spread);
            return Err(Error::recipe("--spread", message).into());
        }
        if !(2..=MOST_STEPS).contains(&self.steps) {
            let message = format!("expected from 2 to {MOST_STEPS} rows, both ends included, got {}", self.steps);
            return Err(Error::recipe("--steps", message).into());
        }
        let targets = self.output.targets().reads([&self.model.path]).reads(&self.like).reads(&self.judge);
        let targets = targets.reads(self.between.iter().flat_map(|files| files.split(',')).map(str::trim));
        targets.check()?;
        let model = self.model.load(common)?;
        let seed = self.seed.unwrap_or(model.recipe().seed);
        match model {
            Model::Images(model) if self.judge.is_some() => self.compare_images(&model, seed, common),
            Model::Images(model) => self.images(&model, seed, &targets, common),
            _ if self.manifold.is_some() => {
                let message = "expected a model of images for --manifold, got one of tables or series";
                Err(Error::mismatch(message).into())
            }
            model => self.rows(model.into_tabular()?.as_ref(), seed, common),
        }
    }

    fn rows(&self, model: &dyn TabularModel, seed: u64, common: &Common) -> Result<Outcome, Failure> {
        if let Some(file) = &self.judge {
            let n = self.rows.unwrap_or(0) as usize;
            return tell(&model.generation_quality(&whole(model, file)?, n, seed)?, common);
        }
        let Some(file) = &self.like else {
            if self.between.is_some() {
                let message = "expected --like with it: the file with the rows to interpolate";
                return Err(Error::recipe("--between", message).into());
            }
            let n = self.rows.unwrap_or(0);
            tell_not_made(model, common);
            let Some(condition) = &self.condition else {
                return self.write(n, |n, first| Ok(model.generate(n, first, seed)?));
            };
            let condition: Filter = condition.parse()?;
            let rows = RefCell::new(model.generate_where(&condition, seed)?);
            let outcome = self.write(n, |n, _| Ok(rows.borrow_mut().take(n)?))?;
            let (drawn, matched) = rows.borrow().counts();
            let (matched, drawn) = (grouped(matched), grouped(drawn));
            common.talk().note(format!("{matched} of {drawn} rows drawn match {condition}"));
            return Ok(outcome);
        };
        let given = whole(model, file)?;
        let variation = model.variation(&given)?;
        if let Some(between) = &self.between {
            let (a, b) = rows_of(between)?;
            let rows = variation.between(a, b, self.steps)?;
            return self.write(self.steps as u64, |n, first| Ok(rows.slice(first as usize, n)));
        }
        let n = self.rows.unwrap_or(variation.n() as u64);
        self.write(n, |n, first| Ok(variation.vary(n, first, self.spread, seed)?))
    }

    /// Writes `n` rows, generated in batches; for 0 rows, only the column names.
    fn write(&self, n: u64, make: impl Fn(usize, u64) -> Result<Table, Failure>) -> Result<Outcome, Failure> {
        let writer = write_while(self.output.writer()?, |send| {
            for first in (0..n.max(1)).step_by(BATCH_ROWS) {
                let rows = (n - first).min(BATCH_ROWS as u64) as usize;
                if !send(make(rows, first)?.batch().clone()) {
                    break;
                }
            }
            Ok(())
        })?;
        writer.finish()?;
        Ok(Outcome::Done)
    }

    fn images(&self, model: &ImageModel, seed: u64, targets: &Targets, common: &Common) -> Result<Outcome, Failure> {
        let target = self.output.folder("new images, or an image file for a contact sheet")?;
        let show = Show { model, target, targets, common };
        match (&self.like, &self.between, self.manifold) {
            (_, _, Some(side)) => show.manifold(side),
            (Some(given), Some(between), _) => show.between(given, rows_of(between)?, self.steps),
            (None, Some(between), _) => show.between_files(between, self.steps),
            (Some(given), None, _) => show.like(given, self.rows, self.spread, seed),
            (None, None, None) => show.fresh(self.rows.unwrap_or(0), seed),
        }
    }

    fn compare_images(&self, model: &ImageModel, seed: u64, common: &Common) -> Result<Outcome, Failure> {
        let files: Vec<String> = self.judge.iter().cloned().collect();
        let store = crate::images::store(&files, &common.compute()?, common.talk())?;
        tell(&model.generation_quality(&store, self.rows.unwrap_or(0) as usize, seed)?, common)
    }
}

/// Tells which columns of the training file new rows lack.
fn tell_not_made(model: &dyn TabularModel, common: &Common) {
    let not_made = model.report().generation.iter().flat_map(|generation| &generation.not_made);
    for Dropped { column, reason } in not_made {
        common.talk().note(format!("column `{column}` is not made: {reason}"));
    }
}

fn tell(found: &SampleSimilarity, common: &Common) -> Result<Outcome, Failure> {
    if common.json {
        output::print_json(found)?;
    } else {
        output::print(&summary::sample_similarity(found).join("\n"))?;
    }
    Ok(Outcome::Done)
}

/// Reads all rows of a file.
fn whole(model: &dyn TabularModel, file: &str) -> Result<Table, Failure> {
    crate::address::refuse(&[file])?;
    let source = Source::parse(&[file.to_owned()])?;
    let mut all = None;
    pipeline::read(&source, Some(model.schema()), Portion::Whole, |table| {
        all = Some(table.clone());
        Ok(Flow::More)
    })?;
    Ok(all.expect("a file without rows is an error"))
}

/// Parses two row numbers.
fn rows_of(between: &str) -> Result<(u64, u64), Failure> {
    let rows = between.split_once(',').and_then(|(a, b)| Some((a.trim().parse().ok()?, b.trim().parse().ok()?)));
    rows.ok_or_else(|| {
        let message = format!("expected the numbers of two rows, such as 3,17, got `{between}`");
        Error::recipe("--between", message).into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_rows_are_two_whole_numbers() {
        assert_eq!(rows_of("3,17").unwrap(), (3, 17));
        assert_eq!(rows_of("0, 0").unwrap(), (0, 0));
        for wrong in ["", "3", "3,", "a,b", "-1,2", "1,2,3", "1.5,2"] {
            assert!(rows_of(wrong).is_err(), "{wrong}");
        }
    }
}
