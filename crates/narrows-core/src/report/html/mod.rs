//! The report as one self-contained HTML file: no network, no web fonts.
//!
//! Each section is a file here (the content) and a template of the same name in `templates/report` (the layout); askama
//! escapes every value. Plots are inline SVG and take their colours from the stylesheet, which covers light, dark and
//! print. Images are embedded as base64. A page about a fit contains no script, unless it has time series, whose plots it
//! zooms. A page about new data has scripts (`scripts.rs`) that show every row; without them it shows the same in short.
//!
//! The pages of a fit and of a restorer extend the same `base.html`.

mod album;
mod anomalies;
mod anomalous_images;
mod code_map;
pub(in crate::report) mod columns;
mod data;
mod generation;
mod images;
mod living;
mod models;
mod network;
mod new_data;
pub(in crate::report) mod pca;
mod quality;
pub(in crate::report) mod reproduce;
mod restoration;
pub(in crate::report) mod restorer;
#[cfg(test)]
pub(crate) mod sample;
pub(in crate::report) mod sample_kind;
pub(in crate::report) mod scores;
mod scripts;
mod series;
mod sheet;
mod similarities;
pub(in crate::report) mod summary;
mod svg;
pub(in crate::report) mod text;
pub(in crate::report) mod training;

pub use living::PageHost;
pub use models::{ServedEntry, page_address, render_models};
pub use restorer::render_restorer;
pub use scripts::module as script;

use askama::Template;

use super::{ColumnPanel, NewDataReport, Report, SampleLayout, ScoredData, number};
use crate::error::{Error, Result};

/// The sign of the pages, as an SVG image.
pub const ICON: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 -4 24 24\" fill=\"#1b5a94\">\
                        <path d=\"M1 1L10 6.5V9.5L1 15Z\"/><path d=\"M23 1L14 6.5V9.5L23 15Z\"/></svg>";

/// The page: its sections in reading order.
#[derive(Template)]
#[template(path = "report/page.html", whitespace = "minimize")]
struct FitPage {
    title: String,
    kind: &'static str,
    version: String,
    summary: summary::SummarySection,
    /// Only if the page is about new data, too.
    new_data: Option<new_data::NewDataSection>,
    data: data::DataSection,
    images: Option<images::ImagesSection>,
    network: network::NetworkSection,
    training: training::TrainingSection,
    scores: scores::ScoresSection,
    series: Option<series::SeriesSection>,
    /// Tables and series only; images have `anomalous_images`.
    anomalies: Option<anomalies::AnomaliesSection>,
    anomalous_images: Option<anomalous_images::AnomalousImagesSection>,
    /// Tables and series only.
    quality: Option<quality::QualitySection>,
    code_map: code_map::CodeMapSection,
    pca: pca::PcaSection,
    /// `None` in reports before format 4.
    generation: Option<generation::GenerationSection>,
    reproduce: reproduce::ReproduceSection,
    /// Scripts and what they show, if the page is interactive.
    living: Option<living::LivingPart>,
}

impl FitPage {
    /// Whether the page contains the zoom script.
    fn can_zoom(&self) -> bool {
        self.series.as_ref().is_some_and(series::SeriesSection::can_zoom)
            || self.new_data.as_ref().is_some_and(new_data::NewDataSection::can_zoom)
    }
}

/// Renders the report as one self-contained HTML file. The same report gives the same bytes.
///
/// # Errors
/// If formatting fails, which cannot happen in memory.
pub fn render(report: &Report) -> Result<String> {
    finished(&page_of(report, None))
}

/// What an interactive page shows.
#[derive(Debug, Clone, Copy)]
pub struct LivingPage<'a> {
    /// Who shows it.
    pub host: PageHost<'a>,
    /// What a sample is.
    pub layout: SampleLayout,
    /// The columns that scoring reads.
    pub columns: &'a [ColumnPanel],
    /// New data, if there are some yet.
    pub data: Option<(&'a NewDataReport, &'a ScoredData)>,
}

/// Renders the report as an interactive page, with a section on new data.
///
/// # Errors
/// As [`render`].
pub fn render_living(report: &Report, living: &LivingPage<'_>) -> Result<String> {
    let LivingPage { host, layout, columns, data } = *living;
    let mut page = page_of(report, data.map(|(found, _)| found));
    if let Some(new_data) = &mut page.new_data {
        new_data.is_living = true;
    }
    let mut part = living::LivingPart::new(host, layout, columns, data.map(|(_, rows)| rows))?;
    part.can_zoom = page.can_zoom();
    page.living = Some(part);
    finished(&page)
}

