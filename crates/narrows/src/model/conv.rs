//! The convolutional backbone for series: each convolution halves the length while it adds channels, a dense layer makes
//! the code; the decoder goes the same way back with transposed convolutions, from the code alone.

use narrows_engine::{BatchNorm, ConvTranspose, Layer, Map, Network, Output, Padding};

use super::backbone::{Activation, Conv, ConvNorm};
use super::code::{self, linear};
use super::{Latent, Sparsity};
use crate::error::{Error, Result};

/// Steps from one position of a kernel to the next.
const STRIDE: usize = 2;

pub(super) fn build(
    conv: &Conv,
    latent: &Latent,
    sparsity: &Sparsity,
    (steps, channels): (usize, usize),
    output: Output,
) -> Result<Network> {
    if conv.channels.is_empty() {
        return Err(Error::recipe("backbone.channels", "expected at least one convolution, got none"));
    }
    if conv.kernel.is_multiple_of(2) || conv.kernel > 255 {
        return Err(Error::recipe("backbone.kernel", format!("expected an odd number up to 255, got {}", conv.kernel)));
    }
    let width = steps * channels;
    let code = conv.code_size.or_else(|| (width / 12).clamp(8, 128).min(width.saturating_sub(1)).max(1));
    code::check_width("backbone.code_size", code)?;
    conv.channels.iter().try_for_each(|n| code::check_width("backbone.channels", *n))?;

    let mut encoder = Vec::new();
    let mut maps = vec![Map::series(steps, channels)];
    for &channels in &conv.channels {
        let input = maps[maps.len() - 1];
        let layer = narrows_engine::Conv {
            stride: (1, STRIDE),
            padding: padding(conv.kernel),
            ..narrows_engine::Conv::new(input, channels, (1, conv.kernel))
        };
        encoder.push(Layer::Conv(layer));
        maps.push(layer.output());
        finish(&mut encoder, conv, layer.output());
    }
    let deepest = maps[maps.len() - 1];
    code::push(&mut encoder, deepest.size(), code, &conv.code_activation, latent, sparsity);

    let mut decoder = vec![linear(code, deepest.size()), Layer::Activation(conv.activation.into())];
    for pair in maps.windows(2).rev() {
        let (target, input) = (pair[0], pair[1]);
        // Two lengths shrink to one under a stride of two; the odd one out needs a step more.
        let shortest = (input.width - 1) * STRIDE + 1;
        let layer = ConvTranspose {
            stride: (1, STRIDE),
            padding: padding(conv.kernel),
            output_padding: (0, target.width - shortest),
            ..ConvTranspose::new(input, target.channels, (1, conv.kernel))
        };
        decoder.push(Layer::ConvTranspose(layer));
        if target != maps[0] {
            finish(&mut decoder, conv, target);
        }
    }
    Network::new(encoder, latent.into(), decoder, output).map_err(|error| Error::recipe("backbone", error.to_string()))
}

/// What keeps the length but for the stride.
fn padding(kernel: usize) -> Padding {
    Padding::even(0, kernel / 2)
}

/// What follows a convolution.
fn finish(layers: &mut Vec<Layer>, conv: &Conv, map: Map) {
    match conv.norm {
        ConvNorm::None => {}
        ConvNorm::Batch => layers.push(Layer::BatchNorm(BatchNorm { eps: 1e-5, momentum: 0.1, features: map.size() })),
    }
    if conv.activation != Activation::Identity {
        layers.push(Layer::Activation(conv.activation.into()));
    }
}

#[cfg(test)]
mod tests {
    use narrows_engine::Loss;

    use super::*;
    use crate::choice::Choice;

    fn check(conv: &Conv, steps: usize, expected: &str) {
        let output = Output::single(2 * steps, Loss::Mse);
        let built = build(conv, &Latent::Point, &Sparsity::None, (steps, 2), output);
        let told = built.map_or_else(|error| error.to_string(), |network| network.to_string());
        assert!(told.contains(expected), "{told}");
    }

    #[test]
    fn every_length_comes_back_from_its_code() {
        for steps in 2..40 {
            check(&Conv::default(), steps, "Point");
        }
        let conv = Conv { channels: vec![4, 8], kernel: 3, code_size: Choice::Given(5), ..Conv::default() };
        check(&conv, 10, "Conv(1x10x2 -> 1x5x4), Relu, Conv(1x5x4 -> 1x3x8), Relu, Dense(24 -> 5)] | Point 5");
        check(&conv, 10, "Dense(5 -> 24), Relu, ConvTranspose(1x3x8 -> 1x5x4), Relu, ConvTranspose(1x5x4 -> 1x10x2)]");
    }

    #[test]
    fn what_cannot_be_built_is_named() {
        check(&Conv { kernel: 4, ..Conv::default() }, 10, "backbone.kernel: expected an odd number up to 255, got 4");
        check(&Conv { channels: vec![], ..Conv::default() }, 10, "expected at least one convolution");
    }
}
