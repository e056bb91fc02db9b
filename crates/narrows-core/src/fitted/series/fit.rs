//! Fit to series: prepare, learn, assemble, for the rows layout and for points.

use super::SeriesModel;
use super::adapter::{SeriesAdapter, SeriesSamples};
use super::columns::{special_columns, special_parts, text};
use super::held_out::{HeldOutPart, anomalous_scores, held_out_scores};
use super::judgement::{Judgement, PointScore, joined};
use super::levels::LevelRange;
use super::points::Coverage;
use super::summary;
use super::suspects::ValueErrors;
use super::unchanged::UnchangedRuns;
use super::windowing::{CALIBRATION, TRAIN, WindowPlan, WindowedSeries, anomalous_points, cut, without_anomalies};
use crate::choice::Choice;
use crate::codec::Span;
use crate::data::{self, Layout, Schema, SeriesSet, Table, TimeColumns};
use crate::distribution::{ColumnDistribution, TrainingDistribution};
use crate::error::Result;
use crate::fitted::assemble::{Assembly, assemble};
use crate::fitted::feature_filter::FeatureFilter;
use crate::fitted::invariants::Evidence;
use crate::fitted::learning::{TrainingData, learn};
use crate::fitted::rising;
use crate::fitted::roles::Roles;
use crate::fitted::scoring::{CalibratedThreshold, HeldOutScores};
use crate::fitted::selection::ColumnSelection;
use crate::fitted::session::Session;
use crate::fitted::split::{Split, SplitPurpose};
use crate::fitted::trial::TrialData;
use crate::prep::{PrepReport, SignalPipeline, Stretch, Transform, Unobserved, Windows};
use crate::recipe::{Recipe, SeriesSettings};
use crate::train::{Observer, TrainingEvent};

/// Told if the transform was chosen automatically.
const LEVELS_COMPARED: &str = "the mean is taken out of each window, as there is one channel; a mean beyond those of training \
                               is an anomaly of its own; data.transform=none keeps levels";
/// Told if it was, and if levels have no say: the default cannot see what many look for.
const LEVELS_TAKEN_OUT: &str = "the mean is taken out of each window, as there is one channel, and held-out means leave the range \
                                of training or are too few: slow drifts and lasting offsets will not be seen; data.transform=none keeps levels";

/// Scores of training points kept for the threshold rules that need them; each costs a window.
const TRAINING_POINTS: usize = 5_000;
/// Windows that cover a point in scoring.
const COVER: usize = 32;

pub(in crate::fitted) fn fit(
    recipe: &Recipe,
    settings: &SeriesSettings,
    table: Table,
    roles: &Roles,
    session: &Session<'_>,
) -> Result<SeriesModel> {
    match settings.layout {
        Layout::Rows => fit_rows(recipe, settings, table, roles, session),
        Layout::Long => fit_points(recipe, settings, table, roles, session),
    }
}

/// The samples that the trials of a search train on.
pub(in crate::fitted) fn trial_data(
    recipe: &Recipe,
    settings: &SeriesSettings,
    table: Table,
    roles: &Roles,
    observer: &dyn Observer,
) -> Result<TrialData> {
    let (adapter, prepared, split) = match settings.layout {
        Layout::Rows => {
            let rows = prepare_rows(recipe, settings, table, roles, SplitPurpose::Search, observer)?;
            (rows.adapter, rows.windows.prepared, rows.split)
        }
        Layout::Long => {
            let points = prepare_points(recipe, settings, table, roles, SplitPurpose::Search, observer)?;
            (points.adapter, points.windowed.windows.prepared, points.windowed.split)
        }
    };
    Ok(TrialData::of_rows(prepared, split, adapter.pipeline.blocks().to_vec(), adapter.shape()))
}

/// Series of the rows layout, prepared for training.
struct PreparedSeries {
    selection: ColumnSelection,
    split: Split,
    adapter: SeriesAdapter,
    prep: PrepReport,
    samples: SeriesSamples,
    windows: Windows,
    spans: Vec<Option<Span>>,
}

