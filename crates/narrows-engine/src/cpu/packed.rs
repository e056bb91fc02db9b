//! Encoding, decoding and reconstructing rows: no randomness, no state, no row looking at another.
//!
//! Rows go through the layers tile by tile, each task with two buffers of its own; where there are fewer
//! tiles than threads, the threads share the layers of a tile instead. An element of a matrix product is
//! one chain of multiply-adds wherever its row stands (see `kernels::matmul`), and all else is elementwise
//! or within a row; so a row's result is the same to the bit alone, in any batch, at any place, with any
//! number of threads.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use crate::executor::PreparedNetwork;
use crate::kernels::threads::Threads;
use crate::latent::Latent;
use crate::layer::{Activation, Inference, Layer, Rows};
use crate::network::Network;
use crate::params::Params;

use super::plan::{self, Op, Plan, Stage};

/// The most rows of a tile: enough for a weight to be read seldom.
const MOST_ROWS: usize = 64;

/// Floats of a tile's widest value, for rows so wide that fewer of them are enough: images.
const TILE_FLOATS: usize = 1 << 19;

/// A network with its weights packed for the matrix products.
pub(crate) struct PackedNetwork {
    network: Network,
    params: Params,
    plan: Plan,
    packed: Vec<f32>,
    /// Rows of a tile.
    tile: usize,
    /// The most scratch floats that a stage requires for a whole tile.
    stage_scratch: usize,
    /// Scratch of finished tasks, for the next: fresh pages would cost a wide row more than its arithmetic.
    spare: Mutex<Vec<TileScratch>>,
    threads: Threads,
    serial: Threads,
}

/// A task's buffers.
#[derive(Default)]
struct TileScratch {
    /// Input and output of a stage in turn.
    buffers: [Vec<f32>; 2],
    /// The values kept for later stages.
    kept: Vec<f32>,
    /// The stages' scratch.
    stage: Vec<f32>,
    loss: LossScratch,
}

/// Scratch of the losses; empty until the first call that computes them.
#[derive(Default)]
struct LossScratch {
    code: Vec<f32>,
    code_penalty: Vec<f32>,
    gradient: Vec<f32>,
    work: Vec<f32>,
}

/// Rows cut into tasks.
struct Tasks<'a> {
    /// Rows of a task: whole tiles, a few tasks a thread.
    rows: usize,
    /// The threads that share the tasks.
    outer: &'a Threads,
    /// The threads that share a layer within a task.
    inner: &'a Threads,
}

/// Makes `floats` at least `len` long.
fn grow(floats: &mut Vec<f32>, len: usize) {
    if floats.len() < len {
        // Not `resize`: a fresh vector of zeros is not written to.
        *floats = vec![0.0; len];
    }
}

impl PackedNetwork {
    /// Packs the weights.
    ///
    /// # Panics
    ///
    /// If the number of parameters is another network's.
    pub(crate) fn new(network: &Network, params: &Params, threads: &Threads) -> Self {
        let plan = Plan::new(network);
        let len = plan.stages.iter().map(|stage| stage.trainable.len() + stage.buffers.len());
        assert_eq!(params.as_slice().len(), len.sum::<usize>(), "parameters of another network");
        let mut packed = vec![0.0; plan.n_packed];
        plan::pack(&plan.stages, params.as_slice(), &mut packed, threads);
        let tile = (TILE_FLOATS / plan.max_width.max(1)).clamp(1, MOST_ROWS);
        let scratch = plan.stages.iter().map(|stage| match &stage.op {
            Op::Layer(layer) => layer.ops().requirements(tile, stage.outputs).inference_scratch,
            Op::Sample(_) => 0,
        });
        let stage_scratch = scratch.max().unwrap_or(0);
        Self {
            network: network.clone(),
            params: params.clone(),
            plan,
            packed,
            tile,
            stage_scratch,
            spare: Mutex::default(),
            threads: threads.clone(),
            serial: Threads::serial(),
        }
    }

