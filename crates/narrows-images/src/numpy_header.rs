//! The header of a NumPy array. `ndarray-npy` parses it, after its length and nesting are checked: that crate allocates
//! what the length says, and its parser recurses at every bracket.

use std::io::{Cursor, Read};

use ndarray_npy::npy::header::{Header, Layout};

/// Maximum length of a header; a plain array of four dimensions has about 128 bytes.
const MOST_BYTES: usize = 4 * 1024;
/// Maximum number of brackets; a plain array has two.
const MOST_BRACKETS: usize = 8;

/// What a header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumpyHeader {
    /// The type of the values as the header has it, such as `'<f8'`.
    pub descriptor: String,
    /// Whether the first index changes fastest.
    pub is_fortran: bool,
    /// The size of each dimension; nothing says that as many values follow.
    pub shape: Vec<usize>,
    /// Number of bytes of the header: the values follow.
    pub length: u64,
}

impl NumpyHeader {
    /// Reads the header at the beginning of an array file.
    ///
    /// # Errors
    /// What was expected and what was got.
    pub fn read(source: &mut dyn Read) -> Result<NumpyHeader, String> {
        let mut bytes = taken(source, 8)?;
        let width = if bytes[6] == 1 { 2 } else { 4 };
        let length = taken(source, width)?;
        let count = length.iter().rev().fold(0, |count, &byte| count << 8 | usize::from(byte));
        bytes.extend(length);
        if count > MOST_BYTES {
            return Err(format!("expected a numpy array, got a header of {count} bytes"));
        }
        let text = taken(source, count)?;
        if text.iter().filter(|byte| b"([{".contains(byte)).count() > MOST_BRACKETS {
            return Err("expected a numpy array, got a header of nested types".to_owned());
        }
        bytes.extend(text);
        let length = bytes.len() as u64;
        let header = crate::guarded(|| Header::from_reader(&mut Cursor::new(bytes)).map_err(|error| error.to_string()));
        let header = header.flatten().map_err(|error| format!("expected a numpy array, got an error: {error}"))?;
        let is_fortran = matches!(header.layout, Layout::Fortran);
        Ok(NumpyHeader { descriptor: header.type_descriptor.to_string(), is_fortran, shape: header.shape, length })
    }
}

fn taken(source: &mut dyn Read, count: usize) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = source.take(count as u64).read_to_end(&mut bytes);
    read.map_err(|error| format!("expected {count} bytes of a numpy header, got an error: {error}"))?;
    if bytes.len() < count {
        return Err(format!("expected {count} bytes of a numpy header, got {}", bytes.len()));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(header: &[u8]) -> Result<NumpyHeader, String> {
        NumpyHeader::read(&mut &*header)
    }

    #[test]
    fn a_header_says_type_order_and_shape() {
        let text = b"{'descr': '>i2', 'fortran_order': True, 'shape': (3, 2), }                    \n";
        let bytes = [b"\x93NUMPY\x01\x00", (text.len() as u16).to_le_bytes().as_slice(), text, b"values"].concat();
        let length = (bytes.len() - 6) as u64;
        let expected = NumpyHeader { descriptor: "'>i2'".to_owned(), is_fortran: true, shape: vec![3, 2], length };
        assert_eq!(read(&bytes), Ok(expected));
    }

    #[test]
    fn long_nested_and_short_headers_are_refused() {
        let check = |bytes: &[u8], expected: &str| assert_eq!(read(bytes).unwrap_err(), expected);
        check(b"\x93NUMPY\x02\x00\xff\xff\xff\xff{}", "expected a numpy array, got a header of 4294967295 bytes");
        check(b"\x93NUMPY\x01\x00", "expected 2 bytes of a numpy header, got 0");
        check(b"\x93NUMPY\x01\x00\x0a\x00[[[[[[[[[[", "expected a numpy array, got a header of nested types");
        assert!(read(b"\x93NUMPY\x01\x00\x02\x00{}").unwrap_err().starts_with("expected a numpy array, got an error"));
    }
}
