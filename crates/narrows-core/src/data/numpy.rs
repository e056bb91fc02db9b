//! NumPy arrays: `.npy`, and `.npz` with `X` and optionally `y`, as used by anomaly detection benchmarks.
//!
//! Arrays are read in batches from the file, never whole; of an archive, compressed arrays are first unfolded to temporary
//! files. C and Fortran order and both byte orders give the same result.

use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Field, Schema as ArrowSchema, SchemaRef};
use zip::{CompressionMethod, ZipArchive};

use super::input::{Input, copied, seekable};
use super::limits::{BATCH_BYTES, check_columns};
use super::numpy_part::ArrayPart;
use super::reader::{Batches, Opening};
use super::schema::listed;
use crate::error::{Error, Place, Result};

/// Arrays in files, returned in batches.
pub(crate) struct Numpy {
    parts: Vec<ArrayPart>,
    schema: SchemaRef,
    notes: Vec<String>,
    name: String,
    batch_rows: usize,
    rows: usize,
    next: usize,
}

impl Numpy {
    /// Opens an array of one or two dimensions.
    pub(crate) fn npy(path: &Path, input: Input, opening: &Opening) -> Result<Numpy> {
        let file = seekable(path, input, &opening.source.limits)?;
        let length = file.metadata().map_err(|error| Error::read(path, error))?.len();
        let part = ArrayPart::open(file, 0, length, &opening.name, "the array")?;
        Numpy::new(part, None, Vec::new(), opening)
    }

    /// Opens an archive: `X` and, if present, `y`; or its only array.
    pub(crate) fn npz(path: &Path, input: Input, opening: &Opening) -> Result<Numpy> {
        let place = || Place::source(&opening.name);
        let whole = |error: &dyn std::fmt::Display| {
            Error::data(place(), format!("expected a whole NumPy archive, got an error: {error}"))
        };
        let file = seekable(path, input, &opening.source.limits)?;
        let packed = file.metadata().map_err(|error| Error::read(path, error))?.len();
        let shared = file.try_clone().map_err(|error| Error::read(path, error))?;
        let mut archive = narrows_images::guarded(|| ZipArchive::new(BufReader::new(file)))
            .map_err(|panic| whole(&panic))?
            .map_err(|error| whole(&error))?;
        let entries: Vec<String> = archive.file_names().map(str::to_owned).collect();
        let names: Vec<&str> = entries.iter().map(|name| name.strip_suffix(".npy").unwrap_or(name)).collect();
        let main = match names.as_slice() {
            names if names.contains(&"X") => "X",
            [only] => only,
            _ => return Err(Error::data(place(), format!("expected an array `X`, got {}", listed(&names)))),
        };
        let mut room = opening.source.limits.unfolded(packed);
        let mut read = |name: &str| {
            let at = names.iter().position(|other| *other == name).expect("a name in the list");
            let mut entry = archive.by_name(&entries[at]).map_err(|error| whole(&error))?;
            let what = format!("array `{name}`");
            let stored = (entry.compression() == CompressionMethod::Stored).then(|| entry.data_start());
            let broken =
                |error| Error::data(place(), format!("{what}: expected a whole NumPy array, got an error: {error}"));
            if let Some(start) = stored {
                // What is read here counts for its checksum only: the values are read in batches later.
                let length = std::io::copy(&mut entry, &mut std::io::sink()).map_err(broken)?;
                drop(entry);
                let file = shared.try_clone().map_err(|error| Error::read(path, error))?;
                return ArrayPart::open(file, start, length, &opening.name, &what);
            }
            let (file, length) = copied(&mut entry, room).map_err(broken)?;
            let file = file.ok_or_else(|| opening.source.limits.bomb(&opening.name, packed))?;
            room -= length;
            ArrayPart::open(file, 0, length, &opening.name, &what)
        };
        let x = read(main)?;
        let y = if main != "y" && names.contains(&"y") { Some(read("y")?) } else { None };
        let passed: Vec<&&str> = names.iter().filter(|name| **name != main && **name != "y").collect();
        let note = || format!("{}: arrays {} are not read", opening.name, listed(&passed));
        let notes = if passed.is_empty() { Vec::new() } else { vec![note()] };
        Numpy::new(x, y, notes, opening)
    }

