//! Operations common to models of tables and of series: both read and return tables.

use std::sync::Arc;

use super::adapter::TabularAdapter;
use super::core::{Core, Fitted};
use super::encoder::codes_of;
use super::evaluate::Evaluator;
use super::generation::{self, ConditionalRows, Variation};
use super::scoring::{Explained, Scores};
use super::series::SeriesModel;
use super::table::TableModel;
use crate::data::{Filter, Schema, Table};
use crate::distribution::TrainingDistribution;
use crate::error::Result;
use crate::recipe::Recipe;
use crate::report::Report;
use crate::sample_similarity::SampleSimilarity;

mod sealed {
    /// Restricts implementations to this crate.
    pub trait Sealed {
        /// The model, by kind.
        fn kind(&self) -> super::TabularKind;
    }
}

/// A model that reads tables, by kind.
#[derive(Debug, Clone)]
pub enum TabularKind {
    /// A row is a sample.
    Table(TableModel),
    /// A row is a point of a series, or a whole series.
    Series(SeriesModel),
}

impl sealed::Sealed for TableModel {
    fn kind(&self) -> TabularKind {
        TabularKind::Table(self.clone())
    }
}

impl sealed::Sealed for SeriesModel {
    fn kind(&self) -> TabularKind {
        TabularKind::Series(self.clone())
    }
}

/// A model that reads tables: a [`TableModel`] or a [`SeriesModel`].
///
/// ```
/// use narrows_core::{Dataset, Recipe, Session, TabularModel, data::Table, fit};
///
/// let x = || (0..200).map(|i| f64::from(i) / 31.0);
/// let table = Table::from_columns(vec![("a", x().map(f64::sin).collect()), ("b", x().map(f64::cos).collect())])?;
/// let mut recipe = Recipe::preset("simple".parse()?);
/// recipe.set("train.steps=200")?;
/// let model = fit(&recipe, Dataset::from(table), &Session::default())?.into_table()?;
///
/// let rows = Table::from_columns(vec![("a", vec![0.0, 0.0]), ("b", vec![1.0, 9.0])])?;
/// assert_eq!(model.score(&rows)?.is_anomaly, [false, true]);
/// assert_eq!(model.explain(&rows, 1)?.reasons[1][0].column, "b");
/// let codes = model.encode(&rows)?;
/// assert_eq!(model.decode(&codes)?.names(), ["a", "b"]);
/// # Ok::<(), narrows_core::Error>(())
/// ```
///
/// # Errors
/// Methods that read a table return [`Error::Mismatch`](crate::Error::Mismatch) or [`Error::Data`](crate::Error::Data)
/// if its columns do not fit the model's.
pub trait TabularModel: sealed::Sealed + std::fmt::Debug + Send + Sync {
    /// The recipe that the model was fitted with.
    fn recipe(&self) -> &Recipe;

    /// The report of the fit.
    fn report(&self) -> &Report;

    /// The schema of the columns that the network reads.
    fn schema(&self) -> &Schema;

    /// The schema of all columns that scoring reads: those of the network, and those that never changed in training rows
    /// and are compared.
    fn columns_read(&self) -> Schema;

    /// The distribution of each column in the training rows; `None` in models of older versions.
    fn distribution(&self) -> Option<&TrainingDistribution>;

    /// The decision threshold: rows with a higher score are anomalies.
    fn threshold(&self) -> f64;

    /// Number of code units.
    fn code_size(&self) -> usize;

    /// Whether a row's result is independent of other rows, so that rows may be passed in batches; points of a series
    /// depend on their neighbours.
    fn rows_are_independent(&self) -> bool;

    /// The columns that identify a point of a series: series id and time.
    fn index_columns(&self) -> Vec<String>;

    /// The column that identifies a row's series.
    fn id_column(&self) -> Option<&str>;

    /// Scores rows.
    fn score(&self, table: &Table) -> Result<Scores>;

    /// Scores rows and explains the scores: the `k` top contributing columns of each row, in their own units.
    fn explain(&self, table: &Table, k: usize) -> Result<Explained>;

    /// Reconstructs rows in the columns' own units: the mean over members.
    fn reconstruct(&self, table: &Table) -> Result<Table>;

    /// The code of each row, as columns `code_0`, `code_1`, ...; for points of series, of each window, preceded by
    /// columns that identify it.
    fn encode(&self, table: &Table) -> Result<Table>;

    /// Decodes rows from codes: a table with the columns that [`encode`](Self::encode) writes.
    ///
    /// # Errors
    /// [`Error::Mismatch`](crate::Error::Mismatch) if a code column is missing or there is one too many,
    /// [`Error::Data`](crate::Error::Data) if a code is not a finite number.
    fn decode(&self, codes: &Table) -> Result<Table>;

    /// Generates rows `first..first + n` of the infinite sequence given by `seed`; independent of how calls are split.
    ///
    /// # Errors
    /// If the decoded values cannot be converted back to columns.
    fn generate(&self, n: usize, first: u64, seed: u64) -> Result<Table>;

