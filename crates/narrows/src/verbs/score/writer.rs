//! Where scores go: a file or stdout in a table format, a table on a terminal, or one JSON document.

use std::io::{IsTerminal, Write};

use arrow::array::RecordBatch;
use narrows_core::Error;
use narrows_core::data::Format;
use narrows_core::output::{Sink, TableWriter};
use narrows_core::score_table::ReasonForm;
use serde::Serialize;
use serde_json::json;

use crate::escape::visible_json;
use crate::failure::Failure;
use crate::flags::Common;
use crate::output::{self, OutputArgs};
use crate::pipeline::BatchWriter;
use crate::terminal_table::TerminalTable;
use crate::told;

/// A writer of scored rows.
pub(super) enum ScoreWriter {
    Table(Box<TableWriter<'static>>),
    Terminal(TerminalTable),
    Json(JsonRows),
}

/// The opening of a JSON document: `rows`, which are written as they come.
pub(super) struct JsonRows {
    out: Sink<'static>,
    has_rows: bool,
}

impl ScoreWriter {
    /// The writer for these flags: without a target or a format, `--json` and a terminal have forms of their own.
    pub(super) fn open(output: &OutputArgs, common: &Common) -> Result<ScoreWriter, Failure> {
        let is_plain = output.file().is_none() && !output.has_format();
        if common.json && output.file().is_none() {
            if output.has_format() {
                let message = "expected a file for the table, as --json prints one JSON document to stdout";
                let error = Error::recipe("--format", message);
                return Err(error.with_hint("name it with --output, or leave out one of the two flags").into());
            }
            return Ok(ScoreWriter::Json(JsonRows { out: output::sink(None)?, has_rows: false }));
        }
        if is_plain && std::io::stdout().is_terminal() {
            return Ok(ScoreWriter::Terminal(TerminalTable::stdout()));
        }
        Ok(ScoreWriter::Table(Box::new(output.writer()?)))
    }

    /// Completes the output; with `--json` also says what was found.
    pub(super) fn finish(
        self,
        summary: &impl Serialize,
        warnings: &[String],
        output: &OutputArgs,
        common: &Common,
    ) -> Result<(), Failure> {
        match self {
            ScoreWriter::Json(rows) => rows.finish(&told::result(&json!({"summary": summary, "warnings": warnings}))),
            ScoreWriter::Terminal(table) => table.finish(),
            ScoreWriter::Table(writer) => {
                writer.finish()?;
                match output.file() {
                    Some(path) if common.json => {
                        output::print_json(&json!({"output": path, "summary": summary, "warnings": warnings}))
                    }
                    _ => Ok(()),
                }
            }
        }
    }
}

impl BatchWriter for ScoreWriter {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        match self {
            ScoreWriter::Table(writer) => Ok(writer.write(batch)?),
            ScoreWriter::Terminal(table) => table.write(batch),
            ScoreWriter::Json(rows) => rows.write(batch),
        }
    }
}

impl JsonRows {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        let mut lines = Vec::new();
        let mut writer = TableWriter::new(&mut lines, Format::Ndjson)?;
        writer.write(batch)?;
        writer.finish()?;
        let mut text = Vec::with_capacity(lines.len() + 16);
        for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            text.extend_from_slice(if self.has_rows { b",\n" } else { b"{\"rows\": [\n" });
            text.extend_from_slice(line);
            self.has_rows = true;
        }
        self.put(visible_json(&String::from_utf8_lossy(&text)).as_bytes())
    }

    /// Ends the document with the fields of an object.
    fn finish(mut self, fields: &str) -> Result<(), Failure> {
        let open = if self.has_rows { "" } else { "{\"rows\": [" };
        let rest = format!("{open}\n],{}\n", fields.trim_start_matches('{'));
        self.put(visible_json(&rest).as_bytes())?;
        Ok(self.out.finish()?)
    }

    fn put(&mut self, text: &[u8]) -> Result<(), Failure> {
        let written = self.out.write_all(text);
        Ok(written.map_err(|error| Error::write(self.out.name(), error))?)
    }
}

/// How reasons are asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct ReasonsAsked<'a> {
    /// The name of their form.
    pub(super) form: Option<&'a str>,
    /// The format that they are written in.
    pub(super) format: Format,
    /// Whether they become part of a JSON document instead.
    pub(super) in_document: bool,
}

impl ReasonsAsked<'_> {
    /// The forms: as asked; else sentences, objects where only objects make sense, and both in NDJSON, whose readers may
    /// want either.
    pub(super) fn forms(self) -> Result<Vec<ReasonForm>, Failure> {
        let ReasonsAsked { form, format, in_document } = self;
        let is_nested = in_document || matches!(format, Format::Ndjson | Format::Parquet | Format::ArrowIpc);
        match form.map(str::parse).transpose()? {
            Some(ReasonForm::Objects) if !is_nested => {
                let message = format!("expected ndjson, parquet, arrow or --json for objects, got {format}");
                let error = Error::recipe("--reason-form", message);
                Err(error.with_hint("--reason-form columns has a column for each value").into())
            }
            Some(form) => Ok(vec![form]),
            None if in_document => Ok(vec![ReasonForm::Objects]),
            None if format == Format::Ndjson => Ok(vec![ReasonForm::Text, ReasonForm::Objects]),
            None => Ok(vec![ReasonForm::Text]),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use narrows_core::data::Table;

    use super::*;

    #[derive(Clone, Default)]
    struct WrittenBytes(Arc<Mutex<Vec<u8>>>);

    impl Write for WrittenBytes {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn check(rows: &[f64], expected: serde_json::Value) {
        let memory = WrittenBytes::default();
        let mut json = JsonRows { out: Sink::new(memory.clone(), "bytes"), has_rows: false };
        for x in rows {
            json.write(Table::from_columns(vec![("x", vec![*x])]).unwrap().batch()).unwrap();
        }
        json.finish(&json!({"summary": {"rows": rows.len()}, "warnings": ["beware"]}).to_string()).unwrap();
        let text = memory.0.lock().unwrap().clone();
        assert_eq!(serde_json::from_slice::<serde_json::Value>(&text).unwrap(), expected);
    }

    #[test]
    fn the_form_of_reasons_follows_the_format() {
        let forms = |form, format, in_document| ReasonsAsked { form, format, in_document }.forms();
        assert_eq!(forms(None, Format::Csv, false).unwrap(), [ReasonForm::Text]);
        assert_eq!(forms(None, Format::Csv, true).unwrap(), [ReasonForm::Objects]);
        assert_eq!(forms(None, Format::Ndjson, false).unwrap(), [ReasonForm::Text, ReasonForm::Objects]);
        assert_eq!(forms(Some("columns"), Format::Csv, false).unwrap(), [ReasonForm::Columns]);
        assert!(forms(Some("objects"), Format::Csv, false).is_err());
        assert!(forms(Some("objects"), Format::Parquet, false).is_ok());
    }

    #[test]
    fn the_document_is_json_however_many_rows_it_holds() {
        let document =
            |rows: serde_json::Value, n: u64| json!({"rows": rows, "summary": {"rows": n}, "warnings": ["beware"]});
        check(&[], document(json!([]), 0));
        check(&[1.5, f64::NAN], document(json!([{"x": 1.5}, {"x": null}]), 2));
    }
}
