//! Operations of series models on points or rows: score, explain, reconstruct, encode, decode, generate.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, StringArray};

use super::adapter::{SeriesAdapter, SeriesSamples, origins};
use super::points::{Coverage, Points, judged, points, spread};
use super::quality::Trace;
use super::range;
use crate::data::{Layout, Schema, Series, Table};
use crate::detect::residual::Slots;
use crate::detect::{Reason, explain};
use crate::ensemble::Ensemble;
use crate::error::Result;
use crate::fitted::adapter::{Adapter, Origin, SampleBatch, TabularAdapter};
use crate::fitted::core::Core;
use crate::fitted::encoder::code_columns;
use crate::fitted::evaluate::EvaluationSamples;
use crate::fitted::generation::{DrawnRows, numbers};
use crate::fitted::invariants::{Invariants, with_broken};
use crate::fitted::roles::Verdict;
use crate::fitted::scoring::{Explained, PreparedUnits, ScoreCounts, ScoreDetail, ScoreFlag, Scorer};
use crate::model::Shape;
use crate::prep::{Block, Level, Prepared};
use crate::sample_similarity::{self, ColumnDistance, Values};

/// Windows encoded together.
const CHUNK: usize = 4096;

impl Adapter for SeriesAdapter {
    fn blocks(&self) -> &[Block] {
        self.pipeline.blocks()
    }

    fn slots(&self) -> Slots {
        SeriesAdapter::slots(self)
    }

    fn shape(&self) -> Shape {
        SeriesAdapter::shape(self)
    }

    fn generated(&self, _core: &Core, outputs: &mut Vec<f32>, _seed: u64) -> Vec<f32> {
        outputs.clone()
    }

    fn column_distances(&self, generated: &Prepared, held_out: &Prepared) -> Vec<ColumnDistance> {
        let slots = SeriesAdapter::slots(self);
        let of_column = |column: usize| (0..slots.width()).filter(|slot| slots.column(*slot) == column).collect();
        let distance = |(column, name): (usize, &String)| {
            let slots: Vec<usize> = of_column(column);
            let values = Values::Numbers { generated: numbers(generated, &slots), held_out: numbers(held_out, &slots) };
            sample_similarity::distances(name, values, None)
        };
        self.columns.channels.iter().enumerate().map(distance).collect()
    }
}

impl TabularAdapter for SeriesAdapter {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn invariants(&self) -> Option<&Invariants> {
        self.invariants.as_ref()
    }

    fn rows_are_independent(&self) -> bool {
        self.layout == Layout::Rows
    }

    fn index_columns(&self) -> Vec<String> {
        self.columns.id.iter().chain(&self.columns.time).cloned().collect()
    }

    fn id_column(&self) -> Option<&str> {
        self.columns.id.first().map(String::as_str)
    }

    fn explain(&self, core: &Core, table: &Table, k: usize) -> Result<Explained> {
        let samples = self.prepare(table)?;
        let SeriesScores { score, flag, reasons } = match self.layout {
            Layout::Rows => self.score_rows(&core.scorer, &samples, k),
            Layout::Long => self.score_points(&core.scorer, &samples, table.n_rows(), k),
        };
        let counts = ScoreCounts {
            rows: table.n_rows() as u64,
            missing: samples.set.counts.missing,
            infinite: samples.set.counts.infinite,
            clipped: samples.counts.clipped,
            extra_columns: samples.extra_columns,
            unreadable: samples.unreadable,
            gaps: samples.set.counts.gaps,
            gap_points: samples.set.counts.gap_points,
            unscored: score.iter().filter(|score| score.is_nan()).count() as u64,
            unknown_series: samples.unknown_series,
            outside: range::outside(core, self, &samples.set),
            notes: samples.notes,
            broken: samples.evidence.counts,
            lacking: samples.evidence.lacking,
            ..ScoreCounts::default()
        };
        let mut scores = core.threshold.scores(score, counts);
        scores.flag = flag;
        Ok(Explained { scores, reasons })
    }

    fn reconstruct(&self, core: &Core, table: &Table) -> Result<Table> {
        let samples = self.prepare(table)?;
        match self.layout {
            Layout::Rows => {
                let windows = self.whole(&samples);
                let outputs = core.scorer.ensemble.output(&windows.prepared.input);
                self.rows_of(&outputs, &windows.levels, &origins(&samples.set))
            }
            Layout::Long => self.reconstruct_points(core, table, &samples),
        }
    }

