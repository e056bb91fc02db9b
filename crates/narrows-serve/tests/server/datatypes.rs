//! Tensors have to hold what their datatypes say.

use serde_json::{Value, json};

use crate::client::{Answered, post};
use crate::fixture::Served;

/// The answer for tensors of which one is replaced.
fn asked(served: &Served, replaced: &str, tensor: Value) -> Answered {
    let mut inputs = vec![
        json!({"name": "a", "datatype": "FP64", "shape": [1], "data": [0.25]}),
        json!({"name": "b", "datatype": "FP64", "shape": [1], "data": [1]}),
        json!({"name": "c", "datatype": "INT64", "shape": [1], "data": [10]}),
        json!({"name": "word", "datatype": "BYTES", "shape": [1], "data": ["red"]}),
    ];
    for input in inputs.iter_mut().filter(|input| input["name"] == replaced) {
        *input = tensor.clone();
    }
    post(served.address(), "/v2/models/m/infer", &[], json!({"inputs": inputs}).to_string())
}

fn check_refused(served: &Served, name: &str, datatype: &str, data: Value, fragments: &[&str]) {
    let answer = asked(served, name, json!({"name": name, "datatype": datatype, "shape": [1], "data": [data]}));
    answer.refused(400, &[&[&format!("input `{name}`"), datatype], fragments].concat());
}

#[test]
fn what_is_not_of_its_datatype_is_refused_with_its_place() {
    let served = Served::new();
    check_refused(&served, "c", "INT64", json!(1.5), &["value 0", "a whole number", "got `1.5`"]);
    check_refused(&served, "c", "INT8", json!(128), &["from -128 to 127"]);
    check_refused(&served, "c", "UINT32", json!(-1), &["from 0 to 4294967295"]);
    check_refused(&served, "c", "FP32", json!(1e39), &["`1e+39`"]);
    check_refused(&served, "c", "FP64", json!("ten"), &["\"ten\""]);
    let text = asked(&served, "word", json!({"name": "word", "datatype": "BYTES", "shape": [1], "data": [7]}));
    text.refused(400, &["input `word`", "expected text"]);
    let flag = asked(&served, "a", json!({"name": "a", "datatype": "BOOL", "shape": [1], "data": [2]}));
    flag.refused(400, &["true, false or null"]);
    let twice = json!({"name": "b", "datatype": "FP64", "shape": [1], "data": [1]});
    asked(&served, "a", twice).refused(400, &["`b`", "more than once"]);
}

#[test]
fn whole_numbers_of_every_datatype_are_scored_alike() {
    let served = Served::new();
    let score = |tensor: Value| asked(&served, "c", tensor).json()["outputs"][0]["data"][0].clone();
    let expected = score(json!({"name": "c", "datatype": "FP64", "shape": [1], "data": [10.0]}));
    assert!(expected.is_number());
    for datatype in ["INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64", "FP16", "FP32"] {
        for data in [json!(10), json!(10.0)] {
            let found = score(json!({"name": "c", "datatype": datatype, "shape": [1, 1], "data": [[data]]}));
            assert_eq!(found, expected, "{datatype}");
        }
    }
}
