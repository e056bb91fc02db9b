//! The additional report of a fit on time series: layout, windows, and excerpts with reconstructions and scores.

use serde::{Deserialize, Serialize};

/// The series, the windows, and excerpts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeriesReport {
    /// The layout of the series in the file.
    pub layout: String,
    /// Channels, in file order.
    pub channels: Vec<String>,
    /// Description of the time step, if there are times.
    pub step: Option<String>,
    /// Series read.
    pub n_series: u64,
    /// Points read, over all series.
    pub n_points: u64,
    /// Gaps: runs of missing points.
    pub gaps: u64,
    /// Missing points in all gaps.
    pub gap_points: u64,
    /// Window length in points.
    pub window: usize,
    /// Stride between windows in points.
    pub stride: usize,
    /// Period in points, if there is one.
    pub period: Option<usize>,
    /// Automatic choices with their reasons.
    pub notes: Vec<String>,
    /// Excerpts with scores; empty if each row is a series.
    pub stretches: Vec<AnomalousStretch>,
    /// The windows that score highest, highest first.
    pub windows: Vec<WindowExample>,
}

/// An excerpt of one series with reconstruction, scores and events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnomalousStretch {
    /// The series' name.
    pub series: String,
    /// Description of the excerpt.
    pub title: String,
    /// Labels of the time axis, `[n]`, in order.
    pub times: Vec<String>,
    /// The channels, each of `n` points.
    pub channels: Vec<ChannelTrace>,
    /// Score of each point, `[n]`; `None` if no window covers it.
    pub score: Vec<Option<f64>>,
    /// Points with higher scores are anomalies.
    pub threshold: f64,
    /// Runs of anomalous points, in order of time.
    pub events: Vec<StretchEvent>,
}

/// One channel and its reconstruction, in the file's units.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChannelTrace {
    /// The channel's name.
    pub name: String,
    /// Measured values, `[n]`; `None` for missing points.
    pub signal: Vec<Option<f64>>,
    /// Reconstruction, `[n]`; `None` where there is none.
    pub reconstruction: Vec<Option<f64>>,
}

/// A run of anomalous points in an excerpt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StretchEvent {
    /// First point, counted from the start of the excerpt.
    pub first: usize,
    /// Last point, inclusive.
    pub last: usize,
    /// Highest score.
    pub peak: f64,
    /// The top contributing channels, highest contribution first.
    pub channels: Vec<String>,
}

/// One of the highest-scoring windows with its reconstruction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WindowExample {
    /// Series and position.
    pub title: String,
    /// Its score.
    pub score: f64,
    /// The channels, each as long as the window.
    pub channels: Vec<ChannelTrace>,
}

#[cfg(all(test, feature = "report"))]
mod tests {
    use crate::report::Report;
    use crate::report::html::sample;

    #[test]
    fn series_are_optional_in_json_and_round_trip() {
        let mut report = sample::report();
        let json = serde_json::to_string(&report).unwrap();
        assert!(!json.contains("\"series\""));
        assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), report);
        report.series = Some(sample::series());
        let json = serde_json::to_string(&report).unwrap();
        assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), report);
    }
}
