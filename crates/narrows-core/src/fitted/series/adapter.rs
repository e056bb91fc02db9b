//! Series: a sample is a window. In the rows layout a row of the table is a series and its only window; in the long
//! layout a row is a point in time, and windows slide.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array};

use super::judgement::Judgement;
use super::levels::LevelRange;
use super::suspects::ValueErrors;
use super::unchanged::UnchangedRuns;
use crate::data::{self, ColumnKind, Duplicates, Layout, Schema, SeriesSet, Step, Table, TimeColumns, Unreadable};
use crate::detect::residual::Slots;
use crate::error::{Error, Result};
use crate::fitted::adapter::Origin;
use crate::fitted::invariants::{Evidence, Invariants};
use crate::model::Shape;
use crate::prep::{Level, PrepCounts, Signal, SignalPipeline, Transform, Windows};

/// Converts tables to windows.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesAdapter {
    /// The required columns: time and id if there are any, then channels; in the rows layout the steps.
    pub(crate) schema: Schema,
    pub(crate) layout: Layout,
    pub(crate) columns: TimeColumns,
    /// Time between two points, if the data has a time column.
    pub(crate) step: Option<Step>,
    pub(crate) pipeline: SignalPipeline,
    /// Stride between windows in scoring.
    pub(crate) stride: usize,
    /// What all training rows kept; `None` in encoders, and in files before format 5.
    pub(crate) invariants: Option<Invariants>,
    /// Whether the error of a window is divided by what was observed in it; not in files of older versions.
    pub(crate) by_observed: bool,
    /// What training showed of the errors of single values; `None` for rows, and in files of older versions.
    pub(crate) errors: Option<ValueErrors>,
    /// How scores of points are made of those of windows and of what is around.
    pub(crate) judgement: Judgement,
    /// The longest runs of equal values in training; likewise.
    pub(crate) runs: Option<UnchangedRuns>,
    /// The range of window means in training, where the transform takes them out unasked and they return.
    pub(crate) levels: Option<LevelRange>,
}

/// The series of a table in prepared units.
pub(crate) struct SeriesSamples {
    pub(crate) set: SeriesSet,
    /// One per series.
    pub(crate) signals: Vec<Signal>,
    pub(crate) counts: PrepCounts,
    /// Columns unknown to the model.
    pub(crate) extra_columns: Vec<String>,
    /// Cells that are not written as in their column.
    pub(crate) unreadable: Vec<Unreadable>,
    /// Series without a scale of their own although others have one: they get the common scale.
    pub(crate) unknown_series: Vec<String>,
    /// What was found in the times, as text.
    pub(crate) notes: Vec<String>,
    /// What the rows of the table say of the invariants.
    pub(crate) evidence: Evidence,
}

