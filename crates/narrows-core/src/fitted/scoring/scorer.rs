//! Scores of prepared rows and the contribution of each column, independent of tables and units.

use rayon::prelude::*;

use crate::detect::residual::Slots;
use crate::detect::{Detector, Score, explain};
use crate::ensemble::{Ensemble, MemberOutput};
use crate::prep::{Prepared, finite};

/// Rows scored per task; few enough for the cache.
const CHUNK: usize = 1024;
/// Chunks per thread in a block: networks process a block at once.
const CHUNKS_PER_THREAD: usize = 4;
/// Values of a block, at most, unless a chunk has more.
const BLOCK_VALUES: usize = 1 << 24;

/// Computes the scores of prepared rows: runs the networks and combines their errors.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scorer {
    pub(crate) ensemble: Ensemble,
    pub(crate) detector: Detector,
    /// The column of each prepared value.
    pub(crate) slots: Slots,
}

/// The result of scoring prepared rows.
pub(crate) struct Scored {
    /// `[n]`
    pub(crate) scores: Vec<f64>,
    /// `[n, columns]`, each row's shares adding up to 1; empty unless requested.
    pub(crate) shares: Vec<f64>,
    /// `[n, width]`, the squared error of each value in units of a typical row's mean; empty unless requested.
    pub(crate) trace: Vec<f32>,
    /// `[n, width]`, the mean of the members' outputs, if the trace is requested.
    pub(crate) output: Vec<f32>,
}

/// Rows of a block that are scored together, with the network outputs of the block.
struct RowChunk<'a> {
    input: &'a [f32],
    target: &'a [f32],
    members: &'a [MemberOutput],
    first: usize,
    n: usize,
}

impl RowChunk<'_> {
    /// The rows' part of a block's values.
    fn of<'v>(&self, values: &'v [f32], width: usize) -> &'v [f32] {
        &values[self.first * width..(self.first + self.n) * width]
    }
}

/// Details computed in addition to the scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScoreDetail {
    Scores,
    /// Error shares of the columns.
    Shares,
    /// Errors and outputs of every value.
    Trace,
}

impl Scorer {
    /// The scores of prepared rows.
    pub(crate) fn score(&self, prepared: &Prepared) -> Vec<f64> {
        self.score_with(prepared, ScoreDetail::Scores).scores
    }

    /// The scores of prepared rows, with the requested detail.
    pub(crate) fn score_with(&self, prepared: &Prepared, detail: ScoreDetail) -> Scored {
        let width = prepared.width.max(1);
        let chunks = CHUNKS_PER_THREAD * self.ensemble.compute().n_threads();
        let block = CHUNK * (BLOCK_VALUES / (CHUNK * width)).clamp(1, chunks) * width;
        let mut all = Scored {
            scores: Vec::with_capacity(prepared.n),
            shares: Vec::new(),
            trace: Vec::new(),
            output: Vec::new(),
        };
        for (input, target) in prepared.input.chunks(block).zip(prepared.target.chunks(block)) {
            self.score_block(input, target, detail, &mut all);
        }
        all
    }

    /// Scores a block: networks process it whole, later steps are split into tasks.
    fn score_block(&self, input: &[f32], target: &[f32], detail: ScoreDetail, all: &mut Scored) {
        let members = self.ensemble.reconstructions(input);
        let n = input.len() / self.slots.width().max(1);
        let chunk = |first: usize| {
            let rows = RowChunk { input, target, members: &members, first, n: CHUNK.min(n - first) };
            self.score_chunk(&rows, detail)
        };
        let firsts: Vec<usize> = (0..n).step_by(CHUNK).collect();
        let chunks: Vec<Scored> = self.ensemble.compute().install(|| firsts.into_par_iter().map(chunk).collect());
        for chunk in chunks {
            all.scores.extend(chunk.scores);
            all.shares.extend(chunk.shares);
            all.trace.extend(chunk.trace);
            all.output.extend(chunk.output);
        }
    }

