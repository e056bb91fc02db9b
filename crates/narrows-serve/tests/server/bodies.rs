//! Bodies and answers in all formats have the scores of the command, to the bit.

use arrow::array::AsArray;
use arrow::datatypes::Float64Type;
use narrows_core::data::{Format, InMemory, Source};
use narrows_core::output::{Sink, TableWriter};
use serde_json::{Value, json};

use crate::client::{get, post};
use crate::fixture::{Served, expected, model, rows, scores, table};

const SCORE: &str = "/v2/models/m/score";

/// Rows in the bytes of a format.
fn written(text: &str, format: Format) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = TableWriter::to(Sink::new(&mut bytes, "rows").read_as_written(), format).unwrap();
    writer.write(table(text).batch()).unwrap();
    writer.finish().unwrap();
    bytes
}

/// Scores of JSON rows, to the bit.
fn scores_of(rows: &Value) -> Vec<Option<u64>> {
    rows.as_array().unwrap().iter().map(|row| row["score"].as_f64().map(f64::to_bits)).collect()
}

#[test]
fn csv_comes_back_as_the_command_writes_it() {
    let served = Served::new();
    let text = rows(100);
    let answer = post(served.address(), SCORE, &[("Content-Type", "text/csv"), ("Accept", "text/csv")], &text);
    assert_eq!(answer.text(), expected(&model(0), &text, 0));
    let answer = post(served.address(), &format!("{SCORE}?explain=2"), &[("Accept", "text/csv")], &text);
    assert_eq!(answer.text(), expected(&model(0), &text, 2));
}

#[test]
fn every_format_of_a_body_has_the_same_scores() {
    let served = Served::new();
    let text = rows(60);
    let expected = scores(&expected(&model(0), &text, 0));
    let ndjson = written(&text, Format::Ndjson);
    let records = format!("[{}]", String::from_utf8_lossy(&ndjson).trim().replace('\n', ","));
    let bodies: [(&str, Vec<u8>); 7] = [
        ("text/csv", text.clone().into_bytes()),
        ("application/x-ndjson", ndjson),
        ("application/json", records.into_bytes()),
        ("application/vnd.apache.arrow.stream", written(&text, Format::ArrowIpc)),
        ("application/vnd.apache.parquet", written(&text, Format::Parquet)),
        ("application/octet-stream", written(&text, Format::Parquet)),
        ("application/x-www-form-urlencoded", text.clone().into_bytes()),
    ];
    for (content_type, body) in bodies {
        let answer = post(served.address(), SCORE, &[("Content-Type", content_type)], body).json();
        assert_eq!(scores_of(&answer["rows"]), expected, "{content_type}: {answer}");
        assert_eq!(answer["model_name"], "m");
    }
}

#[test]
fn every_format_of_an_answer_has_the_same_scores() {
    let served = Served::new();
    let text = rows(60);
    let expected = scores(&expected(&model(0), &text, 0));
    let lines = post(served.address(), SCORE, &[("Accept", "application/x-ndjson")], &text).text();
    let lines: Value = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).collect();
    assert_eq!(scores_of(&lines), expected);
    let arrow = post(served.address(), SCORE, &[("Accept", "application/vnd.apache.arrow.stream")], &text);
    let arrow = Source::in_memory(InMemory::new("answer", arrow.bytes)).open(100, None).unwrap().read_all().unwrap();
    let column = arrow.column("score").unwrap().as_primitive::<Float64Type>();
    assert_eq!(column.iter().map(|x| x.map(f64::to_bits)).collect::<Vec<_>>(), expected);
    post(served.address(), SCORE, &[("Accept", "text/html")], &text).refused(406, &["Accept", "text/csv"]);
}

#[test]
fn reasons_are_those_of_the_command() {
    let served = Served::new();
    let answer = post(served.address(), "/v2/models/m/explain?explain=1", &[], "a,b,c,word\n0,1,40,red\n").json();
    let reason = &answer["rows"][0]["reasons"][0];
    assert_eq!((&reason["column"], &reason["direction"]), (&json!("c"), &json!("above")), "{answer}");
    assert_eq!(answer["rows"][0]["reasons"].as_array().unwrap().len(), 1);
    let answer = post(served.address(), "/v2/models/m/explain", &[], "a,b,c,word,id\n0,1,40,red,7\n").json();
    assert!(answer["warnings"][0].as_str().unwrap().contains("`id`") || answer["warnings"] == json!([]), "{answer}");
    post(served.address(), "/v2/models/m/explain?explain=many", &[], "a\n1\n").refused(400, &["explain", "`many`"]);
    post(served.address(), "/v2/models/m/explain?top=3", &[], "a\n1\n").refused(400, &["`top`"]);
}

