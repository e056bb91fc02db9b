//! Networks that together have every kind of layer, latent and loss.

use crate::layer::*;
use crate::{Group, Latent, Loss, Network, Output, Pixels, Similarity, Structure};

/// All of them.
pub fn networks() -> Vec<Network> {
    let ssim = |map| Loss::Similarity(Similarity::alone(Structure::Ssim, map));
    let beside = |map| {
        let similarity = Similarity { map, structure: Structure::Ssim, pixels: Pixels::Bce, share: 0.5 };
        Loss::Similarity(similarity)
    };
    vec![
        dense(),
        plain(),
        sequences(),
        maps(Map::new(12, 11, 3), 20, PaddingMode::Zeros, |_| Loss::Mse),
        maps(Map::new(12, 11, 3), 20, PaddingMode::Reflect, ssim),
        maps(Map::new(12, 11, 2), 7, PaddingMode::Replicate, beside),
        lapped(),
    ]
}

/// Layers for rows without an order, wide enough that threads share their work.
pub fn dense() -> Network {
    const INPUTS: usize = 150;
    let activation = Layer::Activation;
    let group = |columns, loss, weight| Group { columns, loss, weight };
    let network = Network::new(
        vec![
            Layer::dense(INPUTS, 200),
            Layer::BatchNorm(BatchNorm { features: 200, eps: 1e-5, momentum: 0.1 }),
            activation(Activation::Relu),
            Layer::Dropout(Dropout { rate: 0.2 }),
            Layer::dense(200, 170),
            activation(Activation::Gelu),
            Layer::LayerNorm(LayerNorm { features: 170, eps: 1e-5 }),
            Layer::dense(170, 12),
        ],
        Latent::Gaussian,
        vec![
            Layer::dense(6, 170),
            activation(Activation::Elu),
            Layer::Dropout(Dropout { rate: 0.1 }),
            Layer::dense(170, INPUTS),
        ],
        Output {
            groups: vec![
                group(0..20, Loss::Huber { delta: 0.5 }, 1.0),
                group(20..25, Loss::CrossEntropy, 0.3),
                group(25..INPUTS, Loss::Bce, 0.5),
            ],
        },
    );
    network.expect("the widths fit")
}

/// The lapped transform of an image, rounded, and back.
fn lapped() -> Network {
    let pixels = Map::new(16, 24, 3);
    let way = |way| Layer::Lapped(Lapped { pixels, way, centre: 0.5, step: 0.02 });
    let network = Network::new(
        vec![way(LappedWay::Analysis), Layer::Rounding(Rounding { octaves: (-1.0, 2.0), offset: 0.4 })],
        Latent::Point,
        vec![way(LappedWay::Synthesis), Layer::Conv(Conv::same(pixels, 3, (3, 3))), Layer::Add(Add { back: 2 })],
        Output::single(pixels.size(), Loss::Mse),
    );
    network.expect("the maps fit")
}

/// Activations, a code to be rounded, and nothing that training draws but its noise.
fn plain() -> Network {
    let activation = Layer::Activation;
    let network = Network::new(
        vec![
            Layer::dense(9, 33),
            activation(Activation::Silu),
            Layer::dense(33, 20),
            activation(Activation::LeakyRelu),
            Layer::dense(20, 5),
        ],
        Latent::Quantised,
        vec![activation(Activation::Tanh), Layer::dense(5, 40), activation(Activation::Sigmoid), Layer::dense(40, 9)],
        Output {
            groups: vec![
                Group { columns: 0..4, loss: Loss::Mae, weight: 1.0 },
                Group { columns: 4..9, loss: Loss::Mse, weight: 2.0 },
            ],
        },
    );
    network.expect("the widths fit")
}

/// Layers for sequences.
pub fn sequences() -> Network {
    const STEPS: usize = 30;
    const CHANNELS: usize = 5;
    let lstm =
        |inputs, hidden, direction, output| Layer::Lstm(Lstm { inputs, hidden, steps: STEPS, direction, output });
    let network = Network::new(
        vec![
            lstm(CHANNELS, 24, Direction::Bidirectional, SequenceOutput::All),
            Layer::time_dense(48, 20, STEPS),
            lstm(20, 24, Direction::Forward, SequenceOutput::Last),
        ],
        Latent::Point,
        vec![
            Layer::Repeat(Repeat { width: 24, steps: STEPS }),
            lstm(24, 17, Direction::Forward, SequenceOutput::All),
            Layer::time_dense(17, CHANNELS, STEPS),
        ],
        Output::single(STEPS * CHANNELS, Loss::Mse),
    );
    network.expect("the widths fit")
}

/// Layers for maps of at least 6 by 6, with a loss for the output.
pub fn maps(input: Map, hidden: usize, mode: PaddingMode, loss: impl Fn(Map) -> Loss) -> Network {
    let first = Conv { mode, ..Conv::same(input, hidden, (3, 3)) };
    let second = Conv { stride: (2, 2), padding: Padding::even(1, 1), ..Conv::new(first.output(), 5, (3, 3)) };
    let norm = Layer::MapNorm(MapNorm { map: first.output(), eps: 1e-5, momentum: 0.1 });
    let pool = |input, kind| Pool { stride: (1, 1), ..Pool::new(input, kind, (2, 2)) };
    let largest = pool(second.output(), PoolKind::Max);
    let mean = pool(largest.output(), PoolKind::Average);
    let code = mean.output();
    let up = Upsample { input: code, kind: UpsampleKind::Bilinear, factor: (1, 2) };
    let group_norm = Layer::GroupNorm(GroupNorm { map: up.output(), groups: 5, eps: 1e-5 });
    let shuffle = PixelShuffle { input: Map { channels: 4 * hidden, ..up.output() }, factor: (2, 2) };
    let wider = Conv::new(up.output(), shuffle.input.channels, (1, 1));
    let nearest = Upsample { input: shuffle.output(), kind: UpsampleKind::Nearest, factor: (2, 1) };
    let back = ConvTranspose {
        stride: (2, 2),
        padding: Padding::even(1, 1),
        output_padding: (1, 0),
        ..ConvTranspose::new(nearest.output(), hidden, (3, 3))
    };
    let last = Conv::same(back.output(), input.channels, (3, 3));
    let network = Network::new(
        vec![
            Layer::Conv(first),
            norm,
            Layer::Activation(Activation::Relu),
            Layer::Conv(second),
            Layer::Activation(Activation::Tanh),
            Layer::Conv(Conv::same(second.output(), 5, (3, 3))),
            Layer::Add(Add { back: 2 }),
            Layer::Pool(largest),
            Layer::Pool(mean),
        ],
        Latent::Point,
        vec![
            Layer::Upsample(up),
            group_norm,
            Layer::Add(Add { back: 2 }),
            Layer::Conv(wider),
            Layer::PixelShuffle(shuffle),
            Layer::Upsample(nearest),
            Layer::ConvTranspose(back),
            Layer::Activation(Activation::Gelu),
            Layer::Conv(last),
        ],
        Output::single(last.output().size(), loss(last.output())),
    );
    network.expect("the maps fit")
}
