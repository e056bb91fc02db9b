//! Pages for people: what they may do, and that their data are those of the command.

use serde_json::Value;

use crate::client::{exchange, get, post, request};
use crate::fixture::{Served, expected, model, rows, scores};

#[test]
fn pages_and_scripts_have_a_strict_policy_and_name_nothing_elsewhere() {
    let served = Served::new();
    for path in ["/", "/models/m"] {
        let page = get(served.address(), path);
        let html = page.text();
        assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
        let policy = &page.headers["content-security-policy"];
        assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self';"), "{policy}");
        assert!(html.contains("src=\"/ui/main.js\"") && html.contains("id=\"host\""), "{path}");
        assert!(!html.contains("http://") && !html.contains("https://"), "{path} names an address elsewhere");
        assert!(
            !html.contains(" onclick=") && !html.contains("<script>"),
            "{path} has a script that the policy refuses"
        );
    }
    let script = get(served.address(), "/ui/main.js");
    assert!(script.text().contains("import "), "a module");
    assert_eq!(script.headers["content-type"], "text/javascript; charset=utf-8");
    get(served.address(), "/ui/..%2fmain.js").refused(404, &["expected a script of the pages"]);
    get(served.address(), "/models/n").refused(404, &["`n`"]);
}

#[test]
fn a_report_has_the_scores_of_the_command_and_what_was_expected() {
    let served = Served::new();
    let mut text = rows(120);
    text.push_str("0.1,0.9,99.5,red\n");
    let answer = post(served.address(), "/v2/models/m/report?name=new.csv", &[], &text).json();
    let found: Vec<Option<u64>> =
        answer["rows"]["score"].as_array().unwrap().iter().map(|score| score.as_f64().map(f64::to_bits)).collect();
    assert_eq!(found, scores(&expected(&model(0), &text, 0)));
    assert_eq!((&answer["source"], answer["read"].as_u64()), (&Value::from("new.csv"), Some(121)));
    assert_eq!(answer["details"]["of"][0], 120);
    assert_eq!(answer["details"]["reasons"][0][0]["column"], "c");
    assert!(answer["drift"]["has_drifted"].is_boolean() && answer["verdict"].as_str().unwrap().contains("of 121 rows"));
    let labelled = "a,b,c,word,fault\n0.25,1,10,red,no\n0.5,0.8,40,blue,yes\n0.2,0.9,10,red,no\n";
    let answer =
        post(served.address(), "/v2/models/m/report?label=fault&normal=no", &[("Content-Type", "text/csv")], labelled)
            .json();
    assert_eq!(answer["rows"]["label"], serde_json::json!([0, 1, 0]));
    assert!(answer["metrics"]["auc_roc"]["value"].is_number(), "{}", answer["metrics"]);
    post(served.address(), "/v2/models/m/report?normal=no", &[], labelled).refused(400, &["?label="]);
    post(served.address(), "/v2/models/m/report?labels=x", &[], labelled).refused(400, &["got `labels`"]);
}

#[test]
fn a_browser_shows_a_key_as_a_password_but_not_for_other_sites() {
    let served = Served::with(narrows_serve::ServeLimits::default(), Some("0123456789abcdef\n"));
    let refused = get(served.address(), "/");
    refused.refused(401, &["expected an API key"]);
    assert!(refused.headers["www-authenticate"].contains("Basic realm="), "{:?}", refused.headers);
    // me:0123456789abcdef
    let basic = "Basic bWU6MDEyMzQ1Njc4OWFiY2RlZg==";
    let with = |headers: &[(&str, &str)]| exchange(served.address(), &request("GET", "/models/m", headers, b"")).status;
    assert_eq!(with(&[("Authorization", basic)]), 200);
    assert_eq!(with(&[("Authorization", basic), ("Sec-Fetch-Site", "same-origin")]), 200);
    assert_eq!(with(&[("Authorization", basic), ("Sec-Fetch-Site", "cross-site")]), 401);
}
