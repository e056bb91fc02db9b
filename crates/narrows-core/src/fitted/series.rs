//! The verbs of a model of series: points or rows scored, explained, rebuilt and encoded.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array};
use narrows_engine::Threads;

use super::adapter::{Origin, SeriesAdapter, SeriesSamples};
use super::points::{Coverage, Points, points};
use super::scorer::ScoreDetail;
use super::scores::{Explained, ScoreCounts, ScoreFlag};
use super::{Fitted, Scorer};
use crate::data::{Layout, Series, Table};
use crate::detect::{Reason, explain};
use crate::error::Result;

impl Fitted {
    /// Scores every row of a table of series and names the `k` channels, or steps, most to blame.
    pub(super) fn score_series(
        &self,
        adapter: &SeriesAdapter,
        table: &Table,
        k: usize,
        threads: &Threads,
    ) -> Result<Explained> {
        let samples = adapter.prepare(table)?;
        let told = match adapter.layout {
            Layout::Rows => self.score_rows(adapter, &samples, k, threads),
            Layout::Long => self.score_points(adapter, &samples, table.n_rows(), k, threads),
        };
        let SeriesScores { score, flag, reasons } = told;
        let counts = ScoreCounts {
            rows: table.n_rows() as u64,
            missing: samples.set.counts.missing,
            clipped: samples.counts.clipped,
            extra_columns: samples.extra_columns,
            gaps: samples.set.counts.gaps,
            gap_points: samples.set.counts.gap_points,
            unscored: score.iter().filter(|score| score.is_nan()).count() as u64,
            unknown_series: samples.unknown_series,
            ..ScoreCounts::default()
        };
        let mut scores = self.verdicts(score, counts);
        scores.flag = flag;
        Ok(Explained { scores, reasons })
    }

    fn score_rows(
        &self,
        adapter: &SeriesAdapter,
        samples: &SeriesSamples,
        k: usize,
        threads: &Threads,
    ) -> SeriesScores {
        let prepared = adapter.whole(samples).prepared;
        let detail = if k > 0 { ScoreDetail::Shares } else { ScoreDetail::Scores };
        let judged = self.scorer.score_with(&prepared, detail, threads);
        let flag_of = |series: &Series| if series.is_observed() { ScoreFlag::None } else { ScoreFlag::Missing };
        let flag: Vec<ScoreFlag> = samples.set.series.iter().map(flag_of).collect();
        let score = judged.scores.iter().zip(&flag).map(|(s, f)| if *f == ScoreFlag::None { *s } else { f64::NAN });
        let reasons = if k > 0 {
            let rows: Vec<u32> = (0..prepared.n as u32).collect();
            row_reasons(&self.scorer, adapter, samples, &rows, &judged.shares, k, threads)
        } else {
            Vec::new()
        };
        SeriesScores { score: score.collect(), flag, reasons }
    }

    fn score_points(
        &self,
        adapter: &SeriesAdapter,
        samples: &SeriesSamples,
        n_rows: usize,
        k: usize,
        threads: &Threads,
    ) -> SeriesScores {
        let mut told = SeriesScores {
            score: vec![f64::NAN; n_rows],
            flag: vec![ScoreFlag::WarmUp; n_rows],
            reasons: vec![Vec::new(); if k > 0 { n_rows } else { 0 }],
        };
        for (series, signal) in samples.set.series.iter().zip(&samples.signals) {
            let points = points(adapter, &self.scorer, &series.id, signal, Coverage::All, threads);
            let mut is_after_gap = false;
            for (p, row) in series.rows.iter().enumerate() {
                let Some(row) = row.map(|row| row as usize) else {
                    is_after_gap = true;
                    continue;
                };
                told.score[row] = points.score[p];
                told.flag[row] = ScoreFlag::of(points.covered[p], points.score[p], is_after_gap);
                is_after_gap = false;
                if k > 0 {
                    told.reasons[row] = point_reasons(adapter, &samples.set.channels, series, &points, p, k);
                }
            }
        }
        told
    }

