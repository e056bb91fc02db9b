//! `narrows score --follow` that watches for drift: reports, the alarm, the exit code.

use serde_json::Value;

use crate::drift::{moved, of_series, wave};
use crate::folder::{Folder, ordinary};

/// The rows of one table after those of another.
fn joined(first: &str, second: &str) -> String {
    let rest = second.split_once('\n').unwrap().1;
    format!("{first}{rest}")
}

/// Rows like those of the fit that did not train.
fn fresh(rows: usize) -> String {
    let text = ordinary(300 + rows);
    let lines: Vec<&str> = text.lines().collect();
    format!("{}\n{}\n", lines[0], lines[301..].join("\n"))
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

#[test]
fn reports_come_every_so_many_rows_and_at_the_end() {
    let folder = Folder::with_model();
    folder.write("new.csv", joined(&fresh(200), &moved(250, 2.0)));
    let ran = folder.run("score m.narrows new.csv --follow --report-every 200").succeeds();
    assert_eq!(ran.stdout.lines().count(), 450);
    let told: Vec<&str> = ran.stderr.lines().filter(|line| line.starts_with("rows ")).collect();
    assert_eq!(told.len(), 3, "{}", ran.stderr);
    assert!(told[0].starts_with("rows 0 to 199: no drift; "), "{}", told[0]);
    assert!(told[0].contains("not significantly more than the promise"), "{}", told[0]);
    assert!(told[1].starts_with("rows 200 to 399: drift: the threshold no longer holds"), "{}", told[1]);
    assert!(told[1].contains("`c`: median 12"), "{}", told[1]);
    assert!(told[2].starts_with("rows 400 to 449: drift: "), "{}", told[2]);
    assert_eq!(folder.run("score m.narrows new.csv --follow --report-every 200 --fail-on-drift").code, 10);

    let ran = folder.run("score m.narrows new.csv --follow --report-every 200 --json").succeeds();
    assert_eq!(lines(&ran.stdout).len(), 450);
    let reports: Vec<Value> = lines(&ran.stderr).into_iter().filter(|line| line.get("drift").is_some()).collect();
    let of = |i: usize, key: &str| reports[i]["drift"][key].clone();
    assert_eq!((of(1, "first_row"), of(1, "last_row"), of(1, "rows")), (200.into(), 399.into(), 200.into()));
    assert_eq!((of(0, "has_drifted"), of(1, "has_drifted")), (false.into(), true.into()));
    // As `drift` compares the same rows.
    folder.write("second.csv", moved(200, 2.0));
    let alone = folder.run("drift m.narrows second.csv --json").succeeds().json();
    assert_eq!((of(1, "score"), of(1, "columns")), (alone["score"].clone(), alone["columns"].clone()));
}

#[test]
fn the_alarm_is_raised_once_in_the_row_that_raises_it() {
    let folder = Folder::with_model();
    folder.write("new.csv", joined(&fresh(200), &moved(250, 8.0)));
    let ran = folder.run("score m.narrows new.csv --follow --alarm-drift 0.01").succeeds();
    let rows = lines(&ran.stdout);
    let raised: Vec<u64> =
        rows.iter().filter(|row| row["drift_alarm"] == true).map(|row| row["row"].as_u64().unwrap()).collect();
    assert!(raised.len() == 1 && (200..300).contains(&raised[0]), "{raised:?}");
    assert_eq!(rows[0]["drift_alarm"], false);
    let words = format!("warning: drift alarm at row {}", raised[0]);
    assert!(ran.stderr.contains(&words), "{}", ran.stderr);
    // Also with --quiet, in the JSON, and among anomalies only.
    assert!(folder.run("score m.narrows new.csv --follow --alarm-drift 0.01 -q").stderr.contains(&words));
    let ran = folder.run("score m.narrows new.csv --follow --alarm-drift 1% --json --fail-on-drift --only-anomalies");
    assert_eq!(ran.code, 10);
    assert_eq!(lines(&ran.stdout).iter().filter(|row| row["drift_alarm"] == true).count(), 1);
    let told = lines(&ran.stderr);
    assert!(told.iter().any(|line| line["drift_alarm"]["row"] == raised[0]), "{told:?}");
    folder.write("same.csv", fresh(300));
    let ran = folder.run("score m.narrows same.csv --follow --alarm-drift 0.01 --fail-on-drift").succeeds();
    assert!(!ran.stdout.contains("\"drift_alarm\":true") && !ran.stderr.contains("alarm"), "{}", ran.stderr);
}

#[test]
fn of_points_of_a_series_one_in_a_window_counts() {
    let folder = of_series();
    folder.write("new.csv", joined(&wave(1500, 2500, 1.0), &wave(2500, 4000, 12.0)));
    let ran = folder.run("score m.narrows new.csv --follow --alarm-drift 0.05 --report-every 500").succeeds();
    assert!(ran.stderr.contains("note: of a series one point in 17 to twice as many counts"), "{}", ran.stderr);
    let rows = lines(&ran.stdout);
    let raised: Vec<u64> =
        rows.iter().filter(|row| row["drift_alarm"] == true).map(|row| row["row"].as_u64().unwrap()).collect();
    assert!(raised.len() == 1 && raised[0] > 1000, "{raised:?}");
    let told: Vec<&str> = ran.stderr.lines().filter(|line| line.starts_with("rows ")).collect();
    assert!(told.len() == 5 && told[0].contains("counted as") && told[4].contains("drift: "), "{}", ran.stderr);
}

#[test]
fn what_is_not_possible_is_refused() {
    let folder = Folder::with_model();
    let check = |flags: &str, code: i32, words: &str| {
        folder.check_fails(&format!("score m.narrows train.csv {flags}"), code, &[words]);
    };
    check("--report-every 100", 2, "--follow");
    check("--alarm-drift 0.01", 2, "--follow");
    check("--follow --report-every 0", 2, "--report-every");
    check("--follow --alarm-drift 2", 2, "--alarm-drift: expected a number between 0 and 1");
    check("--follow --fail-on-drift", 2, "expected --report-every or --alarm-drift with it");
}
