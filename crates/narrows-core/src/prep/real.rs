//! Tests on benchmark files, if available.
//!
//! The files are not part of the repository. `NARROWS_DATA` names their folder, by default `shared/data` beside the
//! workspace; without the file a test prints a note and passes.

use std::path::PathBuf;

use super::{Pipeline, Prep};
use crate::data::{Column, ColumnKind, Source, Table, conform, infer};

fn file(name: &str) -> Option<String> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = std::env::var_os("NARROWS_DATA").map_or(beside, PathBuf::from);
    let path = folder.join(name);
    if path.exists() {
        return Some(path.display().to_string());
    }
    eprintln!("skipped: {} is missing; set NARROWS_DATA to the folder with {name}", path.display());
    None
}

/// Reads, infers, conforms, fits and inverts; returns the raw table.
fn check(name: &str, rows: usize, columns: usize) -> Option<Table> {
    let mut reader = Source::parse(&[file(name)?]).unwrap().open(4096, None).unwrap();
    assert_eq!(reader.columns().len(), columns, "{name}");
    let raw = reader.read_all().unwrap();
    assert_eq!(raw.n_rows(), rows, "{name}");
    let inferred = infer(&raw).unwrap();
    let (table, _) = conform(raw.clone(), &inferred.schema).unwrap();
    let all: Vec<u32> = (0..rows as u32).collect();
    let (pipeline, _) = Pipeline::fit(&table, &inferred.schema, &inferred.features(), &all, &Prep::default()).unwrap();
    let prepared = pipeline.transform(&table).unwrap();
    assert!(prepared.input.iter().all(|x| x.is_finite()), "{name}");
    assert_eq!(prepared.counts.missing + prepared.counts.unseen_levels, 0, "{name}");
    assert_eq!(pipeline.inverse_table(&prepared.input, rows).unwrap().n_rows(), rows);
    Some(raw)
}

#[test]
fn nsl_kdd_has_no_header_and_three_columns_of_text() {
    let Some(table) = check("nsl_kdd/KDDTrain+_20Percent.txt", 25_192, 43) else { return };
    let schema = infer(&table).unwrap().schema;
    let is_name = |column: &&Column| column.kind == ColumnKind::Category;
    let names: Vec<&str> = schema.columns.iter().filter(is_name).map(|column| column.name.as_str()).collect();
    // Protocol, service, flag; and the label.
    assert_eq!(names, ["column_1", "column_2", "column_3", "column_41"]);
}

#[test]
fn adbench_archives_read_in_every_type() {
    for (name, rows, columns) in
        [("14_glass", 214, 8), ("32_shuttle", 49_097, 10), ("17_InternetAds", 1966, 1556), ("42_WBC", 223, 10)]
    {
        check(&format!("adbench/{name}.npz"), rows, columns);
    }
}
