//! The report as one HTML file that needs nothing else: no network, no font of its own.
//!
//! A section is a file here (what is said, in words and geometry) and a template of the same name in
//! `templates/report` (how it is laid out); askama escapes every value. Plots are inline SVG that takes its colours
//! from the page, so that light, dark and print are a matter of the stylesheet alone. A page with time series has one inline script, which
//! zooms them; nothing else needs it, and every other page has none.

mod anomalies;
mod code_map;
mod data;
mod label;
mod network;
mod number;
mod pca;
mod quality;
mod reproduce;
mod restorer;
#[cfg(test)]
pub(crate) mod sample;
mod scores;
mod series;
mod summary;
mod svg;
mod training;

pub use restorer::render_restorer;

use askama::Template;

use super::Report;
use crate::error::{Error, Result};

/// The page: its sections in reading order.
#[derive(Template)]
#[template(path = "report/page.html", whitespace = "minimize")]
struct Page {
    title: String,
    version: String,
    summary: summary::Summary,
    data: data::Data,
    network: network::Network,
    training: training::TrainingCurves,
    scores: scores::Scores,
    series: Option<series::Series>,
    anomalies: anomalies::Anomalies,
    quality: quality::Quality,
    code_map: code_map::CodeMap,
    pca: pca::Pca,
    reproduce: reproduce::Reproduce,
}

impl Page {
    /// Whether the page holds the script that zooms.
    fn can_zoom(&self) -> bool {
        self.series.as_ref().is_some_and(series::Series::can_zoom)
    }
}

