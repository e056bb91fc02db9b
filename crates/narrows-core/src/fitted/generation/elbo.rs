//! The negative evidence lower bound of a variational model (Kingma and Welling 2014), in nats per sample.
//!
//! -ELBO(x) = sum over outputs of BCE(x, decoder(z)) + KL(q(z|x) || N(0, 1)), with z = mean + e^(log_var/2) eps and one
//! eps per sample, from the counter-based generator, so that the value is reproducible. The KL term has weight 1,
//! whatever the recipe's `beta`. Probabilities are clamped to 1e-7 from 0 and 1, as in Keras. Only binary cross-entropy
//! is a log-likelihood here: a squared error would need a fitted variance.

use narrows_engine::rng::{Purpose, Stream};
use narrows_engine::{Latent, Loss};

use crate::ensemble::Ensemble;

/// Seed of the noise, fixed so that the value is reproducible.
const SEED: u64 = 0;
/// Probabilities are clamped to this distance from 0 and 1.
const CERTAIN: f64 = 1e-7;

/// Whether the bound is defined for a model.
pub(crate) fn has_bound(ensemble: &Ensemble) -> bool {
    let network = &ensemble.network;
    network.latent == Latent::Gaussian && network.output.groups.iter().all(|group| group.loss == Loss::Bce)
}

/// The negative bound of each sample, `[n]`, from prepared rows; the first is sample number `first`.
pub(crate) fn negative_elbo(ensemble: &Ensemble, input: &[f32], target: &[f32], first: u64) -> Vec<f64> {
    let (k, width) = (ensemble.code_size(), ensemble.network.outputs());
    let encoded = ensemble.code_distributions(input);
    let codes = drawn_from(&encoded, k, 0, first);
    let output = ensemble.decode(&codes);
    let rows = target.chunks_exact(width).zip(output.chunks_exact(width)).zip(encoded.chunks_exact(2 * k));
    rows.map(|((target, output), encoded)| cross_entropy(target, output) + divergence(encoded)).collect()
}

/// One draw of the code of each sample from its distribution in `encoded`, `[n, 2 k]`; `purpose` selects the noise.
pub(super) fn drawn_codes(encoded: &[f32], k: usize, purpose: u64) -> Vec<f32> {
    drawn_from(encoded, k, purpose, 0)
}

fn drawn_from(encoded: &[f32], k: usize, purpose: u64, first: u64) -> Vec<f32> {
    let (mut codes, mut noise) = (vec![0.0; encoded.len() / 2], vec![0.0; k]);
    for (i, (code, encoded)) in codes.chunks_exact_mut(k).zip(encoded.chunks_exact(2 * k)).enumerate() {
        Stream::new(SEED, Purpose::Latent, purpose, first + i as u64).fill_normal(&mut noise);
        let (mean, log_var) = encoded.split_at(k);
        for j in 0..k {
            code[j] = mean[j] + (0.5 * log_var[j]).exp() * noise[j];
        }
    }
    codes
}

/// The sum over values of -t ln p - (1 - t) ln(1 - p); unobserved values are skipped.
fn cross_entropy(target: &[f32], output: &[f32]) -> f64 {
    let one = |(t, p): (&f32, &f32)| {
        let (t, p) = (f64::from(*t), f64::from(*p).clamp(CERTAIN, 1.0 - CERTAIN));
        -t * p.ln() - (1.0 - t) * (1.0 - p).ln()
    };
    target.iter().zip(output).filter(|(t, _)| !t.is_nan()).map(one).sum()
}

/// KL divergence of a row's [mean, log_var] from the standard normal.
fn divergence(encoded: &[f32]) -> f64 {
    let (mean, log_var) = encoded.split_at(encoded.len() / 2);
    let one = |(mean, log_var): (&f32, &f32)| {
        let (mean, log_var) = (f64::from(*mean), f64::from(*log_var));
        mean * mean + log_var.exp() - 1.0 - log_var
    };
    0.5 * mean.iter().zip(log_var).map(one).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_terms_are_those_of_the_paper() {
        assert_eq!(divergence(&[0.0, 0.0, 0.0, 0.0]), 0.0);
        // KL(N(1, 4) || N(0, 1)) = (4 + 1 - 1 - ln 4) / 2
        let kl = divergence(&[1.0, 4.0_f32.ln()]);
        assert!((kl - (2.0 - 4.0_f64.ln() / 2.0)).abs() < 1e-6, "{kl}");
        let bce = cross_entropy(&[1.0, 0.0, 0.5, f32::NAN], &[0.5, 0.5, 0.5, 0.9]);
        assert!((bce - 3.0 * 2.0_f64.ln()).abs() < 1e-9, "{bce}");
        assert!((cross_entropy(&[1.0], &[0.0]) - -(1e-7_f64.ln())).abs() < 1e-6);
    }
}
