//! Arrow IPC, file and stream: messages, each of a header and a body.
//!
//! The decoder of the library trusts lengths: it allocates what a header asks for, and panics at what does not fit. So
//! every length is checked here against the bytes that there are before the decoder sees a message, and its panics are
//! caught. A body that is larger than a batch may be is not read whole but in slices of rows.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::SchemaRef;
use arrow::ipc::convert::fb_to_schema;
use arrow::ipc::reader::{read_dictionary, read_footer_length, read_record_batch};
use arrow::ipc::{Block, Message, MessageHeader, root_as_footer, root_as_message};
use narrows_images::guarded;

use super::input::Input;
use super::ipc_bytes::{Flaw, IpcBody, IpcOrigin, begins_alike, told};
use super::ipc_slices::SlicedBatch;
use super::limits::{BATCH_BYTES, ReadLimits};

const MAGIC: &[u8] = b"ARROW1";
/// Rows of a batch that may take no bytes at all.
const FREE_ROWS: u64 = 1 << 20;

/// The messages of a file.
pub(super) struct IpcReader {
    origin: IpcOrigin,
    /// The record batches of the file format; a stream has none listed.
    blocks: Option<std::vec::IntoIter<Block>>,
    schema: SchemaRef,
    dictionaries: HashMap<i64, ArrayRef>,
    /// The columns to decode.
    kept: Vec<usize>,
    sliced: Option<SlicedBatch>,
    limits: ReadLimits,
    batch_rows: usize,
    /// Bytes of a body that is read whole.
    most: usize,
}

