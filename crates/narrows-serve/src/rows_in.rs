//! Rows in the body of a request, read by the library's readers: CSV, JSON, Arrow, Parquet.

use arrow::array::{Array, ArrayRef};
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, header};
use narrows_core::ScoreCounts;
use narrows_core::data::{Column, Format, InMemory, Schema, Source, Table, TypesRead};
use serde_json::{Value, json};

use crate::options::in_memory;
use crate::queue::{GivenRows, SMALL};
use crate::refusal::Refusal;
use crate::row_limits::RowLimits;
use crate::served::ServedModel;
use crate::tensors;
use crate::unfolded::unfolded;

/// The name of a body in messages.
const BODY: &str = "the body";
/// Rows read at a time.
const READ_ROWS: usize = 8192;

/// The form of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyForm {
    /// As its header says.
    Table(Format),
    Image,
    /// Not told, or told by a client that does not know better, as curl does.
    Untold,
}

impl BodyForm {
    const TYPES: [(&'static str, BodyForm); 20] = [
        ("application/json", BodyForm::Table(Format::Ndjson)),
        ("application/x-ndjson", BodyForm::Table(Format::Ndjson)),
        ("text/csv", BodyForm::Table(Format::Csv)),
        ("text/tab-separated-values", BodyForm::Table(Format::Tsv)),
        ("application/vnd.apache.arrow.stream", BodyForm::Table(Format::ArrowIpc)),
        ("application/vnd.apache.parquet", BodyForm::Table(Format::Parquet)),
        ("image/png", BodyForm::Image),
        ("image/jpeg", BodyForm::Image),
        // Other names of these.
        ("application/ndjson", BodyForm::Table(Format::Ndjson)),
        ("application/jsonl", BodyForm::Table(Format::Ndjson)),
        ("application/jsonlines", BodyForm::Table(Format::Ndjson)),
        ("application/json-lines", BodyForm::Table(Format::Ndjson)),
        ("application/csv", BodyForm::Table(Format::Csv)),
        ("application/vnd.apache.arrow.file", BodyForm::Table(Format::ArrowIpc)),
        ("application/parquet", BodyForm::Table(Format::Parquet)),
        ("application/x-parquet", BodyForm::Table(Format::Parquet)),
        ("application/octet-stream", BodyForm::Untold),
        ("application/x-www-form-urlencoded", BodyForm::Untold),
        ("text/plain", BodyForm::Untold),
        ("", BodyForm::Untold),
    ];

    /// The types that are listed to callers.
    pub(crate) fn listed() -> Vec<&'static str> {
        BodyForm::TYPES.iter().take(8).map(|(name, _)| *name).collect()
    }

    /// The form by the header `Content-Type`.
    pub(crate) fn of(headers: &HeaderMap) -> Result<BodyForm, Refusal> {
        let text = headers.get(header::CONTENT_TYPE).map_or("", |value| value.to_str().unwrap_or("?"));
        let name = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        BodyForm::TYPES.iter().find(|(known, _)| *known == name).map(|(_, form)| *form).ok_or_else(|| {
            let listed = BodyForm::listed().join(", ");
            let message = format!("Content-Type: expected one of {listed}, or none, got `{text}`");
            Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message)
        })
    }

    /// The form of these bytes, where it was not told.
    pub(crate) fn seen(self, bytes: &[u8]) -> BodyForm {
        match (self, bytes) {
            (BodyForm::Untold, [0x89, b'P', b'N', b'G', ..] | [0xff, 0xd8, 0xff, ..]) => BodyForm::Image,
            (form, _) => form,
        }
    }
}

/// The rows of a body; `{"inputs": ...}` of the Open Inference Protocol is understood too.
pub(crate) fn read(
    bytes: &Bytes,
    form: BodyForm,
    model: &ServedModel,
    limits: &RowLimits,
) -> Result<GivenRows, Refusal> {
    read_with(bytes, form, model, Vec::new(), limits)
}

/// The same with other columns beside those of the model, if they are there.
pub(crate) fn read_with(
    bytes: &Bytes,
    form: BodyForm,
    model: &ServedModel,
    beside: Vec<Column>,
    limits: &RowLimits,
) -> Result<GivenRows, Refusal> {
    let bytes = &unfolded(bytes, SMALL, limits)?;
    let format = match form {
        BodyForm::Table(format) => Some(format),
        BodyForm::Image => {
            return Err(model.images().err().unwrap_or_else(|| Refusal::bad("expected rows, got an image")));
        }
        BodyForm::Untold => Some(guessed(bytes)),
    };
    if format == Some(Format::Ndjson) && tensors::is_request(bytes) {
        return tensors::Request::parse(bytes, None)?.rows(model, limits.rows);
    }
    let mut wanted = Schema { columns: model.columns() };
    for column in beside {
        if wanted.get(&column.name).is_none() {
            wanted.columns.push(column);
        }
    }
    table(bytes.clone(), format, &wanted, limits)
}

