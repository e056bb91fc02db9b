//! The promises for networks over maps: same seed, same bits; a row stands alone.

use narrows_engine::rng::{Purpose, Stream};
use narrows_engine::*;
use proptest::prelude::*;

const TANH: Layer = Layer::Activation(Activation::Tanh);

/// A network over maps of this size, at least 6 by 6, with every kind of layer for them, and a loss for its output.
fn network(
    height: usize,
    width: usize,
    channels: usize,
    hidden: usize,
    mode: PaddingMode,
    loss: impl Fn(Map) -> Loss,
) -> Network {
    let input = Map::new(height, width, channels);
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
    let last = Conv::same(back.output(), channels, (3, 3));
    Network::new(
        vec![
            Layer::Conv(first),
            norm,
            Layer::Activation(Activation::Relu),
            Layer::Conv(second),
            TANH,
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
    )
    .unwrap()
}

fn train(network: &Network, n: usize, threads: Threads) -> TrainerState {
    let config =
        TrainConfig { optimizer: Optimizer::Adam(AdamConfig::default()), clip: None, sparsity: Sparsity::None };
    let mut trainer = Trainer::new(network, network.init(3), config, n, threads.clone()).unwrap();
    let mut input = vec![0.0; n * network.inputs()];
    Stream::new(1, Purpose::Demo, 0, 0).fill_normal(&mut input);
    let target = vec![0.5; n * network.outputs()];
    let rows: Vec<u32> = (0..n as u32).collect();
    threads.install(|| {
        for n in [n, n - 3, 2] {
            let (input, target) = (&input[..n * network.inputs()], &target[..n * network.outputs()]);
            let batch = Batch { input, target, rows: &rows[..n], seed: 3, epoch: 0 };
            assert!(trainer.step(&batch, 0.0, 1e-2).total.is_finite());
        }
    });
    trainer.state()
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let mix = |map| Loss::Mix(Mix { map, structure: Structure::Ssim, pixels: Pixels::Bce, share: 0.5 });
    let networks = [
        network(12, 11, 3, 20, PaddingMode::Zeros, |_| Loss::Mse),
        network(12, 11, 3, 20, PaddingMode::Reflect, |map| Loss::Ssim { map }),
        network(12, 11, 2, 7, PaddingMode::Zeros, mix),
    ];
    for network in networks {
        let serial = train(&network, 85, Threads::serial());
        assert!(serial.params.all_finite());
        for n in [2, 3, 5] {
            assert!(train(&network, 85, Threads::new(n)) == serial, "{n} threads");
        }
    }
}

#[test]
fn a_row_is_judged_alone() {
    let network = network(12, 11, 3, 20, PaddingMode::Zeros, |map| Loss::Ssim { map });
    let params = network.init(3);
    let mut input = vec![0.0; 70 * network.inputs()];
    Stream::new(1, Purpose::Demo, 0, 0).fill_normal(&mut input);
    let mut target = vec![0.0; 70 * network.outputs()];
    Stream::new(1, Purpose::Demo, 0, 1).fill_uniform(&mut target);
    let judge = |rows: std::ops::Range<usize>, threads: &Threads| {
        let mut losses = vec![0.0; rows.len()];
        let input = &input[rows.start * network.inputs()..rows.end * network.inputs()];
        let target = &target[rows.start * network.outputs()..rows.end * network.outputs()];
        network.losses(&params, input, target, 0.0, &mut losses, threads);
        losses
    };
    let together = judge(0..70, &Threads::new(2));
    assert!(together.iter().all(|&loss| loss > 0.5 && loss < 2.0));
    let alone: Vec<f32> = (0..70).flat_map(|row| judge(row..row + 1, &Threads::serial())).collect();
    assert_eq!(together, alone);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 30, ..ProptestConfig::default() })]

    #[test]
    fn rows_stand_alone(
        height in 6..12_usize,
        width in 6..12_usize,
        channels in 1..4_usize,
        hidden in 1..20_usize,
        n in prop_oneof![Just(1_usize), 2..100_usize],
        mode in prop_oneof![Just(PaddingMode::Zeros), Just(PaddingMode::Reflect), Just(PaddingMode::Replicate)],
        n_threads in 1..4_usize,
        seed in 0..1000_u64,
    ) {
        let network = network(height, width, channels, hidden, mode, |_| Loss::Mse);
        crate::inference::check(&network, n, &Threads::new(n_threads), seed);
    }
}

#[test]
fn a_large_map_is_the_same_whoever_shares_it() {
    // Computed in bands of lines; the last is shorter.
    let map = Map::new(211, 40, 16);
    let first = Conv { stride: (2, 1), mode: PaddingMode::Reflect, ..Conv::same(map, 32, (5, 3)) };
    let code = Conv::new(first.output(), 3, (3, 3));
    let back = Conv::same(code.output(), 50, (3, 3));
    let network = Network::new(
        vec![Layer::Conv(first), Layer::Activation(Activation::Gelu), Layer::Conv(code)],
        Latent::Point,
        vec![Layer::Conv(back), Layer::Activation(Activation::Relu), Layer::Activation(Activation::Tanh)],
        Output::single(back.output().size(), Loss::Mse),
    )
    .unwrap();
    let serial = train(&network, 5, Threads::serial());
    for n in [2, 5] {
        crate::inference::check(&network, 5, &Threads::new(n), 1);
        assert!(train(&network, 5, Threads::new(n)) == serial, "{n} threads");
    }
}
