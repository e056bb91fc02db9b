//! The forward and the backward pass of training: the plan's stages, walked forward and backward.

use std::mem::take;

use crate::kernels::{sum, vectorised};
use crate::latent::{Drawn, NoiseKey};
use crate::layer::{Activation, Backward, DropoutKey, ELEMENT_COST, Forward, Gradients, Rows, add};
use crate::loss::Output;
use crate::training::{Batch, RowWeights, StepLoss};

use super::plan::{self, Op, Plan, Stage};
use super::trainer::CpuTrainer;

/// The values that the passes share.
#[derive(Debug)]
pub(super) struct Workspace {
    /// The last batch's input, kept by `forward` for `backward`.
    pub(super) input: Vec<f32>,
    /// values[i + 1] is the output of stage i; empty where the stage works in place.
    pub(super) values: Vec<Vec<f32>>,
    /// The values that stage i saves for its backward: statistics, mask or noise; of a skip, the gradient for
    /// the value that it added.
    pub(super) saved: Vec<Vec<f32>>,
    pub(super) packed: Vec<f32>,
    /// Scratch that the stages and the output loss use in turn.
    pub(super) scratch: Vec<f32>,
    pub(super) gradients: Gradients,
    pub(super) row_losses: Vec<f32>,
    pub(super) row_code_penalty: Vec<f32>,
    /// One float a code unit.
    pub(super) units: Vec<f32>,
    pub(super) n: usize,
}

impl Workspace {
    pub(super) fn new(plan: &Plan, output: &Output, capacity: usize) -> Self {
        let mut values = vec![vec![]];
        let mut saved = vec![];
        let mut scratch = Rows::MOST_GROUPS.min(capacity) * output.scratch_len();
        for stage in &plan.stages {
            let len = if stage.in_place.is_some() { 0 } else { capacity * stage.outputs };
            values.push(vec![0.0; len]);
            let kept = match &stage.op {
                Op::Layer(layer) => {
                    let required = layer.ops().requirements(capacity, stage.outputs);
                    scratch = scratch.max(required.training_scratch);
                    required.saved
                }
                Op::Sample(_) => capacity * stage.outputs,
            };
            saved.push(vec![0.0; kept]);
        }
        Self {
            input: vec![],
            values,
            saved,
            packed: vec![0.0; plan.n_packed],
            scratch: vec![0.0; scratch],
            gradients: Gradients::new(capacity * plan.max_width),
            row_losses: vec![0.0; capacity],
            row_code_penalty: vec![0.0; capacity],
            units: vec![0.0; plan.max_width],
            n: 0,
        }
    }
}

impl CpuTrainer {
    /// Runs the stages in order and evaluates the loss; leaves losses and their gradient.
    pub(super) fn pass_forward(&mut self, batch: &Batch<'_>) {
        let n = batch.rows.len();
        assert!(n > 0 && n <= self.capacity, "a batch has 1 to {} rows, got {n}", self.capacity);
        assert_eq!(batch.input.len(), n * self.plan.inputs(), "length of the input");
        assert_eq!(batch.target.len(), n * self.plan.outputs(), "length of the target");
        let Self { plan, threads, work, .. } = self;
        let rows = Rows { n, threads };
        plan::pack(&plan.stages, self.params.as_slice(), &mut work.packed, threads);
        let (trainable, buffers) = self.params.as_mut_slice().split_at_mut(plan.n_trainable);
        let mut source: Option<usize> = None;
        let mut s = 0;
        while s < plan.stages.len() {
            let stage = &plan.stages[s];
            let fused = plan.stages.get(s + 1).and_then(|next| next.in_place);
            let mut output = take(&mut work.values[s + 1]);
            let to = &mut output[..n * stage.outputs];
            let input = match source {
                None => batch.input,
                Some(value) => &work.values[value][..n * stage.inputs],
            };
            match &stage.op {
                Op::Layer(layer) => {
                    let random = DropoutKey {
                        seed: batch.seed,
                        epoch: batch.epoch,
                        rows: batch.rows,
                        block: stage.random_block,
                    };
                    let range = stage.buffers.start - plan.n_trainable..stage.buffers.end - plan.n_trainable;
                    let pass = Forward {
                        rows,
                        random,
                        params: &trainable[stage.trainable.clone()],
                        packed: &work.packed[stage.packed.clone()],
                        buffers: &mut buffers[range],
                        saved: &mut work.saved[s],
                        scratch: &mut work.scratch,
                        kept: match stage.adds.and_then(|kept| value_index(&plan.stages, kept.value)) {
                            None => &[],
                            Some(i) => &work.values[i][..n * stage.outputs],
                        },
                        activation: fused.unwrap_or(Activation::Identity),
                    };
                    layer.forward(pass, input, to);
                }
                Op::Sample(draw) => {
                    let key = NoiseKey { seed: batch.seed, epoch: batch.epoch, rows: batch.rows };
                    let noise = &mut work.saved[s];
                    draw.noise(rows, key, noise);
                    draw.forward(input, noise, to, &mut work.row_code_penalty[..n]);
                }
            }
            work.values[s + 1] = output;
            source = Some(s + 1);
            s += if fused.is_some() { 2 } else { 1 };
        }
        let last = &work.values[source.expect("a network has a layer")];
        let width = plan.outputs();
        self.network.output.evaluate(
            rows,
            &last[..n * width],
            batch.target,
            work.gradients.current(n * width),
            &mut work.row_losses[..n],
            &mut work.scratch,
        );
        work.n = n;
        self.pending = Some(n);
    }

