//! Long short-term memory (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000),
//! as PyTorch's `nn.LSTM` with one layer: the same formulas, gate order i, f, g, o, names and layouts.
//!
//! A step is two matrix products into the same gates, input and hidden state, and one pass over them
//! (`cell`). Rows are cut into tiles that go through all steps on one thread, so that gates, states and
//! weights stay in the cache. Backward through time goes the same way; the gradients of the weights are
//! one product over all rows and steps at its end, cut by output rows among the threads.
//!
//! An absent step (see `sequence`) leaves the state as it is, puts out NaN, and passes the gradient of
//! the state on; nothing reaches its input or the parameters. So a row with absent steps anywhere has
//! the same last state, to the bit, as the row without them.

mod cell;
mod layout;

use crate::kernels::columns::{self, Band};
use crate::kernels::matmul::{Left, Right, Shape, Start, multiply, pack_transposed, packed_len};
use crate::kernels::threads::Threads;
use crate::rng::Stream;

use super::sequence::{self, Way};
use super::{Backward, Direction, Flow, Rows, SequenceOutput};
use cell::{Step, StepBack};
use layout::Layout;

/// A recurrent layer: `[n, steps * inputs]` to `[n, steps * hidden]` or to `[n, hidden]`, twice as wide
/// if bidirectional.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lstm {
    /// Channels of a step of the input.
    pub inputs: usize,
    /// Width of the state.
    pub hidden: usize,
    /// Number of steps.
    pub steps: usize,
    /// Which way it reads.
    pub direction: Direction,
    /// What it hands on.
    pub output: SequenceOutput,
}

/// Rows that go through the steps together: their gates fit into the second cache.
const TILE: usize = 32;

/// The trainable values of one way, or their gradients.
struct Weights<'a> {
    /// `[4 * hidden, inputs]`.
    input: &'a [f32],
    /// `[4 * hidden, hidden]`.
    hidden: &'a [f32],
}

/// What the forward pass reads of one way's parameters.
struct Packed<'a> {
    input: &'a [f32],
    hidden: &'a [f32],
    /// The sum of both biases.
    bias: &'a [f32],
}

impl Lstm {
    /// Ways times hidden: the width of a step of the output.
    fn step_width(&self) -> usize {
        self.direction.ways().len() * self.hidden
    }

    /// (inputs, outputs) of a row.
    pub(crate) fn widths(&self) -> (usize, usize) {
        let steps = match self.output {
            SequenceOutput::All => self.steps,
            SequenceOutput::Last => 1,
        };
        (self.steps * self.inputs, if self.steps == 0 { 0 } else { steps * self.step_width() })
    }

    /// Names and shapes as in PyTorch.
    pub(crate) fn trainable(&self) -> Vec<(&'static str, Vec<usize>)> {
        const NAMES: [[&str; 4]; 2] = [
            ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"],
            ["weight_ih_l0_reverse", "weight_hh_l0_reverse", "bias_ih_l0_reverse", "bias_hh_l0_reverse"],
        ];
        let gates = 4 * self.hidden;
        let shapes = [vec![gates, self.inputs], vec![gates, self.hidden], vec![gates], vec![gates]];
        let names = &NAMES[..self.direction.ways().len()];
        names.iter().flat_map(|names| names.iter().copied().zip(shapes.clone())).collect()
    }

    /// Fills all entries uniformly in +-1/sqrt(hidden), PyTorch's default.
    pub(crate) fn init(&self, values: &mut [f32], stream: impl Fn(usize) -> Stream) {
        let bound = (self.hidden as f32).sqrt().recip();
        let mut rest = values;
        for (i, (_, shape)) in self.trainable().iter().enumerate() {
            let (entry, tail) = rest.split_at_mut(shape.iter().product());
            stream(i).fill_uniform(entry);
            entry.iter_mut().for_each(|w| *w = (2.0 * *w - 1.0) * bound);
            rest = tail;
        }
    }

    /// Floats of one way's parameters.
    fn way_len(&self) -> usize {
        4 * self.hidden * (self.inputs + self.hidden + 2)
    }

