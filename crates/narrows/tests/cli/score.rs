//! `narrows score`: columns, order, formats, thresholds, exit codes.

use crate::folder::{Folder, ordinary};

#[test]
fn rows_come_in_input_order_with_kept_columns() {
    let folder = Folder::with_model();
    let scores = folder.run("score m.narrows train.csv --keep word,a").succeeds().stdout;
    assert!(scores.starts_with("row,score,p_value,is_anomaly,word,a\n"), "{scores}");
    let train = ordinary(300);
    for (i, (scored, row)) in scores.lines().zip(train.lines()).enumerate().skip(1) {
        let (scored, row): (Vec<&str>, Vec<&str>) = (scored.split(',').collect(), row.split(',').collect());
        assert_eq!((scored[0], scored[4]), ((i - 1).to_string().as_str(), row[3]));
        assert_eq!(scored[5].parse::<f64>().unwrap(), row[0].parse::<f64>().unwrap());
    }
}

#[test]
fn a_summary_goes_to_stderr() {
    let folder = Folder::with_model();
    let ran = folder.run("score m.narrows train.csv -o scores.csv").succeeds();
    assert_eq!(ran.stdout, "");
    assert!(ran.stderr.contains("300 rows scored"), "{}", ran.stderr);
}

#[test]
fn stdin_becomes_stdout() {
    let folder = Folder::with_model();
    let expected = folder.run("score m.narrows train.csv").succeeds().stdout;
    assert_eq!(folder.shell("cat train.csv | narrows score m.narrows - -o -").succeeds().stdout, expected);
}

#[test]
fn a_file_that_exists_is_replaced_when_asked_for() {
    let folder = Folder::with_model();
    folder.write("scores.csv", "old");
    folder.check_fails("score m.narrows train.csv -o scores.csv", 2, &["`scores.csv` exists", "hint: --force"]);
    folder.run("score m.narrows train.csv -o scores.csv --force").succeeds();
    assert!(folder.read("scores.csv").starts_with("row,score"));
}

#[test]
fn the_exit_code_tells_of_anomalies_only_on_request() {
    let folder = Folder::with_model();
    folder.write("odd.csv", "a,b,c,word\n0,1,999,red\n");
    folder.run("score m.narrows odd.csv").succeeds();
    assert_eq!(folder.run("score m.narrows odd.csv --fail-on-anomaly").code, 10);
    folder.run("score m.narrows train.csv --threshold fixed=1e12 --fail-on-anomaly").succeeds();
}

#[test]
fn a_threshold_changes_labels_and_nothing_else() {
    let folder = Folder::with_model();
    let few = folder.run("score m.narrows train.csv --threshold fixed=1e12").succeeds().stdout;
    let many = folder.run("score m.narrows train.csv --threshold quantile=0.1").succeeds().stdout;
    let count = |text: &str| text.lines().filter(|line| line.ends_with(",true")).count();
    assert!(count(&few) == 0 && count(&many) > 100);
    let scores = |text: &str| text.lines().map(|line| line.rsplit_once(',').unwrap().0.to_owned()).collect::<Vec<_>>();
    assert_eq!(scores(&few), scores(&many));
}

#[test]
fn a_column_to_keep_must_exist_and_not_collide() {
    let folder = Folder::with_model();
    folder.check_fails("score m.narrows train.csv -o s.csv --keep wrod", 3, &["wrod", "word"]);
    folder.check_fails("score m.narrows train.csv -o s.csv --keep score", 2, &["--keep", "score"]);
}

#[test]
fn a_file_without_a_header_is_read_by_position_when_told() {
    let folder = Folder::with_model();
    let rows: Vec<String> = ordinary(100).lines().skip(1).map(str::to_owned).collect();
    folder.write("bare.txt", rows.join("\n").replace(',', ";"));
    let line = "fit bare.txt -o bare.narrows --header absent --delimiter ; --preset simple --set train.steps=20";
    folder.run(line).succeeds();
    assert!(folder.run("inspect bare.narrows --json").succeeds().stdout.contains("column_0"));
}

/// A folder with a model and `new.csv`: ordinary rows, of which the rows 3 and 7 are odd.
fn with_odd_rows() -> Folder {
    let folder = Folder::with_model();
    let mut lines: Vec<String> = ordinary(10).lines().map(str::to_owned).collect();
    lines[4] = "0.5,0.5,99,red".to_owned();
    lines[8] = "0.5,0.5,999,red".to_owned();
    folder.write("new.csv", lines.join("\n") + "\n");
    folder
}

/// The first column of the rows of a table.
fn row_numbers(table: &str) -> Vec<&str> {
    table.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect()
}

