//! Rows worked on in portions: what is made of a table is never whole in memory, and Ctrl-C is heard between them.

use std::ops::Range;

use pyo3::prelude::*;

use crate::failure::OrRaise;
use crate::threads::detached;

/// Rows of a portion.
pub(crate) const PORTION_ROWS: usize = 65_536;

/// The results of `work` on portions of `rows` rows; without rows, on one that is empty.
pub(crate) fn in_portions<T: Send>(
    py: Python<'_>,
    rows: usize,
    portion: usize,
    mut work: impl FnMut(Range<usize>) -> narrows_core::Result<T> + Send,
) -> PyResult<Vec<T>> {
    let mut results = Vec::new();
    for first in (0..rows.max(1)).step_by(portion) {
        let range = first..rows.min(first + portion);
        results.push(detached(py, || work(range)).or_raise()?);
        py.check_signals()?;
    }
    Ok(results)
}