fn finished(page: &FitPage) -> Result<String> {
    page.render().map_err(|error| Error::write("report.html", std::io::Error::other(error)))
}

fn page_of(report: &Report, new_data: Option<&NewDataReport>) -> FitPage {
    let images = report.images.as_ref();
    let has_columns = images.is_none();
    FitPage {
        title: text::cut(&report.source, 120),
        kind: "fit report",
        version: report.version.clone(),
        summary: summary::SummarySection::new(report),
        new_data: new_data.map(|found| new_data::NewDataSection::new(report, found)),
        data: data::DataSection::new(report),
        images: images.map(|images| images::ImagesSection::new(report, images)),
        network: network::NetworkSection::new(report),
        training: training::TrainingSection::new(&report.training),
        scores: scores::ScoresSection::new(report),
        series: report.series.as_ref().map(series::SeriesSection::new),
        anomalies: has_columns.then(|| anomalies::AnomaliesSection::new(report)),
        anomalous_images: images.map(|images| anomalous_images::AnomalousImagesSection::new(report, images)),
        quality: has_columns.then(|| quality::QualitySection::new(report)),
        code_map: code_map::CodeMapSection::new(report),
        pca: pca::PcaSection::new(report),
        generation: report.generation.as_ref().map(|found| generation::GenerationSection::new(report, found)),
        reproduce: reproduce::ReproduceSection::new(report),
        living: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::Reason;
    use crate::report::{CalibrationSample, CodePoint, RestorerReport, Role, SkippedImage, StretchEvent, WorstImage};

    const FIT_SECTIONS: [&str; 8] =
        ["summary", "data", "network", "training", "scores", "anomalies", "code-map", "reproduce"];
    const RESTORER_SECTIONS: [&str; 6] = ["summary", "quality", "data", "network", "training", "reproduce"];

    /// The interactive page of a file.
    fn living(report: &Report, found: &NewDataReport) -> Result<String> {
        let calibration = CalibrationSample::of(&[0.5, 1.0, 2.0], None);
        let rows = ScoredData::new(found, SampleLayout::Table, calibration);
        let data = Some((found, &rows));
        render_living(report, &LivingPage { host: PageHost::File, layout: SampleLayout::Table, columns: &[], data })
    }

    /// The page without its scripts and documents.
    fn without_scripts(html: &str) -> String {
        let mut pieces = html.split("<script");
        let first = pieces.next().unwrap().to_owned();
        pieces.fold(first, |kept, piece| kept + piece.split_once("</script>").unwrap().1)
    }

    /// Renders the page and checks what holds for every page.
    fn check(report: &Report) -> String {
        let html = render(report).unwrap();
        let own = if report.images.is_some() { ["images", "pca"] } else { ["quality", "pca"] };
        check_page(&html, &[&FIT_SECTIONS[..], &own].concat());
        html
    }

    fn check_restorer(report: &RestorerReport) -> String {
        let html = render_restorer(report).unwrap();
        check_page(&html, &RESTORER_SECTIONS);
        html
    }

    fn check_page(html: &str, sections: &[&str]) {
        for section in sections {
            assert!(html.contains(&format!("<section id=\"{section}\"")), "section {section} is missing");
            let link = format!("<a href=\"#{section}\">");
            assert!(*section == "summary" || html.contains(&link), "section {section} is not linked");
        }
        for link in html.split("href=\"#").skip(1) {
            let section = link.split('"').next().unwrap();
            assert!(
                html.contains(&format!("<section id=\"{section}\"")),
                "a link points to {section}, which is missing"
            );
        }
        let without_sheets = without_sheets(html);
        for reference in ["http://", "https://", "src=", "=\"data:", "url(//", "@import", "<link", "NaN", "Infinity"] {
            assert!(!without_sheets.contains(reference), "the page contains `{reference}`");
        }
        for tag in [
            "section", "table", "svg", "details", "div", "ul", "ol", "li", "td", "th", "tr", "span", "p", "title", "g",
            "text", "button", "figure", "dl", "dd", "code", "bdi",
        ] {
            let (open, close) = (
                html.matches(&format!("<{tag} ")).count() + html.matches(&format!("<{tag}>")).count(),
                html.matches(&format!("</{tag}>")).count(),
            );
            assert_eq!(open, close, "<{tag}> is opened {open} times and closed {close} times");
        }
    }

    /// The page without its embedded images.
    fn without_sheets(html: &str) -> String {
        let mut pieces = html.split("src=\"data:image/png;base64,");
        let mut kept = pieces.next().unwrap().to_owned();
        for piece in pieces {
            let (base64, rest) = piece.split_once("\">").unwrap();
            assert!(base64.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(&b)), "not base64");
            kept.push_str(rest);
        }
        kept
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
        let generation = report.generation.as_mut().unwrap();
        generation.density.words = hostile.to_owned();
        let found = generation.sample_similarity.as_mut().unwrap();
        (found.classifier, found.space) = (hostile.to_owned(), Some(hostile.to_owned()));
        found.columns.iter_mut().for_each(|column| column.column = hostile.to_owned());
        let html = check(&report);
        assert!(!html.contains("<script") && !html.contains("<img") && !html.contains("onerror=x>"));
    }

    #[test]
    fn new_data_has_its_section_with_everything_escaped() {
        let hostile = || "</script><script>alert('x')</script>\"><img onerror=x>{{ 7 }}".to_owned();
        let mut found = sample::new_data();
        let html = living(&sample::report(), &found).unwrap().replace('\u{a0}', " ");
        for words in
            ["id=\"new-data\"", "href=\"#new-data\"", "new rows", "4.2 times", "AUC-PR", "highest 10:", "41.20"]
        {
            assert!(html.contains(words), "`{words}` is missing");
        }
        assert!(!render(&sample::report()).unwrap().contains("id=\"new-data\""));
        found.source = hostile();
        found.notes = vec![hostile()];
        found.top.iter_mut().for_each(|row| row.reasons = vec![Reason::category(hostile(), 0.5, hostile(), hostile())]);
        found.metrics.as_mut().unwrap().baselines.iter_mut().for_each(|baseline| baseline.name = hostile());
        found.worst = vec![WorstImage { name: hostile(), score: 1.0, p_value: 0.5, is_anomaly: true }];
        found.worst_sheet = hostile();
        found.stretches = sample::series().stretches;
        found.stretches.iter_mut().for_each(|stretch| stretch.series = hostile());
        let html = living(&sample::report(), &found).unwrap();
        // The host, the rows, the map of the modules, the entry, and that of the zoom.
        assert_eq!((html.matches("<script").count(), html.matches("</script>").count()), (5, 5));
        let shown = without_scripts(&html);
        assert!(!shown.contains("<img") && !shown.contains("onerror=x>") && html.contains("\\u003c/script>"));
        for bad in [f64::NAN, f64::INFINITY, 0.0] {
            let mut found = sample::new_data();
            found.detection.threshold = bad;
            found.top.iter_mut().for_each(|row| (row.score, row.p_value) = (bad, bad));
            found.metrics.as_mut().unwrap().auc_roc.value = bad;
            let html = without_scripts(&living(&sample::report(), &found).unwrap());
            assert!(!html.contains("NaN") && !html.contains("inf "), "{bad}");
        }
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
        report.rows = crate::report::RowCounts::default();
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
            let generation = report.generation.as_mut().unwrap();
            (generation.density.held_out, generation.density.one_normal) = (Some(bad), Some(bad));
            generation.negative_elbo = Some(bad);
            let found = generation.sample_similarity.as_mut().unwrap();
            (found.auc, found.correlation_difference) = (bad, Some(bad));
            found.copies.as_mut().unwrap().ratio = Some(bad);
            found.columns.iter_mut().for_each(|c| (c.distance, c.missing) = (bad, Some([bad, bad])));
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
            (0..500).map(|i| StretchEvent { first: 40 * i, last: 40 * i, ..stretch.events[0].clone() }).collect();
        series.stretches = vec![stretch; 9];
        series.windows = vec![series.windows; 9].concat();
        let mut report = sample::report();
        report.series = Some(series);
        let html = check(&report);
        assert!(html.len() < 2_500_000, "{} bytes", html.len());
    }

    fn image_report() -> Report {
        let mut report = sample::report();
        (report.columns, report.top, report.images) = (Vec::new(), Vec::new(), Some(sample::images()));
        // These mention the table.
        (report.notes, report.warnings) = (Vec::new(), Vec::new());
        report.label = Some(crate::report::Label {
            column: "folder".to_owned(),
            normal: Some("good".to_owned()),
            ..Default::default()
        });
        report
    }

    #[test]
    fn a_page_of_images_speaks_of_images_alone() {
        let html = check(&image_report());
        assert_eq!(html.matches("<img ").count(), 2);
        assert!(html.contains("href=\"#images\"") && !html.contains("href=\"#quality\""));
        assert!(!html.contains("id=\"quality\"") && !html.contains("<script"));
        let (start, end) = (html.find("<main>").unwrap(), html.find("<section id=\"reproduce\"").unwrap());
        for words in [" row ", " rows", "\u{a0}row", "rows ", "olumn"] {
            assert!(!html[start..end].contains(words), "the page mentions `{words}`");
        }
    }

    #[test]
    fn a_restorer_has_its_page() {
        let html = check_restorer(&sample::restorer());
        assert_eq!(html, render_restorer(&sample::restorer()).unwrap());
        assert_eq!(html.matches("<img ").count(), 1);
        assert!(html.len() < 200_000 && !html.contains("<script"), "{} bytes", html.len());
        for words in ["no bottleneck", "Results by image", "validation loss", "restorer report", "--recipe recipe.toml"]
        {
            assert!(html.contains(words), "`{words}` is missing");
        }
        let bare = RestorerReport { quality: None, sheet: String::new(), ..sample::restorer() };
        assert!(!check_restorer(&bare).contains("<img"));
    }

    #[test]
    fn hostile_images_are_escaped_and_a_sheet_that_is_none_is_left_out() {
        let hostile = || "\"><script>alert('x')</script><img onerror=x>{{ 7 }}".to_owned();
        let skipped = || vec![SkippedImage { name: hostile(), reason: hostile() }; 20];
        let mut report = image_report();
        report.label.as_mut().unwrap().normal = Some(hostile());
        let images = report.images.as_mut().unwrap();
        (images.view, images.backbone, images.quality.damage) = (hostile(), hostile(), hostile());
        (images.album.source, images.album.skipped) = (hostile(), skipped());
        images.worst.iter_mut().for_each(|image| image.name = hostile());
        (images.sheet, images.worst_sheet) = (hostile(), format!("iVBORw0KGgo{}", hostile()));
        let html = check(&report).to_lowercase();
        assert!(!html.contains("<script") && !html.contains("<img") && !html.contains("onerror=x>"));

        let mut report = sample::restorer();
        (report.version, report.damage, report.network) = (hostile(), hostile(), hostile());
        (report.album.source, report.album.skipped) = (hostile(), skipped());
        (report.training.corruption, report.warnings, report.sheet) = (hostile(), vec![hostile()], hostile());
        let quality = report.quality.as_mut().unwrap();
        (quality.damage, quality.means.baseline.name) = (hostile(), hostile());
        for image in &mut quality.images {
            (image.name, image.qualities.baseline.name) = (hostile(), hostile());
        }
        let html = check_restorer(&report).to_lowercase();
        assert!(!html.contains("<script") && !html.contains("<img") && !html.contains("onerror=x>"));
    }

    #[test]
    fn figures_of_images_that_are_none_break_nothing() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN_POSITIVE, 0.0] {
            let spoil = |s: &mut crate::report::Similarity| {
                (s.psnr, s.ssim, s.mse, s.bce, s.colourfulness) = (bad, Some(bad), bad, Some(bad), Some(bad));
            };
            let mut report = image_report();
            let images = report.images.as_mut().unwrap();
            let quality = &mut images.quality;
            [&mut quality.model, &mut quality.pca].into_iter().chain(&mut quality.input).for_each(spoil);
            images.worst.iter_mut().for_each(|image| (image.score, image.p_value) = (bad, bad));
            check(&report);

            let mut report = sample::restorer();
            let quality = report.quality.as_mut().unwrap();
            let all = quality.images.iter_mut().map(|image| &mut image.qualities).chain([&mut quality.means]);
            all.for_each(|q| [&mut q.restored, &mut q.input, &mut q.baseline.similarity].into_iter().for_each(spoil));
            check_restorer(&report);
        }
    }

    #[test]
    fn thousands_of_images_stay_small() {
        let name = |i: usize| format!("{i} {}", "long ".repeat(100));
        let skipped: Vec<SkippedImage> =
            (0..50_000).map(|i| SkippedImage { name: name(i), reason: "reason ".repeat(100) }).collect();
        let mut report = image_report();
        let images = report.images.as_mut().unwrap();
        images.album.skipped.clone_from(&skipped);
        let worst = images.worst[0].clone();
        images.worst = (0..50_000).map(|i| WorstImage { name: name(i), ..worst.clone() }).collect();
        let html = check(&report);
        assert!(html.len() < 600_000, "{} bytes", html.len());
        let mut report = sample::restorer();
        report.album.skipped = skipped;
        let quality = report.quality.as_mut().unwrap();
        quality.images = vec![quality.images.clone(); 5000].concat();
        quality.images.iter_mut().enumerate().for_each(|(i, image)| image.name = name(i));
        let html = check_restorer(&report);
        assert!(html.len() < 900_000, "{} bytes", html.len());
    }
}
