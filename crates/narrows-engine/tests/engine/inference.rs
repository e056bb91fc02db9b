//! A row's result is the same to the bit alone, in any batch, at any place, for any number of threads.

use narrows_engine::rng::{Purpose, Stream};
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

/// Reconstructs rows together, shuffled and alone, whole and in halves: the bits must agree.
pub(super) fn check(network: &Network, n: usize, threads: &Threads, seed: u64) {
    let mut input = vec![0.0; n * network.inputs()];
    Stream::new(seed, Purpose::Demo, 0, 0).fill_normal(&mut input);
    check_rows(network, &input, threads, seed);
}

fn check_rows(network: &Network, input: &[f32], threads: &Threads, seed: u64) {
    let (inputs, code_size, outputs) = (network.inputs(), network.code_size(), network.outputs());
    let n = input.len() / inputs;
    let params = network.init(seed);
    let (mut code, mut output) = (vec![0.0; n * code_size], vec![0.0; n * outputs]);
    network.reconstruct(&params, input, &mut code, &mut output, threads);
    assert!(output.iter().all(|x| x.is_finite()));

    let mut encoded = vec![0.0; n * code_size];
    network.encode(&params, input, &mut encoded, threads);
    assert_eq!(encoded, code, "encode and reconstruct");
    let mut decoded = vec![0.0; n * outputs];
    network.decode(&params, &code, &mut decoded, threads);
    assert_eq!(decoded, output, "decode and reconstruct");

    let mut order: Vec<u32> = (0..n as u32).collect();
    Stream::new(seed, Purpose::Shuffle, 0, 0).shuffle(&mut order);
    let shuffled: Vec<f32> = order.iter().flat_map(|&i| input[i as usize * inputs..][..inputs].to_vec()).collect();
    let (mut codes, mut others) = (vec![0.0; n * code_size], vec![0.0; n * outputs]);
    network.reconstruct(&params, &shuffled, &mut codes, &mut others, &Threads::serial());
    for (at, &i) in order.iter().enumerate() {
        let want = &output[i as usize * outputs..][..outputs];
        assert_eq!(&others[at * outputs..][..outputs], want, "row {i} at place {at}");
        // Alone, for a few of the rows.
        if at % 37 == 0 {
            let (mut code, mut output) = (vec![0.0; code_size], vec![0.0; outputs]);
            let row = &shuffled[at * inputs..][..inputs];
            network.reconstruct(&params, row, &mut code, &mut output, threads);
            assert_eq!(output, want, "row {i} alone");
            assert_eq!(code, codes[at * code_size..][..code_size], "code of row {i} alone");
        }
    }
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
        check(&network(inputs, hidden, code, latent, loss), n, &Threads::new(n_threads), seed);
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
        let mut input = vec![0.0; n * 2 * steps];
        Stream::new(seed, Purpose::Demo, 0, 0).fill_normal(&mut input);
        // Every fifth row is shorter than the others.
        input.chunks_exact_mut(2 * steps).step_by(5).for_each(|row| row[steps / 2 * 2..].fill(f32::NAN));
        check_rows(&sequences(steps, hidden, code, direction), &input, &Threads::new(n_threads), seed);
    }
}

#[test]
fn no_rows_give_no_rows() {
    let network = network(3, 4, 2, Latent::Point, Loss::Mse);
    network.reconstruct(&network.init(0), &[], &mut [], &mut [], &Threads::new(2));
}
