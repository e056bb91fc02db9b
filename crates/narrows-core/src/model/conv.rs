//! The convolutional backbone: each convolution halves the map and adds channels, until a dense layer or a last
//! convolution gives the code; the decoder mirrors it with transposed convolutions.
//!
//! A series is a map of height 1, and only its length is halved.

use narrows_engine::{ConvTranspose, Layer, Map, MapNorm, Network, Output, Padding};

use super::backbone::{Activation, Conv, ConvCode, ConvNorm};
use super::code::{self, linear};
use super::{Latent, Sparsity};
use crate::error::{Error, Result};

/// Stride.
const STRIDE: usize = 2;

pub(super) fn build(conv: &Conv, latent: &Latent, sparsity: &Sparsity, input: Map, output: Output) -> Result<Network> {
    if conv.channels.is_empty() {
        return Err(Error::recipe("backbone.channels", "expected at least one convolution, got none"));
    }
    if conv.kernel.is_multiple_of(2) || conv.kernel > 255 {
        return Err(Error::recipe("backbone.kernel", format!("expected an odd number up to 255, got {}", conv.kernel)));
    }
    conv.channels.iter().try_for_each(|n| code::check_width("backbone.channels", *n))?;
    let builder = ConvBuilder { conv, is_flat: input.height == 1 };

    let mut encoder = Vec::new();
    let mut maps = vec![input];
    for &channels in &conv.channels {
        let layer = builder.down(maps[maps.len() - 1], channels);
        encoder.push(Layer::Conv(layer));
        maps.push(layer.output());
        builder.finish(&mut encoder, layer.output());
    }
    let deepest = maps[maps.len() - 1];
    let mut decoder = match conv.code {
        ConvCode::Vector => {
            let width = input.size();
            let code = conv.code_size.or_else(|| (width / 12).clamp(8, 128).min(width.saturating_sub(1)).max(1));
            code::check_width("backbone.code_size", code)?;
            code::push(&mut encoder, deepest.size(), code, &conv.code_activation, latent, sparsity);
            vec![linear(code, deepest.size())]
        }
        ConvCode::Map { channels } => {
            code::check_width("backbone.code.channels", channels)?;
            if matches!(latent, Latent::Gaussian(_)) {
                let message = "expected a vector code with a gaussian latent, got a map";
                return Err(Error::recipe("backbone.code", message));
            }
            let layer = builder.same_size(deepest, channels);
            encoder.push(Layer::Conv(layer));
            if let Some(activation) = code::activation(&conv.code_activation, sparsity) {
                encoder.push(activation);
            }
            vec![Layer::Conv(builder.same_size(layer.output(), deepest.channels))]
        }
    };
    builder.finish_activation(&mut decoder);
    for pair in maps.windows(2).rev() {
        let (target, from) = (pair[0], pair[1]);
        decoder.push(Layer::ConvTranspose(builder.up(from, target)));
        if target != input {
            builder.finish(&mut decoder, target);
        }
    }
    Network::new(encoder, latent.into(), decoder, output).map_err(|error| Error::recipe("backbone", error.to_string()))
}

/// Convolutions along the length only, or in both directions.
struct ConvBuilder<'a> {
    conv: &'a Conv,
    is_flat: bool,
}

impl ConvBuilder<'_> {
    /// Equal in both directions, or `flat` across a map of height 1.
    fn pair(&self, flat: usize, both: usize) -> (usize, usize) {
        if self.is_flat { (flat, both) } else { (both, both) }
    }

    /// Padding that keeps the size up to the stride.
    fn padding(&self) -> Padding {
        let (height, width) = self.pair(0, self.conv.kernel / 2);
        Padding::even(height, width)
    }

    fn same_size(&self, input: Map, channels: usize) -> narrows_engine::Conv {
        let kernel = self.pair(1, self.conv.kernel);
        narrows_engine::Conv { padding: self.padding(), ..narrows_engine::Conv::new(input, channels, kernel) }
    }

    fn down(&self, input: Map, channels: usize) -> narrows_engine::Conv {
        narrows_engine::Conv { stride: self.pair(1, STRIDE), ..self.same_size(input, channels) }
    }

    fn up(&self, input: Map, target: Map) -> ConvTranspose {
        // With stride 2, two lengths map to one; the odd one needs output padding.
        let stride = self.pair(1, STRIDE);
        let shortest = |input: usize, stride: usize| (input - 1) * stride + 1;
        ConvTranspose {
            stride,
            padding: self.padding(),
            output_padding: (
                target.height - shortest(input.height, stride.0),
                target.width - shortest(input.width, stride.1),
            ),
            ..ConvTranspose::new(input, target.channels, self.pair(1, self.conv.kernel))
        }
    }

    /// The layers after a convolution.
    fn finish(&self, layers: &mut Vec<Layer>, map: Map) {
        match self.conv.norm {
            ConvNorm::None => {}
            ConvNorm::Batch => layers.push(Layer::MapNorm(MapNorm { map, eps: 1e-5, momentum: 0.1 })),
        }
        self.finish_activation(layers);
    }

    fn finish_activation(&self, layers: &mut Vec<Layer>) {
        if self.conv.activation != Activation::Identity {
            layers.push(Layer::Activation(self.conv.activation.into()));
        }
    }
}

#[cfg(test)]
mod tests {
    use narrows_engine::Loss;

    use super::*;
    use crate::choice::Choice;

    fn check_map(conv: &Conv, map: Map, expected: &str) {
        let output = Output::single(map.size(), Loss::Mse);
        let built = build(conv, &Latent::Point, &Sparsity::None, map, output);
        let told = built.map_or_else(|error| error.to_string(), |network| network.to_string());
        assert!(told.contains(expected), "{told}");
    }

    fn check(conv: &Conv, steps: usize, expected: &str) {
        check_map(conv, Map::series(steps, 2), expected);
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
    fn every_size_of_map_comes_back_from_its_code() {
        let conv = Conv { channels: vec![4, 8], kernel: 3, code_size: Choice::Given(5), ..Conv::default() };
        for (height, width) in [(2, 9), (7, 7), (8, 5), (28, 28), (33, 18)] {
            check_map(&conv, Map::new(height, width, 3), "Point 5");
        }
        let map = Conv { code: ConvCode::Map { channels: 2 }, ..conv };
        check_map(&map, Map::new(28, 28, 1), "Conv(14x14x4 -> 7x7x8), Relu, Conv(7x7x8 -> 7x7x2)] | Point 98");
        check_map(&map, Map::new(28, 28, 1), "Conv(7x7x2 -> 7x7x8), Relu, ConvTranspose(7x7x8 -> 14x14x4)");
    }

    #[test]
    fn what_cannot_be_built_is_named() {
        check(&Conv { kernel: 4, ..Conv::default() }, 10, "backbone.kernel: expected an odd number up to 255, got 4");
        check(&Conv { channels: vec![], ..Conv::default() }, 10, "expected at least one convolution");
        let wide = Conv { code: ConvCode::Map { channels: 0 }, ..Conv::default() };
        check(&wide, 10, "backbone.code.channels: expected a width from 1");
    }
}
