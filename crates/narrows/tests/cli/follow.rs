//! `narrows score --follow`: a line out for each line in, at once, and bad lines left out by number.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write as _};
use std::process::Stdio;
use std::sync::OnceLock;

use serde_json::Value;

use crate::folder::Folder;

const FIT: &str = "--kind series --time at --id machine --preset simple --set train.steps=200 --set data.window=16";

/// One point of a machine: two waves, with a little noise.
fn point(machine: &str, i: usize) -> (String, String, f64, f64) {
    let noise = |step: usize| (i * step % 101) as f64 / 1000.0;
    let phase = i as f64 * 0.4 + if machine == "b" { 1.0 } else { 0.0 };
    let at = format!("2024-05-01T{:02}:{:02}:00Z", i / 60, i % 60);
    (machine.to_owned(), at, phase.sin() + noise(7919), 10.0 + 3.0 * phase.cos() + noise(104_729))
}

fn line(machine: &str, i: usize) -> String {
    let (machine, at, hot, loud) = point(machine, i);
    format!("{{\"machine\":\"{machine}\",\"at\":\"{at}\",\"hot\":{hot:.4},\"loud\":{loud:.4},\"shift\":{}}}\n", i / 8)
}

fn lines(machine: &str, n: usize) -> Vec<String> {
    (0..n).map(|i| line(machine, i)).collect()
}

/// Points of two machines as CSV.
fn csv(n: usize) -> String {
    let mut text = "machine,at,hot,loud,shift\n".to_owned();
    for (i, machine) in (0..n).flat_map(|i| [(i, "a"), (i, "b")]) {
        let (machine, at, hot, loud) = point(machine, i);
        writeln!(text, "{machine},{at},{hot:.4},{loud:.4},{}", i / 8).unwrap();
    }
    text
}

/// A folder with `pump.narrows`, a model of two machines, fitted once for all tests.
fn folder() -> Folder {
    static MODEL: OnceLock<Vec<u8>> = OnceLock::new();
    let folder = Folder::new();
    let model = MODEL.get_or_init(|| {
        let folder = Folder::new();
        folder.write("train.csv", csv(400));
        folder.run(&format!("fit train.csv -o pump.narrows {FIT} --ignore shift")).succeeds();
        folder.bytes("pump.narrows")
    });
    folder.write("pump.narrows", model);
    folder
}

