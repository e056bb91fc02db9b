//! A Parquet file in a storage, of which only the columns that are wanted are fetched.
//!
//! The decoder asks page by page, and a request for each would take far longer than the bytes. So the first page that is
//! asked for of a row group brings the wanted columns of the whole group, neighbours in one request. They are let go when the
//! decoder has begun the group after the next: a batch of rows may lie in two. A group of more than [`MOST_KEPT`] bytes comes in
//! windows of each column instead.

use std::io;
use std::iter::once;
use std::ops::Range;
use std::slice::from_ref;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::file::metadata::ParquetMetaData;

use super::storage::StoredObject;

/// Bytes at the end that are fetched at first: most footers are shorter.
const TAIL: u64 = 64 << 10;
/// Bytes between two columns that are fetched rather than asked for around: a request takes about as long.
const GAP: u64 = 512 << 10;
/// Bytes of a row group that are kept at once.
const MOST_KEPT: u64 = 256 << 20;
/// Bytes of a column that are fetched at once of a larger group.
const WINDOW: u64 = 8 << 20;

/// An object, and what of it is in memory.
pub(super) struct ParquetObject {
    object: Arc<dyn StoredObject>,
    /// Wanted columns of each row group, by position.
    groups: Mutex<Vec<Vec<Range<u64>>>>,
    tail: Piece,
    kept: Mutex<Kept>,
}

/// Consecutive bytes.
#[derive(Debug, Clone)]
struct Piece {
    start: u64,
    bytes: Bytes,
}

#[derive(Debug, Default)]
struct Kept {
    /// The row group that was begun last.
    group: Option<usize>,
    /// Pieces with their row groups, which are that one and the one before it; none while the footer is read.
    pieces: Vec<(Option<usize>, Piece)>,
}

impl Kept {
    fn from(&self, at: u64) -> Option<Bytes> {
        self.pieces.iter().rev().find_map(|(_, piece)| piece.from(at))
    }
}

impl Piece {
    fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }

    /// What there is from `at` on.
    fn from(&self, at: u64) -> Option<Bytes> {
        (self.start <= at && at < self.end()).then(|| self.bytes.slice((at - self.start) as usize..))
    }
}

impl ParquetObject {
    pub(super) fn new(object: Arc<dyn StoredObject>) -> io::Result<ParquetObject> {
        let start = object.size().saturating_sub(TAIL);
        let tail = fetched(&*object, from_ref(&(start..object.size())))?.pop().unwrap_or_default();
        let tail = Piece { start, bytes: tail };
        Ok(ParquetObject { object, groups: Mutex::default(), tail, kept: Mutex::default() })
    }

    pub(super) fn length(&self) -> u64 {
        self.object.size()
    }

    /// Sets the columns that will be asked for. Places that lead out of the object are left to the decoder to refuse.
    pub(super) fn plan(&self, metadata: &ParquetMetaData, mask: &ProjectionMask) {
        let length = self.length();
        let groups = metadata.row_groups().iter().map(|group| {
            let wanted = group.columns().iter().enumerate().filter(|(leaf, _)| mask.leaf_included(*leaf));
            let mut ranges: Vec<Range<u64>> = wanted
                .filter_map(|(_, column)| {
                    let first = match column.dictionary_page_offset() {
                        Some(dictionary) => dictionary.min(column.data_page_offset()),
                        None => column.data_page_offset(),
                    };
                    let start = u64::try_from(first).ok()?;
                    let end = start.checked_add(u64::try_from(column.compressed_size()).ok()?)?;
                    (start < end && end <= length).then_some(start..end)
                })
                .collect();
            ranges.sort_by_key(|range| range.start);
            ranges
        });
        *locked(&self.groups) = groups.collect();
    }

    /// So many bytes, all of which there are.
    pub(super) fn bytes(&self, start: u64, length: usize) -> io::Result<Bytes> {
        if length == 0 {
            return Ok(Bytes::new());
        }
        let mut found = self.from(start, length)?;
        if found.len() >= length {
            return Ok(found.split_to(length));
        }
        let mut joined = Vec::with_capacity(length);
        while joined.len() < length {
            joined.extend_from_slice(&found[..found.len().min(length - joined.len())]);
            if joined.len() < length {
                found = self.from(start + joined.len() as u64, length - joined.len())?;
            }
        }
        Ok(joined.into())
    }

