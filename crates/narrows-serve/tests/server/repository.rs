//! Models by API: uploaded, loaded, unloaded, deleted, and refused.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use narrows_serve::{ServeLimits, ServeOptions};
use serde_json::json;

use crate::client::{Answered, exchange, get, post, request};
use crate::fixture::{Served, expected, model, rows, scores};

const KEY: &str = "0123456789abcdef";
const HEADERS: [(&str, &str); 1] = [("X-API-Key", KEY)];
const N: &str = "/v2/repository/models/n";

fn served() -> Served {
    Served::changed(ServeLimits::default(), Some(KEY), |options, folder| {
        let uploads = folder.join("uploads");
        fs::create_dir(&uploads).unwrap();
        ServeOptions { uploads: Some(uploads), ..options }
    })
}

fn put(at: SocketAddr, path: &str, body: &[u8]) -> Answered {
    let length = body.len().to_string();
    let headers = [HEADERS[0], ("Content-Length", &length)];
    exchange(at, &request("PUT", path, &headers, body))
}

fn delete(at: SocketAddr, path: &str) -> Answered {
    exchange(at, &request("DELETE", path, &HEADERS, b""))
}

fn with_key(at: SocketAddr, path: &str) -> Answered {
    exchange(at, &request("GET", path, &HEADERS, b""))
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    entries.collect()
}

#[test]
fn a_model_is_uploaded_replaced_unloaded_loaded_and_deleted() {
    let served = served();
    let at = served.address();
    let answer = put(at, N, &model(0));
    assert_eq!((answer.status, &answer.json()["kind"]), (201, &json!("table")));
    let scored = |seed: u64| {
        let answer = post(at, "/v2/models/n/score", &[HEADERS[0], ("Accept", "text/csv")], rows(5)).text();
        assert_eq!(scores(&answer), scores(&expected(&model(seed), &rows(5), 0)));
    };
    scored(0);
    assert_eq!(put(at, N, &model(1)).status, 200);
    scored(1);
    assert_eq!(fs::read(served.path("uploads/n.narrows")).unwrap(), model(1));
    assert_eq!(names(&served.path("uploads")), ["n.narrows"], "no draft is left");
    assert_eq!(post(at, &format!("{N}/unload"), &HEADERS, "").status, 200);
    assert_eq!(with_key(at, "/v2/models/n").status, 404);
    // Not by the next look at the files either.
    std::thread::sleep(std::time::Duration::from_millis(200));
    assert_eq!(with_key(at, "/v2/models/n").status, 404);
    let index = post(at, "/v2/repository/index", &HEADERS, "").json();
    assert_eq!((&index[1]["name"], &index[1]["state"]), (&json!("n"), &json!("UNAVAILABLE")), "{index}");
    assert_eq!(post(at, &format!("{N}/load"), &HEADERS, "{}").json()["name"], "n");
    scored(1);
    assert_eq!(delete(at, N).status, 200);
    assert_eq!(with_key(at, "/v2/models/n").status, 404);
    assert_eq!(names(&served.path("uploads")), [""; 0]);
    served.logged("\"event\":\"uploaded\"");
    served.logged("\"event\":\"deleted\"");
}

#[test]
fn what_is_damaged_leaves_nothing_behind() {
    let served = served();
    let at = served.address();
    put(at, N, b"").refused(400, &["model file"]);
    put(at, N, &model(0)[..700]).refused(400, &["the body: expected a model file"]);
    put(at, N, b"PK\x03\x04 no model").refused(400, &["the body: expected a model file"]);
    assert_eq!(names(&served.path("uploads")), [""; 0]);
    put(at, N, &model(0));
    put(at, N, &model(1)[..700]).refused(400, &["model file"]);
    assert_eq!(fs::read(served.path("uploads/n.narrows")).unwrap(), model(0), "the good one stays");
    // A body that ends too early.
    let cut = [&request("PUT", N, &[HEADERS[0], ("Content-Length", "99999")], b"")[..], &model(1)[..300]].concat();
    let mut stream = std::net::TcpStream::connect(at).unwrap();
    std::io::Write::write_all(&mut stream, &cut).unwrap();
    drop(stream);
    assert_eq!(names(&served.path("uploads")), ["n.narrows"]);
}

#[test]
fn names_do_not_leave_the_folder() {
    let served = served();
    let at = served.address();
    for name in ["..%2Fx", ".hidden", "a%2Fb", "%2e%2e", "a%00b", "a%5Cb", "-n"] {
        put(at, &format!("/v2/repository/models/{name}"), &model(0)).refused(400, &["the name of a model"]);
        delete(at, &format!("/v2/repository/models/{name}")).refused(400, &["the name of a model"]);
    }
    assert!(!served.path("x.narrows").exists());
    // One that was not uploaded is nobody's to change.
    put(at, "/v2/repository/models/m", &model(1)).refused(409, &["got one from elsewhere"]);
    delete(at, "/v2/repository/models/m").refused(409, &["got one from elsewhere"]);
    assert!(served.path("m.narrows").exists());
    delete(at, "/v2/repository/models/q").refused(404, &["`q`"]);
}

#[test]
fn without_keys_or_a_folder_nothing_is_changed() {
    let open = Served::new();
    put(open.address(), N, &model(0)).refused(403, &["API keys"]);
    post(open.address(), "/v2/repository/models/m/load", &[], "").refused(403, &["API keys"]);
    post(open.address(), "/v2/repository/models/m/unload", &[], "").refused(403, &["API keys"]);
    assert_eq!(get(open.address(), "/v2/models/m").status, 200);
    let keyed = Served::with(ServeLimits::default(), Some(KEY));
    put(keyed.address(), N, &model(0)).refused(403, &["a folder for uploads"]);
    exchange(keyed.address(), &request("DELETE", N, &[], b"")).refused(401, &["API key"]);
}

#[test]
fn a_row_has_a_schema() {
    let served = Served::new();
    let schema = get(served.address(), "/v2/models/m/schema");
    assert_eq!(schema.headers["content-type"], "application/schema+json");
    let schema = schema.json();
    assert_eq!(schema["required"], json!(["a", "b", "c", "word"]), "{schema}");
    assert_eq!(schema["properties"]["word"]["anyOf"][0], json!({"enum": ["blue", "green", "red"]}), "{schema}");
    assert_eq!(schema["properties"]["a"]["type"], json!(["number", "null"]));
    assert!(schema["properties"]["a"]["description"].as_str().unwrap().contains("in training rows"), "{schema}");
    assert!(get(served.address(), "/openapi.json").text().contains("/v2/models/{model}/schema"));
}
