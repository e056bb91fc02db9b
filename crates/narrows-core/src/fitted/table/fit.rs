//! Fit to the rows of a table: prepare, learn, assemble.

use arrow::array::{Array, AsArray};
use arrow::datatypes::Float64Type;

use super::TableModel;
use super::adapter::TableAdapter;
use super::{order, summary};
use crate::codec::Span;
use crate::data::{Column, Table};
use crate::distribution::TrainingDistribution;
use crate::error::Result;
use crate::fitted::assemble::{Assembly, assemble};
use crate::fitted::feature_filter::FeatureFilter;
use crate::fitted::invariants::{Invariants, LearntInvariants};
use crate::fitted::learning::{TrainingData, learn};
use crate::fitted::roles::Roles;
use crate::fitted::scoring::Scorer;
use crate::fitted::selection::ColumnSelection;
use crate::fitted::session::Session;
use crate::fitted::split::{Split, SplitPurpose};
use crate::fitted::trial::TrialData;
use crate::fitted::unchanging::empty_note;
use crate::model::Shape;
use crate::prep::{Block, OutputError, Pipeline, PrepReport, Prepared, ResidualNoise};
use crate::recipe::Recipe;
use crate::train::Observer;

/// A table with rows prepared for training.
pub(in crate::fitted) struct PreparedTable {
    selection: ColumnSelection,
    split: Split,
    adapter: TableAdapter,
    learnt: LearntInvariants,
    prep: PrepReport,
    prepared: Prepared,
}

/// The samples that the trials of a search train on.
pub(in crate::fitted) fn trial_data(
    recipe: &Recipe,
    table: Table,
    roles: &Roles,
    observer: &dyn Observer,
) -> Result<TrialData> {
    let PreparedTable { split, adapter, prepared, .. } =
        PreparedTable::for_purpose(recipe, table, roles, SplitPurpose::Search, observer)?;
    Ok(TrialData::of_rows(prepared, split, adapter.pipeline.blocks().to_vec(), Shape::Row))
}

pub(in crate::fitted) fn fit(
    recipe: &Recipe,
    table: Table,
    roles: &Roles,
    session: &Session<'_>,
) -> Result<TableModel> {
    PreparedTable::new(recipe, table, roles, session.observer)?.fit(recipe, session)
}

impl PreparedTable {
    /// Prepares a table for a fit.
    pub(in crate::fitted) fn new(
        recipe: &Recipe,
        table: Table,
        roles: &Roles,
        observer: &dyn Observer,
    ) -> Result<PreparedTable> {
        PreparedTable::for_purpose(recipe, table, roles, SplitPurpose::Fit, observer)
    }

    fn for_purpose(
        recipe: &Recipe,
        table: Table,
        roles: &Roles,
        purpose: SplitPurpose,
        observer: &dyn Observer,
    ) -> Result<PreparedTable> {
        let (types, filter) = (&recipe.types, FeatureFilter::Any);
        let mut selection = ColumnSelection::choose(table, roles, types, filter, Vec::new(), observer)?;
        selection.note(order::notes(&selection.table, &selection.schema), observer);
        let mut empty = selection.leave_out_empty()?;
        let first_of_validation = (selection.table.n_rows() as u64).saturating_sub(roles.validation_rows);
        let is_given = |row: &u32| u64::from(*row) >= first_of_validation;
        let (given, normal): (Vec<u32>, Vec<u32>) = selection.normal.iter().copied().partition(is_given);
        let mut split = Split::for_purpose(&normal, recipe, purpose).with_validation(given);
        let learnt = selection.invariants(&split.train);
        selection.keep_what_varies(&learnt, observer)?;
        empty += selection.leave_out_unseen(&mut split)?;
        selection.note(empty_note(empty).into_iter().collect(), observer);
        let features: Vec<String> = selection.schema.names().into_iter().map(str::to_owned).collect();
        let (mut pipeline, prep) =
            Pipeline::fit(&selection.table, &selection.schema, &features, &split.train, &recipe.prep)?;
        let prepared = pipeline.transform(&selection.table)?;
        pipeline.note_spreads(&prepared, &split.train);
        // Scores rest on what was observed from the start.
        let invariants = Some(Invariants::default());
        let adapter = TableAdapter {
            schema: selection.schema.clone(),
            pipeline,
            grains: Vec::new(),
            noise: None,
            form: None,
            invariants,
        };
        Ok(PreparedTable { selection, split, adapter, learnt, prep, prepared })
    }