    fn samples(&self, table: &Table) -> Result<SampleBatch> {
        let (windows, origins) = self.windows(table)?;
        Ok(SampleBatch { prepared: windows.prepared, levels: windows.levels, origins })
    }

    fn encode(&self, ensemble: &Ensemble, table: &Table) -> Result<Table> {
        match self.layout {
            Layout::Rows => {
                let codes = ensemble.codes(&self.whole(&self.prepare(table)?).prepared.input);
                Table::from_columns(code_columns(&codes, ensemble.code_size()))
            }
            Layout::Long => self.encode_windows(ensemble, table),
        }
    }

    fn decoded(&self, outputs: &[f32], _n: usize) -> Result<Table> {
        self.rows_of(outputs, &[], &[])
    }

    fn varied(&self, outputs: &[f32], _n: usize, levels: &[Level], origins: &[Origin]) -> Result<Table> {
        self.rows_of(outputs, levels, origins)
    }

    fn new_rows(&self, _core: &Core, outputs: &mut [f32], _first: u64, _seed: u64) -> Result<DrawnRows> {
        let typed = self.rows_of(outputs, &[], &[])?;
        Ok(DrawnRows { written: typed.clone(), typed })
    }

    fn evaluate(
        &self,
        core: &Core,
        table: &Table,
        verdicts: &[Verdict],
        samples: &mut EvaluationSamples,
    ) -> Result<()> {
        match self.layout {
            Layout::Rows => self.evaluate_rows(core, table, verdicts, samples),
            Layout::Long => self.evaluate_points(core, table, verdicts, samples),
        }
    }
}

/// Scores of the rows of a table.
struct SeriesScores {
    score: Vec<f64>,
    flag: Vec<ScoreFlag>,
    reasons: Vec<Vec<Reason>>,
}

impl SeriesAdapter {
    fn score_rows(&self, scorer: &Scorer, samples: &SeriesSamples, k: usize) -> SeriesScores {
        let prepared = self.whole(samples).prepared;
        let detail = if k > 0 { ScoreDetail::Shares } else { ScoreDetail::Scores };
        let scored = scorer.score_with(&prepared, detail);
        let own = |(score, series): (&f64, &Series)| if series.is_observed() { *score } else { f64::NAN };
        let own: Vec<f64> = scored.scores.iter().zip(&samples.set.series).map(own).collect();
        let rows: Vec<u32> = (0..prepared.n as u32).collect();
        let score = samples.evidence.judged(rows.iter().copied(), own);
        let flag =
            score.iter().map(|score| if score.is_nan() { ScoreFlag::Missing } else { ScoreFlag::None }).collect();
        let mut reasons = Vec::new();
        if k > 0 {
            let of_errors = row_reasons(scorer, self, samples, &rows, &scored.shares, k);
            reasons =
                rows.iter().zip(of_errors).map(|(row, others)| samples.evidence.reasons(*row, others, k)).collect();
        }
        SeriesScores { score, flag, reasons }
    }

    fn score_points(&self, scorer: &Scorer, samples: &SeriesSamples, n_rows: usize, k: usize) -> SeriesScores {
        let mut scores = SeriesScores {
            score: vec![f64::NAN; n_rows],
            flag: vec![ScoreFlag::WarmUp; n_rows],
            reasons: vec![Vec::new(); if k > 0 { n_rows } else { 0 }],
        };
        for (number, series) in samples.set.series.iter().enumerate() {
            let points = judged(self, scorer, samples, number, Coverage::All);
            let mut is_after_gap = false;
            for (p, row) in series.rows.iter().enumerate() {
                let Some(row) = row.map(|row| row as usize) else {
                    is_after_gap = true;
                    continue;
                };
                scores.score[row] = points.score[p];
                scores.flag[row] = ScoreFlag::of(points.covered[p], points.score[p], is_after_gap);
                is_after_gap = false;
                if k > 0 {
                    scores.reasons[row] = point_reasons(self, &samples.set.channels, series, &points, p, k);
                }
            }
            // Rows at one time are one point.
            for (row, p) in &series.merged {
                let (row, Some(known)) = (*row as usize, series.rows[*p].map(|known| known as usize)) else { continue };
                scores.score[row] = scores.score[known];
                scores.flag[row] = match scores.flag[known] {
                    ScoreFlag::None | ScoreFlag::AfterGap => ScoreFlag::Duplicate,
                    without_score => without_score,
                };
                if k > 0 {
                    scores.reasons[row] = scores.reasons[known].clone();
                }
            }
        }
        scores
    }

