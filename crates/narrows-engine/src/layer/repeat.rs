//! The code at each step: `[n, width]` to `[n, steps * width]`, the way from a code to a decoder that
//! reads a sequence.

use crate::kernels::columns::{self, Band};

use super::ops::{LayerOps, LayerParams, OutOfRange, Requirements};
use super::{Backward, Forward, Gradients, Inference, Rows};

/// Repeats its input at every step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repeat {
    /// Width of the input.
    pub width: usize,
    /// How often it is repeated.
    pub steps: usize,
}

impl Repeat {
    /// Copies every row `steps` times.
    fn repeat(&self, rows: Rows<'_>, input: &[f32], output: &mut [f32]) {
        let Self { width, steps } = *self;
        let tile = rows.tile(width * steps);
        rows.threads.chunks(output, tile * width * steps, |t, output| {
            let input = input[t * tile * width..].chunks_exact(width);
            for (output, row) in output.chunks_exact_mut(steps * width).zip(input) {
                output.chunks_exact_mut(width).for_each(|step| step.copy_from_slice(row));
            }
        });
    }

    /// d_input = the sum of d_output over the steps, first step first.
    fn sum_steps(&self, rows: Rows<'_>, d_output: &[f32], d_input: &mut [f32]) {
        let Self { width, steps } = *self;
        let tile = rows.tile(width * steps);
        rows.threads.chunks(d_input, tile * width, |t, d_input| {
            let d_output = d_output[t * tile * width * steps..].chunks_exact(width * steps);
            for (d_input, row) in d_input.chunks_exact_mut(width).zip(d_output) {
                columns::sums(Band { data: row, width, first: 0 }, d_input);
            }
        });
    }
}

impl LayerOps for Repeat {
    fn describe(&self) -> String {
        format!("Repeat({}, {} steps)", self.width, self.steps)
    }

    fn widths(&self) -> Option<(usize, usize)> {
        Some((self.width, self.steps * self.width))
    }

    fn out_of_range(&self) -> Option<OutOfRange> {
        None
    }

    fn params(&self) -> Option<&dyn LayerParams> {
        None
    }

    fn requirements(&self, _: usize, _: usize) -> Requirements {
        Requirements::NONE
    }

    fn backward_reads_output(&self) -> bool {
        false
    }

    fn fuses_activation(&self) -> bool {
        false
    }

    fn forward(&self, pass: Forward<'_>, input: &[f32], output: &mut [f32]) {
        self.repeat(pass.rows, input, output);
    }

    fn backward(&self, pass: Backward<'_>, gradients: &mut Gradients) {
        let (d_output, d_input) = gradients.both(pass.output.len(), pass.input.len());
        self.sum_steps(pass.rows, d_output, d_input);
        gradients.swap();
    }

    fn infer(&self, pass: Inference<'_>, input: &[f32], output: &mut [f32]) {
        self.repeat(pass.rows, input, output);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::threads::Threads;

    #[test]
    fn the_gradient_is_the_sum_over_the_copies() {
        let threads = Threads::serial();
        let (rows, repeat) = (Rows { n: 2, threads: &threads }, Repeat { width: 2, steps: 3 });
        let mut output = [0.0; 12];
        repeat.repeat(rows, &[1.0, 2.0, 3.0, 4.0], &mut output);
        assert_eq!(output, [1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 3.0, 4.0, 3.0, 4.0, 3.0, 4.0]);
        let mut d_input = [0.0; 4];
        repeat.sum_steps(rows, &output, &mut d_input);
        assert_eq!(d_input, [3.0, 6.0, 9.0, 12.0]);
    }
}
