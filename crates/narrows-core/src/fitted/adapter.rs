//! What a kind of data brings to the one path that all kinds share: how raw data becomes the samples that networks see,
//! and back.

use crate::data::{Schema, Table};
use crate::detect::residual::Slots;
use crate::ensemble::Ensemble;
use crate::error::Result;
use crate::model::Shape;
use crate::prep::{Block, Level, Prepared};
use crate::sample_similarity::ColumnDistance;

use super::core::Core;
use super::evaluate::EvaluationSamples;
use super::roles::Verdict;
use super::scoring::Explained;

/// A kind of data: a row of a table, a window of a series, or an image or a patch of one is a sample.
pub trait Adapter: std::fmt::Debug + Send + Sync + 'static {
    /// Which inputs belong to which column or channel.
    fn blocks(&self) -> &[Block];

    /// The columns that errors are reported by.
    fn slots(&self) -> Slots;

    /// How a sample's values are laid out.
    fn shape(&self) -> Shape;

    /// Turns decoded outputs `[n, width]` into generated samples: `outputs` become what the network would see, and the
    /// targets, NaN where a cell is missing, are returned.
    fn generated(&self, core: &Core, outputs: &mut Vec<f32>, seed: u64) -> Vec<f32>;

    /// How far apart generated and held-out values are, by column.
    fn column_distances(&self, generated: &Prepared, held_out: &Prepared) -> Vec<ColumnDistance>;

    /// Generated samples to look at: a PNG file in base64, where a sample is something to look at.
    fn gallery(&self, _core: &Core) -> Result<Option<String>> {
        Ok(None)
    }
}

/// A kind of data that is read from tables.
pub trait TabularAdapter: Adapter {
    /// The columns that the model reads, as they must come.
    fn schema(&self) -> &Schema;

    /// Whether a row's result depends on no other row.
    fn rows_are_independent(&self) -> bool {
        true
    }

    /// The columns that identify a row of the long layout: series and time.
    fn index_columns(&self) -> Vec<String> {
        Vec::new()
    }

    /// The column that says which series a row belongs to.
    fn id_column(&self) -> Option<&str> {
        None
    }

    /// Scores rows; the `k` top contributing columns of each, no explanation for 0.
    fn explain(&self, core: &Core, table: &Table, k: usize) -> Result<Explained>;

    /// Reconstructs rows in the columns' own units.
    fn reconstruct(&self, core: &Core, table: &Table) -> Result<Table>;

    /// The samples of a table, one after the other without overlap.
    fn samples(&self, table: &Table) -> Result<SampleBatch>;

    /// The code of each row, or of each window after columns that say which one it is.
    fn encode(&self, ensemble: &Ensemble, table: &Table) -> Result<Table>;

    /// Rows from decoded outputs, `[n, width]`.
    fn decoded(&self, outputs: &[f32], n: usize) -> Result<Table>;

    /// Rows from decoded outputs of varied samples: numbers keep the range and the decimals of training rows, and what
    /// was taken from each sample is put back.
    fn varied(&self, outputs: &[f32], n: usize, levels: &[Level], origins: &[Origin]) -> Result<Table>;

    /// New rows from `first` on of the endless sequence that `seed` names, from decoded outputs.
    fn new_rows(&self, core: &Core, outputs: &mut [f32], first: u64, seed: u64) -> Result<Table>;

    /// Scores the labelled rows of a table for an evaluation.
    fn evaluate(&self, core: &Core, table: &Table, verdicts: &[Verdict], samples: &mut EvaluationSamples)
    -> Result<()>;
}

/// Prepared samples and what brings each back to the data's own units.
pub struct SampleBatch {
    pub(crate) prepared: Prepared,
    /// What was taken from each window of a series, `[n, channels]`; empty for tables.
    pub(crate) levels: Vec<Level>,
    /// Where each window comes from; empty for tables.
    pub(crate) origins: Vec<Origin>,
}

/// Where a window comes from: the series, whose scale it has, and how many of its points it was cut from.
#[derive(Debug, Clone, PartialEq)]
pub struct Origin {
    pub(crate) id: String,
    pub(crate) points: usize,
}
