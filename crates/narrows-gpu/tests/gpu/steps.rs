//! Steps of training beside the CPU's, of what the contract's networks and settings leave out.

use narrows_engine::*;

use crate::executor;

/// Allowed difference from the CPU, relative to the largest gradient or parameter: sums in another order.
const TOLERANCE: f32 = 1e-3;

const PLAIN: TrainConfig = TrainConfig {
    optimizer: Optimizer::AdamW(AdamConfig { beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 0.0 }),
    clip: None,
    sparsity: Sparsity::None,
};

/// Numbers in (0, 1).
fn numbers(n: usize, seed: u64) -> Vec<f32> {
    let mut numbers = vec![0.0; n];
    rng::Stream::new(seed, rng::Purpose::Demo, 0, 0).fill_uniform(&mut numbers);
    numbers
}

fn near(got: f32, want: f32, size: f32, what: &str) {
    assert!((got - want).abs() <= TOLERANCE * size.max(1e-3), "{what}: expected {want}, got {got}");
}

/// Trains a few steps here and on the CPU; the losses, the norms of the gradients and the parameters agree.
fn check(network: &Network, config: TrainConfig, n: usize) {
    let Some(executor) = executor() else { return };
    let executors: [&dyn Executor; 2] = [&executor, &CpuExecutor::serial()];
    let [mut ours, mut cpus] =
        executors.map(|executor| executor.trainer(network, network.init(3), config, n).expect("a valid network"));
    let (input, mut target) = (numbers(n * network.inputs(), 1), numbers(n * network.outputs(), 2));
    // Of the second row a value is not observed.
    target[network.outputs() + 3] = f32::NAN;
    let rows: Vec<u32> = (0..n as u32).map(|row| 7 * row).collect();
    let weights: Vec<f32> = (0..n).map(|row| (row % 3) as f32).collect();
    for epoch in 0..3 {
        let batch = Batch { input: &input, target: &target, rows: &rows, seed: 5, epoch };
        let step = |trainer: &mut dyn Trainer| {
            trainer.forward(&batch);
            let losses = trainer.row_losses().to_vec();
            let loss = trainer.backward(RowWeights::Given(&weights), 0.1);
            (losses, [loss.reconstruction, loss.sparsity, loss.mean_activity, loss.total, trainer.update(1e-3)])
        };
        let (a, b) = (step(&mut *ours), step(&mut *cpus));
        a.0.iter().zip(&b.0).for_each(|(&a, &b)| near(a, b, b.abs(), "row loss"));
        a.1.iter().zip(&b.1).for_each(|(&a, &b)| near(a, b, b.abs(), "loss or norm"));
    }
    let (ours, cpus) = (ours.state(), cpus.state());
    let largest = |values: &[f32]| values.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
    for (ours, cpus, what) in
        [(&ours.first, &cpus.first, "first moment"), (&ours.second, &cpus.second, "second moment")]
    {
        let size = largest(cpus);
        ours.iter().zip(cpus).for_each(|(&a, &b)| near(a, b, size, what));
    }
    // Running statistics have no moments.
    let trainable = ours.first.len();
    let (a, b) = (&ours.params.as_slice()[trainable..], &cpus.params.as_slice()[trainable..]);
    a.iter().zip(b).for_each(|(&a, &b)| near(a, b, b.abs(), "running statistic"));
}

fn network(encoder: Vec<Layer>, decoder: Vec<Layer>, loss: impl Fn(usize) -> Loss) -> Network {
    let outputs = decoder.iter().rev().find_map(Layer::widths).expect("a decoder has a width").1;
    Network::new(encoder, Latent::Point, decoder, Output::single(outputs, loss(outputs))).expect("the parts fit")
}

#[test]
fn a_sparse_code_by_divergence_and_adam_with_decay() {
    let network = network(
        vec![Layer::dense(40, 21), Layer::Activation(Activation::Sigmoid)],
        vec![Layer::dense(21, 33), Layer::Activation(Activation::Identity), Layer::dense(33, 40)],
        |_| Loss::Bce,
    );
    let adam = AdamConfig { weight_decay: 0.1, ..AdamConfig::default() };
    let sparsity = Sparsity::Kl { target: 0.1, weight: 0.2 };
    check(&network, TrainConfig { optimizer: Optimizer::Adam(adam), clip: None, sparsity }, 70);
}

