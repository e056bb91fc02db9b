//! `narrows serve`: models over HTTP.

use std::env;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as ClapArgs, value_parser};
use narrows_core::Error;
use narrows_core::error::Place;
use narrows_serve::{LogSink, ServeLimits, ServeOptions, Server};
use serde_json::json;

use crate::address;
use crate::failure::{Failure, Outcome};
use crate::flags::Common;
use crate::log_writer::LogWriter;
use crate::talk::Talk;
use crate::{interrupt, output};

/// How long the end waits for the last lines of the log to be taken.
const FLUSH: Duration = Duration::from_secs(1);

/// Serve models over HTTP: scores and reasons in the Open Inference Protocol
///
/// Model files are loaded again when they change; one that cannot be loaded leaves the last good model in place. Ctrl-C and
/// SIGTERM let requests that have begun be answered. The log is a JSON object a line, on stderr.
#[derive(Debug, ClapArgs)]
#[command(
    before_help = "Example: narrows serve models/ --port 8080",
    before_long_help = "Examples:\n  narrows serve models/ --port 8080\n  \
                        curl --data-binary @new.csv 'http://127.0.0.1:8080/v2/models/m/score?explain=3'\n  \
                        narrows serve m.narrows --host 0.0.0.0 --api-keys keys.txt"
)]
pub(crate) struct Serve {
    /// Model files, and folders of files `*.narrows`; a model has the name of its file without the extension
    #[arg(value_name = "MODELS", required = true)]
    models: Vec<PathBuf>,
    /// Port to listen on, 8080 by default; 0 takes any that is free. AIP_HTTP_PORT, AIP_PREDICT_ROUTE and AIP_HEALTH_ROUTE of
    /// Vertex AI are heeded
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// Address to listen on; by default, other machines are not served
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    host: String,
    /// File of API keys, one a line; a request then needs one of them, except for those about health
    #[arg(long, value_name = "FILE")]
    api_keys: Option<PathBuf>,
    /// Name under which the server may be asked, such as that of a proxy; repeatable. Where other machines are not served,
    /// requests for other names than localhost are refused, so that no web page can make a browser ask the server
    #[arg(long, value_name = "NAME")]
    allowed_host: Vec<String>,
    /// Folder that callers with a key may upload models to, and delete them from; it is served, too
    #[arg(long, value_name = "FOLDER", requires = "api_keys")]
    allow_uploads: Option<PathBuf>,
    /// Largest body of a request, in bytes, also once it is unfolded if it is compressed; 32 MiB by default
    #[arg(long, value_name = "BYTES", value_parser = value_parser!(u64).range(1..))]
    max_body: Option<u64>,
    /// Most rows of a request; a million by default
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(1..))]
    max_rows: Option<u64>,
    /// Most pixels of the images of a request; 16 million by default
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(1..))]
    max_pixels: Option<u64>,
    /// Rows that small requests are gathered to; 1024 by default
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(1..))]
    batch_rows: Option<u64>,
    /// How long a small request may wait for others to be scored with, in milliseconds; by default only those are scored
    /// together that wait anyway
    #[arg(long, value_name = "MILLISECONDS", value_parser = value_parser!(u64).range(0..=60_000))]
    max_delay: Option<u64>,
    /// Requests that may wait for a thread, 64 by default; further ones are refused with status 503
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(1..))]
    queue: Option<u64>,
    /// Time limit of a request, in seconds; 30 by default
    #[arg(long, value_name = "SECONDS", value_parser = value_parser!(u64).range(1..=86_400))]
    timeout: Option<u64>,
    /// Streams of rows that may be open, 64 by default; further ones are refused with status 503
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(1..))]
    streams: Option<u64>,
    /// Time without a row after which a stream is forgotten, in seconds; an hour by default
    #[arg(long, value_name = "SECONDS", value_parser = value_parser!(u64).range(1..=31_536_000))]
    stream_idle: Option<u64>,
    /// Time for requests to end after SIGTERM or Ctrl-C, in seconds; 30 by default. What has not ended then is cut off
    #[arg(long, value_name = "SECONDS", value_parser = value_parser!(u64).range(0..=86_400))]
    drain: Option<u64>,
}

