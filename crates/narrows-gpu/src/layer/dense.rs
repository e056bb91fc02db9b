//! Dense layers, of rows and of every step of a sequence.

use narrows_engine::{Dense, TimeDense};

use crate::floats::Floats;
use crate::kernel;
use crate::operation::{Count, Grid};
use crate::recorder::{ColumnSums, Operand, Product, Recorder, Start};
use crate::stages::Stage;

use super::Back;

/// Steps of sequences, some of them absent: all of whose channels are NaN.
pub(super) struct Present {
    /// The steps, zeros where absent.
    pub values: Floats,
    /// One a step that is there, else zero.
    pub marks: Floats,
}

impl Recorder<'_> {
    /// output = input W^T + b, of `steps` rows a row of the batch.
    pub(super) fn dense(&mut self, dense: &Dense, steps: usize, stage: &Stage, input: &Floats, output: &Floats) {
        let Dense { inputs, outputs, .. } = *dense;
        let weight = stage.trainable.start;
        let params = self.params.clone();
        self.product(Product {
            rows: Count::PerRow(steps),
            columns: outputs,
            depth: Count::Fixed(inputs),
            left: Operand { values: input, first: 0, side: inputs, deep: 1 },
            right: Operand { values: &params, first: weight, side: inputs, deep: 1 },
            to: (output, 0, outputs),
            start: Start::Bias(weight + inputs * outputs),
        });
    }

    pub(super) fn dense_back(&mut self, dense: &Dense, steps: usize, back: &Back<'_>) -> Option<Floats> {
        let Dense { inputs, outputs, .. } = *dense;
        let weight = back.stage.trainable.start;
        self.gradient_product(Product {
            rows: Count::Fixed(outputs),
            columns: inputs,
            depth: Count::PerRow(steps),
            left: Operand { values: back.gradient, first: 0, side: 1, deep: outputs },
            right: Operand { values: back.input, first: 0, side: 1, deep: inputs },
            to: (back.d_params, weight, inputs),
            start: Start::Zero,
        });
        self.bias_gradient(steps, outputs, back.gradient, (back.d_params, weight + inputs * outputs), 0);
        back.wants_input.then(|| {
            let to = self.take_rows(steps * inputs);
            let params = self.params.clone();
            self.product(Product {
                rows: Count::PerRow(steps),
                columns: inputs,
                depth: Count::Fixed(outputs),
                left: Operand { values: back.gradient, first: 0, side: outputs, deep: 1 },
                right: Operand { values: &params, first: weight, side: 1, deep: inputs },
                to: (&to, 0, inputs),
                start: Start::Zero,
            });
            to
        })
    }

    /// Zero times NaN is NaN, so the products must not meet absent steps.
    pub(super) fn time_dense_back(&mut self, time: TimeDense, back: &Back<'_>) -> Option<Floats> {
        let TimeDense { dense, steps } = time;
        let present = self.present(steps, dense.inputs, back.input);
        let gradient = self.where_present(steps, dense.outputs, back.gradient, &present.marks);
        let back = Back { input: &present.values, gradient: &gradient, ..*back };
        let d_input = self.dense_back(&dense, steps, &back);
        [present.values, present.marks, gradient].into_iter().for_each(|floats| self.give(floats));
        d_input
    }

    /// The gradient of biases: the sums of the columns.
    pub(super) fn bias_gradient(
        &mut self,
        positions: usize,
        columns: usize,
        gradient: &Floats,
        to: (&Floats, usize),
        again: usize,
    ) {
        let kernel = &kernel::COLUMN_SUMS;
        let sums = ColumnSums { kernel, positions, columns, groups: 0, buffers: &[gradient], is_mean: false };
        self.columns(sums, to, again);
    }

    /// Finds the absent steps.
    pub(super) fn present(&mut self, steps: usize, width: usize, input: &Floats) -> Present {
        let (values, marks) = (self.take_rows(steps * width), self.take_rows(steps));
        let fields = [("width", width.into()), ("times", steps.into())];
        let grid = Grid::Threads(Count::PerRow(steps));
        self.run(&kernel::PRESENT, &fields, &[input, &values, &marks], grid);
        Present { values, marks }
    }

    fn where_present(&mut self, steps: usize, width: usize, values: &Floats, marks: &Floats) -> Floats {
        let to = self.take_rows(steps * width);
        let fields = [("width", width.into()), ("times", steps.into())];
        self.each(&kernel::WHERE_PRESENT, steps * width, &fields, &[values, marks, &to]);
        to
    }
}
