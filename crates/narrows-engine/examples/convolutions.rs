//! How fast convolutions are as a network for restoration uses them: 3 by 3, same size, ReLU.
//!
//! `cargo run --release -p narrows-engine --example convolutions [THREADS]` prints, for several widths, the
//! arithmetic a second of the forward and the backward pass in training and of a tile at inference. A
//! multiply-add is two operations; `bench/run.sh restore` holds a whole step against PyTorch.

#![allow(clippy::print_stdout, reason = "it is all that this does")]

use std::time::Instant;

use narrows_engine::*;

const LAYERS: usize = 6;
const ROUNDS: usize = 15;

/// `LAYERS` convolutions of so many channels, between one that widens and one that narrows.
fn network(side: usize, channels: usize) -> Network {
    let first = Conv::same(Map::new(side, side, 1), channels, (3, 3));
    let inner = Conv::same(first.output(), channels, (3, 3));
    let last = Conv::same(first.output(), 1, (3, 3));
    let mut layers = vec![Layer::Conv(first), Layer::Activation(Activation::Relu)];
    layers.extend([Layer::Conv(inner), Layer::Activation(Activation::Relu)].repeat(LAYERS));
    let output = Output::single(side * side, Loss::Mse);
    Network::new(layers, Latent::Point, vec![Layer::Conv(last)], output).expect("the maps fit")
}

/// Multiply-adds of a row's forward pass.
fn multiply_adds(side: usize, channels: usize) -> f64 {
    (side * side * 9 * (LAYERS * channels * channels + 2 * channels)) as f64
}

/// The shortest time of several, in seconds.
fn shortest(times: &[f64]) -> f64 {
    times.iter().copied().fold(f64::INFINITY, f64::min)
}

fn training(side: usize, channels: usize, n: usize, executor: &dyn Executor) {
    let network = network(side, channels);
    let config =
        TrainConfig { optimizer: Optimizer::Adam(AdamConfig::default()), clip: None, sparsity: Sparsity::None };
    let trainer = executor.trainer(&network, network.init(1), config, n);
    let mut trainer = trainer.expect("the parameters fit");
    let data: Vec<f32> = (0..n * side * side).map(|i| (i as f32).sin()).collect();
    let rows: Vec<u32> = (0..n as u32).collect();
    let batch = Batch { input: &data, target: &data, rows: &rows, seed: 0, epoch: 0 };
    let (mut forward, mut backward, mut update) = (vec![], vec![], vec![]);
    executor.install(|| {
        for _ in 0..ROUNDS {
            let start = Instant::now();
            trainer.forward(&batch);
            forward.push(start.elapsed().as_secs_f64());
            let start = Instant::now();
            trainer.backward(RowWeights::Uniform, 0.0);
            backward.push(start.elapsed().as_secs_f64());
            let start = Instant::now();
            trainer.update(1e-3);
            update.push(start.elapsed().as_secs_f64());
        }
    });
    let operations = 2e-9 * n as f64 * multiply_adds(side, channels);
    let [forward, backward, update] = [forward, backward, update].map(|times| shortest(&times));
    println!(
        "train {side}x{side}x{channels} b{n}: forward {:.1} ms, {:.0} GFLOP/s; backward {:.1} ms, {:.0} GFLOP/s; \
         update {:.2} ms; all {:.0} GFLOP/s",
        1e3 * forward,
        operations / forward,
        1e3 * backward,
        2.0 * operations / backward,
        1e3 * update,
        3.0 * operations / (forward + backward + update),
    );
}

fn inference(side: usize, channels: usize, executor: &dyn Executor) {
    let network = network(side, channels);
    let params = network.init(1);
    let prepared = executor.prepare(&network, &params).expect("the parameters fit");
    let input: Vec<f32> = (0..side * side).map(|i| (i as f32).sin()).collect();
    let mut code = vec![0.0; network.code_size()];
    let mut output = vec![0.0; side * side];
    let times: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            executor.install(|| prepared.reconstruct(&input, &mut code, &mut output));
            start.elapsed().as_secs_f64()
        })
        .collect();
    let shortest = shortest(&times);
    let speed = 2e-9 * multiply_adds(side, channels) / shortest;
    println!("infer {side}x{side}x{channels} b1: {:.1} ms, {speed:.0} GFLOP/s", 1e3 * shortest);
}

fn main() {
    let n = std::env::args().nth(1).map_or(1, |word| word.parse().expect("a number of threads"));
    let executor = CpuExecutor::new(Threads::new(n));
    for channels in [32, 48, 64] {
        training(40, channels, 16, &executor);
    }
    for channels in [32, 48, 64] {
        inference(256, channels, &executor);
    }
}
