//! Networks with an input and what the engine makes of it, to hold a runtime of ONNX against.
//!
//! [`cases`] has every kind of layer, latent and link, and [`write`] makes files of them, which a test in any language
//! reads.

use std::fs;
use std::io;
use std::path::Path;

use narrows_engine::rng::{Purpose, Stream};
use narrows_engine::{
    Activation, Add, BatchNorm, Conv, ConvTranspose, CpuExecutor, Direction, Executor, Group, GroupNorm, Lapped,
    LappedWay, Latent, Layer, Loss, Lstm, Map, MapNorm, Network, Output, Padding, PaddingMode, ParamKind, Params,
    PixelShuffle, Pool, PoolKind, SequenceOutput, Upsample, UpsampleKind,
};

use crate::error::OnnxError;
use crate::graph::{Dim, Element, Graph, OperatorSet};
use crate::network;
use crate::samples::Samples;

/// Samples of a case.
const SAMPLES: usize = 9;

/// Numbers of a shape, row by row.
#[derive(Debug, Clone)]
pub struct Numbers {
    /// The first dimension is that of the samples.
    pub shape: Vec<usize>,
    /// As many as the shape has.
    pub values: Vec<f32>,
}

/// A network as a file, and what it should compute.
#[derive(Debug, Clone)]
pub struct Case {
    /// What is special about it.
    pub name: String,
    /// The ONNX file: `input` in, `code` and `output` out.
    pub file: Vec<u8>,
    /// What goes in.
    pub input: Numbers,
    /// The code of the engine.
    pub code: Numbers,
    /// The prediction of the engine.
    pub output: Numbers,
}

/// All cases.
///
/// # Errors
/// None, unless a network here is not valid.
pub fn cases() -> Result<Vec<Case>, OnnxError> {
    let contract = narrows_engine::contract::networks();
    let mut cases = Vec::new();
    for (i, network) in contract.iter().enumerate() {
        cases.push(of_rows(&format!("contract_{i}"), network)?);
    }
    for (name, network) in [
        ("series", series()?),
        ("both_ways", both_ways()?),
        ("grey", grey()?),
        ("links", links()?),
        ("lapped_grey", lapped_grey()?),
    ] {
        cases.push(of_rows(name, &network)?);
    }
    cases.push(of_any_size("any_size", any_size)?);
    Ok(cases)
}

/// Writes each case into `folder`: NAME.onnx, and arrays as NAME.input.npy, NAME.code.npy and NAME.output.npy.
///
/// # Errors
/// If a file cannot be written.
pub fn write(folder: &Path) -> io::Result<()> {
    for Case { name, file, input, code, output } in cases().map_err(io::Error::other)? {
        fs::write(folder.join(format!("{name}.onnx")), file)?;
        for (part, numbers) in [("input", input), ("code", code), ("output", output)] {
            fs::write(folder.join(format!("{name}.{part}.npy")), npy(&numbers))?;
        }
    }
    Ok(())
}

/// The bytes of a NumPy file.
fn npy(numbers: &Numbers) -> Vec<u8> {
    let sides: String = numbers.shape.iter().map(|n| format!("{n}, ")).collect();
    let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({sides}), }}");
    let mut bytes = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
    bytes.extend(format!("{header:<117}\n").into_bytes());
    bytes.extend(numbers.values.iter().flat_map(|x| x.to_le_bytes()));
    bytes
}

/// A network that rows go into and come out of.
fn of_rows(name: &str, network: &Network) -> Result<Case, OnnxError> {
    let params = trained(network, 5)?;
    let mut graph = Graph::new(name, OperatorSet::V17);
    let dims = |width| [Dim::BATCH, Dim::Fixed(width)];
    let x = graph.input("input", Element::Float, &dims(network.inputs()));
    let code = network::encoder(&mut graph, network, &params, Samples::Rows(x))?;
    let output = network::decoder(&mut graph, network, &params, code)?.rows(&mut graph);
    let code = code.rows(&mut graph);
    graph.output("code", code, Element::Float, &dims(network.code_size()));
    graph.output("output", output, Element::Float, &dims(network.outputs()));
    let [input, code, output] = computed(network, &params)?;
    let rows = |values: Vec<f32>| Numbers { shape: vec![SAMPLES, values.len() / SAMPLES], values };
    let file = graph.encode(&[])?;
    Ok(Case { name: name.to_owned(), file, input: rows(input), code: rows(code), output: rows(output) })
}

