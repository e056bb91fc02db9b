//! Records programs: the operations of a pass, with the buffers that they share.

use narrows_engine::ShapeError;

use crate::device::Gpu;
use crate::floats::Floats;
use crate::kernel::{self, Kernel};
use crate::operation::{BatchNumbers, Count, Grid, Operation, Word};

/// Operations in their order.
#[derive(Debug, Default)]
pub(crate) struct Program(Vec<Operation>);

impl Program {
    /// Adds the work for a batch of `n` rows to what will be submitted; nothing in it waits for the processor.
    pub(crate) fn encode(&self, encoder: &mut wgpu::CommandEncoder, n: usize) {
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        self.0.iter().for_each(|operation| operation.dispatch(&mut pass, n));
    }
}

/// Records operations on batches of at most `capacity` rows.
pub(crate) struct Recorder<'a> {
    pub gpu: &'a Gpu,
    pub capacity: usize,
    /// Parameters and running statistics.
    pub params: Floats,
    /// The ids of the rows.
    pub ids: Floats,
    /// The numbers of the batch.
    pub batch: wgpu::Buffer,
    operations: Vec<Operation>,
    /// Buffers that nothing needs any more.
    spare: Vec<Floats>,
    too_large: Option<usize>,
}

/// A product of two matrices; distances are between rows, and along the common side.
pub(crate) struct Product<'a> {
    pub rows: Count,
    pub columns: usize,
    pub depth: Count,
    pub left: Operand<'a>,
    pub right: Operand<'a>,
    pub to: (&'a Floats, usize, usize),
    pub start: Start,
}

/// A matrix: its first value, the distance between its rows or columns, and that along the common side.
#[derive(Clone, Copy)]
pub(crate) struct Operand<'a> {
    pub values: &'a Floats,
    pub first: usize,
    pub side: usize,
    pub deep: usize,
}

/// What a sum begins with; biases are among the parameters.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    Zero,
    Bias(usize),
    TwoBiases(usize),
    Destination,
}

impl<'a> Recorder<'a> {
    pub(crate) fn new(gpu: &'a Gpu, capacity: usize, params: Floats) -> Self {
        let batch = Floats::uniform(gpu, &BatchNumbers::default().words());
        let ids = Floats::zeros(gpu, 0);
        let mut new = Self { gpu, capacity, params, ids, batch, operations: vec![], spare: vec![], too_large: None };
        new.ids = new.zeros(capacity);
        new
    }

    /// A buffer with any content.
    pub(crate) fn take(&mut self, len: usize) -> Floats {
        let fits = |floats: &Floats| floats.len() >= len && floats.len() <= 2 * len.max(1024);
        let place = (0..self.spare.len()).filter(|&i| fits(&self.spare[i])).min_by_key(|&i| self.spare[i].len());
        match place {
            Some(place) => self.spare.swap_remove(place),
            None => self.zeros(len),
        }
    }

    /// A buffer with `width` values a row.
    pub(crate) fn take_rows(&mut self, width: usize) -> Floats {
        self.take(self.capacity.saturating_mul(width))
    }

    /// A buffer of its own, with zeros.
    pub(crate) fn zeros(&mut self, len: usize) -> Floats {
        if (len as u64).saturating_mul(4) > self.gpu.most_bytes {
            self.too_large = Some(self.too_large.unwrap_or(0).max(len));
            return Floats::zeros(self.gpu, 0);
        }
        Floats::zeros(self.gpu, len)
    }

    /// Says that what is recorded next may overwrite a buffer.
    pub(crate) fn give(&mut self, floats: Floats) {
        self.spare.push(floats);
    }

    /// Adds an operation.
    pub(crate) fn run(&mut self, kernel: &'static Kernel, fields: &[(&str, Word)], buffers: &[&Floats], grid: Grid) {
        // With a buffer that is too large, nothing will run.
        if self.too_large.is_none() {
            self.operations.push(Operation::new(self.gpu, kernel, &self.batch, fields, buffers, grid));
        }
    }

    /// An operation with a thread for each of `each` values a row.
    pub(crate) fn each(&mut self, kernel: &'static Kernel, each: usize, fields: &[(&str, Word)], buffers: &[&Floats]) {
        self.run(kernel, fields, buffers, Grid::Threads(Count::PerRow(each)));
    }

    /// What was recorded since the last call.
    pub(crate) fn program(&mut self) -> Program {
        Program(std::mem::take(&mut self.operations))
    }

    /// Whether every buffer found room.
    pub(crate) fn check(&self) -> Result<(), ShapeError> {
        let Some(len) = self.too_large else {
            return Ok(());
        };
        let most = self.gpu.most_bytes / 4;
        Err(ShapeError {
            layer: format!("a batch of {} rows", self.capacity),
            expected: format!("buffers of at most {most} numbers on {}", self.gpu.adapter.name),
            got: format!("{len}; use a smaller batch"),
        })
    }

    /// A matrix product; `slice` terms of its depth at a time go to parts of their own, if there are more.
    pub(crate) fn product(&mut self, product: Product<'_>) {
        self.sliced_product(&product, self.depth(product.depth), 0);
    }

