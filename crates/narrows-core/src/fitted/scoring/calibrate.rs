//! Calibration of the detector on rows that did not train.

use super::resolution::Resolution;
use super::scorer::residual_and_code;
use crate::baseline::{Gaussian, Neighbourhood, Neighbours, Overview, Shrinkage};
use crate::detect::residual::Slots;
use crate::detect::scale::exponent;
use crate::detect::{
    Detector, DistanceTerm, Distances, GlobalProximity, LogRatio, MemberScale, Mixing, Proximity, References, Scope,
    Score,
};
use crate::ensemble::Ensemble;
use crate::error::Result;
use crate::prep::{Block, BlockKind, Prepared};
use crate::recipe::{Data, Recipe};

/// The rank of the nearest neighbour used as distance.
const NEIGHBOUR: usize = 5;

/// Fits the detector on prepared calibration rows; `references` are the reference rows of distances, and `resolution` is
/// theirs.
pub(crate) fn detector(
    recipe: &Recipe,
    ensemble: &Ensemble,
    (slots, blocks): (&Slots, &[Block]),
    references: Prepared,
    calibration: &Prepared,
    resolution: &Resolution,
) -> Result<Detector> {
    let (network, members, compute) = (&ensemble.network, &ensemble.members, ensemble.compute());
    let (settings, seed) = (&recipe.detect, recipe.seed);
    let n = calibration.n;
    let columns = slots.n_columns();
    let mut output = vec![0.0; n * network.outputs()];
    let mut codes = vec![0.0; n * network.code_size()];
    let mut contributions = vec![0.0; n * columns];
    let mut residual = vec![0.0; n];
    let floors = resolution.contributions(slots);
    let mut scales = Vec::with_capacity(members.len());
    let (mut gaussian, mut squared) = (None, None);
    for m in 0..members.len() {
        ensemble.reconstruct(m, &calibration.input, &mut codes, &mut output);
        slots.contributions(&calibration.target, &output, &mut contributions);
        let scale = MemberScale::fit(&contributions, &floors, settings.weighting)?;
        for (log, row) in residual.iter_mut().zip(contributions.chunks_exact(columns)) {
            *log += scale.log_ratio(row) / members.len() as f64;
        }
        scales.push(scale);
        if m == 0 && settings.score == Score::Mahalanobis {
            // The distribution is not fitted to calibration rows: rows it was fitted to lie nearer to it than
            // others.
            let some: Vec<u32> = (0..references.n.min(settings.references.max(1)) as u32).collect();
            let (joined, width) = joined(ensemble, &references.take(&some));
            let fitted = Gaussian::fit(&joined, some.len(), width, Shrinkage::LedoitWolf)?;
            let held_out = residual_and_code(&calibration.target, &output, &codes, network.outputs());
            let floor = resolution.squared_distance(&fitted);
            let distances = fitted.squared_distance(&held_out);
            gaussian = Some((fitted, LogRatio::fit(&distances, floor)?));
            squared = Some(distances);
        }
    }
    let measured = match settings.score {
        Score::Neighbour => {
            let known = ensemble.codes(&references.input);
            let floor = Resolution::of_values(&known, network.code_size(), compute).distance();
            let width = network.code_size();
            let index = Neighbours::fit(&known, references.n, width, NEIGHBOUR, settings.references, seed)?;
            let codes = ensemble.codes(&calibration.input);
            Some(CalibrationDistances::of(References::Kth(index), &codes, &[], vec![floor], ensemble))
        }
        Score::Mix if settings.mixing == Mixing::Squares => {
            let (known, width) = (references.finite(), references.width);
            let index = Neighbours::fit(&known, references.n, width, NEIGHBOUR, settings.references, seed)?;
            let floors = vec![resolution.distance()];
            Some(CalibrationDistances::of(References::Kth(index), &calibration.finite(), &[], floors, ensemble))
        }
        Score::Mix => {
            // Calibration rows are known as well: each is measured beside the others.
            let (n_references, width) = (references.n, references.width);
            let mut known = references.into_finite();
            known.extend_from_slice(&calibration.finite());
            let n_known = n_references + n;
            let weights = range_weights(&known, blocks, width);
            let floors = vec![resolution.distance(), resolution.weighted_distance(&weights), 0.0];
            let step = floors[1];
            let fit = || Neighbourhood::fit(&known, n_known, weights, step, settings.references, seed);
            let (index, kept) = compute.install(fit)?;
            let own: Vec<Option<usize>> = (n_references..n_known).map(|row| kept.binary_search(&row).ok()).collect();
            let x = calibration.finite();
            let global = |weight| Some(GlobalDistances::of(&index, &x, weight, seed, ensemble));
            let global = match settings.scope(&recipe.train.contamination) {
                Some(Scope::Both) => global(Some(GlobalProximity::WEIGHT)),
                Some(Scope::Global) => global(None),
                Some(Scope::Local) | None => None,
            };
            let views = CalibrationDistances::of(References::Views(index), &x, &own, floors, ensemble);
            Some(CalibrationDistances { global, ..views })
        }
        Score::Residual | Score::Patches | Score::Mahalanobis => None,
    };
    let fitted = measured.map(|measured| measured.proximity(&residual, settings.mixing)).transpose()?;
    let (neighbours, distances) = fitted.unzip();
    let mut detector = Detector { score: settings.score, members: scales, neighbours, gaussian, exponent: 1.0 };
    // Scores of windows and patches are combined further, and those of a table are final.
    if matches!(recipe.data, Data::Table) {
        let log = |row: usize| {
            let distances = distances.as_ref().map(|rows| &rows[row]);
            detector.log(residual[row], distances, squared.as_ref().map(|squared| squared[row]))
        };
        let logs: Vec<f64> = (0..n).map(log).collect();
        detector.exponent = exponent(&logs)?;
    }
    Ok(detector)
}

