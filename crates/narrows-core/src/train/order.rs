//! The order of training samples.

use narrows_engine::rng::{Purpose, Stream};

/// Number of steps whose samples are announced before they are drawn.
const AHEAD: usize = 8;

/// Sources of samples that are expensive to read, and how many are kept in memory at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sources {
    /// Samples per source: numbers `s * samples .. (s + 1) * samples` belong to source `s`.
    pub samples: u32,
    /// Number of sources in memory.
    pub at_once: usize,
}

/// The order of the training samples within an epoch.
pub(super) struct BatchOrder {
    rows: Vec<u32>,
    sources: Option<Sources>,
    shuffled: Vec<u32>,
    epoch: Option<u64>,
}

impl BatchOrder {
    pub(super) fn new(rows: &[u32], sources: Option<Sources>) -> BatchOrder {
        BatchOrder { rows: rows.to_vec(), sources, shuffled: rows.to_vec(), epoch: None }
    }

    /// Samples of the step at `position` of `epoch`, and those of the following steps; each epoch has its own shuffle,
    /// keyed by its number.
    pub(super) fn step(&mut self, seed: u64, epoch: u64, position: usize, batch: usize) -> (&[u32], &[u32]) {
        if self.epoch != Some(epoch) {
            self.shuffled.copy_from_slice(&self.rows);
            match self.sources {
                None => Stream::new(seed, Purpose::Shuffle, epoch, 0).shuffle(&mut self.shuffled),
                Some(sources) => shuffle_by_source(&mut self.shuffled, sources, seed, epoch),
            }
            self.epoch = Some(epoch);
        }
        let start = position * batch;
        let (now, later) = self.shuffled[start..].split_at(batch.min(self.shuffled.len() - start));
        (now, &later[..later.len().min(AHEAD * batch)])
    }
}

/// Shuffles sources, then the samples of as many sources as fit in memory: each source is read once per epoch.
fn shuffle_by_source(rows: &mut [u32], sources: Sources, seed: u64, epoch: u64) {
    let mut order: Vec<u32> = rows.iter().map(|row| row / sources.samples).collect();
    order.sort_unstable();
    order.dedup();
    let mut place = vec![0_u32; order.last().map_or(0, |last| *last as usize + 1)];
    Stream::new(seed, Purpose::Shuffle, epoch, 0).shuffle(&mut order);
    order.iter().enumerate().for_each(|(i, source)| place[*source as usize] = i as u32);
    rows.sort_unstable_by_key(|row| (place[(row / sources.samples) as usize], *row));
    let window = |row: &u32| place[(row / sources.samples) as usize] as usize / sources.at_once.max(1);
    for (i, rows) in rows.chunk_by_mut(|a, b| window(a) == window(b)).enumerate() {
        Stream::new(seed, Purpose::Shuffle, epoch, 1 + i as u64).shuffle(rows);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_has_every_sample_once() {
        let rows: Vec<u32> = (0..40).filter(|row| row % 7 != 3).collect();
        for sources in [None, Some(Sources { samples: 4, at_once: 3 })] {
            let mut order = BatchOrder::new(&rows, sources);
            let mut seen: Vec<u32> = (0..5).flat_map(|position| order.step(1, 2, position, 7).0.to_vec()).collect();
            let first = seen.clone();
            seen.sort_unstable();
            assert_eq!(seen, rows);
            assert_ne!(first, rows);
            assert_ne!(order.step(1, 3, 0, 7).0, &first[..7]);
        }
    }

    #[test]
    fn samples_of_few_sources_come_together() {
        let rows: Vec<u32> = (0..400).collect();
        let mut order = BatchOrder::new(&rows, Some(Sources { samples: 4, at_once: 5 }));
        let (now, later) = order.step(1, 0, 0, 10);
        let mut sources: Vec<u32> = now.iter().chain(&later[..10]).map(|row| row / 4).collect();
        sources.sort_unstable();
        sources.dedup();
        assert_eq!(sources.len(), 5);
    }
}
