//! A fit to series. It reads as the way of the data: columns, series on a grid, windows, and what was learnt from them.

use super::adapter::{Adapter, SeriesAdapter, SeriesSamples};
use super::fit::Session;
use super::learning::{TRAINING_SCORES, TrainedModel, TrainingData, learn, set_threshold, set_threshold_of_samples};
use super::points::{Coverage, points};
use super::roles::{Roles, known};
use super::scorer::Scorer;
use super::selection::{ColumnSelection, FeatureFilter};
use super::split::{Split, SplitPurpose};
use super::trial::TrialData;
use super::windowing::{CALIBRATION, TRAIN, WindowPlan, WindowedSeries, cut, normal_stretches, without_anomalies};
use super::{Fitted, Online, generation_quality, series_summary, summary};
use crate::codec::{Coding, Span};
use crate::data::{self, Column, ColumnKind, Layout, Schema, SeriesSet, Table, TimeColumns};
use crate::error::{Error, Result};
use crate::prep::{PrepReport, SignalPipeline, Stretch, Transform, Unobserved, Windows};
use crate::recipe::{Recipe, SeriesSettings};
use crate::train::{Observer, TrainingEvent};
use narrows_engine::Threads;

/// Windows that cover a point when scoring.
const COVER: usize = 32;

pub(super) fn fit(
    recipe: &Recipe,
    settings: &SeriesSettings,
    table: Table,
    roles: &Roles,
    session: &Session<'_>,
) -> Result<Fitted> {
    match settings.layout {
        Layout::Rows => fit_rows(recipe, settings, table, roles, session),
        Layout::Long => fit_long(recipe, settings, table, roles, session),
    }
}

/// What the trials of a search are made on.
pub(super) fn ground(
    recipe: &Recipe,
    settings: &SeriesSettings,
    table: Table,
    roles: &Roles,
    observer: &dyn Observer,
) -> Result<TrialData<'static>> {
    let (adapter, prepared, split) = match settings.layout {
        Layout::Rows => {
            let ready = ready_rows(recipe, settings, table, roles, SplitPurpose::Search, observer)?;
            (ready.adapter, ready.windows.prepared, ready.split)
        }
        Layout::Long => {
            let ready = ready_long(recipe, settings, table, roles, SplitPurpose::Search, observer)?;
            (ready.adapter, ready.cut.windows.prepared, ready.cut.split)
        }
    };
    Ok(TrialData::of_rows(prepared, split, adapter.pipeline.blocks().to_vec(), adapter.shape()))
}

/// Rows that are series, ready to be learnt from.
struct ReadyRows {
    input: ColumnSelection,
    split: Split,
    adapter: SeriesAdapter,
    prep: PrepReport,
    samples: SeriesSamples,
    windows: Windows,
    spans: Vec<Option<Span>>,
}

fn ready_rows(
    recipe: &Recipe,
    settings: &SeriesSettings,
    table: Table,
    roles: &Roles,
    aim: SplitPurpose,
    observer: &dyn Observer,
) -> Result<ReadyRows> {
    let special = roles.id.iter().map(|id| (text(id), "names the series; never a feature".to_owned())).collect();
    let input = ColumnSelection::choose(table, roles, FeatureFilter::Steps, special, observer)?;
    let split = Split::aimed(&input.normal, recipe, aim);
    let steps: Vec<String> = input.features().into_iter().map(str::to_owned).collect();
    let columns = TimeColumns { time: None, id: None, channels: steps };
    let set = SeriesSet::rows(&input.table, &columns.channels)?;

    let window = columns.channels.len();
    let stretches: Vec<_> = split.train.iter().map(|row| ("", set.series[*row as usize].values.as_slice())).collect();
    let transform = settings.transform.or_else(|| Transform::None);
    let prep_settings = (transform, settings.scale, unobserved(recipe, window));
    let spans = spans(&stretches, 1);
    let (pipeline, prep) = SignalPipeline::fit(&set.channels, &stretches, window, prep_settings, &recipe.prep)?;
    let schema = Schema { columns: columns.channels.iter().map(|name| numeric(name)).collect() };
    let adapter = SeriesAdapter { schema, layout: Layout::Rows, columns, step: None, pipeline, stride: window };
    let samples = adapter.signals(set, Vec::new());
    let windows = adapter.whole(&samples);
    Ok(ReadyRows { input, split, adapter, prep, samples, windows, spans })
}

