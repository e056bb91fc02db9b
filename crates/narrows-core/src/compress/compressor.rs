//! Streaming compression of rows, chunk by chunk in bounded memory.

use std::io::{self, Sink, Write};

use arrow::array::{Array, AsArray};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, FieldRef, Float64Type, SchemaRef};
use narrows_codec::{Header, VERSION, Writer};

use super::account::{Account, AlteredColumn, CodeTrial};
use super::chunk::{self, Effort, PackedChunk, PreparedChunk};
use super::coder::{ChunkCoder, Feature};
use super::counted::Counted;
use super::fidelity::Fidelity;
use super::identity;
use super::kept;
use super::manifest::{self, ColumnStorage, TableManifest};
use super::table_fidelity::TableFidelity;
use crate::codec::Quantiser;
use crate::data::Table;
use crate::error::{Error, Result};
use crate::fitted::TabularModel;

/// Values per chunk: enough for adaptive coding to pay, few enough for memory.
const VALUES: usize = 1 << 20;
/// Rows per chunk.
const ROWS: std::ops::RangeInclusive<usize> = 256..=1 << 16;
/// Quantiser levels that are tried for a bound; finer and coarser ones have never been optimal.
const TRIED: std::ops::RangeInclusive<i32> = -2..=6;
/// Rows of the first chunk that levels are tried on.
const TRIED_ROWS: usize = 2048;

/// Writes tables, and series, as a compressed file.
pub struct TableCompressor<W: Write> {
    coder: ChunkCoder,
    fidelity: TableFidelity,
    chunk_rows: usize,
    is_text: bool,
    sink: Option<W>,
    file: Option<Open<W>>,
    waiting: Vec<Table>,
    account: Account,
    /// The zstd baseline for the numbers, once there are any.
    baseline: Option<zstd::stream::write::Encoder<'static, Counted<Sink>>>,
}

/// A file whose header is written.
struct Open<W: Write> {
    writer: Writer<Counted<W>>,
    manifest: TableManifest,
    /// The columns with their types.
    columns: SchemaRef,
}

impl<W: Write> TableCompressor<W> {
    /// Prepares to write rows to `sink`; nothing is written before the first rows.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if the model is of images, was fitted by a version without compression, or takes differences
    /// while only the code is to be stored; [`Error::Recipe`] for a detail out of range, and for a bound of a column that
    /// is no number of the model.
    pub fn new(model: &dyn TabularModel, fidelity: impl Into<TableFidelity>, sink: W) -> Result<TableCompressor<W>> {
        let (coder, fidelity) = (ChunkCoder::new(model)?, fidelity.into());
        if let Fidelity::Code(detail) = fidelity.others {
            detail.check()?;
            coder.adapter.check_code_alone()?;
        }
        fidelity.check(&coder)?;
        Ok(TableCompressor {
            chunk_rows: (VALUES / coder.width()).clamp(*ROWS.start(), *ROWS.end()),
            coder,
            fidelity,
            is_text: false,
            sink: Some(sink),
            file: None,
            waiting: Vec::new(),
            account: Account::default(),
            baseline: None,
        })
    }

    /// Sets the number of rows per chunk: smaller chunks give finer random access and compress less.
    ///
    /// # Errors
    /// [`Error::Recipe`] for zero, or for more than the memory limit allows.
    pub fn with_chunk_rows(mut self, rows: usize) -> Result<TableCompressor<W>> {
        let most = manifest::LARGEST / self.coder.width();
        if rows == 0 || rows > most {
            return Err(Error::recipe("chunk_rows", format!("expected 1 to {most} rows in a chunk, got {rows}")));
        }
        self.chunk_rows = rows;
        Ok(self)
    }

    /// Says that the rows come from a text file such as CSV, whose columns have no types of their own: numbers may then
    /// be decompressed as numbers where they are written to a format with types.
    #[must_use]
    pub fn of_text(mut self) -> TableCompressor<W> {
        self.is_text = true;
        self
    }

    /// Adds rows.
    ///
    /// # Errors
    /// If they do not fit the model, or the file cannot be written.
    pub fn push(&mut self, table: &Table) -> Result<()> {
        let mut first = 0;
        while first < table.n_rows() {
            let there: usize = self.waiting.iter().map(Table::n_rows).sum();
            let taken = (self.chunk_rows - there).min(table.n_rows() - first);
            self.waiting.push(table.slice(first, taken));
            first += taken;
            if there + taken == self.chunk_rows {
                self.flush()?;
            }
        }
        Ok(())
    }

    /// Finishes the file.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if no rows were added; if the file cannot be written.
    pub fn finish(mut self) -> Result<(W, Account)> {
        self.flush()?;
        let Some(file) = self.file else {
            return Err(Error::mismatch("expected rows to compress, got none"));
        };
        let written = file.writer.finish().map_err(cannot_write)?;
        self.account.bytes = written.bytes;
        let baseline = self.baseline.map(zstd::stream::write::Encoder::finish).transpose().map_err(cannot_write)?;
        self.account.zstd_of_cells = baseline.map(|baseline| baseline.bytes);
        Ok((written.inner, self.account))
    }

