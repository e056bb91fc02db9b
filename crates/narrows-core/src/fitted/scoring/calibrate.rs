//! What an ordinary row looks like, from rows that did not train.

use super::scorer::residual_and_code;
use crate::baseline::{Gaussian, Neighbours, Shrinkage};
use crate::detect::residual::Slots;
use crate::detect::{Detector, LogRatio, MemberScale, Mixing, Proximity, Score};
use crate::ensemble::Ensemble;
use crate::error::Result;
use crate::prep::Prepared;
use crate::recipe::Recipe;

/// The neighbour whose distance counts.
const NEIGHBOUR: usize = 5;

/// Fits the detector on prepared calibration rows; `references` are the rows that distances are measured to.
pub(crate) fn detector(
    recipe: &Recipe,
    ensemble: &Ensemble,
    slots: &Slots,
    references: &Prepared,
    calibration: &Prepared,
) -> Result<Detector> {
    let Ensemble { network, members, compute } = ensemble;
    let (settings, seed) = (&recipe.detect, recipe.seed);
    let n = calibration.n;
    let columns = slots.n_columns();
    let mut output = vec![0.0; n * network.outputs()];
    let mut codes = vec![0.0; n * network.code_size()];
    let mut contributions = vec![0.0; n * columns];
    let mut residual = vec![0.0; n];
    let mut scales = Vec::with_capacity(members.len());
    let mut gaussian = None;
    for m in 0..members.len() {
        ensemble.reconstruct(m, &calibration.input, &mut codes, &mut output);
        slots.contributions(&calibration.target, &output, &mut contributions);
        let scale = MemberScale::fit(&contributions, columns, settings.weighting)?;
        for (log, row) in residual.iter_mut().zip(contributions.chunks_exact(columns)) {
            *log += scale.log_ratio(row) / members.len() as f64;
        }
        scales.push(scale);
        if m == 0 && settings.score == Score::Mahalanobis {
            // Rows that the distribution was fitted to lie nearer to it than others, so calibration rows have no part in
            // it.
            let some: Vec<u32> = (0..references.n.min(settings.references.max(1)) as u32).collect();
            let (joined, width) = joined(ensemble, &references.take(&some));
            let fitted = Gaussian::fit(&joined, some.len(), width, Shrinkage::LedoitWolf)?;
            let held_out = residual_and_code(&calibration.target, &output, &codes, network.outputs());
            let ratio = LogRatio::fit(&fitted.squared_distance(&held_out))?;
            gaussian = Some((fitted, ratio));
        }
    }
    let neighbours = match settings.score {
        Score::Neighbour => {
            let index = Neighbours::fit(
                &ensemble.codes(&references.input),
                references.n,
                network.code_size(),
                NEIGHBOUR,
                settings.references,
                seed,
            )?;
            let codes = ensemble.codes(&calibration.input);
            let distances = compute.install(|| index.distance(&codes));
            Some(Proximity::fit(index, &distances, &residual)?)
        }
        Score::Mix => {
            let index = Neighbours::fit(
                &references.finite(),
                references.n,
                references.width,
                NEIGHBOUR,
                settings.references,
                seed,
            )?;
            let distances = compute.install(|| index.distance(&calibration.finite()));
            let mut proximity = Proximity::fit(index, &distances, &residual)?;
            if settings.mixing == Mixing::Squares {
                // ln d^2 = 2 ln d
                proximity.exchange = 2.0;
            }
            Some(proximity)
        }
        Score::Residual | Score::Mahalanobis => None,
    };
    Ok(Detector { score: settings.score, members: scales, neighbours, gaussian })
}

/// Residuals and codes of some rows, and how wide they are together.
fn joined(ensemble: &Ensemble, rows: &Prepared) -> (Vec<f32>, usize) {
    let network = &ensemble.network;
    let mut output = vec![0.0; rows.n * network.outputs()];
    let mut codes = vec![0.0; rows.n * network.code_size()];
    ensemble.reconstruct(0, &rows.input, &mut codes, &mut output);
    let width = network.outputs() + network.code_size();
    (residual_and_code(&rows.target, &output, &codes, network.outputs()), width)
}
