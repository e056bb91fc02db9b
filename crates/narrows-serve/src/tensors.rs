//! Tensors of the Open Inference Protocol: a request's inputs as a table. One tensor is one column, or a single tensor
//! holds all columns side by side. Values are JSON, or bytes behind it.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray, UInt64Array};
use axum::body::Bytes;
use narrows_core::data::{Table, with_null_for_nan};
use narrows_core::error::nearest;
use serde_json::{Map, Value};

use crate::queue::GivenRows;
use crate::refusal::Refusal;
use crate::served::ServedModel;
use crate::values::{Cells, Datatype, shown};

/// Bytes of JSON that are looked through for the names of fields.
const LOOK: usize = 64 << 10;

/// A request to `infer`.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) id: Option<String>,
    inputs: Vec<Value>,
    pub(crate) outputs: AskedOutputs,
    /// Bytes behind the JSON.
    tail: Bytes,
}

/// The outputs that are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AskedOutputs {
    All { is_binary: bool },
    Some(Vec<AskedOutput>),
}

/// An output that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AskedOutput {
    pub(crate) name: String,
    pub(crate) is_binary: bool,
}

/// A tensor that has been read.
struct Input {
    name: String,
    shape: Vec<usize>,
    cells: Cells,
}

/// JSON in which numbers may be NaN, as Python's clients write it.
pub(crate) fn json_of(bytes: &[u8]) -> Result<Value, Refusal> {
    let first = match serde_json::from_slice(bytes) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    let lenient = with_null_for_nan(bytes).and_then(|text| serde_json::from_slice(&text).ok());
    lenient.ok_or_else(|| Refusal::bad(format!("the body: expected JSON, got an error: {first}")))
}

/// Whether JSON looks like a request to `infer` rather than like rows.
pub(crate) fn is_request(bytes: &[u8]) -> bool {
    let bytes = &bytes[..bytes.len().min(LOOK)];
    let has = |word: &[u8]| bytes.windows(word.len()).any(|window| window == word);
    bytes.trim_ascii_start().starts_with(b"{") && has(b"\"inputs\"") && has(b"\"datatype\"")
}

impl Request {
    /// Parses a body, of which the first `json_length` bytes are JSON, or all.
    pub(crate) fn parse(bytes: &Bytes, json_length: Option<usize>) -> Result<Request, Refusal> {
        let length = json_length.unwrap_or(bytes.len());
        if length > bytes.len() {
            let message = "Inference-Header-Content-Length: expected at most the length of the body";
            return Err(Refusal::bad(format!("{message}, {} bytes, got {length}", bytes.len())));
        }
        let Value::Object(mut fields) = json_of(&bytes[..length])? else {
            return Err(Refusal::bad("the body: expected an object with `inputs`, got another value"));
        };
        let inputs = match fields.remove("inputs") {
            Some(Value::Array(inputs)) if !inputs.is_empty() => inputs,
            Some(_) => return Err(Refusal::bad("inputs: expected an array of at least one tensor, got another value")),
            None => {
                let message =
                    "inputs: expected an array of tensors, got none; GET the model's metadata for their names";
                return Err(Refusal::bad(message));
            }
        };
        let id = match fields.remove("id") {
            None | Some(Value::Null) => None,
            Some(Value::String(id)) => Some(id),
            Some(other) => return Err(Refusal::bad(format!("id: expected text, got {}", shown(&other)))),
        };
        let all_binary = flag(&fields, "binary_data_output", "the request")?.unwrap_or(false);
        let outputs = match fields.remove("outputs") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(outputs)) => {
                outputs.iter().map(|output| asked(output, all_binary)).collect::<Result<_, _>>()?
            }
            Some(other) => return Err(Refusal::bad(format!("outputs: expected an array, got {}", shown(&other)))),
        };
        let mut names = HashSet::new();
        if let Some(twice) = outputs.iter().find(|output| !names.insert(output.name.as_str())) {
            return Err(Refusal::bad(format!("outputs: expected each output once, got `{}` twice", twice.name)));
        }
        let outputs = match outputs.is_empty() {
            true => AskedOutputs::All { is_binary: all_binary },
            false => AskedOutputs::Some(outputs),
        };
        Ok(Request { id, inputs, outputs, tail: bytes.slice(length..) })
    }

    /// The tensors as they came.
    pub(crate) fn inputs(&self) -> &[Value] {
        &self.inputs
    }

    /// Bytes behind the JSON.
    pub(crate) fn tail(&self) -> &[u8] {
        &self.tail
    }

    /// The inputs as a table, if the model has the outputs that are asked for.
    pub(crate) fn rows(&self, model: &ServedModel, max_rows: usize) -> Result<GivenRows, Refusal> {
        self.outputs.of(model)?;
        let mut tail = &self.tail[..];
        let inputs: Vec<Input> =
            self.inputs.iter().map(|input| Input::read(input, &mut tail)).collect::<Result<_, _>>()?;
        if !tail.is_empty() {
            let message = "the body: expected as many bytes behind the JSON as `binary_data_size` says";
            return Err(Refusal::bad(format!("{message}, got {} more", tail.len())));
        }
        let columns = model.columns();
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        let given: Vec<(String, ArrayRef)> = match &inputs[..] {
            [one] if !names.contains(&one.name.as_str()) && one.shape.len() == 2 => one.matrix(&names)?,
            all => all.iter().map(|input| input.column(&names)).collect::<Result<_, _>>()?,
        };
        let rows = given.first().map_or(0, |(_, array)| array.len());
        if rows == 0 {
            return Err(Refusal::bad("inputs: expected at least one row, got none"));
        }
        Refusal::check_rows(rows, max_rows)?;
        Ok(GivenRows { table: Table::from_arrays(given, "inputs")?.as_part(), warnings: Vec::new() })
    }
}