    /// Brings the gradient from the output back to the first trainable stage.
    pub(super) fn pass_backward(
        &mut self,
        input: &[f32],
        row_weights: RowWeights<'_>,
        code_penalty_weight: f32,
    ) -> StepLoss {
        let n = self.pending.take().expect("a forward pass comes before a backward pass");
        let Self { plan, threads, work, .. } = self;
        let rows = Rows { n, threads };
        let output_width = plan.outputs();
        let mut gradients = take(&mut work.gradients);
        let params = self.params.as_slice();
        let losses = &work.row_losses[..n];
        let reconstruction = weigh(rows, row_weights, losses, gradients.current(n * output_width));
        let (mut code_penalty, mut sparsity, mut mean_activity) = (0.0, 0.0, 0.0);
        for s in (plan.first_trainable()..plan.stages.len()).rev() {
            let stage = &plan.stages[s];
            let value = |i: usize, width: usize| -> &[f32] {
                match value_index(&plan.stages, i) {
                    None => input,
                    Some(i) => &work.values[i][..n * width],
                }
            };
            if s + 1 == plan.code {
                let code = value(plan.code, stage.outputs);
                let gradients = gradients.current(code.len());
                sparsity = self.config.sparsity.apply(code, stage.outputs, gradients, &mut work.units);
                let total = vectorised!(sum::sum(
                    code,
                    #[inline(always)]
                    |z| z.abs()
                ));
                mean_activity = total / code.len() as f32;
            }
            for (later, saved) in plan.stages.iter().zip(&work.saved) {
                if later.adds.is_some_and(|kept| kept.value == s + 1) {
                    add(rows, &saved[..n * stage.outputs], gradients.current(n * stage.outputs));
                }
            }
            if stage.adds.is_some() {
                work.saved[s][..n * stage.outputs].copy_from_slice(gradients.current(n * stage.outputs));
            }
            let from = value(s, stage.inputs);
            match &stage.op {
                Op::Layer(layer) => {
                    let pass = Backward {
                        rows,
                        params: &params[stage.trainable.clone()],
                        packed: &work.packed[stage.packed.clone()],
                        saved: &work.saved[s],
                        scratch: &mut work.scratch,
                        input: from,
                        output: value(s + 1, stage.outputs),
                        gradient: &mut self.gradient[stage.trainable.clone()],
                        wants_input: s > plan.first_trainable(),
                    };
                    layer.ops().backward(pass, &mut gradients);
                }
                Op::Sample(draw) => {
                    code_penalty = mean(&work.row_code_penalty[..n]);
                    let (d_code, d_input) = gradients.both(n * stage.outputs, n * stage.inputs);
                    let noise = &work.saved[s][..n * stage.outputs];
                    let pass = Drawn { input: from, noise, code: value(s + 1, stage.outputs) };
                    draw.backward(pass, d_code, code_penalty_weight / n as f32, d_input);
                    gradients.swap();
                }
            }
        }
        work.gradients = gradients;
        let total = reconstruction + code_penalty_weight * code_penalty + sparsity;
        StepLoss { reconstruction, code_penalty, sparsity, mean_activity, total }
    }
}

/// Where value i lies among the values; none is the batch's input.
fn value_index(stages: &[Stage], i: usize) -> Option<usize> {
    match i {
        0 => None,
        i if stages[i - 1].in_place.is_some() => Some(i - 1),
        i => Some(i),
    }
}

/// The mean, summed in order in f64.
fn mean(values: &[f32]) -> f32 {
    (values.iter().map(|&x| f64::from(x)).sum::<f64>() / values.len() as f64) as f32
}

/// The weighted mean of the row losses; turns the gradient of their plain mean into that of it.
fn weigh(rows: Rows<'_>, row_weights: RowWeights<'_>, losses: &[f32], gradient: &mut [f32]) -> f32 {
    let RowWeights::Given(weights) = row_weights else {
        return mean(losses);
    };
    assert_eq!(weights.len(), rows.n, "one weight a row");
    let total: f64 = weights.iter().map(|&w| f64::from(w)).sum();
    // Where all weights are zero, so are loss and gradient.
    let inverse = if total > 0.0 { total.recip() } else { 0.0 };
    let width = gradient.len() / rows.n;
    let tile = rows.tile(width * ELEMENT_COST);
    rows.threads.chunks(gradient, tile * width, |t, gradient| {
        for (row, &weight) in gradient.chunks_exact_mut(width).zip(&weights[t * tile..]) {
            if weight == 0.0 {
                // The row may have diverged, and zero times infinity is not zero.
                row.fill(0.0);
                continue;
            }
            let factor = (f64::from(weight) * inverse * rows.n as f64) as f32;
            vectorised!({
                for g in row.iter_mut() {
                    *g *= factor;
                }
            });
        }
    });
    let weighted = losses.iter().zip(weights).filter(|(_, w)| **w != 0.0);
    (weighted.map(|(&loss, &w)| f64::from(loss) * f64::from(w)).sum::<f64>() * inverse) as f32
}