    /// How `n` rows are shared among the threads.
    fn tasks(&self, n: usize) -> Tasks<'_> {
        const TASKS_PER_THREAD: usize = 4;
        let Self { tile, threads, serial, .. } = self;
        let tiles = n.div_ceil(*tile);
        if tiles < threads.n() {
            return Tasks { rows: tiles.max(1) * tile, outer: serial, inner: threads };
        }
        let rows = tiles.div_ceil(TASKS_PER_THREAD * threads.n()).max(1) * tile;
        Tasks { rows, outer: threads, inner: serial }
    }

    /// Calls `f` with scratch for tasks of `n_rows` rows.
    fn with_scratch(&self, n_rows: usize, f: impl FnOnce(&mut TileScratch)) {
        // A task that panicked took its scratch with it; the others are whole.
        let spare = || self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        let mut scratch = spare().pop().unwrap_or_default();
        let n_rows = n_rows.min(self.tile);
        scratch.buffers.iter_mut().for_each(|buffer| grow(buffer, n_rows * self.plan.max_width));
        grow(&mut scratch.kept, n_rows * self.plan.kept_width);
        grow(&mut scratch.stage, self.stage_scratch);
        f(&mut scratch);
        spare().push(scratch);
    }

    /// Sends at most a tile of rows through `stages`; the result lies in the scratch.
    fn run<'s>(&self, stages: &[Stage], rows: Rows<'_>, input: &[f32], scratch: &'s mut TileScratch) -> &'s [f32] {
        let (n, params) = (rows.n, self.params.as_slice());
        let [mut from, mut to] = scratch.buffers.each_mut().map(Vec::as_mut_slice);
        let mut width = stages.first().map_or(0, |stage| stage.inputs);
        let mut s = 0;
        while s < stages.len() {
            let stage = &stages[s];
            let Op::Layer(layer) = &stage.op else {
                unreachable!("inference takes the mean and draws nothing");
            };
            width = stage.outputs;
            let fused = match stages.get(s + 1).map(|next| &next.op) {
                Some(Op::Layer(Layer::Activation(activation))) if stage.keeps.is_none() => Some(*activation),
                _ => None,
            };
            if let Some(activation) = layer.elementwise().filter(|_| s > 0) {
                activation.apply(&mut from[..n * width]);
            } else {
                let source = if s == 0 { input } else { &from[..n * stage.inputs] };
                let pass = Inference {
                    rows,
                    params: &params[stage.trainable.clone()],
                    packed: &self.packed[stage.packed.clone()],
                    buffers: &params[stage.buffers.clone()],
                    scratch: &mut scratch.stage,
                    kept: stage.adds.map_or(&[], |kept| &scratch.kept[n * kept.place..][..n * width]),
                    activation: fused.unwrap_or(Activation::Identity),
                };
                layer.infer(pass, source, &mut to[..n * width]);
                std::mem::swap(&mut from, &mut to);
                s += usize::from(fused.is_some());
            }
            if let Some(place) = stages[s].keeps {
                scratch.kept[n * place..][..n * width].copy_from_slice(&from[..n * width]);
            }
            s += 1;
        }
        &from[..n * width]
    }

    /// Writes the first `width` columns of the encoder's output.
    fn encode_columns(&self, input: &[f32], encoded: &mut [f32], width: usize) {
        let inputs = self.plan.inputs();
        let n = n_rows(input, inputs, encoded, width);
        let (tasks, tile) = (self.tasks(n), self.tile);
        tasks.outer.chunks(encoded, tasks.rows * width, |t, encoded| {
            let input = &input[t * tasks.rows * inputs..];
            self.with_scratch(encoded.len() / width, |scratch| {
                for (i, encoded) in encoded.chunks_mut(tile * width).enumerate() {
                    let rows = Rows { n: encoded.len() / width, threads: tasks.inner };
                    let input = &input[i * tile * inputs..][..rows.n * inputs];
                    copy_columns(self.run(self.plan.encoder(), rows, input, scratch), encoded, rows.n);
                }
            });
        });
    }
}

impl PreparedNetwork for PackedNetwork {
    fn network(&self) -> &Network {
        &self.network
    }

    fn encode(&self, input: &[f32], code: &mut [f32]) {
        self.encode_columns(input, code, self.plan.code_size());
    }

    fn encode_distribution(&self, input: &[f32], encoded: &mut [f32]) {
        assert!(self.network.latent == Latent::Gaussian, "a point has no variance");
        let width = 2 * self.plan.code_size();
        self.encode_columns(input, encoded, width);
        encoded.chunks_exact_mut(width).for_each(Latent::bound_log_variances);
    }

    fn decode(&self, code: &[f32], output: &mut [f32]) {
        let (code_size, outputs) = (self.plan.code_size(), self.plan.outputs());
        let n = n_rows(code, code_size, output, outputs);
        let (tasks, tile) = (self.tasks(n), self.tile);
        tasks.outer.chunks(output, tasks.rows * outputs, |t, output| {
            let code = &code[t * tasks.rows * code_size..];
            self.with_scratch(output.len() / outputs, |scratch| {
                for (i, output) in output.chunks_mut(tile * outputs).enumerate() {
                    let rows = Rows { n: output.len() / outputs, threads: tasks.inner };
                    let code = &code[i * tile * code_size..][..rows.n * code_size];
                    output.copy_from_slice(self.run(self.plan.decoder(), rows, code, scratch));
                    self.network.output.link(output);
                }
            });
        });
    }

