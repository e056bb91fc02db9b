//! The promises for networks over maps: same seed, same bits; a row stands alone.

use narrows_engine::rng::{Purpose, Stream};
use narrows_engine::*;
use proptest::prelude::*;

#[test]
fn a_row_has_its_loss_alone() {
    let ssim = |map| Loss::Similarity(Similarity::alone(Structure::Ssim, map));
    let network = contract::maps(Map::new(12, 11, 3), 20, PaddingMode::Zeros, ssim);
    let input = contract::input(&network, 70, 1);
    let mut target = vec![0.0; 70 * network.outputs()];
    Stream::new(1, Purpose::Demo, 0, 1).fill_uniform(&mut target);
    let losses = |rows: std::ops::Range<usize>, n_threads: usize| {
        let executor = CpuExecutor::new(Threads::new(n_threads));
        let mut losses = vec![0.0; rows.len()];
        let input = &input[rows.start * network.inputs()..rows.end * network.inputs()];
        let target = &target[rows.start * network.outputs()..rows.end * network.outputs()];
        executor.prepare(&network, &network.init(3)).unwrap().losses(input, target, 0.0, &mut losses);
        losses
    };
    let together = losses(0..70, 2);
    assert!(together.iter().all(|&loss| loss > 0.5 && loss < 2.0));
    let alone: Vec<f32> = (0..70).flat_map(|row| losses(row..row + 1, 1)).collect();
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
        let network = contract::maps(Map::new(height, width, channels), hidden, mode, |_| Loss::Mse);
        crate::inference::check(&network, n, n_threads, seed);
    }
}

#[test]
fn a_large_map_is_the_same_for_any_number_of_threads() {
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
    let train = |n: usize| contract::train(&CpuExecutor::new(Threads::new(n)), &network, 5);
    let serial = train(1);
    for n in [2, 5] {
        crate::inference::check(&network, 5, n, 1);
        assert!(train(n) == serial, "{n} threads");
    }
}
