//! NumPy arrays: `.npy`, and `.npz` with `X` and optionally `y`, as used by anomaly detection benchmarks.
//!
//! Arrays are read whole in their own type and split into batches afterwards; C and Fortran order and both byte orders
//! give the same result.

use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, PrimitiveArray, RecordBatch};
use arrow::datatypes::{
    DataType, Field, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, Schema as ArrowSchema,
    SchemaRef, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use ndarray::{Array2, ArrayD, Axis, IxDyn};
use ndarray_npy::{NpzReader, ReadNpyError, ReadNpyExt, ReadNpzError, ReadableElement};

use super::input::{Input, seekable};
use super::reader::{Batches, Opening};
use super::schema::listed;
use crate::error::{Error, Place, Result};

/// Arrays in memory, returned in batches.
pub(crate) struct Numpy {
    parts: Vec<ArrayPart>,
    schema: SchemaRef,
    notes: Vec<String>,
    batch_rows: usize,
    rows: usize,
    next: usize,
}

/// One array: its columns' Arrow type, its shape, and a function to slice a column.
struct ArrayPart {
    kind: DataType,
    shape: Vec<usize>,
    rows: usize,
    columns: usize,
    cut: Box<dyn Fn(usize, Range<usize>) -> ArrayRef + Send>,
}

impl Numpy {
    /// Opens an array of one or two dimensions.
    pub(crate) fn npy(path: &Path, input: Input, opening: &Opening) -> Result<Numpy> {
        let mut file = BufReader::new(seekable(path, input)?);
        let rewound = |error: std::io::Error| Error::read(path, error);
        let part = first_that_fits(&mut |read: &ReadAs| {
            file.rewind().map_err(|error| ReadNpzError::Npy(ReadNpyError::Io(error)))?;
            read.npy(&mut file)
        });
        let part = part.map_err(|error| match error {
            ReadNpzError::Npy(ReadNpyError::Io(error)) if error.kind() != std::io::ErrorKind::UnexpectedEof => {
                rewound(error)
            }
            error => refused(&opening.name, "the array", &error),
        })?;
        Numpy::new(part, None, Vec::new(), opening)
    }

    /// Opens an archive: `X` and, if present, `y`; or its only array.
    pub(crate) fn npz(path: &Path, input: Input, opening: &Opening) -> Result<Numpy> {
        let whole = |error: ReadNpzError| {
            let message = format!("expected a whole NumPy archive, got an error: {error}");
            Error::data(Place::source(&opening.name), message)
        };
        let mut archive = NpzReader::new(BufReader::new(seekable(path, input)?)).map_err(whole)?;
        let names = archive.names().map_err(whole)?;
        let main = match names.as_slice() {
            names if names.iter().any(|name| name == "X") => "X".to_owned(),
            [only] => only.clone(),
            _ => {
                let message = format!("expected an array `X`, got {}", listed(&names));
                return Err(Error::data(Place::source(&opening.name), message));
            }
        };
        let mut read = |name: &str| {
            first_that_fits(&mut |read: &ReadAs| read.npz(&mut archive, name))
                .map_err(|error| refused(&opening.name, &format!("array `{name}`"), &error))
        };
        let x = read(&main)?;
        let y = if main != "y" && names.iter().any(|name| name == "y") { Some(read("y")?) } else { None };
        let passed: Vec<&String> = names.iter().filter(|name| **name != main && *name != "y").collect();
        let note = || format!("{}: arrays {} are not read", opening.name, listed(&passed));
        let notes = if passed.is_empty() { Vec::new() } else { vec![note()] };
        Numpy::new(x, y, notes, opening)
    }

    fn new(x: ArrayPart, y: Option<ArrayPart>, notes: Vec<String>, opening: &Opening) -> Result<Numpy> {
        let wrong = |message: String| Err(Error::data(Place::source(&opening.name), message));
        if x.shape.is_empty() || x.shape.len() > 2 {
            return wrong(format!("expected a table, an array of 1 or 2 dimensions, got the shape {:?}", x.shape));
        }
        let mut fields: Vec<Field> =
            (0..x.columns).map(|i| Field::new(format!("x{i}"), x.kind.clone(), true)).collect();
        let rows = x.rows;
        let mut parts = vec![x];
        if let Some(y) = y {
            if y.rows != rows || y.columns != 1 {
                return wrong(format!(
                    "expected `y` of one value for each of the {rows} rows of `X`, got the shape {:?}",
                    y.shape
                ));
            }
            fields.push(Field::new("y", y.kind.clone(), true));
            parts.push(y);
        }
        let schema = Arc::new(ArrowSchema::new(fields));
        Ok(Numpy { parts, schema, notes, batch_rows: opening.batch_rows.max(1), rows, next: 0 })
    }
}

impl Batches for Numpy {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn notes(&self) -> &[String] {
        &self.notes
    }

    fn next_batch(&mut self) -> Option<Result<RecordBatch>> {
        let range = self.next..(self.next + self.batch_rows).min(self.rows);
        if range.is_empty() {
            return None;
        }
        self.next = range.end;
        let cut = |part: &ArrayPart| (0..part.columns).map(|i| (part.cut)(i, range.clone())).collect::<Vec<_>>();
        let arrays = self.parts.iter().flat_map(cut).collect();
        let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(range.len()));
        Some(Ok(
            RecordBatch::try_new_with_options(self.schema.clone(), arrays, &options).expect("columns of equal length")
        ))
    }
}