impl IpcReader {
    /// Opens a file or a stream and reads its schema. All columns are decoded; see [`IpcReader::keep`].
    pub(super) fn open(path: &Path, input: Input, limits: ReadLimits, batch_rows: usize) -> Result<IpcReader, Flaw> {
        let is_file = input.prefix.starts_with(MAGIC);
        let is_plain = std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file()) && path.as_os_str() != "-";
        let origin = match (is_file, is_plain.then(|| File::open(path))) {
            (_, Some(Ok(file))) if begins_alike(&file, &input.prefix) => IpcOrigin::of(file)?,
            (true, _) => IpcOrigin::of(input.into_file(path, &limits).map_err(|error| error.to_string())?)?,
            (false, _) => IpcOrigin::Stream(input.into_stream()),
        };
        IpcReader::over(origin, is_file, limits, batch_rows, BATCH_BYTES)
    }

    fn over(
        origin: IpcOrigin,
        is_file: bool,
        limits: ReadLimits,
        batch_rows: usize,
        most: usize,
    ) -> Result<IpcReader, Flaw> {
        let (dictionaries, sliced) = (HashMap::new(), None);
        let schema = Arc::new(arrow::datatypes::Schema::empty());
        let kept = Vec::new();
        let mut reader =
            IpcReader { origin, blocks: None, schema, dictionaries, kept, sliced, limits, batch_rows, most };
        if is_file {
            reader.read_footer()?;
        } else {
            let Some((header, _)) = reader.next_message()? else {
                return Err("expected a schema, got nothing".to_owned());
            };
            let message = root_as_message(&header).map_err(told)?;
            let schema = message.header_as_schema().ok_or("expected a schema as the first message")?;
            reader.schema = Arc::new(guarded(|| fb_to_schema(schema))?);
        }
        reader.kept = (0..reader.schema.fields().len()).collect();
        Ok(reader)
    }

    /// The schema of the file, with all columns.
    pub(super) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Decodes these columns only.
    pub(super) fn keep(&mut self, kept: Vec<usize>) {
        self.kept = kept;
    }

    /// The rows of each record batch that the file lists; `None` for a stream.
    pub(super) fn block_rows(&mut self) -> Result<Option<Vec<u64>>, Flaw> {
        let Some(blocks) = self.blocks.as_ref().map(|blocks| blocks.as_slice().to_vec()) else { return Ok(None) };
        let rows = blocks.iter().map(|block| {
            let header = self.header_at(block)?;
            let message = root_as_message(&header).map_err(told)?;
            let batch = message.header_as_record_batch().ok_or("expected rows")?;
            u64::try_from(batch.length()).map_err(|_| format!("expected rows, got {}", batch.length()))
        });
        rows.collect::<Result<Vec<u64>, Flaw>>().map(Some)
    }

    /// Reads these record batches only, of those that the file lists.
    pub(super) fn keep_blocks(&mut self, kept: Range<usize>) {
        if let Some(blocks) = &mut self.blocks {
            let kept = blocks.as_slice().get(kept).unwrap_or_default().to_vec();
            *blocks = kept.into_iter();
        }
    }

    /// Reads the list of messages at the end of the file, and the dictionaries.
    fn read_footer(&mut self) -> Result<(), Flaw> {
        let IpcOrigin::File { length, .. } = &self.origin else { return Err("expected a file".to_owned()) };
        let length = *length;
        let trailer = length.checked_sub(10).ok_or("expected a footer, got the end of the file")?;
        self.seek(trailer);
        let tail: [u8; 10] = self.origin.taken(10)?.try_into().expect("ten bytes");
        let footer_length = read_footer_length(tail).map_err(told)? as u64;
        self.seek(trailer.checked_sub(footer_length).ok_or("expected a footer within the file")?);
        let bytes = self.origin.taken(footer_length)?;
        let footer = root_as_footer(&bytes).map_err(told)?;
        let schema = footer.schema().ok_or("expected a schema in the footer")?;
        if !schema.endianness().equals_to_target_endianness() {
            return Err("expected numbers in this machine's byte order, got the other".to_owned());
        }
        self.schema = Arc::new(guarded(|| fb_to_schema(schema))?);
        let blocks: Vec<Block> = footer.recordBatches().into_iter().flatten().copied().collect();
        let dictionaries: Vec<Block> = footer.dictionaries().into_iter().flatten().copied().collect();
        // A block that is listed a thousand times would be read a thousand times.
        let listed = blocks.iter().chain(&dictionaries).map(|block| block.bodyLength().max(0) as u64);
        if listed.fold(0, u64::saturating_add) > length {
            return Err("expected messages that do not overlap".to_owned());
        }
        for block in &dictionaries {
            let (header, body) = self.message_at(block)?;
            self.read_dictionary(&header, body)?;
        }
        self.blocks = Some(blocks.into_iter());
        Ok(())
    }

    fn seek(&mut self, to: u64) {
        if let IpcOrigin::File { at, .. } = &mut self.origin {
            *at = to;
        }
    }

    fn message_at(&mut self, block: &Block) -> Result<(Vec<u8>, IpcBody), Flaw> {
        let header = self.header_at(block)?;
        let length = u64::try_from(block.bodyLength()).map_err(|_| "expected a message within the file")?;
        Ok((header, self.origin.body(length, self.most)?))
    }

    /// The header of a message; its body follows.
    fn header_at(&mut self, block: &Block) -> Result<Vec<u8>, Flaw> {
        let wrong = "expected a message within the file";
        self.seek(u64::try_from(block.offset()).map_err(|_| wrong)?);
        let mut header = self.origin.taken(u64::try_from(block.metaDataLength()).map_err(|_| wrong)?)?;
        let prefix = if header.starts_with(&[0xff; 4]) { 8 } else { 4 };
        header.drain(..prefix.min(header.len()));
        Ok(header)
    }

    /// The next message of the stream.
    fn next_message(&mut self) -> Result<Option<(Vec<u8>, IpcBody)>, Flaw> {
        let mut length = self.origin.up_to(4)?;
        if length == [0xff; 4] {
            length = self.origin.taken(4)?;
        }
        // The end is marked by zero or by nothing.
        let length = match <[u8; 4]>::try_from(length.as_slice()).map(i32::from_le_bytes) {
            Ok(0) => return Ok(None),
            Ok(length) => {
                u64::try_from(length).map_err(|_| format!("expected a message, got one of {length} bytes"))?
            }
            Err(_) if length.is_empty() => return Ok(None),
            Err(_) => return Err("expected a message, got the end of the file".to_owned()),
        };
        let header = self.origin.taken(length)?;
        let message = root_as_message(&header).map_err(told)?;
        let body = u64::try_from(message.bodyLength()).map_err(|_| "expected a body of at least 0 bytes")?;
        let body = self.origin.body(body, self.most)?;
        Ok(Some((header, body)))
    }

    fn read_dictionary(&mut self, header: &[u8], body: IpcBody) -> Result<(), Flaw> {
        let message = root_as_message(header).map_err(told)?;
        let batch = message.header_as_dictionary_batch().ok_or("expected a dictionary")?;
        self.check(&batch.data().ok_or("expected a dictionary with values")?, &body)?;
        let (buffer, dictionaries) = (body.into_memory()?, &mut self.dictionaries);
        guarded(|| read_dictionary(&buffer, batch, &self.schema, dictionaries, &message.version()))?.map_err(told)
    }

    /// The next rows, with the kept columns.
    pub(super) fn next_batch(&mut self) -> Result<Option<RecordBatch>, Flaw> {
        loop {
            if let Some(sliced) = &mut self.sliced {
                match sliced.next_rows()? {
                    Some(batch) => return Ok(Some(batch)),
                    None => self.sliced = None,
                }
            }
            let next = match &mut self.blocks {
                Some(blocks) => match blocks.next() {
                    Some(block) => Some(self.message_at(&block)?),
                    None => None,
                },
                None => self.next_message()?,
            };
            let Some((header, body)) = next else { return Ok(None) };
            let message = root_as_message(&header).map_err(told)?;
            match message.header_type() {
                MessageHeader::DictionaryBatch => self.read_dictionary(&header, body)?,
                MessageHeader::RecordBatch => {
                    if let Some(batch) = self.read_batch(&message, body)? {
                        return Ok(Some(batch));
                    }
                }
                MessageHeader::NONE => {}
                other => return Err(format!("expected rows, got a message of the kind {other:?}")),
            }
        }
    }

    fn read_batch(&mut self, message: &Message, body: IpcBody) -> Result<Option<RecordBatch>, Flaw> {
        let batch = message.header_as_record_batch().ok_or("expected rows")?;
        let unfolded = self.check(&batch, &body)?;
        if unfolded > self.most as u64
            && let Some(sliced) =
                SlicedBatch::of(&batch, &body, &self.schema, &self.kept, &self.dictionaries, self.batch_rows)?
        {
            self.sliced = Some(sliced);
            return Ok(None);
        }
        let (buffer, schema) = (body.into_memory()?, self.schema.clone());
        let read =
            || read_record_batch(&buffer, batch, schema, &self.dictionaries, Some(&self.kept), &message.version());
        guarded(read)?.map_err(told).map(Some)
    }

    /// Checks what a batch says of its body, and returns how many bytes it unfolds to.
    fn check(&self, batch: &arrow::ipc::RecordBatch, body: &IpcBody) -> Result<u64, Flaw> {
        let mut unfolded = 0u64;
        for buffer in batch.buffers().into_iter().flatten() {
            let (offset, length) = (buffer.offset(), buffer.length());
            let end = u64::try_from(offset).ok().zip(u64::try_from(length).ok());
            let Some((offset, length)) = end.filter(|(a, b)| a.checked_add(*b).is_some_and(|end| end <= body.length()))
            else {
                return Err(format!("expected {length} bytes from byte {offset} of a body of {} bytes", body.length()));
            };
            let mut size = length;
            if batch.compression().is_some() && length > 0 {
                let mut prefix = [0; 8];
                body.part(offset, length).and_then(|mut part| part.read_exact(&mut prefix)).map_err(told)?;
                // -1 says that the bytes are as they are.
                size = match i64::from_le_bytes(prefix) {
                    -1 => length,
                    size => u64::try_from(size).map_err(|_| format!("expected a buffer's size, got {size}"))?,
                };
            }
            unfolded = unfolded.saturating_add(size);
        }
        if unfolded > self.limits.unfolded(body.length()) {
            return Err(format!("a batch of {} bytes unfolds to {unfolded}", body.length()));
        }
        let most = unfolded.saturating_mul(8).saturating_add(FREE_ROWS);
        let nodes = batch.nodes().into_iter().flatten().map(|node| (node.length(), node.null_count()));
        for (rows, missing) in nodes.chain([(batch.length(), 0)]) {
            if !u64::try_from(rows).is_ok_and(|rows| rows <= most) || !(0..=rows).contains(&missing) {
                return Err(format!("expected rows of {unfolded} bytes, got {rows}, {missing} of them missing"));
            }
        }
        Ok(unfolded)
    }
}

