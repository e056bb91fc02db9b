//! Gradients of the recurrent layer, comparison with PyTorch, and absent steps.

use std::ops::Range;

use crate::cpu::CpuTrainer;
use crate::rng::{Purpose, Stream};
use crate::*;

use Direction::{Bidirectional, Forward};
use SequenceOutput::{All, Last};

const STEPS: usize = 4;

/// Steps that are absent in a batch of 7 rows of 4 steps of 2 channels: at the end, in the middle, at
/// the beginning, a whole row.
const GAPS: [Range<usize>; 4] = [14..16, 26..28, 32..36, 48..56];

fn lstm(inputs: usize, hidden: usize, direction: Direction, output: SequenceOutput) -> Layer {
    Layer::Lstm(Lstm { inputs, hidden, steps: STEPS, direction, output })
}

fn network(encoder: Vec<Layer>, decoder: Vec<Layer>) -> Network {
    Network::new(encoder, Latent::Point, decoder, Output::single(2 * STEPS, Loss::Mse)).unwrap()
}

/// An autoencoder of sequences.
fn autoencoder() -> Network {
    let repeat = Layer::Repeat(Repeat { width: 4, steps: STEPS });
    let tanh = Layer::Activation(Activation::Tanh);
    network(
        vec![lstm(2, 4, Forward, Last)],
        vec![repeat, lstm(4, 3, Forward, All), tanh, Layer::time_dense(3, 2, STEPS)],
    )
}

/// Bidirectional, stacked, with a layer in between that must propagate absent steps.
fn stack() -> Network {
    let repeat = Layer::Repeat(Repeat { width: 4, steps: STEPS });
    let tanh = Layer::Activation(Activation::Tanh);
    network(
        vec![lstm(2, 3, Bidirectional, All), Layer::time_dense(6, 5, STEPS), tanh, lstm(5, 2, Bidirectional, Last)],
        vec![repeat, lstm(4, 3, Bidirectional, All), Layer::time_dense(6, 2, STEPS)],
    )
}

/// The code of every row.
fn encode(network: &Network, params: &Params, rows: &[f32]) -> Vec<f32> {
    let mut code = vec![0.0; rows.len() / network.inputs() * network.code_size()];
    CpuExecutor::serial().prepare(network, params).unwrap().encode(rows, &mut code);
    code
}

#[test]
fn gradients_agree_with_finite_differences() {
    for network in [autoencoder(), stack()] {
        crate::gradcheck::check(&network, Sparsity::None);
        crate::gradcheck::check_with_gaps(&network, Sparsity::None, &GAPS);
    }
}

#[test]
fn gradients_agree_for_every_direction_and_output() {
    for (direction, width) in [(Forward, 3), (Bidirectional, 6)] {
        for (output, steps) in [(All, STEPS), (Last, 1)] {
            let encoder = vec![lstm(2, 3, direction, output)];
            let decoder = vec![Layer::dense(steps * width, 2 * STEPS)];
            crate::gradcheck::check(&network(encoder, decoder), Sparsity::None);
            // A layer before it, so that it has to compute the input gradient.
            let encoder = vec![Layer::time_dense(2, 3, STEPS), lstm(3, 3, direction, output)];
            let decoder = vec![Layer::dense(steps * width, 2 * STEPS)];
            crate::gradcheck::check(&network(encoder, decoder), Sparsity::None);
        }
    }
}

#[test]
fn training_and_inference_agree_with_pytorch() {
    crate::golden::check("lstm", &autoencoder());
    crate::golden::check("lstm_stack", &stack());
}

#[test]
fn unequal_lengths_agree_with_pytorchs_packed_sequences() {
    crate::golden::check("lstm_masked", &autoencoder());
    crate::golden::check("lstm_stack_masked", &stack());
}

#[test]
fn a_row_with_absent_steps_is_to_the_bit_the_row_without_them() {
    let network = stack();
    let params = network.init(3);
    let short = Network {
        encoder: vec![
            Layer::Lstm(Lstm { inputs: 2, hidden: 3, steps: 2, direction: Bidirectional, output: All }),
            Layer::time_dense(6, 5, 2),
            Layer::Activation(Activation::Tanh),
            Layer::Lstm(Lstm { inputs: 5, hidden: 2, steps: 2, direction: Bidirectional, output: Last }),
        ],
        ..network.clone()
    };
    let code = encode(&short, &params, &[1.0, -2.0, 0.5, 0.3]);
    const GAP: f32 = f32::NAN;
    for row in [
        [1.0, -2.0, 0.5, 0.3, GAP, GAP, GAP, GAP],
        [GAP, GAP, 1.0, -2.0, GAP, GAP, 0.5, 0.3],
        [GAP, GAP, GAP, GAP, 1.0, -2.0, 0.5, 0.3],
    ] {
        assert_eq!(encode(&network, &params, &row), code);
    }
    assert_eq!(encode(&network, &params, &[GAP; 8]), [0.0; 4]);
}