/// An element type to try: how to read an array of it.
struct ReadAs {
    npy: fn(&mut BufReader<File>) -> Result<ArrayPart, ReadNpyError>,
    npz: fn(&mut NpzReader<BufReader<File>>, &str) -> Result<ArrayPart, ReadNpzError>,
}

impl ReadAs {
    fn npy(&self, file: &mut BufReader<File>) -> Result<ArrayPart, ReadNpzError> {
        (self.npy)(file).map_err(ReadNpzError::Npy)
    }

    fn npz(&self, archive: &mut NpzReader<BufReader<File>>, name: &str) -> Result<ArrayPart, ReadNpzError> {
        (self.npz)(archive, name)
    }
}

macro_rules! read_as {
    ($($element:ty => $arrow:ty),*) => {
        [$(ReadAs {
            npy: |file| Ok(ArrayPart::numbers::<$arrow>(read::<$element, _>(file)?)),
            npz: |archive, name| Ok(ArrayPart::numbers::<$arrow>(archive.by_name(name)?)),
        },)*
        ReadAs {
            npy: |file| Ok(ArrayPart::flags(read::<bool, _>(file)?)),
            npz: |archive, name| Ok(ArrayPart::flags(archive.by_name(name)?)),
        }]
    };
}

/// Tries element types until one matches: the library reports the type only by rejecting others.
fn first_that_fits(
    attempt: &mut dyn FnMut(&ReadAs) -> Result<ArrayPart, ReadNpzError>,
) -> Result<ArrayPart, ReadNpzError> {
    let types = read_as!(
        f64 => Float64Type, f32 => Float32Type, i64 => Int64Type, i32 => Int32Type, i16 => Int16Type, i8 => Int8Type,
        u64 => UInt64Type, u32 => UInt32Type, u16 => UInt16Type, u8 => UInt8Type
    );
    let mut last = None;
    for read in &types {
        match attempt(read) {
            Err(error @ ReadNpzError::Npy(ReadNpyError::WrongDescriptor(_))) => last = Some(error),
            result => return result,
        }
    }
    Err(last.expect("at least one type was tried"))
}

fn read<T: ReadableElement, R: Read>(reader: R) -> Result<ArrayD<T>, ReadNpyError> {
    ArrayD::<T>::read_npy(reader)
}

impl ArrayPart {
    fn numbers<T: arrow::datatypes::ArrowPrimitiveType<Native: Send>>(array: ArrayD<T::Native>) -> ArrayPart {
        ArrayPart::over(array, T::DATA_TYPE, |cells| Arc::new(PrimitiveArray::<T>::from_iter_values(cells)))
    }

    fn flags(array: ArrayD<bool>) -> ArrayPart {
        ArrayPart::over(array, DataType::Boolean, |cells| Arc::new(cells.map(Some).collect::<BooleanArray>()))
    }

    fn over<T: Copy + Send + 'static>(
        array: ArrayD<T>,
        kind: DataType,
        build: fn(&mut dyn Iterator<Item = T>) -> ArrayRef,
    ) -> ArrayPart {
        let shape = array.shape().to_vec();
        let rows = shape.first().copied().unwrap_or(0);
        // One dimension is one column; more than two are rejected later by shape.
        let columns = if shape.len() == 2 { shape[1] } else { 1 };
        let table = match shape.len() {
            1 => array.insert_axis(Axis(1)),
            2 => array,
            _ => ArrayD::from_shape_vec(IxDyn(&[0, 0]), Vec::new()).expect("an array of no cells"),
        };
        let flat: Array2<T> = table.into_dimensionality().expect("two dimensions");
        let cut = move |i: usize, rows: Range<usize>| {
            let column = flat.column(i);
            build(&mut rows.map(|row| column[row]))
        };
        ArrayPart { kind, shape, rows, columns, cut: Box::new(cut) }
    }
}

