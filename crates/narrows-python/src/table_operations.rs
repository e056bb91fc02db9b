//! What models of tables and of series do.

use std::sync::Mutex;

use narrows_core::data::{Filter, Table};
use narrows_core::drift::DriftMonitor;
use narrows_core::output::batch;
use narrows_core::range::Rate;
use narrows_core::report::html::PageHost;
use narrows_core::report::{NewDataReport, ScoredData};
use narrows_core::score_table::{ReasonForm, event_rows, reason_rows};
use narrows_core::{Error, Explained, Model, ScoredDataReporter, Scores, TabularModel};
use pyo3::prelude::*;
use pyo3::types::PyAny;

use crate::failure::{OrRaise, parsed};
use crate::given::folders;
use crate::images::PyImages;
use crate::model::PyModel;
use crate::portions::{PORTION_ROWS, in_portions};
use crate::scores::{PyScores, joined};
use crate::stream::PyStream;
use crate::table::PyTable;
use crate::threads::detached;

/// The results of `work` on the parts of a table; of series the whole is one.
fn by_parts<T: Send>(
    py: Python<'_>,
    is_divisible: bool,
    table: &Table,
    work: impl Fn(&Table) -> narrows_core::Result<T> + Sync,
) -> PyResult<Vec<T>> {
    let portion = if is_divisible { PORTION_ROWS } else { table.n_rows().max(1) };
    in_portions(py, table.n_rows(), portion, |rows| work(&table.slice(rows.start, rows.len())))
}

fn table_by_parts(
    py: Python<'_>,
    is_divisible: bool,
    table: &Table,
    work: impl Fn(&Table) -> narrows_core::Result<Table> + Sync,
) -> PyResult<PyTable> {
    let parts = by_parts(py, is_divisible, table, work)?;
    Table::concat(&parts).or_raise().map(PyTable)
}

/// Generated rows `first..first + n`.
fn generated(
    py: Python<'_>,
    n: usize,
    first: u64,
    generate: impl Fn(usize, u64) -> narrows_core::Result<Table> + Sync,
) -> PyResult<PyTable> {
    let parts = in_portions(py, n, PORTION_ROWS, |rows| generate(rows.len(), first + rows.start as u64))?;
    detached(py, || Table::concat(&parts)).or_raise().map(PyTable)
}

/// The report on new data, and its rows.
fn new_data(
    py: Python<'_>,
    model: &Model,
    data: &Bound<'_, PyAny>,
    label: Option<&str>,
    normal: Option<&str>,
) -> PyResult<(NewDataReport, ScoredData)> {
    if let Ok(images) = data.cast::<PyImages>() {
        let (images, model) = (images.get().0.clone(), model.clone().into_images().or_raise()?);
        return detached(py, || model.scored_data(&images, &folders(normal))).or_raise();
    }
    let table = data.cast::<PyTable>()?.get().0.clone();
    let model = model.clone().into_tabular().or_raise()?;
    let found = detached(py, || {
        let mut reporter = ScoredDataReporter::new(model.as_ref(), table.source());
        if let Some(label) = label {
            reporter = reporter.labelled(label, normal);
        }
        reporter.add(&table)?;
        reporter.finish()
    });
    found.or_raise()
}

fn evaluated(
    model: &dyn TabularModel,
    table: &Table,
    label: &str,
    normal: Option<&str>,
) -> narrows_core::Result<narrows_core::Evaluation> {
    let mut evaluator = model.evaluator(label, normal);
    evaluator.add(table)?;
    evaluator.finish()
}

#[pymethods]
impl PyModel {
    fn score(&self, py: Python<'_>, table: &PyTable) -> PyResult<PyScores> {
        let model = self.tabular()?;
        let parts = by_parts(py, model.rows_are_independent(), &table.0, |part| model.score(part))?;
        Ok(PyScores(joined(parts)))
    }

    fn explain(&self, py: Python<'_>, table: &PyTable, k: usize) -> PyResult<(PyScores, PyTable)> {
        let model = self.tabular()?;
        let parts = by_parts(py, model.rows_are_independent(), &table.0, |part| model.explain(part, k))?;
        let (scores, reasons): (Vec<Scores>, Vec<_>) =
            parts.into_iter().map(|Explained { scores, reasons }| (scores, reasons)).unzip();
        let reasons = reasons.concat();
        let rows = Table::new(reason_rows(&reasons, 0), "reasons", 0);
        Ok((PyScores(joined(scores)), PyTable(rows)))
    }

    #[pyo3(signature = (table, k=0, form="text"))]
    fn score_table(&self, py: Python<'_>, table: &PyTable, k: usize, form: &str) -> PyResult<PyTable> {
        let model = self.tabular()?;
        let form: ReasonForm = parsed(form)?;
        let kind = model.recipe().data.kind();
        table_by_parts(py, model.rows_are_independent(), &table.0, |part| {
            let columns = match k {
                0 => model.score(part)?.columns(0, kind),
                k => {
                    let Explained { scores, reasons } = model.explain(part, k)?;
                    let mut columns = scores.columns(0, kind);
                    columns.extend(form.columns(&reasons, k));
                    columns
                }
            };
            // The rows of a part have no numbers: how a table is cut is not the caller's doing.
            let columns = columns.into_iter().filter(|(name, _)| name != "row").collect();
            Ok(Table::new(batch(columns), "scores", 0))
        })
    }

