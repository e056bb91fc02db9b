//! The backward pass through the steps.
//!
//! The gradients of the gates would be the largest part of all that training keeps, so they are not kept:
//! every few steps, still in the cache, they go into the gradients of the weights, of which every group
//! of tiles has its own. What a group is follows from the number of rows alone, and the groups are added
//! up in order, so threads cannot show in the sum.

use crate::kernels::columns::{self, Band};
use crate::kernels::matmul::{Left, Right, Shape, Start, multiply};
use crate::kernels::threads::Threads;
use crate::kernels::vectorised;
use crate::layer::sequence::Way;
use crate::layer::{Backward, Gradients, SequenceOutput};

use super::cell::{self, CellStepBack};
use super::layout::Layout;
use super::{Lstm, TILE, Weights};

/// Rows of gradients of gates, over a few steps, that go into the gradients of the weights at once.
const BLOCK: usize = 256;

/// Most groups of tiles, each with gradients of the weights of its own.
const MAX_GROUPS: usize = 16;

/// The scratch of a group of tiles.
struct GroupScratch<'a> {
    /// The group's part of the gradients: weights of the input, of the state, bias.
    d_params: &'a mut [f32],
    /// The gradients of the gates of a few steps, at most [`BLOCK`] rows.
    d_gates: &'a mut [f32],
    d_cell: &'a mut [f32],
    d_hidden: &'a mut [f32],
    /// The gradient of one step's inputs.
    d_values: &'a mut [f32],
}

/// A tile of rows in the backward pass.
struct TileBack<'a> {
    way: Way,
    layout: Layout,
    weights: Weights<'a>,
    /// The values that the forward pass saved.
    kept: &'a [f32],
    d_output: &'a [f32],
    /// The forward direction overwrites it, the reverse direction adds to it.
    d_input: Option<&'a mut [f32]>,
}

impl Lstm {
    /// Rows of a group of tiles, of `n` rows.
    fn group_rows(n: usize) -> usize {
        n.div_ceil(TILE).div_ceil(MAX_GROUPS).max(1) * TILE
    }

    /// Floats of a [`GroupScratch`].
    fn group_scratch_len(&self) -> usize {
        let d_params = self.way_len() - 4 * self.hidden;
        d_params + BLOCK * 4 * self.hidden + TILE * (2 * self.hidden + self.inputs)
    }

