//! Arguments that several functions take: threads, and the roles of columns and folders.

use narrows_core::{Compute, ImageRoles};
use pyo3::prelude::*;

use crate::failure::OrRaise;
use crate::threads;

/// The threads of a call; all cores by default.
pub(crate) fn compute(threads: Option<usize>) -> PyResult<Compute> {
    threads.map_or_else(|| Ok(threads::all_cores()), Compute::with_threads).or_raise()
}

/// The roles of the columns of a table, or of the folders of images, as they are given.
pub(crate) struct GivenRoles {
    pub(crate) label: Option<String>,
    pub(crate) normal: Option<String>,
    pub(crate) columns: Vec<String>,
    pub(crate) ignore: Vec<String>,
    pub(crate) time: Option<String>,
    pub(crate) id: Vec<String>,
    pub(crate) timezone: Option<String>,
    pub(crate) duplicates: Option<String>,
    pub(crate) sample_key: Vec<String>,
}

/// Folders separated by commas.
pub(crate) fn folders(normal: Option<&str>) -> ImageRoles {
    let names = normal.into_iter().flat_map(|names| names.split(',')).map(|name| name.trim().to_owned());
    ImageRoles { normal: names.collect() }
}
