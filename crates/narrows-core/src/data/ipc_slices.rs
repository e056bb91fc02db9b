//! A record batch of Arrow IPC that is too large to be read whole, as some writers make one of a whole table: rows are read
//! from the file in slices. Compressed buffers are unfolded to temporary files first, one by one.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayData, ArrayRef, GenericStringArray, NullArray, OffsetSizeTrait, RecordBatch, RecordBatchOptions,
    StringViewBuilder, make_array,
};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::ipc::CompressionType;
use narrows_images::guarded;

use super::ipc_bytes::{Flaw, IpcBody, told};
use super::limits::BATCH_BYTES;

/// Rows start at a multiple of this, so that bits of missing cells start at a byte.
const STEP: usize = 64;
/// Bytes of a string that a view holds itself.
const INLINE: usize = 12;

/// The rest of a batch.
pub(super) struct SlicedBatch {
    columns: Vec<SlicedColumn>,
    schema: SchemaRef,
    rows: usize,
    next: usize,
    step: usize,
}

struct SlicedColumn {
    kind: DataType,
    /// A bit for each row that is not missing, if some are.
    known: Option<Region>,
    cells: SlicedCells,
}

enum SlicedCells {
    None,
    Flags(Region),
    /// Numbers and dates of so many bytes, or keys of a dictionary.
    Fixed(usize, Region, Option<ArrayRef>),
    /// Offsets of so many bytes, and text.
    Text(usize, Region, Region),
    /// Views, and the texts that they show parts of.
    Views(Region, Vec<Region>),
}

/// Bytes in a file.
#[derive(Clone)]
struct Region {
    /// `None` for no bytes.
    file: Option<Arc<File>>,
    start: u64,
    length: u64,
}

impl Region {
    fn read(&self, offset: usize, count: usize) -> Result<Vec<u8>, Flaw> {
        let end = (offset as u64).checked_add(count as u64);
        if end.is_none_or(|end| end > self.length) {
            return Err(format!("expected {count} bytes from byte {offset} of a buffer of {}", self.length));
        }
        let mut bytes = vec![0; count];
        if let Some(mut file) = self.file.as_deref() {
            file.seek(SeekFrom::Start(self.start + offset as u64)).map_err(told)?;
            file.read_exact(&mut bytes).map_err(told)?;
        }
        Ok(bytes)
    }

    /// The integer at `index` in a list of integers of `width` bytes.
    fn offset(&self, index: usize, width: usize) -> Result<usize, Flaw> {
        let bytes = self.read(index.saturating_mul(width), width)?;
        let value = bytes.iter().rev().fold(0u64, |value, byte| value << 8 | u64::from(*byte));
        usize::try_from(value).map_err(told)
    }
}

impl SlicedBatch {
    /// The kept columns of a batch whose lengths are checked; `None` if one is of a type that is not read in slices.
    pub(super) fn of(
        batch: &arrow::ipc::RecordBatch,
        body: &IpcBody,
        schema: &SchemaRef,
        kept: &[usize],
        dictionaries: &HashMap<i64, ArrayRef>,
        batch_rows: usize,
    ) -> Result<Option<SlicedBatch>, Flaw> {
        let mut walk = Walk {
            nodes: batch
                .nodes()
                .into_iter()
                .flatten()
                .map(|node| node.null_count() > 0)
                .collect::<Vec<_>>()
                .into_iter(),
            buffers: batch
                .buffers()
                .into_iter()
                .flatten()
                .map(|b| (b.offset() as u64, b.length() as u64))
                .collect::<Vec<_>>()
                .into_iter(),
            variadic: batch.variadicBufferCounts().into_iter().flatten().collect::<Vec<_>>().into_iter(),
            codec: batch.compression().map(|compression| compression.codec()),
            body,
            spool: None,
        };
        let rows = batch.length() as usize;
        let (mut columns, mut fields, mut row_bytes) = (Vec::new(), Vec::new(), 0);
        for (i, field) in schema.fields().iter().enumerate() {
            let is_kept = kept.contains(&i);
            let Some(column) = walk.column(field, is_kept, dictionaries)? else { return Ok(None) };
            if is_kept {
                row_bytes += column.row_bytes();
                fields.push(Field::new(field.name(), column.kind.clone(), true));
                columns.push(column);
            }
        }
        let step = (BATCH_BYTES / row_bytes.max(1)).min(batch_rows).next_multiple_of(STEP);
        Ok(Some(SlicedBatch { columns, schema: Arc::new(Schema::new(fields)), rows, next: 0, step }))
    }

