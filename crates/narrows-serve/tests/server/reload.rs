//! Model files that change while they are served.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use narrows_core::Model;
use narrows_serve::{ServeOptions, Server};
use serde_json::Value;

use crate::client::{get, post};
use crate::fixture::{Served, expected, model, rows, scores};

const SCORE: &str = "/v2/models/m/score";

fn version(served: &Served) -> String {
    get(served.address(), "/v2/models/m").json()["versions"][0].as_str().unwrap().to_owned()
}

fn check(answer: &Value, first: &str) {
    let seed = if answer["model_version"] == first { 0 } else { 1 };
    let found = answer["rows"].as_array().unwrap().iter().map(|row| row["score"].as_f64().map(f64::to_bits));
    assert_eq!(found.collect::<Vec<_>>(), scores(&expected(&model(seed), &rows(20), 0)));
}

#[test]
fn a_new_file_is_served_without_a_request_lost() {
    let served = Served::new();
    let (at, first, other) = (served.address(), version(&served), Model::from_bytes(&model(1)).unwrap());
    let is_over = AtomicBool::new(false);
    let versions: BTreeSet<String> = thread::scope(|scope| {
        let clients: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    let mut seen = BTreeSet::new();
                    while !is_over.load(Ordering::Relaxed) {
                        let answer = post(at, SCORE, &[], rows(20)).json();
                        check(&answer, &first);
                        seen.insert(answer["model_version"].as_str().unwrap().to_owned());
                    }
                    seen
                })
            })
            .collect();
        other.save(served.path("m.narrows")).unwrap();
        let start = Instant::now();
        while version(&served) == first && start.elapsed() < Duration::from_secs(30) {
            thread::sleep(Duration::from_millis(20));
        }
        thread::sleep(Duration::from_millis(200));
        is_over.store(true, Ordering::Relaxed);
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    assert!(version(&served) != first && versions.contains(&version(&served)), "{versions:?}");
    assert!(
        get(at, "/metrics")
            .text()
            .contains(&format!("narrows_model_info{{model=\"m\",version=\"{}\"}} 1", version(&served)))
    );
}

#[test]
fn a_broken_file_leaves_the_last_good_model() {
    let served = Served::new();
    let first = version(&served);
    fs::write(served.path("m.narrows"), &model(1)[..500]).unwrap();
    let line: Value = serde_json::from_str(&served.logged("\"event\":\"reload\"")).unwrap();
    assert_eq!((line["level"].as_str(), line["kept"].as_str()), (Some("error"), Some(first.as_str())), "{line}");
    assert_eq!(version(&served), first);
    check(&post(served.address(), SCORE, &[], rows(20)).json(), &first);
    let index = post(served.address(), "/v2/repository/index", &[], "").json();
    let reason = index[0]["reason"].as_str().unwrap();
    assert_eq!((&index[0]["state"], &index[0]["version"]), (&"READY".into(), &first.as_str().into()), "{index}");
    assert!(reason.contains("still served") && reason.contains("m.narrows"), "{reason}");
    assert!(!reason.contains(served.path("").to_str().unwrap()), "{reason}");
    assert_eq!(get(served.address(), "/v2/models").json()["models"][0]["reason"], index[0]["reason"]);
    let metrics = |line: &str| get(served.address(), "/metrics").text().lines().any(|found| found == line);
    assert!(metrics("narrows_model_last_reload_successful{model=\"m\"} 0"));
    assert!(metrics("narrows_model_reload_failures_total{model=\"m\"} 1"));
    fs::write(served.path("m.narrows"), model(1)).unwrap();
    let start = Instant::now();
    while version(&served) == first {
        assert!(start.elapsed() < Duration::from_secs(30), "the good file was not loaded");
        thread::sleep(Duration::from_millis(20));
    }
    served.logged(&format!("\"version\":\"{}\"", version(&served)));
    assert_eq!(post(served.address(), "/v2/repository/index", &[], "").json()[0]["reason"], "");
    assert!(metrics("narrows_model_last_reload_successful{model=\"m\"} 1"));
    assert!(metrics("narrows_model_reload_failures_total{model=\"m\"} 1"));
}

#[test]
fn a_file_that_never_could_be_loaded_is_listed_as_unavailable() {
    let served = Served::new();
    fs::write(served.path("n.narrows"), "junk").unwrap();
    served.logged("\"event\":\"reload\"");
    let index = |body: &str| post(served.address(), "/v2/repository/index", &[], body).json();
    let all = index("{}");
    assert_eq!((all.as_array().unwrap().len(), &all[1]["state"]), (2, &"UNAVAILABLE".into()), "{all}");
    assert!(all[1]["reason"].as_str().unwrap().contains("cannot be loaded"), "{all}");
    assert_eq!(index("{\"ready\": true}").as_array().unwrap().len(), 1);
    get(served.address(), "/v2/models/n").refused(404, &["expected one of `m`"]);
    post(served.address(), "/v2/repository/index", &[], "[1]").refused(400, &["expected an object"]);
    post(served.address(), "/v2/repository/index", &[], "{\"ready\": 1}").refused(400, &["true or false"]);
    fs::remove_file(served.path("n.narrows")).unwrap();
    served.logged("\"event\":\"forgotten\"");
    assert_eq!(index("").as_array().unwrap().len(), 1);
    assert!(!get(served.address(), "/metrics").text().contains("last_reload_successful{model=\"n\"}"));
}

#[test]
fn the_same_file_twice_is_refused_with_both_places() {
    let served = Served::new();
    let start = |models: Vec<PathBuf>| {
        let options = ServeOptions { models, port: 0, ..ServeOptions::default() };
        Server::start(options).err().map(|error| error.to_string())
    };
    let file = served.path("m.narrows");
    let folder = served.path("");
    let twice = start(vec![file.clone(), file.clone()]).unwrap();
    assert!(twice.contains("got this one twice") && twice.matches("m.narrows").count() == 2, "{twice}");
    assert!(start(vec![folder.clone(), file.clone()]).unwrap().contains("twice"));
    fs::create_dir(served.path("other")).unwrap();
    fs::write(served.path("other/m.narrows"), model(1)).unwrap();
    let alike = start(vec![file.clone(), served.path("other")]).unwrap();
    assert!(alike.contains("`m` is also that of") && alike.matches("m.narrows").count() == 2, "{alike}");
}

#[test]
fn files_of_a_folder_come_and_go() {
    let served = Served::new();
    fs::write(served.path("n.narrows"), model(1)).unwrap();
    served.logged("\"model\":\"n\"");
    assert_eq!(get(served.address(), "/v2/models/n").status, 200);
    post(served.address(), "/invocations", &[], rows(2)).refused(400, &["?model=", "m, n"]);
    assert_eq!(post(served.address(), "/invocations?model=n", &[], rows(2)).status, 200);
    fs::remove_file(served.path("n.narrows")).unwrap();
    served.logged("\"event\":\"unloaded\"");
    get(served.address(), "/v2/models/n").refused(404, &["expected one of `m`"]);
}