impl SeriesAdapter {
    /// Rejects inconsistent adapters, for adapters read from a file.
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
        let k = self.pipeline.n_channels();
        let learnt = self.errors.as_ref().is_none_or(|errors| errors.fits(k))
            && self.runs.as_ref().is_none_or(|runs| runs.fits(k))
            && self.levels.as_ref().is_none_or(|range| range.is_valid())
            && self.judgement.is_valid();
        if fits && learnt && self.stride > 0 && self.columns.channels.iter().all(knows) {
            return Ok(());
        }
        Err(Error::mismatch("the columns of the series do not fit together"))
    }

    /// The adapter for compression, where every row is a point of its own: rows at the same time are an error, and times
    /// without a zone are as they stand, on both sides.
    pub(crate) fn one_point_a_row(&self) -> SeriesAdapter {
        let columns = TimeColumns { timezone: None, duplicates: Duplicates::Error, ..self.columns.clone() };
        SeriesAdapter { columns, ..self.clone() }
    }

    /// Raw rows as series on the model's time grid, in prepared units.
    pub(crate) fn prepare(&self, table: &Table) -> Result<SeriesSamples> {
        if let Some(time) = &self.columns.time {
            data::check_zones(table, time)?;
        }
        let (local_table, local) = data::localise(table.clone(), &self.schema, &self.columns, &|_| None)?;
        let (typed, conformed) = data::conform(local_table, &self.schema)?;
        if let Some(time) = &self.columns.time {
            conformed.require(&typed, time)?;
        }
        let mut set = match self.layout {
            Layout::Rows => SeriesSet::rows(&typed, &self.columns.channels)?,
            Layout::Long => SeriesSet::long(&typed, &self.columns, self.step)?,
        };
        set.notes.splice(0..0, local.notes);
        let evidence = self.evidence(table, &typed);
        let extra = conformed.extra.into_iter().filter(|name| !self.compares(name)).collect();
        Ok(SeriesSamples { unreadable: conformed.unreadable, evidence, ..self.signals(set, extra) })
    }

    /// What the rows of a table, also given as typed columns, say of the invariants. A point without a value is a gap,
    /// which has no score in any case.
    pub(crate) fn evidence(&self, table: &Table, typed: &Table) -> Evidence {
        let of = |invariants: &Invariants| invariants.compared(typed, table, &self.schema);
        self.invariants.as_ref().map(of).unwrap_or_default()
    }

    /// Whether a column that the network does not read is compared.
    pub(crate) fn compares(&self, column: &str) -> bool {
        self.invariants.as_ref().is_some_and(|invariants| invariants.constant(column.trim()).is_some())
    }

    /// Series in prepared units.
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
        let unknown_series =
            set.series.iter().filter(|series| self.pipeline.is_unknown(&series.id)).map(|s| s.id.clone()).collect();
        let notes = set.notes.clone();
        SeriesSamples {
            set,
            signals,
            counts,
            extra_columns,
            unreadable: Vec::new(),
            unknown_series,
            notes,
            evidence: Evidence::default(),
        }
    }

    /// The inputs of a window by the column of its errors: the step in the rows layout, else the channel.
    pub(crate) fn slots(&self) -> Slots {
        let k = self.pipeline.n_channels();
        let column = |slot: usize| if self.layout == Layout::Rows { slot } else { slot % k };
        let slots = Slots::new((0..self.pipeline.width()).map(column).collect());
        if self.by_observed { slots.over_observed() } else { slots }
    }

    pub(crate) fn shape(&self) -> Shape {
        Shape::Sequence { steps: self.pipeline.window(), channels: self.pipeline.n_channels() }
    }

    /// Every row of the rows layout as a single window.
    pub(crate) fn whole(&self, samples: &SeriesSamples) -> Windows {
        let rows: Vec<u32> = (0..samples.signals.len() as u32).collect();
        self.whole_of(samples, &rows)
    }

    /// Some rows of the rows layout, each as a single window.
    pub(crate) fn whole_of(&self, samples: &SeriesSamples, rows: &[u32]) -> Windows {
        let mut windows = self.pipeline.no_windows(rows.len());
        let signals = rows.iter().map(|row| &samples.signals[*row as usize]);
        signals.for_each(|signal| self.pipeline.cut(signal, std::iter::once(0), &mut windows));
        windows
    }

    /// Prepared windows `[n, width]` as rows of the rows layout: one column per step, and channel if there are several.
    /// The level of each, `[n, channels]`, is added back if it was removed.
    pub(crate) fn rows_of(&self, windows: &[f32], levels: &[Level], origins: &[Origin]) -> Result<Table> {
        let (k, steps, width) = (self.pipeline.n_channels(), self.pipeline.window(), self.pipeline.width());
        let value = |row: usize, slot: usize| {
            let (t, c) = (slot / k, slot % k);
            let level = levels.get(row * k + c).copied().unwrap_or(Level::NONE);
            // The level of a row that ends early comes from its observed points.
            let (id, n) = origins.get(row).map_or(("", steps), |origin| (origin.id.as_str(), origin.points));
            self.pipeline.backward(id, c, level.put_back(windows[row * width + slot], t, n))
        };
        let n = windows.len() / width.max(1);
        let column = |slot: usize| -> (String, ArrayRef) {
            (self.step_name(slot), Arc::new((0..n).map(|row| Some(value(row, slot))).collect::<Float64Array>()))
        };
        Table::from_arrays((0..width).map(column).collect(), "reconstructed")
    }

    /// The consecutive, non-overlapping windows of a table, with their origins.
    pub(crate) fn windows(&self, table: &Table) -> Result<(Windows, Vec<Origin>)> {
        let samples = self.prepare(table)?;
        if self.layout == Layout::Rows {
            return Ok((self.whole(&samples), origins(&samples.set)));
        }
        let window = self.pipeline.window();
        let mut windows = self.pipeline.no_windows(0);
        let mut origins = Vec::new();
        for (series, signal) in samples.set.series.iter().zip(&samples.signals) {
            let firsts = self.firsts(signal.n, window);
            origins.extend(firsts.iter().map(|_| Origin { id: series.id.clone(), points: window }));
            self.pipeline.cut(signal, firsts.into_iter(), &mut windows);
        }
        Ok((windows, origins))
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

    /// The first points of windows that cover every point of a series; `None` if it is shorter than a window.
    pub(crate) fn firsts(&self, n: usize, stride: usize) -> Vec<usize> {
        let Some(last) = n.checked_sub(self.pipeline.window()) else { return Vec::new() };
        let mut firsts: Vec<usize> = (0..=last).step_by(stride.max(1)).collect();
        if firsts.last() != Some(&last) {
            firsts.push(last);
        }
        firsts
    }

    /// Whether reconstructed values are differences from the previous point.
    pub(crate) fn is_differenced(&self) -> bool {
        self.pipeline.transform() == Transform::Difference
    }
}

