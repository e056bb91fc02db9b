//! Where the bytes of a Parquet file come from: a file on disk, or ranges of a stored object.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::sync::Arc;

use bytes::Bytes;

use super::parquet_object::ParquetObject;
use super::storage::StoredObject;

/// A file or an object.
pub(super) enum ParquetPlace {
    File(File, u64),
    Object(Arc<ParquetObject>),
}

impl ParquetPlace {
    pub(super) fn of_file(file: File) -> io::Result<ParquetPlace> {
        let length = file.metadata()?.len();
        Ok(ParquetPlace::File(file, length))
    }

    pub(super) fn of_object(object: Arc<dyn StoredObject>) -> io::Result<ParquetPlace> {
        Ok(ParquetPlace::Object(Arc::new(ParquetObject::new(object)?)))
    }

    pub(super) fn length(&self) -> u64 {
        match self {
            ParquetPlace::File(_, length) => *length,
            ParquetPlace::Object(object) => object.length(),
        }
    }

    /// So many bytes, all of which there are.
    pub(super) fn bytes(&self, start: u64, length: usize) -> io::Result<Bytes> {
        match self {
            ParquetPlace::File(file, _) => {
                let (mut file, mut bytes) = (file, vec![0; length]);
                file.seek(SeekFrom::Start(start))?;
                file.read_exact(&mut bytes)?;
                Ok(bytes.into())
            }
            ParquetPlace::Object(object) => object.bytes(start, length),
        }
    }

    /// The bytes from `start` on, read as they are asked for.
    pub(super) fn read_from(&self, start: u64) -> io::Result<PlaceRead> {
        Ok(match self {
            ParquetPlace::File(file, _) => {
                let mut file = file.try_clone()?;
                file.seek(SeekFrom::Start(start))?;
                PlaceRead::File(BufReader::new(file))
            }
            ParquetPlace::Object(object) => PlaceRead::Object(Arc::clone(object), start),
        })
    }
}

/// A reader from a position on.
pub(super) enum PlaceRead {
    File(BufReader<File>),
    Object(Arc<ParquetObject>, u64),
}

impl Read for PlaceRead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            PlaceRead::File(file) => file.read(buffer),
            PlaceRead::Object(object, at) => {
                let count = object.read(*at, buffer)?;
                *at += count as u64;
                Ok(count)
            }
        }
    }
}
