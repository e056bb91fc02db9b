//! The storage that the library is given.

use std::io;
use std::sync::Arc;

use narrows_core::data::{Storage, StoredObject, Upload};

use crate::address::Address;
use crate::listing;
use crate::object::RemoteObject;
use crate::upload::{RemoteUpload, abandon_all};

/// Object stores and web servers.
#[derive(Debug)]
struct RemoteStorage;

/// Lets paths be addresses, for the rest of the process. Nothing is connected before one is used.
pub fn provide() {
    narrows_core::data::provide(Arc::new(RemoteStorage));
}

impl Storage for RemoteStorage {
    fn serves(&self, address: &str) -> bool {
        Address::of(address).is_some()
    }

    fn find(&self, address: &str) -> io::Result<Vec<String>> {
        listing::find(address)
    }

    fn open(&self, address: &str) -> io::Result<Arc<dyn StoredObject>> {
        Ok(Arc::new(RemoteObject::open(Address::parse(address)?)?))
    }

    fn create(&self, address: &str) -> io::Result<Box<dyn Upload>> {
        Ok(Box::new(RemoteUpload::create(Address::parse(address)?)?))
    }

    fn abandon(&self) {
        abandon_all();
    }
}
