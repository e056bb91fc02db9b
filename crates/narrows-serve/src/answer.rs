//! Answers: their formats, by what a client accepts, and their bytes.

use std::pin::Pin;
use std::task::{Context, Poll};

use arrow::array::RecordBatch;
use axum::body::{Body, Bytes, HttpBody};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use hyper::body::{Frame, SizeHint};
use narrows_core::data::Format;
use narrows_core::output::{Sink, TableWriter};
use serde_json::{Map, Value};
use tokio::sync::OwnedSemaphorePermit;

use crate::refusal::Refusal;

/// The header that says where JSON ends and binary tensors begin.
pub(crate) const JSON_LENGTH: HeaderName = HeaderName::from_static("inference-header-content-length");

/// The header of warnings beside an image.
const WARNINGS: HeaderName = HeaderName::from_static("narrows-warnings");

/// The form of scored rows in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AnswerForm {
    /// One document.
    Json,
    /// An object a line.
    Ndjson,
    Csv,
    /// Arrow's stream format.
    Arrow,
}

impl AnswerForm {
    /// What is answered to whom accepts it, in the order of preference.
    pub(crate) const TYPES: [(&'static str, AnswerForm); 8] = [
        ("application/json", AnswerForm::Json),
        ("*/*", AnswerForm::Json),
        ("application/*", AnswerForm::Json),
        ("application/x-ndjson", AnswerForm::Ndjson),
        ("application/jsonl", AnswerForm::Ndjson),
        ("text/csv", AnswerForm::Csv),
        ("text/*", AnswerForm::Csv),
        ("application/vnd.apache.arrow.stream", AnswerForm::Arrow),
    ];

    /// The form that a client prefers; JSON by default.
    pub(crate) fn accepted(headers: &HeaderMap) -> Result<AnswerForm, Refusal> {
        preferred(headers, &AnswerForm::TYPES, AnswerForm::Json)
    }

    /// All forms.
    pub(crate) const ALL: [AnswerForm; 4] = [AnswerForm::Json, AnswerForm::Ndjson, AnswerForm::Csv, AnswerForm::Arrow];

    /// The media type.
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            AnswerForm::Json => "application/json",
            AnswerForm::Ndjson => "application/x-ndjson",
            AnswerForm::Csv => "text/csv",
            AnswerForm::Arrow => "application/vnd.apache.arrow.stream",
        }
    }

    fn format(self) -> Format {
        match self {
            AnswerForm::Json | AnswerForm::Ndjson => Format::Ndjson,
            AnswerForm::Csv => Format::Csv,
            AnswerForm::Arrow => Format::ArrowIpc,
        }
    }
}

/// What a client prefers of these types; the default if it does not say.
pub(crate) fn preferred<T: Copy>(headers: &HeaderMap, types: &[(&str, T)], default: T) -> Result<T, Refusal> {
    let mut best: Option<(f32, T)> = None;
    let mut asked = Vec::new();
    for value in headers.get_all(header::ACCEPT) {
        let text = value.to_str().unwrap_or_default();
        for item in text.split(',').map(str::trim).filter(|item| !item.is_empty()) {
            asked.push(item.to_owned());
            let mut parts = item.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default().to_ascii_lowercase();
            let quality = parts.find_map(|part| part.strip_prefix("q=")).and_then(|q| q.parse().ok());
            let quality: f32 = quality.unwrap_or(1.0);
            let Some((_, form)) = types.iter().find(|(known, _)| *known == name) else { continue };
            if quality > 0.0 && best.is_none_or(|(known, _)| quality > known) {
                best = Some((quality, *form));
            }
        }
    }
    match best {
        Some((_, form)) => Ok(form),
        None if asked.is_empty() => Ok(default),
        None => {
            let known: Vec<&str> = types.iter().map(|(name, _)| *name).filter(|name| !name.contains('*')).collect();
            let message = format!("Accept: expected one of {}, got `{}`", known.join(", "), asked.join(", "));
            Err(Refusal::new(StatusCode::NOT_ACCEPTABLE, message))
        }
    }
}