/// Draws the report as one self-contained HTML file. The same report gives the same bytes.
///
/// # Errors
/// Where the page cannot be formatted, which a page in memory never is.
pub fn render(report: &Report) -> Result<String> {
    let page = Page {
        title: label::cut(&report.source, 120),
        version: report.version.clone(),
        summary: summary::Summary::new(report),
        data: data::Data::new(report),
        network: network::Network::new(report),
        training: training::TrainingCurves::new(report),
        scores: scores::Scores::new(report),
        series: report.series.as_ref().map(series::Series::new),
        anomalies: anomalies::Anomalies::new(report),
        quality: quality::Quality::new(report),
        code_map: code_map::CodeMap::new(report),
        pca: pca::Pca::new(report),
        reproduce: reproduce::Reproduce::new(report),
    };
    page.render().map_err(|error| Error::write("report.html", std::io::Error::other(error)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::Reason;
    use crate::report::{CodePoint, EventSpan, Role};

    const SECTIONS: [&str; 10] =
        ["summary", "data", "network", "training", "scores", "anomalies", "quality", "code-map", "pca", "reproduce"];

    /// Renders, and holds the page to what every page promises.
    fn check(report: &Report) -> String {
        let html = render(report).unwrap();
        for section in SECTIONS {
            assert!(html.contains(&format!("<section id=\"{section}\"")), "section {section} is missing");
        }
        for reference in ["http://", "https://", "src=", "url(//", "@import", "<link", "NaN", "Infinity"] {
            assert!(!html.contains(reference), "the page holds `{reference}`");
        }
        for tag in [
            "section", "table", "svg", "details", "div", "ul", "ol", "li", "td", "th", "span", "p", "title", "g",
            "text", "button",
        ] {
            let (open, close) = (
                html.matches(&format!("<{tag} ")).count() + html.matches(&format!("<{tag}>")).count(),
                html.matches(&format!("</{tag}>")).count(),
            );
            assert_eq!(open, close, "<{tag}> is opened {open} times and closed {close} times");
        }
        html
    }

    #[test]
    fn a_full_report_has_every_section_and_stays_small() {
        let html = check(&sample::report());
        assert!(html.len() < 400_000, "{} bytes", html.len());
        assert_eq!(html, render(&sample::report()).unwrap());
        let html = html.replace('\u{a0}', " ");
        for words in ["4 denoising networks", "share 71", "Fewer than 500 calibration rows", "seed = "] {
            assert!(html.contains(words), "`{words}` is missing");
        }
    }

    #[test]
    fn hostile_names_are_escaped_everywhere() {
        let hostile = "<script>alert('x')</script>\"><img onerror=x>{{ 7 }}";
        let mut report = sample::report();
        report.source = hostile.to_owned();
        report.version = hostile.to_owned();
        report.notes.push(hostile.to_owned());
        report.warnings.push(hostile.to_owned());
        report.network.loss = hostile.to_owned();
        report.network.layers[1].words = hostile.to_owned();
        report.training[0].corruption = hostile.to_owned();
        for column in &mut report.columns {
            (column.name, column.kind, column.words) = (hostile.to_owned(), hostile.to_owned(), hostile.to_owned());
        }
        for row in &mut report.top {
            row.reasons = vec![Reason::category(hostile, 0.5, hostile, hostile)];
        }
        let html = check(&report);
        assert!(!html.contains("<script") && !html.contains("<img") && !html.contains("onerror=x>"));
    }

    #[test]
    fn a_page_with_series_zooms_and_one_without_holds_no_script() {
        let mut report = sample::report();
        assert!(!check(&report).contains("<script"));
        report.series = Some(sample::series());
        let html = check(&report);
        assert!(html.contains("<section id=\"series\"") && html.contains("its script only zooms the series"));
        assert_eq!((html.matches("<script").count(), html.matches("</script>").count()), (1, 1));
        assert!(html.len() < 900_000, "{} bytes", html.len());
        report.series.as_mut().unwrap().stretches.clear();
        assert!(!check(&report).contains("<script"));
    }

    #[test]
    fn hostile_names_in_series_are_escaped() {
        let hostile = || "</script><script>alert('x')</script>\"><img onerror=x>{{ 7 }}".to_owned();
        let mut report = sample::report();
        let mut series = sample::series();
        (series.layout, series.step) = (hostile(), Some(hostile()));
        series.channels = vec![hostile()];
        series.notes = vec![hostile()];
        for stretch in &mut series.stretches {
            (stretch.series, stretch.title) = (hostile(), hostile());
            stretch.times.iter_mut().for_each(|time| *time = hostile());
            stretch.channels.iter_mut().for_each(|trace| trace.name = hostile());
            stretch.events.iter_mut().for_each(|event| event.channels = vec![hostile()]);
        }
        for window in &mut series.windows {
            window.title = hostile();
            window.channels.iter_mut().for_each(|trace| trace.name = hostile());
        }
        report.series = Some(series);
        let html = check(&report);
        assert_eq!((html.matches("<script").count(), html.matches("</script>").count()), (1, 1));
        assert!(!html.contains("<img") && !html.contains("onerror=x>"));
    }

    #[test]
    fn nothing_measured_is_said_and_not_drawn() {
        let mut report = sample::report();
        report.columns.clear();
        report.notes.clear();
        report.warnings.clear();
        report.network.layers.clear();
        report.training.clear();
        report.detection.histogram.counts.clear();
        report.detection.histogram.edges.clear();
        report.detection.anomalies = None;
        report.detection.promised_rate = None;
        report.top.clear();
        report.code_map.clear();
        report.rows = crate::report::Rows::default();
        assert!(!check(&report).contains("<svg class=\"wide"));
    }

    #[test]
    fn numbers_that_are_none_break_nothing() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN_POSITIVE, 0.0] {
            let mut report = sample::report();
            report.columns.iter_mut().for_each(|column| column.quality = Some(bad));
            for check in report.training.iter_mut().flat_map(|training| &mut training.history) {
                (check.train_loss, check.validation_loss, check.learning_rate) = (bad, bad, bad);
            }
            report.training.iter_mut().for_each(|training| (training.epochs, training.mean_activity) = (bad, bad));
            (report.detection.threshold, report.detection.promised_rate) = (bad, Some(bad));
            report.detection.histogram.edges.iter_mut().for_each(|edge| *edge = bad);
            (report.pca.pca_error, report.pca.model_error) = (bad, bad);
            for row in &mut report.top {
                (row.score, row.p_value) = (bad, bad);
                row.reasons.iter_mut().for_each(|reason| reason.share = bad);
            }
            let mut series = sample::series();
            for stretch in &mut series.stretches {
                stretch.threshold = bad;
                stretch.score[3..50].fill(Some(bad));
                stretch.channels[0].signal[7..70].fill(Some(bad));
                stretch.channels[1].reconstruction.fill(Some(bad));
                stretch.events.iter_mut().for_each(|event| event.peak = bad);
            }
            for window in &mut series.windows {
                window.score = bad;
                window.channels[0].signal.fill(Some(bad));
                window.channels[1].reconstruction.fill(Some(bad));
            }
            report.series = Some(series);
            report.code_map = vec![CodePoint { x: bad, y: bad, score: bad, is_anomaly: true }; 9];
            check(&report);
        }
    }

    #[test]
    fn two_thousand_columns_and_a_hundred_thousand_points_stay_small() {
        let mut report = sample::report();
        let column = report.columns[1].clone();
        report.columns = (0..2000)
            .map(|i| crate::report::ColumnReport {
                name: format!("column {i} {}", "long ".repeat(40)),
                ..column.clone()
            })
            .collect();
        report.columns[7].role = Role::Dropped;
        report.code_map = (0..100_000)
            .map(|i| CodePoint { x: f64::from(i).sin(), y: f64::from(i).cos(), score: 1.0, is_anomaly: i % 3 == 0 })
            .collect();
        let history = report.training[0].history.clone();
        report.training.iter_mut().for_each(|training| training.history = history.repeat(400));
        report.training = vec![report.training; 16].concat();
        report.notes = vec![report.notes; 100].concat();
        report.top = vec![report.top; 50].concat();
        let html = check(&report);
        assert!(html.len() < 1_500_000, "{} bytes", html.len());
    }

    #[test]
    fn long_series_of_many_channels_stay_small() {
        let mut series = sample::series();
        let mut stretch = series.stretches.swap_remove(1);
        let repeat = |values: &mut Vec<Option<f64>>| *values = values.repeat(4);
        repeat(&mut stretch.score);
        stretch.times = vec![stretch.times; 4].concat();
        for trace in &mut stretch.channels {
            repeat(&mut trace.signal);
            repeat(&mut trace.reconstruction);
        }
        stretch.channels = vec![stretch.channels; 5].concat();
        stretch.events =
            (0..500).map(|i| EventSpan { first: 40 * i, last: 40 * i, ..stretch.events[0].clone() }).collect();
        series.stretches = vec![stretch; 9];
        series.windows = vec![series.windows; 9].concat();
        let mut report = sample::report();
        report.series = Some(series);
        let html = check(&report);
        assert!(html.len() < 2_500_000, "{} bytes", html.len());
    }
}
