//! Models of any kind: files, and what all kinds have.

use narrows_core::data::Schema;
use narrows_core::{Encoder, ImageModel, Model, Restorer, TabularModel};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::failure::{ModelFileError, OrRaise, parsed};
use crate::given::compute;
use crate::recipe::PyRecipe;

/// A fitted model.
#[pyclass(name = "Model", module = "narrows._native", frozen)]
pub(crate) struct PyModel(pub(crate) Model);

impl PyModel {
    /// The model of tables or series.
    pub(crate) fn tabular(&self) -> PyResult<Box<dyn TabularModel>> {
        self.0.clone().into_tabular().or_raise()
    }

    /// The model of images.
    pub(crate) fn images(&self) -> PyResult<ImageModel> {
        self.0.clone().into_images().or_raise()
    }

    /// The restorer.
    pub(crate) fn restorer(&self) -> PyResult<Restorer> {
        self.0.clone().into_restorer().or_raise()
    }

    /// The columns of a model, or encoder, of tables or series.
    pub(crate) fn schema(&self) -> PyResult<Schema> {
        match &self.0 {
            Model::Encoder(encoder) => Ok(encoder.schema().cloned().unwrap_or_default()),
            _ => Ok(self.tabular()?.schema().clone()),
        }
    }
}

#[pymethods]
impl PyModel {
    #[staticmethod]
    fn load(py: Python<'_>, path: &str) -> PyResult<PyModel> {
        py.detach(|| Model::load(path)).or_raise().map(PyModel)
    }

    #[staticmethod]
    fn from_bytes(py: Python<'_>, bytes: &[u8]) -> PyResult<PyModel> {
        py.detach(|| Model::from_bytes(bytes)).map(PyModel).map_err(ModelFileError::new_err)
    }

    fn to_bytes<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &py.detach(|| self.0.to_bytes()))
    }

    fn save(&self, py: Python<'_>, path: &str) -> PyResult<()> {
        py.detach(|| self.0.save(path)).or_raise()
    }

    #[getter]
    fn kind(&self) -> &'static str {
        match &self.0 {
            Model::Table(_) => "table",
            Model::Series(_) => "series",
            Model::Images(_) => "images",
            Model::Restorer(_) => "restorer",
            Model::Encoder(_) => "encoder",
        }
    }

    #[getter]
    fn recipe(&self) -> PyRecipe {
        PyRecipe(self.0.recipe().clone())
    }

    #[getter]
    fn threshold(&self) -> PyResult<f64> {
        match &self.0 {
            Model::Images(model) => Ok(model.threshold()),
            _ => Ok(self.tabular()?.threshold()),
        }
    }

    #[getter]
    fn code_size(&self) -> PyResult<usize> {
        match &self.0 {
            Model::Images(model) => Ok(model.code_size()),
            Model::Encoder(encoder) => Ok(encoder.code_size()),
            _ => Ok(self.tabular()?.code_size()),
        }
    }

    fn names(&self) -> PyResult<Vec<String>> {
        Ok(self.schema()?.names().into_iter().map(str::to_owned).collect())
    }

    fn schema_json(&self) -> PyResult<String> {
        Ok(serde_json::to_string(&self.schema()?).expect("plain data with text keys"))
    }

    fn index_columns(&self) -> PyResult<Vec<String>> {
        Ok(self.tabular()?.index_columns())
    }

    #[getter]
    fn rows_are_independent(&self) -> PyResult<bool> {
        match &self.0 {
            Model::Encoder(encoder) => Ok(encoder.rows_are_independent()),
            _ => Ok(self.tabular()?.rows_are_independent()),
        }
    }

    fn report_json(&self) -> PyResult<String> {
        let report = match &self.0 {
            Model::Table(model) => serde_json::to_string(model.report()),
            Model::Series(model) => serde_json::to_string(model.report()),
            Model::Images(model) => serde_json::to_string(model.report()),
            Model::Restorer(model) => serde_json::to_string(model.report()),
            Model::Encoder(_) => return self.0.clone().with_decoder().or_raise().map(|_| String::new()),
        };
        Ok(report.expect("plain data with text keys"))
    }

    fn report_html(&self, py: Python<'_>) -> PyResult<String> {
        py.detach(|| self.0.report_html()).or_raise()
    }

    fn verdict(&self) -> Option<String> {
        let verdict = match &self.0 {
            Model::Table(model) => model.report().verdict(),
            Model::Series(model) => model.report().verdict(),
            Model::Images(model) => model.report().verdict(),
            Model::Restorer(model) => model.report().verdict(),
            Model::Encoder(_) => return None,
        };
        Some(serde_json::to_string(&verdict).expect("plain data with text keys"))
    }

    #[pyo3(signature = (threads))]
    fn with_threads(&self, threads: Option<usize>) -> PyResult<PyModel> {
        Ok(PyModel(self.0.clone().with_compute(&compute(threads)?)))
    }

    fn with_threshold(&self, rule: &str) -> PyResult<PyModel> {
        let rule = parsed(rule)?;
        self.0.clone().with_threshold(&rule).or_raise().map(PyModel)
    }

    fn encoder(&self) -> PyResult<PyModel> {
        let encoder: Encoder = self.0.clone().into_encoder().or_raise()?;
        Ok(PyModel(encoder.into()))
    }

    fn __eq__(&self, other: &PyModel) -> bool {
        self.0 == other.0
    }
}
