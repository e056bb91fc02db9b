//! The lapped backbone: the encoder is an orthonormal transform of overlapping blocks, the decoder its inverse and a
//! restoring network, which learns what rounding has done to the coefficients.
//!
//! The transform starts and stays where a linear autoencoder of photographs would end, near the principal components of
//! their blocks; so the network can only gain over it.

use narrows_engine::{Add, Lapped as Transform, LappedWay, Layer, Map, Network, Output, Rounding};

use super::backbone::Lapped;
use super::restore::Ends;
use super::{Latent, Sparsity};
use crate::codec::blocks;
use crate::error::{Error, Result};

/// In training codes are rounded in steps of 2^u times the base step, u in this range: where a residual is worth learning.
const OCTAVES: (f32, f32) = (-0.5, 1.75);
/// Rounding is towards zero, as that of an encoder that counts bits.
const OFFSET: f32 = 0.38;

pub(super) fn build(
    lapped: &Lapped,
    latent: &Latent,
    sparsity: &Sparsity,
    input: Map,
    output: Output,
) -> Result<Network> {
    if matches!(latent, Latent::Gaussian(_)) || *sparsity != Sparsity::None {
        let message =
            "expected a point or a quantised latent without sparsity with the lapped backbone, whose code is given";
        return Err(Error::recipe("backbone", message));
    }
    if !input.height.is_multiple_of(blocks::SIDE) || !input.width.is_multiple_of(blocks::SIDE) {
        let message = format!(
            "expected samples whose sides are multiples of {}, as blocks of the lapped backbone are, got {} x {}",
            blocks::SIDE,
            input.height,
            input.width
        );
        return Err(Error::recipe("data.side", message));
    }
    let way = |way| Layer::Lapped(Transform { way, ..blocks::transform(input) });
    let encoder = vec![way(LappedWay::Analysis), Layer::Rounding(Rounding { octaves: OCTAVES, offset: OFFSET })];
    let mut decoder = vec![way(LappedWay::Synthesis)];
    decoder.extend(lapped.restore().layers(ends(input.channels), (input.height, input.width))?);
    decoder.push(Layer::Add(Add { back: decoder.len() }));
    Network::new(encoder, narrows_engine::Latent::Point, decoder, output)
        .map_err(|error| Error::recipe("backbone", error.to_string()))
}

/// Input and output of the restoring network.
pub(crate) fn ends(channels: usize) -> Ends {
    Ends { input: channels, output: channels, scale: 1 }
}

#[cfg(test)]
mod tests {
    use narrows_engine::Loss;

    use super::*;

    fn check(lapped: &Lapped, latent: &Latent, map: Map, expected: &str) {
        let output = Output::single(map.size(), Loss::Mse);
        let built = build(lapped, latent, &Sparsity::None, map, output);
        let told = built.map_or_else(|error| error.to_string(), |network| network.to_string());
        assert!(told.contains(expected), "{told}");
    }

    #[test]
    fn the_decoder_restores_what_the_transform_gives_back() {
        let lapped = Lapped { channels: 4, blocks: 1, kernel: 3 };
        let map = Map::new(16, 24, 3);
        check(&lapped, &Latent::Point, map, "[Lapped(16x24x3 -> 2x3x192), Rounding] | Point 1152");
        check(&lapped, &Latent::Point, map, "decoder [Lapped(2x3x192 -> 16x24x3), Conv(16x24x3 -> 8x12x4)");
        check(&lapped, &Latent::Point, map, "PixelShuffle(8x12x12 -> 16x24x3), Add(9 back)]");
        check(
            &lapped,
            &Latent::Point,
            Map::new(16, 12, 3),
            "data.side: expected samples whose sides are multiples of 8",
        );
        check(&lapped, &Latent::Gaussian(Default::default()), map, "expected a point or a quantised latent");
    }
}
