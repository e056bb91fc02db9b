//! Model files that change while they are served.

use std::collections::BTreeSet;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use narrows_core::Model;
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
    fs::write(served.path("m.narrows"), model(1)).unwrap();
    let start = Instant::now();
    while version(&served) == first {
        assert!(start.elapsed() < Duration::from_secs(30), "the good file was not loaded");
        thread::sleep(Duration::from_millis(20));
    }
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
