//! Rows on their way to codes, and what codes say of rows: the same for tables, rows that are series, and points in time.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array};
use narrows_engine::Threads;

use crate::codec::{Coding, Span};
use crate::data::{Column, ColumnKind, Layout, Schema, SeriesSet, Table};
use crate::error::{Error, Result};
use crate::fitted::{Adapter, Fitted, SeriesAdapter, TableAdapter};
use crate::prep::{BlockKind, Level, Transform};

/// A model of tables or series, and what a chunk of rows becomes in it.
#[derive(Clone, Copy)]
pub(super) struct ChunkCoder<'a> {
    pub(super) fitted: &'a Fitted,
    pub(super) coding: &'a Coding,
    pub(super) threads: &'a Threads,
}

/// What is stored of a chunk's samples.
pub(super) struct EncodedSamples {
    /// `[samples, code_size]`
    pub(super) codes: Vec<f32>,
    /// `[samples, levels]`: what was taken from each channel of a window.
    pub(super) levels: Vec<f32>,
}

/// A column that the model rebuilds.
pub(super) struct Feature<'a> {
    pub(super) column: &'a Column,
    pub(super) span: Option<Span>,
}

impl<'a> ChunkCoder<'a> {
    /// The columns that the model rebuilds, in its own order.
    pub(super) fn features(&self) -> Vec<Feature<'a>> {
        features(self.fitted, &self.coding.spans)
    }

    /// Values that a row takes: its cells and its code.
    pub(super) fn width(&self) -> usize {
        self.features().len() + self.fitted.code_size()
    }

    /// The codes of raw rows, which are there as typed columns, too.
    pub(super) fn samples(&self, table: &Table, typed: &Table) -> Result<EncodedSamples> {
        let scorer = &self.fitted.scorer;
        match &self.fitted.adapter {
            Adapter::Table(adapter) => {
                let prepared = adapter.pipeline.transform(typed)?;
                Ok(EncodedSamples { codes: scorer.codes(&prepared, self.threads), levels: Vec::new() })
            }
            Adapter::Series(adapter) => {
                let samples = adapter.prepare(table)?;
                let mut windows = adapter.pipeline.no_windows(0);
                let step = adapter.pipeline.window();
                for signal in &samples.signals {
                    adapter.pipeline.cut(signal, (0..signal.n).step_by(step), &mut windows);
                }
                let numbers = LevelNumbers::of(adapter);
                let levels = windows.levels.iter().flat_map(|level| numbers.take(level)).collect();
                Ok(EncodedSamples { codes: scorer.codes(&windows.prepared, self.threads), levels })
            }
            Adapter::Images(_) => Err(not_rows()),
        }
    }

    /// EncodedSamples that rows of this form are cut into.
    pub(super) fn n_samples(&self, form: &ChunkForm) -> usize {
        match (&self.fitted.adapter, &form.set) {
            (Adapter::Series(adapter), Some(set)) => {
                set.series.iter().map(|series| series.n_points().div_ceil(adapter.pipeline.window())).sum()
            }
            _ => form.rows,
        }
    }

    /// The form of rows of which everything is known but the values: kept columns, and which cells are missing.
    pub(super) fn form(&self, skeleton: &Table, rows: usize) -> Result<ChunkForm> {
        let set = match &self.fitted.adapter {
            Adapter::Series(adapter) => {
                let (typed, _) = crate::data::conform(skeleton.clone(), &adapter.schema)?;
                Some(match adapter.layout {
                    Layout::Rows => SeriesSet::rows(&typed, &adapter.columns.channels)?,
                    Layout::Long => SeriesSet::long(&typed, &adapter.columns, adapter.step)?,
                })
            }
            Adapter::Table(_) | Adapter::Images(_) => None,
        };
        Ok(ChunkForm { rows, set })
    }

    /// What these samples say of rows of this form: the features' columns, typed.
    pub(super) fn expected(&self, form: &ChunkForm, samples: &EncodedSamples) -> Result<Table> {
        let n = self.n_samples(form);
        let mut output = self.fitted.scorer.decode(&samples.codes, n, self.threads);
        match (&self.fitted.adapter, &form.set) {
            (Adapter::Table(adapter), _) => {
                observe(adapter, &mut output);
                adapter.pipeline.inverse_table(&output, n)
            }
            (Adapter::Series(adapter), Some(set)) => series(adapter, form.rows, set, &output, &samples.levels),
            _ => Err(not_rows()),
        }
    }

    /// Numbers that are stored of a window's levels.
    pub(super) fn n_levels(&self) -> usize {
        match &self.fitted.adapter {
            Adapter::Series(adapter) => LevelNumbers::of(adapter).len() * adapter.pipeline.n_channels(),
            Adapter::Table(_) | Adapter::Images(_) => 0,
        }
    }

    /// The steps that a window's levels are rounded to, one a number.
    pub(super) fn level_steps(&self, level: i32) -> Vec<f64> {
        let Adapter::Series(adapter) = &self.fitted.adapter else { return Vec::new() };
        let base = f64::from(self.coding.quantiser.output_step) * 2.0_f64.powi(level);
        let steps = LevelNumbers::of(adapter).steps(base, adapter.pipeline.window());
        (0..adapter.pipeline.n_channels()).flat_map(|_| steps.clone()).collect()
    }

    /// The rows one series after the other; none where rows do not follow each other in time.
    pub(super) fn order(&self, form: &ChunkForm) -> Option<Vec<u32>> {
        match (&self.fitted.adapter, &form.set) {
            (Adapter::Series(adapter), Some(set)) if adapter.layout == Layout::Long => {
                Some(set.series.iter().flat_map(|series| series.rows.iter().copied().flatten()).collect())
            }
            _ => None,
        }
    }

    /// The columns that must come.
    pub(super) fn schema(&self) -> &'a Schema {
        self.fitted.schema()
    }

    /// Refuses what a code alone cannot bring back.
    pub(super) fn check_code_alone(&self) -> Result<()> {
        match &self.fitted.adapter {
            Adapter::Series(adapter) if adapter.is_differenced() => {
                let error = Error::mismatch("the model sees differences, whose code alone has lost where they began");
                Err(error.with_hint("compress with --max-error or --lossless"))
            }
            Adapter::Images(_) => Err(not_rows()),
            _ => Ok(()),
        }
    }
}

