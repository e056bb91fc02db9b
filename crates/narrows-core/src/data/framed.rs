//! Bytes that another process reads: a header as JSON, then whatever it describes, with a checksum.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Place, Result};

/// First bytes; the last one counts versions.
const MAGIC: &[u8; 8] = b"NARROWS\x01";

/// A header and what follows it.
pub(crate) fn frame(header: &impl Serialize, body: &[u8]) -> Vec<u8> {
    let header = serde_json::to_vec(header).expect("plain data with text keys");
    let mut bytes = MAGIC.to_vec();
    bytes.extend((header.len() as u64).to_le_bytes());
    bytes.extend(header);
    bytes.extend(body);
    let sum = crc32fast::hash(&bytes);
    bytes.extend(sum.to_le_bytes());
    bytes
}

/// The header and the rest of bytes that are `what`.
///
/// # Errors
/// [`Error::Data`] for other or damaged bytes.
pub(crate) fn unframe<'a, H: DeserializeOwned>(bytes: &'a [u8], what: &str) -> Result<(H, &'a [u8])> {
    let wrong = |got: &str| refused(what, got);
    let (bytes, sum) = bytes.split_last_chunk::<4>().ok_or_else(|| wrong("too few"))?;
    let rest = bytes.strip_prefix(MAGIC).ok_or_else(|| wrong("others"))?;
    if crc32fast::hash(bytes) != u32::from_le_bytes(*sum) {
        return Err(wrong("damaged ones"));
    }
    let (length, rest) = rest.split_first_chunk::<8>().ok_or_else(|| wrong("too few"))?;
    let length = usize::try_from(u64::from_le_bytes(*length)).unwrap_or(usize::MAX);
    let (header, body) = rest.split_at_checked(length).ok_or_else(|| wrong("too few"))?;
    let header = serde_json::from_slice(header).map_err(|error| wrong(&format!("others: {error}")))?;
    Ok((header, body))
}

/// The error for bytes that are not `what`.
pub(crate) fn refused(what: &str, got: &str) -> Error {
    let error = Error::data(Place::source(what), format!("expected the bytes of a {what}, got {got}"));
    error.with_hint("they are read by the version that made them")
}
