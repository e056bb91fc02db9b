//! The rows that a model has scored, compared with those of its fit, a window of rows after the other.
//!
//! Rows of small requests are gathered first: to look at a thousand rows at once takes hardly longer than to look at one.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use narrows_core::data::Table;
use narrows_core::drift::{DriftMonitor, DriftReport, LEVEL};
use narrows_core::{ScoreCounts, Scores, TabularModel};
use serde_json::{Value, json};

/// Rows of a window: what happened long ago must not hide what happens now.
const WINDOW: u64 = 20_000;
/// Rows that are looked at together.
const GATHERED_ROWS: usize = 1024;
/// Bytes from which on gathered rows are looked at, however few they are.
const GATHERED_BYTES: usize = 4 << 20;

/// Watches the rows of one model for drift.
#[derive(Debug)]
pub(crate) struct DriftWatch {
    /// Locked before the windows, if both are.
    gathered: Mutex<Gathered>,
    windows: Mutex<Windows>,
}

#[derive(Debug)]
struct Windows {
    /// Rows of the window that is not full.
    current: DriftMonitor,
    /// The last full window.
    previous: Option<DriftReport>,
    /// Missing cells of columns in full windows.
    missing: BTreeMap<String, u64>,
    /// Those that have been told, of all windows.
    told: BTreeMap<String, u64>,
}

/// Rows that have been scored and are not in a window yet.
#[derive(Debug, Default)]
struct Gathered {
    tables: Vec<Table>,
    scores: Vec<f64>,
    counts: ScoreCounts,
    bytes: usize,
}

impl Gathered {
    fn add(&mut self, table: &Table, scores: &Scores) {
        self.bytes += table.batch().get_array_memory_size();
        self.tables.push(table.clone());
        self.scores.extend(&scores.score);
        self.counts.add(&scores.counts);
    }

    fn is_alike(&self, table: &Table) -> bool {
        self.tables.first().is_none_or(|first| first.batch().schema_ref() == table.batch().schema_ref())
    }
}

fn monitor(model: &dyn TabularModel) -> Option<DriftMonitor> {
    Some(DriftMonitor::new(model, LEVEL.try_into().ok()?))
}

impl DriftWatch {
    pub(crate) fn new(model: &dyn TabularModel) -> Option<DriftWatch> {
        let (missing, told) = (BTreeMap::new(), BTreeMap::new());
        let windows = Windows { current: monitor(model)?, previous: None, missing, told };
        Some(DriftWatch { gathered: Mutex::default(), windows: Mutex::new(windows) })
    }

    /// Rows of `model` were scored.
    pub(crate) fn scored(&self, model: &dyn TabularModel, table: &Table, scores: &Scores) {
        let full = {
            let mut gathered = self.gathered();
            let before = if gathered.is_alike(table) { None } else { Some(std::mem::take(&mut *gathered)) };
            gathered.add(table, scores);
            let is_full = gathered.scores.len() >= GATHERED_ROWS || gathered.bytes >= GATHERED_BYTES;
            let now = is_full.then(|| std::mem::take(&mut *gathered));
            [before, now]
        };
        // Others may gather meanwhile.
        full.into_iter().flatten().for_each(|full| self.windows().add(model, full));
    }

    /// The last full window, or the rows so far before there is one.
    pub(crate) fn latest(&self, model: &dyn TabularModel) -> DriftReport {
        let windows = self.all(model);
        windows.previous.clone().unwrap_or_else(|| windows.current.report())
    }

    /// The window that is not full, and the last full one.
    pub(crate) fn document(&self, model: &dyn TabularModel) -> Value {
        let windows = self.all(model);
        json!({"window_rows": WINDOW, "current": windows.current.report(), "previous": windows.previous})
    }

    /// The missing cells of each column since this was last asked, of the first `most` columns.
    pub(crate) fn new_missing(&self, model: &dyn TabularModel, most: usize) -> Vec<(String, u64)> {
        let windows = &mut *self.all(model);
        let mut new = Vec::new();
        for (column, n) in windows.current.missing().take(most) {
            let all = n + windows.missing.get(column).copied().unwrap_or(0);
            let told = windows.told.insert(column.to_owned(), all).unwrap_or(0);
            new.push((column.to_owned(), all - told));
        }
        new
    }