/// The columns that the model rebuilds, in its own order, with their ranges in training.
pub(super) fn features<'a>(fitted: &'a Fitted, spans: &[Option<Span>]) -> Vec<Feature<'a>> {
    let schema = fitted.schema();
    let columns: Vec<&Column> = match &fitted.adapter {
        Adapter::Series(series) => series.columns.channels.iter().filter_map(|name| schema.get(name)).collect(),
        Adapter::Table(_) | Adapter::Images(_) => schema.columns.iter().collect(),
    };
    // The steps of a row that is a series share the range of its only channel.
    let span = |i: usize| spans.get(i % spans.len().max(1)).copied().flatten();
    columns.into_iter().enumerate().map(|(i, column)| Feature { column, span: span(i) }).collect()
}

/// Of rows: how many, and how they lie in time.
pub(super) struct ChunkForm {
    pub(super) rows: usize,
    set: Option<SeriesSet>,
}

/// The numbers of a level that a transform takes.
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

    /// A slope moves the ends of a window most: its root mean square over the window is the window over the root of 12.
    fn steps(self, base: f64, window: usize) -> Vec<f64> {
        match self {
            LevelNumbers::None => Vec::new(),
            LevelNumbers::Offset => vec![base],
            LevelNumbers::OffsetAndSlope => vec![base, base * 12.0_f64.sqrt() / window as f64],
            LevelNumbers::OffsetAndSize => vec![base, base],
        }
    }
}

/// Which cells are missing is stored beside the code, so what the network says of it does not count.
fn observe(adapter: &TableAdapter, output: &mut [f32]) {
    let width = adapter.pipeline.width();
    for block in adapter.pipeline.blocks().iter().filter(|block| block.kind == BlockKind::Missing) {
        output.chunks_exact_mut(width).for_each(|row| row[block.range.clone()].fill(0.0));
    }
}

/// Windows put one after the other, by the table's rows.
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
                    // Differences add up; where they began is unknown here, and the same everywhere.
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

fn not_rows() -> Error {
    Error::mismatch("expected images, as the model was fitted to, got a table")
}

/// Whether a column of this kind can be rebuilt from the code.
pub(super) fn is_rebuilt(kind: ColumnKind) -> bool {
    match kind {
        ColumnKind::Numeric | ColumnKind::Boolean | ColumnKind::Category => true,
        // Of a date the network sees its place in the day, the week and the year, not the date.
        ColumnKind::Datetime | ColumnKind::Text => false,
    }
}
