//! The rows that a model has scored, compared with those of its fit, a window of rows after the other.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use narrows_core::data::Table;
use narrows_core::drift::{DriftMonitor, DriftReport, LEVEL};
use narrows_core::{Scores, TabularModel};
use serde::Serialize;
use serde_json::{Value, json};

/// Rows of a window: what happened long ago must not hide what happens now.
const WINDOW: u64 = 20_000;
/// Full windows that are remembered.
const REMEMBERED: usize = 50;

/// Watches the rows of one model for drift.
#[derive(Debug)]
pub(crate) struct DriftWatch {
    windows: Mutex<Windows>,
}

#[derive(Debug)]
struct Windows {
    /// Rows of the window that is not full.
    current: DriftMonitor,
    /// The last full window.
    previous: Option<DriftReport>,
    /// The last full windows, the oldest first.
    history: VecDeque<WindowSummary>,
}

/// What is remembered of a full window.
#[derive(Debug, Clone, Serialize)]
struct WindowSummary {
    rows: u64,
    has_drifted: bool,
    /// The p-value of the scores, corrected for the number of tests.
    score_p: f64,
    /// The share of rows above the threshold.
    flagged_share: f64,
    /// The population stability index of each column that has one.
    psi: BTreeMap<String, f64>,
}

impl WindowSummary {
    fn of(report: &DriftReport) -> WindowSummary {
        WindowSummary {
            rows: report.rows,
            has_drifted: report.has_drifted,
            score_p: report.score.corrected,
            flagged_share: report.threshold.share,
            psi: report.columns.iter().filter_map(|column| Some((column.column.clone(), column.psi?))).collect(),
        }
    }
}

fn monitor(model: &dyn TabularModel) -> Option<DriftMonitor> {
    Some(DriftMonitor::new(model, LEVEL.try_into().ok()?))
}

impl DriftWatch {
    pub(crate) fn new(model: &dyn TabularModel) -> Option<DriftWatch> {
        let windows = Windows { current: monitor(model)?, previous: None, history: VecDeque::new() };
        Some(DriftWatch { windows: Mutex::new(windows) })
    }

    /// Rows of `model` were scored.
    pub(crate) fn scored(&self, model: &dyn TabularModel, table: &Table, scores: &Scores) {
        let mut windows = self.locked();
        // Rows that could be scored can be compared.
        let _ = windows.current.add_scored(table, scores);
        if windows.current.rows() >= WINDOW
            && let Some(next) = monitor(model)
        {
            let full = std::mem::replace(&mut windows.current, next).finish();
            if windows.history.len() == REMEMBERED {
                windows.history.pop_front();
            }
            windows.history.push_back(WindowSummary::of(&full));
            windows.previous = Some(full);
        }
    }

    /// The last full window, or the rows so far before there is one.
    pub(crate) fn latest(&self) -> DriftReport {
        let windows = self.locked();
        windows.previous.clone().unwrap_or_else(|| windows.current.report())
    }

    /// The window that is not full, the last full one, and summaries of the last full ones, the oldest first.
    pub(crate) fn document(&self) -> Value {
        let windows = self.locked();
        json!({
            "window_rows": WINDOW,
            "current": windows.current.report(),
            "previous": windows.previous,
            "history": windows.history,
        })
    }

    fn locked(&self) -> MutexGuard<'_, Windows> {
        self.windows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use narrows_core::{Dataset, Recipe, Session, fit};

    use super::*;

    #[test]
    fn the_last_windows_are_remembered_and_older_ones_forgotten() {
        let numbers = |n: u32, shift: f64| (0..n).map(|i| f64::from(i * 37 % 101) + shift).collect::<Vec<f64>>();
        let table =
            |n: u32, shift: f64| Table::from_columns(vec![("a", numbers(n, shift)), ("b", numbers(n, 0.0))]).unwrap();
        let mut recipe = Recipe::preset("simple".parse().unwrap());
        recipe.set("train.steps=20").unwrap();
        let model = fit(&recipe, Dataset::from(table(200, 0.0)), &Session::default()).unwrap().into_table().unwrap();
        let watch = DriftWatch::new(&model).unwrap();
        let document = |key: &str| watch.document()[key].clone();
        assert_eq!(document("history"), json!([]));
        // Of one window, scored once; each call fills a window.
        let (plain, moved) = (table(WINDOW as u32, 0.0), table(WINDOW as u32, 90.0));
        let [of_plain, of_moved] = [&plain, &moved].map(|table| model.score(table).unwrap());
        watch.scored(&model, &moved, &of_moved);
        (0..REMEMBERED - 1).for_each(|_| watch.scored(&model, &plain, &of_plain));
        let history = document("history");
        let first = &history[0];
        assert_eq!((history.as_array().unwrap().len(), &first["rows"]), (REMEMBERED, &json!(WINDOW)));
        assert_eq!((&first["has_drifted"], &history[1]["has_drifted"]), (&json!(true), &json!(false)), "{first}");
        let of = |key: &str| first[key].as_f64().unwrap();
        assert!(of("score_p") < 0.01 && of("flagged_share") > 0.01, "{first}");
        assert!(first["psi"]["a"].as_f64() > Some(0.25) && first["psi"]["b"].as_f64() < Some(0.1), "{first}");
        watch.scored(&model, &plain, &of_plain);
        let history = document("history");
        assert_eq!((history.as_array().unwrap().len(), &history[0]["has_drifted"]), (REMEMBERED, &json!(false)));
    }
}
