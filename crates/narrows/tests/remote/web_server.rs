//! A web server with a few files, with or without ranges.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

/// How much of HTTP it knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Skill {
    Ranges,
    WholeFiles,
}

/// Starts one; returns its port.
pub(crate) fn serve(skill: Skill, files: &[(&str, Vec<u8>)]) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let files: HashMap<String, Vec<u8>> =
        files.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.clone())).collect();
    let files = Arc::new(files);
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let files = Arc::clone(&files);
            thread::spawn(move || drop(answer(client, skill, &files)));
        }
    });
    port
}

fn answer(mut client: TcpStream, skill: Skill, files: &HashMap<String, Vec<u8>>) -> io::Result<()> {
    let lines: Vec<String> =
        BufReader::new(client.try_clone()?).lines().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
    let target = lines.first().and_then(|line| line.split(' ').nth(1)).unwrap_or_default().to_owned();
    let Some(file) = files.get(target.trim_start_matches('/')) else {
        return client.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    };
    let range =
        lines.iter().find_map(|line| line.to_ascii_lowercase().strip_prefix("range: bytes=").map(str::to_owned));
    let (status, extra, body) = match range.filter(|_| skill == Skill::Ranges) {
        None => ("200 OK", String::new(), &file[..]),
        Some(range) => {
            let (start, end) = range.split_once('-').unwrap();
            let start: usize = start.parse().unwrap();
            let end = end.parse().map_or(file.len(), |end: usize| (end + 1).min(file.len()));
            if start >= end {
                return client.write_all(
                    b"HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                );
            }
            (
                "206 Partial Content",
                format!("Content-Range: bytes {start}-{}/{}\r\n", end - 1, file.len()),
                &file[start..end],
            )
        }
    };
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n{extra}Connection: close\r\n\r\n", body.len());
    client.write_all(head.as_bytes())?;
    client.write_all(body)
}