/// Reference rows, and what they measure of calibration rows.
struct CalibrationDistances {
    index: References,
    /// `[n][terms]`
    local: Vec<Vec<f64>>,
    /// `[terms]`, the distances that the resolution of the data makes.
    floors: Vec<f64>,
    global: Option<GlobalDistances>,
}

/// Subsamples of the reference rows, and what they measure of calibration rows.
struct GlobalDistances {
    overview: Overview,
    measured: Vec<[f64; Overview::MEASURES]>,
    weight: Option<f64>,
}

impl CalibrationDistances {
    /// Measures the rows `x`; `own` are the numbers of those that are references.
    fn of(
        index: References,
        x: &[f32],
        own: &[Option<usize>],
        floors: Vec<f64>,
        ensemble: &Ensemble,
    ) -> CalibrationDistances {
        let local = ensemble.compute().install(|| index.measure(x, own));
        CalibrationDistances { index, local, floors, global: None }
    }

    /// The rows with their terms on the scale of log residuals, and the distances.
    fn proximity(self, residual: &[f64], mixing: Mixing) -> Result<(Proximity, Vec<Distances>)> {
        let CalibrationDistances { index, local, floors, global } = self;
        let term = |t: usize| {
            let distances: Vec<f64> = local.iter().map(|row| row[t]).collect();
            let term = DistanceTerm::fit(&distances, floors[t], residual)?;
            Ok(if mixing == Mixing::Squares { term.squared() } else { term })
        };
        let terms = (0..index.n_terms()).map(term).collect::<Result<Vec<DistanceTerm>>>()?;
        let mut proximity = Proximity { index, terms, residual: Proximity::RESIDUAL, global: None };
        let logs: Vec<f64> =
            residual.iter().zip(&local).map(|(residual, local)| proximity.local(*residual, local)).collect();
        let (global, measured) = global.map(|global| global.proximity(&floors, &logs)).transpose()?.unzip();
        proximity.global = global;
        let one = |(row, local)| Distances { local, global: measured.as_ref().map(|rows| rows[row]) };
        let distances = local.into_iter().enumerate().map(one).collect();
        Ok((proximity, distances))
    }
}

impl GlobalDistances {
    /// Draws from the known rows, and measures the rows `x`.
    fn of(known: &Neighbourhood, x: &[f32], weight: Option<f64>, seed: u64, ensemble: &Ensemble) -> GlobalDistances {
        let overview = Overview::fit(known.reference(), known.weights(), seed);
        let measured = ensemble.compute().install(|| overview.measure(x));
        GlobalDistances { overview, measured, weight }
    }