    /// New rows that match a condition: those of the infinite sequence given by `seed`, the others passed over.
    ///
    /// # Errors
    /// [`Error::Mismatch`](crate::Error::Mismatch) for a model of points in time,
    /// [`Error::Recipe`](crate::Error::Recipe) for a column that new rows lack.
    fn generate_where(&self, condition: &Filter, seed: u64) -> Result<ConditionalRows>;

    /// Encodes rows of a table, or windows of series, for variation and interpolation.
    fn variation(&self, table: &Table) -> Result<Variation>;

    /// Compares `n` generated rows, given by `seed`, with the rows of a table. Distances to training rows are measured
    /// if the model stores some.
    ///
    /// # Errors
    /// [`Error::Data`](crate::Error::Data) for fewer than 20 rows of either kind.
    fn generation_quality(&self, table: &Table, n: usize, seed: u64) -> Result<SampleSimilarity>;

    /// An evaluator for tables whose column `label` has the value `normal` in normal rows, several separated by commas.
    /// Without it, the value is the one that the model was fitted with, else the evident one, such as `normal` or 0.
    fn evaluator(&self, label: &str, normal: Option<&str>) -> Evaluator;
}

impl<A: TabularAdapter> TabularModel for Fitted<A>
where
    Fitted<A>: sealed::Sealed,
{
    fn recipe(&self) -> &Recipe {
        Fitted::recipe(self)
    }

    fn report(&self) -> &Report {
        Fitted::report(self)
    }

    fn schema(&self) -> &Schema {
        self.adapter.schema()
    }

    fn columns_read(&self) -> Schema {
        let schema = self.adapter.schema();
        self.adapter.invariants().map_or_else(|| schema.clone(), |invariants| invariants.columns_read(schema))
    }

    fn distribution(&self) -> Option<&TrainingDistribution> {
        self.core.distribution.as_ref()
    }

    fn threshold(&self) -> f64 {
        Fitted::threshold(self)
    }

    fn code_size(&self) -> usize {
        Fitted::code_size(self)
    }

    fn rows_are_independent(&self) -> bool {
        self.adapter.rows_are_independent()
    }

    fn index_columns(&self) -> Vec<String> {
        self.adapter.index_columns()
    }

    fn id_column(&self) -> Option<&str> {
        self.adapter.id_column()
    }

    fn score(&self, table: &Table) -> Result<Scores> {
        Ok(self.adapter.explain(&self.core, table, 0)?.scores)
    }

    fn explain(&self, table: &Table, k: usize) -> Result<Explained> {
        self.adapter.explain(&self.core, table, k)
    }

    fn reconstruct(&self, table: &Table) -> Result<Table> {
        self.adapter.reconstruct(&self.core, table)
    }

    fn encode(&self, table: &Table) -> Result<Table> {
        self.adapter.encode(&self.core.scorer.ensemble, table)
    }

    fn decode(&self, codes: &Table) -> Result<Table> {
        let flat = codes_of(codes, self.core.code_size())?;
        self.adapter.decoded(&self.core.decode(&flat), codes.n_rows())
    }

    fn generate(&self, n: usize, first: u64, seed: u64) -> Result<Table> {
        let mut outputs = generation::decoded_draws(&self.core, n, first, seed);
        Ok(self.adapter.new_rows(&self.core, &mut outputs, first, seed)?.written)
    }

    fn generate_where(&self, condition: &Filter, seed: u64) -> Result<ConditionalRows> {
        let adapter: Arc<dyn TabularAdapter> = self.adapter.clone();
        ConditionalRows::of(adapter, Arc::clone(&self.core), condition.clone(), seed)
    }

    fn variation(&self, table: &Table) -> Result<Variation> {
        let adapter: Arc<dyn TabularAdapter> = self.adapter.clone();
        Variation::of(adapter, Arc::clone(&self.core), table)
    }

    fn generation_quality(&self, table: &Table, n: usize, seed: u64) -> Result<SampleSimilarity> {
        let given = self.adapter.samples(table)?.prepared;
        generation::quality(&self.core, self.adapter.as_ref(), &given, n, table.source(), seed)
    }

    fn evaluator(&self, label: &str, normal: Option<&str>) -> Evaluator {
        let adapter: Arc<dyn TabularAdapter> = self.adapter.clone();
        Evaluator::new(adapter, Arc::clone(&self.core), label, normal)
    }
}

/// Access to the shared state and to the kind.
impl dyn TabularModel + '_ {
    /// The model, by kind.
    pub(crate) fn by_kind(&self) -> TabularKind {
        sealed::Sealed::kind(self)
    }
}

impl TabularKind {
    /// The state shared by models of all kinds.
    pub(crate) fn core(&self) -> &Arc<Core> {
        match self {
            TabularKind::Table(model) => &model.core,
            TabularKind::Series(model) => &model.core,
        }
    }
}
