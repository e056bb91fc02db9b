//! What a loss by structural similarity costs, on one core.
//!
//! `cargo run --release -p narrows-engine --example similarity` prints the time of a forward pass, with the
//! loss and its slopes, above that of the same network with the squared error.

#![allow(clippy::print_stdout, reason = "it is all that this does")]

use std::time::Instant;

use narrows_engine::*;

const ROUNDS: usize = 50;

/// The shortest forward pass of several, in milliseconds; the layers are the least that there can be.
fn forward(map: Map, n: usize, loss: Loss) -> f64 {
    let size = map.size();
    let (encoder, decoder) = (vec![Layer::dense(size, 1)], vec![Layer::dense(1, size)]);
    let network = Network::new(encoder, Latent::Point, decoder, Output::single(size, loss)).expect("the map fits");
    let config =
        TrainConfig { optimizer: Optimizer::Adam(AdamConfig::default()), clip: None, sparsity: Sparsity::None };
    let trainer = CpuExecutor::serial().trainer(&network, network.init(1), config, n);
    let mut trainer = trainer.expect("the parameters fit");
    let data: Vec<f32> = (0..n * size).map(|i| (i as f32).sin().abs()).collect();
    let rows: Vec<u32> = (0..n as u32).collect();
    let batch = Batch { input: &data, target: &data, rows: &rows, seed: 0, epoch: 0 };
    let times = (0..ROUNDS).map(|_| {
        let start = Instant::now();
        trainer.forward(&batch);
        1e3 * start.elapsed().as_secs_f64()
    });
    times.fold(f64::INFINITY, f64::min)
}

fn main() {
    let ssim: fn(Map) -> Loss = |map| Loss::Similarity(Similarity::alone(Structure::Ssim, map));
    let ms_ssim: fn(Map) -> Loss = |map| Loss::Similarity(Similarity::alone(Structure::MsSsim, map));
    let mix: fn(Map) -> Loss =
        |map| Loss::Similarity(Similarity { map, structure: Structure::Ssim, pixels: Pixels::Bce, share: 0.5 });
    let cases = [
        (Map::new(28, 28, 1), 128, ssim),
        (Map::new(28, 28, 1), 128, mix),
        (Map::new(40, 40, 1), 16, ssim),
        (Map::new(64, 64, 3), 16, ssim),
        (Map::new(256, 256, 3), 2, ms_ssim),
    ];
    for (map, n, loss) in cases {
        let plain = forward(map, n, Loss::Mse);
        println!("{}, batch {n}: {:.3} ms more than {plain:.3} ms", loss(map), forward(map, n, loss(map)) - plain);
    }
}
