//! What a fit on time series has to say beyond a fit on rows: how the series were read, what windows were cut from
//! them, and pieces of them with what the model made of each.

use serde::{Deserialize, Serialize};

/// The series, the windows, and examples of both.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeriesReport {
    /// How series lie in the file, in a word.
    pub layout: String,
    /// What is measured at every point, in the order of the file.
    pub channels: Vec<String>,
    /// Time from one point to the next, in words, where there is a clock.
    pub step: Option<String>,
    /// Series read.
    pub n_series: u64,
    /// Points read, of all series together.
    pub n_points: u64,
    /// Places where points are missing.
    pub gaps: u64,
    /// Points missing there.
    pub gap_points: u64,
    /// Points of a window: what the model sees at once.
    pub window: usize,
    /// Points from the start of a window to the start of the next.
    pub stride: usize,
    /// Points after which the series repeat themselves, where they do.
    pub period: Option<usize>,
    /// What was chosen and why, in words.
    pub notes: Vec<String>,
    /// Pieces of series with their scores; none where a row is a whole series.
    pub stretches: Vec<AnomalousStretch>,
    /// The windows that score highest, highest first.
    pub windows: Vec<WindowExample>,
}

/// A piece of one series with what the model made of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnomalousStretch {
    /// The series' name.
    pub series: String,
    /// What the piece shows, in words.
    pub title: String,
    /// Labels of the time axis, `[n]`, in order.
    pub times: Vec<String>,
    /// The channels, each of `n` points.
    pub channels: Vec<ChannelTrace>,
    /// Score of each point, `[n]`; none where no window covers it.
    pub score: Vec<Option<f64>>,
    /// Points that score above it are anomalies.
    pub threshold: f64,
    /// Runs of anomalous points, in the order of time.
    pub events: Vec<StretchEvent>,
}

/// One channel beside its reconstruction, in the file's units.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChannelTrace {
    /// The channel's name.
    pub name: String,
    /// As measured, `[n]`; none where the point is missing.
    pub signal: Vec<Option<f64>>,
    /// As rebuilt, `[n]`; none where nothing was rebuilt.
    pub reconstruction: Vec<Option<f64>>,
}

/// A run of anomalous points in a stretch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StretchEvent {
    /// Its first point, counted from the stretch's start.
    pub first: usize,
    /// Its last point, still a part of it.
    pub last: usize,
    /// The highest score in it.
    pub peak: f64,
    /// The channels to blame, worst first.
    pub channels: Vec<String>,
}

/// One of the worst windows: original against reconstruction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WindowExample {
    /// Where it was cut from, in words.
    pub title: String,
    /// Its score.
    pub score: f64,
    /// The channels, each as long as the window.
    pub channels: Vec<ChannelTrace>,
}

#[cfg(test)]
mod tests {
    use crate::report::Report;
    use crate::report::html::sample;

    #[test]
    fn a_report_without_series_is_written_as_ever_and_one_with_them_comes_back_whole() {
        let mut report = sample::report();
        let json = serde_json::to_string(&report).unwrap();
        assert!(!json.contains("\"series\""));
        assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), report);
        report.series = Some(sample::series());
        let json = serde_json::to_string(&report).unwrap();
        assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), report);
    }
}