fn prepare_rows(
    recipe: &Recipe,
    settings: &SeriesSettings,
    table: Table,
    roles: &Roles,
    purpose: SplitPurpose,
    observer: &dyn Observer,
) -> Result<PreparedSeries> {
    let special = roles.id.iter().map(|id| (text(id), "names the series; never a feature".to_owned())).collect();
    let selection = ColumnSelection::choose(table, roles, &recipe.types, FeatureFilter::Steps, special, observer)?;
    let split = Split::for_purpose(&selection.normal, recipe, purpose);
    let steps: Vec<String> = selection.features().into_iter().map(str::to_owned).collect();
    let columns = TimeColumns { channels: steps, ..TimeColumns::default() };
    let set = SeriesSet::rows(&selection.table, &columns.channels)?;

    let window = columns.channels.len();
    let stretches: Vec<_> = split.train.iter().map(|row| ("", set.series[*row as usize].values.as_slice())).collect();
    let transform = settings.transform.or_else(|| Transform::None);
    let prep_settings = (transform, settings.scale, unobserved(recipe, window));
    let spans = spans(&stretches, 1);
    let (pipeline, prep) = SignalPipeline::fit(&set.channels, &stretches, window, prep_settings, &recipe.prep)?;
    let schema = selection.schema.select(&columns.channels)?;
    let adapter = SeriesAdapter {
        schema,
        layout: Layout::Rows,
        columns,
        step: None,
        pipeline,
        stride: window,
        by_observed: true,
        errors: None,
        judgement: Judgement::default(),
        runs: None,
        levels: None,
        invariants: None,
    };
    let samples = adapter.signals(set, Vec::new());
    let windows = adapter.whole(&samples);
    Ok(PreparedSeries { selection, split, adapter, prep, samples, windows, spans })
}

/// Fits to the rows layout: every row is a series and its only window.
fn fit_rows(
    recipe: &Recipe,
    settings: &SeriesSettings,
    table: Table,
    roles: &Roles,
    session: &Session<'_>,
) -> Result<SeriesModel> {
    let PreparedSeries { selection, split, mut adapter, prep, samples, windows, spans } =
        prepare_rows(recipe, settings, table, roles, SplitPurpose::Fit, session.observer)?;

    let prepared = &windows.prepared;
    let (blocks, slots, shape) = (adapter.pipeline.blocks(), adapter.slots(), adapter.shape());
    let trained = learn(recipe, TrainingData::of(recipe, prepared, &split, blocks, slots, shape), session)?;
    let ordinary = trained.scorer.score(&prepared.take(&split.calibration));
    let learnt = selection.constants(&split.train);
    let invariants = selection.calibrated(learnt, &ordinary);
    let evidence = invariants.compared(&selection.table, &selection.raw, &selection.schema);
    adapter.invariants = Some(invariants);
    let anomalous_scores = trained.sample_scores(prepared, &selection.anomalous, &evidence);
    let is_labelled = selection.label.is_some();
    let threshold = trained.sample_threshold(prepared, &split, &evidence, &anomalous_scores, is_labelled)?;

    let distribution = Some(TrainingDistribution::of(&selection.table, &adapter.schema, &split.train));
    let assembly = Assembly {
        adapter,
        trained,
        threshold,
        stream_threshold: None,
        prepared,
        split: &split,
        normal: &selection.normal,
        anomalous: &selection.anomalous,
        anomalous_scores: &anomalous_scores,
        evidence: &evidence,
        spans,
        distribution,
        not_made: Vec::new(),
    };
    assemble(assembly, session, |inputs, held_out, adapter| {
        Ok(summary::rows(inputs, held_out, &selection, adapter, &samples, &prep))
    })
}

/// Points in time, prepared for training.
struct PreparedPoints {
    selection: ColumnSelection,
    plan: WindowPlan,
    notes: Vec<String>,
    adapter: SeriesAdapter,
    prep: PrepReport,
    samples: SeriesSamples,
    is_anomalous: Vec<Vec<bool>>,
    windowed: WindowedSeries,
    spans: Vec<Option<Span>>,
    distribution: TrainingDistribution,
}

