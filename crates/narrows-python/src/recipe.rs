//! Recipes.

use narrows_core::Recipe;
use narrows_core::data::ColumnTypes;
use narrows_core::recipe::RecipeSource;
use pyo3::prelude::*;

use crate::failure::{OrRaise, parsed};

/// Every setting of a model.
#[pyclass(name = "Recipe", module = "narrows._native", frozen)]
pub(crate) struct PyRecipe(pub(crate) Recipe);

#[pymethods]
impl PyRecipe {
    #[staticmethod]
    #[pyo3(signature = (
        *, kind=None, preset=None, toml=None, layout=None, corrupt=None, categorical=Vec::new(), numeric=Vec::new(),
        text=Vec::new(), date=Vec::new(), date_format=Vec::new(), missing=Vec::new(), assignments=Vec::new(), seed=None,
        threshold=None
    ))]
    fn build(
        kind: Option<&str>,
        preset: Option<&str>,
        toml: Option<String>,
        layout: Option<&str>,
        corrupt: Option<String>,
        categorical: Vec<String>,
        numeric: Vec<String>,
        text: Vec<String>,
        date: Vec<String>,
        date_format: Vec<String>,
        missing: Vec<String>,
        assignments: Vec<String>,
        seed: Option<u64>,
        threshold: Option<&str>,
    ) -> PyResult<PyRecipe> {
        let types = ColumnTypes { categorical, numeric, text, date, date_format, missing };
        types.check().or_raise()?;
        let source = RecipeSource {
            kind: kind.map(parsed).transpose()?,
            preset: preset.map(parsed).transpose()?,
            layout: layout.map(parsed).transpose()?,
            toml,
            corrupt,
            types,
            assignments,
            seed,
            ..RecipeSource::default()
        };
        let mut recipe = source.recipe().or_raise()?;
        if let Some(rule) = threshold {
            recipe.detect.threshold = parsed(rule)?;
        }
        Ok(PyRecipe(recipe))
    }

    fn set(&self, assignment: &str) -> PyResult<PyRecipe> {
        let mut recipe = self.0.clone();
        recipe.set(assignment).or_raise()?;
        Ok(PyRecipe(recipe))
    }

    fn to_toml(&self) -> String {
        self.0.to_toml()
    }

    fn to_json(&self) -> String {
        serde_json::to_string(&self.0).expect("plain data with text keys")
    }

    fn check(&self) -> PyResult<()> {
        self.0.check().or_raise()
    }

    fn __eq__(&self, other: &PyRecipe) -> bool {
        self.0 == other.0
    }
}
