//! Bytes in memory that are read like a file: what a server was sent, for example.

use std::fmt;
use std::io::{Cursor, Read};
use std::sync::Arc;

/// Named bytes. Cloning is cheap.
#[derive(Clone)]
pub struct InMemory {
    name: Arc<str>,
    bytes: Arc<dyn AsRef<[u8]> + Send + Sync>,
}

impl InMemory {
    /// Bytes under a name for messages.
    pub fn new(name: &str, bytes: impl AsRef<[u8]> + Send + Sync + 'static) -> InMemory {
        InMemory { name: name.into(), bytes: Arc::new(bytes) }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The number of bytes.
    pub(super) fn len(&self) -> u64 {
        self.as_ref().len() as u64
    }

    /// The bytes from the start.
    pub(super) fn reader(&self) -> impl Read + Send + use<> {
        Cursor::new(self.clone())
    }
}

impl AsRef<[u8]> for InMemory {
    fn as_ref(&self) -> &[u8] {
        (*self.bytes).as_ref()
    }
}

impl fmt::Debug for InMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InMemory({}, {} bytes)", self.name, self.len())
    }
}

impl PartialEq for InMemory {
    fn eq(&self, other: &InMemory) -> bool {
        self.name == other.name && self.as_ref() == other.as_ref()
    }
}

impl Eq for InMemory {}

#[cfg(test)]
mod tests {
    use super::super::{Format, Source};
    use super::*;

    #[test]
    fn bytes_are_read_like_a_file_and_named_in_messages() {
        let source = |bytes: &'static str| Source::in_memory(InMemory::new("the body", bytes));
        let table = source("a,b\n1,x\n2,y\n").open(10, None).unwrap().read_all().unwrap();
        assert_eq!((table.n_rows(), table.names(), table.source()), (2, vec!["a", "b"], "the body"));
        let rows = source("[{\"a\": 1}, {\"a\": NaN}]").open(10, None).unwrap().read_all().unwrap();
        assert_eq!((rows.n_rows(), rows.column("a").unwrap().null_count()), (2, 1));
        let damaged = Source { format: Some(Format::Parquet), ..source("PAR1") };
        let error = damaged.open(10, None).err().unwrap().to_string();
        assert!(error.starts_with("the body"), "{error}");
        let database = source("SQLite format 3\0").open(10, None).err().unwrap().to_string();
        assert!(database.contains("sqlite") || database.contains("SQLite"), "{database}");
    }
}
