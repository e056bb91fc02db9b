//! Backpropagation through time.
//!
//! Gate gradients would be the largest part of the training state, so they are not kept: every few steps, while in the
//! cache, they are accumulated into the weight gradients, of which every group of tiles has its own. Groups depend only
//! on the number of rows and are summed in order, so the result is independent of the number of threads.

use crate::kernels::columns::{self, Band};
use crate::kernels::matmul::{Left, Right, Shape, Start, multiply};
use crate::kernels::threads::Threads;
use crate::kernels::vectorised;
use crate::layer::sequence::Way;
use crate::layer::{Backward, Flow, SequenceOutput};

use super::cell::{self, CellStepBack};
use super::layout::Layout;
use super::{Lstm, TILE, Weights};

/// Rows of gate gradients, over a few steps, accumulated into the weight gradients at once.
const BLOCK: usize = 256;

/// Maximum number of groups of tiles, each with its own weight gradients.
const MAX_GROUPS: usize = 16;

/// The scratch of a group of tiles in the backward pass.
struct GroupRoom<'a> {
    /// The group's gradients: input weights, state weights, bias.
    d_params: &'a mut [f32],
    /// The gate gradients of a few steps, at most [`BLOCK`] rows.
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
    /// The values saved by the forward pass.
    kept: &'a [f32],
    d_output: &'a [f32],
    /// Overwritten by the forward direction, accumulated by the backward one.
    d_input: Option<&'a mut [f32]>,
}

impl Lstm {
    /// Rows per group of tiles, for `n` rows.
    fn group_rows(n: usize) -> usize {
        n.div_ceil(TILE).div_ceil(MAX_GROUPS).max(1) * TILE
    }

    /// Floats of a [`GroupRoom`].
    fn group_room_len(&self) -> usize {
        let d_params = self.way_len() - 4 * self.hidden;
        d_params + BLOCK * 4 * self.hidden + TILE * (2 * self.hidden + self.inputs)
    }

    fn group_room<'a>(&self, room: &'a mut [f32]) -> GroupRoom<'a> {
        let (d_params, rest) = room.split_at_mut(self.way_len() - 4 * self.hidden);
        let (d_gates, rest) = rest.split_at_mut(BLOCK * 4 * self.hidden);
        let (d_cell, rest) = rest.split_at_mut(TILE * self.hidden);
        let (d_hidden, d_values) = rest.split_at_mut(TILE * self.hidden);
        GroupRoom { d_params, d_gates, d_cell, d_hidden, d_values }
    }

    /// Floats of scratch for the backward pass of `n` rows.
    pub(super) fn training_scratch_len(&self, n: usize) -> usize {
        n.div_ceil(TILE).min(MAX_GROUPS) * self.group_room_len()
    }

    /// Backpropagation through time, one direction after the other.
    pub(super) fn backward_through_time(&self, pass: Backward<'_>, flow: &mut Flow) {
        let Backward { rows, params, saved, scratch, gradient, wants_input, .. } = pass;
        let (inputs, outputs) = self.row_widths();
        let (d_output, d_input) = flow.both(rows.n * outputs, rows.n * inputs);
        let group_rows = Self::group_rows(rows.n);
        let room_len = self.group_room_len();
        let rooms = &mut scratch[..rows.n.div_ceil(group_rows) * room_len];
        let threads = self.threads(rows);
        for (way, &each) in self.direction.ways().iter().enumerate() {
            let d_input = (&mut *d_input, group_rows * inputs);
            threads.chunks2(d_input, (&mut *rooms, room_len), |group, d_input, room| {
                let mut room = self.group_room(room);
                room.d_params.fill(0.0);
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
                    self.read_back(tile, &mut room);
                }
            });
            let d_params = &mut gradient[way * self.way_len()..][..self.way_len()];
            self.add_groups(rooms, d_params, &threads);
        }
        if wants_input {
            flow.turn();
        }
    }

    /// Backpropagates through the steps of a tile of rows.
    fn read_back(&self, mut tile: TileBack<'_>, room: &mut GroupRoom<'_>) {
        let Self { inputs, hidden: width, steps, .. } = *self;
        let TileBack { way, layout, ref weights, kept, d_output, .. } = tile;
        let m = layout.rows;
        let d_cell = &mut room.d_cell[..m * width];
        let d_hidden = &mut room.d_hidden[..m * width];
        let d_values = &mut room.d_values[..m * inputs];
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
                let d_gates = &mut room.d_gates[(i - begin) * m * 4 * width..][..m * 4 * width];
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
            let d_gates = &room.d_gates[..(end - begin) * m * 4 * width];
            let values = &kept[layout.inputs(begin).start..layout.inputs(end - 1).end];
            let states = &kept[layout.hidden(begin).start..layout.hidden(end - 1).end];
            self.add_params_gradient(d_gates, values, states, room.d_params);
            end = begin;
        }
    }

    /// Adds the output's gradient for the state after the step at reading position `i`.
    fn add_output_gradient(&self, way: Way, i: usize, present: &[f32], d_output: &[f32], d_hidden: &mut [f32]) {
        let step = match self.output {
            SequenceOutput::All => way.step(i, self.steps),
            SequenceOutput::Last if i + 1 == self.steps => 0,
            SequenceOutput::Last => return,
        };
        let places = self.step_places(way, step, d_output.len() / present.len());
        for ((place, d_hidden), &present) in places.zip(d_hidden.chunks_exact_mut(self.hidden)).zip(present) {
            // The output of an absent step is NaN, whatever the parameters.
            if present == 1.0 || self.output == SequenceOutput::Last {
                d_hidden.iter_mut().zip(&d_output[place]).for_each(|(d, &g)| *d += g);
            }
        }
    }

    /// Adds the parameter gradients of some rows of gates, with their inputs and previous states.
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

    /// Reduces the groups' gradients, in order, into those of one direction's parameters.
    fn add_groups(&self, rooms: &[f32], d_params: &mut [f32], threads: &Threads) {
        const CHUNK: usize = 1 << 12;
        let len = d_params.len() - 4 * self.hidden;
        let (d_params, d_other_bias) = d_params.split_at_mut(len);
        threads.chunks(d_params, CHUNK, |t, sum| {
            let range = t * CHUNK..t * CHUNK + sum.len();
            sum.fill(0.0);
            for room in rooms.chunks_exact(self.group_room_len()) {
                let part = &room[range.clone()];
                vectorised!(for (sum, part) in sum.iter_mut().zip(part) {
                    *sum += part;
                });
            }
        });
        // Both biases have the same gradient.
        d_other_bias.copy_from_slice(&d_params[len - 4 * self.hidden..]);
    }
}

/// Writes the gradient of one step's inputs, `width` per row, to the rows; the backward direction adds to the forward
/// one.
fn scatter(way: Way, (step, steps): (usize, usize), width: usize, d_values: &[f32], d_input: &mut [f32]) {
    for (d_row, values) in d_input.chunks_exact_mut(steps * width).zip(d_values.chunks_exact(width)) {
        let d_row = &mut d_row[step * width..][..width];
        match way {
            Way::Forth => d_row.copy_from_slice(values),
            Way::Back => d_row.iter_mut().zip(values).for_each(|(d, &g)| *d += g),
        }
    }
}
