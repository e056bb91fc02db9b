//! Adapters: the conversion between the raw data of each kind and the samples that the networks take.

use crate::data::{Schema, Table};
use crate::detect::residual::Slots;
use crate::ensemble::Ensemble;
use crate::error::Result;
use crate::model::Shape;
use crate::prep::{Block, Level, Prepared};
use crate::sample_similarity::ColumnDistance;

use super::core::Core;
use super::evaluate::EvaluationSamples;
use super::generation::DrawnRows;
use super::invariants::Invariants;
use super::roles::Verdict;
use super::scoring::Explained;

/// A kind of data. A sample is a row of a table, a window of a series, or an image or a patch of one.
pub trait Adapter: std::fmt::Debug + Send + Sync + 'static {
    /// The blocks of prepared inputs, by column or channel.
    fn blocks(&self) -> &[Block];

    /// The columns that errors are aggregated by.
    fn slots(&self) -> Slots;

    /// The shape of a sample.
    fn shape(&self) -> Shape;

    /// Turns decoded outputs `[n, width]` into generated samples: `outputs` is overwritten with network inputs, and the
    /// targets, NaN for missing cells, are returned.
    fn generated(&self, core: &Core, outputs: &mut Vec<f32>, seed: u64) -> Vec<f32>;

    /// The distance between generated and held-out values, by column.
    fn column_distances(&self, generated: &Prepared, held_out: &Prepared) -> Vec<ColumnDistance>;

    /// A gallery of generated samples as a base64-encoded PNG file, for kinds of data that can be displayed.
    fn gallery(&self, _core: &Core) -> Result<Option<String>> {
        Ok(None)
    }
}

/// An adapter for data that is read from tables.
pub trait TabularAdapter: Adapter {
    /// The schema of the columns that the model reads.
    fn schema(&self) -> &Schema;

    /// What all training rows kept; `None` in files before format 5.
    fn invariants(&self) -> Option<&Invariants>;

    /// Whether a row's result depends on no other row.
    fn rows_are_independent(&self) -> bool {
        true
    }

    /// The columns that identify a row of the long layout: series id and time.
    fn index_columns(&self) -> Vec<String> {
        Vec::new()
    }

    /// The column that identifies a row's series.
    fn id_column(&self) -> Option<&str> {
        None
    }

    /// Scores rows and lists the `k` top contributing columns of each; no explanation if `k` is 0.
    fn explain(&self, core: &Core, table: &Table, k: usize) -> Result<Explained>;

    /// Reconstructs rows in the columns' own units.
    fn reconstruct(&self, core: &Core, table: &Table) -> Result<Table>;

    /// The consecutive, non-overlapping samples of a table.
    fn samples(&self, table: &Table) -> Result<SampleBatch>;

    /// The code of each row, or of each window, preceded by columns that identify the window.
    fn encode(&self, ensemble: &Ensemble, table: &Table) -> Result<Table>;

    /// Rows from decoded outputs, `[n, width]`.
    fn decoded(&self, outputs: &[f32], n: usize) -> Result<Table>;

    /// Rows from decoded outputs of varied samples: numbers keep the range and the decimals of training rows, and the
    /// level removed from each sample is restored.
    fn varied(&self, outputs: &[f32], n: usize, levels: &[Level], origins: &[Origin]) -> Result<Table>;

    /// New rows of the infinite sequence given by `seed`, starting at `first`, from decoded outputs.
    fn new_rows(&self, core: &Core, outputs: &mut [f32], first: u64, seed: u64) -> Result<DrawnRows>;

    /// Scores the labelled rows of a table for an evaluation.
    fn evaluate(&self, core: &Core, table: &Table, verdicts: &[Verdict], samples: &mut EvaluationSamples)
    -> Result<()>;
}

/// Prepared samples with the information needed to invert the preparation.
pub struct SampleBatch {
    pub(crate) prepared: Prepared,
    /// The level removed from each window of a series, `[n, channels]`; empty for tables.
    pub(crate) levels: Vec<Level>,
    /// The origin of each window; empty for tables.
    pub(crate) origins: Vec<Origin>,
}

/// The origin of a window: its series, which determines the scale, and the number of points it was cut from.
#[derive(Debug, Clone, PartialEq)]
pub struct Origin {
    pub(crate) id: String,
    pub(crate) points: usize,
}