    /// The subsamples with their terms on the scale of the local scores, whose logarithms are given, and the distances;
    /// `floors` are those of the same scalings.
    fn proximity(self, floors: &[f64], local: &[f64]) -> Result<(GlobalProximity, Vec<[f64; Overview::MEASURES]>)> {
        let GlobalDistances { overview, measured, weight } = self;
        let term = |t: usize| {
            let distances: Vec<f64> = measured.iter().map(|row| row[t]).collect();
            DistanceTerm::fit_global(&distances, floors[t], local)
        };
        let terms = [term(0)?, term(1)?];
        Ok((GlobalProximity { overview, terms, weight }, measured))
    }
}

/// The factors that bring prepared values to units of their ranges, `[width]`: those of Gower's distance (1971), in which
/// another level is as far off as the whole range of a number.
fn range_weights(known: &[f32], blocks: &[Block], width: usize) -> Vec<f32> {
    let range = |slot: usize| {
        let column = known.iter().skip(slot).step_by(width);
        let (low, high) = column.fold((f32::INFINITY, f32::NEG_INFINITY), |(l, h), x| (l.min(*x), h.max(*x)));
        high - low
    };
    let mut weights: Vec<f32> =
        (0..width).map(range).map(|range| if range > 0.0 { 1.0 / range } else { 1.0 }).collect();
    for block in blocks.iter().filter(|block| block.kind == BlockKind::Levels) {
        // Another level changes two values.
        weights[block.range.clone()].fill(std::f32::consts::FRAC_1_SQRT_2);
    }
    weights
}

/// Concatenated residuals and codes of some rows, and their total width.
fn joined(ensemble: &Ensemble, rows: &Prepared) -> (Vec<f32>, usize) {
    let network = &ensemble.network;
    let mut output = vec![0.0; rows.n * network.outputs()];
    let mut codes = vec![0.0; rows.n * network.code_size()];
    ensemble.reconstruct(0, &rows.input, &mut codes, &mut output);
    let width = network.outputs() + network.code_size();
    (residual_and_code(&rows.target, &output, &codes, network.outputs()), width)
}

#[cfg(test)]
mod tests {
    use super::super::by_hand::{FIRST, SECOND, ensemble, rows};
    use super::*;
    use crate::Preset;
    use crate::compute::Compute;

    /// A detector of members that drop one value each; `references` and `calibration` are rows.
    fn fitted(members: usize, changes: &[&str], references: &[[f32; 2]], calibration: &[[f32; 2]]) -> Detector {
        let mut recipe = Recipe::preset(Preset::Deep);
        changes.iter().for_each(|change| recipe.set(change).unwrap());
        let ensemble = ensemble(&[FIRST, SECOND][..members]);
        let none = Resolution::of_values(&[], 2, &Compute::serial());
        let slots = Slots::new(vec![0, 1]);
        detector(&recipe, &ensemble, (&slots, &[]), rows(references), &rows(calibration), &none).unwrap()
    }

    const ROWS: [[f32; 2]; 3] = [[1.0, 2.0], [2.0, 4.0], [5.0, 3.0]];

    #[test]
    fn the_ordinary_error_of_a_member_is_its_median_on_calibration_rows() {
        let found = fitted(2, &[], &[], &ROWS);
        // Half of 4, 16 and 9; half of 1, 4 and 25.
        let medians: Vec<f64> = found.members.iter().map(|member| member.ratio.median).collect();
        assert_eq!(medians, [4.5, 2.0]);
        assert!(found.members.iter().all(|member| member.columns.scale == [1.0, 1.0]));
        assert!(found.neighbours.is_none() && found.gaussian.is_none());
    }

    #[test]
    fn columns_are_weighed_by_their_mean_error_where_the_recipe_says_so() {
        let found = fitted(1, &["detect.weighting=calibrated"], &[], &[[1.0, 1.0], [1.0, 3.0]]);
        // The first column is reconstructed and has the floor, a hundredth of the only error, 5.
        assert_eq!(found.members[0].columns.scale, [0.05, 5.0]);
        // Half of 1 / 5 and of 9 / 5.
        assert!((found.members[0].ratio.median - 0.5).abs() < 1e-12);
    }

