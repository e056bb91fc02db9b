//! The scores of new data row by row, as plain data: what the interactive part of a report shows.
//!
//! Everything is bounded: all rows up to [`LISTED`], else those that score highest; every column of those that score
//! highest; series thinned to [`DRAWN_VALUES`] values.

use serde::Serialize;
use serde_json::Value;

use super::{CodePoint, NewDataMetrics, NewDataReport, StretchEvent};
use crate::detect::{Reason, Threshold};

/// Most rows that are listed.
pub(crate) const LISTED: usize = 100_000;
/// Most rows whose columns are shown, and most cells of these.
pub(crate) const DETAILED: usize = 1_000;
/// Most cells of rows whose columns are shown.
pub(crate) const DETAILED_CELLS: usize = 60_000;
/// Reasons of a row.
pub(crate) const REASONS: usize = 6;
/// Most calibration scores.
const CALIBRATION: usize = 2_000;
/// Most values of series that are drawn: points times channels.
pub(crate) const DRAWN_VALUES: usize = 200_000;
/// Most images that are shown.
pub(crate) const SHOWN_IMAGES: usize = 24;

/// The scores of new data row by row.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScoredData {
    /// Source of the data, as given.
    pub source: String,
    /// What a sample is.
    pub layout: SampleLayout,
    /// The words for one sample and for several.
    pub noun: Noun,
    /// The command that gives these scores, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// The decision rule.
    pub rule: Threshold,
    /// Rows with higher scores are anomalies.
    pub threshold: f64,
    /// The guaranteed false-alarm rate on unseen normal rows, if the rule gives one.
    pub promised_rate: Option<f64>,
    /// Rows or images read.
    pub read: u64,
    /// Those that have a score.
    pub scored: u64,
    /// Those above the threshold.
    pub anomalies: u64,
    /// The share of anomalies against the promised rate, as a sentence.
    pub verdict: String,
    /// Whether that share is far above the promised rate.
    pub is_far_above: bool,
    /// What was filled, clipped, ignored or left out.
    pub notes: Vec<String>,
    /// The scores behind the threshold.
    pub calibration: CalibrationSample,
    /// The columns that scoring reads.
    pub columns: Vec<ColumnPanel>,
    /// With a label: how well anomalies are found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics: Option<NewDataMetrics>,
    /// The listed rows.
    pub rows: ListedRows,
    /// The columns of those that score highest.
    pub details: RowDetails,
    /// Codes of training rows in two dimensions.
    pub training_map: Vec<CodePoint>,
    /// Points of series only.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub series: Vec<DrawnSeries>,
    /// Images only: those that score highest.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<DrawnImage>,
    /// The comparison with the training rows, where somebody has made it: a drift report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drift: Option<Value>,
}

/// What a sample is, and what can be shown of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SampleLayout {
    /// A row of a table.
    Table,
    /// A point of a series.
    Points,
    /// A row that is a whole series, a column a step.
    Steps,
    /// An image.
    Images,
}

/// A noun in singular and plural.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Noun {
    /// Of one.
    pub one: &'static str,
    /// Of several.
    pub many: &'static str,
}

impl SampleLayout {
    /// The words for a sample.
    pub fn noun(self) -> Noun {
        match self {
            SampleLayout::Table | SampleLayout::Steps => Noun { one: "row", many: "rows" },
            SampleLayout::Points => Noun { one: "point", many: "points" },
            SampleLayout::Images => Noun { one: "image", many: "images" },
        }
    }
}

/// Calibration scores, of bounded number.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CalibrationSample {
    /// Number of all scores.
    pub n: u64,
    /// Number of independent blocks behind them, if they are fewer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocks: Option<u64>,
    /// Scores in ascending order: all, or evenly spaced ones with the lowest and the highest.
    pub scores: Vec<f64>,
}

impl CalibrationSample {
    /// Of ascending scores.
    pub(crate) fn of(rising: &[f64], blocks: Option<u64>) -> CalibrationSample {
        let n = rising.len();
        let kept = n.min(CALIBRATION);
        let at = |i: usize| if kept == n { rising[i] } else { rising[i * (n - 1) / (kept - 1)] };
        CalibrationSample { n: n as u64, blocks, scores: (0..kept).map(at).collect() }
    }
}

