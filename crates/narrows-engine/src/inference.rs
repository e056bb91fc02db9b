//! Encoding, decoding and reconstructing rows: no randomness, no state, no row looking at another.
//!
//! Rows go through the layers tile by tile, each thread with two small buffers of its own. An element
//! of a matrix product is one chain of multiply-adds wherever its row stands (see `kernels::matmul`),
//! and all else is elementwise or within a row; so a row's result is the same to the bit alone, in any
//! batch, at any place, with any number of threads.

use crate::kernels::threads::Threads;
use crate::latent::{self, Latent};
use crate::layer::{Inference, Rows};
use crate::network::Network;
use crate::params::Params;
use crate::plan::{self, Op, Plan, Stage};

/// Rows that go through the layers together.
const TILE: usize = 64;

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
    /// Scratch floats that the neediest stage asks for with a whole tile.
    scratch: usize,
    serial: Threads,
}

/// A thread's two buffers, taking turns as input and output, the values kept for later stages, and the
/// stages' scratch.
struct Scratch {
    buffers: [Vec<f32>; 2],
    kept: Vec<f32>,
    stage: Vec<f32>,
}

impl<'a> Runner<'a> {
    fn new(plan: &Plan, stages: &[Stage], params: &'a Params, threads: &Threads) -> Self {
        let mut packed = vec![0.0; plan.n_packed];
        plan::pack(stages, &params.data, &mut packed, threads);
        let scratch = stages.iter().map(|stage| match &stage.op {
            Op::Layer(layer) => layer.inference_scratch_len(TILE),
            Op::Sample(_) => 0,
        });
        let scratch = scratch.max().unwrap_or(0);
        Self {
            params: &params.data,
            packed,
            max_width: plan.max_width,
            kept_width: plan.kept_width,
            scratch,
            serial: Threads::serial(),
        }
    }

    fn scratch(&self, n_rows: usize) -> Scratch {
        let n_rows = n_rows.min(TILE);
        let len = n_rows * self.max_width;
        Scratch {
            buffers: [vec![0.0; len], vec![0.0; len]],
            kept: vec![0.0; n_rows * self.kept_width],
            stage: vec![0.0; self.scratch],
        }
    }

    /// Sends at most a tile of rows through `stages`; the result lies in the scratch.
    fn tile<'s>(&self, stages: &[Stage], n: usize, input: &[f32], scratch: &'s mut Scratch) -> &'s mut [f32] {
        let rows = Rows { n, threads: &self.serial };
        let [mut from, mut to] = scratch.buffers.each_mut().map(Vec::as_mut_slice);
        let mut width = stages.first().map_or(0, |stage| stage.inputs);
        let mut is_first = true;
        for stage in stages {
            let Op::Layer(layer) = &stage.op else {
                unreachable!("inference takes the mean and draws nothing");
            };
            width = stage.outputs;
            if layer.infers_in_place() && !is_first {
                layer.infer_in_place(&mut from[..n * width]);
            } else {
                let source = if is_first { input } else { &from[..n * stage.inputs] };
                let pass = Inference {
                    rows,
                    params: &self.params[stage.trainable.clone()],
                    packed: &self.packed[stage.packed.clone()],
                    buffers: &self.params[stage.buffers.clone()],
                    scratch: &mut scratch.stage,
                    kept: stage.adds.map_or(&[], |kept| &scratch.kept[n * kept.place..][..n * width]),
                };
                layer.infer(pass, source, &mut to[..n * width]);
                std::mem::swap(&mut from, &mut to);
                is_first = false;
            }
            if let Some(place) = stage.keeps {
                scratch.kept[n * place..][..n * width].copy_from_slice(&from[..n * width]);
            }
        }
        &mut from[..n * width]
    }
}

/// Rows that one task takes: a few tasks a thread, of whole tiles.
fn rows_per_task(n: usize, threads: &Threads) -> usize {
    const TASKS_PER_THREAD: usize = 4;
    let tiles = n.div_ceil(TILE);
    tiles.div_ceil(TASKS_PER_THREAD * threads.n()).max(1) * TILE
}

