//! Tests against PyTorch's numbers in `testdata/golden*.json`, each made by the script of its name.

use serde_json::Value;

use crate::cpu::CpuTrainer;
use crate::*;

/// Agreement with PyTorch's f32: both sides round, in other orders, for ten steps.
const TOLERANCE: f32 = 2e-5;

/// Read when compiled, so that a moved build folder cannot lose them.
const FILES: [&str; 3] = [
    include_str!("../testdata/golden.json"),
    include_str!("../testdata/golden_conv.json"),
    include_str!("../testdata/golden_similarity.json"),
];

pub(crate) struct Case(Value);

impl Case {
    pub(crate) fn load(name: &str) -> Self {
        let case = FILES.iter().find_map(|text| {
            let mut all: Value = serde_json::from_str(text).expect("a golden file is JSON");
            Some(all[name].take()).filter(|case| !case.is_null())
        });
        Self(case.unwrap_or_else(|| panic!("no golden file has a case {name}")))
    }

    /// The numbers under `key`; null is NaN.
    pub(crate) fn numbers(&self, key: &str) -> Vec<f32> {
        numbers(&self.0[key])
    }
}

fn numbers(value: &Value) -> Vec<f32> {
    let list = value.as_array().expect("a list of numbers");
    list.iter().map(|x| x.as_f64().map_or(f32::NAN, |x| x as f32)).collect()
}

fn largest(values: &[f32]) -> f32 {
    values.iter().fold(0.0, |max, x| max.max(x.abs()))
}

/// Compares relative to the largest of the wanted values.
pub(crate) fn assert_close(what: &str, got: &[f32], want: &[f32]) {
    assert_close_at(what, got, want, largest(want));
}

fn assert_close_at(what: &str, got: &[f32], want: &[f32], size: f32) {
    assert_eq!(got.len(), want.len(), "{what}: length");
    for (i, (got, want)) in got.iter().zip(want).enumerate() {
        let error = (got - want).abs();
        assert!(error <= TOLERANCE * size, "{what}[{i}]: expected {want}, got {got}");
    }
}

/// How the script trains unless a case says otherwise: plain Adam.
pub(crate) fn config() -> TrainConfig {
    TrainConfig { optimizer: Optimizer::Adam(AdamConfig::default()), clip: None, sparsity: Sparsity::None }
}

pub(crate) fn check(name: &str, network: &Network) {
    check_config(name, network, config());
}

/// Compares the first gradient, ten training losses, the parameters after them and the reconstruction.
pub(crate) fn check_config(name: &str, network: &Network, config: TrainConfig) {
    const LEARNING_RATE: f32 = 0.01;
    let case = Case::load(name);
    let mut params = network.init(0);
    let specs: Vec<_> = params.entries().map(|e| (e.name.to_owned(), e.shape.to_vec())).collect();
    for (entry, shape) in &specs {
        params.set(entry, shape, &numbers(&case.0["initial"][entry])).unwrap();
    }
    let (input, target) = (case.numbers("input"), case.numbers("target"));
    let n = input.len() / network.inputs();
    let rows: Vec<u32> = (0..n as u32).collect();
    let batch = Batch { input: &input, target: &target, rows: &rows, seed: 0, epoch: 0 };
    let mut trainer = CpuTrainer::new(network, params, config, n, Threads::serial()).unwrap();
    let mut losses = vec![];
    for step in 0..10 {
        trainer.forward(&batch);
        losses.push(trainer.backward(RowWeights::Uniform, 0.0).total);
        if step == 0 {
            let mut gradient = trainer.gradient();
            // Entries whose gradients nearly cancel carry the rounding of the others.
            let size = largest(gradient);
            for (entry, shape) in &specs {
                if entry.contains("running") {
                    continue;
                }
                let (part, rest) = gradient.split_at(shape.iter().product());
                gradient = rest;
                let want = numbers(&case.0["gradient"][entry]);
                assert_close_at(&format!("{name}: gradient of {entry}"), part, &want, size);
            }
        }
        trainer.update(LEARNING_RATE);
    }
    assert_close(&format!("{name}: losses"), &losses, &case.numbers("losses"));
    for (entry, _) in &specs {
        let params = trainer.params();
        let got = params.get(entry).unwrap();
        let want = numbers(&case.0["final"][entry]);
        assert_close_at(&format!("{name}: final {entry}"), got, &want, 1.0);
    }
    let mut code = vec![0.0; n * network.code_size()];
    let mut output = vec![0.0; n * network.outputs()];
    trainer.prepared().reconstruct(&input, &mut code, &mut output);
    assert_close(&format!("{name}: code"), &code, &case.numbers("code"));
    assert_close(&format!("{name}: output"), &output, &case.numbers("output"));
}
