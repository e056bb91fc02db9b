//! Scores.

use narrows_core::{ImageScore, ScoreCounts, Scores};
use numpy::PyArray1;
use pyo3::prelude::*;
use serde_json::{Map, Value};

use crate::listener::object;

/// Scores of rows or images.
#[pyclass(name = "Scores", module = "narrows._native", frozen)]
pub(crate) struct PyScores(pub(crate) Scores);

impl From<Vec<ImageScore>> for PyScores {
    fn from(scores: Vec<ImageScore>) -> PyScores {
        PyScores(Scores {
            score: scores.iter().map(|score| score.score).collect(),
            p_value: scores.iter().map(|score| score.p_value).collect(),
            is_anomaly: scores.iter().map(|score| score.is_anomaly).collect(),
            flag: vec![narrows_core::ScoreFlag::None; scores.len()],
            counts: ScoreCounts { rows: scores.len() as u64, ..ScoreCounts::default() },
        })
    }
}

/// Scores of parts of a table, together.
pub(crate) fn joined(parts: Vec<Scores>) -> Scores {
    let mut parts = parts.into_iter();
    let mut all = parts.next().unwrap_or_else(|| Scores {
        score: Vec::new(),
        p_value: Vec::new(),
        is_anomaly: Vec::new(),
        flag: Vec::new(),
        counts: ScoreCounts::default(),
    });
    for part in parts {
        all.score.extend(part.score);
        all.p_value.extend(part.p_value);
        all.is_anomaly.extend(part.is_anomaly);
        all.flag.extend(part.flag);
        all.counts.add(&part.counts);
    }
    all
}

/// The counts that are not zero or empty, and the notes on them as text.
pub(crate) fn counts<'py>(py: Python<'py>, counts: &ScoreCounts) -> PyResult<Bound<'py, PyAny>> {
    let Value::Object(all) = serde_json::to_value(counts).expect("plain data") else { unreachable!("a struct") };
    let says = |value: &Value| match value {
        Value::Number(n) => n.as_u64() != Some(0),
        Value::Array(list) => !list.is_empty(),
        _ => true,
    };
    let mut told: Map<String, Value> = all.into_iter().filter(|(name, value)| name == "rows" || says(value)).collect();
    let notes = counts.notes();
    if !notes.is_empty() {
        told.insert("notes".to_owned(), notes.into());
    }
    object(py, &Value::Object(told))
}

#[pymethods]
impl PyScores {
    #[getter]
    fn score<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        PyArray1::from_slice(py, &self.0.score)
    }

    #[getter]
    fn p_value<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        PyArray1::from_slice(py, &self.0.p_value)
    }

    #[getter]
    fn is_anomaly<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<bool>> {
        PyArray1::from_slice(py, &self.0.is_anomaly)
    }

    #[getter]
    fn flag(&self) -> Vec<Option<&'static str>> {
        self.0.flag.iter().map(|flag| flag.word()).collect()
    }

    #[getter]
    fn counts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        counts(py, &self.0.counts)
    }

    fn __len__(&self) -> usize {
        self.0.score.len()
    }
}
