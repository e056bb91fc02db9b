//! `narrows serve` as a process to test with.
#![cfg(unix)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::folder::Folder;

/// A server that is ended with the test.
pub(crate) struct Service {
    child: Child,
    pub(crate) address: String,
    /// Reads the rest of the log, which would hold the server up once the pipe is full.
    log: Option<JoinHandle<String>>,
}

impl Service {
    pub(crate) fn start(folder: &Folder, flags: &str) -> Service {
        let line = format!("serve . --port 0 {flags}");
        let mut child = folder.command().args(line.split_whitespace()).stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut address = None;
        let mut told = String::new();
        while address.is_none() {
            let mut line = String::new();
            assert!(log.read_line(&mut line).unwrap() > 0, "the server ended: {told}");
            told += &line;
            let json: Value = serde_json::from_str(&line).unwrap_or_default();
            address = json["address"].as_str().and_then(|place| place.strip_prefix("http://")).map(str::to_owned);
        }
        let log = thread::spawn(move || {
            let mut rest = String::new();
            let _ = log.read_to_string(&mut rest);
            rest
        });
        Service { child, address: address.unwrap(), log: Some(log) }
    }

    pub(crate) fn send(&self, path: &str, headers: &str, body: impl AsRef<[u8]>) -> TcpStream {
        let body = body.as_ref();
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
        let length = body.len();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        stream
    }

    /// The body of an answer with status 200.
    pub(crate) fn receive(mut stream: TcpStream) -> String {
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text}"));
        assert!(head.starts_with("HTTP/1.1 200"), "{text}");
        body.to_owned()
    }

    /// The process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap().success());
    }

    /// The exit code and the rest of the log.
    pub(crate) fn wait(&mut self) -> (i32, String) {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                let rest = self.log.take().map(|log| log.join().unwrap());
                return (status.code().unwrap_or(-1), rest.unwrap_or_default());
            }
            assert!(start.elapsed() < Duration::from_secs(120), "still running two minutes after the signal");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
