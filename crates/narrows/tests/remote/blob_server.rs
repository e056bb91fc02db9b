//! A server of one Azure container, of as much of the protocol as reading, listing and writing blobs takes. Blocks that are
//! sent are a blob only when they are committed.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

const CONTAINER: &str = "box";

/// Blobs, and blocks by their id.
#[derive(Default)]
struct Blobs {
    blobs: BTreeMap<String, Vec<u8>>,
    blocks: BTreeMap<String, Vec<u8>>,
}

/// A running server.
pub(crate) struct BlobServer {
    pub(crate) port: u16,
    blobs: Arc<Mutex<Blobs>>,
}

impl BlobServer {
    pub(crate) fn start() -> BlobServer {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let (port, blobs) = (listener.local_addr().unwrap().port(), Arc::new(Mutex::new(Blobs::default())));
        let shared = Arc::clone(&blobs);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let blobs = Arc::clone(&shared);
                thread::spawn(move || drop(serve(client, &blobs)));
            }
        });
        BlobServer { port, blobs }
    }

    pub(crate) fn put(&self, key: &str, bytes: impl Into<Vec<u8>>) {
        self.blobs.lock().unwrap().blobs.insert(key.to_owned(), bytes.into());
    }

    pub(crate) fn get(&self, key: &str) -> Option<Vec<u8>> {
        self.blobs.lock().unwrap().blobs.get(key).cloned()
    }
}

fn serve(mut client: TcpStream, blobs: &Mutex<Blobs>) -> io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? <= 2 {
            break;
        }
        head.push(line.trim_end().to_owned());
    }
    let header = |name: &str| {
        head.iter().find_map(|line| line.to_ascii_lowercase().strip_prefix(&format!("{name}: ")).map(str::to_owned))
    };
    let mut body = vec![0; header("content-length").map_or(0, |length| length.parse().unwrap())];
    reader.read_exact(&mut body)?;
    let mut words = head.first().map(String::as_str).unwrap_or_default().split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let value = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")));
    let key = path.trim_start_matches('/').strip_prefix(CONTAINER).map(|key| key.trim_start_matches('/'));
    let mut state = blobs.lock().unwrap();
    let (status, extra, answer) = match (method, key, value("comp")) {
        (_, None, _) => ("404 Not Found", String::new(), b"<Error><Code>ContainerNotFound</Code></Error>".to_vec()),
        ("GET", Some(""), Some("list")) => {
            let prefix = value("prefix").unwrap_or_default().replace("%2F", "/");
            let blob = |(key, bytes): (&String, &Vec<u8>)| {
                let length = bytes.len();
                format!(
                    "<Blob><Name>{key}</Name><Properties><Last-Modified>Mon, 30 Nov 2026 10:00:00 GMT</Last-Modified>\
                     <Etag>0x1</Etag><Content-Length>{length}</Content-Length><Content-Type>a/b</Content-Type></Properties></Blob>"
                )
            };
            let blobs: String = state.blobs.iter().filter(|(key, _)| key.starts_with(&prefix)).map(blob).collect();
            let list = format!("<EnumerationResults><Blobs>{blobs}</Blobs><NextMarker/></EnumerationResults>");
            ("200 OK", String::new(), list.into_bytes())
        }
        ("PUT", Some(_), Some("block")) => {
            state.blocks.insert(value("blockid").unwrap_or_default().replace("%3D", "="), body);
            ("201 Created", String::new(), Vec::new())
        }
        ("PUT", Some(key), Some("blocklist")) => {
            let text = String::from_utf8_lossy(&body).into_owned();
            let ids = text.split("<Uncommitted>").skip(1).filter_map(|rest| rest.split("</Uncommitted>").next());
            let whole: Vec<u8> = ids.flat_map(|id| state.blocks[id].clone()).collect();
            state.blobs.insert(key.to_owned(), whole);
            ("201 Created", String::new(), Vec::new())
        }
        ("PUT", Some(key), None) => {
            state.blobs.insert(key.to_owned(), body);
            ("201 Created", String::new(), Vec::new())
        }
        (_, Some(key), _) => match (state.blobs.get(key), header("range").or_else(|| header("x-ms-range"))) {
            (None, _) => ("404 Not Found", String::new(), b"<Error><Code>BlobNotFound</Code></Error>".to_vec()),
            (Some(blob), None) => ("200 OK", String::new(), blob.clone()),
            (Some(blob), Some(range)) => {
                let (start, end) = range.trim_start_matches("bytes=").split_once('-').unwrap();
                let (start, end) = (start.parse::<usize>().unwrap(), end.parse::<usize>().unwrap() + 1);
                let end = end.min(blob.len());
                let place = format!("Content-Range: bytes {start}-{}/{}\r\n", end - 1, blob.len());
                ("206 Partial Content", place, blob[start..end].to_vec())
            }
        },
    };
    drop(state);
    let common = "ETag: \"0x1\"\r\nLast-Modified: Mon, 30 Nov 2026 10:00:00 GMT\r\nConnection: close";
    let head = format!("HTTP/1.1 {status}\r\n{common}\r\n{extra}Content-Length: {}\r\n\r\n", answer.len());
    client.write_all(head.as_bytes())?;
    client.write_all(&answer)
}
