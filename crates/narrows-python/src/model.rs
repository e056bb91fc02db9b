//! Models of any kind: files, and what all kinds have.

use narrows_core::data::Schema;
use narrows_core::report::NewDataReport;
use narrows_core::report::card::CardOptions;
use narrows_core::{Encoder, ImageModel, Model, Restorer, TabularModel};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::failure::{ModelFileError, OrRaise, parsed};
use crate::given::compute;
use crate::recipe::PyRecipe;
use crate::threads::detached;

/// A fitted model.
#[pyclass(name = "Model", module = "narrows._native", frozen)]
pub(crate) struct PyModel {
    pub(crate) model: Model,
    /// The threads it was asked to compute with; all cores by default.
    threads: Option<usize>,
    /// The process whose threads these are.
    process: u32,
}

impl PyModel {
    /// A model that computes with these threads already.
    pub(crate) fn of(model: Model, threads: Option<usize>) -> PyModel {
        PyModel { model, threads, process: std::process::id() }
    }

    /// A model as it is read from a file, on all cores.
    fn read(model: Model) -> PyResult<PyModel> {
        Ok(PyModel::of(model.with_compute(&compute(None)?), None))
    }

    /// The model, with threads of this process: a forked child has none of its parent's.
    pub(crate) fn live(&self) -> PyResult<Model> {
        match self.process == std::process::id() {
            true => Ok(self.model.clone()),
            false => Ok(self.model.clone().with_compute(&compute(self.threads)?)),
        }
    }

    /// The model of tables or series.
    pub(crate) fn tabular(&self) -> PyResult<Box<dyn TabularModel>> {
        self.live()?.into_tabular().or_raise()
    }

    /// The model of images.
    pub(crate) fn images(&self) -> PyResult<ImageModel> {
        self.live()?.into_images().or_raise()
    }

    /// The restorer.
    pub(crate) fn restorer(&self) -> PyResult<Restorer> {
        self.live()?.into_restorer().or_raise()
    }

    /// All columns that scoring with a model, or encoding, reads of a file.
    pub(crate) fn columns_read(&self) -> PyResult<Schema> {
        match &self.model {
            Model::Encoder(_) => self.schema(),
            _ => Ok(self.tabular()?.columns_read()),
        }
    }

    /// The columns of a model, or encoder, of tables or series.
    pub(crate) fn schema(&self) -> PyResult<Schema> {
        match &self.model {
            Model::Encoder(encoder) => Ok(encoder.schema().cloned().unwrap_or_default()),
            _ => Ok(self.tabular()?.schema().clone()),
        }
    }
}

#[pymethods]
impl PyModel {
    #[staticmethod]
    fn load(py: Python<'_>, path: &str) -> PyResult<PyModel> {
        detached(py, || Model::load(path)).or_raise().and_then(PyModel::read)
    }

    #[staticmethod]
    fn from_bytes(py: Python<'_>, bytes: &[u8]) -> PyResult<PyModel> {
        detached(py, || Model::from_bytes(bytes)).map_err(ModelFileError::new_err).and_then(PyModel::read)
    }

    fn to_bytes<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &detached(py, || self.model.to_bytes()))
    }

    fn save(&self, py: Python<'_>, path: &str) -> PyResult<()> {
        detached(py, || self.model.save(path)).or_raise()
    }

    #[getter]
    fn kind(&self) -> &'static str {
        self.model.kind()
    }

    #[getter]
    fn recipe(&self) -> PyRecipe {
        PyRecipe(self.model.recipe().clone())
    }

    #[getter]
    fn threshold(&self) -> PyResult<f64> {
        match &self.model {
            Model::Images(model) => Ok(model.threshold()),
            _ => Ok(self.tabular()?.threshold()),
        }
    }

    #[getter]
    fn code_size(&self) -> PyResult<usize> {
        match &self.model {
            Model::Images(model) => Ok(model.code_size()),
            Model::Encoder(encoder) => Ok(encoder.code_size()),
            _ => Ok(self.tabular()?.code_size()),
        }
    }

    fn names(&self) -> PyResult<Vec<String>> {
        Ok(self.schema()?.names().into_iter().map(str::to_owned).collect())
    }

    #[pyo3(name = "columns_read")]
    fn names_read(&self) -> PyResult<Vec<String>> {
        Ok(self.columns_read()?.names().into_iter().map(str::to_owned).collect())
    }

    fn schema_json(&self) -> PyResult<String> {
        Ok(serde_json::to_string(&self.schema()?).expect("plain data with text keys"))
    }

    fn index_columns(&self) -> PyResult<Vec<String>> {
        Ok(self.tabular()?.index_columns())
    }

    #[getter]
    fn rows_are_independent(&self) -> PyResult<bool> {
        match &self.model {
            Model::Encoder(encoder) => Ok(encoder.rows_are_independent()),
            _ => Ok(self.tabular()?.rows_are_independent()),
        }
    }

    fn report_json(&self) -> PyResult<String> {
        let report = match &self.model {
            Model::Table(model) => serde_json::to_string(model.report()),
            Model::Series(model) => serde_json::to_string(model.report()),
            Model::Images(model) => serde_json::to_string(model.report()),
            Model::Restorer(model) => serde_json::to_string(model.report()),
            Model::Encoder(_) => return self.model.clone().with_decoder().or_raise().map(|_| String::new()),
        };
        Ok(report.expect("plain data with text keys"))
    }

    fn report_html(&self, py: Python<'_>) -> PyResult<String> {
        detached(py, || self.model.report_html()).or_raise()
    }

    #[pyo3(signature = (license=None, repository=None, file=None, found=None))]
    fn card(
        &self,
        py: Python<'_>,
        license: Option<&str>,
        repository: Option<String>,
        file: Option<String>,
        found: Option<&str>,
    ) -> PyResult<String> {
        let license = license.map(parsed).transpose()?;
        let file = file.unwrap_or_else(|| CardOptions::default().file);
        let found: Option<NewDataReport> = found
            .map(serde_json::from_str)
            .transpose()
            .map_err(|error| PyValueError::new_err(format!("expected what `new_data_json` returns: {error}")))?;
        let options = CardOptions { license, repository, file };
        detached(py, || self.model.card(&options, found.as_ref())).or_raise()
    }

    fn verdict(&self) -> Option<String> {
        let verdict = match &self.model {
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
        Ok(PyModel::of(self.model.clone().with_compute(&compute(threads)?), threads))
    }

    fn with_threshold(&self, rule: &str) -> PyResult<PyModel> {
        let rule = parsed(rule)?;
        Ok(PyModel { model: self.model.clone().with_threshold(&rule).or_raise()?, ..*self })
    }

    fn encoder(&self) -> PyResult<PyModel> {
        let encoder: Encoder = self.model.clone().into_encoder().or_raise()?;
        Ok(PyModel { model: encoder.into(), ..*self })
    }

    fn __eq__(&self, other: &PyModel) -> bool {
        self.model == other.model
    }
}