/// The origins of windows that are whole series.
pub(super) fn origins(set: &SeriesSet) -> Vec<Origin> {
    set.series.iter().map(|series| Origin { id: series.id.clone(), points: series.n_points() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Column;
    use crate::prep::{Prep, ScaleOver, Unobserved};

    const NAN: f64 = f64::NAN;

    /// An adapter of points of channels `a` and `b`, fitted on two series of four points.
    fn long(window: usize, over: ScaleOver) -> SeriesAdapter {
        let names = ["a".to_owned(), "b".to_owned()];
        let stretches: [(&str, &[f64]); 2] =
            [("m", &[0.0, 10.0, 2.0, 30.0, 0.0, 10.0, 2.0, 30.0]), ("n", &[5.0, 0.0, 9.0, 1.0, 5.0, 0.0, 9.0, 1.0])];
        let settings = (Transform::None, over, Unobserved::Filled);
        let (pipeline, _) = SignalPipeline::fit(&names, &stretches, window, settings, &Prep::default()).unwrap();
        let columns = TimeColumns {
            time: Some("t".into()),
            id: vec!["id".into()],
            channels: names.to_vec(),
            ..Default::default()
        };
        let kinds = [
            ("t", ColumnKind::Numeric),
            ("id", ColumnKind::Text),
            ("a", ColumnKind::Numeric),
            ("b", ColumnKind::Numeric),
        ];
        let column = |(name, kind): (&str, ColumnKind)| Column::new(name, kind);
        let schema = Schema { columns: kinds.into_iter().map(column).collect() };
        let step = Some("1".parse().unwrap());
        SeriesAdapter {
            schema,
            layout: Layout::Long,
            columns,
            step,
            pipeline,
            stride: 1,
            by_observed: true,
            errors: None,
            judgement: Judgement::default(),
            runs: None,
            levels: None,
            invariants: None,
        }
    }

    /// An adapter of rows of four steps.
    fn rows(transform: Transform) -> SeriesAdapter {
        let steps: Vec<String> = (0..4).map(|t| format!("t{t}")).collect();
        let settings = (transform, ScaleOver::All, Unobserved::Filled);
        let stretches: [(&str, &[f64]); 1] = [("", &[0.0, 1.0, 2.0, 9.0])];
        let (pipeline, _) =
            SignalPipeline::fit(&["value".to_owned()], &stretches, 4, settings, &Prep::default()).unwrap();
        let numeric = |name: &String| Column::new(name.as_str(), ColumnKind::Numeric);
        let schema = Schema { columns: steps.iter().map(numeric).collect() };
        let columns = TimeColumns { channels: steps, ..TimeColumns::default() };
        SeriesAdapter {
            schema,
            layout: Layout::Rows,
            columns,
            step: None,
            pipeline,
            stride: 4,
            by_observed: true,
            errors: None,
            judgement: Judgement::default(),
            runs: None,
            levels: None,
            invariants: None,
        }
    }

    fn table(columns: &[(&str, &[f64])]) -> Table {
        Table::from_columns(columns.iter().map(|(name, values)| (*name, values.to_vec())).collect()).unwrap()
    }

    fn check_firsts(n: usize, stride: usize, expected: &[usize]) {
        assert_eq!(long(4, ScaleOver::All).firsts(n, stride), expected, "{n} points by {stride}");
    }

    #[test]
    fn windows_begin_so_that_every_point_is_covered() {
        check_firsts(4, 1, &[0]);
        check_firsts(6, 1, &[0, 1, 2]);
        check_firsts(11, 3, &[0, 3, 6, 7]);
        check_firsts(10, 3, &[0, 3, 6]);
        check_firsts(9, 4, &[0, 4, 5]);
        check_firsts(3, 1, &[]);
        check_firsts(0, 1, &[]);
        check_firsts(5, 0, &[0, 1]);
    }

    #[test]
    fn errors_are_told_by_channel_or_by_step() {
        let slots = |adapter: &SeriesAdapter| {
            let slots = adapter.slots();
            ((0..slots.width()).map(|slot| slots.column(slot)).collect::<Vec<_>>(), slots.n_columns())
        };
        assert_eq!(slots(&long(3, ScaleOver::All)), (vec![0, 1, 0, 1, 0, 1], 2));
        assert_eq!(slots(&rows(Transform::None)), (vec![0, 1, 2, 3], 4));
    }

    #[test]
    fn values_of_a_window_have_names() {
        let names = |adapter: &SeriesAdapter, n: usize| (0..n).map(|slot| adapter.step_name(slot)).collect::<Vec<_>>();
        assert_eq!(names(&long(2, ScaleOver::All), 4), ["a_t0", "b_t0", "a_t1", "b_t1"]);
        assert_eq!(names(&rows(Transform::None), 4), ["t0", "t1", "t2", "t3"]);
    }

    #[test]
    fn rows_become_windows_of_what_they_have() {
        let adapter = rows(Transform::None);
        let table = table(&[
            ("t0", &[0.0, 3.0, NAN]),
            ("t1", &[1.0, NAN, NAN]),
            ("t2", &[2.0, 9.0, NAN]),
            ("t3", &[9.0, NAN, NAN]),
        ]);
        let samples = adapter.prepare(&table).unwrap();
        let windows = adapter.whole(&samples).prepared;
        let unseen: Vec<bool> = windows.target.iter().map(|x| x.is_nan()).collect();
        assert_eq!(unseen[..8], [false, false, false, false, false, true, false, true]);
        assert!(unseen[8..].iter().all(|unseen| *unseen) && windows.input.iter().all(|x| x.is_finite()));
        assert_eq!(adapter.whole_of(&samples, &[1]).prepared.target[0], windows.target[4]);
        assert_eq!((samples.set.counts.missing, samples.set.counts.empty), (1, 1));
    }

    #[test]
    fn windows_of_rows_become_the_rows_they_were_under_every_transform() {
        let values = [[0.0, 3.0, 4.0], [1.0, 5.0, NAN], [2.0, 9.0, NAN], [7.0, NAN, NAN]];
        let names = ["t0", "t1", "t2", "t3"];
        let columns: Vec<(&str, &[f64])> = names.into_iter().zip(values.iter().map(|column| &column[..])).collect();
        for transform in [Transform::None, Transform::Centre, Transform::Detrend, Transform::Standardise] {
            let adapter = rows(transform);
            let samples = adapter.prepare(&table(&columns)).unwrap();
            let windows = adapter.whole(&samples);
            let back = adapter.rows_of(&windows.prepared.target, &windows.levels, &origins(&samples.set)).unwrap();
            assert_eq!(back.names(), names);
            for (name, expected) in names.into_iter().zip(values) {
                let found = data::conform(back.clone(), &adapter.schema).unwrap().0;
                let found =
                    arrow::array::AsArray::as_primitive::<arrow::datatypes::Float64Type>(found.column(name).unwrap())
                        .clone();
                for (row, expected) in expected.into_iter().enumerate().filter(|(_, expected)| !expected.is_nan()) {
                    assert!(
                        (found.value(row) - expected).abs() < 1e-5,
                        "{transform:?} {name} row {row}: {}",
                        found.value(row)
                    );
                }
            }
        }
    }

    #[test]
    fn series_without_a_scale_of_their_own_are_told() {
        let columns: Vec<(String, ArrayRef)> = vec![
            ("t".into(), Arc::new(Float64Array::from(vec![0.0, 0.0, 1.0]))),
            ("id".into(), Arc::new(arrow::array::StringArray::from(vec!["m", "new", "m"]))),
            ("a".into(), Arc::new(Float64Array::from(vec![1.0, 2.0, 3.0]))),
            ("b".into(), Arc::new(Float64Array::from(vec![1.0, 2.0, 3.0]))),
            ("c".into(), Arc::new(Float64Array::from(vec![1.0, 2.0, 3.0]))),
        ];
        let table = Table::from_arrays(columns, "new.csv").unwrap();
        let unknown_series = |over| long(2, over).prepare(&table).unwrap().unknown_series;
        assert_eq!(unknown_series(ScaleOver::Each), ["new"]);
        assert!(unknown_series(ScaleOver::All).is_empty());
        assert_eq!(long(2, ScaleOver::All).prepare(&table).unwrap().extra_columns, ["c"]);
    }

    #[test]
    fn tables_that_do_not_fit_are_refused() {
        let refused = |table: &Table| long(2, ScaleOver::All).prepare(table).err().unwrap().to_string();
        assert!(refused(&table(&[("t", &[0.0]), ("a", &[1.0])])).contains("`id`"));
        let times: ArrayRef =
            Arc::new(arrow::array::StringArray::from(vec!["2024-01-01T00:00:00", "2024-01-01T00:05:00Z"]));
        let table = Table::from_arrays(vec![("t".to_owned(), times)], "new.csv").unwrap();
        assert!(refused(&table).contains("expected a time without a zone as in row 0"), "{}", refused(&table));
    }

    #[test]
    fn parts_from_a_file_must_fit_together() {
        let check = |change: fn(&mut SeriesAdapter)| {
            let mut both = [long(2, ScaleOver::All), rows(Transform::None)];
            both.iter_mut().for_each(change);
            both.map(|adapter| adapter.check().is_ok())
        };
        assert_eq!(check(|_| ()), [true, true]);
        assert_eq!(check(|adapter| adapter.stride = 0), [false, false]);
        assert_eq!(check(|adapter| adapter.layout = Layout::Long), [true, false]);
        assert_eq!(check(|adapter| adapter.layout = Layout::Rows), [false, true]);
        assert_eq!(check(|adapter| drop(adapter.columns.channels.pop())), [false, false]);
        assert_eq!(check(|adapter| drop(adapter.schema.columns.pop())), [false, false]);
        assert_eq!(check(|adapter| drop(adapter.schema.columns.remove(0))), [false, false]);
        assert_eq!(
            check(|adapter| adapter.schema.columns.iter_mut().for_each(|c| c.kind = ColumnKind::Text)),
            [false; 2]
        );
    }
}