/// A column and its values in training rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ColumnPanel {
    /// Its name.
    pub name: String,
    /// `number`, `category`, `date` or `other`.
    pub kind: &'static str,
    /// Numbers: ascending edges of bins.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub edges: Vec<f64>,
    /// Numbers: training rows in each bin.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub counts: Vec<u64>,
    /// Numbers: quartiles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quartiles: Option<[f64; 3]>,
    /// Numbers: the lowest and the highest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<[f64; 2]>,
    /// The only content of a column that never changed, as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub always: Option<String>,
    /// Categories: training rows of the most frequent levels.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<(String, u64)>,
    /// Categories: training rows of other levels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub others: Option<u64>,
    /// Share of training rows without a value, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<f64>,
}

/// Rows as columns of equal length, in the order of the file.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ListedRows {
    /// Number of rows listed.
    pub listed: u64,
    /// Row of the file, from 0.
    pub row: Vec<u64>,
    /// Scores.
    pub score: Vec<f64>,
    /// Conformal p-values.
    pub p_value: Vec<f64>,
    /// 1 if the label says that a row is an anomaly, 0 if that it is normal; empty without labels.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub label: Vec<Option<u8>>,
    /// Columns that identify rows.
    pub ids: Vec<IdentifyingColumn>,
    /// Place on the code map; empty if rows have none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub x: Vec<f32>,
    /// The other coordinate.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub y: Vec<f32>,
}

/// A column that identifies rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct IdentifyingColumn {
    /// Its name.
    pub name: String,
    /// Its cells.
    pub values: Vec<String>,
}

/// The columns of the rows that score highest.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct RowDetails {
    /// Positions among the listed rows, highest score first.
    pub of: Vec<u64>,
    /// The reasons of each.
    pub reasons: Vec<Vec<Reason>>,
    /// The cells of each, by column; `None` for missing ones.
    pub got: Vec<Vec<Option<String>>>,
    /// What is expected there.
    pub expected: Vec<Vec<Option<String>>>,
}

/// One series with its scores and its reconstruction, perhaps thinned.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DrawnSeries {
    /// Its name; empty if there is only one.
    pub name: String,
    /// Number of points before thinning.
    pub of: u64,
    /// Every so many points are drawn: the one of the highest score among them.
    pub step: u64,
    /// Labels of the time axis, `[n]`.
    pub times: Vec<String>,
    /// Rows of the file, `[n]`; `None` for points that were filled in.
    pub rows: Vec<Option<u64>>,
    /// Scores, `[n]`; `None` if no window covers a point.
    pub score: Vec<Option<f64>>,
    /// The channels.
    pub channels: Vec<super::ChannelTrace>,
    /// Runs of anomalous points, as positions in these arrays.
    pub events: Vec<StretchEvent>,
}

/// One image with its reconstruction and its heat map: PNG in base64.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DrawnImage {
    /// Its name.
    pub name: String,
    /// Its score.
    pub score: f64,
    /// Its conformal p-value.
    pub p_value: f64,
    /// Above the threshold.
    pub is_anomaly: bool,
    /// As it came.
    pub input: String,
    /// Through the code.
    pub reconstruction: String,
    /// Overlaid with the errors of its pixels.
    pub heat: String,
}

impl ScoredData {
    /// The totals of a report, with nothing listed yet.
    pub(crate) fn new(found: &NewDataReport, layout: SampleLayout, calibration: CalibrationSample) -> ScoredData {
        ScoredData {
            source: found.source.clone(),
            layout,
            noun: layout.noun(),
            command: None,
            rule: found.detection.rule.clone(),
            threshold: found.detection.threshold,
            promised_rate: found.detection.promised_rate,
            read: found.rows,
            scored: found.scored,
            anomalies: found.anomalies,
            verdict: found.verdict(layout.noun()),
            is_far_above: matches!(found.alarm_rate(), super::AlarmRate::FarAbove { .. }),
            notes: found.notes.clone(),
            calibration,
            columns: Vec::new(),
            metrics: found.metrics.clone(),
            rows: ListedRows::default(),
            details: RowDetails::default(),
            training_map: Vec::new(),
            series: Vec::new(),
            images: Vec::new(),
            drift: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calibration_scores_are_thinned_to_their_order_statistics() {
        let all: Vec<f64> = (0..10).map(f64::from).collect();
        assert_eq!(CalibrationSample::of(&all, None).scores, all);
        let many: Vec<f64> = (0..50_001).map(f64::from).collect();
        let kept = CalibrationSample::of(&many, Some(7));
        assert_eq!((kept.n, kept.scores.len(), kept.blocks), (50_001, CALIBRATION, Some(7)));
        assert_eq!((kept.scores[0], kept.scores[CALIBRATION - 1]), (0.0, 50_000.0));
        assert!(CalibrationSample::of(&[], None).scores.is_empty());
    }
}
