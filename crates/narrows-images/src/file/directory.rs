//! Directories of tags, of which TIFF files and EXIF data consist (TIFF 6.0, section 2; BigTIFF has longer numbers).

use std::io::{self, Read, Seek, SeekFrom};

/// Most entries of a directory: what a classic one can count.
const MOST_ENTRIES: u64 = 65_535;

/// How the numbers of a file are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) is_big_endian: bool,
    /// BigTIFF: offsets of eight bytes.
    is_long: bool,
    /// Offset of the first directory.
    pub(super) first: u64,
}

/// An entry of a directory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) tag: u16,
    pub(super) kind: u16,
    pub(super) count: u64,
    /// Offset of the value, or of its offset if it is too long for the entry.
    pub(super) at: u64,
}

/// A directory and the offset of the next one, which is 0 for the last.
#[derive(Debug, Clone)]
pub(super) struct Directory {
    pub(super) entries: Vec<Entry>,
    pub(super) next: u64,
    /// Offset of the number `next`.
    pub(super) next_at: u64,
}

impl Layout {
    /// Reads the first bytes; `None` unless they are those of a TIFF file.
    pub(super) fn read(source: &mut (impl Read + Seek)) -> io::Result<Option<Layout>> {
        let start = bytes(source, 0, 8)?;
        let is_big_endian = match &start[..2] {
            b"II" => false,
            b"MM" => true,
            _ => return Ok(None),
        };
        let layout = |is_long| Layout { is_big_endian, is_long, first: 0 };
        match layout(false).number(&start[2..4]) {
            42 => Ok(Some(Layout { first: layout(false).number(&start[4..8]), ..layout(false) })),
            43 => Ok(Some(Layout { first: layout(true).number(&bytes(source, 8, 8)?), ..layout(true) })),
            _ => Ok(None),
        }
    }

    /// Where a reader finds the first directory, and what to put there so that it is the one at `offset`.
    pub(super) fn patch(&self, offset: u64) -> (u64, Vec<u8>) {
        let bytes = if self.is_big_endian { offset.to_be_bytes() } else { offset.to_le_bytes() };
        match (self.is_long, self.is_big_endian) {
            (true, _) => (8, bytes.to_vec()),
            (false, true) => (4, bytes[4..].to_vec()),
            (false, false) => (4, bytes[..4].to_vec()),
        }
    }

    /// An unsigned number.
    pub(super) fn number(&self, bytes: &[u8]) -> u64 {
        let joined = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        if self.is_big_endian { bytes.iter().fold(0, joined) } else { bytes.iter().rev().fold(0, joined) }
    }

    /// Reads the directory at `at`.
    pub(super) fn directory(&self, source: &mut (impl Read + Seek), at: u64) -> io::Result<Directory> {
        let (head, size, offset) = if self.is_long { (8, 20, 8) } else { (2, 12, 4) };
        let count = self.number(&bytes(source, at, head)?);
        if count > MOST_ENTRIES {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a directory of too many entries"));
        }
        let start = at + head as u64;
        let all = bytes(source, start, count as usize * size + offset)?;
        let (listed, next) = all.split_at(count as usize * size);
        let entry = |(i, bytes): (usize, &[u8])| Entry {
            tag: self.number(&bytes[..2]) as u16,
            kind: self.number(&bytes[2..4]) as u16,
            count: self.number(&bytes[4..size - offset]),
            at: start + (i * size + size - offset) as u64,
        };
        let entries = listed.chunks_exact(size).enumerate().map(entry).collect();
        Ok(Directory { entries, next: self.number(next), next_at: start + listed.len() as u64 })
    }

    /// Reads the value of an entry; `None` if it is of an unknown type or has more than `most` bytes.
    pub(super) fn value(
        &self,
        source: &mut (impl Read + Seek),
        entry: Entry,
        most: u64,
    ) -> io::Result<Option<Vec<u8>>> {
        let length = entry.count.saturating_mul(size_of_kind(entry.kind) as u64);
        let inline = if self.is_long { 8 } else { 4 };
        if length == 0 || length > most {
            return Ok(None);
        }
        let at = if length <= inline { entry.at } else { self.number(&bytes(source, entry.at, inline as usize)?) };
        bytes(source, at, length as usize).map(Some)
    }

    /// The value of an entry as one unsigned number.
    pub(super) fn integer(&self, source: &mut (impl Read + Seek), entry: Entry) -> io::Result<Option<u64>> {
        let value = self.value(source, Entry { count: 1, ..entry }, 8)?;
        Ok(value.map(|bytes| self.number(&bytes)))
    }
}

/// Bytes of one value of a type; 0 if it is unknown.
pub(super) fn size_of_kind(kind: u16) -> usize {
    match kind {
        1 | 2 | 6 | 7 => 1,
        3 | 8 => 2,
        4 | 9 | 11 | 13 => 4,
        5 | 10 | 12 | 16..=18 => 8,
        _ => 0,
    }
}

fn bytes(source: &mut (impl Read + Seek), at: u64, count: usize) -> io::Result<Vec<u8>> {
    source.seek(SeekFrom::Start(at))?;
    // Grows with what is there, not with what is promised.
    let mut bytes = Vec::new();
    source.by_ref().take(count as u64).read_to_end(&mut bytes)?;
    if bytes.len() < count { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn directories_are_read_in_either_order_and_length() {
        let small =
            [b"II*\0\x08\0\0\0\x01\0".as_slice(), b"\x12\x01\x03\0\x01\0\0\0\x06\0\0\0", &[9, 0, 0, 0]].concat();
        let big = [b"MM\0*\0\0\0\x08\0\x01".as_slice(), b"\x01\x12\0\x03\0\0\0\x01\0\x06\0\0", &[0, 0, 0, 9]].concat();
        let entry = b"\x01\x12\0\x03\0\0\0\0\0\0\0\x01\0\x06\0\0\0\0\0\0";
        let long = [
            b"MM\0+\0\x08\0\0\0\0\0\0\0\0\0\x10".as_slice(),
            &[0, 0, 0, 0, 0, 0, 0, 1],
            entry,
            &[0, 0, 0, 0, 0, 0, 0, 9],
        ];
        for file in [small, big, long.concat()] {
            let mut source = Cursor::new(file);
            let layout = Layout::read(&mut source).unwrap().unwrap();
            let directory = layout.directory(&mut source, layout.first).unwrap();
            let [entry] = directory.entries[..] else { panic!("{directory:?}") };
            assert_eq!((entry.tag, entry.kind, entry.count, directory.next), (0x112, 3, 1, 9));
            assert_eq!(layout.integer(&mut source, entry).unwrap(), Some(6));
            let (at, patch) = layout.patch(9);
            let mut bytes = source.into_inner();
            bytes[at as usize..][..patch.len()].copy_from_slice(&patch);
            assert_eq!(Layout::read(&mut Cursor::new(bytes)).unwrap().unwrap().first, 9);
        }
        assert_eq!(Layout::read(&mut Cursor::new(b"no directory")).unwrap(), None);
    }

    #[test]
    fn promises_of_more_than_there_is_are_errors() {
        let mut source = Cursor::new(b"II*\0\x08\0\0\0\xff\xff\0\0\0\0".to_vec());
        let layout = Layout::read(&mut source).unwrap().unwrap();
        assert!(layout.directory(&mut source, 8).is_err());
        let entry = Entry { tag: 1, kind: 4, count: u64::MAX, at: 8 };
        assert_eq!(layout.value(&mut source, entry, 1 << 20).unwrap(), None);
    }
}