fn prepare_points(
    recipe: &Recipe,
    settings: &SeriesSettings,
    table: Table,
    roles: &Roles,
    purpose: SplitPurpose,
    observer: &dyn Observer,
) -> Result<PreparedPoints> {
    let (special, mut notes) = special_columns(&table, roles, &recipe.types)?;
    if let Some(time) = &special.time {
        data::check_zones(&table, time)?;
    }
    let parts = special_parts(&table, &special, &recipe.types)?;
    let schema = Schema { columns: parts.iter().map(|(column, _)| column.clone()).collect() };
    let (table, local) = data::localise(table, &schema, &special, &|_| None)?;
    notes.extend(local.notes);
    let selection = ColumnSelection::choose(table, roles, &recipe.types, FeatureFilter::Channels, parts, observer)?;
    let columns = TimeColumns { channels: selection.features().into_iter().map(str::to_owned).collect(), ..special };
    let set = SeriesSet::long(&selection.table, &columns, None)?;
    if let Some(time) = &columns.time {
        set.check_gaps(time, selection.table.source())?;
    }
    notes.extend(set.notes.clone());
    let mut is_normal = vec![false; selection.table.n_rows()];
    selection.normal.iter().for_each(|row| is_normal[*row as usize] = true);
    let is_anomalous = anomalous_points(&set, &is_normal);

    let plan = WindowPlan::new(recipe, settings, &set)?;
    let plan = if purpose == SplitPurpose::Search { plan.for_search()? } else { plan };
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
    if transform == Transform::None {
        rising::channels(&set).for_each(|note| tell(note, &mut notes, observer));
    }
    let prep_settings = (transform, settings.scale, unobserved(recipe, plan.window));
    let spans = spans(&stretches, set.channels.len());
    let distribution = distribution(&stretches, &set.channels);
    let (pipeline, prep) = SignalPipeline::fit(&set.channels, &stretches, plan.window, prep_settings, &recipe.prep)?;
    let step = set.step;
    let schema = selection.schema.clone();
    let stride = (plan.window / COVER).max(1);
    let runs = Some(UnchangedRuns::fit(&stretches, set.channels.len(), plan.window));
    let mut adapter = SeriesAdapter {
        schema,
        layout: Layout::Long,
        columns,
        step,
        pipeline,
        stride,
        by_observed: true,
        errors: None,
        judgement: Judgement::default(),
        runs,
        levels: None,
        invariants: None,
    };
    let samples = adapter.signals(set, Vec::new());
    let windowed = cut(&adapter, &samples, &plan, &is_anomalous)?;
    if settings.transform == Choice::Auto && transform == Transform::Centre {
        adapter.levels = levels(&windowed, &plan);
        let note = if adapter.levels.is_some() { LEVELS_COMPARED } else { LEVELS_TAKEN_OUT };
        tell(note.to_owned(), &mut notes, observer);
    }
    if windowed.unseen > 0 {
        let words = "windows without an observed point, which neither train nor calibrate";
        tell(format!("{} {words}", windowed.unseen), &mut notes, observer);
    }
    Ok(PreparedPoints { selection, plan, notes, adapter, prep, samples, is_anomalous, windowed, spans, distribution })
}

/// The range of the means of training windows, if it holds for those that were held out.
fn levels(windowed: &WindowedSeries, plan: &WindowPlan) -> Option<LevelRange> {
    let WindowedSeries { windows, split, .. } = windowed;
    let width = windows.prepared.width;
    let is_whole = |w: &u32| !windows.prepared.target[*w as usize * width..][..width].iter().any(|t| t.is_nan());
    let of = |part: &[u32]| -> Vec<f32> {
        part.iter().filter(|w| is_whole(w)).map(|w| windows.levels[*w as usize].offset).collect()
    };
    let held_out = [of(&split.validation), of(&split.calibration)].concat();
    LevelRange::fit(
        of(&split.train).into_iter(),
        held_out.into_iter(),
        [TRAIN, CALIBRATION].map(|part| plan.apart(part)),
    )
}

/// Adds a note and tells it.
fn tell(note: String, notes: &mut Vec<String>, observer: &dyn Observer) {
    observer.on_event(TrainingEvent::Noted(&note));
    notes.push(note);
}

