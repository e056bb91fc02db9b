//! A fitted model: immutable, `Send + Sync`, and the verbs that use it.
//!
//! Every score goes through [`Fitted::score`] or [`Fitted::explain`], which share one path; a row's result depends on
//! no other row, on no batch size and on no number of threads.

mod calibrate;
mod evaluate;
mod fit;
mod generate;
mod judge;
mod roles;
mod split;
mod summary;

pub use evaluate::{Evaluation, Evaluator};
pub use fit::{Session, fit};
pub(crate) use generate::CodeDensity;
pub(crate) use judge::Judge;
pub use judge::{Explained, ScoreCounts, Scores};
pub use roles::Roles;

use narrows_engine::Threads;

use crate::baseline::{IsolationForest, Pca};
use crate::data::{Schema, Table};
use crate::detect::{Calibration, Decision, Threshold};
use crate::error::{Error, Result};
use crate::recipe::Recipe;
use crate::report::Report;

/// A fitted model.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    pub(crate) recipe: Recipe,
    pub(crate) judge: Judge,
    pub(crate) calibration: Calibration,
    pub(crate) decision: Decision,
    pub(crate) baselines: Baselines,
    pub(crate) density: CodeDensity,
    pub(crate) report: Report,
}

/// What a user would compare with, fitted on the same rows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Baselines {
    /// PCA with as many components as the code has units; 90 % of the variance where that would copy its input.
    pub pca: Pca,
    /// An isolation forest.
    pub isolation_forest: IsolationForest,
}

impl Fitted {
    /// What the fit found.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Every choice that made the model.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// The feature columns, as they must come.
    pub fn schema(&self) -> &Schema {
        &self.judge.schema
    }

    /// Rows that score above it are anomalies.
    pub fn threshold(&self) -> f64 {
        self.decision.threshold
    }

    /// The rule behind the threshold and what it promises.
    pub fn decision(&self) -> &Decision {
        &self.decision
    }

    /// Units of the code.
    pub fn code_size(&self) -> usize {
        self.judge.network.code_size()
    }

    /// The same model with the line drawn elsewhere; nothing is refitted.
    ///
    /// # Errors
    /// Where the rule needs labels, which a fitted model has not kept.
    pub fn with_threshold(&self, rule: &Threshold) -> Result<Fitted> {
        let decision = rule.decide(&self.calibration, None)?;
        let mut fitted = self.clone();
        fitted.recipe.detect.threshold = rule.clone();
        fitted.report.recipe.detect.threshold = rule.clone();
        fitted.report.detection.rule = decision.rule.clone();
        fitted.report.detection.threshold = decision.threshold;
        fitted.report.detection.promised_rate = decision.promised_rate;
        fitted.decision = decision;
        Ok(fitted)
    }

    /// What the model makes of each row, in the columns' own units: the mean over members.
    ///
    /// # Errors
    /// [`Error::Mismatch`] or [`Error::Data`] where the table's columns do not fit.
    pub fn reconstruct(&self, table: &Table, threads: &Threads) -> Result<Table> {
        let prepared = self.judge.prepare(table)?.prepared;
        let output = self.judge.output(&prepared, threads);
        self.judge.pipeline.inverse_table(&output, prepared.n)
    }

    /// The code of each row, as columns `code_0`, `code_1`, ...
    ///
    /// # Errors
    /// As for [`Fitted::reconstruct`].
    pub fn encode(&self, table: &Table, threads: &Threads) -> Result<Table> {
        let prepared = self.judge.prepare(table)?.prepared;
        let codes = self.judge.codes(&prepared, threads);
        let k = self.code_size();
        let column = |j: usize| codes.chunks_exact(k).map(|code| f64::from(code[j])).collect();
        Table::from_columns((0..k).map(|j| (code_name(j), column(j))).collect())
    }

    /// Rows from codes alone: a table with the columns that [`Fitted::encode`] makes.
    ///
    /// # Errors
    /// [`Error::Mismatch`] where a code column is missing, [`Error::Data`] where a code is not a finite number.
    pub fn decode(&self, codes: &Table, threads: &Threads) -> Result<Table> {
        let columns: Vec<_> = (0..self.code_size())
            .map(|j| crate::data::Column { name: code_name(j), kind: crate::data::ColumnKind::Numeric })
            .collect();
        let (typed, _) = crate::data::conform(codes.clone(), &Schema { columns })?;
        let (n, k) = (typed.n_rows(), self.code_size());
        let mut flat = vec![0.0_f32; n * k];
        for j in 0..k {
            let name = code_name(j);
            let column =
                arrow::array::AsArray::as_primitive::<arrow::datatypes::Float64Type>(typed.expect_column(&name)?);
            for (row, value) in column.iter().enumerate() {
                let value = value.filter(|value| value.is_finite()).ok_or_else(|| {
                    let place = crate::error::Place::cell(&name, typed.first_row() + row as u64);
                    Error::data(
                        place,
                        format!(
                            "expected a finite number, got {}",
                            value.map_or("nothing".to_owned(), |v| v.to_string())
                        ),
                    )
                })?;
                flat[row * k + j] = value as f32;
            }
        }
        self.judge.decode(&flat, n, threads)
    }
}

fn code_name(unit: usize) -> String {
    format!("code_{unit}")
}
