//! `narrows drift`: what it prints, its exit code, and a threshold set anew.

use std::fmt::Write as _;

use crate::folder::{Folder, QUICK, ordinary};

/// Rows of the circle whose third number is higher by `shift`.
fn moved(rows: usize, shift: f64) -> String {
    let mut text = String::new();
    for line in ordinary(rows).lines() {
        let cells: Vec<&str> = line.split(',').collect();
        match cells[2].parse::<f64>() {
            Ok(c) => writeln!(text, "{},{},{:.5},{}", cells[0], cells[1], c + shift, cells[3]).unwrap(),
            Err(_) => writeln!(text, "{line}").unwrap(),
        }
    }
    text
}

#[test]
fn unchanged_rows_show_no_drift() {
    let folder = Folder::with_model();
    folder.write("new.csv", ordinary(280));
    let told = folder.run("drift m.narrows new.csv --fail-on-drift").succeeds().stdout;
    for words in ["280 rows compared with the fit", "`word`", "no drift", "not significantly more than the promise"] {
        assert!(told.contains(words), "expected `{words}` in\n{told}");
    }
}

#[test]
fn a_column_that_has_moved_is_named_in_its_own_units() {
    let folder = Folder::with_model();
    folder.write("new.csv", moved(280, 2.0));
    let told = folder.run("drift m.narrows new.csv").succeeds().stdout;
    for words in ["drift:", "`c`: median 12", "does not stand"] {
        assert!(told.contains(words), "expected `{words}` in\n{told}");
    }
    assert_eq!(folder.run("drift m.narrows new.csv --fail-on-drift").code, 10);
    let ran = folder.run("drift m.narrows new.csv --json --fail-on-drift");
    assert_eq!(ran.code, 10);
    let report = ran.json();
    assert_eq!((report["has_drifted"].as_bool(), report["rows"].as_u64()), (Some(true), Some(280)));
    let by_name = |name: &str| {
        let columns = report["columns"].as_array().unwrap();
        columns.iter().find(|column| column["column"] == name).unwrap().clone()
    };
    assert_eq!(
        (by_name("c")["has_drifted"].as_bool(), by_name("a")["has_drifted"].as_bool()),
        (Some(true), Some(false))
    );
    assert!(by_name("word")["psi"].is_number() && by_name("word")["level"]["share"].is_number(), "{report}");
    assert!(report["threshold"]["promised_rate"].is_number() && report["threshold"]["stands"] == false, "{report}");
}

#[test]
fn the_threshold_is_set_anew() {
    let folder = Folder::with_model();
    folder.write("normal.csv", moved(300, 2.0));
    folder.write("new.csv", moved(280, 2.0));
    let ran = folder.run("drift m.narrows new.csv --recalibrate normal.csv -o n.narrows --json").succeeds();
    assert_eq!(ran.json()["threshold"]["stands"], true, "{}", ran.stdout);
    assert!(folder.run("score n.narrows new.csv --json").succeeds().json()["summary"]["anomalies"].as_u64() < Some(20));
    folder.check_fails("drift m.narrows new.csv --recalibrate normal.csv -o n.narrows", 2, &["`n.narrows` exists"]);
    folder.check_fails("drift m.narrows new.csv --recalibrate normal.csv", 2, &["--output"]);
    folder.check_fails("drift m.narrows new.csv -o x.narrows", 2, &["--recalibrate"]);
}

#[test]
fn what_is_not_possible_is_refused() {
    let folder = Folder::with_model();
    folder.check_fails("drift m.narrows train.csv --level 2", 2, &["--level: expected a number between 0 and 1"]);
    folder.write("other.csv", "q,r\n1,2\n2,3\n");
    folder.check_fails("drift m.narrows other.csv", 3, &["missing"]);
    folder.run("export m.narrows --encoder-only -o e.narrows").succeeds();
    folder.check_fails("drift e.narrows train.csv", 3, &["expected a whole model, got an encoder"]);
}

#[test]
fn series_are_compared_by_blocks_and_their_threshold_is_not_set_anew() {
    let folder = Folder::new();
    let wave = |from: usize, to: usize| {
        let mut text = "a,b\n".to_owned();
        for i in from..to {
            let wobble = ((i * 7919) % 101) as f64 / 500.0;
            writeln!(text, "{:.5},{:.5}", (i as f64 * 0.37).sin() + wobble, (i as f64 * 0.37).cos()).unwrap();
        }
        text
    };
    folder.write("train.csv", wave(0, 1500));
    folder.write("new.csv", wave(1500, 2300));
    folder.run(&format!("fit train.csv --kind series -o m.narrows {QUICK}")).succeeds();
    let told = folder.run("drift m.narrows new.csv").succeeds().stdout;
    assert!(told.contains("800 rows compared with the fit, which count as"), "{told}");
    let words = ["--recalibrate: expected a model of tables"];
    folder.check_fails("drift m.narrows new.csv --recalibrate new.csv -o n.narrows", 2, &words);
}