    /// Reads as much as is in memory, or more if nothing is; 0 at the end.
    pub(super) fn read(&self, at: u64, buffer: &mut [u8]) -> io::Result<usize> {
        if at >= self.length() || buffer.is_empty() {
            return Ok(0);
        }
        let found = self.from(at, buffer.len())?;
        let count = found.len().min(buffer.len());
        buffer[..count].copy_from_slice(&found[..count]);
        Ok(count)
    }

    /// Bytes from `at` on, at least one; `wanted` of them if what is there is not planned.
    fn from(&self, at: u64, wanted: usize) -> io::Result<Bytes> {
        let mut kept = locked(&self.kept);
        if let Some(bytes) = kept.from(at).or_else(|| self.tail.from(at)) {
            return Ok(bytes);
        }
        let groups = locked(&self.groups);
        let of = |ranges: &Vec<Range<u64>>| ranges.iter().position(|range| range.contains(&at));
        let place = groups.iter().enumerate().find_map(|(group, ranges)| Some((group, of(ranges)?)));
        let Some((group, column)) = place else {
            let end = at.saturating_add(wanted as u64).min(self.length());
            let bytes = one(fetched(&*self.object, from_ref(&(at..end)))?)?;
            // A footer longer than the tail is read more than once.
            if groups.is_empty() {
                kept.pieces.push((None, Piece { start: at, bytes: bytes.clone() }));
            }
            return Ok(bytes);
        };
        if kept.group != Some(group) {
            let before = kept.group.replace(group);
            kept.pieces.retain(|(of, _)| of.is_some() && *of == before);
        }
        let ranges = &groups[group];
        let wanted: Vec<Range<u64>> = if ranges.iter().map(|range| range.end - range.start).sum::<u64>() <= MOST_KEPT {
            joined(ranges)
        } else {
            let column = &ranges[column];
            // Of this column, what was read before is let go.
            kept.pieces.retain(|(_, piece)| !column.contains(&piece.start));
            once(at..(at + WINDOW.max(wanted as u64)).min(column.end)).collect()
        };
        let bytes = fetched(&*self.object, &wanted)?;
        let pieces = wanted.iter().zip(bytes).map(|(range, bytes)| Piece { start: range.start, bytes });
        kept.pieces.extend(pieces.map(|piece| (Some(group), piece)));
        kept.from(at).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}

/// Ranges of which those close to each other are one.
fn joined(ranges: &[Range<u64>]) -> Vec<Range<u64>> {
    let mut joined: Vec<Range<u64>> = Vec::new();
    for range in ranges {
        match joined.last_mut() {
            Some(last) if range.start <= last.end.saturating_add(GAP) => last.end = last.end.max(range.end),
            _ => joined.push(range.clone()),
        }
    }
    joined
}

/// The bytes of ranges, as many as were asked for.
fn fetched(object: &dyn StoredObject, ranges: &[Range<u64>]) -> io::Result<Vec<Bytes>> {
    let fetched = object.ranges(ranges)?;
    let is_whole = |(range, bytes): (&Range<u64>, &Bytes)| bytes.len() as u64 == range.end - range.start;
    if fetched.len() == ranges.len() && ranges.iter().zip(&fetched).all(is_whole) {
        return Ok(fetched);
    }
    Err(io::Error::new(io::ErrorKind::UnexpectedEof, "got other bytes than were asked for"))
}

fn one(mut fetched: Vec<Bytes>) -> io::Result<Bytes> {
    fetched.pop().filter(|bytes| !bytes.is_empty()).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_close_to_each_other_are_fetched_together() {
        let far = GAP + 1;
        assert_eq!(joined(&[0..10, 10..20, 30..40, 40 + far..50 + far]), [0..40, 40 + far..50 + far]);
        assert!(joined(&[]).is_empty());
    }
}
