//! The header of a compressed file.

use std::io::Read;

use super::source::Source;
use crate::{
    error::{CodecError, Part, Result},
    varint,
};

const MAGIC: [u8; 4] = *b"NRWZ";
/// The newest version of the format.
pub const VERSION: u64 = 3;

/// The header of a compressed file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The version of the format; the container is alike in all of them, the meaning of the sections is not.
    pub version: u64,
    /// Identifies the coding of the sections; opaque to this crate.
    pub codec: u8,
    /// Hash of the model needed to decode the file.
    pub model: u64,
    /// Further settings for the decoder; opaque to this crate.
    pub settings: Vec<u8>,
}

impl Header {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        varint::push(&mut out, self.version);
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
        // Other versions may differ from here on, so they are rejected before the checksum.
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
        Ok(Header { version, codec, model: u64::from_le_bytes(model), settings })
    }
}
