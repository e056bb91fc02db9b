//! The checks that every executor must pass, for this crate's own and for those of other crates.
//!
//! [`check`] holds one executor against a naive reference in f64, and against itself: the parts of a reconstruction
//! agree to the bit, a row's result does not depend on its batch, losses are those of training, and a resumed training
//! goes on as if it had never stopped. [`check_same_bits`] holds several against each other, such as executors with
//! different numbers of threads. All checks panic with the network that they failed for.

mod networks;
mod reference;

use crate::executor::Trainer;
use crate::executor::{Executor, PreparedNetwork};
use crate::layer::Layer;
use crate::network::Network;
use crate::optim::{AdamConfig, Optimizer};
use crate::rng::{Purpose, Stream};
use crate::sparsity::Sparsity;
use crate::training::{Batch, RowWeights, StepLoss, TrainConfig, TrainerState};

pub use networks::{dense, maps, networks, sequences};

/// Allowed difference from the reference in f64, relative to the largest value of a row: chains of some hundred f32
/// operations, a few layers deep.
const TOLERANCE: f64 = 1e-4;

/// Allowed relative difference of losses and gradient norms from those of the CPU over a few steps: another order of
/// summation, amplified by the updates in between.
const TRAINING_TOLERANCE: f32 = 1e-3;

/// Values nearer than this to where rounding turns are not compared: an f32 may fall on the other side.
const TIE: f64 = 1e-4;

/// Rows of a check: an uneven number, more than one tile.
const ROWS: usize = 85;

/// The weight of the code's penalty in these checks.
const CODE_PENALTY_WEIGHT: f32 = 0.5;

/// Checks an executor on every kind of layer, latent and loss.
pub fn check(executor: &dyn Executor) {
    for network in networks() {
        check_network(executor, &network, ROWS);
    }
    check_refusals(executor);
}

/// Checks an executor on one network, with at least 9 rows.
pub fn check_network(executor: &dyn Executor, network: &Network, n: usize) {
    let input = input(network, n, 7);
    check_rows(executor, network, &input, 7);
    check_against_reference(executor, network, &input[..9 * network.inputs()]);
    check_losses(executor, network, &input);
    check_training(executor, network, n);
}

/// Checks that executors agree to the bit, in training and at inference.
pub fn check_same_bits(executors: &[&dyn Executor]) {
    let (first, others) = executors.split_first().expect("executors to compare");
    for network in networks() {
        // Enough rows for threads to share them.
        let n = (60_000 / network.inputs()).clamp(ROWS, 600);
        let trained = train(*first, &network, n);
        assert!(trained.params.all_finite(), "{network}");
        let input = input(&network, 300, 3);
        let reconstructed = reconstruct(&*prepare(*first, &network, &trained), &input);
        for other in others {
            assert!(train(*other, &network, n) == trained, "training by {other:?}: {network}");
            let ours = reconstruct(&*prepare(*other, &network, &trained), &input);
            assert!(same_bits(&ours.0, &reconstructed.0), "codes by {other:?}: {network}");
            assert!(same_bits(&ours.1, &reconstructed.1), "outputs by {other:?}: {network}");
        }
    }
}

/// Rows for a network; of sequences, every fifth is shorter than the others.
pub fn input(network: &Network, n: usize, seed: u64) -> Vec<f32> {
    let width = network.inputs();
    let mut input = vec![0.0; n * width];
    Stream::new(seed, Purpose::Demo, 0, 0).fill_normal(&mut input);
    if let Layer::Lstm(lstm) = network.encoder[0] {
        let from = lstm.steps / 2 * lstm.inputs;
        input.chunks_exact_mut(width).step_by(5).for_each(|row| row[from..].fill(f32::NAN));
    }
    input
}

/// Reconstructs rows together, shuffled and alone, in one call and in two: the bits must agree.
pub fn check_rows(executor: &dyn Executor, network: &Network, input: &[f32], seed: u64) {
    let (inputs, code_size, outputs) = (network.inputs(), network.code_size(), network.outputs());
    let n = input.len() / inputs;
    let prepared = executor.prepare(network, &network.init(seed)).expect("a valid network");
    assert_eq!(prepared.network(), network);
    let (code, output) = reconstruct(&*prepared, input);

    let (mut encoded, mut decoded) = (vec![0.0; n * code_size], vec![0.0; n * outputs]);
    prepared.encode(input, &mut encoded);
    assert!(same_bits(&encoded, &code), "encode and reconstruct: {network}");
    prepared.decode(&code, &mut decoded);
    assert!(same_bits(&decoded, &output), "decode and reconstruct: {network}");

    let mut order: Vec<u32> = (0..n as u32).collect();
    Stream::new(seed, Purpose::Shuffle, 0, 0).shuffle(&mut order);
    let shuffled: Vec<f32> = order.iter().flat_map(|&i| input[i as usize * inputs..][..inputs].to_vec()).collect();
    let (codes, others) = reconstruct(&*prepared, &shuffled);
    for (at, &i) in order.iter().enumerate() {
        let want = &output[i as usize * outputs..][..outputs];
        assert!(same_bits(&others[at * outputs..][..outputs], want), "row {i} at place {at}: {network}");
        // Alone, for a few of the rows.
        if at % 37 == 0 {
            let (code, output) = reconstruct(&*prepared, &shuffled[at * inputs..][..inputs]);
            assert!(same_bits(&output, want), "row {i} alone: {network}");
            assert!(same_bits(&code, &codes[at * code_size..][..code_size]), "code of row {i} alone: {network}");
        }
    }
    reconstruct(&*prepared, &[]);
}

