//! The one path from rows to scores and reasons.

use narrows_engine::{Network, Params, Threads};
use rayon::prelude::*;

use super::Fitted;
use crate::data::{Schema, Table};
use crate::detect::residual::Slots;
use crate::detect::{Detector, Direction, Reason, Score, explain};
use crate::error::Result;
use crate::prep::{Cell, Pipeline, Prepared};

/// Rows that are scored together; big enough for the matrix products, small enough for the cache.
const CHUNK: usize = 1024;

/// Columns are to blame until they carry this share of a row's error.
const BLAMED_SHARE: f64 = 0.8;
/// Times that hidden columns take on what is rebuilt in their place.
const REFINEMENTS: usize = 4;

/// Scores of a table, in the order of its rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    /// 1 is an ordinary row; rises with anomaly.
    pub score: Vec<f64>,
    /// Share of calibration rows that score as high, counted so that it holds for fresh normal rows.
    pub p_value: Vec<f64>,
    /// score > threshold
    pub is_anomaly: Vec<bool>,
    /// What was filled or clipped on the way.
    pub counts: ScoreCounts,
}

/// What was filled, clipped or ignored while scoring.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScoreCounts {
    /// Rows scored.
    pub rows: u64,
    /// Missing cells, filled for the network and left out of the error.
    pub missing: u64,
    /// Cells beyond the clipping limit.
    pub clipped: u64,
    /// Cells of a level that training never saw.
    pub unseen_levels: u64,
    /// Columns the model does not know.
    pub extra_columns: Vec<String>,
}

/// Scores and, for each row, the columns to blame.
#[derive(Debug, Clone, PartialEq)]
pub struct Explained {
    /// The scores.
    pub scores: Scores,
    /// For each row, the columns with the largest share of its error, largest first.
    pub reasons: Vec<Vec<Reason>>,
}

/// All that turns rows into scores: columns to numbers, numbers through the networks, errors to one score.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Judge {
    /// The feature columns.
    pub(crate) schema: Schema,
    pub(crate) pipeline: Pipeline,
    pub(crate) network: Network,
    /// The weights, one a member; the first member's code is the model's.
    pub(crate) members: Vec<Params>,
    pub(crate) detector: Detector,
}

/// A table on its way through the model.
pub(super) struct PreparedTable {
    pub(super) typed: Table,
    pub(super) prepared: Prepared,
    /// Columns the model does not know.
    pub(super) extra_columns: Vec<String>,
}

/// What a chunk of rows yields.
struct Judged {
    scores: Vec<f64>,
    /// `[n, columns]`, each row's shares adding up to 1; empty where nobody asked.
    shares: Vec<f64>,
}

impl Fitted {
    /// Scores rows.
    ///
    /// # Errors
    /// [`crate::Error::Mismatch`] or [`crate::Error::Data`] where the table's columns do not fit the model's.
    pub fn score(&self, table: &Table, threads: &Threads) -> Result<Scores> {
        let table = self.judge.prepare(table)?;
        let scores = self.judge.score(&table.prepared, threads);
        Ok(self.verdicts(scores, &table))
    }

    /// Scores rows and says why: the `k` columns with the largest share of each row's error, in their own units.
    ///
    /// # Errors
    /// As for [`Fitted::score`].
    pub fn explain(&self, table: &Table, k: usize, threads: &Threads) -> Result<Explained> {
        let table = self.judge.prepare(table)?;
        let (scores, reasons) = self.judge.explain(&table.typed, &table.prepared, k, threads);
        Ok(Explained { scores: self.verdicts(scores, &table), reasons })
    }

    fn verdicts(&self, score: Vec<f64>, table: &PreparedTable) -> Scores {
        let counts = &table.prepared.counts;
        Scores {
            p_value: score.iter().map(|s| self.calibration.p_value(*s)).collect(),
            is_anomaly: score.iter().map(|s| *s > self.decision.threshold).collect(),
            counts: ScoreCounts {
                rows: table.prepared.n as u64,
                missing: counts.missing,
                clipped: counts.clipped,
                unseen_levels: counts.unseen_levels,
                extra_columns: table.extra_columns.clone(),
            },
            score,
        }
    }
}

impl Judge {
    /// Rows from codes `[n, code_size]`.
    pub(super) fn decode(&self, codes: &[f32], n: usize, threads: &Threads) -> Result<Table> {
        let mut output = vec![0.0; n * self.network.outputs()];
        self.network.decode(&self.members[0], codes, &mut output, threads);
        self.pipeline.inverse_table(&output, n)
    }

    /// Raw rows as typed columns and as numbers.
    pub(super) fn prepare(&self, table: &Table) -> Result<PreparedTable> {
        let (typed, conformed) = crate::data::conform(table.clone(), &self.schema)?;
        let prepared = self.pipeline.transform(&typed)?;
        Ok(PreparedTable { typed, prepared, extra_columns: conformed.extra })
    }

