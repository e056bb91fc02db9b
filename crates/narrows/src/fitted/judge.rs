//! The one path from prepared rows to scores and to what each column adds to them. It knows no table and no unit.

use std::sync::Arc;

use narrows_engine::{CpuExecutor, Executor, Network, Params, PreparedNetwork, Threads};
use rayon::prelude::*;

use crate::detect::residual::Slots;
use crate::detect::{Detector, Score, explain};
use crate::prep::{Prepared, finite};

/// Rows that are scored together; big enough for the matrix products, small enough for the cache.
const CHUNK: usize = 1024;

/// Columns are to blame until they carry this share of a row's error.
const BLAMED_SHARE: f64 = 0.8;
/// Times that hidden columns take on what is rebuilt in their place.
const REFINEMENTS: usize = 4;

/// All that turns prepared rows into scores: through the networks, then from errors to one score.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Judge {
    pub(crate) network: Network,
    /// The weights, one a member; the first member's code is the model's.
    pub(crate) members: Vec<Params>,
    pub(crate) detector: Detector,
    /// Which column each prepared value belongs to.
    pub(crate) slots: Slots,
}

/// What prepared rows yield.
pub(super) struct Judged {
    /// `[n]`
    pub(super) scores: Vec<f64>,
    /// `[n, columns]`, each row's shares adding up to 1; empty where nobody asked.
    pub(super) shares: Vec<f64>,
    /// `[n, width]`, the squared error of each value, 1 being an ordinary row's mean; empty where nobody asked.
    pub(super) trace: Vec<f32>,
    /// `[n, width]`, the mean of the members' outputs, where the trace is asked for.
    pub(super) output: Vec<f32>,
}

/// What is wanted beside the scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    Scores,
    /// Shares of the columns.
    Shares,
    /// Errors and outputs of every value.
    Trace,
}

impl Judge {
    /// Prepared rows, as the networks put them out, from codes `[n, code_size]`.
    pub(crate) fn decode(&self, codes: &[f32], n: usize, threads: &Threads) -> Vec<f32> {
        let mut output = vec![0.0; n * self.network.outputs()];
        self.network.decode(&self.members[0], codes, &mut output, threads);
        output
    }

    /// The first member's codes, `[n, code_size]`.
    pub(crate) fn codes(&self, prepared: &Prepared, threads: &Threads) -> Vec<f32> {
        let mut codes = vec![0.0; prepared.n * self.network.code_size()];
        self.network.encode(&self.members[0], &prepared.input, &mut codes, threads);
        codes
    }

    /// The mean of the members' outputs, `[n, width]`.
    pub(super) fn output(&self, prepared: &Prepared, threads: &Threads) -> Vec<f32> {
        mean_output(&self.network, &self.members, prepared, threads)
    }

    /// The scores of prepared rows.
    pub(super) fn score(&self, prepared: &Prepared, threads: &Threads) -> Vec<f64> {
        self.judge(prepared, Detail::Scores, threads).scores
    }

    /// The members with their weights packed, for many calls of [`judge_by`](Judge::judge_by).
    pub(super) fn ready(&self) -> Vec<Arc<dyn PreparedNetwork>> {
        // The chunks share the threads, so that a member needs one.
        let executor = CpuExecutor::serial();
        let ready = |params| executor.prepare(&self.network, params).expect("the members of this network");
        self.members.iter().map(ready).collect()
    }

    /// The scores of prepared rows, with the detail asked for.
    pub(super) fn judge(&self, prepared: &Prepared, detail: Detail, threads: &Threads) -> Judged {
        self.judge_by(&self.ready(), prepared, detail, threads)
    }

    /// The same, by members that are [`ready`](Judge::ready).
    pub(super) fn judge_by(
        &self,
        members: &[Arc<dyn PreparedNetwork>],
        prepared: &Prepared,
        detail: Detail,
        threads: &Threads,
    ) -> Judged {
        let values = (CHUNK * prepared.width).max(1);
        let chunks: Vec<Judged> = threads.install(|| {
            prepared
                .input
                .par_chunks(values)
                .zip(prepared.target.par_chunks(values))
                .map(|(input, target)| self.judge_chunk(members, input, target, detail))
                .collect()
        });
        let mut all = Judged {
            scores: Vec::with_capacity(prepared.n),
            shares: Vec::new(),
            trace: Vec::new(),
            output: Vec::new(),
        };
        for chunk in chunks {
            all.scores.extend(chunk.scores);
            all.shares.extend(chunk.shares);
            all.trace.extend(chunk.trace);
            all.output.extend(chunk.output);
        }
        all
    }

