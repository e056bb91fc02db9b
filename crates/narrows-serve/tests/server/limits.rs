//! What is too much, too slow or not allowed is refused, and disturbs nobody else.

use std::io::Write;
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use narrows_serve::ServeLimits;

use crate::client::{PATIENCE, answer, exchange, get, post, request};
use crate::fixture::{Served, expected, model, rows, scores};

const SCORE: &str = "/v2/models/m/score";
const KEY: &str = "0123456789abcdef0123456789abcdef";

#[test]
fn without_room_in_the_queue_a_request_is_refused_at_once() {
    let served = Served::with(ServeLimits { queue: 1, ..ServeLimits::default() }, None);
    let (at, text) = (served.address(), rows(40_000));
    let answers: Vec<_> = thread::scope(|scope| {
        let sent: Vec<_> = (0..6).map(|_| scope.spawn(|| post(at, SCORE, &[], &text))).collect();
        sent.into_iter().map(|sent| sent.join().unwrap()).collect()
    });
    let (done, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    assert!(!done.is_empty() && !refused.is_empty(), "{} done, {} refused", done.len(), refused.len());
    for answer in refused {
        answer.refused(503, &["the server is busy: expected fewer", "try again"]);
        assert_eq!(answer.headers["retry-after"], "1");
    }
    assert!(get(at, "/metrics").text().contains("narrows_requests_shed_total"));
    assert_eq!(post(at, SCORE, &[], rows(5)).status, 200);
}

#[test]
fn requests_that_are_gathered_keep_their_scores() {
    let limits = ServeLimits { max_delay: Duration::from_millis(200), ..ServeLimits::default() };
    let served = Served::with(limits, None);
    let at = served.address();
    let text = rows(41);
    let lines: Vec<&str> = text.lines().collect();
    let all = scores(&expected(&model(0), &text, 0));
    // Of the last, a cell is missing; another has words where numbers belong. What is told of them is told to them alone.
    let one = |i: usize| format!("{}\n{}\n", lines[0], lines[i + 1]);
    let odd = "a,b,c,word\nx,y,z,red\n";
    let alone = post(at, SCORE, &[], odd).json();
    assert!(alone["warnings"].to_string().contains("`x`"), "{alone}");
    thread::scope(|scope| {
        let gathered = scope.spawn(|| post(at, SCORE, &[], odd).json());
        let plain = scope.spawn(|| post(at, SCORE, &[], one(0)).json());
        let sent: Vec<_> =
            (0..41).map(|i| scope.spawn(move || post(at, SCORE, &[("Accept", "text/csv")], one(i)))).collect();
        for (i, sent) in sent.into_iter().enumerate() {
            assert_eq!(scores(&sent.join().unwrap().text()), [all[i]], "row {i}");
        }
        assert_eq!(gathered.join().unwrap(), alone);
        assert_eq!(plain.join().unwrap()["warnings"].to_string(), "[]");
    });
    let metrics = get(at, "/metrics").text();
    let of = |name: &str| metrics.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<f64>().ok()).unwrap();
    assert!(of("narrows_inference_batch_rows_count") < 41.0, "{metrics}");
}

#[test]
fn bodies_and_rows_have_limits() {
    let served = Served::with(ServeLimits { max_body: 10_000, max_rows: 20, ..ServeLimits::default() }, None);
    let at = served.address();
    post(at, SCORE, &[], rows(21)).refused(413, &["at most 20 rows"]);
    post(at, SCORE, &[], "x".repeat(10_001)).refused(413, &["at most 10000 bytes"]);
    // Without a length told beforehand.
    let mut chunked =
        b"POST /v2/models/m/score HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
            .to_vec();
    for _ in 0..20 {
        chunked.extend(b"400\r\n");
        chunked.extend([b'x'; 1024]);
        chunked.extend(b"\r\n");
    }
    chunked.extend(b"0\r\n\r\n");
    exchange(at, &chunked).refused(413, &["at most 10000 bytes"]);
    assert_eq!(post(at, SCORE, &[], rows(20)).status, 200);
}