fn check_against_reference(executor: &dyn Executor, network: &Network, input: &[f32]) {
    let params = network.init(5);
    let prepared = executor.prepare(network, &params).expect("a valid network");
    let (code, output) = reconstruct(&*prepared, input);
    let (code_size, outputs) = (network.code_size(), network.outputs());
    let mut target = vec![0.0; output.len()];
    Stream::new(1, Purpose::Demo, 0, 1).fill_uniform(&mut target);
    target[1] = f32::NAN;
    let mut losses = vec![0.0; input.len() / network.inputs()];
    prepared.losses(input, &target, CODE_PENALTY_WEIGHT, &mut losses);
    let mut compared = 0;
    for (i, row) in input.chunks_exact(network.inputs()).enumerate() {
        let want = reference::reconstruct(network, &params, row);
        if want.nearest_tie < TIE {
            continue;
        }
        compared += 1;
        assert_close(&code[i * code_size..][..code_size], &want.code, "code", network);
        assert_close(&output[i * outputs..][..outputs], &want.output, "output", network);
        let target = &target[i * outputs..][..outputs];
        if let Some(loss) = reference::loss(network, &want, target) {
            let loss = loss + f64::from(CODE_PENALTY_WEIGHT) * want.code_penalty;
            assert_close(&losses[i..=i], &[loss], "loss", network);
        }
    }
    assert!(compared > 0, "every row is near a tie: {network}");
}

/// The losses of a trained network are those of a forward pass in training where nothing is drawn.
fn check_losses(executor: &dyn Executor, network: &Network, input: &[f32]) {
    let is_drawn = |layer: &Layer| {
        matches!(layer, Layer::Dropout(_) | Layer::BatchNorm(_) | Layer::MapNorm(_) | Layer::Rounding(_))
    };
    if network.latent.has_penalty() || network.encoder.iter().chain(&network.decoder).any(is_drawn) {
        return;
    }
    let n = input.len() / network.inputs();
    let target = vec![0.5; n * network.outputs()];
    let rows: Vec<u32> = (0..n as u32).collect();
    let mut trainer = trainer(executor, network, n);
    trainer.forward(&Batch { input, target: &target, rows: &rows, seed: 1, epoch: 0 });
    let mut losses = vec![0.0; n];
    trainer.prepared().losses(input, &target, 0.0, &mut losses);
    for (&loss, &trained) in losses.iter().zip(trainer.row_losses()) {
        assert!((loss - trained).abs() <= TOLERANCE as f32 * trained.abs().max(1.0), "{loss} {trained}: {network}");
    }
}

/// Training follows the CPU's, a resumed one goes on to the bit, and its parameters are what it hands over.
fn check_training(executor: &dyn Executor, network: &Network, n: usize) {
    let cpu = crate::CpuExecutor::serial();
    let (mut ours, mut cpus) = (trainer(executor, network, n), trainer(&cpu, network, n));
    let mut half = None;
    for epoch in 0..4 {
        if epoch == 2 {
            half = Some(ours.state());
        }
        let (a, b) = (step(&mut *ours, (network, n), epoch), step(&mut *cpus, (network, n), epoch));
        let numbers = |(loss, norm): (StepLoss, f32)| [loss.reconstruction, loss.code_penalty, loss.sparsity, norm];
        for (a, b) in numbers(a).into_iter().zip(numbers(b)) {
            assert!((a - b).abs() <= TRAINING_TOLERANCE * b.abs().max(1e-3), "epoch {epoch}, {a} {b}: {network}");
        }
    }
    let mut resumed = trainer(executor, network, n);
    resumed.restore(&half.expect("a state from half way")).expect("a state of this network");
    (2..4).for_each(|epoch| _ = step(&mut *resumed, (network, n), epoch));
    assert!(resumed.state() == ours.state(), "resumed: {network}");
    let input = input(network, 5, 3);
    let by_params = executor.prepare(network, &ours.params()).expect("a valid network");
    assert!(same_bits(&reconstruct(&*by_params, &input).1, &reconstruct(&*ours.prepared(), &input).1), "{network}");
}