    /// What the model makes of each point or row, in the channels' own units.
    pub(super) fn reconstruct_series(
        &self,
        adapter: &SeriesAdapter,
        table: &Table,
        threads: &Threads,
    ) -> Result<Table> {
        let samples = adapter.prepare(table)?;
        if adapter.layout == Layout::Rows {
            let windows = adapter.whole(&samples);
            let output = self.scorer.output(&windows.prepared, threads);
            return adapter.rows_of(
                &output,
                &windows.levels,
                &samples.set.series.iter().map(Origin::of).collect::<Vec<_>>(),
            );
        }
        let k = adapter.pipeline.n_channels();
        let mut columns = vec![vec![f64::NAN; table.n_rows()]; k];
        for (series, signal) in samples.set.series.iter().zip(&samples.signals) {
            let points = points(adapter, &self.scorer, &series.id, signal, Coverage::All, threads);
            for (p, row) in series.rows.iter().enumerate().filter_map(|(p, row)| Some((p, (*row)? as usize))) {
                for (c, column) in columns.iter_mut().enumerate() {
                    column[row] = expected(adapter, series, &points, p, c);
                }
            }
        }
        let special = adapter.columns.time.iter().chain(&adapter.columns.id);
        let mut arrays: Vec<(String, ArrayRef)> =
            special.map(|name| Ok((name.clone(), table.expect_column(name)?.clone()))).collect::<Result<_>>()?;
        arrays.extend(samples.set.channels.iter().zip(columns).map(|(name, values)| {
            let cells = values.into_iter().map(|x| (!x.is_nan()).then_some(x));
            (name.clone(), Arc::new(cells.collect::<Float64Array>()) as ArrayRef)
        }));
        Table::from_arrays(arrays, "reconstructed")
    }
}

/// What is said of each row of a table.
struct SeriesScores {
    score: Vec<f64>,
    flag: Vec<ScoreFlag>,
    reasons: Vec<Vec<Reason>>,
}

/// The steps most to blame in some rows, whose `shares` are given, `[rows, steps]`.
pub(super) fn row_reasons(
    scorer: &Scorer,
    adapter: &SeriesAdapter,
    samples: &SeriesSamples,
    rows: &[u32],
    shares: &[f64],
    k: usize,
    threads: &Threads,
) -> Vec<Vec<Reason>> {
    let steps = adapter.pipeline.window();
    let windows = adapter.whole_of(samples, rows);
    let expected = scorer.expected(&windows.prepared, shares, threads);
    let one = |(i, row): (usize, &u32)| {
        let series = &samples.set.series[*row as usize];
        let shares = &shares[i * steps..(i + 1) * steps];
        let reason = |step: usize| {
            let level = windows.levels[i].put_back(expected[i * steps + step], step, series.n_points());
            let expected = adapter.pipeline.backward(&series.id, 0, level);
            Reason::number(adapter.step_name(step), shares[step], expected, series.values[step])
        };
        let observed = |step: &usize| series.values.get(*step).is_some_and(|x| x.is_finite());
        explain::top_k(shares, k).into_iter().filter(observed).map(reason).collect()
    };
    rows.iter().enumerate().map(one).collect()
}

/// The channels most to blame at one point; none where nothing is known of it.
pub(super) fn point_reasons(
    adapter: &SeriesAdapter,
    channels: &[String],
    series: &Series,
    points: &Points,
    p: usize,
    k: usize,
) -> Vec<Reason> {
    let n = channels.len();
    let errors = &points.errors[p * n..(p + 1) * n];
    if points.score[p].is_nan() {
        return Vec::new();
    }
    let shares = explain::shares(errors);
    let observed = |c: &usize| series.values[p * n + c].is_finite();
    let reason = |c: usize| {
        Reason::number(&channels[c], shares[c], expected(adapter, series, points, p, c), series.values[p * n + c])
    };
    explain::top_k(&shares, k).into_iter().filter(observed).map(reason).collect()
}

/// What the model expects at a point, in the channel's own unit; after differences, from the last value observed before.
pub(super) fn expected(adapter: &SeriesAdapter, series: &Series, points: &Points, p: usize, c: usize) -> f64 {
    let k = adapter.pipeline.n_channels();
    let rebuilt = points.rebuilt[p * k + c];
    if !adapter.is_differenced() {
        return rebuilt;
    }
    let before = (0..p).rev().map(|q| series.values[q * k + c]).find(|x| x.is_finite());
    before.map_or(f64::NAN, |before| before + rebuilt)
}
