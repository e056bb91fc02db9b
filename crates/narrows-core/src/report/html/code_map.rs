//! The codes in two dimensions.

use askama::Template;

use super::number::{count, counted};
use super::sample_kind::SampleKind;
use super::svg::scatter::CodeScatter;
use crate::report::Report;

/// The section.
#[derive(Template)]
#[template(path = "report/code_map.html", whitespace = "minimize")]
pub(super) struct CodeMapSection {
    sample_kind: SampleKind,
    drawing: Option<CodeScatter>,
    has_anomalies: bool,
    remarks: Vec<String>,
}

impl CodeMapSection {
    pub(super) fn new(report: &Report) -> CodeMapSection {
        let sample_kind = SampleKind::network_input(report);
        let drawing = CodeScatter::new(&report.code_map);
        let remarks = drawing.as_ref().map(|map| remarks(map, report.code_map.len(), sample_kind)).unwrap_or_default();
        CodeMapSection {
            sample_kind,
            has_anomalies: drawing.as_ref().is_some_and(|map| map.drawn_anomalies > 0),
            drawing,
            remarks,
        }
    }
}

fn remarks(map: &CodeScatter, all: usize, sample_kind: SampleKind) -> Vec<String> {
    let noun = sample_kind.noun();
    let mut remarks = Vec::new();
    if map.drawn < all {
        remarks.push(format!("{} of {} are plotted.", count(map.drawn as u64), counted(all as u64, noun)));
    }
    match map.outside {
        0 => {}
        1 => remarks.push(format!("One {noun} lies outside the axes and is plotted at the edge.")),
        n => remarks.push(format!("{} lie outside the axes and are plotted at the edge.", counted(n as u64, noun))),
    }
    if map.drawn_anomalies == 0 {
        remarks.push(format!("No {noun} in this sample is above the threshold."));
    }
    remarks
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn omitted_points_are_reported() {
        let mut report = sample::report();
        report.code_map.iter_mut().for_each(|point| point.is_anomaly = false);
        report.code_map = report.code_map.repeat(3);
        let html = CodeMapSection::new(&report).render().unwrap().replace('\u{a0}', " ");
        assert!(html.contains("of 6,000 rows are plotted") && html.contains("No row in this sample"), "{html}");
        report.code_map.clear();
        assert!(CodeMapSection::new(&report).render().unwrap().contains("No code map"));
    }
}