    fn reconstruct_points(&self, core: &Core, table: &Table, samples: &SeriesSamples) -> Result<Table> {
        let k = self.pipeline.n_channels();
        let mut columns = vec![vec![f64::NAN; table.n_rows()]; k];
        for (series, signal) in samples.set.series.iter().zip(&samples.signals) {
            let points = points(self, &core.scorer, series, signal, Coverage::All);
            for (p, row) in series.rows.iter().enumerate().filter_map(|(p, row)| Some((p, (*row)? as usize))) {
                for (c, column) in columns.iter_mut().enumerate() {
                    column[row] = expected(self, series, &points, p, c);
                }
            }
            for (row, p) in &series.merged {
                for (c, column) in columns.iter_mut().enumerate() {
                    column[*row as usize] = expected(self, series, &points, *p, c);
                }
            }
        }
        let special = self.columns.time.iter().chain(&self.columns.id);
        let mut arrays: Vec<(String, ArrayRef)> =
            special.map(|name| Ok((name.clone(), table.expect_column(name)?.clone()))).collect::<Result<_>>()?;
        arrays.extend(samples.set.channels.iter().zip(columns).map(|(name, values)| {
            let cells = values.into_iter().map(|x| (!x.is_nan()).then_some(x));
            (name.clone(), Arc::new(cells.collect::<Float64Array>()) as ArrayRef)
        }));
        Table::from_arrays(arrays, "reconstructed")
    }

    /// The codes of the consecutive, non-overlapping windows of the long layout.
    fn encode_windows(&self, ensemble: &Ensemble, table: &Table) -> Result<Table> {
        let samples = self.prepare(table)?;
        let mut codes = Vec::new();
        let (mut ids, mut starts, mut rows) = (Vec::new(), Vec::new(), Vec::new());
        for (series, signal) in samples.set.series.iter().zip(&samples.signals) {
            let firsts = self.firsts(signal.n, self.pipeline.window());
            for firsts in firsts.chunks(CHUNK) {
                let mut windows = self.pipeline.no_windows(firsts.len());
                self.pipeline.cut(signal, firsts.iter().copied(), &mut windows);
                codes.extend(ensemble.codes(&windows.prepared.input));
            }
            for first in firsts {
                ids.push(series.id.clone());
                starts.push(series.time(first).to_string());
                rows.push(series.rows[first..].iter().flatten().next().map(|row| u64::from(*row)));
            }
        }
        let mut arrays: Vec<(String, ArrayRef)> = vec![("row".to_owned(), crate::output::counts(rows))];
        if !self.columns.id.is_empty() {
            arrays.push((self.columns.id.join(" / "), Arc::new(StringArray::from(ids))));
        }
        if let Some(time) = &self.columns.time {
            arrays.push((time.clone(), Arc::new(StringArray::from(starts))));
        }
        for (name, values) in code_columns(&codes, ensemble.code_size()) {
            arrays.push((name, Arc::new(Float64Array::from(values))));
        }
        Table::from_arrays(arrays, "codes")
    }

    fn evaluate_rows(
        &self,
        core: &Core,
        table: &Table,
        verdicts: &[Verdict],
        evaluation: &mut EvaluationSamples,
    ) -> Result<()> {
        let labelled = Verdict::labelled(verdicts);
        if labelled.is_empty() {
            return Ok(());
        }
        let samples = self.prepare(&table.take(&labelled))?;
        let prepared = self.whole(&samples).prepared;
        let score = self.score_rows(&core.scorer, &samples, 0).score;
        evaluation.add_scored(core, &prepared, score, labelled.iter().map(|row| verdicts[*row as usize]));
        Ok(())
    }

