//! What was scored is compared with the rows of the fit.

use serde_json::Value;

use crate::client::{get, post};
use crate::fixture::{Served, rows};

const SCORE: &str = "/v2/models/m/score";

fn drifted(served: &Served) -> Value {
    get(served.address(), "/v2/models/m/drift").json()
}

/// The rows with another first number.
fn shifted(n: usize) -> String {
    let text = rows(n);
    let mut lines = text.lines();
    let mut moved = vec![lines.next().unwrap().to_owned()];
    moved.extend(lines.map(|line| {
        let (a, rest) = line.split_once(',').unwrap();
        format!("{},{rest}", a.parse::<f64>().unwrap() + 5.0)
    }));
    moved.join("\n")
}

#[test]
fn rows_that_have_moved_are_told() {
    let served = Served::new();
    let at = served.address();
    assert_eq!(drifted(&served)["current"]["rows"], 0);
    post(at, SCORE, &[("Content-Type", "text/csv")], rows(300));
    let like_the_fit = drifted(&served);
    assert_eq!((&like_the_fit["current"]["rows"], &like_the_fit["model_name"]), (&300.into(), &"m".into()));
    assert_eq!(like_the_fit["current"]["has_drifted"], false, "{like_the_fit}");
    assert!(get(at, "/metrics").text().contains("narrows_drift{model=\"m\"} 0"));

    post(at, SCORE, &[("Content-Type", "text/csv")], shifted(900));
    let moved = drifted(&served);
    assert_eq!((&moved["current"]["rows"], &moved["current"]["has_drifted"]), (&1200.into(), &true.into()));
    assert!(moved["current"]["findings"].to_string().contains("`a`"), "{moved}");
    let metrics = get(at, "/metrics").text();
    assert!(metrics.contains("narrows_drift{model=\"m\"} 1"), "{metrics}");
    let psi = metrics.lines().find_map(|line| line.strip_prefix("narrows_drift_psi{model=\"m\",feature=\"a\"} "));
    assert!(psi.unwrap().parse::<f64>().unwrap() > 0.1, "{metrics}");
}

#[test]
fn windows_follow_each_other_so_that_what_is_over_does_not_count() {
    let served = Served::new();
    let at = served.address();
    for text in [shifted(20_000), rows(500)] {
        post(at, SCORE, &[("Content-Type", "text/csv"), ("Accept", "text/csv")], text);
    }
    let found = drifted(&served);
    assert_eq!((&found["current"]["rows"], &found["previous"]["rows"]), (&500.into(), &20_000.into()));
    assert_eq!((&found["current"]["has_drifted"], &found["previous"]["has_drifted"]), (&false.into(), &true.into()));
}

#[test]
fn small_requests_that_are_scored_together_all_count() {
    let served = Served::new();
    let at = served.address();
    std::thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| post(at, SCORE, &[("Content-Type", "text/csv")], rows(3)));
        }
    });
    assert_eq!(drifted(&served)["current"]["rows"], 60);
}
