//! Runs of a search that Python has trained elsewhere, and what trains them there.

use std::sync::Mutex;

use narrows_core::train::Observer;
use narrows_core::tune::{Outcome, Ran, Runner, SearchPlan, Trials};
use narrows_core::{Compute, Error, Recipe};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde_json::{Value, json};

use crate::failure::{OrRaise, parsed};
use crate::given::compute;
use crate::listener::watched;
use crate::recipe::PyRecipe;
use crate::roles::dataset;
use crate::threads::detached;

/// The samples of a search, prepared, on which recipes are trained.
#[pyclass(name = "Trials", module = "narrows._native", frozen)]
pub(crate) struct PyTrials {
    trials: Trials,
    compute: Compute,
}

#[pymethods]
impl PyTrials {
    #[new]
    #[pyo3(signature = (base, data, *, goal="reconstruction", threads=None, **roles))]
    fn new(
        py: Python<'_>,
        base: &PyRecipe,
        data: &Bound<'_, PyAny>,
        goal: &str,
        threads: Option<usize>,
        roles: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<PyTrials> {
        let dataset = dataset(data, roles)?;
        let plan = SearchPlan { goal: parsed(goal)?, base: base.0.clone(), held: Vec::new(), trials: 1, time: None };
        let trials = detached(py, || Trials::new(&plan, dataset)).or_raise()?;
        Ok(PyTrials { trials, compute: compute(threads)? })
    }

    /// Trains a recipe, of JSON, and gives its outcome as JSON.
    fn run(&self, py: Python<'_>, recipe: &str, is_start: bool) -> PyResult<String> {
        let wrong = |error: serde_json::Error| PyValueError::new_err(format!("expected a recipe as JSON, got {error}"));
        let recipe: Recipe = serde_json::from_str(recipe).map_err(wrong)?;
        let (ran, _) = watched(py, None, |bridge| self.trials.run(&recipe, is_start, bridge, &self.compute))?;
        let Ran { outcome, seconds } = ran.or_raise()?;
        Ok(json!({"outcome": outcome, "seconds": seconds}).to_string())
    }
}

/// A runner that is an object of Python, and the first error that it has raised.
pub(crate) struct PyRunner {
    runner: Py<PyAny>,
    raised: Mutex<Option<PyErr>>,
}

impl PyRunner {
    pub(crate) fn of(runner: Py<PyAny>) -> PyRunner {
        PyRunner { runner, raised: Mutex::new(None) }
    }

    /// The first error that it has raised, once.
    pub(crate) fn raised(&self) -> Option<PyErr> {
        self.raised.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take()
    }

    /// Calls a method; what it raises ends the search and is kept.
    fn call<T>(&self, work: impl FnOnce(&Bound<'_, PyAny>) -> PyResult<T>) -> narrows_core::Result<T> {
        Python::attach(|py| work(self.runner.bind(py))).map_err(|error| {
            let mut raised = self.raised.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            raised.get_or_insert(error);
            Error::Interrupted
        })
    }

    /// What it says of a run.
    fn told(text: Option<String>) -> PyResult<Option<Ran>> {
        let Some(text) = text else { return Ok(None) };
        let read = |text: &str| -> serde_json::Result<Ran> {
            let mut told: Value = serde_json::from_str(text)?;
            let outcome: Outcome = serde_json::from_value(told["outcome"].take())?;
            Ok(Ran { outcome, seconds: serde_json::from_value(told["seconds"].take())? })
        };
        let wrong =
            |error| PyValueError::new_err(format!("runner: expected an outcome as JSON, got `{text}`: {error}"));
        read(&text).map(Some).map_err(wrong)
    }
}

/// A recipe as JSON.
fn text(recipe: &Recipe) -> String {
    serde_json::to_string(recipe).expect("plain data with text keys")
}

impl Runner for PyRunner {
    fn lookahead(&self) -> usize {
        self.call(|runner| runner.getattr("lookahead")?.extract()).unwrap_or(0)
    }

    fn begin(&self, recipes: &[Recipe]) -> narrows_core::Result<()> {
        let texts: Vec<String> = recipes.iter().map(text).collect();
        self.call(|runner| runner.call_method1("begin", (texts,)).map(|_| ()))
    }

    fn known(&self, recipe: &Recipe) -> narrows_core::Result<Option<Outcome>> {
        let ran = self.call(|runner| Self::told(runner.call_method1("known", (text(recipe),))?.extract()?))?;
        Ok(ran.map(|ran| ran.outcome))
    }

    fn wait(&self, recipe: &Recipe, is_start: bool, _: &dyn Observer) -> narrows_core::Result<Option<Ran>> {
        self.call(|runner| Self::told(runner.call_method1("wait", (text(recipe), is_start))?.extract()?))
    }
}
