//! An object open for reading: its size is known, its first bytes are here, other ranges are fetched as they are asked for.

use std::io::{self, ErrorKind, Read};
use std::ops::Range;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, TryStreamExt, stream};
use narrows_core::data::StoredObject;
use object_store::GetOptions;

use crate::address::Address;
use crate::connection::Connection;
use crate::failure::{is_about_range, told};
use crate::place::ObjectPlace;
use crate::reading::{ChunkRead, WholeRead};
use crate::runtime::wait;

/// Bytes fetched when an object is opened: enough to know a format, and many objects as a whole.
const HEAD: u64 = 64 << 10;
/// Bytes of a request; longer ranges become several.
const REQUEST: u64 = 16 << 20;
/// Requests at a time.
const AT_ONCE: usize = 8;

/// An object, which is taken to be unchanged from its first request on; a change is an error where the store can tell.
#[derive(Debug)]
pub(crate) struct RemoteObject {
    shared: Arc<ObjectPlace>,
    head: Bytes,
    has_ranges: bool,
}

impl RemoteObject {
    pub(crate) fn open(address: Address) -> io::Result<RemoteObject> {
        let (connection, path) = (Connection::to(&address)?, address.path()?);
        wait(async move {
            let options = GetOptions { range: Some((0..HEAD).into()), ..GetOptions::default() };
            let first = connection.quick.get_opts(&path, options).await;
            let (answer, has_ranges) = match first {
                // An empty object has no range, and a server may have none at all.
                Err(error) if is_about_range(&error) => {
                    (connection.quick.get_opts(&path, GetOptions::default()).await, false)
                }
                answer => (answer, true),
            };
            let answer = answer.map_err(|error| told(&error, &address))?;
            let tag = answer.meta.e_tag.clone().filter(|tag| !tag.starts_with("W/"));
            let size = answer.meta.size;
            let head = match has_ranges {
                true => answer.bytes().await.map_err(|error| told(&error, &address))?,
                false => Bytes::new(),
            };
            let shared = Arc::new(ObjectPlace { address, size, connection, path, tag });
            Ok(RemoteObject { shared, head, has_ranges: has_ranges || size == 0 })
        })
    }
}

impl StoredObject for RemoteObject {
    fn size(&self) -> u64 {
        self.shared.size
    }

    fn has_ranges(&self) -> bool {
        self.has_ranges
    }

    fn stream(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(match self.has_ranges {
            true => Box::new(ChunkRead::new(Arc::clone(&self.shared), self.head.clone())),
            false => Box::new(WholeRead::new(Arc::clone(&self.shared))?),
        })
    }

    fn ranges(&self, ranges: &[Range<u64>]) -> io::Result<Vec<Bytes>> {
        if !self.has_ranges {
            return Err(io::Error::new(ErrorKind::Unsupported, "the server has no parts of files"));
        }
        let head = self.head.len() as u64;
        if ranges.iter().all(|range| range.end <= head) {
            return Ok(ranges.iter().map(|range| self.head.slice(range.start as usize..range.end as usize)).collect());
        }
        let (shared, ranges) = (Arc::clone(&self.shared), ranges.to_vec());
        wait(async move {
            let requests = ranges.iter().enumerate().flat_map(|(i, range)| pieces(range).map(move |piece| (i, piece)));
            let fetched = requests.map(|(i, piece)| {
                let shared = Arc::clone(&shared);
                async move { shared.fetch(piece).await.map(|bytes| (i, bytes)) }
            });
            let fetched: Vec<(usize, Bytes)> =
                stream::iter(fetched.collect::<Vec<_>>()).buffered(AT_ONCE).try_collect().await?;
            let whole = |i: usize| {
                let mut pieces = fetched.iter().filter(|(of, _)| *of == i).map(|(_, bytes)| bytes);
                match (pieces.next(), pieces.next()) {
                    (None, _) => Bytes::new(),
                    (Some(only), None) => only.clone(),
                    (Some(first), Some(second)) => {
                        let mut joined = BytesMut::from(&first[..]);
                        joined.extend_from_slice(second);
                        pieces.for_each(|piece| joined.extend_from_slice(piece));
                        joined.freeze()
                    }
                }
            };
            Ok((0..ranges.len()).map(whole).collect())
        })
    }
}

/// A range in the pieces that are fetched by themselves.
fn pieces(range: &Range<u64>) -> impl Iterator<Item = Range<u64>> + use<> {
    let (start, end) = (range.start, range.end);
    (start..end).step_by(REQUEST as usize).map(move |start| start..(start + REQUEST).min(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_ranges_are_fetched_in_pieces() {
        assert!(pieces(&(5..7)).eq(std::iter::once(5..7)));
        assert_eq!(pieces(&(1..REQUEST + 3)).collect::<Vec<_>>(), [1..REQUEST + 1, REQUEST + 1..REQUEST + 3]);
        assert_eq!(pieces(&(4..4)).count(), 0);
    }
}