/// An answer that has been computed.
#[derive(Debug)]
pub(crate) struct Answer {
    content_type: &'static str,
    bytes: Vec<u8>,
    /// Bytes of JSON before binary tensors.
    json_length: Option<usize>,
    /// What is to be told where the body has no place for it.
    warnings: Option<HeaderValue>,
    /// Rows that were scored, for the log.
    pub(crate) rows: usize,
}

impl Answer {
    /// A JSON document.
    pub(crate) fn json(value: &Value, rows: usize) -> Answer {
        let bytes = value.to_string().into_bytes();
        Answer { content_type: "application/json", bytes, json_length: None, warnings: None, rows }
    }

    /// JSON followed by the bytes of tensors.
    pub(crate) fn with_tensors(value: &Value, tensors: &[u8], rows: usize) -> Answer {
        let mut bytes = value.to_string().into_bytes();
        let json_length = Some(bytes.len());
        bytes.extend_from_slice(tensors);
        Answer { content_type: "application/octet-stream", bytes, json_length, warnings: None, rows }
    }

    /// Lines of JSON that are already text.
    pub(crate) fn lines(bytes: Vec<u8>, rows: usize) -> Answer {
        Answer { content_type: AnswerForm::Ndjson.content_type(), bytes, json_length: None, warnings: None, rows }
    }

    /// The bytes of an image.
    pub(crate) fn image(content_type: &'static str, bytes: Vec<u8>) -> Answer {
        Answer { content_type, bytes, json_length: None, warnings: None, rows: 0 }
    }

    /// The same answer with warnings in a header, in ASCII.
    pub(crate) fn with_warnings(self, warnings: &[String]) -> Answer {
        let told: String = warnings.join("; ").chars().map(|c| if matches!(c, ' '..='~') { c } else { '?' }).collect();
        let told = (!told.is_empty()).then(|| HeaderValue::try_from(told).ok()).flatten();
        Answer { warnings: told, ..self }
    }

    /// The same answer, of so many rows.
    pub(crate) fn of_rows(self, rows: usize) -> Answer {
        Answer { rows, ..self }
    }

    /// The bytes of the body.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Rows of a table. In JSON, `around` are the fields beside them.
    pub(crate) fn table(form: AnswerForm, batch: &RecordBatch, around: Map<String, Value>) -> Result<Answer, Refusal> {
        Answer::table_while(form, batch, around, || Ok(()))
    }

    /// The same, as long as `check` finds no reason to stop.
    pub(crate) fn table_while(
        form: AnswerForm,
        batch: &RecordBatch,
        around: Map<String, Value>,
        check: impl Fn() -> Result<(), Refusal>,
    ) -> Result<Answer, Refusal> {
        let rows = batch.num_rows();
        let mut bytes = written(form.format(), batch, check)?;
        if form == AnswerForm::Json {
            bytes = document(&bytes, around);
        }
        Ok(Answer { content_type: form.content_type(), bytes, json_length: None, warnings: None, rows })
    }
}

/// Rows written between two looks whether anybody waits.
const PIECE: usize = 8192;

/// A batch in the bytes of a format, as the command writes it.
fn written(format: Format, batch: &RecordBatch, check: impl Fn() -> Result<(), Refusal>) -> Result<Vec<u8>, Refusal> {
    let mut bytes = Vec::new();
    let mut writer = TableWriter::to(Sink::new(&mut bytes, "the answer").read_as_written(), format)?;
    for first in (0..batch.num_rows().max(1)).step_by(PIECE) {
        check()?;
        writer.write(&batch.slice(first, PIECE.min(batch.num_rows() - first)))?;
    }
    writer.finish()?;
    Ok(bytes)
}

