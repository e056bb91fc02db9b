//! The rows that a model has scored, compared with those of its fit, a window of rows after the other.

use std::sync::{Mutex, MutexGuard, PoisonError};

use narrows_core::data::Table;
use narrows_core::drift::{DriftMonitor, DriftReport, LEVEL};
use narrows_core::{Scores, TabularModel};
use serde_json::{Value, json};

/// Rows of a window: what happened long ago must not hide what happens now.
const WINDOW: u64 = 20_000;

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
}

fn monitor(model: &dyn TabularModel) -> Option<DriftMonitor> {
    Some(DriftMonitor::new(model, LEVEL.try_into().ok()?))
}

impl DriftWatch {
    pub(crate) fn new(model: &dyn TabularModel) -> Option<DriftWatch> {
        let windows = Windows { current: monitor(model)?, previous: None };
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
            let full = std::mem::replace(&mut windows.current, next);
            windows.previous = Some(full.finish());
        }
    }

    /// The last full window, or the rows so far before there is one.
    pub(crate) fn latest(&self) -> DriftReport {
        let windows = self.locked();
        windows.previous.clone().unwrap_or_else(|| windows.current.report())
    }

    /// The window that is not full, and the last full one.
    pub(crate) fn document(&self) -> Value {
        let windows = self.locked();
        json!({"window_rows": WINDOW, "current": windows.current.report(), "previous": windows.previous})
    }

    fn locked(&self) -> MutexGuard<'_, Windows> {
        self.windows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
