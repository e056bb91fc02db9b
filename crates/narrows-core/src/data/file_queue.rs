//! The files of a source that are still to be read, and which parts of each: without those that a filter excludes by the
//! names of their folders, and for a shard without those that other shards read.

use std::collections::VecDeque;
use std::ops::Range;

use super::shard::Shard;
use super::source::Source;
use crate::error::{Error, Place, Result};

/// Which parts of a file are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum UnitsRead {
    All,
    Only(Range<usize>),
    /// None, but so many rows are counted, if the number is known; else they are to be counted.
    None(Option<u64>),
}

/// A file to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NextFile {
    /// Its place among the paths of the source.
    pub(super) index: usize,
    pub(super) units: UnitsRead,
}

/// The parts of a file that can be read by themselves.
#[derive(Debug, Clone)]
pub(super) struct FileUnits {
    /// The rows of each; `None` for a file that is read as a whole.
    pub(super) rows: Option<Vec<u64>>,
    /// Bytes of the file as it is stored.
    pub(super) bytes: u64,
}

/// Files to be read in turn.
#[derive(Debug)]
pub(super) struct FileQueue {
    files: VecDeque<NextFile>,
    n_excluded: usize,
}

impl FileQueue {
    /// All files of a source in which its filter may match.
    ///
    /// # Errors
    /// [`Error::Data`] without files.
    pub(super) fn new(source: &Source) -> Result<FileQueue> {
        if source.paths.is_empty() {
            return Err(Error::data(Place::default(), "expected at least one file, got none"));
        }
        let mut queue = FileQueue { files: VecDeque::new(), n_excluded: 0 };
        queue.shadow(source, &[]);
        Ok(queue)
    }

    /// Begins anew, with keys in the names of folders that are not read.
    pub(super) fn shadow(&mut self, source: &Source, shadowed: &[String]) {
        let may_match =
            |i: &usize| source.filter.as_ref().is_none_or(|filter| source.partitions.may_match(*i, filter, shadowed));
        let files = (0..source.paths.len()).filter(may_match);
        self.files = files.map(|index| NextFile { index, units: UnitsRead::All }).collect();
        self.n_excluded = source.paths.len() - self.files.len();
    }

    /// The first file that is read; of a source of which none is, its first one, for its columns.
    pub(super) fn first(&self) -> usize {
        self.files.front().map_or(0, |file| file.index)
    }

    /// The files to read, by their places in the source.
    pub(super) fn waiting(&self) -> Vec<usize> {
        self.files.iter().map(|file| file.index).collect()
    }

    /// The number of files that are not read.
    pub(super) fn n_excluded(&self) -> usize {
        self.n_excluded
    }

    /// What is told of files that are not read.
    pub(super) fn note(&self) -> Option<String> {
        let n = self.n_excluded + self.files.len();
        let excluded = self.n_excluded;
        (excluded > 0).then(|| format!("{excluded} of {n} files are not read, as no row in their folders can match"))
    }

    /// Keeps the parts of a shard, given those of each file. Files in front of the shard's stay, for their rows to be counted.
    pub(super) fn divide(&mut self, shard: Shard, files: &[FileUnits]) {
        let are_known = files.iter().all(|file| file.rows.is_some());
        // By rows where they are known, else by bytes, of which each part of a file has its share.
        let sizes = files.iter().flat_map(|file| match &file.rows {
            Some(rows) if are_known => rows.clone(),
            Some(rows) => {
                let total = rows.iter().map(|rows| u128::from(*rows)).sum::<u128>().max(1);
                let share = |rows: &u64| (u128::from(file.bytes) * u128::from(*rows) / total) as u64;
                rows.iter().map(share).collect()
            }
            None => vec![file.bytes],
        });
        let chosen = shard.units(&sizes.collect::<Vec<u64>>());
        let (mut next, mut kept) = (0, VecDeque::new());
        for (mut file, units) in std::mem::take(&mut self.files).into_iter().zip(files) {
            let n = units.rows.as_ref().map_or(1, Vec::len);
            let own = chosen.start.clamp(next, next + n) - next..chosen.end.clamp(next, next + n) - next;
            file.units = match &units.rows {
                _ if own.is_empty() => UnitsRead::None(units.rows.as_ref().map(|rows| rows.iter().sum())),
                None => UnitsRead::All,
                Some(_) if own.len() == n => UnitsRead::All,
                Some(_) => UnitsRead::Only(own),
            };
            next += n;
            kept.push_back(file);
        }
        let last = kept.iter().rposition(|file| !matches!(file.units, UnitsRead::None(_)));
        kept.truncate(last.map_or(0, |last| last + 1));
        self.files = kept;
    }

    pub(super) fn next(&mut self) -> Option<NextFile> {
        self.files.pop_front()
    }

    pub(super) fn clear(&mut self) {
        self.files.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn divided(files: &[FileUnits], count: u64) -> Vec<Vec<UnitsRead>> {
        let source = Source { paths: vec![PathBuf::from("x"); files.len()], ..Source::default() };
        let shard = |index| {
            let mut queue = FileQueue::new(&source).unwrap();
            queue.divide(Shard::new(index, count).unwrap(), files);
            queue.files.into_iter().map(|file| file.units).collect()
        };
        (0..count).map(shard).collect()
    }

    #[test]
    fn a_shard_has_a_run_of_parts_and_the_rows_in_front_are_counted() {
        let file = |rows: &[u64]| FileUnits { rows: Some(rows.to_vec()), bytes: 1 };
        let all = || UnitsRead::All;
        let shards = divided(&[file(&[10, 10]), file(&[]), file(&[10, 10, 20])], 3);
        assert_eq!(shards[0], [all()]);
        assert_eq!(shards[1], [UnitsRead::None(Some(20)), UnitsRead::None(Some(0)), UnitsRead::Only(0..2)]);
        assert_eq!(shards[2], [UnitsRead::None(Some(20)), UnitsRead::None(Some(0)), UnitsRead::Only(2..3)]);
        assert_eq!(divided(&[file(&[5])], 2), [vec![], vec![all()]]);
    }

    #[test]
    fn files_of_unknown_rows_are_divided_by_their_bytes() {
        let text = |bytes| FileUnits { rows: None, bytes };
        let shards = divided(&[text(100), text(100), text(200)], 2);
        assert_eq!(shards[0], [UnitsRead::All, UnitsRead::All]);
        assert_eq!(shards[1], [UnitsRead::None(None), UnitsRead::None(None), UnitsRead::All]);
        let mixed = FileUnits { rows: Some(vec![1, 1]), bytes: 200 };
        assert_eq!(divided(&[text(200), mixed], 4).iter().map(Vec::len).sum::<usize>(), 1 + 2 + 2);
    }
}
