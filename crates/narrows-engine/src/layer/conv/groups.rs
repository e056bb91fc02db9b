//! The rows of a batch in groups, determined by shapes; each group is a task with its own scratch.

use crate::layer::Rows;

/// A batch split into groups of rows, one task each.
#[derive(Clone, Copy)]
pub(super) struct Groups<'a> {
    pub rows: Rows<'a>,
    /// Rows per group.
    pub size: usize,
    /// Number of groups.
    pub n: usize,
}

impl<'a> Groups<'a> {
    /// As many groups as pay, where `cost` is the multiply-adds per row.
    pub(super) fn new(rows: Rows<'a>, cost: usize) -> Self {
        let size = rows.group(cost);
        Self { rows, size, n: rows.n.div_ceil(size) }
    }

    /// Calls `each(input, output, work)` for every row; rows of a group share their `work` floats.
    pub(super) fn forward(
        self,
        (inputs, outputs): (usize, usize),
        (scratch, work): (&mut [f32], usize),
        input: &[f32],
        output: &mut [f32],
        each: impl Fn(&[f32], &mut [f32], &mut [f32]) + Sync,
    ) {
        let scratch = &mut scratch[..self.n * work];
        self.rows.threads.chunks2((output, self.size * outputs), (scratch, work), |g, output, work| {
            let input = &input[g * self.size * inputs..];
            for (x, y) in input.chunks_exact(inputs).zip(output.chunks_exact_mut(outputs)) {
                each(x, y, work);
            }
        });
    }
}
