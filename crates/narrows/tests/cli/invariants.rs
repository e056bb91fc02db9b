//! Columns that never change in training: what the command says of them, and of rows that change them.

use crate::folder::{Folder, QUICK, Ran};

/// Readings of a machine beside four columns that never change, save in the rows of `odd`: the column and its cell.
fn machine(n: usize, odd: &[(usize, usize, &str)]) -> String {
    let row = |i: usize| {
        let t = i as f64;
        let (load, heat) = ((t * 0.7).sin() + 0.1 * (t * 3.1).cos(), 40.0 + 5.0 * (t * 0.7).sin());
        let mut cells = ["0", "ok", "false", ""].map(str::to_owned);
        odd.iter().filter(|(row, ..)| *row == i).for_each(|(_, column, cell)| (*cell).clone_into(&mut cells[*column]));
        format!("{load:.4},{heat:.3},{}\n", cells.join(","))
    };
    (0..n).map(row).fold("load,heat,errors,raid,degraded,spare\n".to_owned(), |text, row| text + &row)
}

fn folder() -> (Folder, Ran) {
    let folder = Folder::new();
    folder.write("train.csv", machine(400, &[]));
    let ran = folder.run(&format!("fit train.csv -o m.narrows {QUICK}")).succeeds();
    (folder, ran)
}

#[test]
fn a_fit_tells_what_it_compares() {
    let (folder, ran) = folder();
    for words in ["2 used: load (numeric), heat (numeric)", "compared    4 that never changed: errors (always 0 in "] {
        assert!(ran.stderr.contains(words), "expected `{words}` in\n{}", ran.stderr);
    }
    assert!(!ran.stderr.contains("dropped"), "{}", ran.stderr);
    let report = folder.run("inspect m.narrows --json").succeeds().json();
    let roles: Vec<&str> =
        report["columns"].as_array().unwrap().iter().map(|column| column["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["feature", "feature", "invariant", "invariant", "invariant", "invariant"]);
    assert!(folder.run("inspect m.narrows").succeeds().stdout.contains("always empty in "));
}

#[test]
fn rows_that_change_what_never_changed_are_anomalies_with_the_reason() {
    let (folder, _) = folder();
    let all = [(9, 0, "37"), (9, 1, "FAILED"), (9, 2, "true"), (9, 3, "x")];
    let odd = [&[(5, 0, "37"), (6, 1, "FAILED"), (7, 2, "true"), (8, 0, "timeout")], &all[..]].concat();
    folder.write("new.csv", machine(10, &odd));
    let ran = folder.run("score m.narrows new.csv --explain 2").succeeds();
    let rows: Vec<&str> = ran.stdout.lines().skip(1).collect();
    let flagged: Vec<usize> = (0..10).filter(|row| rows[*row].contains(",true,")).collect();
    assert_eq!(flagged[flagged.len() - 5..], [5, 6, 7, 8, 9], "{}", ran.stdout);
    assert!(
        rows[6].contains("`raid`: always ok in ") && rows[6].contains(" training rows, got FAILED\",\"`"),
        "{}",
        rows[6]
    );
    assert!(
        rows[8].contains("got timeout") && rows[9].contains("got 37\",\"`raid`: always ok"),
        "{}\n{}",
        rows[8],
        rows[9]
    );
    for words in ["`raid`: always ok in ", " training rows, not so in 2 rows", "`errors`: always 0 in "] {
        assert!(ran.stderr.contains(words), "expected `{words}` in\n{}", ran.stderr);
    }
    assert!(!ran.stderr.contains("not used"), "{}", ran.stderr);

    let explained = folder.run("explain m.narrows new.csv --row 9 --top 5 --json").succeeds().json();
    let reasons = explained["reasons"].as_array().unwrap();
    let directions: Vec<&str> = reasons.iter().map(|reason| reason["direction"].as_str().unwrap()).collect();
    assert_eq!(directions[..4], ["broken"; 4]);
    assert_eq!((reasons[1]["column"].as_str(), reasons[1]["got"].as_str()), (Some("raid"), Some("FAILED")));
    assert_eq!(reasons[0]["share"].as_f64(), Some(0.0));
    let text = folder.run("explain m.narrows new.csv --row 9").succeeds().stdout;
    assert!(text.contains("╳") && text.contains("always ok in "), "{text}");
    folder.run("report m.narrows new.csv -o new.html").succeeds();
    assert!(folder.read("new.html").contains("always ok in "));
    let typed = folder.run("score m.narrows new.csv --explain 1 --reason-form columns").succeeds().stdout;
    assert!(typed.lines().last().unwrap().ends_with(",broken"), "{typed}");
}

#[test]
fn a_file_that_lacks_such_a_column_is_scored_and_told() {
    let (folder, _) = folder();
    let without: String =
        machine(10, &[]).lines().map(|line| line.split(',').take(3).collect::<Vec<_>>().join(",") + "\n").collect();
    folder.write("new.csv", without);
    let ran = folder.run("score m.narrows new.csv").succeeds();
    assert!(ran.stderr.contains("not there to be compared: raid, degraded, spare"), "{}", ran.stderr);
}

#[test]
fn empty_rows_have_no_score() {
    let (folder, _) = folder();
    folder.write("new.csv", machine(3, &[]) + ",,,,,\n");
    let ran = folder.run("score m.narrows new.csv").succeeds();
    assert!(ran.stdout.ends_with("\n3,,,\n"), "{}", ran.stdout);
    assert!(ran.stderr.contains("1 row without a score, as they have no value"), "{}", ran.stderr);
}

#[test]
fn a_stream_compares_too() {
    let (folder, _) = folder();
    folder.write("new.csv", machine(4, &[(2, 1, "FAILED")]));
    let ran = folder.run("score m.narrows new.csv --follow --explain 1").succeeds();
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert!(lines[2].contains("\"is_anomaly\":true") && lines[2].contains("got FAILED"), "{}", ran.stdout);
}

#[test]
fn where_nothing_varies_the_constants_are_watched() {
    let folder = Folder::new();
    folder.write("train.csv", "volts,raid\n".to_owned() + &"5,ok\n".repeat(200));
    let ran = folder.run(&format!("fit train.csv -o m.narrows {QUICK}")).succeeds();
    assert!(ran.stderr.contains("no column varies"), "{}", ran.stderr);
    folder.write("new.csv", "volts,raid\n5,ok\n5,FAILED\n4,ok\n5.0,ok\n");
    let scores = folder.run("score m.narrows new.csv").succeeds().stdout;
    let flagged: Vec<bool> = scores.lines().skip(1).map(|line| line.ends_with("true")).collect();
    assert_eq!(flagged, [false, true, true, false]);
}
