//! Long short-term memory: one product for the inputs of all steps, then for every step a product of the state and the
//! state's update. Absent steps leave the state as it is.

use narrows_engine::{Direction, Lstm, SequenceOutput};

use crate::floats::Floats;
use crate::kernel::{self, Kernel};
use crate::operation::{Count, Word};
use crate::recorder::{Operand, Product, Recorder, Start};
use crate::stages::Stage;

use super::dense::Present;
use super::{Back, Kept};

/// One way through the steps: the places of its parameters, and where its states go.
#[derive(Clone, Copy)]
struct Way {
    lstm: Lstm,
    is_reverse: bool,
    input_weight: usize,
    state_weight: usize,
    biases: usize,
}

/// The ways of a layer whose parameters begin at `first`.
fn ways(lstm: Lstm, first: usize) -> Vec<Way> {
    let gates = 4 * lstm.hidden;
    let len = gates * (lstm.inputs + lstm.hidden + 2);
    let n = match lstm.direction {
        Direction::Forward => 1,
        Direction::Bidirectional => 2,
    };
    let way = |i: usize| {
        let input_weight = first + i * len;
        let state_weight = input_weight + gates * lstm.inputs;
        Way { lstm, is_reverse: i == 1, input_weight, state_weight, biases: state_weight + gates * lstm.hidden }
    };
    (0..n).map(way).collect()
}

impl Way {
    /// The step that is read as number `i`; the number of steps after the last.
    fn step(&self, i: usize) -> usize {
        let steps = self.lstm.steps;
        if i >= steps {
            steps
        } else if self.is_reverse {
            steps - 1 - i
        } else {
            i
        }
    }

    fn fields(&self, i: usize) -> [(&'static str, Word); 7] {
        let Lstm { hidden, steps, direction, output, .. } = self.lstm;
        let wide = if direction == Direction::Bidirectional { 2 * hidden } else { hidden };
        let all = output == SequenceOutput::All;
        let side = if self.is_reverse { hidden } else { 0 };
        let (out_row, out_first) = if all { (steps * wide, self.step(i) * wide + side) } else { (wide, side) };
        [
            ("hidden", hidden.into()),
            ("steps", steps.into()),
            ("step", self.step(i).into()),
            ("next", self.step(i + 1).into()),
            ("out_row", out_row.into()),
            ("out_first", out_first.into()),
            ("all", all.into()),
        ]
    }

    fn each(&self, recorder: &mut Recorder<'_>, kernel: &'static Kernel, i: usize, buffers: &[&Floats]) {
        recorder.each(kernel, self.lstm.hidden, &self.fields(i), buffers);
    }
}

impl Recorder<'_> {
    /// Keeps the inputs without absent steps and their marks; of each way gates, hidden and cell states.
    pub(super) fn lstm(&mut self, lstm: Lstm, stage: &Stage, input: &Floats, output: &Floats) -> Kept {
        let Present { values, marks } = self.present(lstm.steps, lstm.inputs, input);
        let mut kept = vec![values, marks];
        for way in ways(lstm, stage.trainable.start) {
            kept.extend(self.read(way, &kept[0], &kept[1], output));
        }
        kept
    }

    fn read(&mut self, way: Way, values: &Floats, marks: &Floats, output: &Floats) -> [Floats; 3] {
        let Lstm { inputs, hidden: width, steps, .. } = way.lstm;
        let gates = self.take_rows(4 * steps * width);
        // The state before the first step is never written: it is zero.
        let [hidden, cells] = [(); 2].map(|()| self.zeros(self.capacity * steps * width));
        let params = self.params.clone();
        self.product(Product {
            rows: Count::PerRow(steps),
            columns: 4 * width,
            depth: Count::Fixed(inputs),
            left: Operand { values, first: 0, side: inputs, deep: 1 },
            right: Operand { values: &params, first: way.input_weight, side: inputs, deep: 1 },
            to: (&gates, 0, 4 * width),
            start: Start::TwoBiases(way.biases),
        });
        for i in 0..steps {
            if i > 0 {
                let step = way.step(i);
                self.product(Product {
                    rows: Count::PerRow(1),
                    columns: 4 * width,
                    depth: Count::Fixed(width),
                    left: Operand { values: &hidden, first: step * width, side: steps * width, deep: 1 },
                    right: Operand { values: &params, first: way.state_weight, side: width, deep: 1 },
                    to: (&gates, 4 * step * width, 4 * steps * width),
                    start: Start::Destination,
                });
            }
            way.each(self, &kernel::READ_STEP, i, &[marks, &gates, &hidden, &cells, output]);
        }
        [gates, hidden, cells]
    }

    pub(super) fn lstm_back(&mut self, lstm: Lstm, back: &Back<'_>) -> Option<Floats> {
        let to = back.wants_input.then(|| self.take_rows(lstm.steps * lstm.inputs));
        let ways = ways(lstm, back.stage.trainable.start);
        for (way, kept) in ways.into_iter().zip(back.kept[2..].chunks_exact(3)) {
            self.read_back(way, back, kept, to.as_ref());
        }
        to
    }

    fn read_back(&mut self, way: Way, back: &Back<'_>, kept: &[Floats], d_input: Option<&Floats>) {
        let Lstm { inputs, hidden: width, steps, .. } = way.lstm;
        let (values, marks) = (&back.kept[0], &back.kept[1]);
        let (gates, hidden, cells) = (&kept[0], &kept[1], &kept[2]);
        let params = self.params.clone();
        let d_gates = self.take_rows(4 * steps * width);
        let [d_hidden, d_cells] = [(); 2].map(|()| self.take_rows(width));
        for i in (0..steps).rev() {
            let buffers = [marks, back.gradient, gates, cells, &d_gates, &d_hidden, &d_cells];
            way.each(self, &kernel::READ_STEP_BACK, i, &buffers);
            if i > 0 {
                self.product(Product {
                    rows: Count::PerRow(1),
                    columns: width,
                    depth: Count::Fixed(4 * width),
                    left: Operand {
                        values: &d_gates,
                        first: 4 * way.step(i) * width,
                        side: 4 * steps * width,
                        deep: 1,
                    },
                    right: Operand { values: &params, first: way.state_weight, side: 1, deep: width },
                    to: (&d_hidden, 0, width),
                    start: Start::Destination,
                });
            }
        }
        let gradient = |values, columns, first| Product {
            rows: Count::Fixed(4 * width),
            columns,
            depth: Count::PerRow(steps),
            left: Operand { values: &d_gates, first: 0, side: 1, deep: 4 * width },
            right: Operand { values, first: 0, side: 1, deep: columns },
            to: (back.d_params, first, columns),
            start: Start::Zero,
        };
        self.gradient_product(gradient(values, inputs, way.input_weight));
        self.gradient_product(gradient(hidden, width, way.state_weight));
        // Both biases enter the gates in the same way.
        self.bias_gradient(steps, 4 * width, &d_gates, (back.d_params, way.biases), 4 * width);
        if let Some(to) = d_input {
            self.product(Product {
                rows: Count::PerRow(steps),
                columns: inputs,
                depth: Count::Fixed(4 * width),
                left: Operand { values: &d_gates, first: 0, side: 4 * width, deep: 1 },
                right: Operand { values: &params, first: way.input_weight, side: 1, deep: inputs },
                to: (to, 0, inputs),
                start: if way.is_reverse { Start::Destination } else { Start::Zero },
            });
        }
        [d_gates, d_hidden, d_cells].into_iter().for_each(|floats| self.give(floats));
    }
}
