//! The layer that makes the code, the same for every backbone: what the latent and the sparsity ask for.

use narrows_engine::{DenseInit, Layer};

use super::{Latent, Sparsity, backbone::Activation};
use crate::choice::Choice;
use crate::error::{Error, Result};

/// No layer may be wider: a slip of the keyboard is refused before it takes the memory.
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

/// The activation of a point code, where it has one.
pub(super) fn activation(chosen: &Choice<Activation>, sparsity: &Sparsity) -> Option<Layer> {
    let activation = chosen.or_else(|| wanted_activation(sparsity));
    (activation != Activation::Identity).then(|| Layer::Activation(activation.into()))
}

/// A dense layer with PyTorch's initial weights.
pub(super) fn linear(inputs: usize, outputs: usize) -> Layer {
    Layer::Dense(narrows_engine::Dense { inputs, outputs, init: DenseInit::PyTorch })
}

/// Refuses a width of nothing, or of a slip of the keyboard.
pub(super) fn check_width(field: &str, width: usize) -> Result<()> {
    if width == 0 || width > WIDEST {
        return Err(Error::recipe(field, format!("expected a width from 1 to {WIDEST}, got {width}")));
    }
    Ok(())
}

/// The code's activation where none is given: what the sparsity penalty needs, else none.
fn wanted_activation(sparsity: &Sparsity) -> Activation {
    match sparsity {
        Sparsity::None => Activation::Identity,
        Sparsity::L1 { .. } => Activation::Relu,
        Sparsity::Kl { .. } => Activation::Sigmoid,
    }
}