    fn judge_chunk(
        &self,
        members: &[Arc<dyn PreparedNetwork>],
        input: &[f32],
        target: &[f32],
        detail: Detail,
    ) -> Judged {
        let serial = Threads::serial();
        let (width, columns) = (self.slots.width(), self.slots.n_columns());
        let n = input.len() / width;
        let mut codes = vec![0.0; n * self.network.code_size()];
        let mut output = vec![0.0; n * width];
        let mut contributions = vec![0.0; n * columns];
        let mut residual = vec![0.0; n];
        let mut shares = if detail == Detail::Shares { vec![0.0; n * columns] } else { Vec::new() };
        let traced = if detail == Detail::Trace { n * width } else { 0 };
        let (mut trace, mut mean_output) = (vec![0.0; traced], vec![0.0; traced]);
        let member_share = 1.0 / self.members.len() as f64;
        let mut squared = None;

        for (m, (member, scale)) in members.iter().zip(&self.detector.members).enumerate() {
            member.reconstruct(input, &mut codes, &mut output);
            self.slots.contributions(target, &output, &mut contributions);
            for (log, row) in residual.iter_mut().zip(contributions.chunks_exact(columns)) {
                *log += member_share * scale.log_ratio(row);
            }
            match detail {
                Detail::Scores => {}
                Detail::Shares => add_shares(&mut shares, &contributions, &scale.columns.scale, member_share),
                Detail::Trace => {
                    // The ordinary error is that of a mean over columns.
                    let ordinary = scale.ratio.median * columns as f64 / width as f64;
                    add_trace(&mut trace, target, &output, (member_share / ordinary) as f32);
                    mean_output.iter_mut().zip(&output).for_each(|(m, o)| *m += member_share as f32 * o);
                }
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
            (Some(proximity), _) => Some(proximity.index.distance(&finite(input))),
            (None, _) => None,
        };
        let scores = (0..n)
            .map(|i| {
                self.detector.combine(residual[i], distance.as_ref().map(|d| d[i]), squared.as_ref().map(|s| s[i]))
            })
            .collect();
        Judged { scores, shares, trace, output: mean_output }
    }

    /// What the first member expects of each row, `[n, width]`, given the columns that are not to blame.
    ///
    /// A wide network copies much of an anomalous cell, so the blamed columns are hidden: they start from zero, the
    /// middle of prepared data, and take on what is rebuilt in their place, a few times over. The first member met the
    /// strongest damage and is the best at this.
    pub(super) fn expected(&self, prepared: &Prepared, shares: &[f64], threads: &Threads) -> Vec<f32> {
        let (width, columns) = (prepared.width, self.slots.n_columns());
        let hidden: Vec<Vec<usize>> = shares
            .chunks_exact(columns)
            .map(|shares| {
                let blamed = blamed(shares);
                (0..width).filter(|slot| blamed.contains(&self.slots.column(*slot))).collect()
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

/// The mean of the members' outputs, `[n, width]`.
pub(super) fn mean_output(network: &Network, members: &[Params], prepared: &Prepared, threads: &Threads) -> Vec<f32> {
    let mut mean = vec![0.0; prepared.input.len()];
    let mut output = vec![0.0; prepared.input.len()];
    let mut codes = vec![0.0; prepared.n * network.code_size()];
    let share = 1.0 / members.len() as f32;
    for params in members {
        network.reconstruct(params, &prepared.input, &mut codes, &mut output, threads);
        mean.iter_mut().zip(&output).for_each(|(m, o)| *m += share * o);
    }
    mean
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

/// Adds one member's squared errors; an unobserved value has none.
fn add_trace(trace: &mut [f32], target: &[f32], output: &[f32], weight: f32) {
    for ((sum, t), o) in trace.iter_mut().zip(target).zip(output).filter(|((_, t), _)| !t.is_nan()) {
        *sum += weight * (t - o) * (t - o);
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
