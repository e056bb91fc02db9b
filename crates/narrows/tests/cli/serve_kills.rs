//! `narrows serve` under load, with thousands of clients, with clients that stay away, and killed.
#![cfg(unix)]

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::folder::{Folder, ordinary};
use crate::service::Service;

/// Longer than any answer takes, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(60);

/// The bytes of an answer as far as they came, and whether that is all of it by its own account.
fn taken(stream: &mut TcpStream) -> (Vec<u8>, bool) {
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all);
    let Some(end) = all.windows(4).position(|window| window == b"\r\n\r\n") else { return (all, false) };
    let head = String::from_utf8_lossy(&all[..end]).to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
    let body = all.split_off(end + 4);
    let is_whole = length == Some(body.len());
    (body, is_whole)
}

fn request(path: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n");
    [head.as_bytes(), headers.as_bytes(), b"\r\n", body].concat()
}

#[test]
fn killed_under_load_it_has_answered_in_full_or_not_at_all() {
    let folder = Folder::with_model();
    let expected = folder.run("score m.narrows train.csv").succeeds().stdout;
    let mut service = Service::start(&folder, "");
    let sent = request("/v2/models/m/score", "Accept: text/csv\r\n", folder.read("train.csv").as_bytes());
    let (answered, cut) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    let Ok(mut stream) = TcpStream::connect(&service.address) else { break };
                    stream.set_read_timeout(Some(PATIENCE)).unwrap();
                    if stream.write_all(&sent).is_err() {
                        break;
                    }
                    let (body, is_whole) = taken(&mut stream);
                    if is_whole {
                        assert_eq!(String::from_utf8_lossy(&body), expected);
                        answered.fetch_add(1, Ordering::Relaxed);
                    } else {
                        assert!(expected.as_bytes().starts_with(&body) || body.starts_with(b"HTTP"), "{body:?}");
                        cut.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
        let start = Instant::now();
        while answered.load(Ordering::Relaxed) < 20 && start.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(10));
        }
        service.signal("-KILL");
        is_over.store(true, Ordering::Relaxed);
    });
    assert!(answered.load(Ordering::Relaxed) >= 20);
    service.wait();
    // It holds nothing that has to be repaired.
    let again = Service::start(&folder, "");
    let stream = again.send("/v2/models/m/score", "Accept: text/csv\r\n", folder.read("train.csv"));
    assert_eq!(Service::receive(stream), expected);
}

#[test]
fn sigterm_ends_it_in_time_whatever_it_computes() {
    let folder = Folder::with_model();
    let mut service = Service::start(&folder, "--threads 1 --drain 1");
    let text = ordinary(300_000);
    let waiting: Vec<TcpStream> =
        (0..3).map(|_| service.send("/v2/models/m/score?explain=4", "Content-Type: text/csv\r\n", &text)).collect();
    thread::sleep(Duration::from_millis(500));
    let start = Instant::now();
    service.signal("-TERM");
    let (code, log) = service.wait();
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    assert!(code == 0 && log.contains("cut off") && log.contains("\"event\":\"stopped\""), "{code}: {log}");
    drop(waiting);
}

/// Files that this process may have open, without those that other tests need.
#[cfg(target_os = "linux")]
fn spare_files() -> usize {
    let limits = fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let most = line.split_whitespace().nth(3).unwrap();
    most.parse::<usize>().unwrap_or(usize::MAX).saturating_sub(600)
}

/// Megabytes of the process that are in memory.
#[cfg(target_os = "linux")]
fn megabytes(service: &Service) -> f64 {
    let status = fs::read_to_string(format!("/proc/{}/status", service.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<f64>().unwrap() / 1024.0
}

#[test]
#[cfg(target_os = "linux")]
fn ten_thousand_silent_connections_keep_nobody_out() {
    let folder = Folder::with_model();
    let service = Service::start(&folder, "");
    let before = megabytes(&service);
    let n = spare_files().min(10_000);
    let mut silent = Vec::with_capacity(n);
    let mut slowest = Duration::ZERO;
    for i in 0..n {
        silent.push(TcpStream::connect(&service.address).unwrap());
        if i % 500 == 0 || i + 1 == n {
            let start = Instant::now();
            let mut stream = TcpStream::connect(&service.address).unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            stream.write_all(b"GET /v2/health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
            let (body, is_whole) = taken(&mut stream);
            assert!(is_whole && body.starts_with(b"{\"live\":true"), "{i}: {}", String::from_utf8_lossy(&body));
            slowest = slowest.max(start.elapsed());
        }
    }
    assert!(slowest < Duration::from_secs(1), "{slowest:?} with {n} connections");
    let stream = service.send("/v2/models/m/score", "Accept: text/csv\r\n", ordinary(50));
    assert_eq!(Service::receive(stream).lines().count(), 51);
    let grown = megabytes(&service) - before;
    assert!(grown < 300.0, "{grown:.0} MB for {n} connections");
}

/// Scores `requests` times `rows` rows and tells by how many megabytes the process grew once it was warm.
#[cfg(target_os = "linux")]
fn grown(requests: usize, rows: usize) -> f64 {
    let folder = Folder::with_model();
    let service = Service::start(&folder, "");
    let text = ordinary(rows);
    let mut warm = None;
    for i in 0..requests {
        let stream = service.send("/v2/models/m/score", "Accept: text/csv\r\n", &text);
        assert_eq!(Service::receive(stream).lines().count(), rows + 1);
        if i == requests / 5 {
            warm = Some(megabytes(&service));
        }
    }
    megabytes(&service) - warm.unwrap()
}

#[test]
#[cfg(target_os = "linux")]
fn memory_does_not_grow_with_the_rows_scored() {
    let grown = grown(100, 1000);
    assert!(grown < 20.0, "{grown:.1} MB");
}

#[test]
#[cfg(target_os = "linux")]
#[ignore = "a million rows take half a minute in the dev profile"]
fn memory_does_not_grow_over_a_million_rows() {
    let grown = grown(500, 2000);
    assert!(grown < 20.0, "{grown:.1} MB");
}