#[test]
fn convolutions_with_strides_dilations_and_edges_of_every_kind() {
    for mode in [PaddingMode::Zeros, PaddingMode::Reflect, PaddingMode::Replicate] {
        let first = Conv {
            padding: Padding { top: 2, bottom: 3, left: 1, right: 4 },
            dilation: (1, 2),
            mode,
            ..Conv::new(Map::new(7, 6, 2), 35, (3, 2))
        };
        let second = Conv {
            stride: (2, 1),
            padding: Padding { top: 1, bottom: 0, left: 2, right: 2 },
            mode,
            ..Conv::new(first.output(), 3, (3, 3))
        };
        let back = ConvTranspose {
            stride: (1, 3),
            dilation: (2, 1),
            padding: Padding::even(1, 0),
            output_padding: (1, 2),
            ..ConvTranspose::new(second.output(), 34, (2, 3))
        };
        let network = network(
            vec![Layer::Conv(first), Layer::Activation(Activation::Elu), Layer::Conv(second)],
            vec![Layer::ConvTranspose(back)],
            |_| Loss::Huber { delta: 0.3 },
        );
        check(&network, PLAIN, 6);
    }
}

#[test]
fn pools_with_strides_and_edges() {
    let conv = Conv::same(Map::new(9, 8, 1), 3, (3, 3));
    for kind in [PoolKind::Max, PoolKind::Average] {
        let padding = Padding { top: 1, bottom: 0, left: 1, right: 2 };
        let pool = Pool { input: conv.output(), kind, size: (2, 3), stride: (3, 2), padding };
        let up = Upsample { input: pool.output(), kind: UpsampleKind::Bilinear, factor: (3, 2) };
        let last = Conv::new(up.output(), 2, (2, 2));
        let network =
            network(vec![Layer::Conv(conv), Layer::Pool(pool)], vec![Layer::Upsample(up), Layer::Conv(last)], |_| {
                Loss::Mse
            });
        check(&network, PLAIN, 6);
    }
}

#[test]
fn losses_of_structure_at_one_scale_and_at_five() {
    let sides = [(Structure::Ssim, Map::new(13, 12, 2)), (Structure::MsSsim, Map::new(177, 178, 1))];
    for (structure, map) in sides {
        for (pixels, share) in [(Pixels::Mse, 0.3), (Pixels::Mae, 0.84)] {
            let pool = Pool::new(map, PoolKind::Average, (6, 6));
            let conv = Conv::new(map, map.channels, (1, 1));
            let up = Upsample { input: pool.output(), kind: UpsampleKind::Nearest, factor: (6, 6) };
            let size = up.output();
            let last = Conv {
                padding: Padding { bottom: map.height - size.height, right: map.width - size.width, ..Padding::NONE },
                ..Conv::new(size, map.channels, (1, 1))
            };
            assert_eq!(last.output(), map);
            let network = network(
                vec![Layer::Conv(conv), Layer::Pool(pool)],
                vec![Layer::Upsample(up), Layer::Conv(last)],
                |_| Loss::Similarity(Similarity { map, structure, pixels, share }),
            );
            check(&network, PLAIN, 3);
        }
    }
}

#[test]
fn an_infinite_gradient_changes_nothing() {
    let Some(executor) = executor() else { return };
    let network = network(vec![Layer::dense(3, 2)], vec![Layer::dense(2, 3)], |_| Loss::Mse);
    let mut trainer = executor.trainer(&network, network.init(1), PLAIN, 4).expect("a valid network");
    let before = trainer.state();
    let input = [f32::INFINITY, 0.0, 0.0];
    let batch = Batch { input: &input, target: &[0.0; 3], rows: &[0], seed: 1, epoch: 0 };
    assert!(!trainer.step(&batch, 0.0, 0.1).total.is_finite());
    trainer.forward(&batch);
    trainer.backward(RowWeights::Uniform, 0.0);
    assert!(!trainer.update(0.1).is_finite());
    assert_eq!(trainer.state(), before);
}

#[test]
fn a_step_is_its_parts_and_every_run_gives_the_same_bits() {
    let Some(executor) = executor() else { return };
    let network = contract::dense();
    let states: Vec<TrainerState> = (0..2).map(|_| contract::train(&executor, &network, 60)).collect();
    assert!(states[0] == states[1]);
    let input = contract::input(&network, 60, 1);
    let target = numbers(60 * network.outputs(), 1);
    let rows: Vec<u32> = (0..60).collect();
    let batch = Batch { input: &input, target: &target, rows: &rows, seed: 3, epoch: 0 };
    let [whole, parts] = [true, false].map(|is_whole| {
        let mut trainer = executor.trainer(&network, network.init(1), PLAIN, 60).expect("a valid network");
        if is_whole {
            trainer.step(&batch, 0.5, 1e-2);
        } else {
            trainer.forward(&batch);
            trainer.backward(RowWeights::Uniform, 0.5);
            trainer.update(1e-2);
        }
        trainer.state()
    });
    assert!(whole == parts);
}

#[test]
fn a_batch_that_the_device_cannot_hold_is_refused() {
    let Some(executor) = executor() else { return };
    let network = network(vec![Layer::dense(3, 2)], vec![Layer::dense(2, 3)], |_| Loss::Mse);
    let error = executor.trainer(&network, network.init(1), PLAIN, 1 << 31).unwrap_err().to_string();
    assert!(error.contains("smaller batch"), "{error}");
}
