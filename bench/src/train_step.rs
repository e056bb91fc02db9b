//! Our side of `train_step.py`: a child process that trains on request and tells how long it took.
//!
//! One request a line on stdin, one answer a line on stdout; matrices travel in files of raw f32.
//!
//! - `dense WIDTHS LOSS BATCH THREADS DIR`: builds the network and reads `DIR/params.f32` (weight and
//!   bias of each dense layer) and `DIR/batches.f32`; answers `ok`.
//! - `sequence ENCODER DECODER STEPS BATCH THREADS DIR`: the same for recurrent layers of the given
//!   widths; the last layer of the decoder is dense at each step.
//! - `losses N`: takes N steps, rotating among the batches; answers their losses.
//! - `time N`: takes N steps; answers the seconds.

use std::io::{BufRead, Write};
use std::path::Path;
use std::time::Instant;

use narrows_engine::*;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const LEARNING_RATE: f32 = 1e-3;

/// One network in training.
struct Case {
    trainer: Trainer,
    threads: Threads,
    batches: Vec<Vec<f32>>,
    rows: Vec<u32>,
    next: usize,
}

fn read_floats(path: &Path) -> Vec<f32> {
    let bytes = std::fs::read(path).expect("the request's files are there");
    let (words, _) = bytes.as_chunks::<4>();
    words.iter().map(|word| f32::from_le_bytes(*word)).collect()
}

/// Dense layers of the given widths with ReLU between them; the value in the middle is the code.
fn dense_network(widths: &[usize], loss: Loss) -> Network {
    let code = widths.len() / 2;
    let layers = |range: std::ops::Range<usize>| -> Vec<Layer> {
        range
            .flat_map(|i| {
                let layer = Layer::dense(widths[i], widths[i + 1]);
                let relu = Layer::Activation(Activation::Relu);
                if i + 2 < widths.len() { vec![layer, relu] } else { vec![layer] }
            })
            .collect()
    };
    let output = Output::single(*widths.last().expect("there are widths"), loss);
    Network::new(layers(0..code), Latent::Point, layers(code..widths.len() - 1), output).expect("the widths fit")
}

fn widths(word: &str) -> Vec<usize> {
    word.split('-').map(|width| width.parse().expect("a width")).collect()
}

/// Recurrent layers to a code, the code once a step, recurrent layers and a dense one at each step.
fn sequence_network(encoder: &[usize], decoder: &[usize], steps: usize) -> Network {
    let lstm =
        |inputs, hidden, output| Layer::Lstm(Lstm { inputs, hidden, steps, direction: Direction::Forward, output });
    let last = encoder.len() - 2;
    let outputs = |i| if i == last { SequenceOutput::Last } else { SequenceOutput::All };
    let encode = (0..=last).map(|i| lstm(encoder[i], encoder[i + 1], outputs(i))).collect();
    let mut decode = vec![Layer::Repeat(Repeat { width: decoder[0], steps })];
    let (recurrent, dense) = decoder.split_at(decoder.len() - 1);
    decode.extend(recurrent.windows(2).map(|pair| lstm(pair[0], pair[1], SequenceOutput::All)));
    decode.push(Layer::time_dense(*recurrent.last().expect("there are widths"), dense[0], steps));
    let output = Output::single(steps * dense[0], Loss::Mse);
    Network::new(encode, Latent::Point, decode, output).expect("the widths fit")
}

impl Case {
    fn dense(arguments: &[&str]) -> Self {
        let [list, loss, batch, threads, dir] = arguments else {
            panic!("expected WIDTHS LOSS BATCH THREADS DIR, got {arguments:?}");
        };
        let loss = match *loss {
            "mse" => Loss::Mse,
            "bce" => Loss::Bce,
            other => panic!("expected mse or bce, got {other}"),
        };
        Self::new(&dense_network(&widths(list), loss), [batch, threads, dir])
    }

    fn sequence(arguments: &[&str]) -> Self {
        let [encoder, decoder, steps, batch, threads, dir] = arguments else {
            panic!("expected ENCODER DECODER STEPS BATCH THREADS DIR, got {arguments:?}");
        };
        let steps = steps.parse().expect("a number of steps");
        Self::new(&sequence_network(&widths(encoder), &widths(decoder), steps), [batch, threads, dir])
    }

    fn new(network: &Network, [batch, threads, dir]: [&str; 3]) -> Self {
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
        let threads = Threads::new(threads.parse().expect("a number of threads"));
        let config =
            TrainConfig { optimizer: Optimizer::Adam(AdamConfig::default()), clip: None, sparsity: Sparsity::None };
        let trainer = Trainer::new(network, params, config, n, threads.clone());
        let data = read_floats(&Path::new(dir).join("batches.f32"));
        Self {
            trainer: trainer.expect("the parameters fit"),
            threads,
            batches: data.chunks(n * network.inputs()).map(<[f32]>::to_vec).collect(),
            rows: (0..n as u32).collect(),
            next: 0,
        }
    }

    fn steps(&mut self, n: usize, mut report: impl FnMut(f32) + Send) {
        let Self { trainer, threads, batches, rows, next } = self;
        threads.install(|| {
            for _ in 0..n {
                let data = &batches[*next % batches.len()];
                *next += 1;
                let batch = Batch { input: data, target: data, rows, seed: 0, epoch: 0 };
                report(trainer.step(&batch, 0.0, LEARNING_RATE).total);
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
            ["dense", arguments @ ..] => {
                case = Some(Case::dense(arguments));
                "ok".to_owned()
            }
            ["sequence", arguments @ ..] => {
                case = Some(Case::sequence(arguments));
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
                    other => panic!("expected losses or time, got {other}"),
                }
            }
            other => panic!("expected a request, got {other:?}"),
        };
        writeln!(stdout, "{answer}").expect("stdout is open");
        stdout.flush().expect("stdout is open");
    }
}