    fn reconstruct(&self, py: Python<'_>, table: &PyTable) -> PyResult<PyTable> {
        let model = self.tabular()?;
        table_by_parts(py, model.rows_are_independent(), &table.0, |part| model.reconstruct(part))
    }

    fn encode(&self, py: Python<'_>, table: &PyTable) -> PyResult<PyTable> {
        if let Model::Encoder(encoder) = &self.live()? {
            return table_by_parts(py, encoder.rows_are_independent(), &table.0, |part| encoder.encode(part));
        }
        let model = self.tabular()?;
        table_by_parts(py, model.rows_are_independent(), &table.0, |part| model.encode(part))
    }

    fn decode(&self, py: Python<'_>, codes: &PyTable) -> PyResult<PyTable> {
        let model = self.tabular()?;
        detached(py, || model.decode(&codes.0)).or_raise().map(PyTable)
    }

    #[pyo3(signature = (n, first, seed, condition=None))]
    fn generate(&self, py: Python<'_>, n: usize, first: u64, seed: u64, condition: Option<&str>) -> PyResult<PyTable> {
        let model = self.tabular()?;
        if let Some(condition) = condition {
            let condition = condition.parse::<Filter>().or_raise()?;
            return detached(py, || model.generate_where(&condition, seed)?.take(n)).or_raise().map(PyTable);
        }
        generated(py, n, first, |n, first| model.generate(n, first, seed))
    }

    fn vary(&self, py: Python<'_>, table: &PyTable, n: usize, first: u64, spread: f32, seed: u64) -> PyResult<PyTable> {
        let model = self.tabular()?;
        let variation = detached(py, || model.variation(&table.0)).or_raise()?;
        generated(py, n, first, |n, first| variation.vary(n, first, spread, seed))
    }

    fn between(&self, py: Python<'_>, table: &PyTable, a: u64, b: u64, steps: usize) -> PyResult<PyTable> {
        let model = self.tabular()?;
        detached(py, || model.variation(&table.0)?.between(a, b, steps)).or_raise().map(PyTable)
    }

    fn events(&self, py: Python<'_>, table: &PyTable) -> PyResult<PyTable> {
        let model = self.live()?.into_series().or_raise()?;
        let has_series = model.id_column().is_some();
        let events = detached(py, || model.events(&table.0)).or_raise()?;
        Ok(PyTable(Table::new(event_rows(&events, has_series), "events", 0)))
    }

    fn stream(&self) -> PyResult<PyStream> {
        let model = self.live()?.into_series().or_raise()?;
        Ok(PyStream(Mutex::new(model.stream().or_raise()?)))
    }

    #[pyo3(signature = (table, label, normal=None))]
    fn evaluate(&self, py: Python<'_>, table: &PyTable, label: &str, normal: Option<&str>) -> PyResult<String> {
        let model = self.tabular()?;
        let evaluation = detached(py, || evaluated(model.as_ref(), &table.0, label, normal)).or_raise()?;
        Ok(serde_json::to_string(&evaluation).expect("plain data with text keys"))
    }

    fn drift(&self, py: Python<'_>, table: &PyTable, level: f64) -> PyResult<String> {
        let model = self.tabular()?;
        let level = Rate::try_from(level).map_err(|message| Error::recipe("level", message)).or_raise()?;
        let found = detached(py, || {
            let mut monitor = DriftMonitor::new(model.as_ref(), level);
            monitor.add(&table.0)?;
            Ok::<_, Error>(monitor.finish())
        });
        Ok(serde_json::to_string(&found.or_raise()?).expect("plain data with text keys"))
    }

    #[pyo3(signature = (data, label=None, normal=None))]
    fn new_data_html(
        &self,
        py: Python<'_>,
        data: &Bound<'_, PyAny>,
        label: Option<&str>,
        normal: Option<&str>,
    ) -> PyResult<String> {
        let (found, rows) = new_data(py, &self.live()?, data, label, normal)?;
        detached(py, || self.model.living_html(PageHost::File, Some((&found, &rows)))).or_raise()
    }

    #[pyo3(signature = (data, label=None, normal=None))]
    fn new_data_json(
        &self,
        py: Python<'_>,
        data: &Bound<'_, PyAny>,
        label: Option<&str>,
        normal: Option<&str>,
    ) -> PyResult<String> {
        let (found, _) = new_data(py, &self.live()?, data, label, normal)?;
        Ok(serde_json::to_string(&found).expect("plain data with text keys"))
    }

    fn generation_quality(&self, py: Python<'_>, data: &Bound<'_, PyAny>, n: usize, seed: u64) -> PyResult<String> {
        let quality = match data.cast::<PyImages>() {
            Ok(images) => {
                let (model, images) = (self.images()?, images.get().0.clone());
                detached(py, || model.generation_quality(&images, n, seed))
            }
            Err(_) => {
                let (model, table) = (self.tabular()?, data.cast::<PyTable>()?.get().0.clone());
                detached(py, || model.generation_quality(&table, n, seed))
            }
        };
        Ok(serde_json::to_string(&quality.or_raise()?).expect("plain data with text keys"))
    }
}
