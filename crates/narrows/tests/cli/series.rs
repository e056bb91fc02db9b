//! Time series at the door: their commands, their columns, and data that cannot be used as series.

use std::fmt::Write as _;
use std::fs;
use std::sync::OnceLock;

use crate::folder::{Folder, QUICK, Ran};

/// The flags of a quick fit to [`log`].
const LONG: &str = "--preset deep --kind series --time ts --id machine --set data.window=12 --set train.steps=200 \
                    --set train.learning_rate=0.01";
/// The flags of a quick fit to [`beats`].
const ROWS: &str = "--preset deep --kind series --layout rows --label class --normal normal --set train.steps=150 \
                    --set train.learning_rate=0.01";

/// When a point is: five minutes after the one before.
fn time(point: usize) -> String {
    let minutes = point * 5;
    format!("2024-03-{:02}T{:02}:{:02}:00Z", 1 + minutes / 1440, minutes / 60 % 24, minutes % 60)
}

fn wave(point: usize, machine: usize) -> (f64, f64) {
    let angle = point as f64 * 0.52 + machine as f64;
    let wobble = (((point + 31 * machine) * 7919) % 101) as f64 / 500.0;
    (20.0 + 3.0 * angle.sin() + wobble, angle.cos() + 0.3 * (2.0 * angle).sin() - wobble)
}

/// Points of machines in turn, with a constant column.
fn log(points: std::ops::Range<usize>, machines: &[&str]) -> String {
    let mut text = "ts,machine,a,b,same\n".to_owned();
    for point in points {
        for (m, machine) in machines.iter().enumerate() {
            let (a, b) = wave(point, m);
            writeln!(text, "{},{machine},{a:.4},{b:.4},7", time(point)).unwrap();
        }
    }
    text
}

const MACHINES: [&str; 2] = ["north", "south"];

/// Series of 20 steps, one a row, every tenth of them upside down.
fn beats(rows: usize) -> String {
    let mut text = (0..20).map(|t| format!("t{t:02},")).collect::<String>() + "class\n";
    for row in 0..rows {
        let is_odd = row % 10 == 9;
        for t in 0..20 {
            let (value, _) = wave(t, row % 3);
            write!(text, "{:.4},", if is_odd { 40.0 - value } else { value } + (row % 7) as f64 / 50.0).unwrap();
        }
        text.push_str(if is_odd { "inverted\n" } else { "normal\n" });
    }
    text
}

/// The text with one cell replaced; rows and columns are counted from 0.
fn with_cell(text: &str, row: usize, column: usize, cell: &str) -> String {
    let lines = text.lines().enumerate().map(|(i, line)| {
        let mut cells: Vec<&str> = line.split(',').collect();
        if i == row + 1 {
            cells[column] = cell;
        }
        cells.join(",") + "\n"
    });
    lines.collect()
}

/// A folder with `log.csv` and `m.narrows`, fitted on it once for all tests.
fn long() -> Folder {
    static MODEL: OnceLock<Vec<u8>> = OnceLock::new();
    fitted(&MODEL, "log.csv", &log(0..280, &MACHINES), LONG)
}

/// A folder with `beats.csv` and `m.narrows`, fitted on its normal rows once for all tests.
fn rows() -> Folder {
    static MODEL: OnceLock<Vec<u8>> = OnceLock::new();
    fitted(&MODEL, "beats.csv", &beats(150), ROWS)
}

fn fitted(model: &OnceLock<Vec<u8>>, name: &str, text: &str, flags: &str) -> Folder {
    let folder = Folder::new();
    folder.write(name, text);
    let model = model.get_or_init(|| {
        folder.run(&format!("fit {name} -o m.narrows {flags}")).succeeds();
        fs::read(folder.path("m.narrows")).unwrap()
    });
    folder.write("m.narrows", model);
    folder
}