    fn reconstruct(&self, input: &[f32], code: &mut [f32], output: &mut [f32]) {
        let Self { network, plan, .. } = self;
        let (inputs, code_size, outputs) = (plan.inputs(), plan.code_size(), plan.outputs());
        let n = n_rows(input, inputs, code, code_size);
        assert_eq!(output.len(), n * outputs, "length of the output");
        let (tasks, tile) = (self.tasks(n), self.tile);
        let code = (code, tasks.rows * code_size);
        let output = (output, tasks.rows * outputs);
        tasks.outer.chunks2(code, output, |t, code, output| {
            let input = &input[t * tasks.rows * inputs..];
            self.with_scratch(code.len() / code_size, |scratch| {
                let tiles = code.chunks_mut(tile * code_size).zip(output.chunks_mut(tile * outputs));
                for (i, (code, output)) in tiles.enumerate() {
                    let rows = Rows { n: code.len() / code_size, threads: tasks.inner };
                    let input = &input[i * tile * inputs..][..rows.n * inputs];
                    copy_columns(self.run(plan.encoder(), rows, input, scratch), code, rows.n);
                    output.copy_from_slice(self.run(plan.decoder(), rows, code, scratch));
                    network.output.link(output);
                }
            });
        });
    }

    fn losses(&self, input: &[f32], target: &[f32], code_penalty_weight: f32, losses: &mut [f32]) {
        let Self { network, plan, .. } = self;
        let (inputs, code_size, outputs) = (plan.inputs(), plan.code_size(), plan.outputs());
        let n = n_rows(input, inputs, target, outputs);
        assert_eq!(losses.len(), n, "a loss a row");
        let (tasks, tile) = (self.tasks(n), self.tile);
        tasks.outer.chunks(losses, tasks.rows, |t, losses| {
            self.with_scratch(losses.len(), |scratch| {
                let mut loss = std::mem::take(&mut scratch.loss);
                let most = tile.min(losses.len());
                grow(&mut loss.code, most * code_size);
                grow(&mut loss.code_penalty, most);
                grow(&mut loss.gradient, most * outputs);
                grow(&mut loss.work, network.output.scratch_len());
                for (i, losses) in losses.chunks_mut(tile).enumerate() {
                    let rows = Rows { n: losses.len(), threads: tasks.inner };
                    let first = t * tasks.rows + i * tile;
                    let code = &mut loss.code[..rows.n * code_size];
                    let input = &input[first * inputs..][..rows.n * inputs];
                    let encoded = self.run(plan.encoder(), rows, input, scratch);
                    copy_columns(encoded, code, rows.n);
                    let encoded = encoded.chunks_exact(encoded.len() / rows.n);
                    for (penalty, encoded) in loss.code_penalty.iter_mut().zip(encoded) {
                        *penalty = network.latent.penalty(encoded);
                    }
                    let values = self.run(plan.decoder(), rows, code, scratch);
                    let target = &target[first * outputs..][..rows.n * outputs];
                    let gradient = &mut loss.gradient[..rows.n * outputs];
                    network.output.evaluate(rows, values, target, gradient, losses, &mut loss.work);
                    if network.latent.has_penalty() {
                        let each = losses.iter_mut().zip(&loss.code_penalty);
                        each.for_each(|(loss, penalty)| *loss += code_penalty_weight * penalty);
                    }
                }
                scratch.loss = loss;
            });
        });
    }
}

impl fmt::Debug for PackedNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PackedNetwork({}, {:?})", self.network, self.threads)
    }
}

/// Number of rows, from two matrices that must agree on it.
fn n_rows(input: &[f32], inputs: usize, output: &[f32], outputs: usize) -> usize {
    let n = input.len() / inputs;
    assert_eq!(input.len(), n * inputs, "the input has rows of {inputs}");
    assert_eq!(output.len(), n * outputs, "the output has {n} rows of {outputs}");
    n
}

/// Copies the first columns of every row: all of a point code, the mean of a Gaussian one.
fn copy_columns(encoded: &[f32], columns: &mut [f32], n: usize) {
    let (from, to) = (encoded.len() / n, columns.len() / n);
    for (columns, encoded) in columns.chunks_exact_mut(to).zip(encoded.chunks_exact(from)) {
        columns.copy_from_slice(&encoded[..to]);
    }
}
