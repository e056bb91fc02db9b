//! Series: a window is a sample. In the rows layout a row of the table is a series and its only window; in the long
//! layout a row is a point in time, and windows slide.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array};

use crate::data::{self, ColumnKind, Layout, Schema, Series, SeriesSet, Step, Table, TimeColumns};
use crate::detect::residual::Slots;
use crate::error::{Error, Result};
use crate::model::Shape;
use crate::prep::{Level, PrepCounts, Signal, SignalPipeline, Transform, Windows};

/// How tables become windows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SeriesIntake {
    /// The columns that must come: time and id where there are any, then channels; in the rows layout the steps.
    pub(crate) schema: Schema,
    pub(crate) layout: Layout,
    pub(crate) columns: TimeColumns,
    /// Time between two points, where the data has a time.
    pub(crate) step: Option<Step>,
    pub(crate) pipeline: SignalPipeline,
    /// Points from one window to the next when scoring.
    pub(crate) stride: usize,
}

/// The series of a table in prepared units.
pub(crate) struct SeriesSamples {
    pub(crate) set: SeriesSet,
    /// One a series.
    pub(crate) signals: Vec<Signal>,
    pub(crate) counts: PrepCounts,
    /// Columns the model does not know.
    pub(crate) extra_columns: Vec<String>,
    /// Series that have no scale of their own where others do: they are scaled as all.
    pub(crate) strangers: Vec<String>,
}

impl SeriesIntake {
    /// Refuses an intake whose parts do not fit together; for intakes that come from a file.
    pub(crate) fn check(&self) -> Result<()> {
        let fits = match self.layout {
            Layout::Rows => {
                self.pipeline.check(&["value".to_owned()])?;
                self.pipeline.window() == self.columns.channels.len()
            }
            Layout::Long => {
                self.pipeline.check(&self.columns.channels)?;
                self.columns.time.iter().chain(&self.columns.id).all(|name| self.schema.get(name).is_some())
            }
        };
        let knows = |name: &String| self.schema.get(name).is_some_and(|column| column.kind == ColumnKind::Numeric);
        if fits && self.stride > 0 && self.columns.channels.iter().all(knows) {
            return Ok(());
        }
        Err(Error::mismatch("the columns of the series do not fit together"))
    }

    /// Raw rows as series on the model's grid, and as numbers.
    pub(crate) fn prepare(&self, table: &Table) -> Result<SeriesSamples> {
        if let Some(time) = &self.columns.time {
            data::check_zones(table, time)?;
        }
        let (typed, conformed) = data::conform(table.clone(), &self.schema)?;
        let set = match self.layout {
            Layout::Rows => SeriesSet::rows(&typed, &self.columns.channels)?,
            Layout::Long => SeriesSet::long(&typed, &self.columns, self.step)?,
        };
        Ok(self.signals(set, conformed.extra))
    }

    /// Series as numbers.
    pub(crate) fn signals(&self, set: SeriesSet, extra_columns: Vec<String>) -> SeriesSamples {
        let prepared: Vec<(Signal, PrepCounts)> =
            set.series.iter().map(|series| self.pipeline.signal(&series.id, &series.values)).collect();
        let mut counts = PrepCounts::default();
        let mut signals = Vec::with_capacity(prepared.len());
        for (signal, of_series) in prepared {
            counts.missing += of_series.missing;
            counts.clipped += of_series.clipped;
            signals.push(signal);
        }
        let strangers =
            set.series.iter().filter(|series| self.pipeline.is_stranger(&series.id)).map(|s| s.id.clone()).collect();
        SeriesSamples { set, signals, counts, extra_columns, strangers }
    }

    /// Inputs of a window, by the column that errors are told by: the step in the rows layout, else the channel.
    pub(crate) fn slots(&self) -> Slots {
        let k = self.pipeline.n_channels();
        let column = |slot: usize| if self.layout == Layout::Rows { slot } else { slot % k };
        Slots::new((0..self.pipeline.width()).map(column).collect())
    }

    pub(crate) fn shape(&self) -> Shape {
        Shape::Sequence { steps: self.pipeline.window(), channels: self.pipeline.n_channels() }
    }

    /// Every row of the rows layout as its one window.
    pub(crate) fn whole(&self, samples: &SeriesSamples) -> Windows {
        let rows: Vec<u32> = (0..samples.signals.len() as u32).collect();
        self.whole_of(samples, &rows)
    }

    /// Some rows of the rows layout, each as its one window.
    pub(crate) fn whole_of(&self, samples: &SeriesSamples, rows: &[u32]) -> Windows {
        let mut windows = self.pipeline.no_windows(rows.len());
        let signals = rows.iter().map(|row| &samples.signals[*row as usize]);
        signals.for_each(|signal| self.pipeline.cut(signal, std::iter::once(0), &mut windows));
        windows
    }

    /// Prepared windows `[n, width]` as rows of the rows layout: a column a step, and a channel where there are several.
    /// The level of each is put back where it was taken from one of these series.
    pub(crate) fn rows_of(&self, windows: &[f32], levels: &[Level], series: &[Series]) -> Result<Table> {
        let (k, steps, width) = (self.pipeline.n_channels(), self.pipeline.window(), self.pipeline.width());
        let value = |row: usize, slot: usize| {
            let (t, c) = (slot / k, slot % k);
            let level = levels.get(row * k + c).copied().unwrap_or(Level::NONE);
            // A row that ends early has its level from the points that it has.
            let (id, n) = series.get(row).map_or(("", steps), |series| (series.id.as_str(), series.n_points()));
            self.pipeline.backward(id, c, level.put_back(windows[row * width + slot], t, n))
        };
        let n = windows.len() / width.max(1);
        let column = |slot: usize| -> (String, ArrayRef) {
            (self.step_name(slot), Arc::new((0..n).map(|row| Some(value(row, slot))).collect::<Float64Array>()))
        };
        Table::from_arrays((0..width).map(column).collect(), "reconstructed")
    }

    /// The name of one value of a window.
    pub(crate) fn step_name(&self, slot: usize) -> String {
        let k = self.pipeline.n_channels();
        match self.layout {
            Layout::Rows => self.columns.channels[slot].clone(),
            Layout::Long if k == 1 => format!("t{}", slot),
            Layout::Long => format!("{}_t{}", self.columns.channels[slot % k], slot / k),
        }
    }

    /// Where windows begin so that every point of a series is covered; none where the series is shorter than a window.
    pub(crate) fn firsts(&self, n: usize, stride: usize) -> Vec<usize> {
        let Some(last) = n.checked_sub(self.pipeline.window()) else { return Vec::new() };
        let mut firsts: Vec<usize> = (0..=last).step_by(stride.max(1)).collect();
        if firsts.last() != Some(&last) {
            firsts.push(last);
        }
        firsts
    }

    /// Whether rebuilt values are differences to the point before.
    pub(crate) fn is_differenced(&self) -> bool {
        self.pipeline.transform() == Transform::Difference
    }
}
