//! `narrows drift`: what it prints, and its exit code.

use std::fmt::Write as _;
use std::fs;
use std::sync::OnceLock;

use narrows_core::images::Channels;

use crate::drawing::{CODE, draw, image, write};
use crate::folder::{Folder, QUICK, ordinary};

/// Rows of the circle whose third number is higher by `shift`.
pub(crate) fn moved(rows: usize, shift: f64) -> String {
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
fn what_is_not_possible_is_refused() {
    let folder = Folder::with_model();
    folder.check_fails("drift m.narrows train.csv --level 2", 2, &["--level: expected a number between 0 and 1"]);
    folder.write("other.csv", "q,r\n1,2\n2,3\n");
    folder.check_fails("drift m.narrows other.csv", 3, &["missing"]);
    folder.run("export m.narrows --encoder-only -o e.narrows").succeeds();
    folder.check_fails("drift e.narrows train.csv", 3, &["expected a whole model, got an encoder"]);
}

/// Two waves with some noise, as points of a series.
pub(crate) fn wave(from: usize, to: usize, noisy: f64) -> String {
    let mut text = "a,b\n".to_owned();
    for i in from..to {
        let wobble = noisy * ((i * 7919) % 101) as f64 / 500.0;
        writeln!(text, "{:.5},{:.5}", (i as f64 * 0.37).sin() + wobble, (i as f64 * 0.37).cos()).unwrap();
    }
    text
}

/// A folder with `m.narrows`, a model of such points.
pub(crate) fn of_series() -> Folder {
    static MODEL: OnceLock<Vec<u8>> = OnceLock::new();
    let folder = Folder::new();
    let model = MODEL.get_or_init(|| {
        let folder = Folder::new();
        folder.write("train.csv", wave(0, 1500, 1.0));
        let rule = "--threshold false_alarm_rate=0.1";
        folder.run(&format!("fit train.csv --kind series --set data.window=17 -o m.narrows {rule} {QUICK}")).succeeds();
        folder.bytes("m.narrows")
    });
    folder.write("m.narrows", model);
    folder
}

#[test]
fn series_are_compared_by_blocks() {
    let folder = of_series();
    folder.write("new.csv", wave(1500, 2300, 1.0));
    let told = folder.run("drift m.narrows new.csv").succeeds().stdout;
    assert!(told.contains("800 rows compared with the fit, which count as"), "{told}");
}

#[test]
fn images_are_compared_by_scores_and_measures() {
    let folder = Folder::new();
    draw(&folder, "train", 60, 16, Channels::Grey);
    folder.run(&format!("fit train -o m.narrows {CODE}")).succeeds();
    draw(&folder, "new", 40, 16, Channels::Grey);
    let told = folder.run("drift m.narrows new --fail-on-drift").succeeds().stdout;
    for words in ["40 images compared with the fit", "`brightness`", "`sharpness`", "no drift"] {
        assert!(told.contains(words), "expected `{words}` in\n{told}");
    }
    fs::create_dir(folder.path("dark")).unwrap();
    for i in 0..40 {
        let mut dark = image(16, 16, Channels::Grey, i);
        dark.pixels.iter_mut().for_each(|pixel| *pixel *= 0.4);
        write(&dark.into(), &folder.path("dark").join(format!("{i:03}.png")));
    }
    let ran = folder.run("drift m.narrows dark --json --fail-on-drift");
    assert_eq!(ran.code, 10, "{}", ran.stderr);
    let report = ran.json();
    assert_eq!((&report["unit"], &report["rows"]), (&"image".into(), &40.into()));
    assert!(report["findings"].to_string().contains("`brightness`: median"), "{report}");
    folder.write("dark/broken.png", "no image");
    assert_eq!(folder.run("drift m.narrows dark").code, 5);
    folder.write("t.csv", "a,b\n1,2\n");
    folder.check_fails("drift m.narrows t.csv", 3, &["expected"]);
}
