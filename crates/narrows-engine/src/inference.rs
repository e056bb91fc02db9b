//! Encoding, decoding and reconstructing rows: no randomness, no state, no row looking at another.
//!
//! Rows go through the layers tile by tile, each task with two buffers of its own; where there are fewer
//! tiles than threads, the threads share the layers of a tile instead. An element of a matrix product is
//! one chain of multiply-adds wherever its row stands (see `kernels::matmul`), and all else is elementwise
//! or within a row; so a row's result is the same to the bit alone, in any batch, at any place, with any
//! number of threads.

use std::sync::Mutex;

use crate::kernels::threads::Threads;
use crate::layer::{Activation, Inference, Layer, Rows};
use crate::network::Network;
use crate::params::Params;
use crate::plan::{self, Op, Plan, Stage};

/// The most rows that go through the layers together: enough for a weight to be read seldom.
const MOST_ROWS: usize = 64;

/// Floats of a tile's widest value, for rows so wide that fewer of them are enough: pictures.
const TILE_FLOATS: usize = 1 << 19;

/// A network with its weights packed for the matrix products, for many calls with few rows: [`Network::reconstruct`]
/// packs them at each call, which costs a single row ten times its products.
pub struct Ready<'a> {
    network: &'a Network,
    plan: Plan,
    runner: Runner<'a>,
}

/// Stages with what they need to run.
struct Runner<'a> {
    params: &'a [f32],
    packed: Vec<f32>,
    max_width: usize,
    kept_width: usize,
    /// Rows of a tile.
    tile: usize,
    /// Scratch floats that the neediest stage asks for with a whole tile.
    scratch: usize,
    /// What finished tasks leave for the next: fresh pages would cost a wide row more than its arithmetic.
    spare: Mutex<Vec<Scratch>>,
    serial: Threads,
}

/// A task's two buffers, taking turns as input and output, the values kept for later stages, and the
/// stages' scratch.
#[derive(Default)]
struct Scratch {
    buffers: [Vec<f32>; 2],
    kept: Vec<f32>,
    stage: Vec<f32>,
}

/// Rows cut into tasks.
struct Tasks<'a> {
    /// Rows of a task: whole tiles, a few tasks a thread.
    rows: usize,
    /// Who share the tasks.
    outer: &'a Threads,
    /// Who share a layer within a task.
    inner: &'a Threads,
}

impl<'a> Runner<'a> {
    fn new(plan: &Plan, stages: &[Stage], params: &'a Params, threads: &Threads) -> Self {
        let mut packed = vec![0.0; plan.n_packed];
        plan::pack(stages, &params.data, &mut packed, threads);
        let tile = (TILE_FLOATS / plan.max_width.max(1)).clamp(1, MOST_ROWS);
        let scratch = stages.iter().map(|stage| match &stage.op {
            Op::Layer(layer) => layer.inference_scratch_len(tile),
            Op::Sample(_) => 0,
        });
        let scratch = scratch.max().unwrap_or(0);
        Self {
            params: &params.data,
            packed,
            max_width: plan.max_width,
            kept_width: plan.kept_width,
            tile,
            scratch,
            spare: Mutex::default(),
            serial: Threads::serial(),
        }
    }

    /// How `n` rows are shared among the threads.
    fn tasks<'t>(&'t self, n: usize, threads: &'t Threads) -> Tasks<'t> {
        const TASKS_PER_THREAD: usize = 4;
        let tiles = n.div_ceil(self.tile);
        if tiles < threads.n() {
            return Tasks { rows: tiles.max(1) * self.tile, outer: &self.serial, inner: threads };
        }
        let rows = tiles.div_ceil(TASKS_PER_THREAD * threads.n()).max(1) * self.tile;
        Tasks { rows, outer: threads, inner: &self.serial }
    }

    /// Calls `f` with scratch for tasks of `n_rows` rows.
    fn with_scratch(&self, n_rows: usize, f: impl FnOnce(&mut Scratch)) {
        let spare = || self.spare.lock().expect("nobody panics with the lock");
        let mut scratch = spare().pop().unwrap_or_default();
        let n_rows = n_rows.min(self.tile);
        let grow = |floats: &mut Vec<f32>, len: usize| {
            if floats.len() < len {
                // Not `resize`: a fresh vector of zeros is not written to.
                *floats = vec![0.0; len];
            }
        };
        scratch.buffers.iter_mut().for_each(|buffer| grow(buffer, n_rows * self.max_width));
        grow(&mut scratch.kept, n_rows * self.kept_width);
        grow(&mut scratch.stage, self.scratch);
        f(&mut scratch);
        spare().push(scratch);
    }

