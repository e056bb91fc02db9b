//! Operations: a kernel with its shapes and buffers, and the grid of threads that a batch of rows needs.

use std::sync::Arc;

use crate::device::Gpu;
use crate::floats::Floats;
use crate::kernel::{BATCH_BYTES, Kernel, Pipeline, Tile};

/// Threads of a workgroup, in every kernel.
const THREADS: usize = 256;
/// Columns of a workgroup that sums them.
const COLUMNS: usize = 16;
/// Workgroups of a line of a grid, of at most 65,535.
const LINE: usize = 32_768;

/// A number, as it is or for every row of the batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Count {
    Fixed(usize),
    PerRow(usize),
}

impl Count {
    /// The number for a batch of `n` rows.
    pub(crate) fn of(self, n: usize) -> usize {
        match self {
            Self::Fixed(count) => count,
            Self::PerRow(count) => count * n,
        }
    }

    /// The number apart, and 1 where it is for every row.
    pub(crate) fn parts(self) -> (usize, usize) {
        match self {
            Self::Fixed(count) => (count, 0),
            Self::PerRow(count) => (count, 1),
        }
    }
}

/// The threads that an operation needs.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Grid {
    /// One for each value.
    Threads(Count),
    /// A workgroup for each.
    Groups(Count),
    /// Tiles of a product: rows and columns of the result, and slices of so many terms.
    Tiles { tile: Tile, rows: Count, columns: usize, depth: Count, slice: usize },
    /// Sums of columns, in slices of so many rows.
    Columns { columns: usize, rows: Count, slice: usize },
}

impl Grid {
    fn workgroups(self, n: usize) -> [u32; 3] {
        let lines = |groups: usize| [groups.min(LINE), groups.div_ceil(LINE), 1];
        let groups = match self {
            Self::Threads(count) => lines(count.of(n).div_ceil(THREADS)),
            Self::Groups(count) => lines(count.of(n)),
            Self::Tiles { tile, rows, columns, depth, slice } => {
                let [x, lines, _] = lines(rows.of(n).div_ceil(tile.rows));
                [x, lines * columns.div_ceil(tile.columns), depth.of(n).div_ceil(slice)]
            }
            Self::Columns { columns, rows, slice } => [columns.div_ceil(COLUMNS), rows.of(n).div_ceil(slice), 1],
        };
        groups.map(|count| count as u32)
    }
}

/// A field of a kernel's shapes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Word {
    Whole(usize),
    Real(f32),
}

impl From<usize> for Word {
    fn from(whole: usize) -> Self {
        Self::Whole(whole)
    }
}

impl From<bool> for Word {
    fn from(truth: bool) -> Self {
        Self::Whole(truth.into())
    }
}

impl From<f32> for Word {
    fn from(real: f32) -> Self {
        Self::Real(real)
    }
}

/// The numbers that are the same for every kernel of a pass; see `common.wgsl`.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct BatchNumbers {
    pub n: usize,
    pub seed: u64,
    pub epoch: u64,
    pub penalty_share: f32,
    pub step_size: f32,
    pub root_scale: f32,
    pub shrink: f32,
    pub decay: f32,
    /// Zero where nothing is clipped.
    pub clip: f32,
}

impl BatchNumbers {
    pub(crate) fn words(self) -> [u32; BATCH_BYTES as usize / 4] {
        let halves = |x: u64| [x as u32, (x >> 32) as u32];
        let ([seed_low, seed_high], [epoch_low, epoch_high]) = (halves(self.seed), halves(self.epoch));
        let reals = [self.penalty_share, self.step_size, self.root_scale, self.shrink, self.decay, self.clip];
        let [a, b, c, d, e, f] = reals.map(f32::to_bits);
        [self.n as u32, f32::NAN.to_bits(), seed_low, seed_high, epoch_low, epoch_high, a, b, c, d, e, f]
    }
}

