//! Arguments that several functions take: threads, and folders of images.

use narrows_core::{Compute, ImageRoles};
use pyo3::prelude::*;

use crate::failure::OrRaise;
use crate::threads;

/// The threads of a call; all cores by default.
pub(crate) fn compute(threads: Option<usize>) -> PyResult<Compute> {
    threads.map_or_else(|| Ok(threads::all_cores()), Compute::with_threads).or_raise()
}

/// Folders separated by commas.
pub(crate) fn folders(normal: Option<&str>) -> ImageRoles {
    let names = normal.into_iter().flat_map(|names| names.split(',')).map(|name| name.trim().to_owned());
    ImageRoles { normal: names.collect() }
}
