//! Rows as they arrive, line by line: what a stream keeps of them, and its answers.

use std::sync::Arc;
use std::time::Instant;

use narrows_core::data::{Format, LineReader, Table};
use narrows_core::output::{Columns, RowWriter, batch};
use narrows_core::recipe::DataKind;
use narrows_core::score_table::ReasonForm;
use narrows_core::{Error, Explained, ScoreCounts, Scores, SeriesProgress, StreamScorer};
use serde_json::{Value, json};

use crate::metrics::Metrics;
use crate::refusal::Refusal;
use crate::served::ServedModel;

/// Longest line, in bytes.
pub(crate) const LONGEST_LINE: usize = 1 << 20;
/// Bytes that the series of a stream may take.
const SERIES_BYTES: usize = 16 << 20;
/// Series that the state lists.
const LISTED: usize = 1000;
/// The name of a stream in messages.
const SOURCE: &str = "the stream";

/// A line of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StreamLine {
    Whole(Vec<u8>),
    /// Longer than [`LONGEST_LINE`]; its content was not kept.
    TooLong,
}

/// Cuts bytes into lines, as they come.
#[derive(Debug, Default)]
pub(crate) struct LineCutter {
    part: Vec<u8>,
    is_too_long: bool,
}

impl LineCutter {
    /// The lines that end in these bytes.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Vec<StreamLine> {
        let mut lines = Vec::new();
        let mut pieces = bytes.split(|byte| *byte == b'\n').peekable();
        while let Some(piece) = pieces.next() {
            if self.part.len() + piece.len() > LONGEST_LINE {
                self.is_too_long = true;
                self.part.clear();
            }
            if !self.is_too_long {
                self.part.extend_from_slice(piece);
            }
            if pieces.peek().is_some() {
                lines.push(self.cut());
            }
        }
        lines
    }

    /// The last line, if it has no end.
    pub(crate) fn end(mut self) -> Option<StreamLine> {
        (self.is_too_long || !self.part.is_empty()).then(|| self.cut())
    }

    fn cut(&mut self) -> StreamLine {
        let part = std::mem::take(&mut self.part);
        if std::mem::take(&mut self.is_too_long) { StreamLine::TooLong } else { StreamLine::Whole(part) }
    }
}

/// What a stream keeps.
#[derive(Debug)]
pub(crate) struct StreamState {
    model: Arc<ServedModel>,
    /// The last points of each series; a row of a table is scored by itself.
    scorer: Option<StreamScorer>,
    reader: LineReader,
    /// Columns of time and id.
    index: Vec<String>,
    /// Rows so far, invalid ones among them; the number of the next row.
    rows: u64,
    /// The row that the model began with.
    since_row: u64,
    invalid: u64,
    anomalies: u64,
    /// What was filled or ignored in rows of a table.
    counts: ScoreCounts,
}

impl StreamState {
    /// A stream without rows.
    pub(crate) fn new(model: &Arc<ServedModel>) -> Result<StreamState, Refusal> {
        let tabular = model.tabular()?;
        let scorer = model.points().map(|points| points.stream()).transpose()?;
        let columns = tabular.columns_read().names().into_iter().map(str::to_owned).collect();
        Ok(StreamState {
            model: Arc::clone(model),
            scorer: scorer.map(|scorer| scorer.with_memory(SERIES_BYTES)),
            reader: LineReader::json(columns, SOURCE),
            index: tabular.index_columns(),
            rows: 0,
            since_row: 0,
            invalid: 0,
            anomalies: 0,
            counts: ScoreCounts::default(),
        })
    }

    /// The version of the model.
    pub(crate) fn version(&self) -> &str {
        &self.model.version
    }

    /// The number of the next row.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// Goes on with another version of the model, which knows nothing of the rows before. Row numbers go on.
    pub(crate) fn renew(&mut self, model: &Arc<ServedModel>) -> Result<(), Refusal> {
        let since_row = self.rows;
        *self = StreamState { rows: since_row, since_row, ..StreamState::new(model)? };
        Ok(())
    }

    /// The answers to lines: a line for each row, with its scores or with an error.
    pub(crate) fn answer(
        &mut self,
        lines: &[StreamLine],
        reasons: usize,
        metrics: &Metrics,
    ) -> Result<Vec<u8>, Refusal> {
        let start = Instant::now();
        let missing = self.missing();
        let mut bytes = Vec::new();
        let mut found = none();
        for line in lines {
            match self.row(line, reasons, &mut found) {
                Ok(None) => continue,
                Ok(Some(columns)) => {
                    RowWriter::new(&mut bytes, Format::Ndjson)?.write(&batch(columns))?;
                }
                Err(error) => {
                    self.invalid += 1;
                    let hint = error.hint_text().map(|hint| format!(" (hint: {hint})")).unwrap_or_default();
                    let error = json!({"row": self.rows, "error": format!("{error}{hint}")});
                    bytes.extend(format!("{error}\n").bytes());
                }
            }
            self.rows += 1;
        }
        if !found.score.is_empty() {
            found.counts.missing = self.missing() - missing;
            metrics.scored(&self.model, &found, start.elapsed());
        }
        Ok(bytes)
    }

