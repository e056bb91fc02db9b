//! Object stores and web servers for Narrows: after `provide`, paths of tables, models and outputs may be addresses.
//!
//! | address | store | from the environment |
//! |---|---|---|
//! | `s3://bucket/key` | Amazon S3 and others of its protocol | `AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT_URL` and so on |
//! | `gs://bucket/key` | Google Cloud Storage | `GOOGLE_APPLICATION_CREDENTIALS` and so on |
//! | `az://container/key`, `abfss://container@account.dfs.core.windows.net/key` | Azure Blob Storage | `AZURE_STORAGE_ACCOUNT_NAME` and so on |
//! | `https://host/path` | a web server, read only | |
//!
//! The library calls functions that block, and the crate `object_store` is asynchronous: requests run on a small runtime of
//! their own. Without the feature `remote` this crate is empty.

#![forbid(unsafe_code)]

#[cfg(feature = "remote")]
mod address;
#[cfg(feature = "remote")]
mod connection;
#[cfg(feature = "remote")]
mod credentials;
#[cfg(feature = "remote")]
mod failure;
#[cfg(feature = "remote")]
mod listing;
#[cfg(feature = "remote")]
mod object;
#[cfg(feature = "remote")]
mod place;
#[cfg(feature = "remote")]
mod reading;
#[cfg(feature = "remote")]
mod runtime;
#[cfg(feature = "remote")]
mod store;
#[cfg(feature = "remote")]
mod upload;

#[cfg(feature = "remote")]
pub use store::provide;
