//! Our side of `train_step.py`: a child process that trains on request and tells how long it took.
//!
//! One request a line on stdin, one answer a line on stdout; matrices travel in files of raw f32.
//!
//! - `dense WIDTHS LOSS BATCH THREADS DIR`: builds the network and reads `DIR/params.f32` (weight and
//!   bias of each dense layer) and `DIR/batches.f32`; answers `ok`.
//! - `images LOSS BATCH THREADS DIR`: the convolutional autoencoder of the Keras blog for images of 28 by
//!   28; the files as above, each image a row.
//! - `series LOSS BATCH THREADS DIR`: strided convolutions over series of 128 steps and back.
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

const RELU: Layer = Layer::Activation(Activation::Relu);

/// Three convolutions, each with a pool, to 4 by 4 pixels of 8 channels, and four back.
fn image_network(loss: Loss) -> Network {
    let same = |input, channels| Conv::same(input, channels, (3, 3));
    let halved = |input, padding| Pool { padding, ..Pool::new(input, PoolKind::Max, (2, 2)) };
    let doubled = |input| Upsample { input, kind: UpsampleKind::Nearest, factor: (2, 2) };
    let first = same(Map::new(28, 28, 1), 16);
    let first_pool = halved(first.output(), Padding::NONE);
    let second = same(first_pool.output(), 8);
    let second_pool = halved(second.output(), Padding::NONE);
    let third = same(second_pool.output(), 8);
    let third_pool = halved(third.output(), Padding { bottom: 1, right: 1, ..Padding::NONE });
    let encoder = vec![
        Layer::Conv(first),
        RELU,
        Layer::Pool(first_pool),
        Layer::Conv(second),
        RELU,
        Layer::Pool(second_pool),
        Layer::Conv(third),
        RELU,
        Layer::Pool(third_pool),
    ];
    let first = same(third_pool.output(), 8);
    let first_up = doubled(first.output());
    let second = same(first_up.output(), 8);
    let second_up = doubled(second.output());
    let third = Conv::new(second_up.output(), 16, (3, 3));
    let third_up = doubled(third.output());
    let last = same(third_up.output(), 1);
    let decoder = vec![
        Layer::Conv(first),
        RELU,
        Layer::Upsample(first_up),
        Layer::Conv(second),
        RELU,
        Layer::Upsample(second_up),
        Layer::Conv(third),
        RELU,
        Layer::Upsample(third_up),
        Layer::Conv(last),
    ];
    Network::new(encoder, Latent::Point, decoder, Output::single(784, loss)).expect("the maps fit")
}

/// Two convolutions of stride 2 and two back.
fn series_network(loss: Loss) -> Network {
    let down =
        |input, channels| Conv { stride: (1, 2), padding: Padding::even(0, 2), ..Conv::new(input, channels, (1, 5)) };
    let up = |input, channels| ConvTranspose {
        stride: (1, 2),
        padding: Padding::even(0, 2),
        output_padding: (0, 1),
        ..ConvTranspose::new(input, channels, (1, 5))
    };
    let first = down(Map::series(128, 1), 32);
    let second = down(first.output(), 64);
    let third = up(second.output(), 32);
    let last = up(third.output(), 1);
    let encoder = vec![Layer::Conv(first), RELU, Layer::Conv(second), RELU];
    let decoder = vec![Layer::ConvTranspose(third), RELU, Layer::ConvTranspose(last)];
    Network::new(encoder, Latent::Point, decoder, Output::single(128, loss)).expect("the maps fit")
}

fn parse_loss(loss: &str) -> Loss {
    match loss {
        "mse" => Loss::Mse,
        "bce" => Loss::Bce,
        other => panic!("expected mse or bce, got {other}"),
    }
}

impl Case {
    fn dense(arguments: &[&str]) -> Self {
        let [widths, loss, rest @ ..] = arguments else {
            panic!("expected WIDTHS LOSS and so on, got {arguments:?}");
        };
        let widths: Vec<usize> = widths.split('-').map(|width| width.parse().expect("a width")).collect();
        Self::new(dense_network(&widths, parse_loss(loss)), rest)
    }

    fn maps(build: fn(Loss) -> Network, arguments: &[&str]) -> Self {
        let [loss, rest @ ..] = arguments else {
            panic!("expected LOSS and so on, got {arguments:?}");
        };
        Self::new(build(parse_loss(loss)), rest)
    }

    fn new(network: Network, arguments: &[&str]) -> Self {
        let [batch, threads, dir] = arguments else {
            panic!("expected BATCH THREADS DIR, got {arguments:?}");
        };
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
        let trainer = Trainer::new(&network, params, config, n, threads.clone());
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
            ["images", arguments @ ..] => {
                case = Some(Case::maps(image_network, arguments));
                "ok".to_owned()
            }
            ["series", arguments @ ..] => {
                case = Some(Case::maps(series_network, arguments));
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
