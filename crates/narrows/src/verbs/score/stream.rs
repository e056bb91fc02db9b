//! `narrows score --follow`: scores points as they arrive, one output line per input line.

use arrow::array::RecordBatch;
use narrows_core::data::{LineReader, Table};
use narrows_core::error::{Place, nearest};
use narrows_core::output::batch;
use narrows_core::score_table::{SCORE_COLUMNS, reason_texts};
use narrows_core::{Error, ScoreFlag, SeriesModel, StreamScore, StreamScorer, TabularModel};

use super::{Keep, Tally};
use crate::failure::{Failure, Outcome, tell_bad_line};
use crate::input::{InputArgs, Stream};
use crate::interrupt;
use crate::lines::{LONGEST, Line, Lines};
use crate::output::OutputArgs;
use crate::talk::Talk;

/// The arguments of `score` that apply to streams.
pub(super) struct Follow {
    pub(super) input: InputArgs,
    pub(super) output: OutputArgs,
    /// Number of reasons to write; 0 for none.
    pub(super) reasons: usize,
    pub(super) keep: Vec<String>,
    pub(super) fail_on_anomaly: bool,
}

impl Follow {
    pub(super) fn run(self, model: &SeriesModel, talk: Talk) -> Result<Outcome, Failure> {
        let mut scorer = model.stream()?;
        let stream = self.input.stream()?;
        let shown = Shown::new(model, self.keep, self.reasons)?;
        let mut lines = Lines::open(&stream.path)?;
        let mut writer = self.output.row_writer()?;
        let mut reader = shown.reader(&stream, model, lines.name());
        let mut tally = Tally::default();
        let _grace = interrupt::grace("stopping: the scores so far are written");
        let (mut number, mut row) = (0, 0);
        while let Some(line) = lines.next()? {
            number += 1;
            let Some(reader) = &reader else {
                reader = shown.named(&line, stream.delimiter.unwrap_or(b','), model, lines.name())?;
                continue;
            };
            let followed = match read(reader, &line, lines.name(), row) {
                Ok(None) => continue,
                Ok(Some(table)) => scorer.push(&table).map(|followed| (table, followed)),
                Err(error) => Err(error),
            };
            match followed {
                Ok((table, followed)) => {
                    tally.anomalies += u64::from(followed.is_anomaly);
                    tally.warming_up += u64::from(followed.flag == ScoreFlag::WarmUp);
                    writer.write(&shown.row(&table, followed)?)?;
                }
                Err(error) => {
                    tally.bad_lines += 1;
                    tell_bad_line(talk, number, &error);
                }
            }
            row += 1;
        }
        tally.add_counts(scorer.counts());
        tally.tell(talk);
        Ok(match tally {
            // Ctrl-C also ends the process writing to the pipe, so the end of input may be noticed first.
            _ if interrupt::asked() => Outcome::Interrupted,
            // Anomalies take precedence over invalid lines.
            Tally { anomalies: 1.., .. } if self.fail_on_anomaly => Outcome::AnomaliesFound,
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

/// The columns written for each row.
struct Shown {
    /// Time and id columns.
    points: Keep,
    keep: Keep,
    reasons: usize,
}

impl Shown {
    fn new(model: &SeriesModel, keep: Vec<String>, reasons: usize) -> Result<Shown, Failure> {
        let points = model.index_columns();
        let others = keep.into_iter().filter(|name| !points.contains(name)).collect();
        let (points, keep) = (Keep::new(points, &[])?, Keep::new(others, &SCORE_COLUMNS)?);
        Ok(Shown { points, keep, reasons: reasons.min(StreamScorer::REASONS) })
    }

    /// The reader of an NDJSON stream; `None` for delimited text.
    fn reader(&self, stream: &Stream, model: &SeriesModel, source: &str) -> Option<LineReader> {
        if stream.delimiter.is_some() {
            return None;
        }
        let model = model.schema().names().into_iter().map(str::to_owned);
        Some(LineReader::json(model.chain(self.keep.names().iter().cloned()).collect(), source))
    }

    /// The reader of delimited text with this header line; `None` if the line is blank.
    fn named(
        &self,
        line: &Line,
        delimiter: u8,
        model: &SeriesModel,
        source: &str,
    ) -> Result<Option<LineReader>, Failure> {
        let Line::Whole(bytes) = line else { return Err(too_long(Place::source(source)).into()) };
        if bytes.trim_ascii().is_empty() {
            return Ok(None);
        }
        let reader = LineReader::delimited(bytes, delimiter, model.schema(), source)?;
        if let Some(unknown) = self.keep.names().iter().find(|name| !reader.columns().contains(name)) {
            let near = nearest(unknown, reader.columns().iter().map(String::as_str));
            let error = Error::mismatch(format!("{source}: column `{unknown}` does not exist"));
            return Err(match near.first() {
                Some(near) => error.with_hint(format!("did you mean `{near}`?")),
                None => error,
            }
            .into());
        }
        Ok(Some(reader))
    }

    /// The output row: index columns, score, copied columns, reasons.
    fn row(&self, table: &Table, followed: StreamScore) -> Result<RecordBatch, Failure> {
        let mut columns = followed.columns(table.first_row());
        columns.splice(1..1, self.points.columns(table)?);
        columns.extend(self.keep.columns(table)?);
        columns.extend(reason_texts(&[followed.reasons], self.reasons));
        Ok(batch(columns))
    }
}