    fn depth(&self, depth: Count) -> usize {
        depth.of(self.capacity).max(1)
    }

    fn sliced_product(&mut self, product: &Product<'_>, slice: usize, to_slice: usize) {
        let Product { rows, columns, depth, left, right, to: (to, to_first, to_row), start } = *product;
        let (start, bias_first) = match start {
            Start::Zero => (0, 0),
            Start::Bias(first) => (1, first),
            Start::TwoBiases(first) => (2, first),
            Start::Destination => (3, 0),
        };
        let ((each_rows, rows_by_batch), (each_depth, depth_by_batch)) = (rows.parts(), depth.parts());
        let fields: [(&str, Word); 17] = [
            ("rows", each_rows.into()),
            ("rows_by_batch", rows_by_batch.into()),
            ("columns", columns.into()),
            ("depth", each_depth.into()),
            ("depth_by_batch", depth_by_batch.into()),
            ("slice", slice.into()),
            ("left_first", left.first.into()),
            ("left_row", left.side.into()),
            ("left_deep", left.deep.into()),
            ("right_first", right.first.into()),
            ("right_deep", right.deep.into()),
            ("right_column", right.side.into()),
            ("to_first", to_first.into()),
            ("to_row", to_row.into()),
            ("to_slice", to_slice.into()),
            ("start", start.into()),
            ("bias_first", bias_first.into()),
        ];
        let params = self.params.clone();
        let (tile, kernel) = kernel::MATRICES.of(columns);
        let grid = Grid::Tiles { tile, rows, columns, depth, slice };
        self.run(kernel, &fields, &[left.values, right.values, &params, to], grid);
    }

    /// A product over all rows of the batch, whose result is small: a gradient. It is summed slice by slice.
    pub(crate) fn gradient_product(&mut self, product: Product<'_>) {
        let Product { rows, columns, depth, to: (to, to_first, to_row), .. } = product;
        let rows = rows.of(1);
        assert_eq!(to_row, columns, "a gradient lies row after row");
        let slice = self.slice(depth, rows, columns);
        let parts = self.take(self.depth(depth).div_ceil(slice).saturating_mul(rows * columns));
        self.sliced_product(&Product { to: (&parts, 0, columns), ..product }, slice, rows * columns);
        self.collect(&parts, rows * columns, Terms { count: depth, slice, is_mean: false }, (to, to_first), 0);
        self.give(parts);
    }

    /// Terms of a slice of a gradient's sums: as many slices as keep a device busy. It follows from shapes alone.
    pub(crate) fn slice(&self, depth: Count, rows: usize, columns: usize) -> usize {
        const BUSY: usize = 512;
        const SHORTEST: usize = 256;
        let tiles = rows.div_ceil(64) * columns.div_ceil(64);
        let slices = (BUSY / tiles).clamp(1, 128);
        self.depth(depth).div_ceil(slices).max(SHORTEST).next_multiple_of(16)
    }

    /// Adds up the parts of sums into `to`, and once more `again` values later if that is not 0.
    pub(crate) fn collect(&mut self, parts: &Floats, len: usize, terms: Terms, to: (&Floats, usize), again: usize) {
        let (count, by_batch) = terms.count.parts();
        let fields: [(&str, Word); 7] = [
            ("len", len.into()),
            ("to_first", to.1.into()),
            ("slice", terms.slice.into()),
            ("terms", count.into()),
            ("by_batch", by_batch.into()),
            ("is_mean", terms.is_mean.into()),
            ("again", again.into()),
        ];
        self.run(&kernel::COLLECT, &fields, &[parts, to.0], Grid::Threads(Count::Fixed(len)));
    }

    /// Sums columns over `positions` rows a row of the batch into `to`: by `kernel`, of these buffers.
    pub(crate) fn columns(&mut self, sums: ColumnSums<'_>, to: (&Floats, usize), again: usize) {
        const SLICE: usize = 512;
        let ColumnSums { kernel, positions, columns, groups, buffers, is_mean } = sums;
        let rows = Count::PerRow(positions);
        let parts = self.take(self.depth(rows).div_ceil(SLICE) * columns);
        let fields: [(&str, Word); 4] = [
            ("positions", positions.into()),
            ("columns", columns.into()),
            ("slice", SLICE.into()),
            ("groups", groups.into()),
        ];
        let buffers: Vec<&Floats> = buffers.iter().copied().chain([&parts]).collect();
        self.run(kernel, &fields, &buffers, Grid::Columns { columns, rows, slice: SLICE });
        self.collect(&parts, columns, Terms { count: rows, slice: SLICE, is_mean }, to, again);
        self.give(parts);
    }
}

/// The terms of sums that were cut into parts.
#[derive(Clone, Copy)]
pub(crate) struct Terms {
    pub count: Count,
    /// Terms of a part.
    pub slice: usize,
    /// Whether the sum is divided by their number.
    pub is_mean: bool,
}

/// Sums of the columns of a matrix; see `columns.wgsl`.
pub(crate) struct ColumnSums<'a> {
    pub kernel: &'static Kernel,
    pub positions: usize,
    pub columns: usize,
    pub groups: usize,
    pub buffers: &'a [&'a Floats],
    pub is_mean: bool,
}