    /// The windows with all rows so far.
    fn all(&self, model: &dyn TabularModel) -> MutexGuard<'_, Windows> {
        let gathered = std::mem::take(&mut *self.gathered());
        let mut windows = self.windows();
        windows.add(model, gathered);
        windows
    }

    fn gathered(&self) -> MutexGuard<'_, Gathered> {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn windows(&self) -> MutexGuard<'_, Windows> {
        self.windows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Windows {
    fn add(&mut self, model: &dyn TabularModel, gathered: Gathered) {
        let Gathered { tables, scores, counts, .. } = gathered;
        // Rows of the same columns can be joined, and those that could be scored can be compared.
        let Ok(table) = Table::concat(&tables) else { return };
        let (p_value, is_anomaly, flag) = (Vec::new(), Vec::new(), Vec::new());
        let scores = Scores { score: scores, p_value, is_anomaly, flag, counts };
        let _ = self.current.add_scored(&table, &scores);
        if self.current.rows() >= WINDOW
            && let Some(next) = monitor(model)
        {
            let full = std::mem::replace(&mut self.current, next);
            for (column, n) in full.missing() {
                *self.missing.entry(column.to_owned()).or_default() += n;
            }
            self.previous = Some(full.finish());
        }
    }
}

#[cfg(test)]
mod tests {
    use narrows_core::{Dataset, Recipe, Session, fit};

    use super::*;

    #[test]
    fn rows_one_by_one_are_compared_like_rows_at_once() {
        let x = |n: u32, shift: f64| (0..n).map(move |i| f64::from(i * 7919 % 1000) / 1000.0 + shift).collect();
        let table = |n, shift| Table::from_columns(vec![("a", x(n, shift)), ("b", x(n, 0.0))]).unwrap();
        let mut recipe = Recipe::preset("simple".parse().unwrap());
        recipe.set("train.steps=30").unwrap();
        let model = fit(&recipe, Dataset::from(table(300, 0.0)), &Session::default()).unwrap().into_table().unwrap();
        let (single, whole) = (DriftWatch::new(&model).unwrap(), DriftWatch::new(&model).unwrap());
        // Not a multiple of what is gathered, and a document in between.
        let rows = table(GATHERED_ROWS as u32 + 77, 0.1);
        let scores = model.score(&rows).unwrap();
        whole.scored(&model, &rows, &scores);
        for i in 0..rows.n_rows() {
            let row = rows.slice(i, 1);
            single.scored(&model, &row, &model.score(&row).unwrap());
            if i == 500 {
                assert_eq!(single.document(&model)["current"]["rows"], 501);
            }
        }
        let mut documents = [single.document(&model), whole.document(&model)];
        for document in &mut documents {
            // Told of parts or of the whole.
            document["current"].as_object_mut().unwrap().remove("notes");
        }
        assert_eq!(documents[0], documents[1]);
        assert_eq!(single.latest(&model).rows, rows.n_rows() as u64);
    }

    #[test]
    fn missing_cells_are_told_once_over_all_windows() {
        let x = |n: u32| (0..n).map(|i| f64::from(i * 7919 % 1000) / 1000.0).collect::<Vec<f64>>();
        let mut recipe = Recipe::preset("simple".parse().unwrap());
        recipe.set("train.steps=30").unwrap();
        let table = |n| Table::from_columns(vec![("a", x(n)), ("b", x(n))]).unwrap();
        let model = fit(&recipe, Dataset::from(table(300)), &Session::default()).unwrap().into_table().unwrap();
        let watch = DriftWatch::new(&model).unwrap();
        let holed = |n: usize| Table::from_columns(vec![("a", vec![0.5; n]), ("b", vec![f64::NAN; n])]).unwrap();
        for (n, b) in [(3, 3), (WINDOW as usize, WINDOW), (5, 5)] {
            let rows = holed(n);
            watch.scored(&model, &rows, &model.score(&rows).unwrap());
            assert_eq!(watch.new_missing(&model, 50), [("a".to_owned(), 0), ("b".to_owned(), b)]);
        }
        assert_eq!(watch.new_missing(&model, 1), [("a".to_owned(), 0)]);
    }
}