    /// The first member's codes, `[n, code_size]`.
    pub(super) fn codes(&self, prepared: &Prepared, threads: &Threads) -> Vec<f32> {
        let mut codes = vec![0.0; prepared.n * self.network.code_size()];
        self.network.encode(&self.members[0], &prepared.input, &mut codes, threads);
        codes
    }

    /// The mean of the members' outputs, `[n, width]`.
    pub(super) fn output(&self, prepared: &Prepared, threads: &Threads) -> Vec<f32> {
        let mut mean = vec![0.0; prepared.input.len()];
        let mut output = vec![0.0; prepared.input.len()];
        let mut codes = vec![0.0; prepared.n * self.network.code_size()];
        let share = 1.0 / self.members.len() as f32;
        for params in &self.members {
            self.network.reconstruct(params, &prepared.input, &mut codes, &mut output, threads);
            mean.iter_mut().zip(&output).for_each(|(m, o)| *m += share * o);
        }
        mean
    }

    /// The scores of prepared rows.
    pub(super) fn score(&self, prepared: &Prepared, threads: &Threads) -> Vec<f64> {
        self.judge(prepared, Shares::Skip, threads).scores
    }

    /// Scores of prepared rows and the `k` columns to blame in each.
    pub(super) fn explain(
        &self,
        typed: &Table,
        prepared: &Prepared,
        k: usize,
        threads: &Threads,
    ) -> (Vec<f64>, Vec<Vec<Reason>>) {
        let judged = self.judge(prepared, Shares::Keep, threads);
        let reasons = self.reasons(typed, prepared, &judged.shares, k, threads);
        (judged.scores, reasons)
    }

    fn judge(&self, prepared: &Prepared, shares: Shares, threads: &Threads) -> Judged {
        let slots = slots(&self.pipeline, &self.schema);
        let width = prepared.width;
        let values = CHUNK * width;
        let chunks: Vec<Judged> = threads.install(|| {
            prepared
                .input
                .par_chunks(values.max(1))
                .zip(prepared.target.par_chunks(values.max(1)))
                .map(|(input, target)| self.judge_chunk(input, target, &slots, shares))
                .collect()
        });
        let mut all = Judged { scores: Vec::with_capacity(prepared.n), shares: Vec::new() };
        for chunk in chunks {
            all.scores.extend(chunk.scores);
            all.shares.extend(chunk.shares);
        }
        all
    }

    fn judge_chunk(&self, input: &[f32], target: &[f32], slots: &Slots, shares: Shares) -> Judged {
        let serial = Threads::serial();
        let (width, columns) = (slots.width(), slots.n_columns());
        let n = input.len() / width;
        let mut codes = vec![0.0; n * self.network.code_size()];
        let mut output = vec![0.0; n * width];
        let mut contributions = vec![0.0; n * columns];
        let mut residual = vec![0.0; n];
        let mut blame = if shares == Shares::Keep { vec![0.0; n * columns] } else { Vec::new() };
        let member_share = 1.0 / self.members.len() as f64;
        let mut squared = None;

        for (m, (params, scale)) in self.members.iter().zip(&self.detector.members).enumerate() {
            self.network.reconstruct(params, input, &mut codes, &mut output, &serial);
            slots.contributions(target, &output, &mut contributions);
            for (log, row) in residual.iter_mut().zip(contributions.chunks_exact(columns)) {
                *log += member_share * scale.log_ratio(row);
            }
            if shares == Shares::Keep {
                add_shares(&mut blame, &contributions, &scale.columns.scale, member_share);
            }
            if m == 0
                && let Some((gaussian, _)) = &self.detector.gaussian
            {
                squared = Some(gaussian.squared_distance(&residual_and_code(target, &output, &codes, width)));
            }
        }
        let distance = match (&self.detector.neighbours, self.detector.score) {
            (Some(proximity), Score::Neighbour) => {
                self.network.encode(&self.members[0], input, &mut codes, &serial);
                Some(proximity.index.distance(&codes))
            }
            (Some(proximity), _) => Some(proximity.index.distance(input)),
            (None, _) => None,
        };
        let scores = (0..n)
            .map(|i| {
                self.detector.combine(residual[i], distance.as_ref().map(|d| d[i]), squared.as_ref().map(|s| s[i]))
            })
            .collect();
        Judged { scores, shares: blame }
    }

