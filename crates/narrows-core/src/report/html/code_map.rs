//! The codes in two dimensions.

use askama::Template;

use super::number::{count, counted};
use super::subject::Subject;
use super::svg::scatter::Map;
use crate::report::Report;

/// The section.
#[derive(Template)]
#[template(path = "report/code_map.html", whitespace = "minimize")]
pub(super) struct CodeMap {
    subject: Subject,
    drawing: Option<Map>,
    has_anomalies: bool,
    remarks: Vec<String>,
}

impl CodeMap {
    pub(super) fn new(report: &Report) -> CodeMap {
        let subject = Subject::seen(report);
        let drawing = Map::new(&report.code_map);
        let remarks = drawing.as_ref().map(|map| remarks(map, report.code_map.len(), subject)).unwrap_or_default();
        CodeMap {
            subject,
            has_anomalies: drawing.as_ref().is_some_and(|map| map.drawn_anomalies > 0),
            drawing,
            remarks,
        }
    }
}

fn remarks(map: &Map, all: usize, subject: Subject) -> Vec<String> {
    let noun = subject.noun();
    let mut remarks = Vec::new();
    if map.drawn < all {
        remarks.push(format!("{} of {} are drawn.", count(map.drawn as u64), counted(all as u64, noun)));
    }
    match map.outside {
        0 => {}
        1 => remarks.push(format!("One {noun} lies beyond the frame and is drawn on its edge.")),
        n => remarks.push(format!("{} lie beyond the frame and are drawn on its edge.", counted(n as u64, noun))),
    }
    if map.drawn_anomalies == 0 {
        remarks.push(format!("No {noun} of this sample is above the threshold."));
    }
    remarks
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn what_is_not_drawn_is_said() {
        let mut report = sample::report();
        report.code_map.iter_mut().for_each(|point| point.is_anomaly = false);
        report.code_map = report.code_map.repeat(3);
        let html = CodeMap::new(&report).render().unwrap().replace('\u{a0}', " ");
        assert!(html.contains("of 6,000 rows are drawn") && html.contains("No row of this sample"), "{html}");
        report.code_map.clear();
        assert!(CodeMap::new(&report).render().unwrap().contains("no code map"));
    }
}
