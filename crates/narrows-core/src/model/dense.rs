//! The dense backbone: input - hidden - code - hidden - output, the decoder mirroring the encoder.
//!
//! Default widths taper geometrically from twice the input (32 to 512 units) down to the code, so that
//! each layer reduces by the same factor.

use narrows_engine::{BatchNorm, Dropout, Layer, LayerNorm, Network, Output};

use super::code::{self, linear};
use super::{Dense, Latent, Norm, Sparsity, backbone::Activation};
use crate::choice::Choice;
use crate::error::{Error, Result};

const DEFAULT_LAYERS: usize = 2;

pub(super) fn build(
    dense: &Dense,
    latent: &Latent,
    sparsity: &Sparsity,
    width: usize,
    output: Output,
) -> Result<Network> {
    let code = dense.code_size.or_else(|| code_size(width));
    let nodes = nodes(dense, width, code)?;
    code::check_width("backbone.code_size", code)?;
    nodes.iter().try_for_each(|n| code::check_width("backbone.nodes", *n))?;

    let mut encoder = Vec::new();
    let mut inputs = width;
    for &outputs in &nodes {
        hidden(&mut encoder, dense, inputs, outputs);
        inputs = outputs;
    }
    code::push(&mut encoder, inputs, code, &dense.code_activation, latent, sparsity);

    let mut decoder = Vec::new();
    let mut inputs = code;
    for &outputs in nodes.iter().rev() {
        hidden(&mut decoder, dense, inputs, outputs);
        inputs = outputs;
    }
    decoder.push(linear(inputs, width));
    Network::new(encoder, latent.into(), decoder, output).map_err(|error| Error::recipe("backbone", error.to_string()))
}

/// The default code size: the square root of the input width, always smaller than the input.
fn code_size(width: usize) -> usize {
    ((width as f64).sqrt().ceil() as usize).min(width.saturating_sub(1)).max(1)
}

/// Hidden widths from the input to the code.
fn nodes(dense: &Dense, width: usize, code: usize) -> Result<Vec<usize>> {
    match (&dense.nodes, &dense.layers) {
        (Choice::Given(nodes), Choice::Given(layers)) if nodes.len() != *layers => Err(Error::recipe(
            "backbone.nodes",
            format!("expected {layers} widths, one per layer as `backbone.layers` says, got {}", nodes.len()),
        )),
        (Choice::Given(nodes), _) => Ok(nodes.clone()),
        (Choice::Auto, layers) => {
            let layers = layers.or_else(|| DEFAULT_LAYERS);
            if layers > 64 {
                return Err(Error::recipe("backbone.layers", format!("expected at most 64 layers, got {layers}")));
            }
            let first = (2 * width).clamp(32, 512).max(code) as f64;
            let ratio = (code as f64 / first).powf(1.0 / layers.max(1) as f64);
            Ok((0..layers).map(|i| (first * ratio.powi(i as i32)).round() as usize).collect())
        }
    }
}

/// One hidden layer: dense, norm, activation, dropout.
fn hidden(layers: &mut Vec<Layer>, dense: &Dense, inputs: usize, outputs: usize) {
    layers.push(linear(inputs, outputs));
    match dense.norm {
        Norm::None => {}
        Norm::Batch => layers.push(Layer::BatchNorm(BatchNorm { features: outputs, eps: 1e-5, momentum: 0.1 })),
        Norm::Layer => layers.push(Layer::LayerNorm(LayerNorm { features: outputs, eps: 1e-5 })),
    }
    if dense.activation != Activation::Identity {
        layers.push(Layer::Activation(dense.activation.into()));
    }
    if dense.dropout.get() > 0.0 {
        layers.push(Layer::Dropout(Dropout { rate: dense.dropout.get() as f32 }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_nodes(dense: Dense, width: usize, code: usize, expected: &[usize]) {
        assert_eq!(nodes(&dense, width, code).unwrap(), expected);
    }

    #[test]
    fn widths_taper_towards_the_code() {
        check_nodes(Dense::default(), 29, 6, &[58, 19]);
        check_nodes(Dense { layers: Choice::Given(0), ..Dense::default() }, 29, 6, &[]);
        check_nodes(Dense { nodes: Choice::Given(vec![9, 5]), ..Dense::default() }, 29, 6, &[9, 5]);
    }

    #[test]
    fn the_chosen_code_is_narrower_than_the_input() {
        for width in 2..2000 {
            assert!(code_size(width) < width);
        }
        assert_eq!(code_size(1), 1);
    }

    #[test]
    fn nodes_and_layers_must_agree() {
        let dense = Dense { nodes: Choice::Given(vec![9]), layers: Choice::Given(2), ..Dense::default() };
        assert!(nodes(&dense, 5, 2).unwrap_err().to_string().contains("expected 2 widths"));
    }
}
