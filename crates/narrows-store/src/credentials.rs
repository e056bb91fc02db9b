//! Whether there are credentials at all, so that their lack is told at once and in words.
//!
//! Without any in the environment the stores' libraries ask the metadata service of a machine in the cloud. Elsewhere nobody
//! answers, which takes them minutes to notice: here the service is asked for a sign of life first.

use std::env;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

use crate::address::{Address, Kind};

/// The metadata service of AWS, Google Cloud and Azure alike.
const METADATA: ([u8; 4], u16) = ([169, 254, 169, 254], 80);
/// It is on the same machine.
const ANSWER: Duration = Duration::from_secs(1);

/// Variables of which any is credentials, or the will to go without.
fn variables(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::S3 => &[
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_WEB_IDENTITY_TOKEN_FILE",
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            "AWS_METADATA_ENDPOINT",
            "AWS_SKIP_SIGNATURE",
        ],
        Kind::Google => &[
            "GOOGLE_APPLICATION_CREDENTIALS",
            "GOOGLE_SERVICE_ACCOUNT",
            "GOOGLE_SERVICE_ACCOUNT_PATH",
            "GOOGLE_SERVICE_ACCOUNT_KEY",
            "GOOGLE_SKIP_SIGNATURE",
            "SERVICE_ACCOUNT",
        ],
        Kind::Azure => &[
            "AZURE_STORAGE_ACCOUNT_KEY",
            "AZURE_STORAGE_ACCESS_KEY",
            "AZURE_STORAGE_MASTER_KEY",
            "AZURE_STORAGE_SAS_KEY",
            "AZURE_STORAGE_SAS_TOKEN",
            "AZURE_STORAGE_TOKEN",
            "AZURE_STORAGE_CLIENT_ID",
            "AZURE_STORAGE_USE_EMULATOR",
            "AZURE_CLIENT_ID",
            "AZURE_FEDERATED_TOKEN_FILE",
            "AZURE_USE_AZURE_CLI",
            "AZURE_SKIP_SIGNATURE",
            "IDENTITY_ENDPOINT",
            "MSI_ENDPOINT",
        ],
        Kind::Web => &[],
    }
}

/// What to set, for messages.
pub(crate) fn advice(kind: Kind) -> &'static str {
    match kind {
        Kind::S3 => {
            "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (`aws configure export-credentials` prints those of a profile), \
             or AWS_SKIP_SIGNATURE=true for a public bucket"
        }
        Kind::Google => {
            "set GOOGLE_APPLICATION_CREDENTIALS to the file of a service account, run `gcloud auth application-default login`, \
             or set GOOGLE_SKIP_SIGNATURE=true for a public bucket"
        }
        Kind::Azure => {
            "set AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN, or \
             AZURE_SKIP_SIGNATURE=true for a public container"
        }
        Kind::Web => "a web server takes a user in the address, https://user:password@host/, or a signed address",
    }
}

/// An error if there are no credentials for the store of an address.
pub(crate) fn check(address: &Address) -> io::Result<()> {
    let kind = address.kind;
    let are_set = variables(kind).iter().any(|name| env::var_os(name).is_some_and(|value| !value.is_empty()));
    if kind == Kind::Web || are_set || kind == Kind::Google && google_file().is_some_and(|file| file.is_file()) {
        return Ok(());
    }
    if has_metadata(kind).unwrap_or(false) {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::PermissionDenied, format!("no credentials: {}", advice(kind))))
}

/// Whether the metadata service of a kind of cloud answers.
fn has_metadata(kind: Kind) -> io::Result<bool> {
    let request = match kind {
        Kind::S3 => "PUT /latest/api/token HTTP/1.1\r\nX-aws-ec2-metadata-token-ttl-seconds: 60",
        Kind::Google => "GET /computeMetadata/v1/ HTTP/1.1\r\nMetadata-Flavor: Google",
        Kind::Azure => "GET /metadata/instance?api-version=2021-02-01 HTTP/1.1\r\nMetadata: true",
        Kind::Web => return Ok(false),
    };
    let mut stream = TcpStream::connect_timeout(&SocketAddr::from(METADATA), ANSWER)?;
    stream.set_read_timeout(Some(ANSWER))?;
    let host = "Host: 169.254.169.254\r\nContent-Length: 0\r\nConnection: close";
    stream.write_all(format!("{request}\r\n{host}\r\n\r\n").as_bytes())?;
    let mut status = [0; 12];
    stream.read_exact(&mut status)?;
    Ok(status.ends_with(b" 200"))
}

/// Where `gcloud` keeps the credentials of the user.
fn google_file() -> Option<PathBuf> {
    let folder = if cfg!(windows) {
        env::var_os("APPDATA")?.into()
    } else {
        PathBuf::from(env::var_os("HOME")?).join(".config")
    };
    Some(folder.join("gcloud/application_default_credentials.json"))
}
