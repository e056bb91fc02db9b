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