/// The rows of a batch as JSON values, as the command writes them.
pub(crate) fn records(batch: &RecordBatch) -> Result<Vec<u8>, Refusal> {
    Ok(array(&written(Format::Ndjson, batch, || Ok(()))?))
}

/// Lines of JSON as an array.
fn array(lines: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(lines.len() + 2);
    text.push(b'[');
    for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        if text.len() > 1 {
            text.push(b',');
        }
        text.extend_from_slice(line);
    }
    text.push(b']');
    text
}

/// Fields, and then `rows`, an array of lines of JSON.
fn document(lines: &[u8], around: Map<String, Value>) -> Vec<u8> {
    with_array(around, "rows", &array(lines))
}

/// An object of these fields and one whose value is already text.
fn with_array(around: Map<String, Value>, name: &str, array: &[u8]) -> Vec<u8> {
    let mut text = Value::Object(around).to_string().into_bytes();
    // Without its closing brace.
    text.pop();
    if text.len() > 1 {
        text.push(b',');
    }
    text.extend_from_slice(format!("\"{name}\":").as_bytes());
    text.extend_from_slice(array);
    text.push(b'}');
    text
}

impl Answer {
    /// An object with one field, an array that is already text.
    pub(crate) fn of_array(name: &str, array: &[u8], rows: usize) -> Answer {
        let bytes = with_array(Map::new(), name, array);
        Answer { content_type: "application/json", bytes, json_length: None, warnings: None, rows }
    }
}

impl Answer {
    /// The number of bytes.
    pub(crate) fn length(&self) -> usize {
        self.bytes.len()
    }

    /// The response, which holds `room` until the client has taken the bytes or has gone.
    pub(crate) fn until_taken(self, room: OwnedSemaphorePermit) -> Response {
        let mut response = Response::new(Body::new(HeldBytes { bytes: Bytes::from(self.bytes), _room: room }));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        if let Some(length) = self.json_length {
            headers.insert(JSON_LENGTH, HeaderValue::from(length));
        }
        if let Some(warnings) = self.warnings {
            headers.insert(WARNINGS, warnings);
        }
        response
    }
}

/// Bytes of an answer, with the room that they take.
struct HeldBytes {
    bytes: Bytes,
    _room: OwnedSemaphorePermit,
}

/// Bytes handed on at a time: the rest is not in the buffers of the connection, which would give the room back too early.
const FRAME: usize = 256 << 10;

impl HttpBody for HeldBytes {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let length = self.bytes.len().min(FRAME);
        let frame = self.bytes.split_to(length);
        Poll::Ready((length > 0).then_some(Ok(Frame::data(frame))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(accept: &str, expected: Option<AnswerForm>) {
        let headers = HeaderMap::from_iter([(header::ACCEPT, accept.parse().unwrap())]);
        assert_eq!(AnswerForm::accepted(&headers).ok(), expected, "{accept}");
    }

    #[test]
    fn the_form_follows_what_a_client_accepts() {
        check("text/csv", Some(AnswerForm::Csv));
        check("text/html, application/json;q=0.5, */*;q=0.1", Some(AnswerForm::Json));
        check("application/json;q=0.1, text/csv", Some(AnswerForm::Csv));
        check("application/vnd.apache.arrow.stream", Some(AnswerForm::Arrow));
        check("text/html", None);
        check("text/csv;q=0", None);
        assert_eq!(AnswerForm::accepted(&HeaderMap::new()), Ok(AnswerForm::Json));
    }

    #[test]
    fn rows_stand_in_a_document_beside_other_fields() {
        let fields = |value: Value| value.as_object().unwrap().clone();
        let document = |lines: &[u8], value| String::from_utf8(document(lines, fields(value))).unwrap();
        assert_eq!(document(b"{\"x\":1}\n{\"x\":2}\n", json!({"a": 1})), r#"{"a":1,"rows":[{"x":1},{"x":2}]}"#);
        assert_eq!(document(b"", json!({})), r#"{"rows":[]}"#);
    }
}
