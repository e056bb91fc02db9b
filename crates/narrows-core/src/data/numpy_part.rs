//! One NumPy array in a file, of which rows are read as columns.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, PrimitiveArray};
use arrow::datatypes::{
    DataType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type,
    UInt64Type,
};
use narrows_images::NumpyHeader;

use crate::error::{Error, Place, Result};

/// An array of one or two dimensions; one dimension is one column.
pub(super) struct ArrayPart {
    file: File,
    /// Where the values begin.
    start: u64,
    pub(super) kind: ElementKind,
    is_big_endian: bool,
    is_fortran: bool,
    pub(super) shape: Vec<usize>,
    pub(super) rows: usize,
    pub(super) columns: usize,
}

/// The type of an array's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ElementKind {
    F64,
    F32,
    I64,
    I32,
    I16,
    I8,
    U64,
    U32,
    U16,
    U8,
    Flag,
}

impl ElementKind {
    const ALL: [(ElementKind, &'static str, usize, DataType); 11] = [
        (ElementKind::F64, "f8", 8, DataType::Float64),
        (ElementKind::F32, "f4", 4, DataType::Float32),
        (ElementKind::I64, "i8", 8, DataType::Int64),
        (ElementKind::I32, "i4", 4, DataType::Int32),
        (ElementKind::I16, "i2", 2, DataType::Int16),
        (ElementKind::I8, "i1", 1, DataType::Int8),
        (ElementKind::U64, "u8", 8, DataType::UInt64),
        (ElementKind::U32, "u4", 4, DataType::UInt32),
        (ElementKind::U16, "u2", 2, DataType::UInt16),
        (ElementKind::U8, "u1", 1, DataType::UInt8),
        (ElementKind::Flag, "b1", 1, DataType::Boolean),
    ];

    fn of(name: &str) -> Option<ElementKind> {
        ElementKind::ALL.iter().find(|(_, known, ..)| *known == name).map(|(kind, ..)| *kind)
    }

    fn described(self) -> &'static (ElementKind, &'static str, usize, DataType) {
        const { &ElementKind::ALL }.iter().find(|(kind, ..)| *kind == self).expect("every kind is in the list")
    }

    fn bytes(self) -> usize {
        self.described().2
    }

    pub(super) fn data_type(self) -> DataType {
        self.described().3.clone()
    }
}

impl ArrayPart {
    /// The array that begins at byte `start` of a file and is `length` bytes long, header and all.
    pub(super) fn open(mut file: File, start: u64, length: u64, source: &str, what: &str) -> Result<ArrayPart> {
        let wrong = |message: String| Error::data(Place::source(source), format!("{what}: {message}"));
        file.seek(SeekFrom::Start(start)).map_err(|error| Error::read(source, error))?;
        let header =
            NumpyHeader::read(&mut (&file).take(length)).map_err(|message| wrong(message.replace("numpy", "NumPy")))?;
        let NumpyHeader { descriptor, is_fortran, shape, length: header } = header;
        let kind = descriptor.trim_matches('\'').split_at_checked(1).filter(|(end, _)| "<>|=".contains(end));
        let Some((end, kind)) = kind.and_then(|(end, name)| Some((end, ElementKind::of(name)?))) else {
            let error = wrong(format!("expected numbers or booleans, got the type {descriptor}"));
            return Err(match descriptor.contains('O') {
                true => error.with_hint("an array of Python objects: convert it first, X.astype(float)"),
                false => error.with_hint("convert it first: X.astype(float)"),
            });
        };
        let (rows, columns) = match shape[..] {
            [rows] => (rows, 1),
            [rows, columns] => (rows, columns),
            _ => {
                let message = format!("expected a table, an array of 1 or 2 dimensions, got the shape {shape:?}");
                return Err(Error::data(Place::source(source), message));
            }
        };
        // As many values as the shape says must be there: neither more nor fewer.
        let expected = rows.checked_mul(columns).and_then(|cells| cells.checked_mul(kind.bytes()));
        let got = length.saturating_sub(header);
        if expected.is_none_or(|expected| expected as u64 != got) {
            let expected = expected.map_or_else(|| "more than 2^64".to_owned(), |expected| expected.to_string());
            let message =
                format!("expected a whole NumPy array, {expected} bytes of values for the shape {shape:?}, got {got}");
            return Err(wrong(message));
        }
        let is_big_endian = end == ">";
        Ok(ArrayPart { file, start: start + header, kind, is_big_endian, is_fortran, shape, rows, columns })
    }

    /// Bytes of one row in the file.
    pub(super) fn row_bytes(&self) -> usize {
        self.columns * self.kind.bytes()
    }

    /// The columns of these rows.
    pub(super) fn rows(&mut self, rows: Range<usize>) -> io::Result<Vec<ArrayRef>> {
        let (n, bytes) = (rows.len(), self.kind.bytes());
        if !self.is_fortran {
            let raw = self.read(rows.start * self.row_bytes(), n * self.row_bytes())?;
            return Ok((0..self.columns).map(|column| self.column(&raw, column, self.columns)).collect());
        }
        let column = |column: usize| {
            let raw = self.read((column * self.rows + rows.start) * bytes, n * bytes)?;
            Ok(self.column(&raw, 0, 1))
        };
        (0..self.columns).map(column).collect()
    }

    fn read(&self, at: usize, count: usize) -> io::Result<Vec<u8>> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(self.start + at as u64))?;
        let mut raw = vec![0; count];
        file.read_exact(&mut raw)?;
        Ok(raw)
    }

    /// Every `stride`th value from the `first` on.
    fn column(&self, raw: &[u8], first: usize, stride: usize) -> ArrayRef {
        macro_rules! numbers {
            ($arrow:ty) => {{
                type Native = <$arrow as arrow::datatypes::ArrowPrimitiveType>::Native;
                let of = if self.is_big_endian { Native::from_be_bytes } else { Native::from_le_bytes };
                let values = raw.as_chunks().0.iter().skip(first).step_by(stride).map(|bytes| of(*bytes));
                Arc::new(PrimitiveArray::<$arrow>::from_iter_values(values))
            }};
        }
        match self.kind {
            ElementKind::F64 => numbers!(Float64Type),
            ElementKind::F32 => numbers!(Float32Type),
            ElementKind::I64 => numbers!(Int64Type),
            ElementKind::I32 => numbers!(Int32Type),
            ElementKind::I16 => numbers!(Int16Type),
            ElementKind::I8 => numbers!(Int8Type),
            ElementKind::U64 => numbers!(UInt64Type),
            ElementKind::U32 => numbers!(UInt32Type),
            ElementKind::U16 => numbers!(UInt16Type),
            ElementKind::U8 => numbers!(UInt8Type),
            ElementKind::Flag => {
                let flags: Vec<bool> = raw.iter().skip(first).step_by(stride).map(|byte| *byte != 0).collect();
                Arc::new(BooleanArray::from(flags))
            }
        }
    }
}
