//! Decompression of rows, chunk by chunk, or of a range of rows.

use std::io::{Read, Seek};

use narrows_codec::{Chunk, CodecError, Header, Index, Reader};

use super::chunk;
use super::coder::{ChunkCoder, is_rebuilt};
use super::identity;
use super::kept;
use super::manifest::{self, ColumnStorage, TableManifest};
use super::restore::{is_restored, is_text};
use crate::codec::Quantiser;
use crate::data::{ColumnKind, Table, conform};
use crate::error::{Error, Result};
use crate::fitted::TabularModel;

/// Reads the rows of a compressed file.
pub struct TableDecompressor<R> {
    coder: ChunkCoder,
    manifest: TableManifest,
    chunks: Chunks<R>,
    /// Whether numbers of a text file come as numbers.
    is_typed: bool,
}

enum Chunks<R> {
    All(Reader<R>),
    Some { source: R, index: Index, next: usize, rows: std::ops::Range<u64> },
}

impl<R: Read> TableDecompressor<R> {
    /// Reads the header; the source need not be seekable.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if it is not such a file, of a newer version, damaged, or made with another model.
    pub fn new(model: &dyn TabularModel, source: R) -> Result<TableDecompressor<R>> {
        let reader = Reader::new(source).map_err(damaged)?;
        let (coder, manifest) = opened(model, reader.header())?;
        Ok(TableDecompressor { coder, manifest, chunks: Chunks::All(reader), is_typed: false })
    }
}

impl<R> TableDecompressor<R> {
    /// Gives the numbers of a text file as numbers, for output in a format that has types. By default they are text if
    /// they were kept as they were written, which only a lossless file does.
    #[must_use]
    pub fn with_types(mut self) -> TableDecompressor<R> {
        self.is_typed = self.manifest.is_text;
        self
    }

    fn unpacked(&self, chunk: &Chunk) -> Result<Table> {
        let table = chunk::unpack(&self.coder, &self.manifest, chunk)?;
        if !self.is_typed {
            return Ok(table);
        }
        let schema = self.coder.adapter.schema();
        let is_number = |name: &&str| {
            let is_text = table.column(name).is_some_and(|column| is_text(column.data_type()));
            is_text && schema.get(name).is_some_and(|column| column.kind == ColumnKind::Numeric)
        };
        let names: Vec<&str> = table.names().into_iter().filter(is_number).collect();
        let (typed, _) = conform(table.select(&names)?, &schema.select(&names)?)?;
        let columns = table.names().into_iter().map(|name| {
            let column = typed.column(name).or_else(|| table.column(name)).expect("its own name");
            (name.to_owned(), column.clone())
        });
        Ok(table.with_columns(columns.collect()))
    }
}

impl<R: Read + Seek> TableDecompressor<R> {
    /// Reads only the chunks that contain these rows.
    ///
    /// # Errors
    /// As [`new`](TableDecompressor::new); [`Error::Mismatch`] if there are no such rows.
    pub fn of_rows(
        model: &dyn TabularModel,
        mut source: R,
        rows: std::ops::Range<u64>,
    ) -> Result<TableDecompressor<R>> {
        let index = Index::open(&mut source).map_err(damaged)?;
        let (coder, manifest) = opened(model, index.header())?;
        let there = index.rows();
        if rows.start >= rows.end || rows.end > there {
            let last = rows.end.saturating_sub(1);
            let message = format!("expected rows of 0 to {}, got {} to {last}", there.saturating_sub(1), rows.start);
            return Err(Error::mismatch(message));
        }
        let next = index.chunks().iter().position(|chunk| chunk.first_row + chunk.rows > rows.start).unwrap_or(0);
        let chunks = Chunks::Some { source, index, next, rows };
        Ok(TableDecompressor { coder, manifest, chunks, is_typed: false })
    }