    fn score_chunk(&self, rows: &RowChunk<'_>, detail: ScoreDetail) -> Scored {
        let (width, columns) = (self.slots.width(), self.slots.n_columns());
        let n = rows.n;
        let (input, target) = (rows.of(rows.input, width), rows.of(rows.target, width));
        let mut contributions = vec![0.0; n * columns];
        let mut residual = vec![0.0; n];
        let mut shares = if detail == ScoreDetail::Shares { vec![0.0; n * columns] } else { Vec::new() };
        let traced = if detail == ScoreDetail::Trace { n * width } else { 0 };
        let (mut trace, mut mean_output) = (vec![0.0; traced], vec![0.0; traced]);
        let member_share = 1.0 / self.ensemble.members.len() as f64;
        let mut squared = None;

        for (m, (member, scale)) in rows.members.iter().zip(&self.detector.members).enumerate() {
            let output = rows.of(&member.output, width);
            self.slots.contributions(target, output, &mut contributions);
            for (log, row) in residual.iter_mut().zip(contributions.chunks_exact(columns)) {
                *log += member_share * scale.log_ratio(row);
            }
            match detail {
                ScoreDetail::Scores => {}
                ScoreDetail::Shares => add_shares(&mut shares, &contributions, &scale.columns.scale, member_share),
                ScoreDetail::Trace => {
                    // The median is that of a mean over columns.
                    let ordinary = scale.ratio.typical() * columns as f64 / width as f64;
                    add_trace(&mut trace, target, output, (member_share / ordinary) as f32);
                    mean_output.iter_mut().zip(output).for_each(|(m, o)| *m += member_share as f32 * o);
                }
            }
            if m == 0
                && let Some((gaussian, _)) = &self.detector.gaussian
            {
                let codes = rows.of(&member.codes, self.ensemble.code_size());
                squared = Some(gaussian.squared_distance(&residual_and_code(target, output, codes, width)));
            }
        }
        let distances = self.detector.neighbours.as_ref().map(|proximity| match self.detector.score {
            Score::Neighbour => proximity.measure(rows.of(&rows.members[0].codes, self.ensemble.code_size())),
            _ => proximity.measure(&finite(input)),
        });
        let score = |i: usize| {
            let distances = distances.as_ref().map(|rows| &rows[i]);
            self.detector.combine(residual[i], distances, squared.as_ref().map(|s| s[i]))
        };
        let scores = (0..n).map(score).collect();
        Scored { scores, shares, trace, output: mean_output }
    }
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

/// Adds one member's squared errors; zero for unobserved values.
fn add_trace(trace: &mut [f32], target: &[f32], output: &[f32], weight: f32) {
    for ((sum, t), o) in trace.iter_mut().zip(target).zip(output).filter(|((_, t), _)| !t.is_nan()) {
        *sum += weight * (t - o) * (t - o);
    }
}

/// Concatenated residuals and codes, `[n, width + code_size]`; the residual of an unobserved cell is zero.
pub(crate) fn residual_and_code(target: &[f32], output: &[f32], codes: &[f32], width: usize) -> Vec<f32> {
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

#[cfg(test)]
mod tests {
    use super::super::by_hand::{FIRST, SECOND, ensemble, rows};
    use super::*;
    use crate::baseline::{Gaussian, Neighbours};
    use crate::compute::Compute;
    use crate::detect::{ColumnScale, DistanceTerm, LogRatio, MemberScale, Proximity, References};

    const NAN: f32 = f32::NAN;

    /// A member with median error `median` and equally weighted columns.
    fn scale(median: f64) -> MemberScale {
        MemberScale { columns: ColumnScale { scale: vec![1.0, 1.0] }, ratio: LogRatio { median, floor: 0.0 } }
    }

    fn scorer(members: &[([f32; 2], [f32; 2])], scales: Vec<MemberScale>) -> Scorer {
        let detector =
            Detector { score: Score::Residual, members: scales, neighbours: None, gaussian: None, exponent: 1.0 };
        Scorer { ensemble: ensemble(members), detector, slots: Slots::new(vec![0, 1]) }
    }

    /// Compares up to rounding, as scores are computed in logarithms.
    fn check(found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len(), "{found:?}");
        let is_near = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-6 * b.abs();
        assert!(found.iter().zip(expected).all(is_near), "{found:?}, expected {expected:?}");
    }

    #[test]
    fn the_score_is_the_mean_error_over_the_ordinary_one() {
        // (second value)^2 / 2 columns / 0.5
        let scored = scorer(&[FIRST], vec![scale(0.5)]).score(&rows(&[[7.0, 1.0], [7.0, 2.0], [-3.0, 3.0]]));
        check(&scored, &[1.0, 4.0, 9.0]);
        check(&scorer(&[FIRST], vec![scale(2.0)]).score(&rows(&[[7.0, 4.0]])), &[4.0]);
    }

    #[test]
    fn a_perfect_row_scores_the_floor_and_what_was_not_observed_has_no_error() {
        let scores = scorer(&[FIRST], vec![scale(0.5)]).score(&rows(&[[7.0, 0.0], [7.0, NAN], [NAN, 2.0]]));
        check(&scores, &[LogRatio::LEAST, LogRatio::LEAST, 4.0]);
    }

    #[test]
    fn members_are_averaged_by_their_logarithms() {
        // Errors of 4 / 2 and 1 / 2, over 0.5 and 0.125: 4 and 4; then over 0.5 and 2: 4 and 0.25.
        let row = rows(&[[1.0, 2.0]]);
        check(&scorer(&[FIRST, SECOND], vec![scale(0.5), scale(0.125)]).score(&row), &[4.0]);
        check(&scorer(&[FIRST, SECOND], vec![scale(0.5), scale(2.0)]).score(&row), &[1.0]);
    }

    #[test]
    fn shares_are_those_of_weighted_contributions_averaged_over_members() {
        let row = rows(&[[1.0, 2.0]]);
        let shares = |scorer: &Scorer| scorer.score_with(&row, ScoreDetail::Shares).shares;
        check(&shares(&scorer(&[FIRST], vec![scale(0.5)])), &[0.0, 1.0]);
        check(&shares(&scorer(&[FIRST, SECOND], vec![scale(0.5), scale(0.5)])), &[0.5, 0.5]);
        // Half of both values is lost: contributions of 0.25 and 1, weighted by 1 and 4.
        let weighted =
            MemberScale { columns: ColumnScale { scale: vec![1.0, 4.0] }, ratio: LogRatio { median: 1.0, floor: 0.0 } };
        let halves = scorer(&[([0.5, 0.25], [0.5, 1.0])], vec![weighted]);
        check(&shares(&halves), &[0.5, 0.5]);
    }

    #[test]
    fn the_trace_of_an_ordinary_row_is_1_on_average() {
        let scorer = scorer(&[FIRST], vec![scale(0.5)]);
        let traced = scorer.score_with(&rows(&[[7.0, 1.0], [5.0, 2.0], [4.0, NAN]]), ScoreDetail::Trace);
        // The mean over a row's values is its score.
        assert_eq!(traced.trace, [0.0, 2.0, 0.0, 8.0, 0.0, 0.0]);
        assert_eq!(traced.output, [7.0, 0.0, 5.0, 0.0, 4.0, 0.0]);
        assert!(traced.shares.is_empty());
    }

    #[test]
    fn the_trace_and_the_output_are_means_over_members() {
        let scorer = scorer(&[FIRST, SECOND], vec![scale(0.5), scale(0.25)]);
        let traced = scorer.score_with(&rows(&[[1.0, 2.0]]), ScoreDetail::Trace);
        assert_eq!((traced.trace, traced.output), (vec![2.0, 4.0], vec![0.5, 1.0]));
    }

    #[test]
    fn details_leave_scores_alone_and_chunks_have_no_seam() {
        let many: Vec<[f32; 2]> = (0..2 * CHUNK + 7).map(|i| [i as f32, 1.0 + (i % 100) as f32]).collect();
        let scorer = scorer(&[FIRST, SECOND], vec![scale(0.5), scale(3.0)]);
        let plain = scorer.score(&rows(&many));
        for detail in [ScoreDetail::Shares, ScoreDetail::Trace] {
            assert_eq!(scorer.score_with(&rows(&many), detail).scores, plain, "{detail:?}");
        }
        for row in [0, CHUNK - 1, CHUNK, 2 * CHUNK, many.len() - 1] {
            assert_eq!(scorer.score(&rows(&many[row..=row])), plain[row..=row], "row {row}");
        }
        let mut shared = scorer.clone();
        shared.ensemble.set_compute(&Compute::with_threads(3).unwrap());
        assert_eq!(shared.score(&rows(&many)), plain);
        assert!(scorer.score(&rows(&[])).is_empty());
    }

    #[test]
    fn distances_are_of_codes_or_of_rows_as_the_score_says() {
        let index =
            |reference: &[f32], width| References::Kth(Neighbours { reference: reference.to_vec(), width, k: 1 });
        let term = DistanceTerm { ratio: LogRatio { median: 2.0, floor: 0.0 }, exchange: 2.0 };
        let proximity = |index| Some(Proximity { index, terms: vec![term], residual: 1.0, global: None });
        let mut scorer = scorer(&[FIRST], vec![scale(0.5)]);
        // The code is the first value; the nearest known code is 3.
        scorer.detector.score = Score::Neighbour;
        scorer.detector.neighbours = proximity(index(&[3.0, 100.0], 1));
        check(&scorer.score(&rows(&[[7.0, 50.0], [1.0, 0.0]])), &[2.0, 1.0]);
        // Half the logarithm of the error, 4, and of the distance squared, (10 / 2)^2.
        scorer.detector.score = Score::Mix;
        scorer.detector.neighbours = proximity(index(&[1.0, 2.0, 50.0, 50.0], 2));
        check(&scorer.score(&rows(&[[11.0, 2.0], [1.0, 2.0]])), &[10.0, (4.0 * 1e-6_f64.powi(2)).sqrt()]);
    }

    #[test]
    fn a_mahalanobis_score_is_the_squared_distance_of_residual_and_code() {
        let (mean, whitening) = (vec![0.0; 3], vec![1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
        let mut scorer = scorer(&[FIRST], vec![scale(0.5)]);
        scorer.detector.score = Score::Mahalanobis;
        let gaussian = Gaussian { mean, whitening, shrinkage: 0.0 };
        scorer.detector.gaussian = Some((gaussian, LogRatio { median: 5.0, floor: 0.0 }));
        // A residual of (0, 2) and a code of 1, then (0, 3) and 4.
        check(&scorer.score(&rows(&[[1.0, 2.0], [4.0, 3.0]])), &[1.0, 5.0]);
    }

    #[test]
    fn residual_and_code_stand_side_by_side() {
        let joined = residual_and_code(&[1.0, NAN, 3.0, 4.0], &[0.5, 9.0, 1.0, 4.5], &[7.0, 8.0], 2);
        assert_eq!(joined, [0.5, 0.0, 7.0, 2.0, -0.5, 8.0]);
    }
}
