//! `narrows score --follow`: scores rows as they arrive, one output line per input line.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{BooleanArray, RecordBatch};
use narrows_core::data::{Delimiter, LineReader, Source, Table};
use narrows_core::error::Place;
use narrows_core::output::batch;
use narrows_core::score_table::{ReasonForm, SCORE_COLUMNS};
use narrows_core::{Error, Model};

use super::row_scorer::{RowScorer, ScoredRow};
use super::watch::{ALARM, Watch, WatchArgs};
use super::{Keep, Tally};
use crate::address;
use crate::failure::{Failure, Outcome, tell_bad_line};
use crate::input::{InputArgs, StreamForm};
use crate::interrupt;
use crate::lines::{LONGEST, Line, Lines};
use crate::output::OutputArgs;
use crate::talk::{Talk, count};

/// Delimiters that a header may be written with.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// The arguments of `score` that apply to streams.
pub(super) struct Follow {
    pub(super) input: InputArgs,
    pub(super) output: OutputArgs,
    pub(super) reasons: StreamReasons,
    pub(super) keep: Vec<String>,
    pub(super) only_anomalies: bool,
    /// Rows that come before the stream.
    pub(super) history: Option<PathBuf>,
    pub(super) fail_on_anomaly: bool,
    pub(super) watch: WatchArgs,
}

/// The reasons to write.
pub(super) struct StreamReasons {
    /// Their number; 0 for none.
    pub(super) most: usize,
    pub(super) forms: Vec<ReasonForm>,
}

impl Follow {
    pub(super) fn run(self, model: Model, talk: Talk) -> Result<Outcome, Failure> {
        let mut watch = self.watch.watch(|| model.clone().into_tabular(), talk)?;
        let mut row_scorer = RowScorer::of(model)?;
        let stream = self.input.stream()?;
        if let Some(path) = &self.history {
            let name = path.to_string_lossy().into_owned();
            address::refuse(&[&name])?;
            let n = row_scorer.remember(&Source::parse(&[name])?)?;
            talk.line(format_args!("history     {}", count(n, "row")));
        }
        let mut shown = ShownColumns::new(&row_scorer, self.keep, self.reasons, &watch)?;
        let mut lines = Lines::open(&stream.path)?;
        let mut writer = self.output.row_writer()?;
        let mut reader = None;
        let mut tally = row_scorer.tally();
        let _grace = interrupt::grace("stopping: the scores so far are written");
        let (mut number, mut row) = (0, 0);
        while let Some(line) = lines.next()? {
            number += 1;
            let reader = match &reader {
                Some(reader) => reader,
                None => match shown.begin(&line, stream.form, &row_scorer, lines.name())? {
                    Begun::Blank => continue,
                    Begun::Header(named) => {
                        reader = Some(named);
                        continue;
                    }
                    Begun::Row(json) => reader.insert(json),
                },
            };
            let followed = match read(reader, &line, lines.name(), row) {
                Ok(None) => continue,
                Ok(Some(table)) => row_scorer.push(&table, shown.reasons.most, &mut tally).and_then(|followed| {
                    let is_alarm = watch.add(row, &table, &followed.series, &followed.scores)?;
                    Ok((table, followed, is_alarm))
                }),
                Err(error) => Err(error),
            };
            match followed {
                Ok((_, followed, false)) if self.only_anomalies && !followed.is_anomaly => {}
                Ok((table, followed, is_alarm)) => writer.write(&shown.row(&table, followed, is_alarm)?)?,
                Err(error) => {
                    tally.bad_lines += 1;
                    tell_bad_line(talk, number, &error);
                }
            }
            row += 1;
        }
        watch.finish();
        row_scorer.add_counts(&mut tally);
        tally.tell(talk);
        Ok(match tally {
            // Ctrl-C also ends the process writing to the pipe, so the end of input may be noticed first.
            _ if interrupt::asked() => Outcome::Interrupted,
            // Anomalies and drift take precedence over invalid lines.
            Tally { anomalies: 1.., .. } if self.fail_on_anomaly => Outcome::AnomaliesFound,
            _ if watch.fails() => Outcome::DriftFound,
            Tally { bad_lines: 1.., .. } => Outcome::Partial,
            _ => Outcome::Done,
        })
    }
}

/// The row of one line; `None` if it is blank.
fn read(reader: &LineReader, line: &Line, source: &str, row: u64) -> Result<Option<Table>, Error> {
    match line {
        Line::Whole(bytes) => reader.read(bytes, row),
        Line::TooLong => Err(too_long(Place::source(source).at_row(row))),
    }
}

fn too_long(place: Place) -> Error {
    Error::data(place, format!("expected at most {LONGEST} bytes in a line, got more"))
}

