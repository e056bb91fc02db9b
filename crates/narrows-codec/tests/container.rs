//! The compressed file from outside: round trips through pipes, cut short, damaged, hostile.

use narrows_codec::{Chunk, CodecError, Header, Index, Part, Reader, VERSION, Writer};
use proptest::prelude::*;
use std::io::{Cursor, Read};

/// A source that cannot seek and hands out a few bytes at a time.
struct Pipe<'a>(&'a [u8]);

impl Read for Pipe<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let count = out.len().min(3).min(self.0.len());
        let (now, rest) = self.0.split_at(count);
        out[..count].copy_from_slice(now);
        self.0 = rest;
        Ok(count)
    }
}

fn header() -> Header {
    Header { version: VERSION, codec: 3, model: 0x0123_4567_89ab_cdef, settings: vec![7, 8, 9] }
}

fn write(header: &Header, chunks: &[(u64, Vec<Vec<u8>>)]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), header).unwrap();
    for (rows, sections) in chunks {
        writer.chunk(*rows, &sections.iter().map(Vec::as_slice).collect::<Vec<_>>()).unwrap();
    }
    writer.finish().unwrap()
}

fn small() -> Vec<u8> {
    write(&header(), &[(2, vec![vec![1, 2, 3], vec![]]), (300, vec![vec![4; 20]]), (0, vec![])])
}

fn read(bytes: &[u8]) -> Result<(Header, Vec<Chunk>), CodecError> {
    let mut reader = Reader::new(Pipe(bytes))?;
    let mut chunks = Vec::new();
    while let Some(chunk) = reader.next_chunk()? {
        chunks.push(chunk);
    }
    assert!(reader.next_chunk()?.is_none());
    Ok((reader.header().clone(), chunks))
}

fn read_by_index(bytes: &[u8]) -> Result<(Header, Vec<Chunk>), CodecError> {
    let mut file = Cursor::new(bytes);
    let index = Index::open(&mut file)?;
    let mut chunks: Vec<Chunk> =
        (0..index.chunks().len()).rev().map(|number| index.read_chunk(&mut file, number)).collect::<Result<_, _>>()?;
    chunks.reverse();
    Ok((index.header().clone(), chunks))
}

proptest! {
    #[test]
    fn files_come_back(
        codec: u8,
        model: u64,
        settings in prop::collection::vec(any::<u8>(), 0..40),
        chunks in prop::collection::vec((0u64..1 << 40, prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..4)), 0..6),
    ) {
        let header = Header { version: VERSION, codec, model, settings };
        let bytes = write(&header, &chunks);
        let (read_header, read_chunks) = read(&bytes).unwrap();
        prop_assert_eq!(&read_header, &header);
        let mut first_row = 0;
        for (chunk, (rows, sections)) in read_chunks.iter().zip(&chunks) {
            prop_assert_eq!((chunk.first_row, chunk.rows, &chunk.sections), (first_row, *rows, sections));
            first_row += rows;
        }
        prop_assert_eq!(read_by_index(&bytes).unwrap(), (header, read_chunks));
    }

    #[test]
    fn any_bytes_are_read_or_refused(tail in prop::collection::vec(any::<u8>(), 0..100), kept in 0usize..60) {
        let mut bytes = small();
        bytes.truncate(kept);
        bytes.extend(tail);
        prop_assert!(read(&bytes).is_err() && read_by_index(&bytes).is_err());
    }
}

#[test]
fn a_file_costs_little_more_than_its_section() {
    let bytes =
        write(&Header { version: VERSION, codec: 0, model: 1, settings: vec![] }, &[(1024, vec![vec![0; 100]])]);
    assert!(bytes.len() - 100 <= 48, "{}", bytes.len() - 100);
}

#[test]
fn cut_short_anywhere() {
    let whole = small();
    for length in 0..whole.len() {
        let error = read(&whole[..length]).unwrap_err();
        assert!(matches!(error, CodecError::Truncated { offset, .. } if offset == length as u64), "{length}: {error}");
        let error = read_by_index(&whole[..length]).unwrap_err();
        assert!(matches!(error, CodecError::Truncated { .. } | CodecError::Damaged { .. }), "{length}: {error}");
    }
}

#[test]
fn one_byte_changed_anywhere() {
    let whole = small();
    for at in 0..whole.len() {
        for change in [1, 2, 0x80, 0xff] {
            let mut bytes = whole.clone();
            bytes[at] ^= change;
            for error in [read(&bytes).unwrap_err(), read_by_index(&bytes).unwrap_err()] {
                assert!(!matches!(error, CodecError::Io(_)), "byte {at}: {error}");
            }
        }
    }
}

#[test]
fn more_bytes_after_the_end() {
    let mut bytes = small();
    bytes.push(0);
    assert!(matches!(read(&bytes), Err(CodecError::Damaged { part: Part::Table, .. })));
    assert!(read_by_index(&bytes).is_err());
}

#[test]
fn another_kind_of_file() {
    let error = read(b"PK\x03\x04....").unwrap_err();
    assert_eq!(
        error.to_string(),
        "not a compressed file of Narrows: expected it to begin with `NRWZ`, got [50, 4b, 03, 04]"
    );
}

#[test]
fn a_newer_version() {
    let mut bytes = small();
    bytes[4] = VERSION as u8 + 1;
    for error in [read(&bytes).unwrap_err(), read_by_index(&bytes).unwrap_err()] {
        assert_eq!(error.to_string(), "the file has format version 4, the newest known here is 3");
    }
}

#[test]
fn errors_say_where() {
    let mut bytes = small();
    let at = bytes.iter().position(|&byte| byte == 4).unwrap();
    bytes[at] = 5;
    let message = read(&bytes).unwrap_err().to_string();
    assert!(
        message.starts_with("chunk 1, which begins at byte 34, is damaged: its bytes have the checksum"),
        "{message}"
    );
}

#[test]
fn lengths_are_not_believed() {
    // The header, then a chunk that promises a section of 2^60 bytes, then one that promises 2^60 sections.
    let header = write(&header(), &[]);
    let header = &header[..22];
    for promise in [vec![1u8, 1, 1], vec![1u8, 1]] {
        let mut bytes = [header, promise.as_slice()].concat();
        bytes.extend([0x80; 8]);
        bytes.extend([0x10, 1, 2, 3]);
        assert!(matches!(read(&bytes), Err(CodecError::Truncated { part: Part::Chunk(0), .. })));
    }
}

#[test]
fn a_chunk_that_is_not_there() {
    let bytes = small();
    let mut file = Cursor::new(&bytes);
    let index = Index::open(&mut file).unwrap();
    assert_eq!(index.rows(), 302);
    let message = index.read_chunk(&mut file, 3).unwrap_err().to_string();
    assert_eq!(message, "number of a chunk: expected below 3, got 3");
}