/// A network of maps with free height and width, written for a small size and computed in a large one.
fn of_any_size(name: &str, network: fn(usize, usize) -> Result<Ends, OnnxError>) -> Result<Case, OnnxError> {
    let (small, large) = (network(8, 8)?, network(12, 20)?);
    let params = trained(&small.network, 5)?;
    let mut graph = Graph::new(name, OperatorSet::V19);
    let dims = |map: Map, height, width| [Dim::BATCH, Dim::Fixed(map.channels), Dim::Free(height), Dim::Free(width)];
    let x = graph.input("input", Element::Float, &dims(small.input, "H", "W"));
    let code = network::encoder(&mut graph, &small.network, &params, Samples::Maps(x, small.input))?;
    let output = network::decoder(&mut graph, &small.network, &params, code)?.maps(&mut graph, small.output);
    let code = code.maps(&mut graph, small.code);
    graph.output("code", code, Element::Float, &dims(small.code, "code_H", "code_W"));
    graph.output("output", output, Element::Float, &dims(small.output, "output_H", "output_W"));
    let params = large.network.init(0).with_values(params.as_slice())?;
    let [input, code, output] = computed(&large.network, &params)?;
    Ok(Case {
        name: name.to_owned(),
        file: graph.encode(&[])?,
        input: channels_first(&input, large.input),
        code: channels_first(&code, large.code),
        output: channels_first(&output, large.output),
    })
}

/// Initial parameters with statistics as training leaves them.
fn trained(network: &Network, seed: u64) -> Result<Params, OnnxError> {
    let mut params = network.init(seed);
    let mut stream = Stream::new(seed, Purpose::Demo, 0, 0);
    for entry in network.init(seed).entries() {
        let is_scale = entry.kind == ParamKind::Trainable && entry.name.ends_with("weight") && entry.shape.len() == 1;
        let values: Vec<f32> = match entry.name.rsplit('.').next() {
            Some("running_var") => entry.data.iter().map(|_| 0.5 + stream.uniform()).collect(),
            Some("running_mean" | "bias") => entry.data.iter().map(|_| 0.3 * stream.normal()).collect(),
            _ if is_scale => entry.data.iter().map(|_| 1.0 + 0.3 * stream.normal()).collect(),
            _ => continue,
        };
        params.set(entry.name, entry.shape, &values)?;
    }
    Ok(params)
}

/// An input, its code and its prediction by the engine.
fn computed(network: &Network, params: &Params) -> Result<[Vec<f32>; 3], OnnxError> {
    let prepared = CpuExecutor::serial().prepare(network, params)?;
    let mut input = vec![0.0; SAMPLES * network.inputs()];
    Stream::new(7, Purpose::Demo, 1, 0).fill_normal(&mut input);
    let mut code = vec![0.0; SAMPLES * network.code_size()];
    let mut output = vec![0.0; SAMPLES * network.outputs()];
    prepared.reconstruct(&input, &mut code, &mut output);
    Ok([input, code, output])
}

fn channels_first(rows: &[f32], map: Map) -> Numbers {
    let values = rows
        .chunks_exact(map.size())
        .flat_map(|row| (0..map.channels).flat_map(move |c| row.iter().skip(c).step_by(map.channels).copied()));
    Numbers { shape: vec![SAMPLES, map.channels, map.height, map.width], values: values.collect() }
}

/// Convolutions over a series: strides, dilations, pooling with padding, steps out of channels, lines in between.
fn series() -> Result<Network, OnnxError> {
    let input = Map::series(24, 3);
    let first =
        Conv { stride: (1, 2), padding: Padding { left: 1, right: 2, ..Padding::NONE }, ..Conv::new(input, 8, (1, 4)) };
    let second = Conv { dilation: (1, 2), ..Conv::new(first.output(), 6, (1, 3)) };
    let pool =
        Pool { stride: (1, 2), padding: Padding::even(0, 1), ..Pool::new(second.output(), PoolKind::Average, (1, 3)) };
    let largest = Pool {
        stride: (1, 1),
        padding: Padding { left: 1, ..Padding::NONE },
        ..Pool::new(pool.output(), PoolKind::Max, (1, 2))
    };
    let code = largest.output();
    let norm = BatchNorm { features: code.size(), eps: 1e-3, momentum: 0.1 };
    let back = ConvTranspose {
        dilation: (1, 3),
        padding: Padding { left: 1, right: 2, ..Padding::NONE },
        ..ConvTranspose::new(code, 9, (1, 2))
    };
    let shuffle = PixelShuffle { input: back.output(), factor: (1, 3) };
    let up = Upsample { input: shuffle.output(), kind: UpsampleKind::Bilinear, factor: (1, 2) };
    let map_norm = MapNorm { map: up.output(), eps: 1e-5, momentum: 0.1 };
    Ok(Network::new(
        vec![
            Layer::Conv(first),
            Layer::Activation(Activation::Identity),
            Layer::Conv(second),
            Layer::Pool(pool),
            Layer::Pool(largest),
            Layer::BatchNorm(norm),
        ],
        Latent::Quantised,
        vec![
            Layer::ConvTranspose(back),
            Layer::PixelShuffle(shuffle),
            Layer::Upsample(up),
            Layer::MapNorm(map_norm),
            Layer::Activation(Activation::Silu),
        ],
        Output::single(up.output().size(), Loss::Mae),
    )?)
}

/// The last states of both ways, and rows that become steps.
fn both_ways() -> Result<Network, OnnxError> {
    let lstm = |inputs, hidden, direction, output| Layer::Lstm(Lstm { inputs, hidden, steps: 7, direction, output });
    Ok(Network::new(
        vec![lstm(3, 5, Direction::Bidirectional, SequenceOutput::Last), Layer::Activation(Activation::Elu)],
        Latent::Gaussian,
        vec![
            Layer::dense(5, 14),
            lstm(2, 4, Direction::Bidirectional, SequenceOutput::All),
            Layer::Activation(Activation::LeakyRelu),
            Layer::time_dense(8, 3, 7),
        ],
        Output::single(21, Loss::Huber { delta: 1.0 }),
    )?)
}