/// What the first line of a stream was.
enum Begun {
    Blank,
    /// The names of the columns; rows follow.
    Header(LineReader),
    /// The first row.
    Row(LineReader),
}

/// The columns written for each row.
struct ShownColumns {
    /// Time and id columns.
    points: Keep,
    keep: Keep,
    reasons: StreamReasons,
    /// The names of results.
    taken: Vec<&'static str>,
}

impl ShownColumns {
    fn new(
        row_scorer: &RowScorer,
        keep: Vec<String>,
        reasons: StreamReasons,
        watch: &Watch,
    ) -> Result<ShownColumns, Failure> {
        let taken: Vec<&str> = SCORE_COLUMNS.into_iter().chain(watch.has_alarm().then_some(ALARM)).collect();
        let points = row_scorer.index_columns();
        let others = keep.into_iter().filter(|name| !points.contains(name)).collect();
        let (points, keep) = (Keep::new(points, &[])?, Keep::new(others, &taken)?);
        let most = row_scorer.most_reasons(reasons.most);
        Ok(ShownColumns { points, keep, reasons: StreamReasons { most, ..reasons }, taken })
    }

    /// The reader of a stream with this first line.
    fn begin(&mut self, line: &Line, form: StreamForm, row_scorer: &RowScorer, source: &str) -> Result<Begun, Failure> {
        let Line::Whole(bytes) = line else { return Err(too_long(Place::source(source)).into()) };
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii();
        if text.is_empty() {
            return Ok(Begun::Blank);
        }
        let delimiter = match form {
            StreamForm::Detected if text.starts_with(b"{") => None,
            StreamForm::Ndjson => None,
            StreamForm::Detected => Some(None),
            StreamForm::Delimited(delimiter) => Some(delimiter),
        };
        match delimiter {
            None => self.json(bytes, row_scorer, source).map(Begun::Row),
            Some(delimiter) => self.named(bytes, delimiter, row_scorer, source).map(Begun::Header),
        }
    }

    /// The reader of an NDJSON stream. Patterns of columns to keep are those of the first row.
    fn json(&mut self, first: &[u8], row_scorer: &RowScorer, source: &str) -> Result<LineReader, Failure> {
        let is_pattern = |name: &&String| name.contains(['*', '?', '[']);
        let named: Vec<String> = self.keep.names().iter().filter(|name| !is_pattern(name)).cloned().collect();
        let mut columns: Vec<String> = row_scorer.columns_read().into_iter().chain(named).collect();
        if self.keep.names().iter().any(|name| is_pattern(&name)) {
            let reader = LineReader::json(columns.clone(), source);
            // A first line that is damaged has no columns to match; it is told as any other one.
            if let Ok(Some(row)) = reader.read(first, 0) {
                self.keep = Keep::new(self.keep.matching(&row.names())?, &self.taken)?;
                columns.extend(self.keep.names().iter().cloned());
            }
        }
        Ok(LineReader::json(columns, source))
    }

    /// The reader of delimited text with this header line.
    fn named(
        &mut self,
        header: &[u8],
        delimiter: Option<Delimiter>,
        row_scorer: &RowScorer,
        source: &str,
    ) -> Result<LineReader, Failure> {
        let read = |delimiter: Delimiter| LineReader::delimited(header, delimiter, row_scorer.schema(), source);
        let reader = match delimiter {
            Some(delimiter) => read(delimiter)?,
            // The header is known: the delimiter is the one that gives the columns of the model.
            None => match DELIMITERS.into_iter().find_map(|byte| read(Delimiter::Byte(byte)).ok()) {
                Some(reader) => reader,
                None => read(Delimiter::Byte(b','))?,
            },
        };
        let names: Vec<&str> = reader.columns().iter().map(String::as_str).collect();
        self.keep = Keep::new(self.keep.matching(&names)?, &self.taken)?;
        Ok(reader)
    }

    /// The output row: index columns, score, whether it raises the alarm, copied columns, reasons.
    fn row(&self, table: &Table, followed: ScoredRow, is_alarm: bool) -> Result<RecordBatch, Failure> {
        let ScoredRow { mut columns, reasons, .. } = followed;
        columns.splice(1..1, self.points.columns(table)?);
        if self.taken.contains(&ALARM) {
            columns.push((ALARM.to_owned(), Arc::new(BooleanArray::from(vec![is_alarm]))));
        }
        columns.extend(self.keep.columns(table)?);
        if self.reasons.most > 0 {
            let reasons = [reasons];
            columns.extend(self.reasons.forms.iter().flat_map(|form| form.columns(&reasons, self.reasons.most)));
        }
        Ok(batch(columns))
    }
}
