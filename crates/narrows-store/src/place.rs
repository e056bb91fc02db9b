//! Where an object is, and the requests for its bytes.

use std::io::{self, ErrorKind};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use object_store::GetOptions;
use object_store::path::Path;

use crate::address::Address;
use crate::connection::Connection;
use crate::failure::told;

/// Time for a request with its retries.
const TIME: Duration = Duration::from_secs(300);

/// What requests need.
#[derive(Debug)]
pub(crate) struct ObjectPlace {
    pub(crate) address: Address,
    pub(crate) size: u64,
    pub(crate) connection: Arc<Connection>,
    pub(crate) path: Path,
    /// A strong entity tag, if there is one.
    pub(crate) tag: Option<String>,
}

impl ObjectPlace {
    fn options(&self, range: Option<Range<u64>>) -> GetOptions {
        GetOptions { range: range.map(Into::into), if_match: self.tag.clone(), ..GetOptions::default() }
    }

    /// One range by one request.
    pub(crate) async fn fetch(&self, range: Range<u64>) -> io::Result<Bytes> {
        let whole = async {
            let answer = self.connection.patient.get_opts(&self.path, self.options(Some(range))).await?;
            answer.bytes().await
        };
        match tokio::time::timeout(TIME, whole).await {
            Ok(bytes) => bytes.map_err(|error| told(&error, &self.address)),
            Err(_) => Err(io::Error::new(ErrorKind::TimedOut, "the server takes too long to answer")),
        }
    }

    /// The whole by one request, as it comes.
    pub(crate) async fn whole(&self) -> io::Result<BoxStream<'static, object_store::Result<Bytes>>> {
        let answer = self.connection.patient.get_opts(&self.path, self.options(None)).await;
        Ok(answer.map_err(|error| told(&error, &self.address))?.into_stream())
    }
}
