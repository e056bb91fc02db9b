//! The Open Inference Protocol, as the clients that exist speak it.

use narrows_serve::{ServeLimits, ServeOptions, Server};
use serde_json::{Value, json};

use crate::client::{Answered, exchange, get, post, request};
use crate::fixture::{Served, expected, model, rows, scores};

const INFER: &str = "/v2/models/m/infer";
const CSV: &str = "a,b,c,word\n0.25,1,10,red\n0.5,,40,blue\n";

/// The tensors of [`CSV`], in JSON.
fn inputs(missing: &str) -> String {
    format!(
        r#"{{"id": "7", "inputs": [
            {{"name": "a", "datatype": "FP64", "shape": [2, 1], "data": [0.25, 0.5]}},
            {{"name": "b", "datatype": "FP64", "shape": [2], "data": [1.0, {missing}]}},
            {{"name": "c", "datatype": "INT64", "shape": [2, 1], "data": [[10], [40]]}},
            {{"name": "word", "datatype": "BYTES", "shape": [2, 1], "parameters": {{"content_type": "str"}},
              "data": ["red", "blue"]}}]}}"#
    )
}

fn output<'a>(answer: &'a Value, name: &str) -> &'a Value {
    answer["outputs"].as_array().unwrap().iter().find(|output| output["name"] == name).unwrap()
}

fn scores_of(answer: &Value) -> Vec<Option<u64>> {
    let data = output(answer, "score")["data"].as_array().unwrap();
    data.iter().map(|score| score.as_f64().map(f64::to_bits)).collect()
}

#[test]
fn tensors_are_scored_with_and_without_a_content_type_and_with_nan() {
    let served = Served::new();
    let expected = scores(&expected(&model(0), CSV, 0));
    for (headers, missing) in [
        (&[("Content-Type", "application/json")][..], "null"),
        (&[], "NaN"),
        (&[("Content-Type", "application/octet-stream")], "NaN"),
    ] {
        let answer = post(served.address(), INFER, headers, inputs(missing)).json();
        assert_eq!(scores_of(&answer), expected, "{answer}");
        assert_eq!((&answer["id"], &answer["model_name"]), (&json!("7"), &json!("m")));
        assert_eq!(output(&answer, "is_anomaly")["datatype"], "BOOL");
        assert_eq!(output(&answer, "p_value")["shape"], json!([2]));
    }
    let version = get(served.address(), "/v2/models/m").json()["versions"][0].as_str().unwrap().to_owned();
    let path = format!("/v2/models/m/versions/{version}/infer");
    assert_eq!(scores_of(&post(served.address(), &path, &[], inputs("null")).json()), expected);
}

#[test]
fn tensors_may_be_binary_both_ways() {
    let served = Served::new();
    let numbers = |values: [f64; 2]| values.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<_>>();
    let words = ["red", "blue"].iter().flat_map(|word| [&(word.len() as u32).to_le_bytes(), word.as_bytes()].concat());
    let tensors = [numbers([0.25, 0.5]), numbers([1.0, f64::NAN]), numbers([10.0, 40.0]), words.collect()];
    let input = |name: &str, datatype: &str, bytes: &[u8]| {
        let parameters = json!({"binary_data_size": bytes.len()});
        json!({"name": name, "datatype": datatype, "shape": [2, 1], "parameters": parameters})
    };
    let names = [("a", "FP64"), ("b", "FP64"), ("c", "FP64"), ("word", "BYTES")];
    let all: Vec<Value> =
        names.iter().zip(&tensors).map(|((name, datatype), bytes)| input(name, datatype, bytes)).collect();
    let head = json!({"inputs": all, "parameters": {"binary_data_output": true}}).to_string();
    let body = [head.as_bytes(), &tensors.concat()].concat();
    let length = head.len().to_string();
    let answer = post(served.address(), INFER, &[("Inference-Header-Content-Length", &length)], &body);
    let json_length: usize = answer.headers["inference-header-content-length"].parse().unwrap();
    let json: Value = serde_json::from_slice(&answer.bytes[..json_length]).unwrap();
    let binary = &answer.bytes[json_length..];
    assert_eq!(output(&json, "score")["parameters"]["binary_data_size"], 16);
    assert_eq!(binary.len(), 16 + 16 + 2);
    let found: Vec<Option<u64>> =
        binary[..16].chunks(8).map(|bytes| Some(u64::from_le_bytes(bytes.try_into().unwrap()))).collect();
    assert_eq!(found, scores(&expected(&model(0), CSV, 0)));
    let long = "99999999";
    post(served.address(), INFER, &[("Inference-Header-Content-Length", long)], &body).refused(400, &["got 99999999"]);
    let cut = &body[..body.len() - 1];
    post(served.address(), INFER, &[("Inference-Header-Content-Length", &length)], cut)
        .refused(400, &["binary_data_size"]);
}