/// Images of one channel, rows that are read as maps of two shapes, and a Gaussian code that is a map.
fn grey() -> Result<Network, OnnxError> {
    let first = Conv {
        padding: Padding { top: 2, bottom: 1, left: 0, right: 1 },
        dilation: (2, 1),
        mode: PaddingMode::Reflect,
        ..Conv::new(Map::new(9, 8, 1), 4, (3, 2))
    };
    let norm = |groups| Layer::GroupNorm(GroupNorm { map: first.output(), groups, eps: 1e-4 });
    let code = Map { channels: 2, ..first.output() };
    let back = Conv { stride: (1, 2), mode: PaddingMode::Replicate, ..Conv::same(code, 1, (3, 3)) };
    let as_many = Layer::Conv(Conv::same(first.output(), 4, (1, 1)));
    Ok(Network::new(
        vec![
            Layer::Conv(first),
            norm(1),
            Layer::Activation(Activation::Gelu),
            as_many,
            norm(4),
            // The same row as a map of another shape.
            Layer::Conv(Conv::new(Map::new(4, 16, 4), 4, (1, 1))),
            Layer::Add(Add { back: 3 }),
        ],
        Latent::Gaussian,
        vec![Layer::Conv(back)],
        Output::single(back.output().size(), Loss::Bce),
    )?)
}

/// Columns of all kinds, side by side.
fn links() -> Result<Network, OnnxError> {
    let losses = [
        (2, Loss::Mse),
        (5, Loss::Mae),
        (8, Loss::CrossEntropy),
        (12, Loss::CrossEntropy),
        (13, Loss::Bce),
        (15, Loss::Bce),
        (16, Loss::Huber { delta: 1.0 }),
    ];
    let mut first = 0;
    let groups = losses.into_iter().map(|(end, loss)| {
        let columns = first..end;
        first = end;
        Group { columns, loss, weight: 1.0 }
    });
    let output = Output { groups: groups.collect() };
    Ok(Network::new(vec![Layer::dense(16, 3)], Latent::Point, vec![Layer::dense(3, 16)], output)?)
}

/// The transform of one channel, of one block across, without rounding.
fn lapped_grey() -> Result<Network, OnnxError> {
    let pixels = Map::new(24, 8, 1);
    let way = |way| Layer::Lapped(Lapped { pixels, way, centre: 0.5, step: 0.02 });
    let tanh = Layer::Activation(Activation::Tanh);
    Ok(Network::new(
        vec![way(LappedWay::Analysis)],
        Latent::Point,
        vec![tanh, way(LappedWay::Synthesis)],
        Output::single(pixels.size(), Loss::Mse),
    )?)
}

/// A network of maps, and the maps at its ends and of its code.
struct Ends {
    network: Network,
    input: Map,
    code: Map,
    output: Map,
}

/// Layers that suit maps of any size, as a restorer has them.
fn any_size(height: usize, width: usize) -> Result<Ends, OnnxError> {
    let input = Map::new(height, width, 3);
    let down = Conv { stride: (2, 2), ..Conv::new(input, 12, (2, 2)) };
    let same = |mode| Layer::Conv(Conv { mode, ..Conv::same(down.output(), 12, (3, 3)) });
    let norm = Layer::GroupNorm(GroupNorm { map: down.output(), groups: 3, eps: 1e-5 });
    let map_norm = Layer::MapNorm(MapNorm { map: down.output(), eps: 1e-5, momentum: 0.1 });
    let uneven = PixelShuffle { input: down.output(), factor: (1, 2) };
    let nearest = Upsample { input: uneven.output(), kind: UpsampleKind::Nearest, factor: (2, 1) };
    let up = Upsample { input: nearest.output(), kind: UpsampleKind::Bilinear, factor: (2, 2) };
    let pool = Pool::new(up.output(), PoolKind::Max, (2, 2));
    let last = ConvTranspose { stride: (2, 2), ..ConvTranspose::new(pool.output(), 12, (2, 2)) };
    let shuffle = PixelShuffle { input: last.output(), factor: (2, 2) };
    let network = Network::new(
        vec![
            Layer::Conv(down),
            same(PaddingMode::Reflect),
            map_norm,
            Layer::Activation(Activation::Gelu),
            same(PaddingMode::Replicate),
            Layer::Add(Add { back: 4 }),
        ],
        Latent::Point,
        vec![
            norm,
            same(PaddingMode::Zeros),
            Layer::PixelShuffle(uneven),
            Layer::Upsample(nearest),
            Layer::Upsample(up),
            Layer::Pool(pool),
            Layer::ConvTranspose(last),
            Layer::PixelShuffle(shuffle),
        ],
        Output::single(shuffle.output().size(), Loss::Bce),
    )?;
    Ok(Ends { network, input, code: down.output(), output: shuffle.output() })
}
