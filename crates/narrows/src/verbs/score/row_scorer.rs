//! Scores rows of a table or points of series one by one.

use narrows_core::data::{Schema, Source, Table};
use narrows_core::detect::Reason;
use narrows_core::error::Place;
use narrows_core::output::Columns;
use narrows_core::recipe::DataKind;
use narrows_core::{Compute, Error, Model, ScoreFlag, Scores, StreamScore, StreamScorer, TableModel, TabularModel};

use super::Tally;
use crate::failure::Failure;
use crate::pipeline::BATCH_ROWS;

/// A model that scores rows as they come.
pub(super) enum RowScorer {
    Table(Box<TableModel>),
    Series { scorer: Box<StreamScorer>, schema: Schema, columns_read: Vec<String>, index: Vec<String> },
}

/// A scored row.
pub(super) struct ScoredRow {
    /// Row number, score, decision and, for series, flag.
    pub(super) columns: Columns,
    pub(super) is_anomaly: bool,
    pub(super) reasons: Vec<Reason>,
    /// The series of a point; empty if there is only one, and for rows.
    pub(super) series: String,
    /// The same in the form for many rows.
    pub(super) scores: Scores,
}

impl RowScorer {
    /// An error for models of images.
    pub(super) fn of(model: Model) -> Result<RowScorer, Failure> {
        match model {
            Model::Series(model) => {
                let (schema, index) = (model.schema().clone(), model.index_columns());
                let columns_read = model.columns_read();
                let columns_read = columns_read.names().into_iter().map(str::to_owned).collect();
                Ok(RowScorer::Series { scorer: Box::new(model.stream()?), schema, columns_read, index })
            }
            // A single row is too little work to share among threads.
            model => Ok(RowScorer::Table(Box::new(model.into_table()?.with_compute(&Compute::serial())))),
        }
    }

    /// The names of all columns that scoring reads.
    pub(super) fn columns_read(&self) -> Vec<String> {
        match self {
            RowScorer::Table(model) => model.columns_read().names().into_iter().map(str::to_owned).collect(),
            RowScorer::Series { columns_read, .. } => columns_read.clone(),
        }
    }

    /// The tally of such rows.
    pub(super) fn tally(&self) -> Tally {
        Tally::of(match self {
            RowScorer::Table(_) => DataKind::Table,
            RowScorer::Series { .. } => DataKind::Series,
        })
    }

    /// The columns without which nothing can be scored.
    pub(super) fn schema(&self) -> &Schema {
        match self {
            RowScorer::Table(model) => model.schema(),
            RowScorer::Series { schema, .. } => schema,
        }
    }

    /// The columns that identify a point of a series.
    pub(super) fn index_columns(&self) -> Vec<String> {
        match self {
            RowScorer::Table(_) => Vec::new(),
            RowScorer::Series { index, .. } => index.clone(),
        }
    }

    /// The most reasons of a row, of as many as asked for.
    pub(super) fn most_reasons(&self, asked: usize) -> usize {
        match self {
            RowScorer::Table(_) => asked,
            RowScorer::Series { .. } => asked.min(StreamScorer::REASONS),
        }
    }

    /// Scores a table of one row.
    pub(super) fn push(&mut self, row: &Table, reasons: usize, tally: &mut Tally) -> Result<ScoredRow, Error> {
        match self {
            RowScorer::Table(model) => {
                let explained = model.explain(row, reasons)?;
                tally.add(&explained.scores);
                Ok(ScoredRow {
                    columns: explained.scores.columns(row.first_row(), DataKind::Table),
                    is_anomaly: explained.scores.is_anomaly[0],
                    reasons: explained.reasons.into_iter().next().unwrap_or_default(),
                    series: String::new(),
                    scores: explained.scores,
                })
            }
            RowScorer::Series { scorer, .. } => {
                let score = scorer.push(row)?;
                tally.anomalies += u64::from(score.is_anomaly);
                tally.warming_up += u64::from(score.flag == ScoreFlag::WarmUp);
                let columns = score.columns(row.first_row());
                let scores = Scores {
                    score: vec![score.score],
                    p_value: vec![score.p_value],
                    is_anomaly: vec![score.is_anomaly],
                    flag: vec![score.flag],
                    counts: scorer.row_counts().clone(),
                };
                let StreamScore { is_anomaly, reasons, series, .. } = score;
                Ok(ScoredRow { columns, is_anomaly, reasons, series, scores })
            }
        }
    }

    /// Takes the rows of a file that come before the stream; returns their number.
    pub(super) fn remember(&mut self, source: &Source) -> Result<u64, Failure> {
        let RowScorer::Series { scorer, schema, .. } = self else {
            let error = Error::recipe("--history", "expected a model of series, got one of tables");
            return Err(error.with_hint("rows of a table are scored by themselves, whatever came before").into());
        };
        let mut n = 0;
        for table in source.open(BATCH_ROWS, Some(schema))? {
            let table = table?;
            for row in 0..table.n_rows() {
                scorer.remember(&table.slice(row, 1))?;
            }
            n += table.n_rows() as u64;
        }
        if n == 0 {
            let message = "expected at least one row of history, got none";
            return Err(Error::data(Place::source("--history"), message).into());
        }
        Ok(n)
    }

    /// Adds what was counted beside the rows.
    pub(super) fn add_counts(&self, tally: &mut Tally) {
        if let RowScorer::Series { scorer, .. } = self {
            tally.add_counts(scorer.counts());
        }
    }
}