/// A kernel with its shapes and buffers.
#[derive(Debug)]
pub(crate) struct Operation {
    pipeline: Arc<Pipeline>,
    bindings: wgpu::BindGroup,
    grid: Grid,
}

impl Operation {
    /// `buffers` are those that the kernel reads, then those that it writes; a field that is not given is zero.
    pub(crate) fn new(
        gpu: &Gpu,
        kernel: &'static Kernel,
        batch: &wgpu::Buffer,
        fields: &[(&str, Word)],
        buffers: &[&Floats],
        grid: Grid,
    ) -> Self {
        let pipeline = gpu.pipeline(kernel);
        assert_eq!(buffers.len(), kernel.reads.len() + kernel.writes.len(), "buffers of {}", kernel.name);
        let mut words = vec![0; pipeline.fields.len().next_multiple_of(4)];
        for (name, word) in fields {
            let place = pipeline.fields.iter().position(|(field, _)| field == name);
            let place = place.unwrap_or_else(|| panic!("{} has no field {name}", kernel.name));
            words[place] = match (*word, pipeline.fields[place].1) {
                (Word::Whole(whole), false) => whole as u32,
                (Word::Real(real), true) => real.to_bits(),
                (word, _) => panic!("field {name} of {} is another kind of number than {word:?}", kernel.name),
            };
        }
        let shapes = Floats::uniform(gpu, &words);
        let mut entries = vec![
            wgpu::BindGroupEntry { binding: 0, resource: batch.as_entire_binding() },
            wgpu::BindGroupEntry { binding: 1, resource: shapes.as_entire_binding() },
        ];
        let numbers = kernel.reads.iter().chain(kernel.writes);
        entries.extend(
            numbers.zip(buffers).map(|(&binding, floats)| wgpu::BindGroupEntry {
                binding,
                resource: floats.buffer().as_entire_binding(),
            }),
        );
        let bindings = gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some(kernel.name),
            layout: &pipeline.layout,
            entries: &entries,
        });
        Self { pipeline, bindings, grid }
    }

    /// Adds the work for a batch of `n` rows to a pass.
    pub(crate) fn dispatch(&self, pass: &mut wgpu::ComputePass<'_>, n: usize) {
        let [x, y, z] = self.grid.workgroups(n);
        if x * y * z > 0 {
            pass.set_pipeline(&self.pipeline.compute);
            pass.set_bind_group(0, &self.bindings, &[]);
            pass.dispatch_workgroups(x, y, z);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_has_room_for_all_and_no_line_is_too_long() {
        const MOST: u32 = 65_535;
        let room = |grid: Grid, n: usize| {
            let groups = grid.workgroups(n);
            assert!(groups.iter().all(|&side| side <= MOST), "{groups:?}");
            groups.map(|side| side as usize).iter().product::<usize>()
        };
        assert_eq!(room(Grid::Threads(Count::PerRow(100)), 0), 0);
        assert_eq!(room(Grid::Threads(Count::Fixed(257)), 9), 2);
        assert!(room(Grid::Threads(Count::PerRow(1 << 20)), 1 << 10) >= 1 << 22);
        assert!(room(Grid::Groups(Count::PerRow(1)), 1 << 20) >= 1 << 20);
        let tile = Tile { rows: 256, columns: 16 };
        let depth = Count::Fixed(9);
        let tiles = |rows, slice| Grid::Tiles { tile, rows: Count::PerRow(rows), columns: 17, depth, slice };
        assert_eq!(tiles(3, 9).workgroups(100), [2, 2, 1]);
        assert_eq!(tiles(3, 4).workgroups(100), [2, 2, 3]);
        assert!(room(tiles(1 << 20, 9), 1 << 8) >= 2 << 20);
        assert_eq!(Grid::Columns { columns: 33, rows: Count::PerRow(5), slice: 8 }.workgroups(10), [3, 7, 1]);
    }
}