    fn evaluate_points(
        &self,
        core: &Core,
        table: &Table,
        verdicts: &[Verdict],
        evaluation: &mut EvaluationSamples,
    ) -> Result<()> {
        let samples = self.prepare(table)?;
        evaluation.note_outside(&range::outside(core, self, &samples.set), table.n_rows());
        for (number, (series, signal)) in samples.set.series.iter().zip(&samples.signals).enumerate() {
            let found = judged(self, &core.scorer, &samples, number, Coverage::All);
            let [pca, forest] = spread(self, signal, |windows| {
                let (pca, forest) = core.baselines.scores(windows, core.compute());
                [pca, forest]
            });
            let mut trace = Trace::default();
            let of_point = |row: &Option<u32>| row.map_or(Verdict::Unlabelled, |row| verdicts[row as usize]);
            let mut of_points: Vec<Verdict> = series.rows.iter().map(of_point).collect();
            let merged = series.merged.iter().filter(|(row, _)| verdicts[*row as usize] == Verdict::Anomalous);
            merged.for_each(|(_, p)| of_points[*p] = Verdict::Anomalous);
            for (p, verdict) in of_points.into_iter().enumerate() {
                if verdict == Verdict::Unlabelled {
                    continue;
                }
                if found.score[p].is_nan() {
                    trace.unscored += 1;
                    continue;
                }
                trace.scores.push(found.score[p]);
                trace.pca.push(pca[p]);
                trace.isolation_forest.push(forest[p]);
                trace.labels.push(verdict == Verdict::Anomalous);
            }
            evaluation.add_trace(trace);
        }
        Ok(())
    }
}

/// The steps of some rows that are farthest from what is expected of them, given the `shares` of the steps in the
/// score, `[rows, steps]`.
pub(super) fn row_reasons(
    scorer: &Scorer,
    adapter: &SeriesAdapter,
    samples: &SeriesSamples,
    rows: &[u32],
    shares: &[f64],
    k: usize,
) -> Vec<Vec<Reason>> {
    let steps = adapter.pipeline.window();
    let windows = adapter.whole_of(samples, rows);
    let attribution = scorer.attribution(&windows.prepared, shares, &PreparedUnits);
    let one = |(i, row): (usize, &u32)| {
        let series = &samples.set.series[*row as usize];
        let shares = &attribution.shares[i * steps..(i + 1) * steps];
        let reason = |step: usize| {
            let level = windows.levels[i].put_back(attribution.expected[i * steps + step], step, series.n_points());
            let expected = adapter.pipeline.backward(&series.id, 0, level);
            Reason::number(adapter.step_name(step), shares[step], expected, series.values[step])
        };
        let observed = |step: &usize| series.values.get(*step).is_some_and(|x| x.is_finite());
        explain::top_k(shares, k).into_iter().filter(observed).map(reason).collect()
    };
    rows.iter().enumerate().map(one).collect()
}

/// The reasons of one point: the invariants that it breaks, then the top contributing channels; empty if it has no score.
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
    let remarks = points.remarks.get(&p).map_or(&[][..], Vec::as_slice);
    // What is odd beside the error takes its part of the score, and the error the rest.
    let odd: f64 = remarks.iter().map(|remark| remark.score).sum();
    let all = odd + errors.iter().sum::<f64>() / n as f64;
    let rest = if odd > 0.0 { 1.0 - odd / all } else { 1.0 };
    let shares: Vec<f64> = explain::shares(errors).into_iter().map(|share| rest * share).collect();
    let observed = |c: &usize| series.values[p * n + c].is_finite() || errors[*c] > 0.0;
    let reason = |c: usize| {
        Reason::number(&channels[c], shares[c], expected(adapter, series, points, p, c), series.values[p * n + c])
    };
    let mut reasons: Vec<Reason> = remarks.iter().map(|r| r.reason(&channels[r.channel], r.score / all)).collect();
    let is_asked = adapter.invariants.as_ref().is_none_or(|invariants| !invariants.decide_alone());
    let asked = if is_asked { explain::top_k(&shares, k) } else { Vec::new() };
    reasons.extend(asked.into_iter().filter(observed).map(reason));
    reasons.sort_by(|a, b| b.share.total_cmp(&a.share));
    reasons.truncate(k);
    match points.broken.get(&p) {
        Some(broken) => with_broken(broken, reasons, k),
        None => reasons,
    }
}

/// The reconstruction of a point in the channel's unit; for differences, added to the last value observed before.
pub(super) fn expected(adapter: &SeriesAdapter, series: &Series, points: &Points, p: usize, c: usize) -> f64 {
    let k = adapter.pipeline.n_channels();
    let rebuilt = points.rebuilt[p * k + c];
    if !adapter.is_differenced() {
        return rebuilt;
    }
    let before = (0..p).rev().map(|q| series.values[q * k + c]).find(|x| x.is_finite());
    before.map_or(f64::NAN, |before| before + rebuilt)
}
