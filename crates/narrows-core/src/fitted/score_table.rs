//! Scores, events and reasons of rows, points and images as tables.
//!
//! Reasons come in three forms: as text, one column per rank, for display and for CSV; as lists of typed values, for
//! nested formats; and as a long table of the same values, one row per reason, for flat formats.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, ListArray, RecordBatch, StringArray, StructArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field};

use super::images::ImageScore;
pub use super::reason_form::ReasonForm;
pub use super::row_selection::{RowSelection, RowSelector, ScoreOrder};
use super::scoring::{Explained, ScoreCounts, Scores};
use super::series::{SeriesEvent, StreamScore};
use crate::data::Table;
use crate::detect::{Direction, Reason};
use crate::output::{Columns, batch, counts};
use crate::recipe::DataKind;

/// The column names of [`Scores::columns`], with and without points of series.
pub const SCORE_COLUMNS: [&str; 5] = ["row", "score", "p_value", "is_anomaly", "flag"];

impl Scores {
    /// Columns `row`, `score`, `p_value`, `is_anomaly` and, for series, `flag`, one row per score; rows are numbered
    /// from `first_row`. Cells of rows without a score are null.
    pub fn columns(&self, first_row: u64, kind: DataKind) -> Columns {
        let rows = first_row..first_row + self.score.len() as u64;
        let known = |x: &f64| (!x.is_nan()).then_some(*x);
        let verdicts = self.is_anomaly.iter().zip(&self.score).map(|(flag, score)| known(score).map(|_| *flag));
        let [row, score, p_value, is_anomaly, flag] = SCORE_COLUMNS;
        let mut columns: Vec<(&str, ArrayRef)> = vec![
            (row, counts(rows.map(Some))),
            (score, Arc::new(self.score.iter().map(known).collect::<Float64Array>())),
            (p_value, Arc::new(self.p_value.iter().map(known).collect::<Float64Array>())),
            (is_anomaly, Arc::new(verdicts.collect::<BooleanArray>())),
        ];
        if kind == DataKind::Series {
            columns.push((flag, Arc::new(self.flag.iter().map(|flag| flag.word()).collect::<StringArray>())));
        }
        named(columns)
    }

    /// [`columns`](Scores::columns) with the row numbers of the scored table, which may be a sample.
    pub fn columns_for(&self, table: &Table, kind: DataKind) -> Columns {
        let mut columns = self.columns(table.first_row(), kind);
        columns[0].1 = counts(table.row_numbers().into_iter().map(Some));
        columns
    }

    /// [`columns`](Scores::columns) as a batch.
    pub fn to_batch(&self, first_row: u64, kind: DataKind) -> RecordBatch {
        batch(self.columns(first_row, kind))
    }
}

impl Explained {
    /// The scores with columns `reason_1` to `reason_k`, as a batch.
    pub fn to_batch(&self, first_row: u64, kind: DataKind, k: usize) -> RecordBatch {
        let mut columns = self.scores.columns(first_row, kind);
        columns.extend(reason_texts(&self.reasons, k));
        batch(columns)
    }
}

impl StreamScore {
    /// The columns of [`Scores::columns`] for this point, whose row number is `row`.
    pub fn columns(&self, row: u64) -> Columns {
        let scores = Scores {
            score: vec![self.score],
            p_value: vec![self.p_value],
            is_anomaly: vec![self.is_anomaly],
            flag: vec![self.flag],
            counts: ScoreCounts::default(),
        };
        scores.columns(row, DataKind::Series)
    }
}

/// Columns `reason_1` to `reason_k`: each row's reasons as text, null if it has fewer.
pub fn reason_texts(reasons: &[Vec<Reason>], k: usize) -> Columns {
    let nth = |i: usize| reasons.iter().map(|row| row.get(i).map(Reason::to_string)).collect::<StringArray>();
    (0..k).map(|i| (format!("reason_{}", i + 1), Arc::new(nth(i)) as ArrayRef)).collect()
}

/// A list column: each row's reasons, broken invariants first and then by falling share, as structs of `column`, `expected`, `got`, `share` and
/// `direction`.
pub fn reason_lists(reasons: &[Vec<Reason>]) -> ArrayRef {
    let fields = reason_columns(reasons)
        .into_iter()
        .map(|(name, array)| (Arc::new(Field::new(name, array.data_type().clone(), false)), array));
    let structs = StructArray::from(fields.collect::<Vec<_>>());
    let item = Arc::new(Field::new("item", DataType::Struct(structs.fields().clone()), false));
    let offsets = OffsetBuffer::from_lengths(reasons.iter().map(Vec::len));
    Arc::new(ListArray::new(item, offsets, Arc::new(structs), None))
}