impl AskedOutputs {
    /// Names and datatypes of the outputs, each with whether it is to be binary.
    pub(crate) fn of(&self, model: &ServedModel) -> Result<Vec<(&'static str, &'static str, bool)>, Refusal> {
        let known = model.outputs();
        let asked = match self {
            AskedOutputs::All { is_binary } => {
                return Ok(known.into_iter().map(|(name, datatype)| (name, datatype, *is_binary)).collect());
            }
            AskedOutputs::Some(asked) => asked,
        };
        let one = |AskedOutput { name, is_binary }: &AskedOutput| {
            let found = known.iter().find(|(known, _)| known == name);
            found.map(|(name, datatype)| (*name, *datatype, *is_binary)).ok_or_else(|| {
                let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
                Refusal::bad(format!("outputs: expected {}, got `{name}`", names.join(", ")))
            })
        };
        asked.iter().map(one).collect()
    }
}

fn asked(output: &Value, all_binary: bool) -> Result<AskedOutput, Refusal> {
    let wrong = || Refusal::bad(format!("outputs: expected objects with `name`, got {}", shown(output)));
    let fields = output.as_object().ok_or_else(wrong)?;
    let name = fields.get("name").and_then(Value::as_str).ok_or_else(wrong)?.to_owned();
    let is_binary = flag(fields, "binary_data", &format!("output `{name}`"))?.unwrap_or(all_binary);
    Ok(AskedOutput { name, is_binary })
}

/// A parameter that is true or false.
fn flag(fields: &Map<String, Value>, name: &str, place: &str) -> Result<Option<bool>, Refusal> {
    match fields.get("parameters").and_then(|parameters| parameters.get(name)) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(value)) => Ok(Some(*value)),
        Some(other) => Err(Refusal::bad(format!("{place}: expected true or false for `{name}`, got {}", shown(other)))),
    }
}

impl Input {
    fn read(input: &Value, tail: &mut &[u8]) -> Result<Input, Refusal> {
        let Some(name) = input.get("name").and_then(Value::as_str) else {
            return Err(Refusal::bad(format!("inputs: expected tensors with `name`, got {}", shown(input))));
        };
        let wrong = |message: String| Refusal::bad(format!("input `{name}`: {message}"));
        let datatype = input.get("datatype").and_then(Value::as_str).unwrap_or_default();
        let datatype: Datatype = datatype.parse().map_err(wrong)?;
        let shape = input.get("shape").and_then(Value::as_array);
        let shape: Option<Vec<usize>> = shape.and_then(|shape| {
            shape.iter().map(|size| size.as_u64().and_then(|size| usize::try_from(size).ok())).collect()
        });
        let Some(shape) = shape.filter(|shape| matches!(shape.len(), 1 | 2)) else {
            let got = input.get("shape").map_or("none".to_owned(), shown);
            return Err(wrong(format!("expected a shape [rows] or [rows, columns], got {got}")));
        };
        let Some(count) = shape.iter().try_fold(1_usize, |count, size| count.checked_mul(*size)) else {
            return Err(wrong(format!("expected a shape of numbers that can be counted, got {shape:?}")));
        };
        let size = input.get("parameters").and_then(|parameters| parameters.get("binary_data_size"));
        let cells = match (size, input.get("data")) {
            (None, Some(data)) => Cells::of_json(datatype, data, count).map_err(wrong)?,
            (Some(size), None) => {
                let bytes = size.as_u64().and_then(|size| usize::try_from(size).ok());
                let Some((bytes, rest)) = bytes.and_then(|size| tail.split_at_checked(size)) else {
                    let message = format!("expected a `binary_data_size` of at most the {} bytes left", tail.len());
                    return Err(wrong(format!("{message}, got {}", shown(size))));
                };
                *tail = rest;
                Cells::of_bytes(datatype, bytes, count).map_err(wrong)?
            }
            (None, None) => return Err(wrong("expected `data` or `binary_data_size`, got neither".to_owned())),
            (Some(_), Some(_)) => return Err(wrong("expected `data` or `binary_data_size`, got both".to_owned())),
        };
        Ok(Input { name: name.to_owned(), shape, cells })
    }

