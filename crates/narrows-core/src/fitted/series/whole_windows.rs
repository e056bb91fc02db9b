//! Scores of whole windows, by the networks alone.

use super::SeriesModel;
use crate::data::Table;
use crate::error::Result;

impl SeriesModel {
    /// The scores of the windows of a table, one after the other, each as a whole: of rows each is one, of points they follow
    /// each other without overlap, the last but for its end. What [`score`](crate::TabularModel::score) makes of them for points
    /// needs the windows around. 1 is a typical window.
    ///
    /// # Errors
    /// As [`score`](crate::TabularModel::score).
    pub fn window_scores(&self, table: &Table) -> Result<Vec<f64>> {
        let (windows, _) = self.adapter.windows(table)?;
        Ok(self.core.scorer.score(&windows.prepared))
    }
}