    fn weights<'a>(&self, params: &'a [f32], way: usize) -> Weights<'a> {
        let (input, rest) = params[way * self.way_len()..].split_at(4 * self.hidden * self.inputs);
        Weights { input, hidden: &rest[..4 * self.hidden * self.hidden] }
    }

    /// Floats that one way's packed parameters take.
    fn packed_way_len(&self) -> usize {
        let gates = 4 * self.hidden;
        packed_len(gates, self.inputs) + packed_len(gates, self.hidden) + gates
    }

    /// Floats that [`pack`](Self::pack) writes.
    pub(crate) fn packed_len(&self) -> usize {
        self.direction.ways().len() * self.packed_way_len()
    }

    /// Packs the weights and adds up the biases.
    pub(crate) fn pack(&self, params: &[f32], packed: &mut [f32], threads: &Threads) {
        let gates = 4 * self.hidden;
        for (way, packed) in packed.chunks_exact_mut(self.packed_way_len()).enumerate() {
            let weights = self.weights(params, way);
            let (input, rest) = packed.split_at_mut(packed_len(gates, self.inputs));
            let (hidden, bias) = rest.split_at_mut(packed_len(gates, self.hidden));
            pack_transposed(weights.input, self.inputs, input, threads);
            pack_transposed(weights.hidden, self.hidden, hidden, threads);
            let biases = &params[(way + 1) * self.way_len() - 2 * gates..][..2 * gates];
            for (j, sum) in bias.iter_mut().enumerate() {
                *sum = biases[j] + biases[gates + j];
            }
        }
    }

    fn packed<'a>(&self, packed: &'a [f32], way: usize) -> Packed<'a> {
        let gates = 4 * self.hidden;
        let packed = &packed[way * self.packed_way_len()..][..self.packed_way_len()];
        let (input, rest) = packed.split_at(packed_len(gates, self.inputs));
        let (hidden, bias) = rest.split_at(packed_len(gates, self.hidden));
        Packed { input, hidden, bias }
    }

    /// Whether several threads should share the rows.
    fn is_shared(&self, rows: Rows<'_>) -> bool {
        rows.are_worth_sharing(self.steps * 4 * self.step_width() * (self.inputs + self.hidden))
    }

    /// Rows of a tile: a property of the shapes.
    fn tile(&self, rows: Rows<'_>) -> usize {
        if self.is_shared(rows) { TILE } else { rows.n }
    }

    fn layout(&self, rows: usize, kept: usize) -> Layout {
        Layout { rows, kept, inputs: self.inputs, hidden: self.hidden }
    }

    /// Floats kept for the backward pass of `n` rows.
    pub(crate) fn saved_len(&self, n: usize) -> usize {
        self.direction.ways().len() * self.layout(n, self.steps).len()
    }

    /// Floats of scratch for the backward pass of `n` rows: the gradients of one way's gates, and those
    /// of states and inputs of one step.
    pub(crate) fn training_scratch_len(&self, n: usize) -> usize {
        n * (self.steps * 4 * self.hidden + 2 * self.hidden + self.inputs)
    }

    /// Floats of scratch at inference.
    pub(crate) fn inference_scratch_len(&self, n: usize) -> usize {
        self.layout(n, 1).len()
    }

    /// Training: every step is kept in `saved`.
    pub(crate) fn forward(&self, rows: Rows<'_>, packed: &[f32], saved: &mut [f32], input: &[f32], output: &mut [f32]) {
        let (inputs, outputs) = self.widths();
        let tile = self.tile(rows);
        let ways = self.direction.ways();
        let saved = &mut saved[..self.saved_len(rows.n)];
        rows.threads.chunks2((output, tile * outputs), (saved, self.saved_len(tile)), |t, output, saved| {
            let layout = self.layout(output.len() / outputs, self.steps);
            let input = &input[t * tile * inputs..][..layout.rows * inputs];
            for (way, room) in saved.chunks_exact_mut(layout.len()).enumerate() {
                self.read(ways[way], self.packed(packed, way), layout, room, input, output);
            }
        });
    }

    /// Inference: only the last state is kept.
    pub(crate) fn infer(&self, n: usize, packed: &[f32], scratch: &mut [f32], input: &[f32], output: &mut [f32]) {
        let layout = self.layout(n, 1);
        for (way, &each) in self.direction.ways().iter().enumerate() {
            self.read(each, self.packed(packed, way), layout, &mut scratch[..layout.len()], input, output);
        }
    }

    /// Reads a tile of rows one way.
    fn read(&self, way: Way, packed: Packed<'_>, layout: Layout, room: &mut [f32], input: &[f32], output: &mut [f32]) {
        let Self { inputs, hidden: width, steps, .. } = *self;
        let m = layout.rows;
        room[layout.cell(0)].fill(0.0);
        room[layout.hidden(0)].fill(0.0);
        for i in 0..steps {
            let step = way.step(i, steps);
            let places = [
                layout.inputs(i),
                layout.present(i),
                layout.gates(i),
                layout.cell(i),
                layout.cell(i + 1),
                layout.hidden(i),
                layout.hidden(i + 1),
            ];
            let [values, present, gates, cell_before, cell, hidden_before, hidden] =
                room.get_disjoint_mut(places).expect("the places lie apart");
            sequence::gather(input, steps, step, values, present);
            let shape = Shape { m, n: 4 * width, k: inputs };
            multiply(shape, Left::Rows(values), Right::Panels(packed.input), Start::Bias(packed.bias), gates);
            let shape = Shape { k: width, ..shape };
            multiply(shape, Left::Rows(hidden_before), Right::Panels(packed.hidden), Start::Destination, gates);
            cell::forward(width, Step { present, gates, cell_before, cell, hidden_before, hidden });
            if self.output == SequenceOutput::All {
                let places = self.step_places(way, step, output.len() / m);
                for (row, place) in places.take(m).enumerate() {
                    if present[row] == 0.0 {
                        output[place].fill(f32::NAN);
                    } else {
                        output[place].copy_from_slice(&hidden[row * width..][..width]);
                    }
                }
            }
        }
        if self.output == SequenceOutput::Last {
            let last = room[layout.hidden(steps)].chunks_exact(width);
            for (place, last) in self.step_places(way, 0, output.len() / m).zip(last) {
                output[place].copy_from_slice(last);
            }
        }
    }

    /// Where one way's state after `step` lies in each row of the output, rows being `row_len` apart.
    fn step_places(&self, way: Way, step: usize, row_len: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
        let side = if way == Way::Back { self.hidden } else { 0 };
        let (first, width) = (step * self.step_width() + side, self.hidden);
        (0..).map(move |row| row * row_len + first).map(move |first| first..first + width)
    }

    /// Backward through time, way by way.
    pub(super) fn backward(&self, pass: Backward<'_>, flow: &mut Flow) {
        let Backward { rows, params, saved, scratch, gradient, wants_input, .. } = pass;
        let (inputs, outputs) = self.widths();
        let gates_len = self.steps * 4 * self.hidden;
        let (d_gates, rest) = scratch.split_at_mut(rows.n * gates_len);
        let rest_len = 2 * self.hidden + self.inputs;
        let rest = &mut rest[..rows.n * rest_len];
        let (d_output, d_input) = flow.both(rows.n * outputs, rows.n * inputs);
        let tile = self.tile(rows);
        let saved = &saved[..self.saved_len(rows.n)];
        for (way, &each) in self.direction.ways().iter().enumerate() {
            let pieces =
                [(&mut *d_gates, tile * gates_len), (&mut *rest, tile * rest_len), (&mut *d_input, tile * inputs)];
            rows.threads.pieces(pieces, |t, [d_gates, rest, d_input]| {
                let layout = self.layout(d_gates.len() / gates_len, self.steps);
                let room = &saved[t * self.saved_len(tile) + way * layout.len()..][..layout.len()];
                let d_output = &d_output[t * tile * outputs..][..layout.rows * outputs];
                let weights = self.weights(params, way);
                let d_input = if wants_input { Some(d_input) } else { None };
                self.read_back(each, weights, layout, room, d_output, [d_gates, rest], d_input);
            });
            let d_params = &mut gradient[way * self.way_len()..][..self.way_len()];
            self.backward_params(rows, way, saved, d_gates, d_params);
        }
        if wants_input {
            flow.turn();
        }
    }

    /// Goes back through the steps of a tile of rows.
    ///
    /// `d_gates` takes the gradients of the pre-activations of every step, in reading order; the way
    /// back adds to `d_input`, the way forth overwrites it.
    #[allow(clippy::too_many_arguments)]
    fn read_back(
        &self,
        way: Way,
        weights: Weights<'_>,
        layout: Layout,
        room: &[f32],
        d_output: &[f32],
        [d_gates, rest]: [&mut [f32]; 2],
        mut d_input: Option<&mut [f32]>,
    ) {
        let Self { inputs, hidden: width, steps, .. } = *self;
        let m = layout.rows;
        let (d_cell, rest) = rest.split_at_mut(m * width);
        let (d_hidden, d_values) = rest.split_at_mut(m * width);
        d_cell.fill(0.0);
        d_hidden.fill(0.0);
        for i in (0..steps).rev() {
            let step = way.step(i, steps);
            let present = &room[layout.present(i)];
            let is_judged = match self.output {
                SequenceOutput::All => true,
                SequenceOutput::Last => i + 1 == steps,
            };
            if is_judged {
                let place = if self.output == SequenceOutput::All { step } else { 0 };
                let places = self.step_places(way, place, d_output.len() / m);
                for ((place, d_hidden), &present) in places.zip(d_hidden.chunks_exact_mut(width)).zip(present) {
                    // What is put out at an absent step is NaN, whatever the parameters.
                    if present == 1.0 || self.output == SequenceOutput::Last {
                        d_hidden.iter_mut().zip(&d_output[place]).for_each(|(d, &g)| *d += g);
                    }
                }
            }
            let d_gates = &mut d_gates[i * m * 4 * width..][..m * 4 * width];
            let back = StepBack {
                present,
                gates: &room[layout.gates(i)],
                cell_before: &room[layout.cell(i)],
                cell: &room[layout.cell(i + 1)],
                d_gates,
                d_cell,
                d_hidden,
            };
            cell::backward(width, back);
            let shape = Shape { m, n: width, k: 4 * width };
            multiply(shape, Left::Rows(d_gates), Right::Rows(weights.hidden), Start::Destination, d_hidden);
            if let Some(d_input) = &mut d_input {
                let shape = Shape { n: inputs, ..shape };
                multiply(shape, Left::Rows(d_gates), Right::Rows(weights.input), Start::Zero, d_values);
                let d_rows = d_input.chunks_exact_mut(steps * inputs);
                for (d_row, values) in d_rows.zip(d_values.chunks_exact(inputs)) {
                    let d_row = &mut d_row[step * inputs..][..inputs];
                    match way {
                        Way::Forth => d_row.copy_from_slice(values),
                        Way::Back => d_row.iter_mut().zip(values).for_each(|(d, &g)| *d += g),
                    }
                }
            }
        }
    }

    /// The gradients of one way's parameters, each summed over all rows and steps by one task.
    fn backward_params(&self, rows: Rows<'_>, way: usize, saved: &[f32], d_gates: &[f32], d_params: &mut [f32]) {
        const OUTPUT_TILE: usize = 32;
        let Self { inputs, hidden: width, steps, .. } = *self;
        let gates = 4 * width;
        let tile = self.tile(rows);
        let cut = if self.is_shared(rows) { OUTPUT_TILE } else { gates };
        let (d_input, rest) = d_params.split_at_mut(gates * inputs);
        let (d_hidden, rest) = rest.split_at_mut(gates * width);
        let (d_bias, d_other_bias) = rest.split_at_mut(gates);
        let pieces = [(d_input, cut * inputs), (d_hidden, cut * width), (d_bias, cut), (d_other_bias, cut)];
        rows.threads.pieces(pieces, |task, [d_input, d_hidden, d_bias, d_other_bias]| {
            let first = task * cut;
            d_input.fill(0.0);
            d_hidden.fill(0.0);
            for t in 0..rows.n.div_ceil(tile) {
                let layout = self.layout(tile.min(rows.n - t * tile), steps);
                let room = &saved[t * self.saved_len(tile) + way * layout.len()..][..layout.len()];
                let k = layout.rows * steps;
                let left =
                    Left::Columns { data: &d_gates[t * tile * steps * gates..][..k * gates], width: gates, first };
                let shape = Shape { m: d_bias.len(), n: inputs, k };
                let values = &room[layout.inputs(0).start..layout.inputs(steps - 1).end];
                multiply(shape, left, Right::Rows(values), Start::Destination, d_input);
                let shape = Shape { n: width, ..shape };
                let states = &room[layout.hidden(0).start..layout.hidden(steps - 1).end];
                multiply(shape, left, Right::Rows(states), Start::Destination, d_hidden);
            }
            columns::sums(Band { data: d_gates, width: gates, first }, d_bias);
            d_other_bias.copy_from_slice(d_bias);
        });
    }
}

#[cfg(test)]
mod tests;