    /// The tensor as a column of the model.
    fn column(&self, names: &[&str]) -> Result<(String, ArrayRef), Refusal> {
        let Input { name, shape, cells } = self;
        if !names.contains(&name.as_str()) {
            let near = nearest(name, names.iter().copied());
            let meant = near.first().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            let listed = names.iter().take(30).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            return Err(Refusal::bad(format!("inputs: expected columns of the model, {listed}, got `{name}`{meant}")));
        }
        match shape[..] {
            [_] | [_, 1] => Ok((name.clone(), cells.array(0, 1))),
            _ => Err(Refusal::bad(format!("input `{name}`: expected the shape [rows] or [rows, 1], got {shape:?}"))),
        }
    }

    /// The tensor as all columns of the model.
    fn matrix(&self, names: &[&str]) -> Result<Vec<(String, ArrayRef)>, Refusal> {
        let width = names.len();
        if self.shape[1] == width {
            return Ok((0..width).map(|i| (names[i].to_owned(), self.cells.array(i, width))).collect());
        }
        if self.shape[1] == 1 {
            return Ok(vec![self.column(names)?]);
        }
        let message = format!("expected one tensor for each column, or one of shape [rows, {width}] for all");
        Err(Refusal::bad(format!("input `{}`: {message}, got the shape {:?}", self.name, self.shape)))
    }
}

impl Cells {
    /// Every `step`th cell from `first` on.
    fn array(&self, first: usize, step: usize) -> ArrayRef {
        match self {
            Cells::Numbers(cells) => {
                Arc::new(cells.iter().skip(first).step_by(step).copied().collect::<Float64Array>())
            }
            Cells::Whole(cells) => {
                let cells = cells.iter().skip(first).step_by(step);
                // What the largest of one type cannot hold, the other can: a tensor is of one type.
                match cells.clone().flatten().any(|x| i64::try_from(*x).is_err()) {
                    true => Arc::new(cells.map(|x| x.and_then(|x| u64::try_from(x).ok())).collect::<UInt64Array>()),
                    false => Arc::new(cells.map(|x| x.and_then(|x| i64::try_from(x).ok())).collect::<Int64Array>()),
                }
            }
            Cells::Flags(cells) => Arc::new(cells.iter().skip(first).step_by(step).copied().collect::<BooleanArray>()),
            Cells::Words(cells) => {
                Arc::new(cells.iter().skip(first).step_by(step).map(Option::as_deref).collect::<StringArray>())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(body: &str) -> String {
        Request::parse(&Bytes::from(body.to_owned()), None).unwrap_err().message
    }

    #[test]
    fn a_request_is_checked_before_it_is_queued() {
        assert!(refused("{").starts_with("the body: expected JSON, got an error: EOF"));
        assert!(refused("[]").contains("expected an object with `inputs`"));
        assert!(refused("{\"inputs\": []}").contains("at least one tensor"));
        assert!(refused("{\"inputs\": [{}], \"id\": 1}").contains("id: expected text, got `1`"));
        assert!(refused("{\"inputs\": [{}], \"outputs\": [1]}").contains("expected objects with `name`, got `1`"));
        let bytes = Bytes::from_static(b"{}");
        assert!(Request::parse(&bytes, Some(9)).unwrap_err().message.contains("2 bytes, got 9"));
    }

    #[test]
    fn nan_is_read_as_missing() {
        assert_eq!(json_of(b"[NaN, 1.5]").unwrap(), serde_json::json!([null, 1.5]));
        assert!(json_of(b"[NaN").is_err());
    }

    #[test]
    fn binary_outputs_are_asked_for_one_by_one_or_together() {
        let parse = |text: &'static str| Request::parse(&Bytes::from_static(text.as_bytes()), None).unwrap().outputs;
        let outputs = parse(r#"{"inputs":[{}],"outputs":[{"name":"score","parameters":{"binary_data":true}}]}"#);
        assert_eq!(outputs, AskedOutputs::Some(vec![AskedOutput { name: "score".to_owned(), is_binary: true }]));
        let outputs = parse(r#"{"inputs":[{}],"parameters":{"binary_data_output":true}}"#);
        assert_eq!(outputs, AskedOutputs::All { is_binary: true });
        assert_eq!(parse(r#"{"inputs":[{}]}"#), AskedOutputs::All { is_binary: false });
        let twice = refused(r#"{"inputs": [{}], "outputs": [{"name": "score"}, {"name": "score"}]}"#);
        assert!(twice.contains("each output once, got `score` twice"), "{twice}");
    }
}
