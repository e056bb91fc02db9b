//! Clients that are silent or slow, however many: they keep nobody out.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use narrows_serve::ServeLimits;

use crate::client::{PATIENCE, answer, get, post, request};
use crate::fixture::{Served, rows};

const SCORE: &str = "/v2/models/m/score";
/// No answer may take longer while others are silent.
const SOON: Duration = Duration::from_secs(1);

fn connect(at: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(at).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

#[track_caller]
fn check_health(at: SocketAddr) {
    let start = Instant::now();
    assert_eq!(get(at, "/v2/health/live").status, 200);
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
}

/// Whether the server has closed the connection.
fn is_closed(stream: &mut TcpStream) -> bool {
    stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    match stream.read(&mut [0; 1]) {
        Ok(read) => read == 0,
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    }
}

#[test]
fn silent_connections_give_way_the_oldest_first() {
    let served = Served::with(ServeLimits { connections: 40, ..ServeLimits::default() }, None);
    let at = served.address();
    let mut silent: Vec<TcpStream> = (0..200).map(|_| connect(at)).collect();
    check_health(at);
    let closed: Vec<bool> = silent.iter_mut().map(is_closed).collect();
    assert!(closed[..150].iter().all(|closed| *closed) && !closed[165..].contains(&true), "{closed:?}");
    let metrics = get(at, "/metrics").text();
    let of = |name: &str| metrics.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<f64>().ok()).unwrap();
    assert!(of("narrows_connections_open") <= 40.0 && of("narrows_connections_ended_total") >= 160.0, "{metrics}");
    // One that was kept is of use.
    let last = silent.last_mut().unwrap();
    last.set_read_timeout(Some(PATIENCE)).unwrap();
    last.write_all(&request("GET", "/v2", &[], b"")).unwrap();
    assert_eq!(answer(last).status, 200);
}

#[test]
fn a_request_that_is_worked_on_does_not_give_way() {
    let served = Served::with(ServeLimits { connections: 20, ..ServeLimits::default() }, None);
    let at = served.address();
    let text = rows(30_000);
    thread::scope(|scope| {
        let large = scope.spawn(|| post(at, SCORE, &[("Accept", "text/csv")], &text).text());
        // The body has arrived as soon as it is seen to be queued or computed.
        thread::sleep(Duration::from_millis(100));
        let silent: Vec<TcpStream> = (0..100).map(|_| connect(at)).collect();
        check_health(at);
        assert_eq!(large.join().unwrap().lines().count(), 30_001);
        drop(silent);
    });
}

#[test]
fn heads_that_do_not_end_are_cut_off_and_bodies_are_refused() {
    let limits =
        ServeLimits { head: Duration::from_millis(500), timeout: Duration::from_secs(1), ..ServeLimits::default() };
    let served = Served::with(limits, None);
    let at = served.address();
    let whole = request("POST", SCORE, &[], rows(50).as_bytes());
    let head = whole.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let (mut in_head, mut in_body) = (connect(at), connect(at));
    let start = Instant::now();
    in_body.write_all(&whole[..head + 4]).unwrap();
    // A byte now and then, which is no progress to speak of.
    thread::scope(|scope| {
        scope.spawn(|| {
            for byte in whole[..head].chunks(1).take(30) {
                if in_head.write_all(byte).is_err() {
                    break;
                }
                thread::sleep(Duration::from_millis(50));
            }
            assert!(is_closed(&mut in_head));
        });
        let mut sending = in_body.try_clone().unwrap();
        let rest = &whole[head + 4..];
        scope.spawn(move || {
            for byte in rest.chunks(1).take(30) {
                if sending.write_all(byte).is_err() {
                    break;
                }
                thread::sleep(Duration::from_millis(50));
            }
        });
        answer(&mut in_body).refused(408, &["within 1 s"]);
        assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
        check_health(at);
    });
}

#[test]
fn a_truncated_upload_is_no_request() {
    let served = Served::new();
    let at = served.address();
    let whole = request("POST", SCORE, &[], rows(50).as_bytes());
    for cut in [10, whole.len() / 2, whole.len() - 1] {
        let mut stream = connect(at);
        stream.write_all(&whole[..cut]).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut all = Vec::new();
        let _ = stream.read_to_end(&mut all);
        assert!(!all.starts_with(b"HTTP/1.1 200"), "{cut}: {}", String::from_utf8_lossy(&all));
    }
    // Nothing of them was scored.
    assert!(!get(at, "/metrics").text().contains("narrows_rows_scored_total{"));
    assert_eq!(post(at, SCORE, &[], rows(5)).status, 200);
}