/// A long table, one row per reason: `row`, counted from `first_row`, `rank` from 1, `column`, `expected`, `got`,
/// `share`, `direction`.
pub fn reason_rows(reasons: &[Vec<Reason>], first_row: u64) -> RecordBatch {
    let rows = (first_row..).zip(reasons).flat_map(|(row, reasons)| reasons.iter().map(move |_| row));
    let ranks = reasons.iter().flat_map(|reasons| 1..=reasons.len() as u64);
    let places: Vec<(&str, ArrayRef)> = vec![("row", counts(rows.map(Some))), ("rank", counts(ranks.map(Some)))];
    batch(named(places.into_iter().chain(reason_columns(reasons)).collect()))
}

/// The fields of all reasons, row after row.
fn reason_columns(reasons: &[Vec<Reason>]) -> Vec<(&'static str, ArrayRef)> {
    let texts = |of: fn(&Reason) -> &str| -> ArrayRef {
        Arc::new(StringArray::from(reasons.iter().flatten().map(of).collect::<Vec<_>>()))
    };
    vec![
        ("column", texts(|reason| &reason.column)),
        ("expected", texts(|reason| &reason.expected)),
        ("got", texts(|reason| &reason.got)),
        ("share", Arc::new(Float64Array::from_iter_values(reasons.iter().flatten().map(|reason| reason.share)))),
        ("direction", texts(|reason| side(reason.direction))),
    ]
}

/// The direction's name in JSON.
pub(super) fn side(direction: Direction) -> &'static str {
    match direction {
        Direction::Above => "above",
        Direction::Below => "below",
        Direction::Other => "other",
        Direction::Broken => "broken",
    }
}

/// Anomalous events, one per row: `series` if there are several, `start`, `end`, `points`, `first_row`, `last_row`,
/// `peak_row`, `peak_score`, `p_value`, `channels` separated by spaces, and the first `reason` as text.
pub fn event_rows(events: &[SeriesEvent], has_series: bool) -> RecordBatch {
    let numbers =
        |of: fn(&SeriesEvent) -> f64| -> ArrayRef { Arc::new(events.iter().map(of).collect::<Float64Array>()) };
    let counts = |of: fn(&SeriesEvent) -> u64| -> ArrayRef { counts(events.iter().map(|event| Some(of(event)))) };
    let texts = |of: fn(&SeriesEvent) -> Option<String>| -> ArrayRef {
        Arc::new(events.iter().map(of).collect::<StringArray>())
    };
    let channels = |event: &SeriesEvent| {
        let names: Vec<&str> = event.reasons.iter().map(|reason| reason.column.as_str()).collect();
        Some(names.join(" "))
    };
    let mut columns: Vec<(&str, ArrayRef)> = Vec::new();
    if has_series {
        columns.push(("series", texts(|event| Some(event.series.clone()))));
    }
    columns.extend([
        ("start", texts(|event| Some(event.start.clone()))),
        ("end", texts(|event| Some(event.end.clone()))),
        ("points", counts(|event| event.points)),
        ("first_row", counts(|event| event.first_row)),
        ("last_row", counts(|event| event.last_row)),
        ("peak_row", counts(|event| event.peak_row)),
        ("peak_score", numbers(|event| event.peak)),
        ("p_value", numbers(|event| event.p_value)),
        ("channels", texts(channels)),
        ("reason", texts(|event| event.reasons.first().map(Reason::to_string))),
    ]);
    batch(named(columns))
}

/// Image scores, one per row: `image`, the name, `score`, `p_value`, `is_anomaly`.
///
/// # Panics
/// If `names` and `scores` differ in length.
pub fn image_rows(names: &[impl AsRef<str>], scores: &[ImageScore]) -> RecordBatch {
    let numbers =
        |of: fn(&ImageScore) -> f64| -> ArrayRef { Arc::new(scores.iter().map(of).collect::<Float64Array>()) };
    let flags: BooleanArray = scores.iter().map(|score| Some(score.is_anomaly)).collect();
    batch(named(vec![
        ("image", Arc::new(StringArray::from_iter_values(names))),
        ("score", numbers(|score| score.score)),
        ("p_value", numbers(|score| score.p_value)),
        ("is_anomaly", Arc::new(flags)),
    ]))
}

fn named(columns: Vec<(&str, ArrayRef)>) -> Columns {
    columns.into_iter().map(|(name, array)| (name.to_owned(), array)).collect()
}

#[cfg(all(test, feature = "parquet"))]
mod tests {
    use parquet::arrow::arrow_reader::ParquetRecordBatchReader;

    use super::*;
    use crate::data::Format;
    use crate::fitted::ScoreFlag;
    use crate::output::TableWriter;