#[cfg(all(test, feature = "parquet"))]
mod tests {
    use arrow::array::{
        BooleanArray, Float64Array, LargeStringArray, NullArray, StringArray, StringDictionaryBuilder, StringViewArray,
        UInt16Array,
    };
    use arrow::compute::concat_batches;
    use arrow::datatypes::Int32Type;
    use arrow::ipc::CompressionType;
    use arrow::ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};

    use super::*;

    /// A batch of every type that is read in slices, with missing cells.
    fn batch(rows: usize) -> RecordBatch {
        let some = |i: usize| i % 7 != 3;
        let text = |i: usize| format!("{i}{}", "-".repeat(i % 23));
        let mut words = StringDictionaryBuilder::<Int32Type>::new();
        (0..rows).for_each(|i| words.append_value(["x", "y", "z"][i % 3]));
        let arrays: [(&str, ArrayRef); 8] = [
            ("a", Arc::new((0..rows).map(|i| some(i).then_some(i as f64)).collect::<Float64Array>())),
            ("flag", Arc::new((0..rows).map(|i| some(i).then_some(i % 2 == 0)).collect::<BooleanArray>())),
            ("text", Arc::new((0..rows).map(|i| some(i).then(|| text(i))).collect::<StringArray>())),
            ("large", Arc::new((0..rows).map(|i| Some(text(i))).collect::<LargeStringArray>())),
            ("view", Arc::new((0..rows).map(|i| some(i).then(|| text(i))).collect::<StringViewArray>())),
            ("word", Arc::new(words.finish())),
            ("none", Arc::new(NullArray::new(rows))),
            ("short", Arc::new((0..rows).map(|i| i as u16).collect::<UInt16Array>())),
        ];
        RecordBatch::try_from_iter_with_nullable(arrays.map(|(name, array)| (name, array, true))).unwrap()
    }

    fn bytes_of(batch: &RecordBatch, is_file: bool, compression: Option<CompressionType>) -> Vec<u8> {
        let options = IpcWriteOptions::default().try_with_compression(compression).unwrap();
        let mut bytes = Vec::new();
        if is_file {
            let mut writer = FileWriter::try_new_with_options(&mut bytes, &batch.schema(), options).unwrap();
            writer.write(batch).and_then(|()| writer.finish()).unwrap();
        } else {
            let mut writer = StreamWriter::try_new_with_options(&mut bytes, &batch.schema(), options).unwrap();
            writer.write(batch).and_then(|()| writer.finish()).unwrap();
        }
        bytes
    }

    fn read(bytes: &[u8], kept: Option<Vec<usize>>, most: usize) -> Result<Vec<RecordBatch>, Flaw> {
        let mut file = tempfile::tempfile().unwrap();
        std::io::Write::write_all(&mut file, bytes).unwrap();
        let origin = match most % 2 {
            0 => IpcOrigin::of(file).unwrap(),
            _ if bytes.starts_with(MAGIC) => IpcOrigin::of(file).unwrap(),
            _ => IpcOrigin::Stream(Box::new(std::io::Cursor::new(bytes.to_vec()))),
        };
        let mut reader = IpcReader::over(origin, bytes.starts_with(MAGIC), ReadLimits::default(), 100, most)?;
        if let Some(kept) = kept {
            reader.keep(kept);
        }
        let mut batches = Vec::new();
        while let Some(batch) = reader.next_batch()? {
            batches.push(batch);
        }
        Ok(batches)
    }

    #[test]
    fn slices_give_the_rows_of_the_whole() {
        let whole = batch(1000);
        for is_file in [true, false] {
            for compression in [None, Some(CompressionType::LZ4_FRAME), Some(CompressionType::ZSTD)] {
                let bytes = bytes_of(&whole, is_file, compression);
                assert_eq!(read(&bytes, None, 1 << 20).unwrap(), std::slice::from_ref(&whole));
                // An odd number makes a stream of it.
                for most in [64, 65] {
                    let parts = read(&bytes, None, most).unwrap();
                    assert_eq!(parts.iter().map(RecordBatch::num_rows).max(), Some(128), "{is_file} {compression:?}");
                    assert_eq!(concat_batches(&whole.schema(), &parts).unwrap(), whole, "{is_file} {compression:?}");
                    let kept = vec![2, 5, 7];
                    let parts = read(&bytes, Some(kept.clone()), most).unwrap();
                    let expected = whole.project(&kept).unwrap();
                    assert_eq!(concat_batches(&expected.schema(), &parts).unwrap(), expected);
                }
            }
        }
    }

    #[test]
    fn forged_lengths_are_refused_before_memory_is_taken() {
        let bytes = bytes_of(&batch(10), false, Some(CompressionType::ZSTD));
        // Any four or eight bytes made enormous: an error or rows, and no abort.
        for at in (0..bytes.len() - 8).step_by(4) {
            for forged in [i64::MAX, i64::MIN, 1 << 46, -2] {
                let mut bytes = bytes.clone();
                bytes[at..at + 8].copy_from_slice(&forged.to_le_bytes());
                let _ = read(&bytes, None, 1 << 20);
                let _ = read(&bytes, None, 64);
            }
        }
    }
}
