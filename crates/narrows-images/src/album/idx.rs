//! IDX, the format of MNIST (<https://yann.lecun.com/exdb/mnist>): two zeros, the type, the number of dimensions, each of
//! them in four big-endian bytes, then the values.

use super::array::{Array, Shape, Source};
use crate::compact::Values;
use crate::{Limits, Result};

/// The type code of unsigned bytes, the only one supported.
const BYTES: u8 = 0x08;

/// Reads an array of images.
pub(super) fn read(source: &mut Source, limits: &Limits) -> Result<Array> {
    let magic = source.bytes(4, "an idx header")?;
    if magic[2] != BYTES {
        return Err(
            source.refused(format!("expected an idx file of unsigned bytes (0x08), got the type {:#04x}", magic[2]))
        );
    }
    let header = source.bytes(4 * u64::from(magic[3]), "an idx header")?;
    let (dimensions, _) = header.as_chunks::<4>();
    let shape: Vec<usize> = dimensions.iter().map(|&n| u32::from_be_bytes(n) as usize).collect();
    let shape = Shape::new(&shape, 1, &source.place, limits)?;
    let values = source.bytes((shape.count * shape.values()) as u64, "images")?;
    Ok(Array::new(shape, Values::Bytes(values), &source.place))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use crate::{Album, Channels, Limits, Result};

    fn idx(kind: u8, shape: &[u32], values: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0, 0, kind, shape.len() as u8];
        bytes.extend(shape.iter().flat_map(|n| n.to_be_bytes()));
        bytes.extend(values);
        bytes
    }

    fn open(bytes: &[u8], name: &str) -> Result<Album> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        Album::open(&path, &Limits::default())
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn check_refused(bytes: &[u8], expected: &str) {
        for (bytes, name) in [(bytes.to_vec(), "a-idx3-ubyte"), (gzip(bytes), "a-idx3-ubyte.gz")] {
            let error = open(&bytes, name).unwrap_err().to_string();
            assert!(error.starts_with(name) && error.contains(expected), "{error}");
        }
    }

    #[test]
    fn plain_and_gzipped_read_alike() {
        let bytes = idx(8, &[2, 2, 3], &[0, 51, 102, 153, 204, 255, 255, 204, 153, 102, 51, 0]);
        for (bytes, name) in [(bytes.clone(), "digits-idx3-ubyte"), (gzip(&bytes), "digits-idx3-ubyte.gz")] {
            let album = open(&bytes, name).unwrap().check().unwrap();
            assert_eq!((album.len(), album.size(1), album.name(1)), (2, (2, 3, Channels::Grey), format!("{name}#1")));
            assert_eq!(album.image(1).unwrap().pixels, [1.0, 0.8, 0.6, 0.4, 0.2, 0.0]);
            assert_eq!((album.folder(0), album.photo(0).unwrap().alpha), (None, None));
        }
        let colour = open(&idx(8, &[1, 1, 1, 3], &[0, 0, 255]), "a").unwrap();
        assert_eq!(colour.image(0).unwrap().pixels, [0.0, 0.0, 1.0]);
    }

    #[test]
    fn what_the_header_promises_must_be_there() {
        check_refused(&idx(8, &[60_000, 28, 28], &[0; 100]), "expected 47040000 bytes of images, got 100");
        check_refused(&idx(8, &[u32::MAX, 30_000, 4_000], &[0]), "bytes in memory, got 515396075400000000");
        check_refused(&idx(8, &[u32::MAX; 3], &[0]), "expected at most 32768 pixels a side");
        check_refused(&idx(8, &[u32::MAX; 4], &[0]), "or [n, height, width, 1 or 3], got");
        check_refused(&idx(8, &[0, 28, 28], &[]), "expected at least one image");
        check_refused(&idx(8, &[10], &[0; 10]), "expected an array of images");
        check_refused(&idx(0x0d, &[1, 1, 1], &[0; 4]), "of unsigned bytes (0x08), got the type 0x0d");
        check_refused(&[0, 0, 8, 3, 0], "expected 12 bytes of an idx header, got 1");
        let error = open(&gzip(b"neither"), "a.gz").unwrap_err().to_string();
        assert!(error.contains("expected an idx or a numpy array in the gzip file"), "{error}");
    }
}