    fn reasons(
        &self,
        typed: &Table,
        prepared: &Prepared,
        shares: &[f64],
        k: usize,
        threads: &Threads,
    ) -> Vec<Vec<Reason>> {
        let columns = self.schema.columns.len();
        let width = prepared.width;
        let expected = self.expected(prepared, shares, threads);
        let one = |row: usize| {
            let shares = &shares[row * columns..(row + 1) * columns];
            let expected = self.pipeline.inverse(&expected[row * width..(row + 1) * width]);
            let got = self.pipeline.original(typed, row);
            explain::top_k(shares, k)
                .into_iter()
                .map(|column| {
                    let name = &self.schema.columns[column].name;
                    let expected = cell(&expected, name);
                    let got = cell(&got, name);
                    Reason {
                        column: name.clone(),
                        share: shares[column],
                        direction: direction(&expected, &got),
                        expected: expected.to_string(),
                        got: got.to_string(),
                    }
                })
                .collect()
        };
        threads.install(|| (0..prepared.n).into_par_iter().map(one).collect())
    }
}

impl Judge {
    /// What the first member expects of each row, `[n, width]`, given the columns that are not to blame.
    ///
    /// A wide network copies much of an anomalous cell, so the blamed columns are hidden: they start from zero, the
    /// middle of prepared data, and take on what is rebuilt in their place, a few times over. The first member met the
    /// strongest damage and is the best at this.
    fn expected(&self, prepared: &Prepared, shares: &[f64], threads: &Threads) -> Vec<f32> {
        let (width, columns) = (prepared.width, self.schema.columns.len());
        let slots = slots(&self.pipeline, &self.schema);
        let hidden: Vec<Vec<usize>> = shares
            .chunks_exact(columns)
            .map(|shares| {
                let blamed = blamed(shares);
                (0..width).filter(|slot| blamed.contains(&slots.column(*slot))).collect()
            })
            .collect();
        let mut input = prepared.input.clone();
        let mut codes = vec![0.0; prepared.n * self.network.code_size()];
        let mut output = vec![0.0; prepared.input.len()];
        for pass in 0..=REFINEMENTS {
            for (row, hidden) in hidden.iter().enumerate() {
                for slot in hidden {
                    let at = row * width + slot;
                    input[at] = if pass == 0 { 0.0 } else { output[at] };
                }
            }
            self.network.reconstruct(&self.members[0], &input, &mut codes, &mut output, threads);
        }
        output
    }
}

/// The columns that together carry most of a row's error; at most half of them, so that something is left to go by.
fn blamed(shares: &[f64]) -> Vec<usize> {
    let mut carried = 0.0;
    let mut blamed = explain::top_k(shares, shares.len().div_ceil(2));
    blamed.retain(|column| {
        let wanted = carried < BLAMED_SHARE;
        carried += shares[*column];
        wanted
    });
    blamed
}

/// Whether shares are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shares {
    Skip,
    Keep,
}

/// Adds one member's shares of each row's error.
fn add_shares(blame: &mut [f64], contributions: &[f32], scale: &[f64], weight: f64) {
    let columns = scale.len();
    let mut weighted = vec![0.0; columns];
    for (blame, row) in blame.chunks_exact_mut(columns).zip(contributions.chunks_exact(columns)) {
        weighted.iter_mut().zip(row).zip(scale).for_each(|((w, c), s)| *w = f64::from(*c) / s);
        let shares = explain::shares(&weighted);
        blame.iter_mut().zip(shares).for_each(|(b, share)| *b += weight * share);
    }
}

/// Residuals and code side by side, `[n, width + code_size]`; an unobserved cell has no residual.
pub(super) fn residual_and_code(target: &[f32], output: &[f32], codes: &[f32], width: usize) -> Vec<f32> {
    let n = target.len() / width;
    let k = codes.len() / n.max(1);
    let mut joined = Vec::with_capacity(n * (width + k));
    for row in 0..n {
        let cells = row * width..(row + 1) * width;
        joined.extend(
            target[cells.clone()].iter().zip(&output[cells]).map(|(t, o)| if t.is_nan() { 0.0 } else { t - o }),
        );
        joined.extend_from_slice(&codes[row * k..(row + 1) * k]);
    }
    joined
}

fn cell(cells: &[(String, Cell)], column: &str) -> Cell {
    cells.iter().find(|(name, _)| name == column).map_or(Cell::Missing, |(_, cell)| cell.clone())
}

fn direction(expected: &Cell, got: &Cell) -> Direction {
    match (expected, got) {
        (Cell::Number(expected), Cell::Number(got)) if got > expected => Direction::Above,
        (Cell::Number(expected), Cell::Number(got)) if got < expected => Direction::Below,
        _ => Direction::Other,
    }
}

/// Which of the schema's columns each prepared value belongs to.
pub(super) fn slots(pipeline: &Pipeline, schema: &Schema) -> Slots {
    let names = schema.names();
    let mut column_of = Vec::with_capacity(pipeline.width());
    for block in pipeline.blocks() {
        let column = names.iter().position(|name| *name == block.column).unwrap_or(0);
        column_of.extend(std::iter::repeat_n(column, block.range.len()));
    }
    Slots::new(column_of)
}