/// Every row a series, and its only window.
fn fit_rows(
    recipe: &Recipe,
    settings: &SeriesSettings,
    table: Table,
    roles: &Roles,
    session: &Session<'_>,
) -> Result<Fitted> {
    let threads = &session.threads;
    let ReadyRows { input, split, adapter, prep, samples, windows, spans } =
        ready_rows(recipe, settings, table, roles, SplitPurpose::Fit, session.observer)?;

    let (blocks, slots, shape) = (adapter.pipeline.blocks(), adapter.slots(), adapter.shape());
    let material = TrainingData::of(recipe, &windows.prepared, &split, blocks, slots, shape);
    let TrainedModel { recipe, scorer, baselines, codes, quantiser, trainings, mut warnings } =
        learn(recipe, material, session)?;

    let prepared = &windows.prepared;
    let anomalous = scorer.score(&prepared.take(&input.anomalous), threads);
    let (calibration, decision) = set_threshold_of_samples(&recipe, &scorer, prepared, &split, &anomalous, threads)?;
    warnings.extend(decision.warning.clone());
    warnings.iter().for_each(|warning| session.observer.on_event(TrainingEvent::Warned(warning)));

    let told = summary::ReportInputs {
        recipe: &recipe,
        scorer: &scorer,
        prepared,
        split: &split,
        normal: &input.normal,
        anomalous: &input.anomalous,
        anomalous_scores: &anomalous,
        calibration: &calibration,
        decision: &decision,
        pca: &baselines.pca,
    };
    let report = series_summary::rows(&told, &input, &adapter, &samples, &prep, trainings, warnings, threads)?;
    let coding = Some(Coding { quantiser, spans });
    let (adapter, density, online) = (Adapter::Series(adapter), codes.density, None);
    let mut fitted =
        Fitted { recipe, adapter, scorer, calibration, decision, online, baselines, density, coding, report };
    let found = (codes.report, codes.units);
    fitted.report.generation = Some(generation_quality::report(&fitted, found, prepared, &split, threads)?);
    Ok(fitted)
}

/// Points in time, ready to be learnt from.
struct ReadyLong {
    input: ColumnSelection,
    plan: WindowPlan,
    notes: Vec<String>,
    adapter: SeriesAdapter,
    prep: PrepReport,
    samples: SeriesSamples,
    is_anomalous: Vec<Vec<bool>>,
    cut: WindowedSeries,
    spans: Vec<Option<Span>>,
}

fn ready_long(
    recipe: &Recipe,
    settings: &SeriesSettings,
    table: Table,
    roles: &Roles,
    aim: SplitPurpose,
    observer: &dyn Observer,
) -> Result<ReadyLong> {
    let (special, mut notes) = special_columns(&table, roles)?;
    if let Some(time) = &special.time {
        data::check_zones(&table, time)?;
    }
    let parts = special_parts(&table, &special)?;
    let input = ColumnSelection::choose(table, roles, FeatureFilter::Channels, parts, observer)?;
    let columns = TimeColumns { channels: input.features().into_iter().map(str::to_owned).collect(), ..special };
    let set = SeriesSet::long(&input.table, &columns, None)?;
    let is_anomalous = anomalous_points(&set, &input);

    let plan = WindowPlan::new(recipe, settings, &set)?;
    let plan = if aim == SplitPurpose::Search { plan.for_search()? } else { plan };
    notes.extend(plan.notes.clone());
    notes.iter().for_each(|note| observer.on_event(TrainingEvent::Noted(note)));
    let known: Vec<Vec<f64>> = set
        .series
        .iter()
        .zip(&is_anomalous)
        .zip(&plan.ranges)
        .map(|((series, anomalous), ranges)| without_anomalies(&series.values, anomalous, ranges, set.channels.len()))
        .collect();
    let stretches: Vec<_> =
        set.series.iter().zip(&known).map(|(s, values)| (s.id.as_str(), values.as_slice())).collect();
    let transform = settings.transform.or_else(|| usual_transform(set.channels.len()));
    let prep_settings = (transform, settings.scale, unobserved(recipe, plan.window));
    let spans = spans(&stretches, set.channels.len());
    let (pipeline, prep) = SignalPipeline::fit(&set.channels, &stretches, plan.window, prep_settings, &recipe.prep)?;
    let step = set.step;
    let schema = input.schema.clone();
    let stride = (plan.window / COVER).max(1);
    let adapter = SeriesAdapter { schema, layout: Layout::Long, columns, step, pipeline, stride };
    let samples = adapter.signals(set, Vec::new());
    let cut = cut(&adapter, &samples, &plan, &is_anomalous)?;
    Ok(ReadyLong { input, plan, notes, adapter, prep, samples, is_anomalous, cut, spans })
}

