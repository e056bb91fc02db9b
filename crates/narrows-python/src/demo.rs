//! Data that the project makes itself, and corrupted images.

use narrows_core::demo;
use narrows_core::images::{Damages, Image};
use narrows_core::rng::{Purpose, Stream};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::failure::{OrRaise, parsed};
use crate::images::{Arrays, PyImages, arrays};
use crate::table::PyTable;
use crate::threads::detached;

/// Machines of the demonstration, and columns of the wide table.
const MACHINES: usize = 3;
const WIDE: usize = 29;

/// A table by name.
#[pyfunction]
#[pyo3(signature = (name, rows=None, seed=0))]
pub(crate) fn demo_table(py: Python<'_>, name: &str, rows: Option<usize>, seed: u64) -> PyResult<PyTable> {
    let table = detached(py, || match name {
        "payments" => Some(demo::payments(rows.unwrap_or(30_000), demo::PAYMENTS_FRAUD_SHARE, seed)),
        "heartbeat" => Some(demo::heartbeat(rows.unwrap_or(5_000), demo::HEARTBEAT_ANOMALY_SHARE, seed)),
        "machines" => Some(demo::machines(rows.unwrap_or(40_000) / MACHINES, MACHINES, seed)),
        "wide" => Some(demo::wide(rows.unwrap_or(20_000), WIDE, demo::WIDE_ANOMALY_SHARE, seed)),
        _ => None,
    });
    table
        .map(PyTable)
        .ok_or_else(|| PyValueError::new_err(format!("expected payments, heartbeat, machines or wide, got `{name}`")))
}

/// Images `first..first + n` by name.
#[pyfunction]
#[pyo3(signature = (name, n, seed=0, first=0))]
pub(crate) fn demo_images(py: Python<'_>, name: &str, n: usize, seed: u64, first: usize) -> PyResult<PyImages> {
    let one: fn(usize, u64) -> Image = match name {
        "parts" => |i, seed| demo::part(i, false, seed).image,
        "scratched" => |i, seed| demo::part(i, true, seed).image,
        "scratches" => |i, seed| demo::part(i, true, seed).defect,
        "scenes" => demo::scene,
        _ => {
            let message = format!("expected parts, scratched, scratches or scenes, got `{name}`");
            return Err(PyValueError::new_err(message));
        }
    };
    let images = detached(py, || (first..first + n).map(|i| (format!("{name} {i}"), one(i, seed))).collect());
    PyImages::held(images)
}

/// Images with a corruption.
#[pyfunction]
pub(crate) fn corrupt_images<'py>(
    py: Python<'py>,
    images: &PyImages,
    damages: &str,
    seed: u64,
) -> PyResult<Arrays<'py>> {
    let damages = parsed::<Damages>(damages)?.settled();
    let ready = damages.ready().or_raise()?;
    let corrupted = detached(py, || {
        let one = |(i, image): (usize, narrows_core::Result<Image>)| {
            Ok(ready.apply(&image?, &mut Stream::new(seed, Purpose::Corruption, 0, i as u64)))
        };
        images.all().enumerate().map(one).collect::<narrows_core::Result<Vec<_>>>()
    });
    arrays(py, corrupted.or_raise()?)
}