    fn group_scratch<'a>(&self, scratch: &'a mut [f32]) -> GroupScratch<'a> {
        let (d_params, rest) = scratch.split_at_mut(self.way_len() - 4 * self.hidden);
        let (d_gates, rest) = rest.split_at_mut(BLOCK * 4 * self.hidden);
        let (d_cell, rest) = rest.split_at_mut(TILE * self.hidden);
        let (d_hidden, d_values) = rest.split_at_mut(TILE * self.hidden);
        GroupScratch { d_params, d_gates, d_cell, d_hidden, d_values }
    }

    /// Floats of scratch for the backward pass of `n` rows.
    pub(super) fn training_scratch_len(&self, n: usize) -> usize {
        n.div_ceil(TILE).min(MAX_GROUPS) * self.group_scratch_len()
    }

    /// Backward through time, way by way.
    pub(super) fn backward_through_time(&self, pass: Backward<'_>, gradients: &mut Gradients) {
        let Backward { rows, params, saved, scratch, gradient, wants_input, .. } = pass;
        let (inputs, outputs) = self.row_widths();
        let (d_output, d_input) = gradients.both(rows.n * outputs, rows.n * inputs);
        let group_rows = Self::group_rows(rows.n);
        let scratch_len = self.group_scratch_len();
        let scratches = &mut scratch[..rows.n.div_ceil(group_rows) * scratch_len];
        let threads = self.threads(rows);
        for (way, &each) in self.direction.ways().iter().enumerate() {
            let d_input = (&mut *d_input, group_rows * inputs);
            threads.chunks2(d_input, (&mut *scratches, scratch_len), |group, d_input, scratch| {
                let mut scratch = self.group_scratch(scratch);
                scratch.d_params.fill(0.0);
                for (t, d_input) in d_input.chunks_mut(TILE * inputs).enumerate() {
                    let first = group * group_rows + t * TILE;
                    let layout = self.layout(d_input.len() / inputs, self.steps);
                    let tile = TileBack {
                        way: each,
                        layout,
                        weights: self.weights(params, way),
                        kept: &saved[self.saved_len(first) + way * layout.len()..][..layout.len()],
                        d_output: &d_output[first * outputs..][..layout.rows * outputs],
                        d_input: if wants_input { Some(d_input) } else { None },
                    };
                    self.read_back(tile, &mut scratch);
                }
            });
            let d_params = &mut gradient[way * self.way_len()..][..self.way_len()];
            self.add_groups(scratches, d_params, &threads);
        }
        if wants_input {
            gradients.swap();
        }
    }

    /// Goes back through the steps of a tile of rows.
    fn read_back(&self, mut tile: TileBack<'_>, scratch: &mut GroupScratch<'_>) {
        let Self { inputs, hidden: width, steps, .. } = *self;
        let TileBack { way, layout, ref weights, kept, d_output, .. } = tile;
        let m = layout.rows;
        let d_cell = &mut scratch.d_cell[..m * width];
        let d_hidden = &mut scratch.d_hidden[..m * width];
        let d_values = &mut scratch.d_values[..m * inputs];
        d_cell.fill(0.0);
        d_hidden.fill(0.0);
        let block = (BLOCK / m).min(steps);
        let mut end = steps;
        while end > 0 {
            let begin = end.saturating_sub(block);
            for i in (begin..end).rev() {
                let step = way.step(i, steps);
                let present = &kept[layout.present(i)];
                self.add_output_gradient(way, i, present, d_output, d_hidden);
                let d_gates = &mut scratch.d_gates[(i - begin) * m * 4 * width..][..m * 4 * width];
                let back = CellStepBack {
                    present,
                    gates: &kept[layout.gates(i)],
                    cell_before: &kept[layout.cell(i)],
                    cell: &kept[layout.cell(i + 1)],
                    d_gates,
                    d_cell,
                    d_hidden,
                };
                cell::backward(width, back);
                let shape = Shape { m, n: width, k: 4 * width };
                multiply(shape, Left::Rows(d_gates), Right::Rows(weights.hidden), Start::Destination, d_hidden);
                if let Some(d_input) = &mut tile.d_input {
                    let shape = Shape { n: inputs, ..shape };
                    multiply(shape, Left::Rows(d_gates), Right::Rows(weights.input), Start::Zero, d_values);
                    scatter(way, (step, steps), inputs, d_values, d_input);
                }
            }
            let d_gates = &scratch.d_gates[..(end - begin) * m * 4 * width];
            let values = &kept[layout.inputs(begin).start..layout.inputs(end - 1).end];
            let states = &kept[layout.hidden(begin).start..layout.hidden(end - 1).end];
            self.add_params_gradient(d_gates, values, states, scratch.d_params);
            end = begin;
        }
    }

    /// Adds the output's gradient for the state after step `i` as read.
    fn add_output_gradient(&self, way: Way, i: usize, present: &[f32], d_output: &[f32], d_hidden: &mut [f32]) {
        let step = match self.output {
            SequenceOutput::All => way.step(i, self.steps),
            SequenceOutput::Last if i + 1 == self.steps => 0,
            SequenceOutput::Last => return,
        };
        let places = self.step_places(way, step, d_output.len() / present.len());
        for ((place, d_hidden), &present) in places.zip(d_hidden.chunks_exact_mut(self.hidden)).zip(present) {
            // The output at an absent step is NaN, whatever the parameters.
            if present == 1.0 || self.output == SequenceOutput::Last {
                d_hidden.iter_mut().zip(&d_output[place]).for_each(|(d, &g)| *d += g);
            }
        }
    }

    /// Adds the gradient of the parameters by some rows of gates, with the inputs and states before them.
    fn add_params_gradient(&self, d_gates: &[f32], values: &[f32], states: &[f32], d_params: &mut [f32]) {
        let gates = 4 * self.hidden;
        let (d_input, rest) = d_params.split_at_mut(gates * self.inputs);
        let (d_hidden, d_bias) = rest.split_at_mut(gates * self.hidden);
        let left = Left::Columns { data: d_gates, width: gates, first: 0 };
        let shape = Shape { m: gates, n: self.inputs, k: d_gates.len() / gates };
        multiply(shape, left, Right::Rows(values), Start::Destination, d_input);
        let shape = Shape { n: self.hidden, ..shape };
        multiply(shape, left, Right::Rows(states), Start::Destination, d_hidden);
        columns::add_sums(Band { data: d_gates, width: gates, first: 0 }, d_bias);
    }

    /// Adds up the groups' parts, in order, into the gradients of one way's parameters.
    fn add_groups(&self, scratches: &[f32], d_params: &mut [f32], threads: &Threads) {
        const CHUNK: usize = 1 << 12;
        let len = d_params.len() - 4 * self.hidden;
        let (d_params, d_other_bias) = d_params.split_at_mut(len);
        threads.chunks(d_params, CHUNK, |t, sum| {
            let range = t * CHUNK..t * CHUNK + sum.len();
            sum.fill(0.0);
            for scratch in scratches.chunks_exact(self.group_scratch_len()) {
                let part = &scratch[range.clone()];
                vectorised!(for (sum, part) in sum.iter_mut().zip(part) {
                    *sum += part;
                });
            }
        });
        // Both biases enter the gates in the same way.
        d_other_bias.copy_from_slice(&d_params[len - 4 * self.hidden..]);
    }
}

/// Brings the gradient of one step's inputs, `width` a row, to the rows; the reverse direction adds to what the
/// forward one wrote.
fn scatter(way: Way, (step, steps): (usize, usize), width: usize, d_values: &[f32], d_input: &mut [f32]) {
    for (d_row, values) in d_input.chunks_exact_mut(steps * width).zip(d_values.chunks_exact(width)) {
        let d_row = &mut d_row[step * width..][..width];
        match way {
            Way::Forward => d_row.copy_from_slice(values),
            Way::Reverse => d_row.iter_mut().zip(values).for_each(|(d, &g)| *d += g),
        }
    }
}