    #[test]
    fn neighbours_are_codes_of_rows_that_did_not_calibrate() {
        let references: Vec<[f32; 2]> = (0..10).map(|i| [i as f32, 0.0]).collect();
        let found = fitted(1, &["detect.score=neighbour"], &references, &[[0.0, 1.0], [-2.0, 1.0], [-4.0, 1.0]]);
        let proximity = found.neighbours.unwrap();
        let References::Kth(index) = &proximity.index else { panic!("{:?}", proximity.index) };
        assert_eq!((index.width, index.k, index.n_references()), (1, NEIGHBOUR, 10));
        // The fifth nearest of 0, 1, 2, ... from 0, -2 and -4 is at 4.
        assert_eq!(proximity.terms[0].ratio.median, 6.0);
    }

    #[test]
    fn a_mix_measures_distances_between_rows_and_brings_all_parts_to_one_scale() {
        let references: Vec<[f32; 2]> = (0..10).map(|i| [i as f32, 0.0]).collect();
        let calibration = [[0.0, 3.0], [1.0, 4.0], [9.0, 12.0]];
        let by_spread = fitted(1, &["detect.score=mix"], &references, &calibration).neighbours.unwrap();
        // Calibration rows are references, too, and none is its own neighbour.
        assert_eq!((by_spread.index.width(), by_spread.index.rows().len(), by_spread.terms.len()), (2, 2 * 13, 3));
        assert!(by_spread.terms.iter().all(|term| term.ratio.median > 0.0 && term.exchange > 0.0), "{by_spread:?}");
        let squares = ["detect.score=mix", "detect.mixing=squares"];
        let by_squares = fitted(1, &squares, &references, &calibration).neighbours.unwrap();
        // Legs of 3 and 4, of 4 and 3, both 5, and of 4 and 12.
        let term = by_squares.terms[0];
        assert_eq!((by_squares.index.width(), term.ratio.median, term.exchange), (2, 5.0, 2.0));
    }

    #[test]
    fn ranges_weigh_numbers_by_their_width_and_levels_as_much_as_a_whole_range() {
        let block = |range, kind| Block { column: String::new(), kind, range, unit_interval: false };
        let blocks = [block(0..1, BlockKind::Number), block(1..3, BlockKind::Levels)];
        let weights = range_weights(&[1.0, 0.0, 1.0, 5.0, 1.0, 0.0], &blocks, 3);
        assert_eq!(weights, [0.25, std::f32::consts::FRAC_1_SQRT_2, std::f32::consts::FRAC_1_SQRT_2]);
        assert_eq!(range_weights(&[2.0, 2.0], &[], 1), [1.0]);
    }

    #[test]
    fn as_many_references_are_kept_as_the_recipe_says() {
        let references: Vec<[f32; 2]> = (0..50).map(|i| [i as f32, 0.0]).collect();
        let found = fitted(1, &["detect.score=mix", "detect.references=7"], &references, &ROWS);
        assert_eq!(found.neighbours.unwrap().index.rows().len(), 2 * 7);
    }

    #[test]
    fn the_distribution_is_that_of_references_and_calibration_rows_say_what_is_ordinary() {
        let references: Vec<[f32; 2]> = (0..40).map(|i| [(i % 4) as f32, 10.0 + (i % 5) as f32]).collect();
        let of = |calibration: &[[f32; 2]]| {
            fitted(1, &["detect.score=mahalanobis"], &references, calibration).gaussian.unwrap()
        };
        let (near, far) = (of(&[[1.0, 12.0], [2.0, 11.0]]), of(&[[1.0, 90.0], [2.0, 95.0]]));
        // The residual of the first value, of the second, and the code.
        let mean: Vec<f64> = near.0.mean.iter().map(|x| (x * 1e6).round() / 1e6).collect();
        assert_eq!(mean, [0.0, 12.0, 1.5]);
        assert_eq!(near.0, far.0, "calibration rows have no part in it");
        assert!(far.1.median > 100.0 * near.1.median);
        let few = fitted(1, &["detect.score=mahalanobis", "detect.references=20"], &references, &ROWS);
        assert_ne!(few.gaussian.unwrap().0, near.0);
    }

    #[test]
    fn no_calibration_row_is_refused() {
        let (recipe, slots) = (Recipe::preset(Preset::Deep), Slots::new(vec![0, 1]));
        let none = Resolution::of_values(&[], 2, &Compute::serial());
        let refused =
            detector(&recipe, &ensemble(&[FIRST]), (&slots, &[]), rows(&ROWS), &rows(&[]), &none).unwrap_err();
        assert!(refused.to_string().contains("expected at least 1 calibration row"), "{refused}");
    }
}