    /// Sends at most a tile of rows through `stages`; the result lies in the scratch.
    fn run<'s>(&self, stages: &[Stage], rows: Rows<'_>, input: &[f32], scratch: &'s mut Scratch) -> &'s mut [f32] {
        let n = rows.n;
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
            if layer.infers_in_place() && s > 0 {
                layer.infer_in_place(&mut from[..n * width]);
            } else {
                let source = if s == 0 { input } else { &from[..n * stage.inputs] };
                let pass = Inference {
                    rows,
                    params: &self.params[stage.trainable.clone()],
                    packed: &self.packed[stage.packed.clone()],
                    buffers: &self.params[stage.buffers.clone()],
                    scratch: &mut scratch.stage,
                    kept: stage.adds.map_or(&[], |kept| &scratch.kept[n * kept.place..][..n * width]),
                };
                layer.infer(pass, fused.unwrap_or(Activation::Identity), source, &mut to[..n * width]);
                std::mem::swap(&mut from, &mut to);
                s += usize::from(fused.is_some());
            }
            if let Some(place) = stages[s].keeps {
                scratch.kept[n * place..][..n * width].copy_from_slice(&from[..n * width]);
            }
            s += 1;
        }
        &mut from[..n * width]
    }
}

impl Network {
    /// Writes the code of every row: `[n, inputs]` to `[n, code_size]`; of a Gaussian code, the mean.
    ///
    /// # Panics
    ///
    /// If a length does not fit, or `params` are another network's.
    pub fn encode(&self, params: &Params, input: &[f32], code: &mut [f32], threads: &Threads) {
        self.encode_columns(params, input, code, self.code_size(), threads);
    }

    /// Writes mean and log-variance of the Gaussian code of every row: `[n, inputs]` to `[n, 2 code_size]`.
    ///
    /// # Panics
    ///
    /// As [`encode`](Self::encode), and if the code is a point.
    pub fn encode_distribution(&self, params: &Params, input: &[f32], encoded: &mut [f32], threads: &Threads) {
        assert!(self.latent == crate::Latent::Gaussian, "a point has no variance");
        self.encode_columns(params, input, encoded, 2 * self.code_size(), threads);
        encoded.chunks_exact_mut(2 * self.code_size()).for_each(crate::latent::clamp_log_var);
    }

    /// Writes the first columns, `code_size` of them, of what the encoder puts out.
    fn encode_columns(&self, params: &Params, input: &[f32], code: &mut [f32], code_size: usize, threads: &Threads) {
        let inputs = self.inputs();
        let n = n_rows(input, inputs, code, code_size);
        let plan = self.plan_for(params);
        let runner = Runner::new(&plan, plan.encoder(), params, threads);
        let (tasks, tile) = (runner.tasks(n, threads), runner.tile);
        tasks.outer.chunks(code, tasks.rows * code_size, |t, code| {
            let input = &input[t * tasks.rows * inputs..];
            runner.with_scratch(code.len() / code_size, |scratch| {
                for (i, code) in code.chunks_mut(tile * code_size).enumerate() {
                    let rows = Rows { n: code.len() / code_size, threads: tasks.inner };
                    let input = &input[i * tile * inputs..][..rows.n * inputs];
                    copy_mean(runner.run(plan.encoder(), rows, input, scratch), code, rows.n);
                }
            });
        });
    }

    /// Writes the prediction for every code: `[n, code_size]` to `[n, outputs]`, with links applied, so
    /// that binary and categorical columns are probabilities.
    ///
    /// # Panics
    ///
    /// As [`encode`](Self::encode).
    pub fn decode(&self, params: &Params, code: &[f32], output: &mut [f32], threads: &Threads) {
        let (code_size, outputs) = (self.code_size(), self.outputs());
        let n = n_rows(code, code_size, output, outputs);
        let plan = self.plan_for(params);
        let runner = Runner::new(&plan, plan.decoder(), params, threads);
        let (tasks, tile) = (runner.tasks(n, threads), runner.tile);
        tasks.outer.chunks(output, tasks.rows * outputs, |t, output| {
            let code = &code[t * tasks.rows * code_size..];
            runner.with_scratch(output.len() / outputs, |scratch| {
                for (i, output) in output.chunks_mut(tile * outputs).enumerate() {
                    let rows = Rows { n: output.len() / outputs, threads: tasks.inner };
                    let code = &code[i * tile * code_size..][..rows.n * code_size];
                    output.copy_from_slice(runner.run(plan.decoder(), rows, code, scratch));
                    self.output.link(output);
                }
            });
        });
    }

    /// Encodes and decodes in one go: `[n, inputs]` to `[n, code_size]` and `[n, outputs]`.
    ///
    /// # Panics
    ///
    /// As [`encode`](Self::encode).
    pub fn reconstruct(&self, params: &Params, input: &[f32], code: &mut [f32], output: &mut [f32], threads: &Threads) {
        self.ready(params, threads).reconstruct(input, code, output, threads);
    }

