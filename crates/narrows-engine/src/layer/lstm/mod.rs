//! Long short-term memory (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000), as PyTorch's
//! `nn.LSTM` with one layer: the same formulas, gate order i, f, g, o, names and layouts.
//!
//! A step is two matrix products into the same gates, of input and hidden state, and one pass over them (`cell`). Rows
//! are split into tiles that run through all steps on one thread, so that gates, states and weights stay in the cache.
//! Backpropagation through time is tiled in the same way (`back`).
//!
//! An absent step (see `sequence`) leaves the state unchanged, outputs NaN, and passes the gradient of the state on;
//! its input and the parameters get no gradient. So a row with absent steps anywhere has the same last state, to the
//! bit, as the row without them.

mod back;
mod cell;
mod layout;

use crate::kernels::matmul::{Left, Right, Shape, Start, multiply, pack_transposed, packed_len};
use crate::kernels::threads::Threads;
use crate::params::ParamKind;
use crate::rng::Stream;

use super::ops::{Entries, LayerOps, OutOfRange, Requirements, WeightPacking};
use super::sequence::{self, Way};
use super::{Backward, Direction, Flow, Forward, Inference, Rows, SequenceOutput};
use cell::CellStep;
use layout::Layout;

/// A recurrent layer: `[n, steps * inputs]` to `[n, steps * hidden]` or to `[n, hidden]`, twice as wide
/// if bidirectional.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lstm {
    /// Channels per input step.
    pub inputs: usize,
    /// Width of the state.
    pub hidden: usize,
    /// Number of steps.
    pub steps: usize,
    /// The reading direction.
    pub direction: Direction,
    /// The output.
    pub output: SequenceOutput,
}

/// Rows processed together, whose gates fit into the L2 cache.
const TILE: usize = 16;

/// The trainable values of one direction, or their gradients.
struct Weights<'a> {
    /// `[4 * hidden, inputs]`.
    input: &'a [f32],
    /// `[4 * hidden, hidden]`.
    hidden: &'a [f32],
}

/// One direction's parameters as read by the forward pass.
struct Packed<'a> {
    input: &'a [f32],
    hidden: &'a [f32],
    /// The sum of both biases.
    bias: &'a [f32],
}

impl Lstm {
    /// Directions times hidden: the width of a step of the output.
    fn step_width(&self) -> usize {
        self.direction.ways().len() * self.hidden
    }

    /// (inputs, outputs) of a row.
    fn row_widths(&self) -> (usize, usize) {
        let steps = match self.output {
            SequenceOutput::All => self.steps,
            SequenceOutput::Last => 1,
        };
        (self.steps * self.inputs, if self.steps == 0 { 0 } else { steps * self.step_width() })
    }

    /// Floats of one direction's parameters.
    fn way_len(&self) -> usize {
        4 * self.hidden * (self.inputs + self.hidden + 2)
    }

    fn weights<'a>(&self, params: &'a [f32], way: usize) -> Weights<'a> {
        let (input, rest) = params[way * self.way_len()..].split_at(4 * self.hidden * self.inputs);
        Weights { input, hidden: &rest[..4 * self.hidden * self.hidden] }
    }

    /// Floats of one direction's packed parameters.
    fn packed_way_len(&self) -> usize {
        let gates = 4 * self.hidden;
        packed_len(gates, self.inputs) + packed_len(gates, self.hidden) + gates
    }

    fn packed<'a>(&self, packed: &'a [f32], way: usize) -> Packed<'a> {
        let gates = 4 * self.hidden;
        let packed = &packed[way * self.packed_way_len()..][..self.packed_way_len()];
        let (input, rest) = packed.split_at(packed_len(gates, self.inputs));
        let (hidden, bias) = rest.split_at(packed_len(gates, self.hidden));
        Packed { input, hidden, bias }
    }

    /// The threads to split the rows among: only one if parallelism would not pay.
    fn threads(&self, rows: Rows<'_>) -> Threads {
        let cost = self.steps * 4 * self.step_width() * (self.inputs + self.hidden);
        if rows.are_worth_sharing(cost) { rows.threads.clone() } else { Threads::serial() }
    }

    fn layout(&self, rows: usize, kept: usize) -> Layout {
        Layout { rows, kept, inputs: self.inputs, hidden: self.hidden }
    }

    /// Floats saved for the backward pass of `n` rows.
    fn saved_len(&self, n: usize) -> usize {
        self.direction.ways().len() * self.layout(n, self.steps).len()
    }

    /// Reads a tile of rows in one direction.
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
            cell::forward(width, CellStep { present, gates, cell_before, cell, hidden_before, hidden });
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

    /// The ranges of one direction's state after `step` in each row of the output, with row stride `row_len`.
    fn step_places(&self, way: Way, step: usize, row_len: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
        let side = if way == Way::Back { self.hidden } else { 0 };
        let (first, width) = (step * self.step_width() + side, self.hidden);
        (0..).map(move |row| row * row_len + first).map(move |first| first..first + width)
    }
}

