//! Verbatim storage: columns unknown to the model, and numbers that no lattice cell represents.

use std::io::Read;
use std::sync::Arc;

use arrow::array::{Array, ArrayData, ArrayRef, AsArray, BooleanArray, StringArray, make_array};
use arrow::buffer::{Buffer, NullBuffer};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::manifest::{pack, unpack};
use super::restore::is_text;
use super::stored::StoredArray;

/// Compression level of zstd.
const EFFORT: i32 = 19;
/// Limit on unpacked sizes, against decompression bombs.
pub(super) const LARGEST: u64 = 1 << 28;

/// A number stored verbatim.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Exception {
    /// Its index among the numbers of the chunk.
    pub(super) place: u64,
    pub(super) value: f64,
}

/// A serialised column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct KeptColumn {
    name: String,
    cells: KeptCells,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum KeptCells {
    /// All cells are null.
    Nothing { rows: u64 },
    /// 0 missing, 1 false, 2 true.
    Flags(Vec<u8>),
    /// Concatenated texts, and for each cell its length plus one, 0 for null.
    Texts { lengths: Vec<u32>, text: String },
    /// Numbers, dates and times, by Arrow type name: the bytes of all cells, and a validity mask.
    Values { kind: String, bytes: Vec<u8>, present: Vec<u8> },
    /// Cells of any other type; since version 2.
    Stored(StoredArray),
}

impl KeptColumn {
    /// Serialises a column.
    ///
    /// # Errors
    /// A description of the type if it is not supported.
    pub(super) fn of(name: &str, array: &ArrayRef) -> Result<KeptColumn, String> {
        let cells = match array.data_type() {
            DataType::Null => KeptCells::Nothing { rows: array.len() as u64 },
            DataType::Boolean => {
                let flags = array.as_boolean().iter();
                KeptCells::Flags(flags.map(|flag| flag.map_or(0, |flag| 1 + u8::from(flag))).collect())
            }
            kind if kind.is_primitive() => {
                let data = array.to_data();
                let width = kind.primitive_width().unwrap_or(0);
                let bytes = data.buffers()[0].as_slice()[data.offset() * width..][..data.len() * width].to_vec();
                let present = (0..array.len()).map(|row| u8::from(array.is_valid(row))).collect();
                KeptCells::Values { kind: kind.to_string(), bytes, present }
            }
            kind if is_text(kind) => {
                let texts = cast(array, &DataType::Utf8).map_err(|error| error.to_string())?;
                let texts = texts.as_string::<i32>();
                let lengths = texts.iter().map(|text| text.map_or(0, |text| text.len() as u32 + 1)).collect();
                KeptCells::Texts { lengths, text: texts.iter().flatten().collect() }
            }
            _ => KeptCells::Stored(StoredArray::of(array)?),
        };
        Ok(KeptColumn { name: name.to_owned(), cells })
    }

    /// Deserialises a column of `rows` cells, with its name.
    ///
    /// # Errors
    /// A description of the problem if the column is invalid.
    pub(super) fn array(self, rows: usize) -> Result<(String, ArrayRef), String> {
        let KeptColumn { name, cells } = self;
        let wrong = || format!("the kept column `{name}` is damaged");
        let array: ArrayRef = match cells {
            KeptCells::Nothing { rows: n } if n == rows as u64 => arrow::array::new_null_array(&DataType::Null, rows),
            KeptCells::Flags(flags) if flags.len() == rows => {
                let flags = flags.into_iter().map(|flag| flag.checked_sub(1).map(|flag| flag == 1));
                Arc::new(flags.collect::<BooleanArray>())
            }
            KeptCells::Texts { lengths, text } if lengths.len() == rows => {
                let mut rest = text.as_str();
                let mut next = |length: u32| -> Option<Option<&str>> {
                    let Some(length) = length.checked_sub(1) else { return Some(None) };
                    let (cell, after) = rest.split_at_checked(length as usize)?;
                    rest = after;
                    Some(Some(cell))
                };
                let cells: Option<Vec<Option<&str>>> = lengths.into_iter().map(&mut next).collect();
                Arc::new(StringArray::from(cells.filter(|_| rest.is_empty()).ok_or_else(wrong)?))
            }
            KeptCells::Values { kind, bytes, present } if present.len() == rows => {
                let kind: DataType = kind.parse().map_err(|_| wrong())?;
                let width = kind.primitive_width().filter(|width| Some(bytes.len()) == width.checked_mul(rows));
                width.ok_or_else(wrong)?;
                let nulls = NullBuffer::from_iter(present.into_iter().map(|present| present == 1));
                let data = ArrayData::builder(kind).len(rows).add_buffer(Buffer::from_slice_ref(&bytes));
                make_array(data.nulls(Some(nulls)).align_buffers(true).build().map_err(|_| wrong())?)
            }
            KeptCells::Stored(stored) => stored.array(rows).ok_or_else(wrong)?,
            _ => return Err(wrong()),
        };
        Ok((name, array))
    }
}