impl Serve {
    pub(crate) fn run(self, common: &Common) -> Result<Outcome, Failure> {
        let talk = common.talk();
        let names: Vec<_> = self.models.iter().map(|path| path.to_string_lossy()).collect();
        address::refuse_all(&names, "models are served from disk, where a new version is seen at once")?;
        if !is_loopback(&self.host) && self.api_keys.is_none() {
            talk.warn("other machines are served, and no key is needed: name a file with --api-keys");
        }
        // The log says that the server stops: it has no lines but JSON.
        let _grace = interrupt::grace("");
        let limits = self.limits()?;
        let port = match (self.port, env::var("AIP_HTTP_PORT")) {
            (Some(port), _) => port,
            (None, Err(_)) => 8080,
            (None, Ok(text)) => text
                .parse()
                .map_err(|_| Error::data(Place::source("AIP_HTTP_PORT"), format!("expected a port, got `{text}`")))?,
        };
        let [predict_route, health_route] = ["AIP_PREDICT_ROUTE", "AIP_HEALTH_ROUTE"].map(|name| env::var(name).ok());
        let Serve { models, host, api_keys, allowed_host: allowed_hosts, allow_uploads: uploads, .. } = self;
        let writer = LogWriter::new(write_line);
        let log = log(talk, writer.clone());
        let compute = common.compute()?;
        let usual = ServeOptions { uploads, predict_route, health_route, ..ServeOptions::default() };
        let options = ServeOptions { models, host, port, api_keys, allowed_hosts, limits, compute, log, ..usual };
        let server = Server::start(options)?;
        let (place, models) = (format!("http://{}", server.address()), server.models());
        if common.json {
            output::print_json(&json!({"address": place, "models": models}))?;
        }
        interrupt::wait();
        server.stop();
        server.wait();
        writer.flush(FLUSH);
        Ok(Outcome::Done)
    }

    fn limits(&self) -> Result<ServeLimits, Failure> {
        let usual = ServeLimits::default();
        let size = |given: Option<u64>, usual: usize| match given.map(usize::try_from) {
            None => Ok(usual),
            Some(Ok(size)) => Ok(size),
            Some(Err(_)) => Err(Error::data(Place::default(), "expected a number that this machine can address")),
        };
        Ok(ServeLimits {
            max_body: size(self.max_body, usual.max_body)?,
            max_rows: size(self.max_rows, usual.max_rows)?,
            max_pixels: self.max_pixels.unwrap_or(usual.max_pixels),
            queue: size(self.queue, usual.queue)?,
            batch_rows: size(self.batch_rows, usual.batch_rows)?,
            timeout: self.timeout.map_or(usual.timeout, Duration::from_secs),
            streams: size(self.streams, usual.streams)?,
            stream_idle: self.stream_idle.map_or(usual.stream_idle, Duration::from_secs),
            drain: self.drain.map_or(usual.drain, Duration::from_secs),
            max_delay: self.max_delay.map_or(usual.max_delay, Duration::from_millis),
            ..usual
        })
    }
}

/// Whether only this machine is served.
fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The log goes to stderr; with `--quiet`, errors alone.
fn log(talk: Talk, writer: LogWriter) -> LogSink {
    LogSink::new(move |line| {
        if talk != Talk::Quiet || !line.contains("\"level\":\"info\"") {
            writer.line(line);
        }
    })
}

/// A line on stderr; a closed one is ignored.
fn write_line(line: &str) {
    let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("{line}\n"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_addresses_are_known() {
        assert!(is_loopback("127.0.0.1") && is_loopback("::1") && is_loopback("localhost"));
        assert!(!is_loopback("0.0.0.0") && !is_loopback("example.org"));
    }
}
