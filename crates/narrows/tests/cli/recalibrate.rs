//! `narrows drift --recalibrate`: a threshold set anew before the comparison, and what cannot set one.

use std::fmt::Write as _;
use std::fs;

use narrows_core::images::Channels;

use crate::drawing::{CODE, draw, image, write};
use crate::drift::{moved, of_series, wave};
use crate::folder::{Folder, QUICK, ordinary};

#[test]
fn the_threshold_is_set_anew_and_the_file_named() {
    let folder = Folder::with_model();
    folder.write("normal.csv", moved(300, 2.0));
    folder.write("new.csv", moved(280, 2.0));
    let ran = folder.run("drift m.narrows new.csv --recalibrate normal.csv -o n.narrows --json").succeeds();
    let report = ran.json();
    assert_eq!((&report["threshold"]["stands"], &report["output"]), (&true.into(), &"n.narrows".into()), "{report}");
    let found = &report["recalibration"];
    assert_eq!((&found["used"], &found["independent"], &found["anomalous"]), (&300.into(), &300.into(), &0.into()));
    assert!(found["promised_rate"].as_f64() <= Some(0.01) && found["threshold"] == report["threshold"]["threshold"]);
    assert!(folder.run("score n.narrows new.csv --json").succeeds().json()["summary"]["anomalies"].as_u64() < Some(20));
    folder.check_fails("drift m.narrows new.csv --recalibrate normal.csv -o n.narrows", 2, &["`n.narrows` exists"]);
    folder.check_fails("drift m.narrows new.csv --recalibrate normal.csv", 2, &["--output"]);
    folder.check_fails("drift m.narrows new.csv -o x.narrows", 2, &["--recalibrate"]);
    folder.check_fails("drift m.narrows new.csv --label a", 2, &["--recalibrate"]);
    assert!(folder.run("drift m.narrows new.csv --json").succeeds().json().get("output").is_none());
}

#[test]
fn the_data_compared_and_too_few_are_refused() {
    let folder = Folder::with_model();
    folder.write("new.csv", moved(280, 2.0));
    folder.write("copy.csv", moved(280, 2.0));
    folder.write("few.csv", moved(30, 2.0));
    let run = |normal: &str| format!("drift m.narrows new.csv --recalibrate {normal} -o n.narrows");
    let why = "expected other data than those compared";
    folder.check_fails(&run("new.csv"), 2, &[why, "they would not show whether it holds"]);
    folder.check_fails(&run("copy.csv"), 2, &[why, "`copy.csv`"]);
    // The fit had 60 rows to promise with.
    folder.check_fails(&run("few.csv"), 3, &["expected at least 60 normal rows", "got 30"]);
}

#[test]
fn rows_labelled_anomalous_are_refused_or_left_out_and_counted() {
    let folder = Folder::new();
    let labelled = |rows: usize| {
        let mut text = String::new();
        for (i, line) in ordinary(rows).lines().enumerate() {
            let label = if i == 0 {
                "is_bad"
            } else if i % 20 == 7 {
                "1"
            } else {
                "0"
            };
            writeln!(text, "{line},{label}").unwrap();
        }
        text
    };
    folder.write("train.csv", labelled(400));
    folder.write("normal.csv", labelled(200));
    folder.write("new.csv", ordinary(150));
    folder.run(&format!("fit train.csv --label is_bad -o m.narrows {QUICK}")).succeeds();
    let line = "drift m.narrows new.csv --recalibrate normal.csv -o n.narrows";
    folder.check_fails(
        line,
        3,
        &["got 10 of 200 rows that `is_bad` calls anomalous", "--label is_bad leaves them out"],
    );
    folder.check_fails(&format!("{line} --normal 0"), 2, &["expected --label with it"]);
    let ran = folder.run(&format!("{line} --label is_bad")).succeeds();
    assert!(ran.stderr.contains("set on 190 rows of normal.csv; 10 labelled anomalous left out"), "{}", ran.stderr);
}

#[test]
fn series_set_their_threshold_anew_by_windows() {
    let folder = of_series();
    folder.write("normal.csv", wave(1500, 3200, 6.0));
    folder.write("new.csv", wave(3200, 4500, 6.0));
    folder.write("few.csv", wave(1500, 1600, 6.0));
    let before = folder.run("drift m.narrows new.csv --json").succeeds().json();
    assert_eq!(before["threshold"]["stands"], false, "{before}");
    let ran = folder.run("drift m.narrows new.csv --recalibrate normal.csv -o n.narrows").succeeds();
    let words = "set on 1,700 points, counted as 100 independent windows of normal.csv";
    assert!(ran.stderr.contains(words), "{}", ran.stderr);
    let after = folder.run("drift n.narrows new.csv --json").succeeds().json();
    assert_eq!(after["threshold"]["stands"], true, "{after}");
    let line = "drift m.narrows new.csv --recalibrate few.csv -o x.narrows";
    folder.check_fails(line, 3, &["independent windows of 17 normal points", "got 5"]);
}

#[test]
fn images_set_their_threshold_anew() {
    let folder = Folder::new();
    draw(&folder, "train", 60, 16, Channels::Grey);
    folder.run(&format!("fit train -o m.narrows --threshold false_alarm_rate=0.1 {CODE}")).succeeds();
    draw(&folder, "new", 30, 16, Channels::Grey);
    fs::create_dir_all(folder.path("normal/good")).unwrap();
    fs::create_dir_all(folder.path("normal/bad")).unwrap();
    for i in 0..40 {
        let part = if i < 30 { "good" } else { "bad" };
        write(&image(16, 16, Channels::Grey, 100 + i).into(), &folder.path("normal").join(format!("{part}/{i}.png")));
    }
    let line = "drift m.narrows new --recalibrate normal -o n.narrows --normal good --json";
    let report = folder.run(line).succeeds().json();
    let found = &report["recalibration"];
    assert_eq!((&found["used"], &found["anomalous"], &report["output"]), (&30.into(), &10.into(), &"n.narrows".into()));
    folder.run("score n.narrows new -o s.csv").succeeds();
    let refused = ["expected other data than those compared"];
    folder.check_fails("drift m.narrows new --recalibrate new -o x.narrows", 2, &refused);
    let words = ["expected a model of tables or series, got one of images"];
    folder.check_fails("drift m.narrows new --recalibrate normal -o x.narrows --label a", 2, &words);
}
