//! Long short-term memory (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000),
//! as PyTorch's `nn.LSTM` with one layer: the same formulas, gate order i, f, g, o, names and layouts.
//!
//! A step is two matrix products into the same gates, input and hidden state, and one pass over them
//! (`cell`). Rows are cut into tiles that go through all steps on one thread, so that gates, states and
//! weights stay in the cache. Backward through time goes the same way. The gradients of the gates are as
//! large as all that was kept, so they are not: every few steps they go into the gradients of the
//! weights, of which every group of tiles has its own. What a group is follows from the number of rows
//! alone, and the groups are added up in order, so threads cannot show in the sum.
//!
//! An absent step (see `sequence`) leaves the state as it is, puts out NaN, and passes the gradient of
//! the state on; nothing reaches its input or the parameters. So a row with absent steps anywhere has
//! the same last state, to the bit, as the row without them.

mod cell;
mod layout;

use crate::kernels::columns::{self, Band};
use crate::kernels::matmul::{Left, Right, Shape, Start, multiply, pack_transposed, packed_len};
use crate::kernels::threads::Threads;
use crate::kernels::vectorised;
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

/// Rows of gradients of gates, over a few steps, that go into the gradients of the weights at once.
const BLOCK: usize = 256;

/// Most groups of tiles, each with gradients of the weights of its own.
const MAX_GROUPS: usize = 16;

/// The trainable values of one way, or their gradients.
struct Weights<'a> {
    /// `[4 * hidden, inputs]`.
    input: &'a [f32],
    /// `[4 * hidden, hidden]`.
    hidden: &'a [f32],
}

/// The room of a group of tiles on the way back.
struct GroupRoom<'a> {
    /// The group's part of the gradients: weights of the input, of the state, bias.
    d_params: &'a mut [f32],
    /// The gradients of the gates of a few steps, at most [`BLOCK`] rows.
    d_gates: &'a mut [f32],
    d_cell: &'a mut [f32],
    d_hidden: &'a mut [f32],
    /// The gradient of one step's inputs.
    d_values: &'a mut [f32],
}

/// A tile of rows on the way back.
struct TileBack<'a> {
    way: Way,
    layout: Layout,
    weights: Weights<'a>,
    /// What the forward pass kept.
    kept: &'a [f32],
    d_output: &'a [f32],
    /// The way forth overwrites it, the way back adds to it.
    d_input: Option<&'a mut [f32]>,
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

    /// The threads that share the rows: only one where that would cost more than it saves.
    fn threads(&self, rows: Rows<'_>) -> Threads {
        let cost = self.steps * 4 * self.step_width() * (self.inputs + self.hidden);
        if rows.are_worth_sharing(cost) { rows.threads.clone() } else { Threads::serial() }
    }

    fn layout(&self, rows: usize, kept: usize) -> Layout {
        Layout { rows, kept, inputs: self.inputs, hidden: self.hidden }
    }

    /// Floats kept for the backward pass of `n` rows.
    pub(crate) fn saved_len(&self, n: usize) -> usize {
        self.direction.ways().len() * self.layout(n, self.steps).len()
    }

    /// Rows of a group of tiles, of `n` rows.
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
    pub(crate) fn training_scratch_len(&self, n: usize) -> usize {
        n.div_ceil(TILE).min(MAX_GROUPS) * self.group_room_len()
    }

    /// Floats of scratch at inference.
    pub(crate) fn inference_scratch_len(&self, n: usize) -> usize {
        self.layout(n, 1).len()
    }

    /// Training: every step is kept in `saved`.
    pub(crate) fn forward(&self, rows: Rows<'_>, packed: &[f32], saved: &mut [f32], input: &[f32], output: &mut [f32]) {
        let (inputs, outputs) = self.widths();
        let ways = self.direction.ways();
        let output = (output, TILE * outputs);
        let saved = (&mut saved[..self.saved_len(rows.n)], self.saved_len(TILE));
        self.threads(rows).chunks2(output, saved, |t, output, saved| {
            let layout = self.layout(output.len() / outputs, self.steps);
            let input = &input[t * TILE * inputs..][..layout.rows * inputs];
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

    /// Goes back through the steps of a tile of rows.
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
                let back = StepBack {
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

    /// Adds the output's gradient for the state after step `i` as read.
    fn add_output_gradient(&self, way: Way, i: usize, present: &[f32], d_output: &[f32], d_hidden: &mut [f32]) {
        let step = match self.output {
            SequenceOutput::All => way.step(i, self.steps),
            SequenceOutput::Last if i + 1 == self.steps => 0,
            SequenceOutput::Last => return,
        };
        let places = self.step_places(way, step, d_output.len() / present.len());
        for ((place, d_hidden), &present) in places.zip(d_hidden.chunks_exact_mut(self.hidden)).zip(present) {
            // What is put out at an absent step is NaN, whatever the parameters.
            if present == 1.0 || self.output == SequenceOutput::Last {
                d_hidden.iter_mut().zip(&d_output[place]).for_each(|(d, &g)| *d += g);
            }
        }
    }

    /// Adds what some rows of gates, with inputs and states before them, say about the parameters.
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
        // Both biases enter the gates in the same way.
        d_other_bias.copy_from_slice(&d_params[len - 4 * self.hidden..]);
    }
}

/// Brings the gradient of one step's inputs, `width` a row, to the rows; the way back adds to what the
/// way forth wrote.
fn scatter(way: Way, (step, steps): (usize, usize), width: usize, d_values: &[f32], d_input: &mut [f32]) {
    for (d_row, values) in d_input.chunks_exact_mut(steps * width).zip(d_values.chunks_exact(width)) {
        let d_row = &mut d_row[step * width..][..width];
        match way {
            Way::Forth => d_row.copy_from_slice(values),
            Way::Back => d_row.iter_mut().zip(values).for_each(|(d, &g)| *d += g),
        }
    }
}

#[cfg(test)]
mod tests;