/// Fits to the long layout: every row is a point, and windows slide over the series.
fn fit_points(
    recipe: &Recipe,
    settings: &SeriesSettings,
    table: Table,
    roles: &Roles,
    session: &Session<'_>,
) -> Result<SeriesModel> {
    let prepared = prepare_points(recipe, settings, table, roles, SplitPurpose::Fit, session.observer)?;
    let PreparedPoints { selection, plan, notes, mut adapter, prep, mut samples, is_anomalous, .. } = prepared;
    let PreparedPoints { windowed, spans, distribution, .. } = prepared;
    let WindowedSeries { windows, split, normal, anomalous, .. } = windowed;

    let (blocks, slots, shape) = (adapter.pipeline.blocks(), adapter.slots(), adapter.shape());
    let trained = learn(recipe, TrainingData::of(recipe, &windows.prepared, &split, blocks, slots, shape), session)?;
    let calibration = windows.prepared.take(&split.calibration);
    adapter.errors = ValueErrors::fit(&adapter, &trained.scorer, &calibration);
    let held_out = |coverage: Coverage, part: usize, most: usize| {
        let ranges = plan.ranges.iter().map(|ranges| ranges[part].clone()).collect();
        let part = HeldOutPart { samples: &samples, is_anomalous: &is_anomalous, ranges, window: plan.window };
        held_out_scores(&adapter, &trained.scorer, &part, coverage, most)
    };
    let most = recipe.detect.calibration_rows;
    let ordinary = held_out(Coverage::All, CALIBRATION, most);
    let online = held_out(Coverage::Last, CALIBRATION, most);
    let [training, online_training] = [Coverage::All, Coverage::Last].map(|c| held_out(c, TRAIN, TRAINING_POINTS));
    // Points follow each other, so a channel that changes in a held-out part is none that never changes: invariants are
    // those of all normal points, and no held-out point breaks them.
    let learnt = selection.constants(&selection.normal);
    let invariants = selection.calibrated(learnt, &joined(&ordinary, Judgement::Around));
    samples.evidence = invariants.compared(&selection.table, &selection.raw, &selection.schema);
    adapter.invariants = Some(invariants);
    let is_labelled = selection.label.is_some();
    // A stream has scores of the last window alone, and so have its threshold and all that it rests on.
    let calibrated = |parts: [&[PointScore]; 3], judgement: Judgement| {
        let [scores, training, anomalous] = parts.map(|parts| joined(parts, judgement));
        let only_ones = |scores: Vec<f64>| if selection.nothing_varies { vec![1.0; scores.len()] } else { scores };
        let blocks = Some((scores.len() / plan.window).max(1));
        let (scores, training, anomalous) = (only_ones(scores), only_ones(training), &anomalous);
        trained.threshold(HeldOutScores { scores, blocks, training, anomalous, is_labelled })
    };
    let anomalous_of =
        |coverage: Coverage| anomalous_scores(&adapter, &trained.scorer, &samples, &is_anomalous, coverage);
    let anomalous_points = anomalous_of(Coverage::All);
    let offline = [&*ordinary, &training, &anomalous_points];
    let decision = calibrated(offline, Judgement::Around)?.decision;
    let judgement = Judgement::split_at(decision.threshold);
    let threshold = CalibratedThreshold { decision, ..calibrated(offline, judgement)? };
    let online = [&*online, &online_training, &anomalous_of(Coverage::Last)];
    let stream_threshold = Some(calibrated(online, Judgement::Around)?);
    let anomalous_scores = joined(&anomalous_points, judgement);
    adapter.judgement = judgement;

    let assembly = Assembly {
        adapter,
        trained,
        threshold,
        stream_threshold,
        prepared: &windows.prepared,
        split: &split,
        normal: &normal,
        anomalous: &anomalous,
        anomalous_scores: &anomalous_scores,
        // Samples are windows.
        evidence: &Evidence::default(),
        spans,
        distribution: Some(distribution),
        not_made: Vec::new(),
    };
    let chosen = summary::Chosen { notes: &notes, period: plan.period, train_stride: plan.stride };
    assemble(assembly, session, |inputs, held_out, adapter| {
        Ok(summary::points(inputs, held_out, &selection, adapter, &samples, &prep, &chosen))
    })
}

/// The range of each channel in the training parts of the series.
fn spans(stretches: &[Stretch<'_>], channels: usize) -> Vec<Option<Span>> {
    let of_channel = |c: usize| {
        let values = stretches.iter().flat_map(|(_, values)| values.iter().skip(c).step_by(channels));
        Span::of(values.copied())
    };
    (0..channels).map(of_channel).collect()
}

/// The distribution of each channel in the training parts. Points without a value are those of gaps, too, so they are not
/// counted as missing.
fn distribution(stretches: &[Stretch<'_>], channels: &[String]) -> TrainingDistribution {
    let of_channel = |(c, channel): (usize, &String)| {
        let values = stretches.iter().flat_map(|(_, values)| values.iter().skip(c).step_by(channels.len()));
        ColumnDistribution::of_numbers(channel, values.filter(|x| x.is_finite()).map(|x| Some(*x)))
    };
    TrainingDistribution { columns: channels.iter().enumerate().map(of_channel).collect() }
}

/// Recurrent networks carry their state past absent steps; others get filled values.
fn unobserved(recipe: &Recipe, window: usize) -> Unobserved {
    match recipe.backbone.points_at_once(window) {
        Some(points) => Unobserved::Absent { points: points.max(1) },
        None => Unobserved::Filled,
    }
}

/// The default transform: for a single channel the level is less informative than the shape (measured on public
/// series); for several, it shows the operating state.
fn usual_transform(channels: usize) -> Transform {
    if channels == 1 { Transform::Centre } else { Transform::None }
}