    fn check(batch: &RecordBatch, format: Format, expected: &str) {
        let mut bytes = Vec::new();
        let mut writer = TableWriter::new(&mut bytes, format).unwrap();
        writer.write(batch).unwrap();
        writer.finish().unwrap();
        assert_eq!(String::from_utf8(bytes).unwrap(), expected);
    }

    fn reasons() -> Vec<Vec<Reason>> {
        let first = vec![Reason::number("a", 0.75, 1.0, 2.0), Reason::category("b", 0.25, "x", "y")];
        vec![first, Vec::new(), vec![Reason::number("a", 1.0, 3.0, 1.0)]]
    }

    fn scores() -> Scores {
        Scores {
            score: vec![2.5, f64::NAN, 1.0],
            p_value: vec![0.25, f64::NAN, 1.0],
            is_anomaly: vec![true, false, false],
            flag: vec![ScoreFlag::None, ScoreFlag::WarmUp, ScoreFlag::AfterGap],
            counts: ScoreCounts::default(),
        }
    }

    #[test]
    fn what_has_no_score_has_no_verdict() {
        let expected = "row,score,p_value,is_anomaly\n7,2.5,0.25,true\n8,,,\n9,1,1,false\n";
        check(&scores().to_batch(7, DataKind::Table), Format::Csv, expected);
        let expected = "row,score,p_value,is_anomaly,flag\n0,2.5,0.25,true,\n1,,,,warm_up\n2,1,1,false,after_gap\n";
        check(&scores().to_batch(0, DataKind::Series), Format::Csv, expected);
    }

    #[test]
    fn reasons_that_a_row_lacks_are_missing() {
        let explained = Explained { scores: scores(), reasons: reasons() };
        let expected = "row\tscore\tp_value\tis_anomaly\treason_1\treason_2\n\
                        0\t2.5\t0.25\ttrue\t`a`: expected about 1, got 2 (share 75 %)\t`b`: expected x, got y (share 25 %)\n\
                        1\t\t\t\t\t\n\
                        2\t1\t1\tfalse\t`a`: expected about 3, got 1 (share 100 %)\t\n";
        check(&explained.to_batch(0, DataKind::Table, 2), Format::Tsv, expected);
    }

    #[test]
    fn reasons_are_typed_data_too() {
        let expected = "row,rank,column,expected,got,share,direction\n\
                        5,1,a,1,2,0.75,above\n5,2,b,x,y,0.25,other\n7,1,a,3,1,1,below\n";
        check(&reason_rows(&reasons(), 5), Format::Csv, expected);
        let lists = reason_lists(&reasons());
        let lists = lists.as_any().downcast_ref::<ListArray>().unwrap();
        assert_eq!((0..3).map(|row| lists.value_length(row)).collect::<Vec<_>>(), [2, 0, 1]);
        assert_eq!((reason_lists(&[]).len(), reason_rows(&[], 0).num_rows()), (0, 0));
        for direction in [Direction::Above, Direction::Below, Direction::Other, Direction::Broken] {
            assert_eq!(serde_json::to_value(direction).unwrap(), side(direction));
        }
    }

    #[test]
    fn lists_of_reasons_go_through_parquet() {
        let columns = vec![("reasons".to_owned(), reason_lists(&reasons()))];
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("reasons.parquet");
        let mut writer = TableWriter::create(&path).unwrap();
        writer.write(&batch(columns.clone())).unwrap();
        writer.finish().unwrap();
        let file = std::fs::File::open(&path).unwrap();
        let back = ParquetRecordBatchReader::try_new(file, 9).unwrap().next().unwrap().unwrap();
        assert_eq!(back.column(0), &columns[0].1);
    }

    #[test]
    fn events_and_images_are_rows() {
        let event = SeriesEvent {
            series: "m".to_owned(),
            start: "1".to_owned(),
            end: "3".to_owned(),
            points: 3,
            first_row: 11,
            last_row: 13,
            peak: 9.5,
            peak_row: 12,
            p_value: 0.25,
            reasons: reasons().remove(0),
        };
        let head = "start\tend\tpoints\tfirst_row\tlast_row\tpeak_row\tpeak_score\tp_value\tchannels\treason\n";
        let row = "1\t3\t3\t11\t13\t12\t9.5\t0.25\ta b\t`a`: expected about 1, got 2 (share 75 %)\n";
        let events = [event];
        check(&event_rows(&events, false), Format::Tsv, &format!("{head}{row}"));
        check(&event_rows(&events, true), Format::Tsv, &format!("series\t{head}m\t{row}"));
        let score = ImageScore { score: 2.5, p_value: 0.5, is_anomaly: true, heat: Vec::new() };
        let expected = "image,score,p_value,is_anomaly\na.png,2.5,0.5,true\n";
        check(&image_rows(&["a.png"], &[score]), Format::Csv, expected);
    }
}
