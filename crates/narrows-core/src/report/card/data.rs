//! The data of the fit: how they were split, and every column with what was made of it and what was seen in it.

use super::markdown::{MarkdownDocument, name, sentence};
use super::subject::{CardSubject, DetectorSubject};
use crate::report::html::columns;
use crate::report::number::{count, counted, number, percent};
use crate::report::{AlbumReport, ColumnPanel, ColumnReport, Report, SeriesReport};

/// Columns listed; the JSON of the model has the rest.
const COLUMNS: usize = 200;
/// Levels of a category named.
const LEVELS: usize = 5;
/// Notes listed.
const NOTES: usize = 40;

/// The section.
pub(super) fn write(subject: &CardSubject<'_>, document: &mut MarkdownDocument) {
    document.section("Data of the fit");
    match subject {
        CardSubject::Detector(model) => {
            match &model.report.images {
                Some(images) => {
                    document.list(album(&images.album));
                    document.paragraph(&format!("The network sees: {}.", sentence(&images.view)));
                }
                None => document.list(rows(model)),
            }
            if !model.report.columns.is_empty() {
                write_columns(model, document);
            }
            write_notes(&model.report.notes, document);
        }
        CardSubject::Restorer(report) => document.list(album(&report.album)),
        CardSubject::Encoder(encoder) => {
            document.paragraph(&format!("Fitted to {}.", name(encoder.source)));
            let listed = encoder.columns.iter().take(COLUMNS);
            document.table(&["column", "type"], listed.map(|(column, kind)| vec![name(column), kind.clone()]));
            more(encoder.columns.len(), document);
        }
    }
}

/// The rows by what they were for.
fn rows(model: &DetectorSubject<'_>) -> Vec<String> {
    let Report { rows, label, population, .. } = model.report;
    let mut items = vec![format!("{} read", counted(rows.read, "row"))];
    items.extend(model.report.series.iter().flat_map(series));
    let of = if model.report.series.is_some() { "windows for training" } else { "for training" };
    items.push(format!("{} {of}", count(rows.train)));
    items.extend(held_out(rows.validation, rows.calibration));
    if rows.unlabelled > 0 {
        items.push(format!("{} without a label, left out", count(rows.unlabelled)));
    }
    if let Some(population) = population {
        items.push(format!("a sample of {} rows", count(population.rows)));
    }
    if let Some(label) = label {
        let words = label.describe();
        let described = if words.is_empty() { String::new() } else { format!(": {}", sentence(&words)) };
        items.push(format!("the label {}{described}; it is no input", name(&label.column)));
    }
    items
}

/// What did not train.
fn held_out(validation: u64, calibration: u64) -> Vec<String> {
    [(validation, "validation, which chose the weights"), (calibration, "calibration, which set the threshold")]
        .into_iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, purpose)| format!("{} for {purpose}", count(n)))
        .collect()
}

fn album(album: &AlbumReport) -> Vec<String> {
    let span = |[least, greatest]: [usize; 2]| match least == greatest {
        true => least.to_string(),
        false => format!("{least} to {greatest}"),
    };
    let channels = album.channels.count() as u64;
    let mut items = vec![
        format!("{} read, {} each", counted(album.read, "image"), counted(channels, "channel")),
        format!("{} pixels high, {} wide", span(album.heights), span(album.widths)),
        format!("{} for training", count(album.train)),
    ];
    items.extend(held_out(album.validation, album.calibration));
    if !album.skipped.is_empty() {
        items.push(format!("{} that could not be read", count(album.skipped.len() as u64)));
    }
    items
}

fn series(series: &SeriesReport) -> Vec<String> {
    let mut items = vec![
        format!("{} series with {} in all", count(series.n_series), counted(series.n_points, "point")),
        format!(
            "windows of {}, {} apart",
            counted(series.window as u64, "point"),
            counted(series.stride as u64, "point")
        ),
    ];
    items.extend(series.step.iter().map(|step| format!("time step: {}", sentence(step))));
    items.extend(series.period.map(|period| format!("a period of {} points", count(period as u64))));
    if series.gaps > 0 {
        items.push(format!("{} with {}", counted(series.gaps, "gap"), counted(series.gap_points, "missing point")));
    }
    items
}

fn write_columns(model: &DetectorSubject<'_>, document: &mut MarkdownDocument) {
    let all = &model.report.columns;
    document.part("Columns");
    document.paragraph(&format!("{}.", columns::counts(all)));
    let seen = |column: &ColumnReport| model.columns.iter().find(|panel| panel.name == column.name);
    let listed = all.iter().take(COLUMNS).map(|column| {
        let panel = seen(column);
        vec![
            name(&column.name),
            sentence(&column.kind),
            columns::role(&column.role).to_owned(),
            sentence(&column.words),
            panel.map_or_else(String::new, values),
            count(column.missing),
            column.quality.map_or_else(String::new, percent),
        ]
    });
    let head = ["column", "type", "role", "preparation", "seen in training", "missing", "reconstruction"];
    document.table(&head, listed);
    more(all.len(), document);
    if all.iter().any(|column| column.quality.is_some()) {
        document.paragraph(
            "Reconstruction is 1 - error / variance of held-out rows for numbers and dates, accuracy for categories: anomalies in \
             columns that are reconstructed badly are easily missed.",
        );
    }
}

/// What training rows had in a column.
fn values(panel: &ColumnPanel) -> String {
    if let Some(always) = &panel.always {
        return format!("always {}", name(always));
    }
    if let Some([low, high]) = panel.range {
        return format!("{} to {}", number(low), number(high));
    }
    if panel.levels.is_empty() {
        return String::new();
    }
    let names: Vec<String> = panel.levels.iter().take(LEVELS).map(|(level, _)| name(level)).collect();
    let has_more = panel.levels.len() > LEVELS || panel.others.is_some_and(|others| others > 0);
    format!("{}{}", names.join(", "), if has_more { ", …" } else { "" })
}

fn write_notes(notes: &[String], document: &mut MarkdownDocument) {
    if notes.is_empty() {
        return;
    }
    document.part("Notes on the data");
    document.list(notes.iter().take(NOTES).map(|note| sentence(note)));
    if notes.len() > NOTES {
        document.paragraph(&format!("And {} more.", count((notes.len() - NOTES) as u64)));
    }
}

/// Says how many columns are not listed.
fn more(columns: usize, document: &mut MarkdownDocument) {
    if columns > COLUMNS {
        document.paragraph(&format!("And {} more columns.", count((columns - COLUMNS) as u64)));
    }
}
