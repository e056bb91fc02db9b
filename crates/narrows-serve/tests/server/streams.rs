//! Streams: rows as they arrive, scored as `narrows score --follow` scores them.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use narrows_core::data::{LineReader, Table};
use narrows_core::recipe::{DataKind, Preset};
use narrows_core::{Dataset, Model, Recipe, Roles, SeriesModel, Session, fit};
use narrows_serve::ServeLimits;
use serde_json::{Value, json};

use crate::client::{Answered, PATIENCE, exchange, get, post, request};
use crate::fixture::{Served, expected, model, rows, scores, table};

const STREAM: &str = "/v2/models/s/stream/line-1";
const WINDOW: usize = 16;

/// Points of a wave, as lines of JSON; every tenth lacks its value.
fn points(range: std::ops::Range<u32>) -> Vec<String> {
    let value = |i: u32| if i % 10 == 9 { "null".to_owned() } else { (f64::from(i) * 0.4).sin().to_string() };
    range.map(|i| format!("{{\"second\": {i}, \"x\": {}}}\n", value(i))).collect()
}

/// The bytes of a small model of series, of this seed.
fn series(seed: usize) -> Vec<u8> {
    static MODELS: [OnceLock<Vec<u8>>; 2] = [OnceLock::new(), OnceLock::new()];
    let fitted = || {
        let mut recipe = Recipe::preset_for(Preset::Simple, DataKind::Series);
        for assignment in ["train.steps=40", "data.window=16", &format!("seed={seed}")] {
            recipe.set(assignment).unwrap();
        }
        let x = (0..400).map(|i| (f64::from(i) * 0.4).sin() + 0.01 * f64::from(i * 7919 % 13)).collect();
        let table = Table::from_columns(vec![("second", (0..400).map(f64::from).collect()), ("x", x)]).unwrap();
        let roles = Roles { time: Some("second".to_owned()), ..Roles::default() };
        fit(&recipe, Dataset::table(table, roles), &Session::default()).unwrap().to_bytes()
    };
    MODELS[seed].get_or_init(fitted).clone()
}

fn served(limits: ServeLimits) -> Served {
    let served = Served::with(limits, None);
    fs::write(served.path("s.narrows"), series(0)).unwrap();
    served.logged("\"model\":\"s\"");
    served
}

/// The scores of the library's stream, to the bit.
fn streamed(model: &SeriesModel, lines: &[String]) -> Vec<Option<u64>> {
    let reader = LineReader::json(vec!["second".to_owned(), "x".to_owned()], "lines");
    let mut stream = model.stream().unwrap();
    let rows = lines.iter().map(|line| reader.read(line.as_bytes(), 0).unwrap().unwrap());
    rows.map(|row| Some(stream.push(&row).unwrap().score).filter(|score| !score.is_nan()).map(f64::to_bits)).collect()
}

/// The lines of an answer that came in chunks.
fn lines(answer: &Answered) -> Vec<Value> {
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.bytes));
    assert_eq!(answer.headers["content-type"], "application/x-ndjson");
    let (mut rest, mut text) = (&answer.bytes[..], Vec::new());
    while let Some(end) = rest.windows(2).position(|pair| pair == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
        text.extend_from_slice(&rest[end + 2..][..size]);
        rest = &rest[end + 4 + size..];
    }
    String::from_utf8(text).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn send(at: SocketAddr, path: &str, body: &str) -> Vec<Value> {
    lines(&post(at, path, &[("Content-Type", "application/x-ndjson")], body))
}

fn scores_of(lines: &[Value]) -> Vec<Option<u64>> {
    lines.iter().map(|line| line["score"].as_f64().map(f64::to_bits)).collect()
}

/// A request whose body is still being sent.
struct OpenRequest {
    write: TcpStream,
    read: BufReader<TcpStream>,
}

