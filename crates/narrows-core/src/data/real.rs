//! Tests on published time series, if available.
//!
//! The files are not part of the repository. `NARROWS_DATA` names their folder, by default `shared/data` beside the
//! workspace; without it tests print a note and pass.

use std::path::PathBuf;

use super::{Duplicates, SeriesSet, Source, Table, TimeColumns, check_zones, conform, infer};
use crate::error::Result;

/// The files of the Numenta Anomaly Benchmark, each with its name in the benchmark.
fn nab() -> Vec<(String, Table)> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = std::env::var_os("NARROWS_DATA").map_or(beside, PathBuf::from).join("nab/data");
    let Ok(source) = Source::parse(&[folder.join("*/*.csv").display().to_string()]) else {
        eprintln!("skipped: {} is missing; set NARROWS_DATA to the folder with nab", folder.display());
        return Vec::new();
    };
    let read = |path: PathBuf| {
        let name = path.strip_prefix(&folder).unwrap().display().to_string();
        let source = Source { paths: vec![path], ..Source::default() };
        (name, source.open(4096, None).unwrap().read_all().unwrap())
    };
    source.paths.into_iter().map(read).collect()
}

fn series(raw: Table) -> Result<SeriesSet> {
    check_zones(&raw, "timestamp")?;
    let (table, _) = conform(raw.clone(), &infer(&raw)?.schema)?;
    let (time, channels) = (Some("timestamp".to_owned()), vec!["value".to_owned()]);
    SeriesSet::long(
        &table,
        &TimeColumns { time, channels, duplicates: Duplicates::Error, ..TimeColumns::default() },
        None,
    )
}

/// Files with duplicate times, and the row of the first duplicate. In two of them the hour skipped by daylight saving
/// time is written as twelve rows at 03:00; in the others two rows share a time. The correct value cannot be
/// determined.
const REPEATED: [(&str, u64); 6] = [
    ("realAWSCloudwatch/ec2_disk_write_bytes_1ef3de.csv", 2119),
    ("realAWSCloudwatch/ec2_network_in_5abac7.csv", 2118),
    ("realAdExchange/exchange-2_cpc_results.csv", 1304),
    ("realAdExchange/exchange-2_cpm_results.csv", 1304),
    ("realTraffic/occupancy_t4013.csv", 894),
    ("realTraffic/speed_t4013.csv", 893),
];

#[test]
fn nab_lies_on_grids_but_for_the_files_that_repeat_a_time() {
    for (name, raw) in nab() {
        let rows = raw.n_rows() as u64;
        let repeated = REPEATED.iter().find(|(file, _)| *file == name);
        let set = match (series(raw), repeated) {
            (Ok(set), None) => set,
            (Err(error), Some((_, row))) => {
                let message = error.to_string();
                assert!(message.contains(&format!("row {row}: the time")) && message.contains("twice"), "{message}");
                continue;
            }
            (Ok(_), Some(_)) => panic!("{name}: a time that occurs twice went unseen"),
            (Err(error), None) => panic!("{name}: {error}"),
        };
        let step = match name.split('/').next().unwrap() {
            "realAdExchange" => "1 h",
            "realTraffic" if name.contains("TravelTime") => "10 min",
            _ => "5 min",
        };
        assert_eq!(set.step.map(|step| step.to_string()).as_deref(), Some(step), "{name}");
        assert_eq!((set.counts.series, set.counts.missing), (1, 0), "{name}");
        assert_eq!(set.counts.points, rows + set.counts.gap_points, "{name}");
        let series = &set.series[0];
        assert_eq!(series.values.len() as u64, set.counts.points, "{name}");
        assert!((1..series.n_points()).all(|i| series.time(i) > series.time(i - 1)), "{name}");
    }
}