#[test]
fn outputs_are_those_that_are_asked_for() {
    let served = Served::new();
    let with = |outputs: &str| inputs("null").replacen('{', &format!("{{\"outputs\": {outputs}, "), 1);
    let answer = post(served.address(), INFER, &[], with(r#"[{"name": "p_value"}]"#)).json();
    assert_eq!(answer["outputs"].as_array().unwrap().len(), 1);
    assert_eq!(answer["outputs"][0]["name"], "p_value");
    let refused = post(served.address(), INFER, &[], with(r#"[{"name": "probability"}]"#));
    refused.refused(400, &["outputs: expected score, p_value, is_anomaly, got `probability`"]);
    let twice = post(served.address(), INFER, &[], with(r#"[{"name": "score"}, {"name": "score"}]"#));
    twice.refused(400, &["each output once, got `score` twice"]);
    post(served.address(), INFER, &[], with(r#"[{"name": ""}]"#)).refused(400, &["got ``"]);
}

#[test]
fn configuration_and_statistics_are_those_of_triton() {
    let served = Served::new();
    let at = served.address();
    for _ in 0..3 {
        post(at, INFER, &[], inputs("null")).text();
    }
    post(at, INFER, &[], inputs("\"x\"")).refused(400, &["FP64"]);
    let config = get(at, "/v2/models/m/config").json();
    assert_eq!((&config["name"], &config["max_batch_size"]), (&json!("m"), &json!(0)));
    assert_eq!(config["input"][0], json!({"name": "a", "data_type": "TYPE_FP64", "dims": [-1, 1]}));
    assert_eq!(config["input"][3]["data_type"], "TYPE_STRING");
    assert_eq!(config["output"][2], json!({"name": "is_anomaly", "data_type": "TYPE_BOOL", "dims": [-1]}));
    let statistics = get(at, "/v2/models/m/stats").json();
    let model = &statistics["model_stats"][0];
    assert_eq!((&model["inference_count"], &model["execution_count"]), (&json!(6), &json!(3)), "{statistics}");
    assert_eq!(model["inference_stats"]["success"]["count"], 3, "{statistics}");
    assert_eq!(model["inference_stats"]["fail"]["count"], 1, "{statistics}");
    get(at, "/v2/models/n/config").refused(404, &["expected one of `m`"]);
    get(at, "/v2/models/m/versions/9/stats").refused(404, &["`9`"]);
}

#[test]
fn a_row_without_a_score_is_null() {
    let served = Served::new();
    let body = inputs("null").replace("0.5", "null").replace("40", "null").replace("\"blue\"", "null");
    let answer = post(served.address(), INFER, &[], body).json();
    assert!(output(&answer, "score")["data"][1].is_null(), "{answer}");
    assert!(output(&answer, "is_anomaly")["data"][1].is_null(), "{answer}");
}

#[test]
fn metadata_says_what_a_request_looks_like() {
    let served = Served::new();
    let at = served.address();
    let metadata = get(at, "/v2/models/m").json();
    let names: Vec<&str> = metadata["inputs"].as_array().unwrap().iter().map(|i| i["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["a", "b", "c", "word"]);
    assert_eq!(metadata["inputs"][0], json!({"name": "a", "datatype": "FP64", "shape": [-1, 1]}));
    let word = json!({"name": "word", "datatype": "BYTES", "shape": [-1, 1], "parameters": {"content_type": "str"}});
    assert_eq!(metadata["inputs"][3], word);
    for path in ["/v2", "/v2/"] {
        assert_eq!(get(at, path).json()["name"], "narrows");
    }
    for path in ["/v2/health/live", "/v2/health/ready", "/v2/models/m/ready", "/ping", "/health", "/version"] {
        assert_eq!(get(at, path).status, 200, "{path}");
    }
    let index = post(at, "/v2/repository/index", &[], "{}").json();
    assert_eq!((&index[0]["name"], &index[0]["state"]), (&json!("m"), &json!("READY")));
    let document = get(at, "/openapi.json").json();
    assert_eq!(document["openapi"], "3.1.0");
    for (path, operations) in document["paths"].as_object().unwrap() {
        let place = path.replace("{model}", "m").replace("{version}", metadata["versions"][0].as_str().unwrap());
        for method in operations.as_object().unwrap().keys() {
            let answer = exchange(at, &request(&method.to_uppercase(), &place, &[], b""));
            // Streams and uploads are named by those who make them.
            let is_absent = answer.status == 404 && !path.contains("{id}");
            assert!(!is_absent && ![405, 500].contains(&answer.status), "{method} {path}: {}", answer.status);
        }
    }
    let metrics = get(at, "/metrics").text();
    assert!(metrics.contains("narrows_model_info{model=\"m\",version=\""), "{metrics}");
}

fn check(answer: &Answered, status: u16, fragments: &[&str]) {
    answer.refused(status, fragments);
    assert!(answer.headers.contains_key("x-request-id"));
}

#[test]
fn every_refusal_is_json_and_says_what_to_do() {
    let served = Served::new();
    let at = served.address();
    check(&get(at, "/nowhere"), 404, &["/nowhere", "/openapi.json"]);
    check(&get(at, "/v2/models/n"), 404, &["expected one of `m`, got `n`"]);
    check(&get(at, "/v2/models/..%2f..%2fetc%2fpasswd"), 404, &["expected one of `m`"]);
    check(&get(at, "/v2/models/%ff"), 400, &[]);
    check(&get(at, "/v2/models/m/versions/9"), 404, &["expected the version", "`9`"]);
    check(&get(at, INFER), 405, &["another method, got GET"]);
    check(&exchange(at, &request("PATCH", "/v2", &[], b"")), 405, &["PATCH"]);
    check(&post(at, INFER, &[], "{"), 400, &["expected JSON"]);
    check(&post(at, INFER, &[], ""), 400, &["expected JSON"]);
    check(&post(at, INFER, &[], "{}"), 400, &["inputs: expected"]);
    let one = |name: &str, rest: &str| format!(r#"{{"inputs": [{{"name": "{name}", {rest}}}]}}"#);
    let tensor = r#""datatype": "FP64", "shape": [1], "data": [1]"#;
    check(&post(at, INFER, &[], one("aa", tensor)), 400, &["got `aa`", "did you mean `a`?"]);
    check(&post(at, INFER, &[], one("a", tensor)), 400, &["`b`", "`c`"]);
    check(
        &post(at, INFER, &[], one("a", r#""datatype": "FP65", "shape": [1], "data": [1]"#)),
        400,
        &["FP64", "`FP65`"],
    );
    check(&post(at, INFER, &[], one("a", r#""datatype": "FP64", "shape": [2], "data": [1]"#)), 400, &["got 1"]);
    check(&post(at, INFER, &[], one("a", r#""datatype": "FP64", "shape": [-1], "data": [1]"#)), 400, &["shape"]);
    let huge = r#""datatype": "FP64", "shape": [4294967296, 4294967296], "data": [1]"#;
    check(&post(at, INFER, &[], one("a", huge)), 400, &["shape"]);
    check(&post(at, "/v2/models/m/score", &[("Content-Type", "application/pdf")], "x"), 415, &["application/pdf"]);
    check(&post(at, "/v2/models/m/score", &[("Content-Encoding", "br")], "x"), 415, &["Content-Encoding"]);
    check(&post(at, "/v2/models/m/score", &[], ""), 400, &["the body", "at least one row"]);
    check(&post(at, "/v2/models/m/score", &[], "a,b,c,word\n"), 400, &["at least one row"]);
    check(&post(at, "/v2/models/m/score", &[], "x,y\n1,2\n"), 400, &["`a`"]);
    check(
        &post(at, "/v2/models/m/score", &[("Content-Type", "image/png")], "\u{89}PNG"),
        400,
        &["of images", "of tables"],
    );
    let deep = "[".repeat(100_000);
    check(&post(at, INFER, &[], deep), 400, &["expected JSON"]);
}

#[test]
fn a_request_has_an_id_and_a_line_in_the_log() {
    let served = Served::new();
    let headers = [("X-Request-Id", "abc-123")];
    let answer = post(served.address(), "/v2/models/m/score", &headers, rows(5));
    assert_eq!(answer.headers["x-request-id"], "abc-123");
    let line: Value = serde_json::from_str(&served.logged("abc-123")).unwrap();
    assert_eq!((&line["status"], &line["rows"], &line["model"]), (&json!(200), &json!(5), &json!("m")), "{line}");
    assert!(get(served.address(), "/v2").headers["x-request-id"].len() > 16);
    assert!(!answer.headers.contains_key("access-control-allow-origin"));
    assert!(answer.headers["content-security-policy"].contains("default-src 'none'"));
}

#[test]
fn a_platform_may_have_paths_of_its_own() {
    let served = Served::changed(ServeLimits::default(), Some("0123456789abcdef"), |options, _| ServeOptions {
        predict_route: Some("/v1/endpoints/7:predict".to_owned()),
        health_route: Some("/alive".to_owned()),
        ..options
    });
    assert_eq!(get(served.address(), "/alive").status, 200);
    let key = [("X-API-Key", "0123456789abcdef")];
    let answer = post(served.address(), "/v1/endpoints/7:predict", &key, CSV).json();
    assert_eq!(answer["predictions"].as_array().unwrap().len(), 2, "{answer}");
    post(served.address(), "/v1/endpoints/7:predict", &[], CSV).refused(401, &["API key"]);
    let start = |path: &str| {
        Server::start(ServeOptions {
            models: vec![served.path("m.narrows")],
            port: 0,
            predict_route: Some(path.to_owned()),
            ..ServeOptions::default()
        })
    };
    assert!(start("predict").unwrap_err().to_string().contains("got `predict`"));
    assert!(start("/a/{b}").is_err());
    start("/invocations").unwrap();
}