impl OpenRequest {
    fn new(at: SocketAddr, path: &str) -> OpenRequest {
        let mut write = TcpStream::connect(at).unwrap();
        write.set_read_timeout(Some(PATIENCE)).unwrap();
        let head = "Host: localhost\r\nTransfer-Encoding: chunked\r\nContent-Type: application/x-ndjson\r\n\r\n";
        write.write_all(format!("POST {path} HTTP/1.1\r\n{head}").as_bytes()).unwrap();
        let read = BufReader::new(write.try_clone().unwrap());
        let mut request = OpenRequest { write, read };
        let status = request.line();
        assert!(status.starts_with("HTTP/1.1 200"), "{status}");
        while !request.line().is_empty() {}
        request
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.read.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn push(&mut self, text: &str) {
        self.write.write_all(format!("{:x}\r\n{text}\r\n", text.len()).as_bytes()).unwrap();
    }

    /// The next line of JSON, whatever chunk it is in.
    fn next(&mut self) -> Value {
        loop {
            let line = self.line();
            if line.starts_with('{') {
                return serde_json::from_str(&line).unwrap();
            }
        }
    }
}

#[test]
fn an_answer_comes_while_the_body_is_open_and_has_the_scores_of_a_stream() {
    let served = served(ServeLimits::default());
    let rows = points(0..60);
    let mut request = OpenRequest::new(served.address(), STREAM);
    let found: Vec<Value> = rows
        .iter()
        .map(|row| {
            request.push(row);
            request.next()
        })
        .collect();
    let model = Model::from_bytes(&series(0)).unwrap().into_series().unwrap();
    assert_eq!(scores_of(&found), streamed(&model, &rows));
    assert_eq!((&found[3]["row"], &found[3]["flag"], &found[3]["second"]), (&json!(3), &json!("warm_up"), &json!(3.0)));
    assert!(found[WINDOW - 1]["score"].is_f64(), "{}", found[WINDOW - 1]);
    let state = get(served.address(), STREAM).json();
    assert_eq!((&state["rows"], &state["is_open"], &state["invalid_rows"]), (&json!(60), &json!(true), &json!(0)));
    assert_eq!(state["series"], json!([{"series": "", "last_time": "59", "warm_up_left": 0}]), "{state}");
    // A second writer would mix up the rows.
    post(served.address(), STREAM, &[], &rows[0]).refused(409, &["one request at a time"]);
    // Deleted, it ends.
    let deleted = exchange(served.address(), &request_of("DELETE"));
    assert_eq!((deleted.status, &deleted.json()["rows"]), (200, &json!(60)));
    let told = request.next();
    assert!(told["error"].as_str().unwrap().contains("the stream was deleted; row 60"), "{told}");
    get(served.address(), STREAM).refused(404, &["that POST has begun", "`line-1`"]);
    let line: Value = serde_json::from_str(&served.logged("\"event\":\"stream\"")).unwrap();
    assert_eq!((&line["rows"], &line["stream"]), (&json!(60), &json!("line-1")));
}

fn request_of(method: &str) -> Vec<u8> {
    request(method, STREAM, &[], b"")
}

#[test]
fn state_is_kept_over_many_requests_and_apart_by_id() {
    let served = served(ServeLimits::default());
    let rows = points(0..40);
    let model = Model::from_bytes(&series(0)).unwrap().into_series().unwrap();
    let mut found = Vec::new();
    for (i, some) in rows.chunks(7).enumerate() {
        found.extend(send(served.address(), STREAM, &some.concat()));
        // Another stream is at its beginning.
        let other = send(served.address(), &format!("/v2/models/s/stream/other-{i}"), &some[0]);
        assert_eq!((&other[0]["row"], &other[0]["flag"]), (&json!(0), &json!("warm_up")));
    }
    assert_eq!(scores_of(&found), streamed(&model, &rows));
    let numbers: Vec<u64> = found.iter().map(|line| line["row"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (0..40).collect::<Vec<_>>());
    let state = get(served.address(), "/v2/models/s/stream/other-0").json();
    assert_eq!(state["series"][0]["warm_up_left"], WINDOW - 1, "{state}");
    let reasons = send(served.address(), &format!("{STREAM}?explain=1"), "{\"second\": 40, \"x\": 9}");
    assert_eq!(reasons[0]["reasons"][0]["column"], "x", "{}", reasons[0]);
}

#[test]
fn a_bad_row_is_told_with_its_number_and_the_stream_goes_on() {
    let served = served(ServeLimits::default());
    let rows = points(0..30);
    let bad = [&rows[0][..], "{\"second\":\n", "[1]\n", "\n", &rows[1], "{\"second\": 1, \"x\": 2}\n"].concat();
    let bad = format!("{bad}{{\"second\": 2, \"x\": \"{}\"}}\n", "y".repeat(1 << 20));
    let found = send(served.address(), STREAM, &(bad + &rows[2..].concat()));
    let error = |i: usize| (found[i]["row"].as_u64().unwrap(), found[i]["error"].as_str().unwrap_or_default());
    assert!(error(1).0 == 1 && error(1).1.contains("row 1"), "{:?}", error(1));
    assert!(error(2).1.contains("expected a JSON object"), "{:?}", error(2));
    assert!(error(4).0 == 4 && error(4).1.contains("expected a time after 1"), "{:?}", error(4));
    assert!(error(5).1.contains("expected at most 1048576 bytes in a line"), "{:?}", error(5));
    let model = Model::from_bytes(&series(0)).unwrap().into_series().unwrap();
    let good: Vec<Value> = found.into_iter().filter(|line| line.get("error").is_none()).collect();
    assert_eq!(scores_of(&good), streamed(&model, &rows));
    assert_eq!(get(served.address(), STREAM).json()["invalid_rows"], 4);
}

#[test]
fn rows_of_a_table_are_scored_by_themselves() {
    let served = Served::new();
    let text = rows(200);
    let records: Value = {
        let mut lines = text.lines().skip(1);
        lines
            .by_ref()
            .map(|line| {
                let cells: Vec<&str> = line.split(',').collect();
                let number = |cell: &str| cell.parse::<f64>().map_or(Value::Null, |x| json!(x));
                json!({"a": number(cells[0]), "b": number(cells[1]), "c": number(cells[2]), "word": cells[3]})
            })
            .collect()
    };
    let body: String = records.as_array().unwrap().iter().map(|record| format!("{record}\n")).collect();
    let found = send(served.address(), "/v2/models/m/stream/x", &body);
    assert_eq!(scores_of(&found), scores(&expected(&model(0), &text, 0)));
    assert_eq!(table(&text).n_rows(), found.len());
    let state = get(served.address(), "/v2/models/m/stream/x").json();
    assert_eq!(state["rows"], 200);
    assert!(state["warnings"][0].as_str().unwrap().contains("missing"), "{state}");
    assert!(get(served.address(), "/metrics").text().contains("narrows_rows_scored_total{model=\"m\""));
}

#[test]
fn a_new_version_of_the_model_starts_the_stream_anew_and_says_so() {
    let served = served(ServeLimits::default());
    let rows = points(0..60);
    let mut request = OpenRequest::new(served.address(), STREAM);
    request.push(&rows[..20].concat());
    let before: Vec<Value> = (0..20).map(|_| request.next()).collect();
    fs::write(served.path("s.draft"), series(1)).unwrap();
    fs::rename(served.path("s.draft"), served.path("s.narrows")).unwrap();
    let start = Instant::now();
    let version = |served: &Served| get(served.address(), "/v2/models/s").json()["versions"][0].clone();
    let first = get(served.address(), STREAM).json()["model_version"].clone();
    while version(&served) == first {
        assert!(start.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(20));
    }
    request.push(&rows[20..].concat());
    let told = request.next();
    assert!(told["warning"].as_str().unwrap().contains("the stream starts anew with row 20"), "{told}");
    let after: Vec<Value> = (20..60).map(|_| request.next()).collect();
    let model = |seed| Model::from_bytes(&series(seed)).unwrap().into_series().unwrap();
    assert_eq!(scores_of(&before), streamed(&model(0), &rows[..20]));
    assert_eq!(scores_of(&after), streamed(&model(1), &rows[20..]));
    assert_eq!((&after[0]["row"], &after[0]["flag"]), (&json!(20), &json!("warm_up")));
    let state = get(served.address(), STREAM).json();
    assert_eq!((&state["since_row"], &state["rows"]), (&json!(20), &json!(60)));
}

#[test]
fn streams_are_bounded_and_forgotten() {
    let limits = ServeLimits { streams: 2, stream_idle: Duration::from_secs(1), ..ServeLimits::default() };
    let served = served(limits);
    let at = served.address();
    let rows = points(0..3);
    send(at, "/v2/models/s/stream/a", &rows[0]);
    let mut held = OpenRequest::new(at, "/v2/models/s/stream/b");
    let refused = post(at, "/v2/models/s/stream/c", &[], &rows[0]);
    refused.refused(503, &["at most 2 streams", "`c`"]);
    served.logged("\"stream_forgotten\"");
    get(at, "/v2/models/s/stream/a").refused(404, &["was forgotten"]);
    let told = send(at, "/v2/models/s/stream/a", &rows[1]);
    assert!(told[0]["warning"].as_str().unwrap().contains("was forgotten; it starts anew"), "{told:?}");
    assert_eq!(told[1]["row"], 0);
    // A request without rows for so long is ended, too.
    let told = held.next();
    assert!(told["error"].as_str().unwrap().contains("expected a row within 1 s"), "{told}");
    let long = "x".repeat(129);
    post(at, &format!("/v2/models/s/stream/{long}"), &[], &rows[0]).refused(400, &["up to 128 characters"]);
}

#[test]
fn other_bodies_and_types_are_refused() {
    let served = served(ServeLimits::default());
    let at = served.address();
    post(at, STREAM, &[("Content-Type", "text/csv")], "second,x\n").refused(415, &["application/x-ndjson"]);
    post(at, STREAM, &[("Accept", "text/csv")], "{}").refused(406, &["application/x-ndjson"]);
    post(at, STREAM, &[("Content-Encoding", "gzip")], "{}").refused(415, &["Content-Encoding"]);
    post(at, "/v2/models/q/stream/x", &[], "{}").refused(404, &["expected one of `m`, `s`"]);
    post(at, &format!("{STREAM}?top=1"), &[], "{}").refused(400, &["`top`"]);
}

#[test]
fn a_stop_ends_open_streams_and_says_so() {
    let mut served = served(ServeLimits::default());
    let mut request = OpenRequest::new(served.address(), STREAM);
    request.push(&points(0..1)[0]);
    request.next();
    let stopping = std::thread::spawn(move || served.stop());
    let told = request.next();
    assert!(told["error"].as_str().unwrap().contains("the server stops; row 1"), "{told}");
    stopping.join().unwrap();
}
