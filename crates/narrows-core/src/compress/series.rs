//! Windows of series as samples of a compressed file.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array};

use super::coder::{ChunkAdapter, ChunkForm, EncodedSamples};
use crate::data::{Column, Layout, SeriesSet, Table};
use crate::error::{Error, Hint, Result};
use crate::fitted::{Core, SeriesAdapter};
use crate::prep::{Level, Transform};

impl ChunkAdapter for SeriesAdapter {
    fn columns(&self) -> Vec<&Column> {
        self.columns.channels.iter().filter_map(|name| self.schema.get(name)).collect()
    }

    fn encoded(&self, core: &Core, table: &Table, _typed: &Table) -> Result<EncodedSamples> {
        let samples = self.one_point_a_row().prepare(table)?;
        let mut windows = self.pipeline.no_windows(0);
        let step = self.pipeline.window();
        for signal in &samples.signals {
            self.pipeline.cut(signal, (0..signal.n).step_by(step), &mut windows);
        }
        let numbers = LevelNumbers::of(self);
        let levels = windows.levels.iter().flat_map(|level| numbers.take(level)).collect();
        Ok(EncodedSamples { codes: core.codes(&windows.prepared), levels })
    }

    fn n_samples(&self, form: &ChunkForm) -> usize {
        let set = form.set.as_ref().expect("the form of series");
        set.series.iter().map(|series| series.n_points().div_ceil(self.pipeline.window())).sum()
    }

    fn form(&self, skeleton: &Table, rows: usize) -> Result<ChunkForm> {
        let (typed, _) = crate::data::conform(skeleton.clone(), &self.schema)?;
        let set = match self.layout {
            Layout::Rows => SeriesSet::rows(&typed, &self.columns.channels)?,
            Layout::Long => SeriesSet::long(&typed, &self.one_point_a_row().columns, self.step)?,
        };
        Ok(ChunkForm { rows, set: Some(set) })
    }

    fn expected(&self, form: &ChunkForm, outputs: Vec<f32>, levels: &[f32]) -> Result<Table> {
        let set = form.set.as_ref().expect("the form of series");
        series(self, form.rows, set, &outputs, levels)
    }

    fn n_levels(&self) -> usize {
        LevelNumbers::of(self).len() * self.pipeline.n_channels()
    }

    fn level_steps(&self, base: f64) -> Vec<f64> {
        let steps = LevelNumbers::of(self).steps(base, self.pipeline.window());
        (0..self.pipeline.n_channels()).flat_map(|_| steps.clone()).collect()
    }

    fn order(&self, form: &ChunkForm) -> Option<Vec<u32>> {
        let set = form.set.as_ref().filter(|_| self.layout == Layout::Long)?;
        Some(set.series.iter().flat_map(|series| series.rows.iter().copied().flatten()).collect())
    }

    fn check_code_alone(&self) -> Result<()> {
        if !self.is_differenced() {
            return Ok(());
        }
        let error = Error::mismatch("the model sees differences, whose code alone has lost where they began");
        Err(error.with_hint(Hint::of("compress with [max_error] or [lossless]")))
    }
}

/// The kind of level removed by a transform.
#[derive(Clone, Copy)]
enum LevelNumbers {
    None,
    Offset,
    OffsetAndSlope,
    OffsetAndSize,
}

impl LevelNumbers {
    fn of(adapter: &SeriesAdapter) -> LevelNumbers {
        match adapter.pipeline.transform() {
            Transform::None | Transform::Difference => LevelNumbers::None,
            Transform::Centre => LevelNumbers::Offset,
            Transform::Detrend => LevelNumbers::OffsetAndSlope,
            Transform::Standardise => LevelNumbers::OffsetAndSize,
        }
    }

    fn len(self) -> usize {
        match self {
            LevelNumbers::None => 0,
            LevelNumbers::Offset => 1,
            LevelNumbers::OffsetAndSlope | LevelNumbers::OffsetAndSize => 2,
        }
    }

    fn take(self, level: &Level) -> Vec<f32> {
        match self {
            LevelNumbers::None => Vec::new(),
            LevelNumbers::Offset => vec![level.offset],
            LevelNumbers::OffsetAndSlope => vec![level.offset, level.slope],
            LevelNumbers::OffsetAndSize => vec![level.offset, level.size],
        }
    }

    fn put_back(self, numbers: &[f32]) -> Level {
        match self {
            LevelNumbers::None => Level::NONE,
            LevelNumbers::Offset => Level { offset: numbers[0], ..Level::NONE },
            LevelNumbers::OffsetAndSlope => Level { offset: numbers[0], slope: numbers[1], size: 1.0 },
            LevelNumbers::OffsetAndSize => Level { offset: numbers[0], slope: 0.0, size: numbers[1] },
        }
    }

    /// A slope affects the ends of a window most: its RMS over the window is the window length over the root of 12.
    fn steps(self, base: f64, window: usize) -> Vec<f64> {
        match self {
            LevelNumbers::None => Vec::new(),
            LevelNumbers::Offset => vec![base],
            LevelNumbers::OffsetAndSlope => vec![base, base * 12.0_f64.sqrt() / window as f64],
            LevelNumbers::OffsetAndSize => vec![base, base],
        }
    }
}

/// Concatenates windows, by the table's rows.
fn series(adapter: &SeriesAdapter, rows: usize, set: &SeriesSet, output: &[f32], levels: &[f32]) -> Result<Table> {
    let (k, steps) = (adapter.pipeline.n_channels(), adapter.pipeline.window());
    let numbers = LevelNumbers::of(adapter);
    let is_rows = adapter.layout == Layout::Rows;
    let names = &adapter.columns.channels;
    let mut columns = vec![vec![0.0_f64; rows]; names.len()];
    let mut window = 0;
    for (row, series) in set.series.iter().enumerate() {
        let n = series.n_points();
        let mut before = vec![0.0; k];
        for first in (0..n).step_by(steps) {
            let there = steps.min(n - first);
            let level = |c: usize| numbers.put_back(&levels[(window * k + c) * numbers.len()..]);
            let levels: Vec<Level> = (0..k).map(level).collect();
            for t in 0..there {
                for c in 0..k {
                    let value = levels[c].put_back(output[(window * steps + t) * k + c], t, there);
                    let value = adapter.pipeline.backward(&series.id, c, value);
                    // Differences are summed; the unknown first value is the same for all series.
                    let value = if adapter.is_differenced() { before[c] + value } else { value };
                    before[c] = value;
                    if is_rows {
                        columns[first + t][row] = value;
                    } else if let Some(row) = series.rows[first + t] {
                        columns[c][row as usize] = value;
                    }
                }
            }
            window += 1;
        }
    }
    let arrays = names.iter().zip(columns);
    let arrays = arrays.map(|(name, values)| (name.clone(), Arc::new(Float64Array::from(values)) as ArrayRef));
    Table::from_arrays(arrays.collect(), "expected")
}
