//! The input of the graph of a model of series for given data.

use super::feed::{OnnxFeed, OnnxValues};
use super::series::{points_read, reads_point_before};
use crate::data::{Layout, Table};
use crate::error::Result;
use crate::fitted::SeriesAdapter;

/// The windows of a table, in the units of the data, NaN where nothing was observed: of the rows layout each row; of points those
/// that follow each other without overlap.
pub(super) fn windows(adapter: &SeriesAdapter, table: &Table) -> Result<OnnxFeed> {
    let samples = adapter.prepare(table)?;
    let (points, channels) = (points_read(adapter), adapter.pipeline.n_channels());
    let before = usize::from(reads_point_before(adapter));
    let mut values = Vec::new();
    for (series, signal) in samples.set.series.iter().zip(&samples.signals) {
        let firsts = match adapter.layout {
            Layout::Rows => vec![0],
            Layout::Long => adapter.firsts(signal.n, adapter.pipeline.window()),
        };
        for first in firsts {
            for point in first..first + points {
                let known = point.checked_sub(before).map(|point| point * channels);
                let at = |c: usize| known.and_then(|known| series.values.get(known + c)).copied().unwrap_or(f64::NAN);
                values.extend((0..channels).map(at));
            }
        }
    }
    let shape = vec![values.len() / (points * channels), points, channels];
    Ok(OnnxFeed { name: "windows".to_owned(), shape, values: OnnxValues::Doubles(values) })
}