impl WeightPacking for Lstm {
    fn packed_len(&self) -> usize {
        self.direction.ways().len() * self.packed_way_len()
    }

    /// Packs the weights and adds up the biases.
    fn pack(&self, params: &[f32], packed: &mut [f32], threads: &Threads) {
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
}

impl LayerOps for Lstm {
    fn describe(&self) -> String {
        let Self { inputs, hidden, steps, direction, output } = self;
        format!("Lstm({inputs} -> {hidden}, {steps} steps, {direction:?}, {output:?})")
    }

    fn widths(&self) -> Option<(usize, usize)> {
        Some(self.row_widths())
    }

    fn out_of_range(&self) -> Option<OutOfRange> {
        None
    }

    fn entries(&self, kind: ParamKind) -> Entries {
        const NAMES: [[&str; 4]; 2] = [
            ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"],
            ["weight_ih_l0_reverse", "weight_hh_l0_reverse", "bias_ih_l0_reverse", "bias_hh_l0_reverse"],
        ];
        if kind == ParamKind::Buffer {
            return vec![];
        }
        let gates = 4 * self.hidden;
        let shapes = [vec![gates, self.inputs], vec![gates, self.hidden], vec![gates], vec![gates]];
        let names = &NAMES[..self.direction.ways().len()];
        names.iter().flat_map(|names| names.iter().copied().zip(shapes.clone())).collect()
    }

    /// All entries uniform in +-1/sqrt(hidden), PyTorch's default.
    fn init(&self, kind: ParamKind, values: &mut [f32], stream: &dyn Fn(usize) -> Stream) {
        let bound = (self.hidden as f32).sqrt().recip();
        let mut rest = values;
        for (i, (_, shape)) in self.entries(kind).iter().enumerate() {
            let (entry, tail) = rest.split_at_mut(shape.iter().product());
            stream(i).fill_uniform(entry);
            entry.iter_mut().for_each(|w| *w = (2.0 * *w - 1.0) * bound);
            rest = tail;
        }
    }

    fn packing(&self) -> Option<&dyn WeightPacking> {
        Some(self)
    }

    fn requirements(&self, n: usize, _: usize) -> Requirements {
        Requirements {
            saved: self.saved_len(n),
            training_scratch: self.training_scratch_len(n),
            inference_scratch: self.layout(n, 1).len(),
            random_blocks: 0,
        }
    }

    fn backward_reads_output(&self) -> bool {
        false
    }

    fn fuses_activation(&self) -> bool {
        false
    }

    /// Every step is kept.
    fn forward(&self, pass: Forward<'_>, input: &[f32], output: &mut [f32]) {
        let Forward { rows, packed, saved, .. } = pass;
        let (inputs, outputs) = self.row_widths();
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

    fn backward(&self, pass: Backward<'_>, flow: &mut Flow) {
        self.backward_through_time(pass, flow);
    }

    /// Only the last state is kept.
    fn infer(&self, pass: Inference<'_>, input: &[f32], output: &mut [f32]) {
        let Inference { rows, packed, scratch, .. } = pass;
        let layout = self.layout(rows.n, 1);
        for (way, &each) in self.direction.ways().iter().enumerate() {
            self.read(each, self.packed(packed, way), layout, &mut scratch[..layout.len()], input, output);
        }
    }
}

#[cfg(test)]
mod tests;
