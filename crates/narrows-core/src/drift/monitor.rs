//! Reads new tables, in batches if rows are independent, and compares them with those of the fit in bounded memory.

use super::DriftReport;
use super::comparison::{Arrival, Comparison, MissingCells};
use crate::data::{self, Schema, Table};
use crate::error::Result;
use crate::fitted::{Scores, TabularKind, TabularModel};
use crate::range::Rate;

/// Compares new data with those that a model was fitted to.
///
/// ```
/// use narrows_core::drift::DriftMonitor;
/// use narrows_core::{Dataset, Recipe, Session, data::Table, fit};
///
/// let x = |n: u32, shift: f64| -> Vec<f64> { (0..n).map(|i| f64::from(i * 7919 % 1000) / 1000.0 + shift).collect() };
/// let table = |n, shift| Table::from_columns(vec![("a", x(n, shift)), ("b", x(n, 0.0))]);
/// let mut recipe = Recipe::preset("simple".parse()?);
/// recipe.set("train.steps=200")?;
/// let model = fit(&recipe, Dataset::from(table(1000, 0.0)?), &Session::default())?.into_table()?;
///
/// let mut monitor = DriftMonitor::new(&model, "0.01".parse()?);
/// monitor.add(&table(500, 0.3)?)?;
/// let report = monitor.finish();
/// assert!(report.has_drifted && report.columns[0].has_drifted && !report.columns[1].has_drifted);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct DriftMonitor {
    model: TabularKind,
    /// The columns to compare.
    schema: Schema,
    compared: Comparison,
}

impl DriftMonitor {
    /// Nothing read yet; unchanged data are reported with a probability of at most `level`.
    pub fn new(model: &dyn TabularModel, level: Rate) -> DriftMonitor {
        DriftMonitor::of(model, Arrival::Whole, level)
    }

    /// The same for rows that are scored one by one as they arrive: points of series then have scores and a threshold of
    /// their own, those of [`StreamScorer`](crate::StreamScorer). Read them with [`add_scored`](Self::add_scored).
    pub fn of_stream(model: &dyn TabularModel, level: Rate) -> DriftMonitor {
        DriftMonitor::of(model, Arrival::Stream, level)
    }

    fn of(model: &dyn TabularModel, arrival: Arrival, level: Rate) -> DriftMonitor {
        let kind = model.by_kind();
        let missing = if model.rows_are_independent() { MissingCells::Compared } else { MissingCells::Unknown };
        let compared = Comparison::new("row", kind.core(), (arrival, missing), level);
        let columns = model.schema().columns.iter().filter(|column| compared.compares(&column.name)).cloned().collect();
        DriftMonitor { schema: Schema { columns }, compared, model: kind }
    }

    /// Reads new rows; those of series all at once, as their scores depend on each other.
    ///
    /// # Errors
    /// If the columns do not fit the model's.
    pub fn add(&mut self, table: &Table) -> Result<()> {
        let scores = match &self.model {
            TabularKind::Table(model) => model.score(table)?,
            TabularKind::Series(model) => model.score(table)?,
        };
        self.add_scored(table, &scores)
    }

    /// The same with the scores that the model gave these rows.
    ///
    /// # Errors
    /// If the columns do not fit the model's.
    pub fn add_scored(&mut self, table: &Table, scores: &Scores) -> Result<()> {
        if !self.schema.columns.is_empty() {
            let (typed, _) = data::conform(table.clone(), &self.schema)?;
            self.compared.add_columns(|name| typed.column(name));
        }
        self.compared.add_scores(&scores.score, &scores.counts);
        Ok(())
    }

    /// Number of rows read.
    pub fn rows(&self) -> u64 {
        self.compared.rows()
    }

    /// The columns compared, each with the number of its missing cells so far.
    pub fn missing(&self) -> impl Iterator<Item = (&str, u64)> {
        self.compared.missing()
    }

    /// The comparison of all rows read.
    pub fn finish(self) -> DriftReport {
        self.report()
    }

    /// The comparison of the rows read so far.
    pub fn report(&self) -> DriftReport {
        self.compared.report()
    }
}
