//! Which points lie outside of what training saw of their channel.

use super::adapter::SeriesAdapter;
use crate::data::{Layout, SeriesSet};
use crate::fitted::core::Core;
use crate::fitted::scoring::OutsideRange;
use crate::prep::Transform;

/// The channels with points outside their training range; none if a model sees no levels of a channel, or if its range
/// is not known.
pub(super) fn outside(core: &Core, adapter: &SeriesAdapter, set: &SeriesSet) -> Vec<OutsideRange> {
    let Some(coding) = &core.coding else { return Vec::new() };
    let k = set.channels.len();
    if adapter.layout == Layout::Rows || adapter.pipeline.transform() != Transform::None || coding.spans.len() != k {
        return Vec::new();
    }
    let of_channel = |(c, name): (usize, &String)| {
        let span = coding.spans[c]?;
        // Rows, not points of the grid: what lies in gaps was never read.
        let read = |is: &dyn Fn(f64) -> bool| -> u64 {
            let of_series = |series: &crate::data::Series| {
                let points = series.rows.iter().enumerate().filter(|(_, row)| row.is_some());
                points.filter(|(p, _)| is(series.values[p * k + c])).count() as u64
            };
            set.series.iter().map(of_series).sum()
        };
        let (above, below) = (read(&|x| x > span.highest), read(&|x| x < span.lowest));
        (above + below > 0).then(|| OutsideRange { column: name.clone(), above, below })
    };
    set.channels.iter().enumerate().filter_map(of_channel).collect()
}