    /// Packs the weights, so that many calls can share them.
    ///
    /// # Panics
    ///
    /// If `params` are another network's.
    pub fn ready<'a>(&'a self, params: &'a Params, threads: &Threads) -> Ready<'a> {
        let plan = self.plan_for(params);
        let runner = Runner::new(&plan, &plan.stages, params, threads);
        Ready { network: self, plan, runner }
    }

    /// Writes the loss of every row that does not train: the output loss of `[n, inputs]` against
    /// `[n, outputs]`, NaN targets unobserved, plus `kl_weight` times the code's price: a Gaussian's divergence, a quantised code's bits.
    ///
    /// # Panics
    ///
    /// As [`encode`](Self::encode).
    pub fn losses(
        &self,
        params: &Params,
        input: &[f32],
        target: &[f32],
        kl_weight: f32,
        losses: &mut [f32],
        threads: &Threads,
    ) {
        let (inputs, outputs) = (self.inputs(), self.outputs());
        let n = n_rows(input, inputs, target, outputs);
        assert_eq!(losses.len(), n, "a loss a row");
        let plan = self.plan_for(params);
        let runner = Runner::new(&plan, &plan.stages, params, threads);
        let (tasks, tile) = (runner.tasks(n, threads), runner.tile);
        tasks.outer.chunks(losses, tasks.rows, |t, losses| {
            let mut code = vec![0.0; tile.min(losses.len()) * self.code_size()];
            let mut gradient = vec![0.0; tile.min(losses.len()) * outputs];
            let mut work = vec![0.0; self.output.scratch_len()];
            runner.with_scratch(losses.len(), |scratch| {
                for (i, losses) in losses.chunks_mut(tile).enumerate() {
                    let n = losses.len();
                    let rows = Rows { n, threads: tasks.inner };
                    let first = t * tasks.rows + i * tile;
                    let code = &mut code[..n * self.code_size()];
                    let encoded = runner.run(plan.encoder(), rows, &input[first * inputs..][..n * inputs], scratch);
                    copy_mean(encoded, code, n);
                    let width = encoded.len() / n;
                    let price: Vec<f32> = encoded.chunks_exact(width).map_while(|row| self.latent.price(row)).collect();
                    let values = runner.run(plan.decoder(), rows, code, scratch);
                    let target = &target[first * outputs..][..n * outputs];
                    self.output.judge(rows, values, target, &mut gradient[..n * outputs], losses, &mut work);
                    losses.iter_mut().zip(price).for_each(|(loss, price)| *loss += kl_weight * price);
                }
            });
        });
    }

    fn plan_for(&self, params: &Params) -> Plan {
        let plan = Plan::new(self);
        let len = plan.stages.iter().map(|stage| stage.trainable.len() + stage.buffers.len());
        assert_eq!(params.data.len(), len.sum::<usize>(), "parameters of another network");
        plan
    }
}

impl Ready<'_> {
    /// As [`Network::reconstruct`], to the bit.
    ///
    /// # Panics
    ///
    /// If a length does not fit.
    pub fn reconstruct(&self, input: &[f32], code: &mut [f32], output: &mut [f32], threads: &Threads) {
        let Ready { network, plan, runner } = self;
        let (inputs, code_size, outputs) = (network.inputs(), network.code_size(), network.outputs());
        let n = n_rows(input, inputs, code, code_size);
        assert_eq!(output.len(), n * outputs, "length of the output");
        let (tasks, tile) = (runner.tasks(n, threads), runner.tile);
        let code = (code, tasks.rows * code_size);
        let output = (output, tasks.rows * outputs);
        tasks.outer.chunks2(code, output, |t, code, output| {
            let input = &input[t * tasks.rows * inputs..];
            runner.with_scratch(code.len() / code_size, |scratch| {
                let tiles = code.chunks_mut(tile * code_size).zip(output.chunks_mut(tile * outputs));
                for (i, (code, output)) in tiles.enumerate() {
                    let rows = Rows { n: code.len() / code_size, threads: tasks.inner };
                    let input = &input[i * tile * inputs..][..rows.n * inputs];
                    copy_mean(runner.run(plan.encoder(), rows, input, scratch), code, rows.n);
                    output.copy_from_slice(runner.run(plan.decoder(), rows, code, scratch));
                    network.output.link(output);
                }
            });
        });
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
fn copy_mean(encoded: &[f32], code: &mut [f32], n: usize) {
    let (from, to) = (encoded.len() / n, code.len() / n);
    for (code, encoded) in code.chunks_exact_mut(to).zip(encoded.chunks_exact(from)) {
        code.copy_from_slice(&encoded[..to]);
    }
}
