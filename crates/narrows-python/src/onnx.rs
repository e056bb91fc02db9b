//! Models as ONNX files, and the inputs of their graphs.

use narrows_core::Model;
use narrows_core::onnx::{OnnxFeed, OnnxInputs, OnnxValues};
use numpy::{PyArray1, PyArrayMethods};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::failure::OrRaise;
use crate::images::PyImages;
use crate::model::PyModel;
use crate::table::PyTable;
use crate::threads::detached;

#[pymethods]
impl PyModel {
    fn to_onnx<'py>(&self, py: Python<'py>, inputs: &str) -> PyResult<Bound<'py, PyBytes>> {
        let inputs = inputs.parse::<OnnxInputs>().or_raise()?;
        let bytes = detached(py, || self.model.to_onnx(inputs)).or_raise()?;
        Ok(PyBytes::new(py, &bytes))
    }

    fn onnx_feeds(&self, py: Python<'_>, table: &PyTable, inputs: &str) -> PyResult<Vec<(String, Py<PyAny>)>> {
        let inputs = inputs.parse::<OnnxInputs>().or_raise()?;
        let feeds = detached(py, || self.model.onnx_feeds(&table.0, inputs)).or_raise()?;
        feeds.into_iter().map(|feed| named(py, feed)).collect()
    }

    /// The scores of the windows that `onnx_feeds` gives of series.
    fn window_scores<'py>(&self, py: Python<'py>, table: &PyTable) -> PyResult<Bound<'py, PyArray1<f64>>> {
        let Model::Series(model) = &self.model else {
            return Err(PyTypeError::new_err("expected a model of series"));
        };
        let scores = detached(py, || model.window_scores(&table.0)).or_raise()?;
        Ok(PyArray1::from_vec(py, scores))
    }

    fn onnx_image_feeds(&self, py: Python<'_>, images: &PyImages) -> PyResult<Vec<(String, Py<PyAny>)>> {
        let all = || images.all().collect::<narrows_core::Result<Vec<_>>>();
        let feeds = detached(py, || self.model.onnx_image_feeds(&all()?)).or_raise()?;
        feeds.into_iter().map(|feed| named(py, feed)).collect()
    }
}

/// An input by its name: an array, or texts.
fn named(py: Python<'_>, OnnxFeed { name, shape, values }: OnnxFeed) -> PyResult<(String, Py<PyAny>)> {
    let value = match values {
        OnnxValues::Floats(values) => PyArray1::from_vec(py, values).reshape(shape)?.into_any().unbind(),
        OnnxValues::Doubles(values) => PyArray1::from_vec(py, values).reshape(shape)?.into_any().unbind(),
        OnnxValues::Texts(values) => values.into_pyobject(py)?.into_any().unbind(),
    };
    Ok((name, value))
}