/// Packs a short list; empty if the list is empty.
///
/// # Errors
/// If there are more than `limit` bytes, which could not be unpacked.
pub(super) fn values<T: Serialize>(values: &[T], limit: u64) -> Result<Vec<u8>, String> {
    if values.is_empty() {
        return Ok(Vec::new());
    }
    let bytes = pack(&values);
    if bytes.len() as u64 > limit {
        return Err(format!(
            "expected at most {limit} bytes of texts and other kept cells in a chunk, got {}",
            bytes.len()
        ));
    }
    Ok(squeeze(&bytes))
}

/// The inverse of [`values`]; at most `limit` bytes unpacked.
pub(super) fn read_values<T: DeserializeOwned>(bytes: &[u8], limit: u64, what: &str) -> Result<Vec<T>, String> {
    if bytes.is_empty() { Ok(Vec::new()) } else { unpack(&release(bytes, limit)?, what) }
}

/// Compresses by zstd.
pub(super) fn squeeze(bytes: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(bytes, EFFORT).expect("memory does not fail")
}

/// The inverse of [`squeeze`]; at most `limit` bytes.
pub(super) fn release(bytes: &[u8], limit: u64) -> Result<Vec<u8>, String> {
    let damaged = |error: std::io::Error| format!("what is kept is damaged: {error}");
    let mut released = Vec::new();
    let decoder = zstd::stream::read::Decoder::new(bytes).map_err(damaged)?;
    decoder.take(limit + 1).read_to_end(&mut released).map_err(damaged)?;
    if released.len() as u64 > limit {
        return Err(format!("expected at most {limit} bytes of kept cells, got more"));
    }
    Ok(released)
}

#[cfg(test)]
mod tests {
    use arrow::array::{Decimal128Array, Float32Array, TimestampMicrosecondArray, UInt64Array};

    use super::*;

    fn check(array: ArrayRef) {
        for (offset, length) in [(0, array.len()), (1, array.len() - 2)] {
            let part = array.slice(offset, length);
            let column = KeptColumn::of("x", &part).unwrap();
            let column: KeptColumn = unpack(&pack(&column), "a column").unwrap();
            assert!(column.clone().array(length + 1).is_err());
            let (name, back) = column.array(length).unwrap();
            assert_eq!((name.as_str(), &back), ("x", &part));
        }
    }

    #[test]
    fn columns_of_every_kind_come_back() {
        check(Arc::new(StringArray::from(vec![Some("a"), None, Some(""), Some("ü, \"b\"")])));
        check(Arc::new(BooleanArray::from(vec![Some(true), None, Some(false), Some(true)])));
        check(Arc::new(UInt64Array::from(vec![Some(u64::MAX), None, Some(1), Some(0)])));
        check(Arc::new(Float32Array::from(vec![Some(-0.0), None, Some(f32::NEG_INFINITY), Some(1e-40)])));
        let decimal = Decimal128Array::from(vec![Some(i128::MAX / 7), None, Some(-1), Some(0)]);
        check(Arc::new(decimal.with_precision_and_scale(38, 2).unwrap()));
        check(Arc::new(
            TimestampMicrosecondArray::from(vec![Some(5), None, Some(-7), Some(0)]).with_timezone("+01:00"),
        ));
        check(arrow::array::new_null_array(&DataType::Null, 4));
        check(arrow::array::new_null_array(&DataType::new_list(DataType::Int8, true), 4));
        check(arrow::array::new_null_array(&DataType::Binary, 4));
    }

    #[test]
    fn forged_columns_are_errors() {
        let text = |lengths: Vec<u32>, text: &str| KeptCells::Texts { lengths, text: text.to_owned() };
        let values = |kind: &str, bytes: usize| KeptCells::Values {
            kind: kind.into(),
            bytes: vec![7; bytes],
            present: vec![1, 1],
        };
        for cells in [
            text(vec![3, 9], "ab"),
            text(vec![2, 1], "abc"),
            text(vec![2, 3], "ü"),
            text(vec![u32::MAX, 1], ""),
            values("Int64", 15),
            values("Utf8", 16),
            values("Timestamp(", 16),
            values("List(Int8)", 16),
            values("", 16),
            KeptCells::Flags(vec![1]),
        ] {
            assert!(KeptColumn { name: "x".into(), cells: cells.clone() }.array(2).is_err(), "{cells:?}");
        }
        assert!(release(&squeeze(&vec![0; 1 << 20]), 1000).is_err());
    }
}