    /// Cells that were missing so far.
    fn missing(&self) -> u64 {
        self.scorer.as_ref().map_or(self.counts.missing, |scorer| scorer.counts().missing)
    }

    /// The columns of a row; `None` for a blank line.
    fn row(&mut self, line: &StreamLine, reasons: usize, found: &mut Scores) -> Result<Option<Columns>, Error> {
        let StreamLine::Whole(bytes) = line else {
            let message =
                format!("{SOURCE}, row {}: expected at most {LONGEST_LINE} bytes in a line, got more", self.rows);
            return Err(Error::mismatch(message));
        };
        let Some(table) = self.reader.read(bytes, self.rows)? else { return Ok(None) };
        let (mut columns, given) = match &mut self.scorer {
            Some(scorer) => {
                let score = scorer.push(&table)?;
                found.score.push(score.score);
                found.p_value.push(score.p_value);
                found.is_anomaly.push(score.is_anomaly);
                (score.columns(self.rows), score.reasons)
            }
            None => {
                let model = self.model.tabular().map_err(|refusal| Error::mismatch(refusal.message))?;
                let Explained { scores, reasons } = model.explain(&table, reasons)?;
                // What is told of the model is told once.
                let notes = if self.counts.rows == 0 { scores.counts.notes.clone() } else { Vec::new() };
                self.counts.add(&ScoreCounts { notes, ..scores.counts.clone() });
                found.score.extend(&scores.score);
                found.p_value.extend(&scores.p_value);
                found.is_anomaly.extend(&scores.is_anomaly);
                (scores.columns(self.rows, DataKind::Table), reasons.into_iter().next().unwrap_or_default())
            }
        };
        self.anomalies += u64::from(found.is_anomaly.last().is_some_and(|is_anomaly| *is_anomaly));
        columns.splice(1..1, self.index_columns(&table));
        if reasons > 0 {
            let most = if self.scorer.is_some() { reasons.min(StreamScorer::REASONS) } else { reasons };
            let given = given.into_iter().take(most).collect();
            columns.extend(ReasonForm::Objects.columns(&[given], most));
        }
        Ok(Some(columns))
    }

    fn index_columns(&self, table: &Table) -> Columns {
        self.index.iter().filter_map(|name| Some((name.clone(), table.column(name)?.clone()))).collect()
    }

    /// What is known of the stream.
    pub(crate) fn document(&self) -> Value {
        let counts = self.scorer.as_ref().map_or(&self.counts, StreamScorer::counts);
        let mut document = json!({
            "model_name": self.model.name,
            "model_version": self.model.version,
            "rows": self.rows,
            "since_row": self.since_row,
            "invalid_rows": self.invalid,
            "anomalies": self.anomalies,
            "warnings": counts.notes(),
        });
        if let Some(scorer) = &self.scorer {
            let progress = scorer.progress();
            document["n_series"] = json!(progress.len());
            let of = |one: &SeriesProgress| json!({"series": one.series, "last_time": one.time, "warm_up_left": one.warm_up});
            document["series"] = progress.iter().take(LISTED).map(of).collect();
        }
        document
    }
}

/// The scores of no row.
fn none() -> Scores {
    let (score, p_value, is_anomaly, flag) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    Scores { score, p_value, is_anomaly, flag, counts: ScoreCounts::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(text: &str) -> StreamLine {
        StreamLine::Whole(text.as_bytes().to_vec())
    }

    #[test]
    fn lines_are_cut_wherever_bytes_end() {
        let text = b"{\"a\":1}\r\n\n{\"a\":2}\nrest";
        for at in 0..text.len() {
            let mut cutter = LineCutter::default();
            let mut lines = cutter.push(&text[..at]);
            lines.extend(cutter.push(&text[at..]));
            lines.extend(cutter.end());
            assert_eq!(lines, [whole("{\"a\":1}\r"), whole(""), whole("{\"a\":2}"), whole("rest")], "{at}");
        }
        assert_eq!(LineCutter::default().end(), None);
    }

    #[test]
    fn a_line_that_is_too_long_is_passed_over() {
        let mut cutter = LineCutter::default();
        let piece = vec![b'x'; LONGEST_LINE / 2 + 1];
        assert_eq!(cutter.push(&piece), []);
        assert_eq!(cutter.push(&piece), []);
        assert!(cutter.part.is_empty(), "nothing is kept");
        assert_eq!(cutter.push(b"x\nnext\nlast"), [StreamLine::TooLong, whole("next")]);
        assert_eq!(cutter.end(), Some(whole("last")));
    }
}