impl Network {
    /// Writes the code of every row: `[n, inputs]` to `[n, code_size]`; of a Gaussian code, the mean.
    ///
    /// # Panics
    ///
    /// If a length does not fit, or `params` are another network's.
    pub fn encode(&self, params: &Params, input: &[f32], code: &mut [f32], threads: &Threads) {
        let (inputs, code_size) = (self.inputs(), self.code_size());
        let n = n_rows(input, inputs, code, code_size);
        let plan = self.plan_for(params);
        let runner = Runner::new(&plan, plan.encoder(), params, threads);
        let per_task = rows_per_task(n, threads);
        threads.chunks(code, per_task * code_size, |t, code| {
            let mut scratch = runner.scratch(code.len() / code_size);
            let input = &input[t * per_task * inputs..];
            for (i, code) in code.chunks_mut(TILE * code_size).enumerate() {
                let n = code.len() / code_size;
                let input = &input[i * TILE * inputs..][..n * inputs];
                copy_mean(runner.tile(plan.encoder(), n, input, &mut scratch), code, n);
            }
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
        let per_task = rows_per_task(n, threads);
        threads.chunks(output, per_task * outputs, |t, output| {
            let mut scratch = runner.scratch(output.len() / outputs);
            let code = &code[t * per_task * code_size..];
            for (i, output) in output.chunks_mut(TILE * outputs).enumerate() {
                let n = output.len() / outputs;
                let code = &code[i * TILE * code_size..][..n * code_size];
                output.copy_from_slice(runner.tile(plan.decoder(), n, code, &mut scratch));
                self.output.link(output);
            }
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
    /// `[n, outputs]`, NaN targets unobserved, plus `kl_weight` times a Gaussian code's divergence.
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
        let per_task = rows_per_task(n, threads);
        threads.chunks(losses, per_task, |t, losses| {
            let mut scratch = runner.scratch(losses.len());
            let mut code = vec![0.0; TILE.min(losses.len()) * self.code_size()];
            let mut gradient = vec![0.0; TILE.min(losses.len()) * outputs];
            let mut work = vec![0.0; self.output.scratch_len()];
            for (i, losses) in losses.chunks_mut(TILE).enumerate() {
                let n = losses.len();
                let first = t * per_task + i * TILE;
                let code = &mut code[..n * self.code_size()];
                let encoded = runner.tile(plan.encoder(), n, &input[first * inputs..][..n * inputs], &mut scratch);
                copy_mean(encoded, code, n);
                let divergence: Vec<f32> = match self.latent {
                    Latent::Gaussian => encoded.chunks_exact(2 * self.code_size()).map(latent::divergence).collect(),
                    Latent::Point => Vec::new(),
                };
                let values = runner.tile(plan.decoder(), n, code, &mut scratch);
                let rows = Rows { n, threads: &runner.serial };
                let target = &target[first * outputs..][..n * outputs];
                self.output.judge(rows, values, target, &mut gradient[..n * outputs], losses, &mut work);
                losses.iter_mut().zip(divergence).for_each(|(loss, kl)| *loss += kl_weight * kl);
            }
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
        let per_task = rows_per_task(n, threads);
        let code = (code, per_task * code_size);
        let output = (output, per_task * outputs);
        threads.chunks2(code, output, |t, code, output| {
            let mut scratch = runner.scratch(code.len() / code_size);
            let input = &input[t * per_task * inputs..];
            let tiles = code.chunks_mut(TILE * code_size).zip(output.chunks_mut(TILE * outputs));
            for (i, (code, output)) in tiles.enumerate() {
                let n = code.len() / code_size;
                let input = &input[i * TILE * inputs..][..n * inputs];
                copy_mean(runner.tile(plan.encoder(), n, input, &mut scratch), code, n);
                output.copy_from_slice(runner.tile(plan.decoder(), n, code, &mut scratch));
                network.output.link(output);
            }
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
