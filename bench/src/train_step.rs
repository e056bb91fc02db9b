//! Our side of `train_step.py`: a child process that trains on request and tells how long it took.
//!
//! One request a line on stdin, one answer a line on stdout; matrices travel in files of raw f32.
//!
//! - `case LOSS BATCH DEVICE DIR NETWORK`: builds the network, whose words `networks.rs` tells, for a number of threads or the
//!   device `gpu`, and reads `DIR/params.f32` (weights and biases in the order of the layers) and `DIR/batches.f32`; answers `ok`.
//! - `losses N`: takes N steps, rotating among the batches; answers their losses.
//! - `time N`: takes N steps; answers the seconds.
//! - `outputs N`: reconstructs N batches; answers the mean square of each output.
//! - `infer N`: reconstructs N batches; answers the seconds.

mod networks;

use std::io::{BufRead, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use narrows_engine::*;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const LEARNING_RATE: f32 = 1e-3;

/// One network in training or in use.
struct Case {
    network: Network,
    trainer: Box<dyn Trainer>,
    executor: Arc<dyn Executor>,
    batches: Vec<Vec<f32>>,
    rows: Vec<u32>,
    next: usize,
}

fn read_floats(path: &Path) -> Vec<f32> {
    let bytes = std::fs::read(path).expect("the request's files are there");
    let (words, _) = bytes.as_chunks::<4>();
    words.iter().map(|word| f32::from_le_bytes(*word)).collect()
}

/// What computes: so many threads, or a graphics processor, or whatever else has a driver for one.
fn executor(device: &str) -> Arc<dyn Executor> {
    match device {
        #[cfg(feature = "gpu")]
        "gpu" => Arc::new(narrows_gpu::GpuExecutor::any().expect("a graphics processor or a driver that stands in")),
        threads => Arc::new(CpuExecutor::new(Threads::new(threads.parse().expect("a number of threads, or gpu")))),
    }
}

impl Case {
    fn new(words: &[&str]) -> Self {
        let [loss, batch, device, dir, network @ ..] = words else {
            panic!("expected LOSS BATCH DEVICE DIR NETWORK, got {words:?}");
        };
        let loss = match *loss {
            "mse" => Loss::Mse,
            "bce" => Loss::Bce,
            other => panic!("expected mse or bce, got {other}"),
        };
        let network = networks::network(network, loss);
        let mut params = network.init(0);
        let values = read_floats(&Path::new(dir).join("params.f32"));
        let mut rest = values.as_slice();
        let specs: Vec<_> = params.entries().map(|e| (e.name.to_owned(), e.shape.to_vec())).collect();
        for (name, shape) in &specs {
            let (data, tail) = rest.split_at(shape.iter().product());
            params.set(name, shape, data).expect("the parameters fit");
            rest = tail;
        }
        let n: usize = batch.parse().expect("a batch size");
        let executor = executor(device);
        let config =
            TrainConfig { optimizer: Optimizer::Adam(AdamConfig::default()), clip: None, sparsity: Sparsity::None };
        let trainer = executor.trainer(&network, params, config, n);
        let data = read_floats(&Path::new(dir).join("batches.f32"));
        Self {
            trainer: trainer.expect("the parameters fit"),
            executor,
            batches: data.chunks(n * network.inputs()).map(<[f32]>::to_vec).collect(),
            network,
            rows: (0..n as u32).collect(),
            next: 0,
        }
    }

    fn steps(&mut self, n: usize, mut report: impl FnMut(f32) + Send) {
        let Self { trainer, executor, batches, rows, next, .. } = self;
        executor.install(|| {
            for _ in 0..n {
                let data = &batches[*next % batches.len()];
                *next += 1;
                let batch = Batch { input: data, target: data, rows, seed: 0, epoch: 0 };
                report(trainer.step(&batch, 0.0, LEARNING_RATE).total);
            }
        });
    }

    fn outputs(&mut self, n: usize, mut report: impl FnMut(&[f32]) + Send) {
        let Self { network, trainer, executor, batches, rows, next } = self;
        let prepared = trainer.prepared();
        let mut code = vec![0.0; rows.len() * network.code_size()];
        let mut output = vec![0.0; rows.len() * network.outputs()];
        executor.install(|| {
            for _ in 0..n {
                let data = &batches[*next % batches.len()];
                *next += 1;
                prepared.reconstruct(data, &mut code, &mut output);
                report(&output);
            }
        });
    }
}

fn main() {
    let mut case: Option<Case> = None;
    let mut stdout = std::io::stdout();
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("stdin is text");
        let words: Vec<&str> = line.split_whitespace().collect();
        let answer = match words.as_slice() {
            ["case", words @ ..] => {
                case = Some(Case::new(words));
                "ok".to_owned()
            }
            [verb, n] => {
                let case = case.as_mut().expect("a case comes first");
                let n = n.parse().expect("a number of steps");
                match *verb {
                    "losses" => {
                        let mut losses: Vec<String> = vec![];
                        case.steps(n, |loss| losses.push(loss.to_string()));
                        losses.join(" ")
                    }
                    "time" => {
                        let start = Instant::now();
                        case.steps(n, |_| {});
                        start.elapsed().as_secs_f64().to_string()
                    }
                    "outputs" => {
                        let mut squares: Vec<String> = vec![];
                        case.outputs(n, |output| {
                            let total: f64 = output.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
                            squares.push((total / output.len() as f64).to_string());
                        });
                        squares.join(" ")
                    }
                    "infer" => {
                        let start = Instant::now();
                        case.outputs(n, |_| {});
                        start.elapsed().as_secs_f64().to_string()
                    }
                    other => panic!("expected losses, time, outputs or infer, got {other}"),
                }
            }
            other => panic!("expected a request, got {other:?}"),
        };
        writeln!(stdout, "{answer}").expect("stdout is open");
        stdout.flush().expect("stdout is open");
    }
}
