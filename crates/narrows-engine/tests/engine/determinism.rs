//! Same seed, same bits, for any number of threads.

use narrows_engine::rng::{Purpose, Stream};
use narrows_engine::*;

const INPUTS: usize = 150;
const ROWS: usize = 600;

/// A network with every kind of layer, wide enough that its work is shared.
fn network() -> Network {
    let act = Layer::Activation;
    let group = |columns, loss, weight| Group { columns, loss, weight };
    Network::new(
        vec![
            Layer::dense(INPUTS, 200),
            Layer::BatchNorm(BatchNorm { features: 200, eps: 1e-5, momentum: 0.1 }),
            act(Activation::Relu),
            Layer::Dropout(Dropout { rate: 0.2 }),
            Layer::dense(200, 170),
            act(Activation::Gelu),
            Layer::LayerNorm(LayerNorm { features: 170, eps: 1e-5 }),
            Layer::dense(170, 12),
        ],
        Latent::Gaussian,
        vec![
            Layer::dense(6, 170),
            act(Activation::Elu),
            Layer::Dropout(Dropout { rate: 0.1 }),
            Layer::dense(170, INPUTS),
        ],
        Output {
            groups: vec![
                group(0..20, Loss::Huber { delta: 0.5 }, 1.0),
                group(20..25, Loss::CrossEntropy, 0.3),
                group(25..INPUTS, Loss::Bce, 0.5),
            ],
        },
    )
    .unwrap()
}

/// A network with every layer over sequences, rows of which miss steps.
fn sequences() -> Network {
    const STEPS: usize = 30;
    let lstm =
        |inputs, hidden, direction, output| Layer::Lstm(Lstm { inputs, hidden, steps: STEPS, direction, output });
    Network::new(
        vec![
            lstm(INPUTS / STEPS, 24, Direction::Bidirectional, SequenceOutput::All),
            Layer::time_dense(48, 20, STEPS),
            lstm(20, 24, Direction::Forward, SequenceOutput::Last),
        ],
        Latent::Point,
        vec![
            Layer::Repeat(Repeat { width: 24, steps: STEPS }),
            lstm(24, 17, Direction::Forward, SequenceOutput::All),
            Layer::time_dense(17, INPUTS / STEPS, STEPS),
        ],
        Output::single(INPUTS, Loss::Mse),
    )
    .unwrap()
}

fn train(network: Network, threads: Threads) -> TrainerState {
    let config = TrainConfig {
        optimizer: Optimizer::AdamW(AdamConfig { weight_decay: 0.01, ..AdamConfig::default() }),
        clip: Some(0.5),
        sparsity: Sparsity::L1 { weight: 0.01 },
    };
    let mut trainer = Trainer::new(&network, network.init(3), config, ROWS, threads.clone()).unwrap();
    let mut input = vec![0.0; ROWS * INPUTS];
    Stream::new(1, Purpose::Demo, 0, 0).fill_normal(&mut input);
    if matches!(network.encoder[0], Layer::Lstm(_)) {
        input.chunks_exact_mut(7 * INPUTS).for_each(|rows| rows[INPUTS - 10..INPUTS].fill(f32::NAN));
    }
    let mut target = vec![0.0; ROWS * INPUTS];
    Stream::new(1, Purpose::Demo, 0, 1).fill_uniform(&mut target);
    target[5] = f32::NAN;
    threads.install(|| {
        for epoch in 0..3 {
            let mut rows: Vec<u32> = (0..ROWS as u32).collect();
            Stream::new(1, Purpose::Shuffle, epoch, 0).shuffle(&mut rows);
            // A large batch and a small, uneven one.
            for range in [0..557, 557..ROWS] {
                let batch = Batch {
                    input: &input[range.start * INPUTS..range.end * INPUTS],
                    target: &target[range.start * INPUTS..range.end * INPUTS],
                    rows: &rows[range],
                    seed: 3,
                    epoch,
                };
                assert!(trainer.step(&batch, 0.5, 1e-2).total.is_finite());
                trainer.forward(&batch);
                let weights: Vec<f32> = trainer.row_losses().iter().map(|&loss| (loss < 1.0) as u8 as f32).collect();
                trainer.backward(RowWeights::Given(&weights), 0.5);
                assert!(trainer.update(1e-2).is_finite());
            }
        }
    });
    trainer.state()
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    for network in [network(), sequences()] {
        let serial = train(network.clone(), Threads::serial());
        assert!(serial.params.all_finite());
        assert_eq!(serial.steps, 12);
        for n in [2, 3, 5] {
            assert!(train(network.clone(), Threads::new(n)) == serial, "{n} threads");
        }
    }
}

#[test]
fn the_noise_of_a_row_does_not_depend_on_its_batch() {
    let network = network();
    let config =
        TrainConfig { optimizer: Optimizer::Adam(AdamConfig::default()), clip: None, sparsity: Sparsity::None };
    // Batch norm is the one layer whose rows look at each other in training; leave it out.
    let network = Network {
        encoder: network.encoder.iter().filter(|l| !matches!(l, Layer::BatchNorm(_))).copied().collect(),
        ..network
    };
    let mut trainer = Trainer::new(&network, network.init(3), config, 8, Threads::serial()).unwrap();
    let input: Vec<f32> = (0..8 * INPUTS).map(|i| (i as f32).sin()).collect();
    let target = vec![0.5; 8 * INPUTS];
    let mut losses = |rows: std::ops::Range<usize>| {
        let ids: Vec<u32> = rows.clone().map(|i| i as u32).collect();
        let range = rows.start * INPUTS..rows.end * INPUTS;
        trainer.forward(&Batch { input: &input[range.clone()], target: &target[range], rows: &ids, seed: 1, epoch: 2 });
        trainer.row_losses().to_vec()
    };
    let together = losses(0..8);
    let apart: Vec<f32> = (0..8).flat_map(|i| losses(i..i + 1)).collect();
    assert_eq!(together, apart);
}