/// The format by the first bytes, of those that are read from a request.
fn guessed(bytes: &[u8]) -> Format {
    let text = bytes.trim_ascii_start();
    match bytes {
        [b'P', b'A', b'R', b'1', ..] => Format::Parquet,
        [b'A', b'R', b'R', b'O', b'W', b'1', ..] | [0xff, 0xff, 0xff, 0xff, ..] => Format::ArrowIpc,
        _ if text.starts_with(b"{") || text.starts_with(b"[") => Format::Ndjson,
        _ => Format::Csv,
    }
}

fn table(
    bytes: impl AsRef<[u8]> + Send + Sync + 'static,
    format: Option<Format>,
    wanted: &Schema,
    limits: &RowLimits,
) -> Result<GivenRows, Refusal> {
    if bytes.as_ref().is_empty() {
        return Err(Refusal::bad(format!("{BODY}: expected at least one row of data, got nothing")));
    }
    let source = Source { format, types: TypesRead::Wanted, ..Source::in_memory(InMemory::new(BODY, bytes)) };
    let mut reader = source.open(READ_ROWS, Some(wanted))?;
    let mut tables = Vec::new();
    let (mut rows, mut size) = (0, 0_usize);
    let most = in_memory(limits.body);
    for table in reader.by_ref() {
        limits.hold.check()?;
        let table = table?;
        rows += table.n_rows();
        Refusal::check_rows(rows, limits.rows)?;
        size = size.saturating_add(table.batch().columns().iter().map(bytes_of).sum());
        if size > most {
            let message = format!("{BODY}: expected rows of at most {most} bytes in memory, got more");
            return Err(Refusal::too_large(message));
        }
        if size > in_memory(SMALL) {
            limits.hold.take_room()?;
        }
        tables.push(table);
    }
    if rows == 0 {
        return Err(Refusal::bad(format!("{BODY}: expected at least one row of data, got none")));
    }
    let mut warnings = reader.warnings().to_vec();
    if !reader.unread().is_empty() {
        // As of columns of text, which are read before it is known that they are not used.
        let counts = ScoreCounts { extra_columns: reader.unread().to_vec(), ..ScoreCounts::default() };
        warnings.extend(counts.notes());
    }
    Ok(GivenRows { table: Table::concat(&tables)?.as_part(), warnings })
}

/// Bytes of a column, without what other rows of the same buffers take.
fn bytes_of(array: &ArrayRef) -> usize {
    array.to_data().get_slice_memory_size().unwrap_or_else(|_| array.get_array_memory_size())
}

/// The rows of a request to `/invocations`, as MLflow and SageMaker send them.
pub(crate) fn read_invocation(
    bytes: &Bytes,
    form: BodyForm,
    model: &ServedModel,
    limits: &RowLimits,
) -> Result<GivenRows, Refusal> {
    let bytes = &unfolded(bytes, SMALL, limits)?;
    let is_object = bytes.trim_ascii_start().starts_with(b"{");
    let is_json = matches!(form, BodyForm::Table(Format::Ndjson) | BodyForm::Untold) && is_object;
    let Ok(Value::Object(mut fields)) = (if is_json { tensors::json_of(bytes) } else { Ok(Value::Null) }) else {
        return read(bytes, form, model, limits);
    };
    const FIELDS: [&str; 4] = ["dataframe_split", "dataframe_records", "instances", "inputs"];
    let Some((name, given)) = FIELDS.iter().find_map(|name| Some((*name, fields.remove(*name)?))) else {
        // Rows as they are.
        return read(bytes, form, model, limits);
    };
    let given = match given {
        Value::Array(rows) if rows.iter().all(|row| matches!(row, Value::Array(_))) && !rows.is_empty() => {
            let columns = model.columns();
            let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
            if let Some(row) = rows.iter().find(|row| row.as_array().is_none_or(|row| row.len() != names.len())) {
                let got = row.as_array().map_or(0, Vec::len);
                let message = format!("{name}: expected {} values a row, got {got}; the columns are", names.len());
                return Err(Refusal::bad(format!("{message} {}", names.join(", "))));
            }
            json!({"columns": names, "data": rows})
        }
        given @ (Value::Array(_) | Value::Object(_)) => given,
        other => return Err(Refusal::bad(format!("{name}: expected an array or an object, got {other}"))),
    };
    table(given.to_string().into_bytes(), Some(Format::Ndjson), &Schema { columns: model.columns() }, limits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_or_the_first_bytes_tell_the_form() {
        let of = |text: &str| BodyForm::of(&HeaderMap::from_iter([(header::CONTENT_TYPE, text.parse().unwrap())]));
        assert_eq!(of("text/csv; charset=utf-8"), Ok(BodyForm::Table(Format::Csv)));
        assert_eq!(of("image/PNG"), Ok(BodyForm::Image));
        assert_eq!(of("application/pdf").unwrap_err().status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
        assert_eq!(BodyForm::of(&HeaderMap::new()), Ok(BodyForm::Untold));
        assert_eq!(BodyForm::Untold.seen(b"\x89PNG\r\n"), BodyForm::Image);
        assert_eq!(guessed(b" [{\"a\":1}]"), Format::Ndjson);
        // Other formats that the library reads are text at most.
        assert_eq!(guessed(b"SQLite format 3\0"), Format::Csv);
    }
}
