//! The code layer, the same for every backbone, depending on latent and sparsity.

use narrows_engine::{DenseInit, Layer};

use super::{Latent, Sparsity, backbone::Activation};
use crate::choice::Choice;
use crate::error::{Error, Result};

/// Maximum layer width: rejects typing errors before allocation.
const WIDEST: usize = 65_536;

/// Adds the dense layer from `inputs` to the code, or to its mean and log-variance, and the code's activation.
pub(super) fn push(
    layers: &mut Vec<Layer>,
    inputs: usize,
    code: usize,
    activation: &Choice<Activation>,
    latent: &Latent,
    sparsity: &Sparsity,
) {
    match latent {
        Latent::Point | Latent::Quantised(_) => {
            layers.push(linear(inputs, code));
            layers.extend(self::activation(activation, sparsity));
        }
        Latent::Gaussian(_) => layers.push(linear(inputs, 2 * code)),
    }
}

/// The activation of a point code, if any.
pub(super) fn activation(chosen: &Choice<Activation>, sparsity: &Sparsity) -> Option<Layer> {
    let activation = chosen.or_else(|| wanted_activation(sparsity));
    (activation != Activation::Identity).then(|| Layer::Activation(activation.into()))
}

/// A dense layer with PyTorch's initial weights.
pub(super) fn linear(inputs: usize, outputs: usize) -> Layer {
    Layer::Dense(narrows_engine::Dense { inputs, outputs, init: DenseInit::PyTorch })
}

/// Rejects a width of 0 or above the maximum.
pub(super) fn check_width(field: &str, width: usize) -> Result<()> {
    if width == 0 || width > WIDEST {
        return Err(Error::recipe(field, format!("expected a width from 1 to {WIDEST}, got {width}")));
    }
    Ok(())
}

/// The default activation of the code: as required by the sparsity penalty, else none.
fn wanted_activation(sparsity: &Sparsity) -> Activation {
    match sparsity {
        Sparsity::None => Activation::Identity,
        Sparsity::L1 { .. } => Activation::Relu,
        Sparsity::Kl { .. } => Activation::Sigmoid,
    }
}