/// Checks that parameters and states of another network are refused.
pub fn check_refusals(executor: &dyn Executor) {
    let (one, other) = (dense(), sequences());
    assert!(executor.prepare(&one, &other.init(0)).is_err());
    assert!(executor.trainer(&one, other.init(0), config(), 1).is_err());
    assert!(executor.trainer(&one, one.init(0), TrainConfig { clip: Some(0.0), ..config() }, 1).is_err());
    assert!(trainer(executor, &one, 1).restore(&trainer(executor, &other, 1).state()).is_err());
}

fn config() -> TrainConfig {
    TrainConfig {
        optimizer: Optimizer::AdamW(AdamConfig { weight_decay: 0.01, ..AdamConfig::default() }),
        clip: Some(0.5),
        sparsity: Sparsity::L1 { weight: 0.01 },
    }
}

fn trainer(executor: &dyn Executor, network: &Network, capacity: usize) -> Box<dyn Trainer> {
    executor.trainer(network, network.init(3), config(), capacity).expect("a valid network")
}

/// One step on `n` rows, and the norm of its gradient.
fn step(trainer: &mut dyn Trainer, (network, n): (&Network, usize), epoch: u64) -> (StepLoss, f32) {
    let input = input(network, n, 3);
    let target = vec![0.5; n * network.outputs()];
    let rows: Vec<u32> = (0..n as u32).collect();
    trainer.forward(&Batch { input: &input, target: &target, rows: &rows, seed: 3, epoch });
    let loss = trainer.backward(RowWeights::Uniform, CODE_PENALTY_WEIGHT);
    (loss, trainer.update(1e-3))
}

/// A few epochs on `n` rows, each in a large batch and a small, uneven one, by steps and by their parts.
pub fn train(executor: &dyn Executor, network: &Network, n: usize) -> TrainerState {
    let (inputs, outputs) = (network.inputs(), network.outputs());
    let mut trainer = trainer(executor, network, n);
    let input = input(network, n, 1);
    let mut target = vec![0.0; n * outputs];
    Stream::new(1, Purpose::Demo, 0, 1).fill_uniform(&mut target);
    target[5] = f32::NAN;
    executor.install(|| {
        for epoch in 0..2 {
            let mut rows: Vec<u32> = (0..n as u32).collect();
            Stream::new(3, Purpose::Shuffle, epoch, 0).shuffle(&mut rows);
            let large = n - (n / 14).max(1);
            for range in [0..large, large..n] {
                let batch = Batch {
                    input: &input[range.start * inputs..range.end * inputs],
                    target: &target[range.start * outputs..range.end * outputs],
                    rows: &rows[range],
                    seed: 3,
                    epoch,
                };
                assert!(trainer.step(&batch, CODE_PENALTY_WEIGHT, 1e-2).total.is_finite(), "{network}");
                trainer.forward(&batch);
                let weights: Vec<f32> = trainer.row_losses().iter().map(|&loss| (loss < 1.0) as u8 as f32).collect();
                trainer.backward(RowWeights::Given(&weights), CODE_PENALTY_WEIGHT);
                assert!(trainer.update(1e-2).is_finite(), "{network}");
            }
        }
        trainer.state()
    })
}

fn prepare(executor: &dyn Executor, network: &Network, state: &TrainerState) -> std::sync::Arc<dyn PreparedNetwork> {
    executor.prepare(network, &state.params).expect("a valid network")
}

/// Codes and outputs.
fn reconstruct(prepared: &dyn PreparedNetwork, input: &[f32]) -> (Vec<f32>, Vec<f32>) {
    let network = prepared.network();
    let n = input.len() / network.inputs();
    let (mut code, mut output) = (vec![f32::NAN; n * network.code_size()], vec![f32::NAN; n * network.outputs()]);
    prepared.reconstruct(input, &mut code, &mut output);
    (code, output)
}

/// Absent steps are NaN, which equals nothing.
fn same_bits(a: &[f32], b: &[f32]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits())
}

fn assert_close(got: &[f32], want: &[f64], what: &str, network: &Network) {
    let largest = want.iter().filter(|x| !x.is_nan()).fold(1e-3_f64, |largest, x| largest.max(x.abs()));
    assert_eq!(got.len(), want.len(), "{what}: {network}");
    for (i, (&got, &want)) in got.iter().zip(want).enumerate() {
        let is_close = (f64::from(got) - want).abs() <= TOLERANCE * largest || (got.is_nan() && want.is_nan());
        assert!(is_close, "{what}[{i}]: expected {want}, got {got}: {network}");
    }
}
