//! Long short-term memory (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000),
//! as PyTorch's `nn.LSTM` with one layer: the same formulas, gate order i, f, g, o, names and layouts.
//!
//! A step is two matrix products into the same gates, input and hidden state, and one pass over them
//! (`cell`). Rows are cut into tiles that go through all steps on one thread, so that gates, states and
//! weights stay in the cache. Backward through time goes the same way (`back`).
//!
//! An absent step (see `sequence`) leaves the state as it is, outputs NaN, and passes the gradient of
//! the state on; nothing reaches its input or the parameters. So a row with absent steps anywhere has
//! the same last state, to the bit, as the row without them.

mod back;
mod cell;
mod layout;

use crate::kernels::matmul::{Left, Right, Shape, Start, multiply, pack_transposed, packed_len};
use crate::kernels::threads::Threads;
use crate::params::ParamKind;
use crate::rng::Stream;

use super::ops::{Entries, LayerOps, LayerParams, OutOfRange, Requirements, WeightPacking};
use super::sequence::{self, Way};
use super::{Backward, Direction, Forward, Gradients, Inference, Rows, SequenceOutput};
use cell::CellStep;
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
    /// The states that it outputs.
    pub output: SequenceOutput,
}

/// Rows that go through the steps together: their gates fit into the second cache.
const TILE: usize = 16;

/// The trainable values of one way, or their gradients.
struct Weights<'a> {
    /// `[4 * hidden, inputs]`.
    input: &'a [f32],
    /// `[4 * hidden, hidden]`.
    hidden: &'a [f32],
}

/// One direction's parameters as the forward pass reads them.
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
    fn row_widths(&self) -> (usize, usize) {
        let steps = match self.output {
            SequenceOutput::All => self.steps,
            SequenceOutput::Last => 1,
        };
        (self.steps * self.inputs, if self.steps == 0 { 0 } else { steps * self.step_width() })
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
    fn saved_len(&self, n: usize) -> usize {
        self.direction.ways().len() * self.layout(n, self.steps).len()
    }

    /// Reads a tile of rows one way.
    fn read(&self, way: Way, packed: Packed<'_>, layout: Layout, saved: &mut [f32], input: &[f32], output: &mut [f32]) {
        let Self { inputs, hidden: width, steps, .. } = *self;
        let m = layout.rows;
        saved[layout.cell(0)].fill(0.0);
        saved[layout.hidden(0)].fill(0.0);
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
                saved.get_disjoint_mut(places).expect("the places lie apart");
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
            let last = saved[layout.hidden(steps)].chunks_exact(width);
            for (place, last) in self.step_places(way, 0, output.len() / m).zip(last) {
                output[place].copy_from_slice(last);
            }
        }
    }

    /// Where one way's state after `step` lies in each row of the output, rows being `row_len` apart.
    fn step_places(&self, way: Way, step: usize, row_len: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
        let side = if way == Way::Reverse { self.hidden } else { 0 };
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

impl LayerParams for Lstm {
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

    fn params(&self) -> Option<&dyn LayerParams> {
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
            for (way, saved) in saved.chunks_exact_mut(layout.len()).enumerate() {
                self.read(ways[way], self.packed(packed, way), layout, saved, input, output);
            }
        });
    }

    fn backward(&self, pass: Backward<'_>, gradients: &mut Gradients) {
        self.backward_through_time(pass, gradients);
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