    /// The next rows.
    pub(super) fn next_rows(&mut self) -> Result<Option<RecordBatch>, Flaw> {
        let (start, mut count) = (self.next, self.step.min(self.rows - self.next));
        if count == 0 {
            return Ok(None);
        }
        // Fewer rows where texts are long.
        while count > STEP && self.text_bytes(start, count)? > BATCH_BYTES {
            count = (count / 2).next_multiple_of(STEP);
        }
        self.next += count;
        let arrays: Vec<ArrayRef> =
            self.columns.iter().map(|column| column.rows(start, count)).collect::<Result<_, Flaw>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(count));
        RecordBatch::try_new_with_options(self.schema.clone(), arrays, &options).map_err(told).map(Some)
    }

    fn text_bytes(&self, start: usize, count: usize) -> Result<usize, Flaw> {
        let mut bytes = 0usize;
        for column in &self.columns {
            if let SlicedCells::Text(width, offsets, _) = &column.cells {
                let (from, to) = (offsets.offset(start, *width)?, offsets.offset(start + count, *width)?);
                bytes = bytes.saturating_add(to.saturating_sub(from));
            }
        }
        Ok(bytes)
    }
}

impl SlicedColumn {
    /// Bytes of a row, without text.
    fn row_bytes(&self) -> usize {
        match &self.cells {
            SlicedCells::None | SlicedCells::Flags(_) => 1,
            SlicedCells::Fixed(width, ..) | SlicedCells::Text(width, ..) => *width,
            SlicedCells::Views(..) => 64,
        }
    }

    fn rows(&self, start: usize, count: usize) -> Result<ArrayRef, Flaw> {
        let bits = |region: &Region| region.read(start / 8, count.div_ceil(8)).map(Buffer::from_vec);
        let known = self.known.as_ref().map(bits).transpose()?;
        let nulls = known.clone().map(|known| NullBuffer::new(BooleanBuffer::new(known, 0, count)));
        let built = |buffer: Buffer, dictionary: Option<&ArrayRef>| {
            let mut data = ArrayData::builder(self.kind.clone())
                .len(count)
                .add_buffer(buffer)
                .null_bit_buffer(known)
                .align_buffers(true);
            if let Some(dictionary) = dictionary {
                data = data.add_child_data(dictionary.to_data());
            }
            guarded(|| data.build().map(make_array))?.map_err(told)
        };
        match &self.cells {
            SlicedCells::None => Ok(Arc::new(NullArray::new(count))),
            SlicedCells::Flags(flags) => built(bits(flags)?, None),
            SlicedCells::Fixed(width, values, dictionary) => {
                built(Buffer::from_vec(values.read(start * width, count * width)?), dictionary.as_ref())
            }
            SlicedCells::Text(4, offsets, text) => texts::<i32>(offsets, text, start, count, nulls),
            SlicedCells::Text(_, offsets, text) => texts::<i64>(offsets, text, start, count, nulls),
            SlicedCells::Views(views, texts) => {
                let views = views.read(start * 16, count * 16)?;
                let mut builder = StringViewBuilder::new();
                let mut bytes = 0usize;
                for (row, view) in views.chunks_exact(16).enumerate() {
                    if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
                        builder.append_null();
                        continue;
                    }
                    let number =
                        |at: usize| u32::from_le_bytes(view[at..at + 4].try_into().expect("four bytes")) as usize;
                    let length = number(0);
                    bytes = bytes.saturating_add(length);
                    if bytes > i32::MAX as usize {
                        return Err(format!("expected at most {} bytes of text in {count} rows, got more", i32::MAX));
                    }
                    let text = match length <= INLINE {
                        true => view[4..4 + length].to_vec(),
                        false => {
                            texts.get(number(8)).ok_or("expected a text that is there")?.read(number(12), length)?
                        }
                    };
                    builder.append_value(std::str::from_utf8(&text).map_err(told)?);
                }
                Ok(Arc::new(builder.finish()))
            }
        }
    }
}

/// The texts of some rows, whose offsets have the width of `O`.
fn texts<O: OffsetSizeTrait>(
    offsets: &Region,
    text: &Region,
    start: usize,
    count: usize,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef, Flaw> {
    let width = size_of::<O>();
    let from = offsets.offset(start, width)?;
    let raw = offsets.read(start * width, (count + 1) * width)?;
    let number = |bytes: &[u8]| bytes.iter().rev().fold(0u64, |value, byte| value << 8 | u64::from(*byte));
    let relative = |bytes: &[u8]| O::from_usize(usize::try_from(number(bytes)).ok()?.checked_sub(from)?);
    let relative: Option<Vec<O>> = raw.chunks_exact(width).map(relative).collect();
    let relative = relative.filter(|offsets| offsets.is_sorted()).ok_or("expected rising offsets of text")?;
    let length = relative.last().map_or(0, |last| last.as_usize());
    let text = Buffer::from_vec(text.read(from, length)?);
    let offsets = OffsetBuffer::new(relative.into());
    Ok(Arc::new(guarded(|| GenericStringArray::<O>::try_new(offsets, text, nulls))?.map_err(told)?))
}

/// The columns of a batch in order, each with the buffers that belong to it.
struct Walk<'a> {
    /// Whether cells are missing.
    nodes: std::vec::IntoIter<bool>,
    buffers: std::vec::IntoIter<(u64, u64)>,
    variadic: std::vec::IntoIter<i64>,
    codec: Option<CompressionType>,
    body: &'a IpcBody,
    /// Where compressed buffers are unfolded, one behind the other.
    spool: Option<(Arc<File>, u64)>,
}