fn refused(source: &str, what: &str, error: &ReadNpzError) -> Error {
    let place = Place::source(source);
    match error {
        ReadNpzError::Npy(ReadNpyError::WrongDescriptor(got)) => {
            let got = got.to_string();
            let error = Error::data(place, format!("{what}: expected numbers or booleans, got the type {got}"));
            match got.contains('O') {
                true => error.with_hint("an array of Python objects: convert it first, X.astype(float)"),
                false => error.with_hint("convert it first: X.astype(float)"),
            }
        }
        ReadNpzError::Npy(ReadNpyError::ParseHeader(_)) => {
            Error::data(place, format!("{what}: expected a NumPy array, got {error}"))
        }
        _ => Error::data(place, format!("{what}: expected a whole NumPy array, got an error: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array1, ShapeBuilder, array};
    use ndarray_npy::{NpzWriter, WriteNpyExt};

    use super::*;
    use crate::data::form::Form;
    use crate::data::{Source, Table};

    fn read(bytes: &[u8], name: &str) -> Result<Table> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        Source::parse(&[path.display().to_string()])?.open(2, None)?.read_all()
    }

    fn numbers(table: &Table, name: &str) -> Vec<f64> {
        match Form::of(table.column(name).unwrap(), &Place::default()).unwrap() {
            Form::Numbers(array) => array.values().to_vec(),
            other => panic!("expected numbers, got {}", other.describe()),
        }
    }

    fn npy<A: WriteNpyExt>(array: &A) -> Vec<u8> {
        let mut bytes = Vec::new();
        array.write_npy(&mut bytes).unwrap();
        bytes
    }

    fn npz(write: impl FnOnce(&mut NpzWriter<std::io::Cursor<Vec<u8>>>)) -> Vec<u8> {
        let mut writer = NpzWriter::new_compressed(std::io::Cursor::new(Vec::new()));
        write(&mut writer);
        writer.finish().unwrap().into_inner()
    }

    /// An array file with a header of our own choice.
    fn raw(descr: &str, shape: &str, data: &[u8]) -> Vec<u8> {
        let mut header = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}");
        header.push_str(&" ".repeat(117 - header.len()));
        header.push('\n');
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(data);
        bytes
    }

    #[test]
    fn one_and_two_dimensions_in_either_order_come_alike() {
        let c = array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]];
        let fortran = Array2::from_shape_vec((3, 2).f(), vec![1.0, 3.0, 5.0, 2.0, 4.0, 6.0]).unwrap();
        for bytes in [npy(&c), npy(&fortran)] {
            let table = read(&bytes, "t.npy").unwrap();
            assert_eq!((table.names(), numbers(&table, "x1")), (vec!["x0", "x1"], vec![2.0, 4.0, 6.0]));
        }
        assert_eq!(numbers(&read(&npy(&array![7u8, 8]), "t.npy").unwrap(), "x0"), [7.0, 8.0]);
        let big_endian = raw("'>i2'", "(2,)", &[0, 1, 1, 0]);
        assert_eq!(numbers(&read(&big_endian, "t.npy").unwrap(), "x0"), [1.0, 256.0]);
    }

    #[test]
    fn an_archive_gives_x_and_y() {
        let bytes = npz(|writer| {
            writer.add_array("X", &array![[1.0f32, 2.0], [3.0, 4.0]]).unwrap();
            writer.add_array("y", &array![0i64, 1]).unwrap();
            writer.add_array("split", &array![true, false]).unwrap();
        });
        let table = read(&bytes, "t.npz").unwrap();
        assert_eq!((table.names(), numbers(&table, "y")), (vec!["x0", "x1", "y"], vec![0.0, 1.0]));
        let only = npz(|writer| writer.add_array("data", &array![[true], [false]]).unwrap());
        assert_eq!(read(&only, "t.npz").unwrap().batch().column(0).data_type(), &DataType::Boolean);
    }

    #[test]
    fn arrays_that_are_no_tables_are_refused() {
        let check = |bytes: &[u8], name: &str, expected: &str| {
            let error = read(bytes, name).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        check(
            &raw("'|O'", "(2,)", b"xx"),
            "t.npy",
            "t.npy: the array: expected numbers or booleans, got the type '|O'",
        );
        check(&npy(&ndarray::Array3::<f64>::zeros((1, 2, 3))), "t.npy", "got the shape [1, 2, 3]");
        check(&raw("'<f8'", "(2,)", b"short"), "t.npy", "expected a whole NumPy array");
        check(b"\x93NUMPY\x01\x00", "t.npy", "t.npy");
        check(b"PK\x03\x04", "t.npz", "expected a whole NumPy archive");
        let uneven = npz(|writer| {
            writer.add_array("X", &array![[1.0]]).unwrap();
            writer.add_array("y", &Array1::<f64>::zeros(3)).unwrap();
        });
        check(&uneven, "t.npz", "expected `y` of one value for each of the 1 rows of `X`, got the shape [3]");
        let none = npz(|writer| {
            writer.add_array("a", &array![1.0]).unwrap();
            writer.add_array("b", &array![1.0]).unwrap();
        });
        check(&none, "t.npz", "expected an array `X`, got `a`, `b`");
    }
}
