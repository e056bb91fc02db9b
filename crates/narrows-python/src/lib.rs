//! The native module `narrows._native` of the Python package: the library, with Arrow streams and NumPy arrays as data.
//!
//! It converts arguments, calls the library without the GIL, and converts results; everything that only Python can know
//! (data frames, scikit-learn, progress bars) is in the package's Python files. `python/narrows/_native.pyi` describes it.

// `capsule` holds all unsafe code: the C interface of Arrow.
#![deny(unsafe_code)]
// Doc comments of the bindings are in the stub.
#![allow(missing_docs, unreachable_pub, clippy::too_many_arguments)]

mod arguments;
mod capsule;
mod cells;
mod command;
mod compression;
mod demo;
mod failure;
mod files;
mod fitting;
mod given;
mod image_operations;
mod images;
mod listener;
mod model;
mod onnx;
mod portions;
mod recipe;
mod roles;
mod rounds;
mod scores;
mod stream;
mod summary;
mod table;
mod table_operations;
mod threads;
mod trials;
mod tuning;

use pyo3::prelude::*;

// Thousands of batches are allocated and freed; an allocator that keeps its pages avoids page faults.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The module.
#[pymodule]
mod _native {
    use super::*;

    #[pymodule_export]
    use super::{
        command::run_command,
        demo::{corrupt_images, demo_images, demo_table},
        failure::ModelFileError,
        files::write_file,
        fitting::fit,
        images::PyImages,
        model::PyModel,
        recipe::PyRecipe,
        rounds::{PyRoundPart, PyRoundsFit, add_changes},
        scores::PyScores,
        stream::PyStream,
        summary::PySummary,
        table::PyTable,
        trials::PyTrials,
        tuning::tune,
    };

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        super::threads::remember_process();
        narrows::provide_storage();
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        module.add("FEATURES", narrows::features())?;
        module.add("PRESETS", narrows_core::Preset::ALL.map(narrows_core::Preset::name).to_vec())
    }
}
