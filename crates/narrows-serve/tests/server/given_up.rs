//! Work that nobody waits for any more ends: it keeps no thread from others, nor the server from ending.

use std::io::Write;
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use narrows_serve::ServeLimits;

use crate::client::{PATIENCE, answer, get, post, request};
use crate::fixture::{Served, rows};

const SCORE: &str = "/v2/models/m/score?explain=4";

/// A request that takes this server long, as sent.
fn long_request() -> Vec<u8> {
    request("POST", SCORE, &[("Content-Type", "text/csv")], rows(300_000).as_bytes())
}

fn sent(served: &Served, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(served.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(bytes).unwrap();
    stream
}

#[test]
fn a_request_whose_time_is_over_gives_its_thread_back() {
    let limits = ServeLimits { timeout: Duration::from_secs(2), ..ServeLimits::default() };
    let served = Served::with(limits, None);
    let long = long_request();
    let mut waiting: Vec<TcpStream> = (0..3).map(|_| sent(&served, &long)).collect();
    for stream in &mut waiting {
        answer(stream).refused(503, &["an answer within 2 s"]);
    }
    // One thread: an answer means that it is free.
    let start = Instant::now();
    assert_eq!(post(served.address(), SCORE, &[], rows(3)).status, 200);
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}

#[test]
fn a_request_whose_client_has_gone_gives_its_thread_back() {
    let served = Served::new();
    let long = long_request();
    let gone = sent(&served, &long);
    thread::sleep(Duration::from_millis(500));
    drop(gone);
    let start = Instant::now();
    assert_eq!(post(served.address(), SCORE, &[], rows(3)).status, 200);
    let took = start.elapsed();
    let metrics = get(served.address(), "/metrics").text();
    assert!(metrics.contains("narrows_rows_scored_total{") && !metrics.contains("} 300000\n"), "{metrics}");
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn the_server_ends_in_time_whatever_is_computed() {
    let limits = ServeLimits { drain: Duration::from_secs(1), ..ServeLimits::default() };
    let mut served = Served::with(limits, None);
    let long = long_request();
    let waiting: Vec<TcpStream> = (0..3).map(|_| sent(&served, &long)).collect();
    let silent = TcpStream::connect(served.address()).unwrap();
    thread::sleep(Duration::from_millis(500));
    let took = served.end();
    assert!(took < Duration::from_secs(6), "{took:?}");
    served.logged("requests were cut off");
    drop((waiting, silent));
}
