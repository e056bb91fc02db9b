//! Same seed, same bits, for any number of threads.

use narrows_engine::*;

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let executors = [1, 2, 3, 5].map(|n| CpuExecutor::new(Threads::new(n)));
    contract::check_same_bits(&executors.each_ref().map(|executor| executor as &dyn Executor));
}

#[test]
fn the_noise_of_a_row_does_not_depend_on_its_batch() {
    let network = contract::dense();
    let inputs = network.inputs();
    let config =
        TrainConfig { optimizer: Optimizer::Adam(AdamConfig::default()), clip: None, sparsity: Sparsity::None };
    // Batch norm is the one layer whose rows depend on each other in training; leave it out.
    let network = Network {
        encoder: network.encoder.iter().filter(|l| !matches!(l, Layer::BatchNorm(_))).copied().collect(),
        ..network
    };
    let mut trainer = CpuExecutor::serial().trainer(&network, network.init(3), config, 8).unwrap();
    let input: Vec<f32> = (0..8 * inputs).map(|i| (i as f32).sin()).collect();
    let target = vec![0.5; 8 * inputs];
    let mut losses = |rows: std::ops::Range<usize>| {
        let ids: Vec<u32> = rows.clone().map(|i| i as u32).collect();
        let range = rows.start * inputs..rows.end * inputs;
        trainer.forward(&Batch { input: &input[range.clone()], target: &target[range], rows: &ids, seed: 1, epoch: 2 });
        trainer.row_losses().to_vec()
    };
    let together = losses(0..8);
    let apart: Vec<f32> = (0..8).flat_map(|i| losses(i..i + 1)).collect();
    assert_eq!(together, apart);
}
