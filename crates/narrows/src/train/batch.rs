//! Rows for one step: gathered, damaged, and the order in which they come.

use narrows_engine::Batch;
use narrows_engine::rng::{Purpose, Stream};

use crate::model::Corruption;
use crate::model::corruption::Donors;
use crate::prep::{Block, Prepared};

/// A buffer for the rows of a step; reused, so that steps allocate nothing.
pub(super) struct Gather<'a> {
    prepared: &'a Prepared,
    blocks: &'a [Block],
    corruption: Corruption,
    seed: u64,
    input: Vec<f32>,
    target: Vec<f32>,
    scratch: Vec<f32>,
}

impl<'a> Gather<'a> {
    pub(super) fn new(
        prepared: &'a Prepared,
        blocks: &'a [Block],
        corruption: Corruption,
        seed: u64,
        capacity: usize,
    ) -> Gather<'a> {
        let values = capacity * prepared.width;
        Gather {
            prepared,
            blocks,
            corruption,
            seed,
            input: vec![0.0; values],
            target: vec![0.0; values],
            scratch: vec![0.0; prepared.width],
        }
    }

    /// The batch of `rows` in `epoch`: clean targets, damaged inputs.
    pub(super) fn batch<'b>(&'b mut self, rows: &'b [u32], epoch: u64) -> Batch<'b> {
        let width = self.prepared.width;
        let donors = Donors { rows: &self.prepared.input, width };
        for (i, &row) in rows.iter().enumerate() {
            let from = row as usize * width..(row as usize + 1) * width;
            let to = i * width..(i + 1) * width;
            self.target[to.clone()].copy_from_slice(&self.prepared.target[from.clone()]);
            let input = &mut self.input[to];
            input.copy_from_slice(&self.prepared.input[from]);
            let mut stream = Corruption::stream(self.seed, epoch, u64::from(row));
            self.corruption.apply(input, &mut stream, self.blocks, donors, &mut self.scratch);
        }
        let values = rows.len() * width;
        Batch { input: &self.input[..values], target: &self.target[..values], rows, seed: self.seed, epoch }
    }
}

/// The training rows in the order of one epoch.
pub(super) struct Order {
    rows: Vec<u32>,
    shuffled: Vec<u32>,
    epoch: Option<u64>,
}

impl Order {
    pub(super) fn new(rows: &[u32]) -> Order {
        Order { rows: rows.to_vec(), shuffled: rows.to_vec(), epoch: None }
    }

    /// Rows of the step at `position` of `epoch`; a fresh shuffle for each epoch, known from its number alone.
    pub(super) fn step(&mut self, seed: u64, epoch: u64, position: usize, batch: usize) -> &[u32] {
        if self.epoch != Some(epoch) {
            self.shuffled.copy_from_slice(&self.rows);
            Stream::new(seed, Purpose::Shuffle, epoch, 0).shuffle(&mut self.shuffled);
            self.epoch = Some(epoch);
        }
        let start = position * batch;
        &self.shuffled[start..(start + batch).min(self.shuffled.len())]
    }
}