#[test]
fn rows_are_chosen_by_score_and_by_decision() {
    let folder = with_odd_rows();
    let scores = |flags: &str| folder.run(&format!("score m.narrows new.csv {flags}")).succeeds().stdout;
    assert_eq!(row_numbers(&scores("--top 2")), ["7", "3"]);
    let sorted = scores("--sort");
    assert_eq!((row_numbers(&sorted)[..2].to_vec(), sorted.lines().count()), (vec!["7", "3"], 11));
    let anomalies = scores("--only-anomalies --threshold fixed=5");
    assert_eq!(row_numbers(&anomalies), ["3", "7"], "{anomalies}");
    assert_eq!(scores("--only-anomalies --threshold fixed=1e12").lines().count(), 1);
    let ran = folder.run("score m.narrows new.csv --top 1 -o top.csv").succeeds();
    assert!(ran.stderr.contains("10 rows scored") && folder.read("top.csv").lines().count() == 2, "{}", ran.stderr);
}

#[test]
fn json_is_one_document_with_rows_summary_and_warnings() {
    let folder = with_odd_rows();
    let found = folder.run("score m.narrows new.csv --json --top 2 --explain 1").succeeds().json();
    assert_eq!((found["rows"][0]["row"].as_u64(), found["rows"].as_array().map(Vec::len)), (Some(7), Some(2)));
    let reason = &found["rows"][0]["reasons"][0];
    assert_eq!((reason["column"].as_str(), reason["got"].as_str()), (Some("c"), Some("999")), "{reason}");
    assert!(reason["share"].is_number() && reason["expected"].is_string(), "{reason}");
    assert_eq!(found["summary"]["rows"], 10);
    assert!(found["summary"]["anomalies"].as_u64() >= Some(2) && found["warnings"].is_array(), "{found}");
    let found = folder.run("score m.narrows new.csv --json -o s.csv").succeeds().json();
    assert_eq!((found["output"].as_str(), found["summary"]["rows"].as_u64()), (Some("s.csv"), Some(10)));
    assert_eq!(folder.read("s.csv").lines().count(), 11);
    folder.check_fails("score m.narrows new.csv --json --format csv", 2, &["--format", "--json"]);
}

#[test]
fn reasons_are_columns_or_objects_if_asked_for() {
    let folder = with_odd_rows();
    let table = folder.run("score m.narrows new.csv --explain 1 --reason-form columns").succeeds().stdout;
    let head =
        "row,score,p_value,is_anomaly,reason_1_column,reason_1_expected,reason_1_got,reason_1_share,reason_1_direction";
    assert_eq!(table.lines().next(), Some(head));
    assert!(table.lines().nth(8).unwrap().contains(",c,"), "{table}");
    let lines = folder.run("score m.narrows new.csv --explain 1 --format ndjson").succeeds().stdout;
    let row: serde_json::Value = serde_json::from_str(lines.lines().nth(7).unwrap()).unwrap();
    assert_eq!(row["reasons"][0]["column"], "c");
    assert!(row["reason_1"].as_str().unwrap().contains("got 999"));
    folder.check_fails("score m.narrows new.csv --explain 1 --reason-form objects", 2, &["--reason-form columns"]);
    folder.check_fails("score m.narrows new.csv --reason-form columns", 2, &["--explain"]);
}

#[test]
fn columns_to_keep_may_be_patterns() {
    let folder = with_odd_rows();
    let scores = folder.run("score m.narrows new.csv --keep w*,a").succeeds().stdout;
    assert!(scores.starts_with("row,score,p_value,is_anomaly,word,a\n"), "{scores}");
    folder.check_fails("score m.narrows new.csv --keep z*", 3, &["z*"]);
}

#[test]
#[cfg(not(feature = "remote"))]
fn addresses_are_refused_with_the_way_to_read_them() {
    let folder = Folder::with_model();
    folder.check_fails("score m.narrows https://x.org/a.csv", 3, &["is a URL, and only files are read", "curl -LO"]);
    folder.check_fails("score s3://x/m.narrows train.csv", 3, &["`s3://x/m.narrows` is a URL", "aws s3 cp"]);
    folder.check_fails("fit https://x.org/a.csv -o n.narrows", 3, &["is a URL"]);
    let words = ["--output: `s3://x/s.csv` is a URL, and only files are written", "cargo feature `remote`"];
    folder.check_fails("score m.narrows train.csv -o s3://x/s.csv", 2, &words);
}

#[test]
fn new_data_has_a_report_of_its_own() {
    let folder = with_odd_rows();
    let found = folder.run("report m.narrows new.csv -o r.html --json").succeeds().json();
    assert_eq!((found["scored"].as_u64(), found["top"][0]["row"].as_u64()), (Some(10), Some(7)));
    let html = folder.read("r.html");
    assert!(html.contains("id=\"new-data\"") && html.contains("id=\"training\"") && html.contains("999"), "{html}");
    folder.run("report m.narrows new.csv --label word --normal red").succeeds();
    assert!(folder.read("new.html").contains("AUC-PR"));
    folder.check_fails("report m.narrows new.csv --label word -f", 2, &["--normal", "none is evident"]);
    folder.check_fails("report m.narrows --label word", 2, &["INPUT"]);
}
