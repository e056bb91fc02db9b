//! Inference as the formulas say it, a row at a time in f64: slow, and with nothing in common with the kernels.

use crate::layer::*;
use crate::{Latent, Loss, Network, Params};

/// What a row becomes.
pub(super) struct Reconstruction {
    pub code: Vec<f64>,
    pub code_penalty: f64,
    /// How near a rounded value came to being rounded the other way; infinite where nothing is rounded.
    pub nearest_tie: f64,
    /// Before the links.
    values: Vec<f64>,
    /// After them.
    pub output: Vec<f64>,
}

/// Encodes and decodes one row.
pub(super) fn reconstruct(network: &Network, params: &Params, row: &[f32]) -> Reconstruction {
    let row = row.iter().map(|&x| f64::from(x)).collect();
    let mut nearest_tie = f64::INFINITY;
    let encoded = run("encoder", &network.encoder, params, row, &mut nearest_tie);
    let code = encoded[..network.code_size()].to_vec();
    let code_penalty = match network.latent {
        Latent::Point => 0.0,
        Latent::Gaussian => {
            let terms = code.iter().zip(&encoded[code.len()..]).map(|(mean, log_var)| {
                let log_var = log_var.clamp(-10.0, 10.0);
                mean * mean + log_var.exp() - 1.0 - log_var
            });
            0.5 * terms.sum::<f64>()
        }
        Latent::Quantised => code.iter().map(|z| 0.5 * (1.0 + 12.0 * z * z).log2()).sum(),
    };
    let values = run("decoder", &network.decoder, params, code.clone(), &mut nearest_tie);
    let mut output = values.clone();
    for group in &network.output.groups {
        let columns = &mut output[group.columns.clone()];
        match group.loss {
            Loss::Mse | Loss::Mae | Loss::Huber { .. } => {}
            Loss::Bce | Loss::Similarity(_) => columns.iter_mut().for_each(|x| *x = sigmoid(*x)),
            Loss::CrossEntropy => {
                let total: f64 = columns.iter().map(|x| x.exp()).sum();
                columns.iter_mut().for_each(|x| *x = x.exp() / total);
            }
        }
    }
    Reconstruction { code, code_penalty, nearest_tie, values, output }
}

/// The output loss of one row; none where a group's loss is by similarity, which has tests of its own.
pub(super) fn loss(network: &Network, row: &Reconstruction, target: &[f32]) -> Option<f64> {
    let mut loss = 0.0;
    for group in &network.output.groups {
        let pairs = group.columns.clone().map(|i| (row.values[i], row.output[i], f64::from(target[i])));
        let pairs: Vec<_> = pairs.filter(|(_, _, t)| !t.is_nan()).collect();
        let mean =
            |each: fn(f64) -> f64| pairs.iter().map(|(_, o, t)| each(o - t)).sum::<f64>() / group.columns.len() as f64;
        let of_group = match group.loss {
            Loss::Mse => mean(|d| d * d),
            Loss::Mae => mean(f64::abs),
            Loss::Huber { delta } => {
                let delta = f64::from(delta);
                let each = |d: f64| if d.abs() <= delta { d * d / 2.0 } else { delta * (d.abs() - delta / 2.0) };
                pairs.iter().map(|(_, o, t)| each(o - t)).sum::<f64>() / group.columns.len() as f64
            }
            Loss::Bce => {
                let each = |x: f64, t: f64| x.max(0.0) - x * t + (-x.abs()).exp().ln_1p();
                pairs.iter().map(|(x, _, t)| each(*x, *t)).sum::<f64>() / group.columns.len() as f64
            }
            Loss::CrossEntropy if pairs.len() < group.columns.len() => 0.0,
            Loss::CrossEntropy => pairs.iter().map(|(_, p, t)| -t * p.ln()).sum(),
            Loss::Similarity(_) => return None,
        };
        loss += f64::from(group.weight) * of_group;
    }
    Some(loss)
}

