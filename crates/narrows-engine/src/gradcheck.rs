//! Finite differences: every backward is held against its forward.

use std::ops::Range;

use crate::cpu::CpuTrainer;
use crate::rng::{Purpose, Stream};
use crate::*;

/// Steps of the central differences: their error is of order h^2, the forward's rounding of 1e-7 / h.
/// One of them must agree: a kink of an absolute value may lie within the wider one.
const STEPS: [f32; 2] = [4e-3, 5e-4];

/// Allowed difference, relative to the largest gradient of the network.
const TOLERANCE: f32 = 5e-3;

/// The weight of the divergence in these checks.
const CODE_PENALTY_WEIGHT: f32 = 0.3;

/// The loss in f64: f32 sums of a few row losses would cost a digit of the difference.
fn total(trainer: &mut CpuTrainer, batch: &Batch<'_>) -> (f64, StepLoss) {
    trainer.forward(batch);
    let rows = trainer.row_losses().iter().map(|&loss| f64::from(loss)).sum::<f64>();
    let n = trainer.row_losses().len() as f64;
    let loss = trainer.backward(RowWeights::Uniform, CODE_PENALTY_WEIGHT);
    (rows / n + f64::from(CODE_PENALTY_WEIGHT * loss.code_penalty) + f64::from(loss.sparsity), loss)
}

/// Checks the gradient of every parameter on random rows with a gap in the targets.
pub(crate) fn check(network: &Network, sparsity: Sparsity) {
    check_with_gaps(network, sparsity, &[]);
}

/// As [`check`], with NaN in the given ranges of the input `[7, inputs]`.
pub(crate) fn check_with_gaps(network: &Network, sparsity: Sparsity, gaps: &[Range<usize>]) {
    let config = TrainConfig { optimizer: Optimizer::Adam(AdamConfig::default()), clip: None, sparsity };
    const N: usize = 7;
    let mut params = network.init(5);
    let mut stream = Stream::new(9, Purpose::Demo, 0, 0);
    // Gamma and beta start at one and zero, where mistakes can hide.
    for x in &mut params.as_mut_slice()[..network.n_params()] {
        *x += 0.2 * stream.normal();
    }
    let mut input = vec![0.0; N * network.inputs()];
    stream.fill_normal(&mut input);
    gaps.iter().for_each(|gap| input[gap.clone()].fill(f32::NAN));
    let mut target = vec![0.0; N * network.outputs()];
    stream.fill_uniform(&mut target);
    target[1] = f32::NAN;
    let rows: Vec<u32> = (10..10 + N as u32).collect();
    let batch = Batch { input: &input, target: &target, rows: &rows, seed: 2, epoch: 1 };
    let mut trainer = CpuTrainer::new(network, params.clone(), config, N, Threads::serial()).unwrap();
    let (_, loss) = total(&mut trainer, &batch);
    assert!(loss.total.is_finite());
    let gradient = trainer.gradient().to_vec();
    let largest = gradient.iter().fold(0.0_f32, |max, g| max.max(g.abs()));
    assert!(largest > 1e-3, "a gradient that vanishes checks nothing");
    let state = trainer.state();
    for (i, &ours) in gradient.iter().enumerate() {
        let mut at = |x: f32| {
            let mut moved = state.clone();
            moved.params.as_mut_slice()[i] = x;
            trainer.restore(&moved).unwrap();
            total(&mut trainer, &batch).0
        };
        let numeric = STEPS.map(|step| {
            let (up, down) = (params.as_slice()[i] + step, params.as_slice()[i] - step);
            ((at(up) - at(down)) / f64::from(up - down)) as f32
        });
        let agrees = numeric.iter().any(|x| (ours - x).abs() < TOLERANCE * largest);
        assert!(agrees, "{network}, parameter {i}: ours {ours}, numeric {numeric:?}");
    }
}