    fn new(x: ArrayPart, y: Option<ArrayPart>, notes: Vec<String>, opening: &Opening) -> Result<Numpy> {
        let wrong = |message: String| Err(Error::data(Place::source(&opening.name), message));
        if x.columns == 0 {
            return wrong(format!("expected at least one column, got the shape {:?}", x.shape));
        }
        check_columns(&opening.name, x.columns)?;
        let mut fields: Vec<Field> =
            (0..x.columns).map(|i| Field::new(format!("x{i}"), x.kind.data_type(), true)).collect();
        let rows = x.rows;
        // At least one row, at most what is asked for, and no more bytes than a batch may have.
        let batch_rows = (BATCH_BYTES / x.row_bytes().max(1)).min(opening.batch_rows).max(1);
        let mut parts = vec![x];
        if let Some(y) = y {
            if y.rows != rows || y.columns != 1 {
                return wrong(format!(
                    "expected `y` of one value for each of the {rows} rows of `X`, got the shape {:?}",
                    y.shape
                ));
            }
            fields.push(Field::new("y", y.kind.data_type(), true));
            parts.push(y);
        }
        let (schema, name) = (Arc::new(ArrowSchema::new(fields)), opening.name.clone());
        Ok(Numpy { parts, schema, notes, name, batch_rows, rows, next: 0 })
    }

    fn fill(&mut self) -> Result<Option<RecordBatch>> {
        let range = self.next..self.next.saturating_add(self.batch_rows).min(self.rows);
        if range.is_empty() {
            return Ok(None);
        }
        self.next = range.end;
        let mut arrays = Vec::with_capacity(self.schema.fields().len());
        for part in &mut self.parts {
            arrays.extend(part.rows(range.clone()).map_err(|error| Error::read(&self.name, error))?);
        }
        Ok(Some(RecordBatch::try_new(self.schema.clone(), arrays).expect("columns of equal length")))
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
        self.fill().transpose()
    }
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::DataType;
    use ndarray::{Array1, Array2, ShapeBuilder, array};
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
    fn arrays_without_compression_are_read_in_place_and_damage_is_noticed() {
        let mut writer = NpzWriter::new(std::io::Cursor::new(Vec::new()));
        writer.add_array("X", &array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]).unwrap();
        writer.add_array("y", &array![7u16, 8, 9]).unwrap();
        let mut bytes = writer.finish().unwrap().into_inner();
        let table = read(&bytes, "t.npz").unwrap();
        assert_eq!((numbers(&table, "x1"), numbers(&table, "y")), (vec![2.0, 4.0, 6.0], vec![7.0, 8.0, 9.0]));
        let at = bytes.windows(8).position(|window| window == 6f64.to_le_bytes()).unwrap();
        bytes[at + 7] ^= 1;
        let error = read(&bytes, "t.npz").unwrap_err().to_string();
        assert!(error.contains("array `X`: expected a whole NumPy array, got an error: Invalid checksum"), "{error}");
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
        check(b"\x93NUMPY\x01\x00", "t.npy", "t.npy: the array: expected 2 bytes of a NumPy header, got 0");
        check(&raw("'<f8'", "(100000000000000,)", b""), "t.npy", "800000000000000 bytes of values for the shape");
        check(&raw("'<f8'", "(1000000000000, 0)", b""), "t.npy", "expected at least one column, got the shape");
        check(&raw("'<f8'", "(0, 1000000000000)", b""), "t.npy", "expected at most 1048576 columns, got 1000000000000");
        check(&raw("'<f8'", "(18446744073709551615, 2)", b""), "t.npy", "more than 2^64 bytes of values");
        check(b"PK\x03\x04", "t.npz", "expected a whole NumPy archive");
        let uneven = npz(|writer| {
            writer.add_array("X", &array![[1.0]]).unwrap();
            writer.add_array("y", &Array1::<f64>::zeros(3)).unwrap();
        });
        check(&uneven, "t.npz", "expected `y` of one value for each of the 1 rows of `X`, got the shape [3]");
        let huge = npz(|writer| writer.add_array("X", &Array2::<f64>::zeros((1 << 20, 40))).unwrap());
        check(&huge, "t.npz", "expected at most 268435456 bytes once unfolded, from an input of");
        let none = npz(|writer| {
            writer.add_array("a", &array![1.0]).unwrap();
            writer.add_array("b", &array![1.0]).unwrap();
        });
        check(&none, "t.npz", "expected an array `X`, got `a`, `b`");
    }
}