fn run(part: &str, layers: &[Layer], params: &Params, row: Vec<f64>, nearest_tie: &mut f64) -> Vec<f64> {
    let mut values = vec![row];
    for (i, layer) in layers.iter().enumerate() {
        let get = |name: &str| -> Vec<f64> {
            let entry = params.get(&format!("{part}.{i}.{name}")).expect("an entry of the layer");
            entry.iter().map(|&x| f64::from(x)).collect()
        };
        let x = &values[i];
        let y = match layer {
            Layer::Dense(_) => affine(x, &get("weight"), &get("bias")),
            Layer::TimeDense(time) => {
                let (weight, bias) = (get("weight"), get("bias"));
                x.chunks_exact(time.dense.inputs).flat_map(|step| affine(step, &weight, &bias)).collect()
            }
            Layer::Activation(activation) => x.iter().map(|&x| activate(*activation, x)).collect(),
            Layer::Dropout(_) => x.clone(),
            Layer::Repeat(repeat) => x.repeat(repeat.steps),
            Layer::Add(add) => x.iter().zip(&values[i + 1 - add.back]).map(|(x, kept)| x + kept).collect(),
            Layer::BatchNorm(BatchNorm { eps, .. }) | Layer::MapNorm(MapNorm { eps, .. }) => {
                let (gamma, beta) = (get("weight"), get("bias"));
                let (mean, var) = (get("running_mean"), get("running_var"));
                let each = |(i, x): (usize, &f64)| {
                    let c = i % gamma.len();
                    (x - mean[c]) / (var[c] + f64::from(*eps)).sqrt() * gamma[c] + beta[c]
                };
                x.iter().enumerate().map(each).collect()
            }
            Layer::LayerNorm(norm) => normalise(x, x.len(), 1, norm.eps, |i| i, &get("weight"), &get("bias")),
            Layer::GroupNorm(norm) => {
                let channels = norm.map.channels;
                normalise(x, channels, norm.groups, norm.eps, |i| i % channels, &get("weight"), &get("bias"))
            }
            Layer::Lstm(lstm) => lstm_output(lstm, x, &get),
            Layer::Conv(conv) => conv_output(conv, x, &get("weight"), &get("bias")),
            Layer::ConvTranspose(conv) => transposed_output(conv, x, &get("weight"), &get("bias")),
            Layer::Pool(pool) => pool_output(pool, x),
            Layer::Upsample(up) => upsampled(up, x),
            Layer::PixelShuffle(shuffle) => shuffled(shuffle, x),
            Layer::Lapped(lapped) => transformed(lapped, x),
            Layer::Rounding(rounding) => {
                let round = |x: &f64| {
                    let raised = x.abs() + f64::from(rounding.offset);
                    *nearest_tie = nearest_tie.min((raised - raised.round()).abs());
                    raised.floor().copysign(*x)
                };
                x.iter().map(round).collect()
            }
        };
        values.push(y);
    }
    values.pop().expect("a part has layers")
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// By its series, which is exact to f64 for the small values of these checks.
fn erf(x: f64) -> f64 {
    if x.abs() > 4.0 {
        return x.signum();
    }
    let (mut sum, mut term) = (x, x);
    for n in 1..100 {
        term *= -x * x / f64::from(n);
        sum += term / f64::from(2 * n + 1);
    }
    sum * std::f64::consts::FRAC_2_SQRT_PI
}

fn activate(activation: Activation, x: f64) -> f64 {
    match activation {
        Activation::Identity => x,
        Activation::Relu => x.max(0.0),
        Activation::LeakyRelu => x.max(0.01 * x),
        Activation::Elu => {
            if x > 0.0 {
                x
            } else {
                x.exp_m1()
            }
        }
        Activation::Gelu => 0.5 * x * (1.0 + erf(x / std::f64::consts::SQRT_2)),
        Activation::Silu => x * sigmoid(x),
        Activation::Tanh => x.tanh(),
        Activation::Sigmoid => sigmoid(x),
    }
}

fn affine(x: &[f64], weight: &[f64], bias: &[f64]) -> Vec<f64> {
    let dot = |row: &[f64]| row.iter().zip(x).map(|(w, x)| w * x).sum::<f64>();
    weight.chunks_exact(x.len()).zip(bias).map(|(row, b)| dot(row) + b).collect()
}

/// Normalises values over `groups` of `channels`, where value i is of channel `channel(i)`.
fn normalise(
    x: &[f64],
    channels: usize,
    groups: usize,
    eps: f32,
    channel: impl Fn(usize) -> usize,
    gamma: &[f64],
    beta: &[f64],
) -> Vec<f64> {
    let group = |i: usize| channel(i) * groups / channels;
    let mean_of = |g: usize, each: &dyn Fn(f64) -> f64| {
        let of_group: Vec<f64> = (0..x.len()).filter(|&i| group(i) == g).map(|i| each(x[i])).collect();
        of_group.iter().sum::<f64>() / of_group.len() as f64
    };
    let statistics: Vec<(f64, f64)> = (0..groups)
        .map(|g| {
            let mean = mean_of(g, &|x| x);
            (mean, mean_of(g, &|x| (x - mean) * (x - mean)))
        })
        .collect();
    let each = |(i, x): (usize, &f64)| {
        let (mean, var) = statistics[group(i)];
        (x - mean) / (var + f64::from(eps)).sqrt() * gamma[channel(i)] + beta[channel(i)]
    };
    x.iter().enumerate().map(each).collect()
}

fn lstm_output(lstm: &Lstm, x: &[f64], get: &dyn Fn(&str) -> Vec<f64>) -> Vec<f64> {
    let Lstm { inputs, hidden, steps, direction, output } = *lstm;
    let suffixes: &[&str] = if direction == Direction::Forward { &[""] } else { &["", "_reverse"] };
    let mut all = vec![vec![]; steps];
    let mut last = vec![];
    for (way, suffix) in suffixes.iter().enumerate() {
        let [w, u, b, c] =
            ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"].map(|n| get(&format!("{n}{suffix}")));
        let (mut h, mut cell) = (vec![0.0; hidden], vec![0.0; hidden]);
        for i in 0..steps {
            let step = if way == 0 { i } else { steps - 1 - i };
            let at = &x[step * inputs..][..inputs];
            if at.iter().all(|x| x.is_nan()) {
                all[step].extend(vec![f64::NAN; hidden]);
                continue;
            }
            let gates: Vec<f64> = affine(at, &w, &b).iter().zip(affine(&h, &u, &c)).map(|(a, b)| a + b).collect();
            for j in 0..hidden {
                let [i, f, g, o] = [0, 1, 2, 3].map(|gate| gates[gate * hidden + j]);
                cell[j] = sigmoid(f) * cell[j] + sigmoid(i) * g.tanh();
                h[j] = sigmoid(o) * cell[j].tanh();
            }
            all[step].extend(&h);
        }
        last.extend(h);
    }
    if output == SequenceOutput::Last { last } else { all.concat() }
}

/// The pixel of a map that a padded position shows; none is a zero.
fn shown(at: isize, size: usize, mode: PaddingMode) -> Option<usize> {
    let last = size as isize - 1;
    let inside = match mode {
        PaddingMode::Zeros => Some(at).filter(|at| (0..=last).contains(at)),
        PaddingMode::Replicate => Some(at.clamp(0, last)),
        PaddingMode::Reflect => Some(if at < 0 {
            -at
        } else if at > last {
            2 * last - at
        } else {
            at
        }),
    };
    inside.map(|at| at as usize)
}

/// Every place of a map: (its number, row, column).
fn places(map: Map) -> impl Iterator<Item = (usize, usize, usize)> {
    (0..map.positions()).map(move |i| (i, i / map.width, i % map.width))
}

/// Every tap of a kernel: (its number, row, column).
fn taps(size: (usize, usize)) -> impl Iterator<Item = (usize, usize, usize)> {
    (0..size.0 * size.1).map(move |k| (k, k / size.1, k % size.1))
}

fn conv_output(conv: &Conv, x: &[f64], weight: &[f64], bias: &[f64]) -> Vec<f64> {
    let (input, output) = (conv.input, conv.output());
    let n_taps = conv.kernel.0 * conv.kernel.1;
    let mut y = bias.repeat(output.positions());
    for (to, row, column) in places(output) {
        for (k, down, across) in taps(conv.kernel) {
            let v = (row * conv.stride.0 + down * conv.dilation.0) as isize - conv.padding.top as isize;
            let h = (column * conv.stride.1 + across * conv.dilation.1) as isize - conv.padding.left as isize;
            let (Some(v), Some(h)) = (shown(v, input.height, conv.mode), shown(h, input.width, conv.mode)) else {
                continue;
            };
            let pixel = &x[(v * input.width + h) * input.channels..][..input.channels];
            for o in 0..conv.channels {
                for (c, x) in pixel.iter().enumerate() {
                    y[to * conv.channels + o] += x * weight[(o * input.channels + c) * n_taps + k];
                }
            }
        }
    }
    y
}

fn transposed_output(conv: &ConvTranspose, x: &[f64], weight: &[f64], bias: &[f64]) -> Vec<f64> {
    let (input, output) = (conv.input, conv.output());
    let n_taps = conv.kernel.0 * conv.kernel.1;
    let mut y = bias.repeat(output.positions());
    for (from, row, column) in places(input) {
        for (k, down, across) in taps(conv.kernel) {
            let v = (row * conv.stride.0 + down * conv.dilation.0).wrapping_sub(conv.padding.top);
            let h = (column * conv.stride.1 + across * conv.dilation.1).wrapping_sub(conv.padding.left);
            if v >= output.height || h >= output.width {
                continue;
            }
            for o in 0..conv.channels {
                for c in 0..input.channels {
                    y[(v * output.width + h) * conv.channels + o] +=
                        x[from * input.channels + c] * weight[(c * conv.channels + o) * n_taps + k];
                }
            }
        }
    }
    y
}

fn pool_output(pool: &Pool, x: &[f64]) -> Vec<f64> {
    let (input, output) = (pool.input, pool.output());
    let mut y = vec![];
    for (_, row, column) in places(output) {
        for c in 0..input.channels {
            let window = taps(pool.size).filter_map(|(_, down, across)| {
                let v = (row * pool.stride.0 + down).wrapping_sub(pool.padding.top);
                let h = (column * pool.stride.1 + across).wrapping_sub(pool.padding.left);
                (v < input.height && h < input.width).then(|| x[(v * input.width + h) * input.channels + c])
            });
            y.push(match pool.kind {
                PoolKind::Max => window.fold(f64::NEG_INFINITY, f64::max),
                PoolKind::Average => window.sum::<f64>() / (pool.size.0 * pool.size.1) as f64,
            });
        }
    }
    y
}

fn upsampled(up: &Upsample, x: &[f64]) -> Vec<f64> {
    let (input, output) = (up.input, up.output());
    let at = |row: usize, column: usize, c: usize| x[(row * input.width + column) * input.channels + c];
    // The two pixels around an output, and the share of the second.
    let between = |output: usize, factor: usize, size: usize| {
        let place = ((output as f64 + 0.5) / factor as f64 - 0.5).max(0.0);
        let first = (place as usize).min(size - 1);
        (first, (first + 1).min(size - 1), place - first as f64)
    };
    let mut y = vec![];
    for (_, row, column) in places(output) {
        let (top, bottom, down) = between(row, up.factor.0, input.height);
        let (left, right, across) = between(column, up.factor.1, input.width);
        for c in 0..input.channels {
            y.push(match up.kind {
                UpsampleKind::Nearest => at(row / up.factor.0, column / up.factor.1, c),
                UpsampleKind::Bilinear => {
                    (1.0 - down) * ((1.0 - across) * at(top, left, c) + across * at(top, right, c))
                        + down * ((1.0 - across) * at(bottom, left, c) + across * at(bottom, right, c))
                }
            });
        }
    }
    y
}

/// The kernel itself in single precision: rounding next to it decides by the last bit, so that no other will do.
fn transformed(lapped: &Lapped, x: &[f64]) -> Vec<f64> {
    let x: Vec<f32> = x.iter().map(|&x| x as f32).collect();
    let mut y = vec![0.0; x.len()];
    match lapped.way {
        LappedWay::Analysis => lapped.analyse(&x, &mut y),
        LappedWay::Synthesis => lapped.synthesise(&x, &mut y),
    }
    y.into_iter().map(f64::from).collect()
}

fn shuffled(shuffle: &PixelShuffle, x: &[f64]) -> Vec<f64> {
    let (input, output, factor) = (shuffle.input, shuffle.output(), shuffle.factor);
    let mut y = vec![];
    for (_, row, column) in places(output) {
        let pixel = (row / factor.0 * input.width + column / factor.1) * input.channels;
        for c in 0..output.channels {
            y.push(x[pixel + (c * factor.0 + row % factor.0) * factor.1 + column % factor.1]);
        }
    }
    y
}