#[test]
fn absent_steps_come_out_absent_and_single_gaps_are_no_absence() {
    let network = network(vec![lstm(2, 3, Bidirectional, All)], vec![Layer::dense(24, 8)]);
    let code = encode(&network, &network.init(1), &[1.0, 1.0, f32::NAN, f32::NAN, 2.0, 2.0, 3.0, 3.0]);
    let absent: Vec<bool> = code.chunks(6).map(|step| step.iter().all(|x| x.is_nan())).collect();
    assert_eq!(absent, [false, true, false, false]);
    assert_eq!(code.iter().filter(|x| x.is_nan()).count(), 6);
    let code = encode(&network, &network.init(1), &[1.0, f32::NAN, 1.0, 1.0, 2.0, 2.0, 3.0, 3.0]);
    // A missing channel is not an absent step: it propagates to all that depends on it.
    assert!(code[..3].iter().all(|x| x.is_nan()) && code[18..21].iter().all(|x| x.is_nan()));
    assert!(code[9..12].iter().all(|x| x.is_finite()));
}

#[test]
fn a_row_has_the_same_gradient_alone_and_in_a_batch_of_many_tiles() {
    const N: usize = 75;
    const STEPS: usize = 30;
    const WIDTH: usize = 20;
    let recurrent =
        |inputs, output| Layer::Lstm(Lstm { inputs, hidden: WIDTH, steps: STEPS, direction: Bidirectional, output });
    let network = Network::new(
        vec![recurrent(1, All), recurrent(2 * WIDTH, Last)],
        Latent::Point,
        vec![Layer::Repeat(Repeat { width: 2 * WIDTH, steps: STEPS }), Layer::time_dense(2 * WIDTH, 1, STEPS)],
        Output::single(STEPS, Loss::Mse),
    )
    .unwrap();
    let mut input = vec![0.0; N * STEPS];
    Stream::new(1, Purpose::Demo, 0, 0).fill_normal(&mut input);
    let gradient = |rows: Range<usize>, weights: RowWeights<'_>| {
        let (first, n) = (rows.start, rows.len());
        let mut trainer =
            CpuTrainer::new(&network, network.init(1), crate::golden::config(), n, Threads::new(2)).unwrap();
        let input = &input[first * STEPS..][..n * STEPS];
        let ids: Vec<u32> = (0..n as u32).collect();
        trainer.forward(&Batch { input, target: input, rows: &ids, seed: 0, epoch: 0 });
        trainer.backward(weights, 0.0);
        trainer.gradient().to_vec()
    };
    for row in [0, 31, 32, 70, 74] {
        let mut weights = [0.0; N];
        weights[row] = 1.0;
        let together = gradient(0..N, RowWeights::Given(&weights));
        crate::golden::assert_close(&format!("row {row}"), &together, &gradient(row..row + 1, RowWeights::Uniform));
    }
}

#[test]
fn what_does_not_fit_is_named() {
    let message = |encoder| {
        let output = Output::single(8, Loss::Mse);
        Network::new(encoder, Latent::Point, vec![Layer::dense(3, 8)], output).unwrap_err().to_string()
    };
    assert_eq!(
        message(vec![Layer::dense(8, 6), lstm(2, 3, Forward, Last)]),
        "`encoder.1 Lstm(2 -> 3, 4 steps, Forward, Last)`: expected 6 inputs, the width of the layer before, got 8 inputs"
    );
    let none = Layer::Lstm(Lstm { inputs: 2, hidden: 3, steps: 0, direction: Forward, output: Last });
    for layer in [none, lstm(0, 3, Forward, All), lstm(2, 0, Forward, Last)] {
        assert!(message(vec![layer]).contains("widths of at least 1"));
    }
}

#[test]
fn initial_weights_fill_their_range() {
    let network = network(vec![lstm(2, 16, Bidirectional, Last)], vec![Layer::dense(32, 8)]);
    let params = network.init(4);
    for entry in params.entries().filter(|entry| entry.name.starts_with("encoder")) {
        let largest = entry.data.iter().fold(0.0_f32, |max, x| max.max(x.abs()));
        assert!(largest <= 0.25 && largest > 0.2, "{} {largest}", entry.name);
    }
}