    fn flush(&mut self) -> Result<()> {
        let waiting = std::mem::take(&mut self.waiting);
        let Some(first) = waiting.first() else { return Ok(()) };
        let batches: Vec<_> = waiting.iter().map(Table::batch).collect();
        let batch = concat_batches(batches[0].schema_ref(), batches)
            .map_err(|error| Error::mismatch(format!("the columns changed between rows: {error}")))?;
        let table = Table::new(batch, first.source(), self.account.rows);
        if self.file.is_none() {
            self.open(&table)?;
        }
        let file = self.file.as_mut().expect("opened above");
        let is_same = |(was, is): (&FieldRef, &FieldRef)| (was.name(), was.data_type()) == (is.name(), is.data_type());
        let (was, is) = (file.columns.fields(), table.batch().schema_ref().fields());
        if was.len() != is.len() || !was.iter().zip(is).all(is_same) {
            return Err(Error::mismatch("the columns changed between rows"));
        }
        let ready = PreparedChunk::new(&self.coder, &file.manifest, &table)?;
        let PackedChunk { sections, rebuilt } = ready.pack(file.manifest.level.into(), Effort::Full)?;
        let parts: Vec<&[u8]> = sections.iter().map(Vec::as_slice).collect();
        file.writer.chunk(table.n_rows() as u64, &parts).map_err(cannot_write)?;
        let account = &mut self.account;
        account.rows += table.n_rows() as u64;
        account.chunks += 1;
        account.level = file.manifest.level.into();
        let [codes, residual, kept, numbers] = chunk::sizes(&sections);
        account.numbers += numbers;
        account.codes += codes;
        account.residual += residual;
        account.kept += kept;
        AlteredColumn::count(&file.manifest, &self.coder, &table, ready.typed(), &mut account.altered)?;
        let features = self.coder.features();
        for feature in file.manifest.columns.iter().filter_map(ColumnStorage::feature) {
            let Feature { column, span } = &features[feature as usize];
            account.values += table.n_rows() as u64;
            let (was, is) = (ready.typed().expect_column(&column.name)?, rebuilt.expect_column(&column.name)?);
            match (was.as_primitive_opt::<Float64Type>(), is.as_primitive_opt::<Float64Type>()) {
                (Some(was), Some(is)) => {
                    let Some(span) = span.filter(|span| span.width() > 0.0) else { continue };
                    let pairs = was.iter().zip(is).filter_map(|(was, is)| Some((was?, is?)));
                    for (was, is) in pairs.filter(|(was, _)| was.is_finite()) {
                        account.errors.push((is - was) / span.width());
                    }
                }
                _ => {
                    account.words += was.len() as u64;
                    if let Fidelity::Code(_) = self.fidelity.others {
                        // Missing cells are stored losslessly.
                        let differs = |row: &usize| was.is_valid(*row) && was.slice(*row, 1) != is.slice(*row, 1);
                        account.other_words += (0..was.len()).filter(differs).count() as u64;
                    }
                }
            }
        }
        let cells = ready.lattice_places();
        if !cells.is_empty() {
            let new =
                || zstd::stream::write::Encoder::new(Counted::new(io::sink()), 19).expect("a level that zstd has");
            self.baseline.get_or_insert_with(new).write_all(&narrowest(&cells)).map_err(cannot_write)?;
        }
        Ok(())
    }

    /// Chooses the header from the first rows and writes it.
    fn open(&mut self, table: &Table) -> Result<()> {
        let quantiser = &self.coder.coding().quantiser;
        let is_text = self.is_text
            && table
                .batch()
                .columns()
                .iter()
                .all(|column| matches!(column.data_type(), DataType::Utf8 | DataType::Null));
        let mut manifest = chunk::manifest(&self.coder, &self.fidelity, table, is_text)?;
        let level = match self.fidelity.others {
            Fidelity::Code(detail) => detail.level(quantiser),
            Fidelity::Within(_) | Fidelity::Lossless => {
                let rows = table.slice(0, table.n_rows().min(TRIED_ROWS));
                let ready = PreparedChunk::new(&self.coder, &manifest, &rows)?;
                // With an empty code the model predicts the same for every row; neighbours may predict enough.
                let silent = *Quantiser::LEVELS.end();
                let size = |level: i32, effort: Effort| -> Result<usize> {
                    Ok(ready.pack(level, effort)?.sections.iter().map(Vec::len).sum())
                };
                let mut best = (usize::MAX, 0);
                for level in TRIED {
                    best = best.min((size(level, Effort::Little)?, level));
                }
                let (with, without) = (size(best.1, Effort::Full)?, size(silent, Effort::Full)?);
                self.account.code_trial = Some(CodeTrial {
                    rows: rows.n_rows() as u64,
                    bytes_with_code: with as u64,
                    bytes_without_code: without as u64,
                });
                if with < without { best.1 } else { silent }
            }
        };
        manifest.level = level as i8;
        let settings = kept::squeeze(&manifest::pack(&manifest));
        let model = identity::of_rows(&self.coder)?;
        let sink = Counted::new(self.sink.take().expect("opened once"));
        let header = Header { version: VERSION, codec: manifest::TABLE, model, settings };
        let writer = Writer::new(sink, &header).map_err(cannot_write)?;
        self.file = Some(Open { writer, manifest, columns: table.batch().schema() });
        Ok(())
    }
}

/// Packs numbers with the smallest sufficient byte width.
fn narrowest(cells: &[i64]) -> Vec<u8> {
    let lowest = cells.iter().copied().min().unwrap_or(0);
    let largest = cells.iter().map(|cell| cell.wrapping_sub(lowest) as u64).max().unwrap_or(0);
    let width = (64 - largest.leading_zeros()).div_ceil(8).max(1) as usize;
    cells.iter().flat_map(|cell| (cell.wrapping_sub(lowest) as u64).to_le_bytes().into_iter().take(width)).collect()
}

pub(super) fn cannot_write(error: std::io::Error) -> Error {
    Error::write("the compressed file", error)
}