/// Every row a point in time, windows sliding over the series.
fn fit_long(
    recipe: &Recipe,
    settings: &SeriesSettings,
    table: Table,
    roles: &Roles,
    session: &Session<'_>,
) -> Result<Fitted> {
    let threads = &session.threads;
    let ReadyLong { input, plan, notes, adapter, prep, samples, is_anomalous, cut, spans } =
        ready_long(recipe, settings, table, roles, SplitPurpose::Fit, session.observer)?;
    let WindowedSeries { windows, split, normal, anomalous } = cut;

    let (blocks, slots, shape) = (adapter.pipeline.blocks(), adapter.slots(), adapter.shape());
    let material = TrainingData::of(recipe, &windows.prepared, &split, blocks, slots, shape);
    let TrainedModel { recipe, scorer, baselines, codes, quantiser, trainings, mut warnings } =
        learn(recipe, material, session)?;

    let held_out = |say: Coverage, part: usize| {
        let mut scores = Vec::new();
        for ((series, ranges), is_anomalous) in samples.set.series.iter().zip(&plan.ranges).zip(&is_anomalous) {
            for range in normal_stretches(&ranges[part], is_anomalous) {
                if scores.len() >= recipe.detect.calibration_rows || range.len() < plan.window {
                    continue;
                }
                let k = samples.set.channels.len();
                let (signal, _) = adapter.pipeline.signal(&series.id, &series.values[range.start * k..range.end * k]);
                let found = points(&adapter, &scorer, &series.id, &signal, say, threads).score;
                scores.extend(found.into_iter().filter(|score| !score.is_nan()));
            }
        }
        scores
    };
    let calibration_scores = held_out(Coverage::All, CALIBRATION);
    let pieces = (calibration_scores.len() / plan.window).max(1);
    let mut training = held_out(Coverage::All, TRAIN);
    training.truncate(TRAINING_SCORES);
    let anomalous_scores = anomalous_scores(&adapter, &scorer, &samples, &is_anomalous, threads);
    let (calibration, decision) =
        set_threshold(&recipe, calibration_scores, Some(pieces), training.clone(), &anomalous_scores)?;
    let last = held_out(Coverage::Last, CALIBRATION);
    let pieces = (last.len() / plan.window).max(1);
    let (online_calibration, online_decision) =
        set_threshold(&recipe, last, Some(pieces), training, &anomalous_scores)?;
    warnings.extend(decision.warning.clone());
    warnings.iter().for_each(|warning| session.observer.on_event(TrainingEvent::Warned(warning)));

    let told = summary::ReportInputs {
        recipe: &recipe,
        scorer: &scorer,
        prepared: &windows.prepared,
        split: &split,
        normal: &normal,
        anomalous: &anomalous,
        anomalous_scores: &anomalous_scores,
        calibration: &calibration,
        decision: &decision,
        pca: &baselines.pca,
    };
    let found = series_summary::Chosen { notes: &notes, period: plan.period, train_stride: plan.stride };
    let report = series_summary::long(&told, &input, &adapter, &samples, &prep, &found, trainings, warnings, threads)?;
    let coding = Some(Coding { quantiser, spans });
    let (adapter, density) = (Adapter::Series(adapter), codes.density);
    let online = Some(Online { calibration: online_calibration, decision: online_decision });
    let mut fitted =
        Fitted { recipe, adapter, scorer, calibration, decision, online, baselines, density, coding, report };
    let found = (codes.report, codes.units);
    fitted.report.generation = Some(generation_quality::report(&fitted, found, &windows.prepared, &split, threads)?);
    Ok(fitted)
}