    /// The next rows; `None` at the end.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if the file is damaged.
    pub fn next_rows(&mut self) -> Result<Option<Table>> {
        let Chunks::Some { source, index, next, rows } = &mut self.chunks else { return self.next_table() };
        let Some(place) = index.chunks().get(*next).filter(|chunk| chunk.first_row < rows.end) else {
            return Ok(None);
        };
        let (first, n) = (place.first_row, place.rows);
        let chunk = index.read_chunk(source, *next).map_err(damaged)?;
        *next += 1;
        let (from, to) = (rows.start.max(first), rows.end.min(first + n));
        let table = self.unpacked(&chunk)?;
        Ok(Some(table.slice((from - first) as usize, (to - from) as usize)))
    }
}

impl<R: Read> TableDecompressor<R> {
    /// The next chunk's rows; `None` at the end.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if the file is damaged, or this machine's arithmetic differs from that of the encoder.
    pub fn next_table(&mut self) -> Result<Option<Table>> {
        let Chunks::All(reader) = &mut self.chunks else { return Ok(None) };
        let chunk: Option<Chunk> = reader.next_chunk().map_err(damaged)?;
        chunk.map(|chunk| self.unpacked(&chunk)).transpose()
    }
}

pub(super) fn damaged(error: CodecError) -> Error {
    Error::mismatch(error.to_string())
}

/// Maximum size of the header's manifest: a few bytes per column.
const SETTINGS: u64 = 1 << 20;

/// Rejects a file of another kind or model.
pub(super) fn check(header: &Header, kind: u8, model: impl FnOnce() -> Result<u64>) -> Result<()> {
    let words = |kind: u8| match kind {
        manifest::TABLE => "a table",
        manifest::IMAGES => "images",
        _ => "something that this version does not know",
    };
    if header.codec != kind {
        let message = format!(
            "expected a compressed file of {}, as the model reads, got one of {}",
            words(kind),
            words(header.codec)
        );
        return Err(Error::mismatch(message));
    }
    let model = model()?;
    if header.model != model {
        let message = format!("expected a file made with this model ({model:016x}), got one of {:016x}", header.model);
        return Err(Error::mismatch(message).with_hint("decompress with the model that compressed it"));
    }
    Ok(())
}

fn opened(model: &dyn TabularModel, header: &Header) -> Result<(ChunkCoder, TableManifest)> {
    let coder = ChunkCoder::new(model)?;
    check(header, manifest::TABLE, || identity::of_rows(&coder))?;
    let settings = kept::release(&header.settings, SETTINGS).map_err(Error::mismatch)?;
    let manifest = TableManifest::read(&settings, header.version).map_err(Error::mismatch)?;
    let features = coder.features();
    let fits = |place: &ColumnStorage| match place {
        ColumnStorage::Kept => true,
        ColumnStorage::Code(column) | ColumnStorage::Words { column, .. } => {
            features.get(*column as usize).is_some_and(|feature| is_rebuilt(feature.column.kind))
        }
        ColumnStorage::Numbers { .. } | ColumnStorage::Bounded { .. } => {
            let number = place.number(manifest.fidelity);
            let number = number.and_then(|(at, fidelity)| Some((features.get(at)?, fidelity)));
            number.is_some_and(|(feature, fidelity)| {
                let lattice = feature.span.and_then(|span| fidelity.lattice(&span));
                feature.column.kind == ColumnKind::Numeric
                    && lattice.is_some_and(|l| l.step.is_finite() && l.step > 0.0)
            })
        }
    };
    for (at, place) in manifest.columns.iter().enumerate() {
        let kind = manifest.type_of(at).map_err(Error::mismatch)?;
        if kind.is_some_and(|kind| if *place == ColumnStorage::Kept { !is_text(&kind) } else { !is_restored(&kind) }) {
            return Err(Error::mismatch("the header is damaged: a column cannot have had its type"));
        }
    }
    let mut rebuilt: Vec<u32> = manifest.columns.iter().filter_map(ColumnStorage::feature).collect();
    rebuilt.sort_unstable();
    let are_different = rebuilt.windows(2).all(|pair| pair[0] != pair[1]);
    if are_different && manifest.columns.iter().all(fits) && Quantiser::LEVELS.contains(&i32::from(manifest.level)) {
        drop(features);
        return Ok((coder, manifest));
    }
    Err(Error::mismatch("the header is damaged: its columns are not the model's"))
}
