//! A client of a few lines: what it sends is what the test says, to the byte.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// No answer takes longer, however busy the machine is.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// An answer.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    /// By their names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) bytes: Vec<u8>,
}

impl Answered {
    /// The body as JSON, whatever the status.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|error| panic!("{}: {error}: {}", self.status, String::from_utf8_lossy(&self.bytes)))
    }

    /// The body as text, of an answer with status 200.
    #[track_caller]
    pub(crate) fn text(&self) -> String {
        let text = String::from_utf8_lossy(&self.bytes).into_owned();
        assert_eq!(self.status, 200, "{text}");
        text
    }

    /// A refusal: the status, its error, and the headers that every answer has.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, fragments: &[&str]) {
        let json = self.json();
        assert_eq!(self.status, status, "{json}");
        assert_eq!(self.headers["content-type"], "application/json");
        assert_eq!(self.headers["x-content-type-options"], "nosniff");
        let error = json["error"].as_str().unwrap_or_else(|| panic!("expected an error, got {json}"));
        for fragment in fragments {
            assert!(error.contains(fragment), "expected `{fragment}` in: {error}");
        }
    }
}

/// Sends bytes as they are and reads the answer.
pub(crate) fn exchange(address: SocketAddr, bytes: &[u8]) -> Answered {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    // A refused body is not read to its end.
    let _ = stream.write_all(bytes);
    answer(&mut stream)
}

/// Reads the answer to a request with `Connection: close`.
pub(crate) fn answer(stream: &mut TcpStream) -> Answered {
    let mut all = Vec::new();
    // After a refusal in the middle of a body the connection may be reset.
    let _ = stream.read_to_end(&mut all);
    let end = all.windows(4).position(|window| window == b"\r\n\r\n");
    let end = end.unwrap_or_else(|| panic!("no answer: {}", String::from_utf8_lossy(&all)));
    let head = String::from_utf8_lossy(&all[..end]).into_owned();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers =
        lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.to_lowercase(), value.to_owned()));
    Answered { status, headers: headers.collect(), bytes: all[end + 4..].to_vec() }
}

/// The bytes of a request.
pub(crate) fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n").into_bytes();
    for (name, value) in headers {
        bytes.extend(format!("{name}: {value}\r\n").bytes());
    }
    if method == "POST" {
        bytes.extend(format!("Content-Length: {}\r\n", body.len()).bytes());
    }
    bytes.extend(b"\r\n");
    bytes.extend(body);
    bytes
}

/// A GET.
pub(crate) fn get(address: SocketAddr, path: &str) -> Answered {
    exchange(address, &request("GET", path, &[], b""))
}

/// A POST with these headers, and no others that say something of the body.
pub(crate) fn post(address: SocketAddr, path: &str, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Answered {
    exchange(address, &request("POST", path, headers, body.as_ref()))
}