#[test]
fn invocations_take_what_mlflow_sends() {
    let served = Served::new();
    let expected = scores(&expected(&model(0), "a,b,c,word\n0,1,10,red\n0.5,,40,blue\n", 0));
    let columns = json!(["a", "b", "c", "word"]);
    let data = json!([[0, 1, 10, "red"], [0.5, null, 40, "blue"]]);
    let records = json!([{"a": 0, "b": 1, "c": 10, "word": "red"}, {"a": 0.5, "b": null, "c": 40, "word": "blue"}]);
    let by_column = json!({"a": [0, 0.5], "b": [1, null], "c": [10, 40], "word": ["red", "blue"]});
    for body in [
        json!({"dataframe_split": {"columns": columns, "index": [0, 1], "data": data}}),
        json!({"dataframe_records": records}),
        json!({"instances": records}),
        json!({"instances": data}),
        json!({"inputs": by_column}),
    ] {
        let headers = [("Content-Type", "application/json")];
        let answer = post(served.address(), "/invocations", &headers, body.to_string()).json();
        assert_eq!(scores_of(&answer["predictions"]), expected, "{body}: {answer}");
    }
    let csv = "a,b,c,word\n0,1,10,red\n0.5,,40,blue\n";
    let answer = post(served.address(), "/invocations", &[("Content-Type", "text/csv")], csv).json();
    assert_eq!(scores_of(&answer["predictions"]), expected);
    let short = json!({"instances": [[1, 2]]}).to_string();
    post(served.address(), "/invocations", &[], short).refused(400, &["expected 4 values a row, got 2"]);
}

#[test]
fn version_1_of_kserve_is_spoken() {
    let served = Served::new();
    let at = served.address();
    let expected = scores(&expected(&model(0), "a,b,c,word\n0,1,10,red\n0.5,,40,blue\n", 0));
    assert_eq!(get(at, "/v1/models").json(), json!({"models": ["m"]}));
    assert_eq!(get(at, "/v1/models/m").json(), json!({"name": "m", "ready": true}));
    let body = json!({"instances": [[0, 1, 10, "red"], [0.5, null, 40, "blue"]]}).to_string();
    let headers = [("Content-Type", "application/json")];
    let answer = post(at, "/v1/models/m:predict", &headers, &body).json();
    assert_eq!(scores_of(&answer["predictions"]), expected, "{answer}");
    let answer = post(at, "/v1/models/m:explain", &headers, &body).json();
    assert_eq!(scores_of(&answer["predictions"]), expected, "{answer}");
    assert_eq!(answer["predictions"][1]["reasons"][1]["column"], "c", "{answer}");
    post(at, "/v1/models/m", &headers, &body).refused(405, &["`m:predict` or `m:explain`"]);
    post(at, "/v1/models/q:predict", &headers, &body).refused(404, &["got `q`"]);
    assert!(get(at, "/openapi.json").text().contains("/v1/models/{model}:explain"));
}

#[test]
fn what_is_not_used_is_told_in_every_format() {
    let served = Served::new();
    let text = rows(3).replace("a,b,c,word", "a,b,c,word,id").replace("red", "red,1").replace("green", "green,2");
    let text = text.replace("blue", "blue,3");
    for format in [Format::Csv, Format::Ndjson, Format::ArrowIpc, Format::Parquet] {
        let body = if format == Format::Csv { text.clone().into_bytes() } else { written(&text, format) };
        let answer = post(served.address(), SCORE, &[], body).json();
        let told = answer["warnings"].to_string();
        assert!(told.contains("columns that the model does not use: `id`"), "{format}: {answer}");
    }
    let split = json!({"dataframe_split": {"columns": ["a", "b"], "data": [[1, 2], [3]]}});
    let ragged = post(served.address(), "/invocations", &[], split.to_string());
    ragged.refused(400, &["row 1: expected 2 values, one for each column, got 1"]);
}

#[test]
fn a_cell_is_read_alike_whatever_stands_beside_it() {
    let served = Served::new();
    let at = served.address();
    let good = json!({"a": 0.1, "b": 1, "c": 10, "word": "red"});
    let odd = [
        json!({"a": true, "b": 1, "c": 10, "word": "red"}),
        json!({"a": "x", "b": 1, "c": 10, "word": "red"}),
        json!({"a": [1], "b": 1, "c": 10, "word": "red"}),
        json!({"a": 0.1, "b": 1, "c": 10, "word": 7}),
        json!({"a": 0.1, "b": 1, "c": 10, "word": false}),
    ];
    let asked = |rows: Vec<&Value>| {
        let answer = post(at, SCORE, &[("Content-Type", "application/json")], json!(rows).to_string());
        let found = scores_of(&answer.json()["rows"]);
        assert_eq!(answer.status, 200);
        (found, answer.json()["warnings"].to_string())
    };
    for row in &odd {
        let (alone, told) = asked(vec![row]);
        assert!(alone[0].is_some() && told.contains("cell"), "{row}: {told}");
        assert_eq!(asked(vec![row, row]).0, [alone[0], alone[0]], "{row}");
        assert_eq!(asked(vec![&good, row]).0[1], alone[0], "{row}");
        let late: Vec<&Value> = (0..1200).map(|i| if i == 1100 { row } else { &good }).collect();
        let (many, told) = asked(late);
        assert!(many[1100] == alone[0] && told.contains("cell"), "{row}: {told}");
    }
    // A column of text where numbers belong, of one row and of two.
    for body in
        ["a,b,c,word\nx,1,10,red\n", "a,b,c,word\nx,1,10,red\ny,1,10,red\n", "a,b,c,word\nx,1,10,red\n0,1,10,red\n"]
    {
        let answer = post(at, SCORE, &[("Content-Type", "text/csv")], body).json();
        assert!(answer["warnings"].to_string().contains("`x`"), "{answer}");
    }
}
