//! Recipe search.

use std::path::Path;
use std::time::Duration;

use narrows_core::file::{fingerprint, images_fingerprint};
use narrows_core::tune::{Goal, Journal, SearchPlan, SearchSubject, Trials, tune_with};
use narrows_core::{Dataset, Recipe};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::failure::{OrRaise, parsed};
use crate::given::compute;
use crate::listener::watched;
use crate::recipe::PyRecipe;
use crate::roles::dataset;
use crate::trials::PyRunner;

/// Searches a recipe; the best one, and the search as JSON.
#[pyfunction]
#[pyo3(signature = (
    base, data, *, goal="reconstruction", held=Vec::new(), trials=20, seconds=None, threads=None, listener=None,
    journal=None, runner=None, **roles
))]
pub(crate) fn tune(
    py: Python<'_>,
    base: &PyRecipe,
    data: &Bound<'_, PyAny>,
    goal: &str,
    held: Vec<String>,
    trials: usize,
    seconds: Option<f64>,
    threads: Option<usize>,
    listener: Option<&Bound<'_, PyAny>>,
    journal: Option<String>,
    runner: Option<Py<PyAny>>,
    roles: Option<&Bound<'_, PyDict>>,
) -> PyResult<(PyRecipe, String)> {
    let goal: Goal = parsed(goal)?;
    let time_limit = seconds.map(Duration::try_from_secs_f64).transpose();
    let time_limit = time_limit.map_err(|_| PyValueError::new_err("time: expected a positive number of seconds"))?;
    let dataset = dataset(data, roles)?;
    let plan = SearchPlan { goal, base: base.0.clone(), held, trials, time: time_limit };
    plan.check().or_raise()?;
    let mut journal = match &journal {
        None => Journal::in_memory(),
        Some(path) => kept(Path::new(path), &plan, &dataset)?,
    };
    let compute = compute(threads)?;
    let runner = runner.map(PyRunner::of);
    let (search, _) = watched(py, listener, |bridge| match &runner {
        None => narrows_core::tune::tune(&plan, dataset, &mut journal, bridge, &compute),
        Some(runner) => {
            let trials = Trials::new(&plan, dataset)?;
            tune_with(&plan, &trials, runner, &mut journal, bridge, &compute)
        }
    })?;
    if let Some(raised) = runner.as_ref().and_then(PyRunner::raised) {
        return Err(raised);
    }
    let search = search.or_raise()?;
    let recipe: Recipe = search.recipe.clone();
    Ok((PyRecipe(recipe), serde_json::to_string(&search).expect("plain data with text keys")))
}

/// The journal of a file, resumed if there is one.
fn kept(path: &Path, plan: &SearchPlan, dataset: &Dataset) -> PyResult<Journal> {
    let (data, roles) = match dataset {
        Dataset::Table(table, roles) => (fingerprint(table), serde_json::to_string(roles)),
        Dataset::Images(images, roles) => (images_fingerprint(images), serde_json::to_string(roles)),
    };
    let roles = roles.expect("plain data with text keys");
    let subject = SearchSubject::new(plan.goal, &plan.base, &plan.held, data, &roles);
    match path.exists() {
        true => Journal::resume(path, &subject).or_raise(),
        false => Ok(Journal::create(path, &subject)),
    }
}
