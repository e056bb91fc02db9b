//! A row's result is the same to the bit alone, in any batch, at any place, for any number of threads.

use narrows_engine::*;
use proptest::prelude::*;

fn network(inputs: usize, hidden: usize, code: usize, latent: Latent, loss: Loss) -> Network {
    let encoded = if latent == Latent::Gaussian { 2 * code } else { code };
    Network::new(
        vec![
            Layer::dense(inputs, hidden),
            Layer::BatchNorm(BatchNorm { features: hidden, eps: 1e-5, momentum: 0.1 }),
            Layer::Activation(Activation::Gelu),
            Layer::dense(hidden, encoded),
        ],
        latent,
        vec![
            Layer::Activation(Activation::Tanh),
            Layer::dense(code, hidden),
            Layer::LayerNorm(LayerNorm { features: hidden, eps: 1e-5 }),
            Layer::Dropout(Dropout { rate: 0.5 }),
            Layer::dense(hidden, inputs),
        ],
        Output::single(inputs, loss),
    )
    .unwrap()
}

/// From a sequence of `steps` steps of two channels to a code and back.
fn sequences(steps: usize, hidden: usize, code: usize, direction: Direction) -> Network {
    let lstm = |inputs, hidden, output| Layer::Lstm(Lstm { inputs, hidden, steps, direction, output });
    let ways = if direction == Direction::Bidirectional { 2 } else { 1 };
    Network::new(
        vec![lstm(2, hidden, SequenceOutput::All), lstm(ways * hidden, code, SequenceOutput::Last)],
        Latent::Point,
        vec![
            Layer::Repeat(Repeat { width: ways * code, steps }),
            lstm(ways * code, hidden, SequenceOutput::All),
            Layer::time_dense(ways * hidden, 2, steps),
        ],
        Output::single(2 * steps, Loss::Mse),
    )
    .unwrap()
}

/// Checks random rows of a network on a number of threads.
pub(super) fn check(network: &Network, n: usize, n_threads: usize, seed: u64) {
    let executor = CpuExecutor::new(Threads::new(n_threads));
    contract::check_rows(&executor, network, &contract::input(network, n, seed), seed);
}

#[test]
fn the_executor_keeps_its_contract() {
    contract::check(&CpuExecutor::serial());
    contract::check(&CpuExecutor::new(Threads::new(3)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn rows_stand_alone(
        inputs in prop_oneof![Just(1_usize), Just(1555), 2..120_usize],
        hidden in prop_oneof![Just(1_usize), 2..100_usize],
        code in 1..9_usize,
        n in prop_oneof![Just(1_usize), 2..300_usize],
        is_gaussian: bool,
        n_threads in 1..4_usize,
        seed in 0..1000_u64,
    ) {
        let latent = if is_gaussian { Latent::Gaussian } else { Latent::Point };
        let loss = [Loss::Mse, Loss::Bce, Loss::CrossEntropy][seed as usize % 3];
        check(&network(inputs, hidden, code, latent, loss), n, n_threads, seed);
    }

    #[test]
    fn rows_of_sequences_stand_alone(
        steps in 1..20_usize,
        hidden in prop_oneof![Just(1_usize), 2..40_usize],
        code in 1..20_usize,
        n in prop_oneof![Just(1_usize), 2..150_usize],
        is_bidirectional: bool,
        n_threads in 1..4_usize,
        seed in 0..1000_u64,
    ) {
        let direction = if is_bidirectional { Direction::Bidirectional } else { Direction::Forward };
        check(&sequences(steps, hidden, code, direction), n, n_threads, seed);
    }
}