impl Walk<'_> {
    /// The next column; its bytes are looked at only if it `is_kept`. `None` for a type that is not read in slices.
    fn column(
        &mut self,
        field: &Field,
        is_kept: bool,
        dictionaries: &HashMap<i64, ArrayRef>,
    ) -> Result<Option<SlicedColumn>, Flaw> {
        let has_missing = self.nodes.next().ok_or("expected a column for each field")?;
        let kind = field.data_type().clone();
        if kind == DataType::Null {
            return Ok(Some(SlicedColumn { kind, known: None, cells: SlicedCells::None }));
        }
        let known = self.region(is_kept && has_missing)?;
        let cells = match &kind {
            DataType::Boolean => SlicedCells::Flags(self.region(is_kept)?),
            DataType::Utf8 => SlicedCells::Text(4, self.region(is_kept)?, self.region(is_kept)?),
            DataType::LargeUtf8 => SlicedCells::Text(8, self.region(is_kept)?, self.region(is_kept)?),
            DataType::Binary | DataType::LargeBinary if !is_kept => {
                SlicedCells::Text(8, self.region(false)?, self.region(false)?)
            }
            DataType::Utf8View => {
                let count = self.variadic.next().ok_or("expected a number of texts")?;
                let views = self.region(is_kept)?;
                SlicedCells::Views(views, (0..count).map(|_| self.region(is_kept)).collect::<Result<_, Flaw>>()?)
            }
            DataType::Dictionary(key, values) => {
                let width = key.primitive_width().ok_or("expected whole numbers as keys")?;
                #[expect(deprecated, reason = "the library offers no other way to the dictionary of a field")]
                let dictionary = field.dict_id().and_then(|id| dictionaries.get(&id)).cloned();
                let dictionary = dictionary.unwrap_or_else(|| arrow::array::new_empty_array(values));
                SlicedCells::Fixed(width, self.region(is_kept)?, Some(dictionary))
            }
            other => match other.primitive_width() {
                Some(width) => SlicedCells::Fixed(width, self.region(is_kept)?, None),
                None => return Ok(None),
            },
        };
        Ok(Some(SlicedColumn { kind, known: known.length.gt(&0).then_some(known), cells }))
    }

    /// The next buffer, unfolded; an empty one if it is not wanted.
    fn region(&mut self, is_wanted: bool) -> Result<Region, Flaw> {
        let (offset, length) = self.buffers.next().ok_or("expected more buffers")?;
        if !is_wanted || length == 0 {
            return Ok(Region { file: None, start: 0, length: 0 });
        }
        let body = self.body;
        if let (None, IpcBody::File { file, start, .. }) = (self.codec, body) {
            return Ok(Region { file: Some(file.clone()), start: start + offset, length });
        }
        let mut part = body.part(offset, length).map_err(told)?;
        let Some(codec) = self.codec else { return self.spooled(&mut part, length) };
        let mut prefix = [0; 8];
        part.read_exact(&mut prefix).map_err(told)?;
        match u64::try_from(i64::from_le_bytes(prefix)) {
            // -1 says that the bytes are as they are.
            Err(_) => self.spooled(&mut part, length - 8),
            Ok(size) if codec == CompressionType::ZSTD => {
                self.spooled(&mut zstd::Decoder::new(part).map_err(told)?, size)
            }
            Ok(size) if codec == CompressionType::LZ4_FRAME => {
                self.spooled(&mut lz4_flex::frame::FrameDecoder::new(part), size)
            }
            Ok(_) => Err("expected one of the compressions lz4 and zstd".to_owned()),
        }
    }

    /// Appends a stream of `length` bytes to the temporary file.
    fn spooled(&mut self, stream: &mut dyn Read, length: u64) -> Result<Region, Flaw> {
        let (file, start) = match self.spool.take() {
            Some(spool) => spool,
            None => (Arc::new(tempfile::tempfile().map_err(told)?), 0),
        };
        let mut end = file.as_ref();
        end.seek(SeekFrom::Start(start)).map_err(told)?;
        let got = io::copy(&mut stream.take(length.saturating_add(1)), &mut end).map_err(told)?;
        if got != length {
            return Err(format!("expected a buffer of {length} bytes once unfolded, got {got}"));
        }
        self.spool = Some((file.clone(), start + length));
        Ok(Region { file: Some(file), start, length })
    }
}