/// The cells of a table, the header first.
fn cells(text: &str) -> Vec<Vec<String>> {
    text.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

fn check_fit(text: &str, flags: &str, code: i32, fragments: &[&str]) {
    let folder = Folder::new();
    folder.write("train.csv", text);
    folder.check_fails(&format!("fit train.csv -o m.narrows {flags}"), code, fragments);
}

fn fits(text: &str, flags: &str) -> (Folder, Ran) {
    let folder = Folder::new();
    folder.write("train.csv", text);
    let ran = folder.run(&format!("fit train.csv -o m.narrows {flags}")).succeeds();
    (folder, ran)
}

#[test]
fn people_are_told_what_became_of_their_series() {
    let (_, ran) = fits(&log(0..280, &MACHINES), LONG);
    for words in [
        "2 used: a (numeric), b (numeric)",
        "compared    1 that never changed: same (always ",
        "ts, machine",
        "560 read",
        "threshold",
    ] {
        assert!(ran.stderr.contains(words), "expected `{words}` in\n{}", ran.stderr);
    }
}

#[test]
fn points_are_scored_in_input_order_with_their_times_and_ids() {
    let folder = long();
    let both_missing = with_cell(&with_cell(&log(0..280, &MACHINES), 62, 2, ""), 62, 3, "");
    folder.write("new.csv", &both_missing);
    let ran = folder.run("score m.narrows new.csv").succeeds();
    let scores = cells(&ran.stdout);
    assert_eq!(scores[0].join(","), "row,score,p_value,is_anomaly,flag,machine,ts");
    assert_eq!(scores.len(), 561);
    for (i, (score, row)) in scores.iter().zip(cells(&both_missing)).enumerate().skip(1) {
        assert_eq!((score[0].clone(), &score[5], &score[6]), ((i - 1).to_string(), &row[1], &row[0]));
        let is_known = i != 63;
        assert_eq!(score[1].parse::<f64>().is_ok(), is_known, "{score:?}");
    }
    assert_eq!(scores[63][..5], ["62", "", "", "", "missing"]);
    for words in ["560 rows scored", "2 missing cells", "1 row without a score, see the column `flag`"] {
        assert!(ran.stderr.contains(words), "expected `{words}` in\n{}", ran.stderr);
    }
}

#[test]
fn a_gap_is_told_and_the_point_after_it_flagged() {
    let folder = long();
    let text = log(0..100, &["north"]) + log(110..200, &["north"]).split_once('\n').unwrap().1;
    folder.write("new.csv", text);
    let ran = folder.run("score m.narrows new.csv").succeeds();
    assert!(ran.stderr.contains("1 gap of 10 points, filled and not scored"), "{}", ran.stderr);
    let flags: Vec<String> = cells(&ran.stdout).into_iter().skip(1).map(|row| row[4].clone()).collect();
    assert_eq!(flags.iter().position(|flag| flag == "after_gap"), Some(100));
    assert_eq!(flags.iter().filter(|flag| !flag.is_empty()).count(), 1);
}

#[test]
fn events_are_stretches_with_their_peak_and_the_channels_to_blame() {
    let folder = long();
    let mut text = log(0..280, &MACHINES);
    for point in 100..110 {
        text = with_cell(&text, 2 * point + 1, 3, "9.5");
    }
    folder.write("new.csv", text);
    let ran = folder.run("score m.narrows new.csv --events --threshold max").succeeds();
    let events = cells(&ran.stdout);
    assert_eq!(
        events[0].join(","),
        "series,start,end,points,first_row,last_row,peak_row,peak_score,p_value,channels,reason"
    );
    let event = events.iter().find(|event| event[0] == "south").unwrap();
    assert!(event[1] <= time(100) && event[2] >= time(109), "{event:?}");
    let number = |i: usize| event[i].parse::<usize>().unwrap();
    assert!((201..=219).contains(&number(6)) && number(4) <= 201 && number(5) >= 219, "{event:?}");
    assert_eq!((number(5) - number(4)) / 2 + 1, number(3));
    assert!(event[9].starts_with('b') && ran.stdout.contains("`b`: expected about"), "{}", ran.stdout);
    assert!(ran.stderr.contains(&format!("{} event", events.len() - 1)), "{}", ran.stderr);
    assert_eq!(folder.run("score m.narrows new.csv --events --fail-on-anomaly").code, 10);
    let none = folder.run("score m.narrows new.csv --events --threshold fixed=1e12 --fail-on-anomaly").succeeds();
    assert_eq!(none.stdout.lines().count(), 1, "{}", none.stdout);
    let json = folder.run("score m.narrows new.csv --events --threshold max --format ndjson").succeeds().stdout;
    assert!(json.lines().all(|line| line.starts_with("{\"series\":")), "{json}");
    folder.check_fails("score m.narrows new.csv --events --explain 2", 2, &["--events", "--explain"]);
}

#[test]
fn one_series_without_times_needs_no_names() {
    let text: String = log(0..280, &["north"])
        .lines()
        .map(|line| line.split(',').skip(2).collect::<Vec<_>>().join(",") + "\n")
        .collect();
    let (folder, ran) = fits(&text, &format!("--kind series --set data.window=12 {QUICK}"));
    assert!(ran.stderr.contains("no column of times: rows follow each other one step apart"), "{}", ran.stderr);
    let scores = folder.run("score m.narrows train.csv").succeeds().stdout;
    assert!(scores.starts_with("row,score,p_value,is_anomaly,flag\n"), "{scores}");
    let events = folder.run("score m.narrows train.csv --events --threshold quantile=0.5").succeeds().stdout;
    assert!(events.starts_with("start,end,points,first_row"), "{events}");
}

#[test]
fn the_only_column_of_dates_is_the_time() {
    let (folder, ran) = fits(&log(0..280, &["north"]), &format!("--kind series --set data.window=12 {QUICK}"));
    assert!(ran.stderr.contains("column `ts` is the time, the only one with dates"), "{}", ran.stderr);
    let scores = folder.run("score m.narrows train.csv").succeeds().stdout;
    assert!(scores.starts_with("row,score,p_value,is_anomaly,flag,ts\n"), "{scores}");
}

#[test]
fn rows_are_series_of_their_own() {
    let folder = rows();
    let ran = folder.run("score m.narrows beats.csv --keep class").succeeds();
    let scores = cells(&ran.stdout);
    assert_eq!(scores[0].join(","), "row,score,p_value,is_anomaly,flag,class");
    assert_eq!(scores.len(), 151);
    let called = |class: &str| {
        let rows = scores.iter().filter(|row| row[5] == class).map(|row| row[3] == "true").collect::<Vec<bool>>();
        rows.iter().filter(|called| **called).count() as f64 / rows.len() as f64
    };
    assert!(called("inverted") == 1.0 && called("normal") < 0.1, "{} {}", called("inverted"), called("normal"));
    folder.write("one.csv", beats(10).lines().take(2).collect::<Vec<_>>().join("\n") + "\n");
    let one = cells(&folder.run("score m.narrows one.csv").succeeds().stdout);
    assert_eq!(one[1][1], scores[1][1], "alone as among others");
}

#[test]
fn rows_may_end_early_or_hold_nothing() {
    let folder = rows();
    let mut text = beats(4);
    (12..20).for_each(|t| text = with_cell(&text, 1, t, ""));
    (0..20).for_each(|t| text = with_cell(&text, 2, t, ""));
    folder.write("new.csv", text);
    let ran = folder.run("score m.narrows new.csv").succeeds();
    let scores = cells(&ran.stdout);
    assert!(scores[2][1].parse::<f64>().unwrap().is_finite() && scores[2][4].is_empty(), "{scores:?}");
    assert_eq!(scores[3], ["2", "", "", "", "missing"]);
    assert!(ran.stderr.contains("1 row without a score"), "{}", ran.stderr);
}

#[test]
fn a_layout_alone_says_that_rows_are_series() {
    let flags = ROWS.replace("--kind series ", "");
    let (folder, _) = fits(&beats(150), &flags);
    let model = folder.run("inspect m.narrows --json").succeeds().json();
    assert_eq!(
        (&model["recipe"]["data"]["kind"], &model["recipe"]["data"]["layout"]),
        (&"series".into(), &"rows".into())
    );
}

#[test]
fn evaluation_of_points_knows_of_neighbours() {
    let mut labelled: String = log(0..280, &MACHINES).lines().map(|line| format!("{line},0\n")).collect();
    labelled = labelled.replacen(",0\n", ",anomaly\n", 1);
    for point in 100..112 {
        labelled = with_cell(&with_cell(&labelled, 2 * point, 2, "31.5"), 2 * point, 5, "1");
    }
    let (folder, _) = fits(&labelled, &format!("{LONG} --label anomaly --normal 0"));
    let line = "evaluate m.narrows train.csv --label anomaly --normal 0";
    let evaluation = folder.run(&format!("{line} --json")).succeeds().json();
    assert_eq!((evaluation["n"].as_u64(), evaluation["n_anomalies"].as_u64()), (Some(560), Some(12)));
    let fields = ["vus_pr", "vus_roc", "range_auc_pr", "range_auc_roc", "event_precision", "event_recall", "event_f1"];
    for field in fields {
        let value = evaluation[field].as_f64().unwrap_or(-1.0);
        assert!((0.0..=1.0).contains(&value), "{field}: {evaluation}");
    }
    assert_eq!(evaluation["n_events"], 1);
    assert_eq!(evaluation["event_recall"], 1.0, "{evaluation}");
    assert!(evaluation["auc_roc"].as_f64().unwrap() > 0.9, "{evaluation}");
    for field in ["buffer", "unscored", "unlabelled"] {
        assert!(evaluation[field].is_u64(), "{field}: {evaluation}");
    }
    let table = folder.run(line).succeeds().stdout;
    assert!(table.contains("560 labelled rows, 12 anomalous"), "{table}");
}

#[test]
fn evaluation_of_rows_has_no_numbers_of_points() {
    let evaluation = rows().run("evaluate m.narrows beats.csv --label class --normal normal --json").succeeds().json();
    assert!(evaluation["auc_roc"].as_f64().unwrap() > 0.95, "{evaluation}");
    assert!(evaluation.get("vus_pr").is_none(), "{evaluation}");
}

#[test]
fn points_are_rebuilt_in_their_columns() {
    let folder = long();
    let rebuilt = cells(&folder.run("reconstruct m.narrows log.csv").succeeds().stdout);
    assert_eq!((rebuilt[0].join(","), rebuilt.len()), ("ts,machine,a,b".to_owned(), 561));
    for (rebuilt, row) in rebuilt.iter().zip(cells(&log(0..280, &MACHINES))).skip(1) {
        assert_eq!(rebuilt[..2], row[..2]);
        assert!((15.0..25.0).contains(&rebuilt[2].parse::<f64>().unwrap()), "{rebuilt:?}");
    }
    let rebuilt = cells(&rows().run("reconstruct m.narrows beats.csv").succeeds().stdout);
    assert_eq!((rebuilt[0].len(), rebuilt[0][19].as_str(), rebuilt.len()), (20, "t19", 151));
}

#[test]
fn windows_have_codes() {
    let folder = long();
    let codes = cells(&folder.run("encode m.narrows log.csv").succeeds().stdout);
    assert_eq!(codes[0][..4], ["row", "machine", "ts", "code_0"]);
    // 280 points are 23 windows of 12 and one that overlaps, for each machine.
    assert_eq!(codes.len(), 1 + 2 * 24);
    assert_eq!(codes[1][..3], ["0", "north", &time(0)]);
    assert_eq!(codes[2][..3], ["24", "north", &time(12)]);
    folder.check_fails("encode m.narrows log.csv --keep machine -o c.csv", 2, &["--keep", "a row for each window"]);
    folder.run("encode m.narrows log.csv -o codes.parquet").succeeds();
    let decoded = cells(&folder.run("decode m.narrows codes.parquet").succeeds().stdout);
    assert_eq!((decoded[0][..3].join(","), decoded.len()), ("a_t0,b_t0,a_t1".to_owned(), 49));
    let generated = cells(&folder.run("generate m.narrows -n 3").succeeds().stdout);
    assert_eq!((generated[0].len(), generated.len()), (24, 4));
    let rows = rows();
    assert!(rows.run("encode m.narrows beats.csv --keep class").succeeds().stdout.starts_with("class,code_0"));
}

#[test]
fn one_point_or_row_is_explained() {
    let folder = long();
    folder.write("new.csv", with_cell(&log(0..280, &MACHINES), 301, 3, "12.5"));
    let text = folder.run("explain m.narrows new.csv --row 301").succeeds().stdout;
    assert!(text.starts_with("row 301: score ") && text.contains("got 12.50"), "{text}");
    let json = folder.run("explain m.narrows new.csv --row 301 --json").succeeds().json();
    assert_eq!((json["reasons"][0]["column"].as_str(), json["is_anomaly"].as_bool()), (Some("b"), Some(true)));
    let scores = cells(&folder.run("score m.narrows new.csv --explain 1").succeeds().stdout);
    assert_eq!(json["score"].as_f64(), scores[302][1].parse().ok());
    assert!(scores[302].join(",").contains("`b`: expected about"), "{:?}", scores[302]);
    folder.check_fails("explain m.narrows new.csv --row 560", 3, &["expected a row below 560, got 560"]);

    let folder = rows();
    folder.write("new.csv", with_cell(&beats(30), 11, 6, "90.5"));
    let json = folder.run("explain m.narrows new.csv --row 11 --json").succeeds().json();
    assert_eq!(json["reasons"][0]["column"], "t06");
}

#[test]
fn a_point_without_a_score_is_explained_as_such() {
    let folder = long();
    folder.write("new.csv", log(0..5, &["north"]));
    let text = folder.run("explain m.narrows new.csv --row 3").succeeds().stdout;
    assert!(!text.contains("NaN"), "{text}");
    let json = folder.run("explain m.narrows new.csv --row 3 --json").succeeds().json();
    assert!(json["score"].is_null() && json["reasons"].as_array().unwrap().is_empty(), "{json}");
}

#[test]
fn a_model_of_series_says_what_it_is_and_has_a_report() {
    let folder = long();
    let text = folder.run("inspect m.narrows").succeeds().stdout;
    for words in ["kind = \"series\"", "window = 12", "says when", "says which series"] {
        assert!(text.contains(words), "expected `{words}` in\n{text}");
    }
    let series = &folder.run("inspect m.narrows --json").succeeds().json()["series"];
    assert_eq!((&series["window"], &series["step"], &series["n_series"]), (&12.into(), &"5 min".into(), &2.into()));
    folder.run("report m.narrows").succeeds();
    let page = folder.read("m.html");
    assert!(page.contains("<svg") && page.contains("5 min") && page.contains("south"));
    let rows = rows();
    rows.run("report m.narrows").succeeds();
    assert!(rows.read("m.html").contains("<svg"));
}

#[test]
fn times_that_are_not_sorted() {
    let text = log(0..280, &["north"]);
    let mut lines: Vec<&str> = text.lines().collect();
    lines.swap(41, 42);
    let text = lines.join("\n") + "\n";
    let fragments =
        ["train.csv, column `ts`, row 40: expected rising times", "row 40 (2024-03-01T03:25:00Z)", "sort all rows"];
    check_fit(&text, LONG, 3, &fragments);
    // Many rows are not listed.
    let header = lines.remove(0);
    lines.reverse();
    let fragments =
        ["train.csv, column `ts`, row 1: expected a time after", "in row 0, got", "hint: sort the rows by", "`ts`"];
    check_fit(&format!("{header}\n{}\n", lines.join("\n")), LONG, 3, &fragments);
    let folder = long();
    folder.write("new.csv", text);
    folder.check_fails("score m.narrows new.csv -o s.csv", 3, &["new.csv, column `ts`, row 40", "sort all rows"]);
}

#[test]
fn times_that_occur_twice() {
    let text = with_cell(&log(0..280, &["north"]), 41, 0, &time(40));
    let fragments =
        ["train.csv, column `ts`, row 41: the time", "occurs twice, before in row 40", "--duplicates first"];
    check_fit(&text, &format!("{LONG} --duplicates error"), 3, &fragments);
    // Two machines without saying so.
    let flags = LONG.replace("--id machine ", "");
    check_fit(&log(0..280, &MACHINES), &flags, 3, &["occurs twice", "--id"]);
}

#[test]
fn times_that_cannot_be_read() {
    let text = with_cell(&log(0..280, &["north"]), 41, 0, "noon");
    check_fit(&text, LONG, 3, &["train.csv, column `ts`, row 41", "`noon`"]);
    let folder = long();
    folder.write("new.csv", &text);
    folder.check_fails("score m.narrows new.csv -o s.csv", 3, &["new.csv, column `ts`, row 41", "`noon`"]);
    check_fit(
        &with_cell(&log(0..280, &["north"]), 41, 0, ""),
        LONG,
        3,
        &["column `ts`, row 41: expected a time, got a missing cell"],
    );
}

#[test]
fn times_of_mixed_zones() {
    let text = with_cell(&log(0..280, &["north"]), 41, 0, "2024-03-01T03:25:00");
    let fragments =
        ["train.csv, column `ts`, row 41: expected a time with a zone", "as in row 0", "hint: write all times"];
    check_fit(&text, LONG, 3, &fragments);
    let folder = long();
    folder.write("new.csv", text);
    folder.check_fails(
        "score m.narrows new.csv -o s.csv",
        3,
        &["new.csv, column `ts`, row 41", "hint: write all times"],
    );
}

#[test]
fn a_series_shorter_than_the_window() {
    let fragments =
        ["expected a series of at least 12 points, a window, got 11", "hint: take shorter windows: data.window"];
    check_fit(&log(0..11, &["north"]), LONG, 3, &fragments);
    let text = log(0..280, &["north"]) + log(0..8, &["south"]).split_once('\n').unwrap().1;
    let (folder, ran) = fits(&text, LONG);
    assert!(ran.stderr.contains("1 of 2 series left out: shorter than a window"), "{}", ran.stderr);
    let ran = folder.run("score m.narrows train.csv").succeeds();
    assert!(ran.stderr.contains("8 rows without a score"), "{}", ran.stderr);
    let scores = cells(&ran.stdout);
    assert!(scores[281..].iter().all(|row| row[1].is_empty() && row[3].is_empty() && row[4] == "warm_up"));
}

#[test]
fn a_window_larger_than_the_data() {
    let fragments =
        ["expected a series of at least 1000 points, a window, got 280", "hint: take shorter windows: data.window"];
    check_fit(&log(0..280, &MACHINES), &LONG.replace("window=12", "window=1000"), 3, &fragments);
    let fragments =
        ["expected at least 600 points, 3 windows of 200, got 280", "hint: take shorter windows: data.window"];
    check_fit(&log(0..280, &["north"]), &LONG.replace("window=12", "window=200"), 3, &fragments);
    check_fit(&log(0..280, &MACHINES), &LONG.replace("window=12", "window=0"), 2, &["data.window", "got 0"]);
}

#[test]
fn channels_that_say_nothing_or_little() {
    let text = log(0..280, &["north"]);
    let constant: String = text
        .lines()
        .enumerate()
        .map(|(i, line)| {
            let cells: Vec<&str> = line.split(',').collect();
            if i == 0 { format!("{line}\n") } else { format!("{},north,1,1,7\n", cells[0]) }
        })
        .collect();
    let (_, ran) = fits(&constant, LONG);
    assert!(ran.stderr.contains("no column varies"), "{}", ran.stderr);
    let none: String = constant.lines().map(|line| line.replace(",1,1,7", ",,,") + "\n").collect();
    check_fit(&none, LONG, 3, &["no column is left to learn from", "`a`", "all cells are missing"]);
    let mut half = text.clone();
    (0..280).step_by(2).for_each(|row| half = with_cell(&half, row, 2, ""));
    let (folder, ran) = fits(&half, LONG);
    assert!(ran.stderr.contains("a (numeric), b (numeric)"), "{}", ran.stderr);
    let scored = folder.run("score m.narrows train.csv").succeeds();
    assert!(scored.stderr.contains("140 missing cells"), "{}", scored.stderr);
    assert!(cells(&scored.stdout)[1..].iter().all(|row| row[1].parse::<f64>().is_ok()));
}

#[test]
fn a_column_of_words_is_left_out_by_name() {
    let text: String = log(0..280, &["north"])
        .lines()
        .enumerate()
        .map(|(i, line)| format!("{line},{}\n", if i == 0 { "state" } else { ["on", "off"][i % 2] }))
        .collect();
    let (_, ran) = fits(&text, LONG);
    assert!(ran.stderr.contains("state: not numeric, as points of series have to be"), "{}", ran.stderr);
}

#[test]
fn a_series_that_only_comes_when_scoring() {
    let folder = long();
    folder.write("new.csv", log(0..100, &["west"]));
    let ran = folder.run("score m.narrows new.csv").succeeds();
    assert!(!ran.stderr.contains("west"), "{}", ran.stderr);
    assert!(cells(&ran.stdout)[1..].iter().all(|row| row[1].parse::<f64>().is_ok() && row[5] == "west"));
    let (folder, _) = fits(&log(0..280, &MACHINES), &format!("{LONG} --set data.scale=each"));
    folder.write("new.csv", log(0..100, &["west", "south"]));
    let ran = folder.run("score m.narrows new.csv").succeeds();
    assert!(ran.stderr.contains("series not seen in training, without their own scale: west"), "{}", ran.stderr);
    assert!(cells(&ran.stdout)[1..].iter().all(|row| row[1].parse::<f64>().is_ok()));
}

#[test]
fn points_further_apart_than_when_fitted() {
    let folder = long();
    let text = log(0..280, &["north"]);
    let sparse: Vec<&str> = text.lines().take(1).chain(text.lines().skip(1).step_by(3)).collect();
    folder.write("new.csv", sparse.join("\n") + "\n");
    let fragments =
        ["new.csv: column `ts`: expected a point every 5 min as when fitted, got one every 15 min", "hint: bring"];
    folder.check_fails("score m.narrows new.csv -o s.csv", 3, &fragments);
    folder.check_fails("reconstruct m.narrows new.csv -o s.csv", 3, &fragments);
    folder.check_fails("score m.narrows new.csv --events -o s.csv", 3, &fragments);
}

#[test]
fn columns_that_are_not_there() {
    let text = log(0..280, &MACHINES);
    check_fit(
        &text,
        &LONG.replace("--time ts", "--time tss"),
        3,
        &["column `tss` does not exist", "hint: did you mean `ts`?"],
    );
    check_fit(&text, &LONG.replace("--id machine", "--id engine"), 3, &["column `engine` does not exist", "hint: "]);
    let folder = long();
    folder.write("new.csv", text.replace("machine", "engine"));
    folder.check_fails("score m.narrows new.csv -o s.csv", 3, &["column `machine` missing"]);
    check_fit(
        &with_cell(&text, 41, 1, ""),
        LONG,
        3,
        &["column `machine`, row 41: expected which series the row is of"],
    );
}

#[test]
fn two_columns_of_dates_without_saying_which() {
    let text: String = log(0..280, &["north"])
        .lines()
        .enumerate()
        .map(|(i, line)| format!("{line},{}\n", if i == 0 { "written".to_owned() } else { time(i) }))
        .collect();
    let flags = LONG.replace("--time ts ", "");
    check_fit(
        &text,
        &flags,
        3,
        &["expected one column of dates, got 2: `ts`, `written`", "hint: name the column of times with --time"],
    );
    fits(&text, LONG);
}

#[test]
fn a_word_among_the_steps_of_a_row() {
    let folder = rows();
    folder.write("new.csv", with_cell(&beats(50), 41, 5, "many"));
    let told = folder.run("score m.narrows new.csv -o s.csv").succeeds().stderr;
    assert!(told.contains("column `t05`: 1 cell is not numbers, in row 41: `many`; taken as missing"), "{told}");
}

#[test]
fn models_that_have_no_events() {
    let expected = ["expected a model of series in the long layout for events"];
    Folder::with_model().check_fails("score m.narrows train.csv --events -o e.csv", 3, &expected);
    rows().check_fails("score m.narrows beats.csv --events -o e.csv", 3, &expected);
}

#[test]
fn backbones_that_need_time_where_there_is_none() {
    let folder = Folder::with_data();
    let expected = ["backbone", "expected dense for a table", "hint: series are read with --kind series"];
    for flags in ["--set backbone=lstm", "--set backbone=conv", "--preset seq2seq --kind table"] {
        folder.check_fails(&format!("fit train.csv -o m.narrows {flags}"), 2, &expected);
    }
}

#[test]
fn flags_that_do_not_go_together() {
    let text = beats(150);
    check_fit(&text, &format!("{ROWS} --set data.window=5"), 2, &["data.window", "expected auto with the rows layout"]);
    check_fit(&text, &format!("{ROWS} --set data.scale=each"), 2, &["data.scale", "hint: see data.transform"]);
    check_fit(&text, "--kind serie", 2, &["serie", "series"]);
    check_fit(&text, "--layout row", 2, &["row", "rows"]);
    check_fit(&log(0..280, &MACHINES), "--kind table --time ts", 2, &["--time"]);
    check_fit(&log(0..280, &MACHINES), "--kind table --id machine", 2, &["--id"]);
    check_fit(&log(0..280, &MACHINES), "--kind table --layout long", 2, &["data.layout"]);
    check_fit(&text, &format!("{ROWS} --time t00"), 2, &["--time"]);
}