/// Where the numbers of each channel lie in what is known of the series.
fn spans(stretches: &[Stretch<'_>], channels: usize) -> Vec<Option<Span>> {
    let of_channel = |c: usize| {
        let values = stretches.iter().flat_map(|(_, values)| values.iter().skip(c).step_by(channels));
        Span::of(values.copied())
    };
    (0..channels).map(of_channel).collect()
}

/// Recurrent networks carry their state past what is absent; others are shown a filled value.
fn unobserved(recipe: &Recipe, window: usize) -> Unobserved {
    match recipe.backbone.points_at_once(window) {
        Some(points) => Unobserved::Absent { points: points.max(1) },
        None => Unobserved::Filled,
    }
}

/// The level of a single channel says less than its shape (measured on public series); of several, it says which state
/// a machine is in.
fn usual_transform(channels: usize) -> Transform {
    if channels == 1 { Transform::Centre } else { Transform::None }
}

/// The columns that say when and which: as named, else the only column of dates.
fn special_columns(table: &Table, roles: &Roles) -> Result<(TimeColumns, Vec<String>)> {
    let names = table.names();
    roles.time.iter().chain(&roles.id).try_for_each(|name| known(name, &names))?;
    let mut columns = TimeColumns { time: roles.time.clone(), id: roles.id.clone(), channels: Vec::new() };
    let mut notes = Vec::new();
    if columns.time.is_none() {
        let inferred = data::infer(&table.select(&roles.features(&names)?)?)?;
        let is_date = |column: &&Column| column.kind == ColumnKind::Datetime;
        let dates: Vec<&str> = inferred.schema.columns.iter().filter(is_date).map(|c| c.name.as_str()).collect();
        match dates[..] {
            [] => notes.push("no column of times: rows follow each other one step apart".to_owned()),
            [only] => {
                notes.push(format!("column `{only}` is the time, the only one with dates"));
                columns.time = Some(only.to_owned());
            }
            _ => {
                let message = format!("expected one column of dates, got {}: `{}`", dates.len(), dates.join("`, `"));
                return Err(Error::mismatch(message).with_hint("name the time with --time COLUMN"));
            }
        }
    }
    Ok((columns, notes))
}

/// The special columns typed, with what they are for.
fn special_parts(table: &Table, columns: &TimeColumns) -> Result<Vec<(Column, String)>> {
    let mut parts = Vec::new();
    if let Some(time) = &columns.time {
        let kind = data::infer(&table.select(&[time])?)?.schema.columns[0].kind;
        // Words that are no times are refused by row when the column is read as dates.
        let kind = if kind == ColumnKind::Numeric { kind } else { ColumnKind::Datetime };
        parts.push((Column { name: time.clone(), kind }, "says when; never a feature".to_owned()));
    }
    if let Some(id) = &columns.id {
        // As text, so that `7` and `007` are two machines.
        parts.push((text(id), "says which series; never a feature".to_owned()));
    }
    Ok(parts)
}

fn numeric(name: &str) -> Column {
    Column { name: name.to_owned(), kind: ColumnKind::Numeric }
}

fn text(name: &str) -> Column {
    Column { name: name.to_owned(), kind: ColumnKind::Text }
}

/// For each series, which of its points the label calls anomalous, or does not call at all.
fn anomalous_points(set: &SeriesSet, input: &ColumnSelection) -> Vec<Vec<bool>> {
    let mut is_normal = vec![false; input.table.n_rows()];
    input.normal.iter().for_each(|row| is_normal[*row as usize] = true);
    let of_point = |row: &Option<u32>| row.is_some_and(|row| !is_normal[row as usize]);
    set.series.iter().map(|series| series.rows.iter().map(of_point).collect()).collect()
}

/// Scores of the points that the label calls anomalous.
fn anomalous_scores(
    adapter: &SeriesAdapter,
    scorer: &Scorer,
    samples: &SeriesSamples,
    is_anomalous: &[Vec<bool>],
    threads: &Threads,
) -> Vec<f64> {
    let mut scores = Vec::new();
    for ((series, signal), anomalous) in samples.set.series.iter().zip(&samples.signals).zip(is_anomalous) {
        if anomalous.contains(&true) {
            let found = points(adapter, scorer, &series.id, signal, Coverage::All, threads).score;
            let wanted = found.into_iter().zip(anomalous).filter(|(score, anomalous)| **anomalous && !score.is_nan());
            scores.extend(wanted.map(|(score, _)| score));
        }
    }
    scores
}