fn rows(stdout: &str) -> Vec<Value> {
    stdout.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

/// Follows `input`, a text, with more `flags`.
fn follow(input: &str, flags: &str) -> crate::folder::Ran {
    let folder = folder();
    folder.write("in.ndjson", input);
    folder.run(&format!("score pump.narrows in.ndjson --follow {flags}"))
}

#[test]
fn a_line_comes_out_for_each_line_and_warm_up_has_no_score() {
    let ran = follow(&lines("a", 40).concat(), "").succeeds();
    let rows = rows(&ran.stdout);
    assert_eq!(rows.len(), 40);
    let keys: Vec<&String> = rows[0].as_object().unwrap().keys().collect();
    let mut expected = ["row", "machine", "at", "score", "p_value", "is_anomaly", "flag"];
    assert!(ran.stdout.starts_with("{\"row\":0,\"machine\":\"a\",\"at\":\"2024-05-01T00:00:00Z\",\"score\":null,"));
    expected.sort_unstable();
    assert_eq!(keys, expected);
    for (i, row) in rows.iter().enumerate() {
        assert_eq!(row["row"], i);
        let flag = if i < 15 { "warm_up".into() } else { Value::Null };
        assert_eq!((row["score"].is_null(), &row["flag"]), (i < 15, &flag), "{row}");
    }
    assert!(ran.stderr.contains("40 rows scored") && ran.stderr.contains("15 rows warming up"), "{}", ran.stderr);
}

#[test]
fn bad_lines_are_told_by_number_and_left_out() {
    let mut text = lines("a", 40);
    text.insert(20, "garbage\n".to_owned());
    text.insert(20, "\n".to_owned());
    text.insert(30, "{\"machine\":\"a\",\"at\":\"2024-05-01T00:02:00Z\",\"hot\":0,\"loud\":0}\n".to_owned());
    text.insert(31, "{\"at\":\"2024-05-01T09:00:00Z\",\"hot\":\"warm\",\"loud\":0,\"machine\":\"a\"}\n".to_owned());
    let ran = follow(&text.concat(), "");
    ran.fails(
        5,
        &[
            "error: line 22 skipped: in.ndjson, row 20: expected a JSON object",
            "line 31 skipped: in.ndjson, column `at`, row 29: expected a time after 2024-05-01T00:27:00Z, the last one \
             in series `a`, got 2024-05-01T00:02:00Z",
            "line 32 skipped: in.ndjson, column `hot`, row 30: expected a number, got `warm`",
            "40 rows scored",
            "3 invalid lines skipped",
        ],
    );
    let (with, without) = (rows(&ran.stdout), rows(&follow(&lines("a", 40).concat(), "").stdout));
    let scores = |rows: &[Value]| rows.iter().map(|row| row["score"].to_string()).collect::<Vec<_>>();
    assert_eq!(scores(&with), scores(&without), "an invalid line does not affect the others");
    let numbers: Vec<u64> = with.iter().map(|row| row["row"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (0..43).filter(|row| ![20, 29, 30].contains(row)).collect::<Vec<u64>>());
    assert_eq!(follow("garbage\n", "--json").code, 5);
    let told = follow("garbage\n", "--json").stderr;
    let told: Value = serde_json::from_str(told.trim()).unwrap();
    assert!(told["error"]["message"].as_str().unwrap().starts_with("line 1 skipped"), "{told}");
}

#[test]
fn a_line_is_out_before_the_next_goes_in() {
    let folder = folder();
    let mut child = folder
        .command()
        .args(["score", "pump.narrows", "-", "--follow"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let (mut stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut out = BufReader::new(stdout);
    for i in 0..20 {
        stdin.write_all(line("a", i).as_bytes()).unwrap();
        stdin.flush().unwrap();
        let mut scored = String::new();
        out.read_line(&mut scored).unwrap();
        assert!(scored.starts_with(&format!("{{\"row\":{i},")) && scored.ends_with("}\n"), "{scored}");
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

#[test]
#[cfg(unix)]
fn ctrl_c_ends_it_with_all_that_was_scored() {
    let folder = folder();
    let mut child = folder
        .command()
        .args(["score", "pump.narrows", "-", "--follow", "-o", "scores.ndjson"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(lines("a", 20).concat().as_bytes()).unwrap();
    let began = std::time::Instant::now();
    while folder.path("scores.ndjson").metadata().map_or(0, |file| file.len()) == 0
        || folder.read("scores.ndjson").lines().count() < 20
    {
        assert!(began.elapsed().as_secs() < 60, "nothing was written");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let id = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let mut told = String::new();
    child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    assert!(told.contains("20 rows scored"), "{told}");
    assert_eq!(rows(&folder.read("scores.ndjson")).len(), 20);
    drop(stdin);
}

#[test]
fn series_that_alternate_score_as_they_do_alone() {
    let (a, b) = (lines("a", 40), lines("b", 40));
    let both: String = a.iter().zip(&b).flat_map(|(a, b)| [a.as_str(), b.as_str()]).collect();
    let both = rows(&follow(&both, "").succeeds().stdout);
    for (machine, alone) in [("a", a), ("b", b)] {
        let of = |rows: &[Value]| -> Vec<String> {
            rows.iter().filter(|row| row["machine"] == machine).map(|row| row["score"].to_string()).collect()
        };
        assert_eq!(of(&both), of(&rows(&follow(&alone.concat(), "").stdout)));
    }
}

#[test]
fn an_anomaly_is_named_with_its_channel_and_by_the_exit_code_on_request() {
    let mut text = lines("a", 40);
    let (_, at, _, loud) = point("a", 30);
    text[30] = format!("{{\"machine\":\"a\",\"at\":\"{at}\",\"hot\":9,\"loud\":{loud},\"shift\":7}}\n");
    let ran = follow(&text.concat(), "--explain 2 --keep shift,nothing --fail-on-anomaly");
    assert_eq!(ran.code, 10, "{}", ran.stderr);
    let row = &rows(&ran.stdout)[30];
    assert_eq!((&row["is_anomaly"], &row["shift"], &row["nothing"]), (&true.into(), &7.0.into(), &Value::Null));
    assert!(row["reason_1"].as_str().unwrap().starts_with("`hot`: expected about"), "{row}");
    assert!(row.get("reason_2").is_some() && row.get("reason_3").is_none());
    follow(&text.concat(), "--fail-on-anomaly --threshold fixed=1e12").succeeds();
    follow(&text.concat(), "").succeeds();
}

#[test]
fn csv_goes_in_and_comes_out() {
    let folder = folder();
    folder.write("in.csv", csv(20));
    let flags = "--follow --keep shift --format csv";
    let named = folder.run(&format!("score pump.narrows in.csv {flags}")).succeeds().stdout;
    assert!(named.starts_with("row,machine,at,score,p_value,is_anomaly,flag,shift\n"), "{named}");
    assert_eq!(named.lines().count(), 41);
    let piped = folder.shell(&format!("narrows score pump.narrows - --input-format csv {flags} < in.csv"));
    assert_eq!(piped.succeeds().stdout, named);
    // The same scores as from objects.
    let objects: String = (0..20).flat_map(|i| [line("a", i), line("b", i)]).collect();
    let scores = named.lines().skip(1).map(|line| line.split(',').nth(3).unwrap().parse::<f64>().ok());
    let of_objects: Vec<Option<f64>> =
        rows(&follow(&objects, "").stdout).iter().map(|row| row["score"].as_f64()).collect();
    assert_eq!(scores.collect::<Vec<_>>(), of_objects);

    let short: String = csv(20).lines().map(|line| line.to_owned() + "\n").take(10).chain(["1,2\n".into()]).collect();
    folder.write("short.csv", short);
    folder.run(&format!("score pump.narrows short.csv {flags}")).fails(5, &["line 11 skipped", "got 2", "9 rows"]);
    folder.write("other.csv", "machine,at,hot\na,2024-05-01T00:00:00Z,1\n");
    folder.check_fails(&format!("score pump.narrows other.csv {flags}"), 3, &["other.csv", "`loud`", "missing"]);
    folder.check_fails("score pump.narrows in.csv --follow --keep shfit", 3, &["`shfit`", "`shift`"]);
}

#[test]
fn what_cannot_be_followed_is_refused() {
    let folder = folder();
    folder.write("in.ndjson", lines("a", 3).concat());
    let check = |line: &str, code: i32, fragments: &[&str]| folder.check_fails(line, code, fragments);
    check("score pump.narrows in.ndjson --follow --events", 2, &["--events", "--follow"]);
    check("score pump.narrows in.ndjson in.ndjson --follow", 2, &["expected one file", "got 2"]);
    check("score pump.narrows in.ndjson --follow -o s.parquet", 2, &["--format", "csv"]);
    check("score pump.narrows in.ndjson --follow -o s.csv.gz", 2, &["--output", "s.csv.gz"]);
    check("score pump.narrows in.ndjson --follow -o ./in.ndjson", 2, &["expected another file than the input"]);
    check("score pump.narrows in.ndjson --follow --input-format parquet", 2, &["--input-format"]);
    check("score pump.narrows in.ndjson --follow --header absent", 2, &["--header"]);
    check("score pump.narrows in.ndjson --follow --keep score", 2, &["--keep", "`score`"]);
    assert_eq!(folder.read("in.ndjson").lines().count(), 3);
}

#[test]
fn csv_on_a_pipe_is_recognised_by_its_header() {
    let folder = folder();
    let text = csv(20);
    let text = text.replace(',', ";");
    folder.write("in", &text);
    let flags = "--follow --keep sh* --only-anomalies --threshold fixed=0";
    let ran = folder.shell(&format!("cat in | narrows score pump.narrows - {flags}")).succeeds();
    let rows = rows(&ran.stdout);
    // The first fifteen points of each machine have no score.
    assert_eq!(
        (rows.len(), rows[0]["row"].as_u64(), rows[0]["shift"].as_str()),
        (10, Some(30), Some("1")),
        "{}",
        ran.stdout
    );
    folder.write("in", lines("a", 17).concat());
    assert_eq!(folder.shell("narrows score pump.narrows - --follow < in").succeeds().stdout.lines().count(), 17);
}

#[test]
fn history_fills_the_first_window() {
    let folder = folder();
    let all = lines("a", 40);
    folder.write("all.ndjson", all.concat());
    folder.write("before.csv", {
        let mut text = "machine,at,hot,loud\n".to_owned();
        for i in 0..30 {
            let (machine, at, hot, loud) = point("a", i);
            writeln!(text, "{machine},{at},{hot:.4},{loud:.4}").unwrap();
        }
        text
    });
    folder.write("in.ndjson", all[30..].concat());
    let whole = folder.run("score pump.narrows all.ndjson --follow").succeeds().stdout;
    let ran = folder.run("score pump.narrows in.ndjson --follow --history before.csv").succeeds();
    let score = |line: &str| serde_json::from_str::<Value>(line).unwrap()["score"].as_f64();
    let expected: Vec<Option<f64>> = whole.lines().skip(30).map(score).collect();
    assert!(expected.iter().all(Option::is_some));
    assert_eq!(ran.stdout.lines().map(score).collect::<Vec<_>>(), expected);
    assert!(ran.stderr.contains("10 rows scored") && ran.stderr.contains("history     30 rows"), "{}", ran.stderr);
}

#[test]
fn rows_of_a_table_are_followed_too() {
    let folder = Folder::with_model();
    let text = crate::folder::ordinary(12);
    folder.write("new.csv", &text);
    let whole = folder.run("score m.narrows new.csv --keep word --explain 1 --format ndjson").succeeds().stdout;
    let ran = folder.run("score m.narrows new.csv --keep word --explain 1 --follow").succeeds();
    assert_eq!(rows(&ran.stdout), rows(&whole));
    folder.check_fails("score m.narrows new.csv --follow --history new.csv", 2, &["--history", "series"]);
    folder.write("bad.csv", text + "1,2\n");
    let ran = folder.run("score m.narrows bad.csv --follow --format csv");
    assert_eq!((ran.code, ran.stdout.lines().count()), (5, 13), "{}", ran.stderr);
}
