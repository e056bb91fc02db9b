//! A linear autoencoder in place of a network that reconstructs worse.
//!
//! PCA is the best linear autoencoder there is, and a network has to learn from examples what PCA computes from them. From a
//! few dozen images it often does not get there.

use narrows_engine::{Network, Params};

use crate::baseline::Pca;
use crate::choice::Choice;
use crate::ensemble::Ensemble;
use crate::error::Result;
use crate::model::backbone::{Activation, Backbone, Dense};
use crate::model::{self, Latent, Loss, Shape, Sparsity};
use crate::prep::{Block, Prepared};
use crate::recipe::{Data, Preset, Recipe};

/// A linear autoencoder, and the recipe that describes it.
pub(super) struct LinearAutoencoder {
    pub(super) recipe: Recipe,
    pub(super) network: Network,
    pub(super) params: Params,
    /// Why it replaces the network.
    pub(super) reason: String,
}

/// Whether the network is the preset's choice, with nothing that a linear one would not do: what the user has chosen stays.
pub(super) fn may_be_linear(recipe: &Recipe) -> bool {
    let is_free = recipe.preset == Preset::Auto && matches!(recipe.data, Data::Images(_));
    let is_plain = recipe.latent == Latent::Point && recipe.sparsity == Sparsity::None && recipe.loss == Loss::Auto;
    let mut usual = Recipe::preset_for(recipe.preset, recipe.data.kind()).backbone;
    if let (Backbone::Conv(usual), Backbone::Conv(given)) = (&mut usual, &recipe.backbone) {
        usual.code_size.clone_from(&given.code_size);
    }
    is_free && is_plain && recipe.damages().is_empty() && recipe.members.is_empty() && recipe.backbone == usual
}

impl LinearAutoencoder {
    /// That of `pca`, if it reconstructs these held-out samples better than the network.
    pub(super) fn if_better(
        recipe: &Recipe,
        ensemble: &Ensemble,
        pca: &Pca,
        held_out: &Prepared,
        (blocks, shape): (&[Block], Shape),
    ) -> Result<Option<LinearAutoencoder>> {
        let code_size = pca.n_components();
        if code_size == 0 || held_out.n == 0 {
            return Ok(None);
        }
        let network = squared_error(&held_out.target, &ensemble.output(&held_out.input));
        let linear = squared_error(&held_out.target, &ensemble.compute().install(|| pca.rebuilt(&held_out.input)));
        if network <= linear {
            return Ok(None);
        }
        let dense = Dense {
            code_size: Choice::Given(code_size),
            layers: Choice::Given(0),
            code_activation: Choice::Given(Activation::Identity),
            ..Dense::default()
        };
        let recipe = Recipe { backbone: Backbone::Dense(dense), loss: Loss::Mse, ..recipe.clone() };
        let built = model::build(recipe.axes(), blocks, shape)?;
        let reason = format!(
            "the network's error on held-out images is {:.2} times that of PCA with as large a code: the model is the linear \
             autoencoder that PCA is",
            network / linear
        );
        let params = weights(&built, pca);
        Ok(Some(LinearAutoencoder { recipe, network: built, params, reason }))
    }
}

fn squared_error(target: &[f32], output: &[f32]) -> f64 {
    target.iter().zip(output).map(|(t, o)| f64::from(t - o).powi(2)).sum()
}

/// PCA as the weights of two dense layers: code = C (x - mean), output = C^T code + mean.
fn weights(network: &Network, pca: &Pca) -> Params {
    let (k, width) = (pca.n_components(), pca.width());
    let axes = &pca.components;
    let of_mean = |axis: &[f32]| axis.iter().zip(&pca.mean).map(|(a, m)| f64::from(*a) * f64::from(*m)).sum::<f64>();
    let offsets: Vec<f32> = axes.chunks_exact(width).map(|axis| -of_mean(axis) as f32).collect();
    let transposed: Vec<f32> = (0..width).flat_map(|i| (0..k).map(move |j| axes[j * width + i])).collect();
    let mut params = network.init(0);
    let entries: [(&str, &[usize], &[f32]); 4] = [
        ("encoder.0.weight", &[k, width], axes),
        ("encoder.0.bias", &[k], &offsets),
        ("decoder.0.weight", &[width, k], &transposed),
        ("decoder.0.bias", &[width], &pca.mean),
    ];
    for (name, shape, values) in entries {
        params.set(name, shape, values).expect("a network of two dense layers");
    }
    params
}

#[cfg(test)]
mod tests {
    use narrows_images::Channels;

    use super::*;
    use crate::baseline::Components;
    use crate::compute::Compute;
    use crate::fitted::{ImageAdapter, ImageLayout};
    use crate::recipe::DataKind;

    fn recipe() -> Recipe {
        Recipe::preset_for(Preset::Auto, DataKind::Images)
    }

    #[test]
    fn pca_takes_the_place_of_a_network_that_has_learnt_nothing() {
        let layout = ImageLayout { channels: Channels::Grey, height: 4, width: 6, stride: None };
        let adapter = ImageAdapter::new(layout);
        let values: Vec<f32> =
            (0..50).flat_map(|n| (0..24).map(move |i| 0.5 + 0.4 * ((n * (i % 3) + i) as f32).sin())).collect();
        let pca = Pca::fit(&values, 50, 24, Components::Count(3), 0).unwrap();
        let samples = adapter.prepared(values);
        let (blocks, shape) = (adapter.blocks(), adapter.shape());
        let network = model::build(recipe().axes(), blocks, shape).unwrap();
        let params = network.init(0);
        let ensemble = Ensemble::new(network, vec![params], Compute::serial());
        let found = LinearAutoencoder::if_better(&recipe(), &ensemble, &pca, &samples, (blocks, shape)).unwrap();
        let linear = found.expect("PCA is better");
        assert!(linear.reason.contains("times that of PCA"), "{}", linear.reason);
        let ensemble = Ensemble::new(linear.network, vec![linear.params], Compute::serial());
        let (ours, theirs) = (ensemble.output(&samples.input), pca.rebuilt(&samples.input));
        assert!(ours.iter().zip(&theirs).all(|(a, b)| (a - b).abs() < 1e-5));
        // It is not better than itself.
        let again =
            LinearAutoencoder::if_better(&recipe(), &ensemble, &pca.first(2), &samples, (blocks, shape)).unwrap();
        assert!(again.is_none());
    }

    #[test]
    fn what_was_chosen_stays() {
        let mut given = recipe();
        assert!(may_be_linear(&given));
        given.set("backbone.code_size=7").unwrap();
        assert!(may_be_linear(&given));
        for change in
            ["backbone.channels=[8]", "latent=gaussian", "loss=ssim", "preset=conv", "data.corrupt=\"blur:2\""]
        {
            let mut given = recipe();
            given.set(change).unwrap();
            assert!(!may_be_linear(&given), "{change}");
        }
        assert!(!may_be_linear(&Recipe::default()));
    }
}
