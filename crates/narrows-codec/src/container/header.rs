//! What a compressed file says of itself before its first chunk.

use std::io::Read;

use super::source::Source;
use crate::{
    error::{CodecError, Part, Result},
    varint,
};

const MAGIC: [u8; 4] = *b"NRWZ";
/// The newest version of the format.
pub const VERSION: u64 = 1;

/// The opening of a compressed file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// How the sections of a chunk are made; a number that this crate only carries.
    pub codec: u8,
    /// Which model is needed to read the file: a hash of it.
    pub model: u64,
    /// What else the reader must know; opaque here.
    pub settings: Vec<u8>,
}

impl Header {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        varint::push(&mut out, VERSION);
        out.push(self.codec);
        out.extend(self.model.to_le_bytes());
        varint::push(&mut out, self.settings.len() as u64);
        out.extend(&self.settings);
        out.extend(crc32fast::hash(&out).to_le_bytes());
        out
    }

    pub(super) fn read<R: Read>(source: &mut Source<R>) -> Result<Header> {
        source.begin(Part::Header);
        let mut got = Vec::new();
        for wanted in MAGIC {
            match source.next()? {
                Some(byte) => got.push(byte),
                None => return Err(source.truncated()),
            }
            if got.last() != Some(&wanted) {
                // The rest of four bytes, for the message.
                while got.len() < MAGIC.len() {
                    let Some(byte) = source.next()? else { break };
                    got.push(byte);
                }
                return Err(CodecError::NotCompressed { got });
            }
        }
        // Another version may go on in another way, so it is refused before its checksum is looked for.
        let version = source.varint()?;
        if version > VERSION {
            return Err(CodecError::Version { got: version, newest: VERSION });
        }
        if version == 0 {
            return Err(source.damaged("expected a version from 1 on, got 0"));
        }
        let codec = source.byte()?;
        let mut model = [0; 8];
        for byte in &mut model {
            *byte = source.byte()?;
        }
        let length = source.varint()?;
        let settings = source.bytes(length)?;
        source.checksum()?;
        Ok(Header { codec, model: u64::from_le_bytes(model), settings })
    }
}
