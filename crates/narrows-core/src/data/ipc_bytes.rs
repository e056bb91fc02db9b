//! The bytes of an Arrow IPC file or stream, never more than there are.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;

use arrow::buffer::Buffer;

use super::input::copied;

/// What is wrong with a file.
pub(super) type Flaw = String;

/// Where messages come from.
pub(super) enum IpcOrigin {
    /// A file, of which the next byte to read is `at`.
    File {
        file: Arc<File>,
        at: u64,
        length: u64,
    },
    Stream(Box<dyn Read + Send>),
}

/// The body of a message.
pub(super) enum IpcBody {
    Memory(Buffer),
    /// Left in a file: `length` bytes from `start`.
    File {
        file: Arc<File>,
        start: u64,
        length: u64,
    },
}

impl IpcBody {
    pub(super) fn length(&self) -> u64 {
        match self {
            IpcBody::Memory(buffer) => buffer.len() as u64,
            IpcBody::File { length, .. } => *length,
        }
    }

    /// The bytes from `offset` on, at most `length` of them.
    pub(super) fn part(&self, offset: u64, length: u64) -> std::io::Result<Box<dyn Read + '_>> {
        match self {
            IpcBody::Memory(buffer) => Ok(Box::new(&buffer.as_slice()[offset as usize..(offset + length) as usize])),
            IpcBody::File { file, start, .. } => {
                let mut file = file.as_ref();
                file.seek(SeekFrom::Start(start + offset))?;
                Ok(Box::new(file.take(length)))
            }
        }
    }

    pub(super) fn into_memory(self) -> Result<Buffer, Flaw> {
        match self {
            IpcBody::Memory(buffer) => Ok(buffer),
            IpcBody::File { file, start, length } => {
                let bytes = IpcOrigin::File { file, at: start, length: start + length }.taken(length)?;
                Ok(Buffer::from_vec(bytes))
            }
        }
    }
}

impl IpcOrigin {
    /// The next `count` bytes. Memory grows with the bytes that there are, not with those that a header promises.
    pub(super) fn taken(&mut self, count: u64) -> Result<Vec<u8>, Flaw> {
        let bytes = self.up_to(count)?;
        match bytes.len() as u64 == count {
            true => Ok(bytes),
            false => Err(format!("expected {count} bytes, got {} to the end of the file", bytes.len())),
        }
    }

    pub(super) fn up_to(&mut self, count: u64) -> Result<Vec<u8>, Flaw> {
        let mut bytes = Vec::new();
        match self {
            IpcOrigin::File { file, at, length } => {
                let count = count.min(length.saturating_sub(*at));
                let mut file = file.as_ref();
                file.seek(SeekFrom::Start(*at)).map_err(told)?;
                bytes.reserve_exact(count as usize);
                file.take(count).read_to_end(&mut bytes).map_err(told)?;
                *at += bytes.len() as u64;
            }
            IpcOrigin::Stream(stream) => {
                stream.by_ref().take(count).read_to_end(&mut bytes).map_err(told)?;
            }
        }
        Ok(bytes)
    }

    /// The next `count` bytes, in memory if they are at most `most`.
    pub(super) fn body(&mut self, count: u64, most: usize) -> Result<IpcBody, Flaw> {
        if count <= most as u64 {
            return Ok(IpcBody::Memory(Buffer::from_vec(self.taken(count)?)));
        }
        match self {
            IpcOrigin::File { file, at, length } => {
                let start = *at;
                if count > length.saturating_sub(start) {
                    return Err(format!("expected a body of {count} bytes, got {}", length.saturating_sub(start)));
                }
                *at += count;
                Ok(IpcBody::File { file: file.clone(), start, length: count })
            }
            IpcOrigin::Stream(stream) => {
                let (file, length) = copied(&mut stream.by_ref().take(count), count).map_err(told)?;
                match file {
                    Some(file) if length == count => Ok(IpcBody::File { file: Arc::new(file), start: 0, length }),
                    _ => Err(format!("expected a body of {count} bytes, got {length}")),
                }
            }
        }
    }
}

impl IpcOrigin {
    pub(super) fn of(file: File) -> Result<IpcOrigin, Flaw> {
        let length = file.metadata().map_err(told)?.len();
        Ok(IpcOrigin::File { file: Arc::new(file), at: 0, length })
    }
}

/// Whether the file's bytes are the input's, so that it is not compressed.
pub(super) fn begins_alike(mut file: &File, prefix: &[u8]) -> bool {
    let mut begin = [0; 4];
    file.read_exact(&mut begin).is_ok() && prefix.starts_with(&begin)
}

pub(super) fn told(error: impl std::fmt::Display) -> Flaw {
    error.to_string()
}