    /// Learns and assembles.
    pub(in crate::fitted) fn fit(&self, recipe: &Recipe, session: &Session<'_>) -> Result<TableModel> {
        let PreparedTable { selection, split, prepared, .. } = self;
        let mut adapter = self.adapter.clone();
        let blocks = adapter.pipeline.blocks();
        let data = TrainingData::of(recipe, prepared, split, blocks, adapter.slots(), Shape::Row);
        let trained = learn(recipe, data, session)?;
        let held_out = prepared.take(&split.calibration);
        let output = decoded(&trained.scorer, &held_out);
        let errors = output_errors(&held_out, &output);
        let noise = || ResidualNoise::of(adapter.pipeline.blocks(), &held_out.target, &output, held_out.width);
        adapter.noise = adapter.pipeline.has_shapes().then(noise);
        adapter.grains = adapter.pipeline.grains(&selection.table, &split.train, &errors)?;
        let (form, not_made) = selection.sketch.form(&selection.schema);
        adapter.form = Some(form);
        let ordinary = trained.scorer.score(&held_out);
        adapter.invariants = Some(selection.calibrated(self.learnt.clone(), &ordinary));
        let evidence = adapter.evidence(&selection.raw, &selection.table);
        let mut anomalous_scores = trained.sample_scores(prepared, &selection.anomalous, &evidence);
        anomalous_scores.retain(|score| !score.is_nan());
        let is_labelled = selection.label.is_some();
        let threshold = trained.sample_threshold(prepared, split, &evidence, &anomalous_scores, is_labelled)?;

        let assembly = Assembly {
            adapter,
            trained,
            threshold,
            stream_threshold: None,
            prepared,
            split,
            normal: &selection.normal,
            anomalous: &selection.anomalous,
            anomalous_scores: &anomalous_scores,
            evidence: &evidence,
            spans: spans(selection, split),
            distribution: Some(TrainingDistribution::of(&selection.table, &selection.schema, &split.train)),
            not_made,
        };
        assemble(assembly, session, |inputs, held_out, adapter| {
            Ok(summary::describe(inputs, held_out, selection, adapter, &self.prep))
        })
    }

    /// All rows in prepared units.
    pub(in crate::fitted) fn prepared(&self) -> &Prepared {
        &self.prepared
    }

    /// The columns of prepared rows.
    pub(in crate::fitted) fn blocks(&self) -> &[Block] {
        self.adapter.pipeline.blocks()
    }

    /// Which rows train, choose the weights and calibrate.
    pub(in crate::fitted) fn split(&self) -> &Split {
        &self.split
    }

    /// Number of training rows.
    pub(in crate::fitted) fn n_train(&self) -> usize {
        self.split.train.len()
    }

    /// Adds a note for the report.
    pub(in crate::fitted) fn note(&mut self, note: String) {
        self.selection.notes.push(note);
    }
}

/// The first member's output, as new rows are decoded.
fn decoded(scorer: &Scorer, rows: &Prepared) -> Vec<f32> {
    scorer.ensemble.decode(&scorer.ensemble.codes(&rows.input))
}

/// How the first member's output differs from each prepared value, `[width]`.
fn output_errors(rows: &Prepared, output: &[f32]) -> Vec<OutputError> {
    let mut sums = vec![OutputSums::default(); rows.width];
    for (target, output) in rows.target.chunks_exact(rows.width).zip(output.chunks_exact(rows.width)) {
        for (i, (t, o)) in target.iter().zip(output).enumerate().filter(|(_, (t, _))| !t.is_nan()) {
            sums[i].push(f64::from(*t), f64::from(*o), f64::from(t - o));
        }
    }
    sums.iter().map(OutputSums::error).collect()
}

/// Sums over the known values t of one input and the outputs o for them.
#[derive(Debug, Clone, Copy, Default)]
struct OutputSums {
    n: f64,
    t: f64,
    o: f64,
    tt: f64,
    to: f64,
    oo: f64,
    squares: f64,
}

impl OutputSums {
    fn push(&mut self, t: f64, o: f64, difference: f64) {
        self.n += 1.0;
        self.t += t;
        self.o += o;
        self.tt += t * t;
        self.to += t * o;
        self.oo += o * o;
        self.squares += difference.powi(2);
    }

    fn error(&self) -> OutputError {
        let n = self.n.max(1.0);
        let (mean_t, mean_o) = (self.t / n, self.o / n);
        let (variance, covariance) = (self.tt / n - mean_t * mean_t, self.to / n - mean_t * mean_o);
        // A value that does not vary tells nothing of the slope.
        let slope = if variance > 1e-9 { covariance / variance } else { 0.0 };
        let rest = (self.oo / n - mean_o * mean_o - slope * covariance).max(0.0);
        let (deviation, intercept, spread) = ((self.squares / n).sqrt() as f32, mean_o - slope * mean_t, rest.sqrt());
        let is_finite = intercept.is_finite() && slope.is_finite() && spread.is_finite();
        if is_finite {
            OutputError { deviation, intercept, slope, spread }
        } else {
            OutputError { deviation, ..OutputError::default() }
        }
    }
}

/// The range of each numeric column in the training rows.
fn spans(input: &ColumnSelection, split: &Split) -> Vec<Option<Span>> {
    let of_column = |column: &Column| {
        let numbers = input.table.column(&column.name)?.as_primitive_opt::<Float64Type>()?;
        let trained = split.train.iter().map(|row| *row as usize).filter(|row| numbers.is_valid(*row));
        Span::of(trained.map(|row| numbers.value(row)))
    };
    input.schema.columns.iter().map(of_column).collect()
}
