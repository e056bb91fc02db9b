//! A Parquet file whose lengths are checked before its decoder sees them: that one allocates what they promise.

use arrow::datatypes::{DataType, Schema, SchemaRef};
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::ParquetMetaData;
use parquet::file::reader::{ChunkReader, Length};

use super::parquet_place::{ParquetPlace, PlaceRead};

/// Nesting of structures in a footer; a sound one has about eight.
const MOST_NESTED: usize = 32;

/// A file of which no more is read than there is.
pub(super) struct ParquetFile {
    place: ParquetPlace,
    length: u64,
}

impl ParquetFile {
    /// Opens a file and reads its footer. Text comes as views, so that cells of one dictionary page share its bytes.
    pub(super) fn open(place: ParquetPlace) -> Result<(ParquetFile, ArrowReaderMetadata)> {
        let length = place.length();
        let file = ParquetFile { place, length };
        file.check_footer()?;
        let found = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new())?;
        let options = ArrowReaderOptions::new().with_schema(with_views(found.schema()));
        let with_views = ArrowReaderMetadata::try_new(found.metadata().clone(), options);
        Ok((file, with_views.unwrap_or(found)))
    }

    /// Of an object, fetches only the columns of `mask` from now on, row group by row group as they are read.
    pub(super) fn plan(&mut self, metadata: &ParquetMetaData, mask: &ProjectionMask) {
        if let ParquetPlace::Object(object) = &mut self.place {
            object.plan(metadata, mask);
        }
    }

    fn check_footer(&self) -> Result<()> {
        let broken = |why: &str| ParquetError::General(why.to_owned());
        let trailer = self.length.checked_sub(8).ok_or_else(|| broken("expected a footer, got the end of the file"))?;
        let tail = self.get_bytes(trailer, 8)?;
        let length = u64::from(u32::from_le_bytes(tail[..4].try_into().expect("four bytes")));
        let start = trailer.checked_sub(length).ok_or_else(|| broken("expected a footer within the file"))?;
        let footer = self.get_bytes(start, length as usize)?;
        // An encrypted footer is the decoder's to refuse.
        if &tail[4..] == b"PAR1" && Footer::new(&footer).check().is_none() {
            return Err(broken("expected lists and texts within the footer"));
        }
        Ok(())
    }
}

fn with_views(schema: &SchemaRef) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| match field.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 => field.as_ref().clone().with_data_type(DataType::Utf8View).into(),
        _ => field.clone(),
    });
    Schema::new_with_metadata(fields.collect::<Vec<_>>(), schema.metadata().clone()).into()
}

impl Length for ParquetFile {
    fn len(&self) -> u64 {
        self.length
    }
}

impl ChunkReader for ParquetFile {
    type T = PlaceRead;

    fn get_read(&self, start: u64) -> Result<PlaceRead> {
        Ok(self.place.read_from(start)?)
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        if start.checked_add(length as u64).is_none_or(|end| end > self.length) {
            let message = format!("expected {length} bytes from byte {start} of a file of {}", self.length);
            return Err(ParquetError::EOF(message));
        }
        Ok(self.place.bytes(start, length)?)
    }
}

/// A footer in Thrift's compact protocol, looked through for the lengths of lists and texts.
struct Footer<'a> {
    rest: &'a [u8],
}

/// Types of the protocol.
const BINARY: u8 = 8;
const LIST: u8 = 9;
const STRUCT: u8 = 12;
/// The list of the schema's elements, a field of the footer.
const SCHEMA: i64 = 2;
/// The number of children, a field of such an element.
const CHILDREN: i64 = 5;

impl<'a> Footer<'a> {
    fn new(rest: &'a [u8]) -> Footer<'a> {
        Footer { rest }
    }

    /// `None` if a length leads out of the footer.
    fn check(&mut self) -> Option<()> {
        self.fields(|footer, field, kind| {
            if (field, kind) != (SCHEMA, LIST) {
                return footer.skip(kind, 0);
            }
            let (count, element) = footer.list()?;
            if element != STRUCT {
                return None;
            }
            (0..count).try_for_each(|_| {
                footer.fields(|footer, field, kind| match field {
                    CHILDREN => (footer.zigzag()?.unsigned_abs() <= count).then_some(()),
                    _ => footer.skip(kind, 1),
                })
            })
        })
    }

    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn pass(&mut self, count: u64) -> Option<()> {
        self.rest = self.rest.get(usize::try_from(count).ok()?..)?;
        Some(())
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn zigzag(&mut self) -> Option<i64> {
        let value = self.varint()?;
        Some((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    /// The number of elements of a list and their type; each takes a byte at least.
    fn list(&mut self) -> Option<(u64, u8)> {
        let header = self.byte()?;
        let count = match header >> 4 {
            15 => self.varint()?,
            count => u64::from(count),
        };
        (count <= self.rest.len() as u64).then_some((count, header & 0x0f))
    }

    /// Calls `each` with the number and the type of every field of a structure; it is to read the value.
    fn fields(&mut self, mut each: impl FnMut(&mut Self, i64, u8) -> Option<()>) -> Option<()> {
        let mut field = 0i64;
        loop {
            let header = self.byte()?;
            if header == 0 {
                return Some(());
            }
            field = match header >> 4 {
                0 => self.zigzag()?,
                step => field.checked_add(i64::from(step))?,
            };
            each(self, field, header & 0x0f)?;
        }
    }

    fn skip(&mut self, kind: u8, nested: usize) -> Option<()> {
        if nested > MOST_NESTED {
            return None;
        }
        match kind {
            // In a field the type is the value.
            1 | 2 => Some(()),
            3 => self.pass(1),
            4..=6 => self.varint().map(drop),
            7 => self.pass(8),
            BINARY => self.varint().and_then(|length| self.pass(length)),
            LIST | 10 => {
                let (count, element) = self.list()?;
                (0..count).try_for_each(|_| self.element(element, nested + 1))
            }
            11 => {
                let count = self.varint()?;
                if count == 0 {
                    return Some(());
                }
                let kinds = self.byte()?;
                (0..count).try_for_each(|_| {
                    self.element(kinds >> 4, nested + 1)?;
                    self.element(kinds & 0x0f, nested + 1)
                })
            }
            STRUCT => self.fields(|footer, _, kind| footer.skip(kind, nested + 1)),
            _ => None,
        }
    }

    fn element(&mut self, kind: u8, nested: usize) -> Option<()> {
        match kind {
            1 | 2 => self.pass(1),
            kind => self.skip(kind, nested),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_texts_and_children_beyond_the_footer_are_refused() {
        let check = |bytes: &[u8]| Footer::new(bytes).check().is_some();
        // Field 1, an integer; field 2, a list of one structure whose field 5 says one child; field 6, a text of two bytes.
        let sound = [0x15, 2, 0x19, 0x1c, 0x55, 2, 0, 0x48, 2, b'o', b'k', 0];
        assert!(check(&sound));
        for (at, forged) in [(3, 0xfc), (5, 4), (8, 100)] {
            let mut bytes = sound;
            bytes[at] = forged;
            assert!(!check(&bytes), "byte {at}");
        }
        assert!((0..sound.len()).all(|length| !check(&sound[..length])));
        assert!(!check(&[0x1c; 100]), "structures within structures");
    }
}
