//! A bucket, or a web server, as the crate `object_store` sees it.

use std::collections::HashMap;
use std::ffi::OsString;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::client::ClientConfigKey;
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::http::HttpBuilder;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};

use crate::address::{Address, Kind};
use crate::credentials;

/// Time for a request, most of which transfers a few MiB.
const REQUEST: &str = "120 seconds";
const CONNECT: &str = "5 seconds";

/// A bucket with two policies.
#[derive(Debug)]
pub(crate) struct Connection {
    /// For the first request on an object: what is wrong with an address, an endpoint or the network is told soon.
    pub(crate) quick: Arc<dyn ObjectStore>,
    /// For what follows, where giving up would lose work.
    pub(crate) patient: Arc<dyn ObjectStore>,
}

/// At most 3 retries, a second or two if nobody listens.
fn soon() -> RetryConfig {
    let backoff =
        BackoffConfig { init_backoff: Duration::from_millis(100), max_backoff: Duration::from_secs(2), base: 3.0 };
    RetryConfig { backoff, max_retries: 3, retry_timeout: Duration::from_secs(20) }
}

/// As the stores ask for when they are busy: ten retries within three minutes.
fn late() -> RetryConfig {
    RetryConfig::default()
}

/// The connections of this process, by scheme and bucket and the variables that they were made with: in a notebook, those
/// are set when the first attempt has failed.
static CONNECTIONS: Mutex<Option<(u32, Connections)>> = Mutex::new(None);

type Connections = HashMap<Root, Arc<Connection>>;

type Root = (String, Vec<(OsString, OsString)>);

/// What is set of the variables of a kind of store, in order.
fn variables(kind: Kind) -> Vec<(OsString, OsString)> {
    let prefix = match kind {
        Kind::S3 => "AWS_",
        Kind::Google => "GOOGLE_",
        Kind::Azure => "AZURE_",
        Kind::Web => return Vec::new(),
    };
    let mut set: Vec<_> = std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with(prefix)).collect();
    set.sort();
    set
}

impl Connection {
    /// The connection to the bucket of an address; nothing is sent yet.
    pub(crate) fn to(address: &Address) -> io::Result<Arc<Connection>> {
        let (process, root) = (std::process::id(), (address.root(), variables(address.kind)));
        let mut all = CONNECTIONS.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        match &mut *all {
            Some((of, _)) if *of == process => {}
            // Those from before a fork belong to a runtime that is gone.
            other => {
                std::mem::forget(other.take());
                *other = Some((process, HashMap::new()));
            }
        }
        let known = &mut all.as_mut().expect("just set").1;
        if let Some(connection) = known.get(&root) {
            return Ok(Arc::clone(connection));
        }
        credentials::check(address)?;
        let connection = Arc::new(Connection { quick: built(address, soon())?, patient: built(address, late())? });
        known.insert(root, Arc::clone(&connection));
        Ok(connection)
    }
}

fn built(address: &Address, retry: RetryConfig) -> io::Result<Arc<dyn ObjectStore>> {
    let is_unset = |name: &str| std::env::var_os(name).is_none();
    let built: object_store::Result<Arc<dyn ObjectStore>> = match address.kind {
        Kind::S3 => {
            let mut builder = AmazonS3Builder::from_env().with_bucket_name(&address.bucket).with_retry(retry);
            for (name, key, value) in times("AWS") {
                if is_unset(&name) {
                    builder = builder.with_config(AmazonS3ConfigKey::Client(key), value);
                }
            }
            builder.build().map(|store| Arc::new(store) as _)
        }
        Kind::Google => {
            let mut builder = GoogleCloudStorageBuilder::from_env().with_bucket_name(&address.bucket).with_retry(retry);
            for (name, key, value) in times("GOOGLE") {
                if is_unset(&name) {
                    builder = builder.with_config(GoogleConfigKey::Client(key), value);
                }
            }
            builder.build().map(|store| Arc::new(store) as _)
        }
        Kind::Azure => {
            let mut builder = MicrosoftAzureBuilder::from_env().with_url(address.root()).with_retry(retry);
            for (name, key, value) in times("AZURE") {
                if is_unset(&name) {
                    builder = builder.with_config(AzureConfigKey::Client(key), value);
                }
            }
            builder.build().map(|store| Arc::new(store) as _)
        }
        Kind::Web => {
            // A file of any size may come as one answer, so its parts are timed instead.
            let options = ClientOptions::new().with_allow_http(true).with_timeout_disabled();
            let builder = HttpBuilder::new().with_url(address.root()).with_client_options(options).with_retry(retry);
            builder.build().map(|store| Arc::new(store) as _)
        }
    };
    // Variables are wrong, or one is missing; nothing was sent.
    built.map_err(|error| {
        let text = error.to_string();
        let reason = text.split_once("error: ").map_or(text.as_str(), |(_, reason)| reason);
        io::Error::new(io::ErrorKind::InvalidInput, format!("{reason}: {}", credentials::advice(address.kind)))
    })
}

/// Time limits, unless the variable of this name sets one.
fn times(prefix: &str) -> [(String, ClientConfigKey, &'static str); 2] {
    [
        (format!("{prefix}_TIMEOUT"), ClientConfigKey::Timeout, REQUEST),
        (format!("{prefix}_CONNECT_TIMEOUT"), ClientConfigKey::ConnectTimeout, CONNECT),
    ]
}