#[test]
fn a_small_body_cannot_unfold_to_a_large_table() {
    let served = Served::with(ServeLimits { max_body: 10_000, ..ServeLimits::default() }, None);
    let zipped = |rows: usize| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(format!("a,b,c,word\n{}", "0,1,10,red\n".repeat(rows)).as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    assert_eq!(post(served.address(), SCORE, &[], zipped(10)).status, 200);
    assert!(zipped(100_000).len() < 10_000);
    post(served.address(), SCORE, &[], zipped(100_000)).refused(413, &["at most 10000 bytes once unfolded"]);
    // Cells that take more memory than bytes.
    let sparse = format!(
        "{{{}}}\n{}",
        (0..900).map(|i| format!("\"a{i}\":1,")).collect::<String>() + "\"a\":1",
        "{}\n".repeat(300)
    );
    let wide = post(served.address(), SCORE, &[("Content-Type", "application/x-ndjson")], sparse);
    assert!([400, 413].contains(&wide.status), "{}", wide.status);
}

#[test]
fn requests_under_other_names_are_refused() {
    let served = Served::named(&["models.example"]);
    let at = served.address();
    let asked =
        |host: &str| exchange(at, format!("GET /v2 HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").as_bytes());
    for host in ["localhost", "127.0.0.1:8080", "[::1]", "models.example:443"] {
        assert_eq!(asked(host).status, 200, "{host}");
    }
    asked("rebound.example").refused(421, &["Host: expected localhost", "`rebound.example`", "allowed"]);
    let health = exchange(at, b"GET /v2/health/live HTTP/1.1\r\nHost: a.b\r\nConnection: close\r\n\r\n");
    assert_eq!(health.status, 421);
    assert_eq!(exchange(at, b"GET /v2 HTTP/1.0\r\n\r\n").status, 200);
}

#[test]
fn a_slow_client_stalls_nobody_and_is_refused_in_the_end() {
    let served = Served::with(ServeLimits { timeout: Duration::from_secs(2), ..ServeLimits::default() }, None);
    let at = served.address();
    let mut slow: Vec<TcpStream> = (0..20).map(|_| TcpStream::connect(at).unwrap()).collect();
    for stream in &mut slow {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let whole = request("POST", SCORE, &[], rows(100).as_bytes());
        stream.write_all(&whole[..whole.len() / 2]).unwrap();
    }
    let start = Instant::now();
    assert_eq!(post(at, SCORE, &[], rows(5)).status, 200);
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    answer(&mut slow[0]).refused(408, &["within 2 s"]);
}

#[test]
fn a_key_is_needed_for_all_but_health() {
    let served = Served::with(ServeLimits::default(), Some(&format!("# ours\n{KEY}\n")));
    let at = served.address();
    let with = |path: &str, header: (&str, &str)| exchange(at, &request("GET", path, &[header], b""));
    for path in ["/v2/models/m", "/metrics", "/openapi.json", "/nowhere", "/v2"] {
        get(at, path).refused(401, &["X-API-Key"]);
        with(path, ("X-API-Key", "0123456789abcdef0123456789abcdeF")).refused(401, &[]);
        assert_ne!(with(path, ("X-API-Key", KEY)).status, 401, "{path}");
        assert_ne!(with(path, ("Authorization", &format!("Bearer {KEY}"))).status, 401, "{path}");
    }
    for path in ["/v2/health/live", "/v2/health/ready", "/health", "/ping"] {
        assert_eq!(get(at, path).status, 200, "{path}");
    }
    post(at, SCORE, &[], rows(5)).refused(401, &[]);
    assert_eq!(post(at, SCORE, &[("X-API-Key", KEY)], rows(5)).status, 200);
}

#[test]
fn made_up_methods_are_counted_as_one_and_unread_bodies_end_the_connection() {
    let served = Served::new();
    let at = served.address();
    for method in ["ZZ1", "ZZ2"] {
        exchange(at, &request(method, "/v2/models", &[], b""));
    }
    let metrics = get(at, "/metrics").text();
    assert!(metrics.contains("method=\"other\"") && !metrics.contains("ZZ1"), "{metrics}");
    let unknown = post(at, "/v2/models/nope/score", &[], rows(3));
    assert_eq!((unknown.status, unknown.headers.get("connection").map(String::as_str)), (404, Some("close")));
}

#[test]
fn hidden_files_are_no_models_and_names_that_recur_take_no_time() {
    let served = Served::new();
    let at = served.address();
    std::fs::write(served.path(".x.narrows"), "junk").unwrap();
    std::fs::write(served.path("y.narrows"), "junk").unwrap();
    let logged = served.logged("y.narrows");
    assert!(!logged.contains(".x.narrows"), "{logged}");
    let many = format!("a,b,{}word\n1,2,{}red\n", "c,".repeat(200_000), "3,".repeat(200_000));
    let start = std::time::Instant::now();
    post(at, SCORE, &[("Content-Type", "text/csv")], many);
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}
