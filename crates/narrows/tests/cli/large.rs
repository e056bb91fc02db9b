//! Tables of more rows than a fit takes: samples, and rounds on the rows beyond.

use std::process::Stdio;

use crate::folder::{Folder, QUICK, ordinary};

/// A folder with `all.csv`, and the same rows in `part-0.csv` to `part-2.csv` and, in another order, in `shuffled.csv`.
fn with_parts(rows: usize) -> Folder {
    let folder = Folder::new();
    let text = ordinary(rows);
    let (header, lines) = text.split_once('\n').unwrap();
    let header = format!("{header},key");
    let lines: Vec<String> = lines.lines().enumerate().map(|(i, line)| format!("{line},k{i}")).collect();
    let put = |name: &str, lines: &[String]| folder.write(name, format!("{header}\n{}\n", lines.join("\n")));
    put("all.csv", &lines);
    put("part-0.csv", &lines[..11]);
    put("part-1.csv", &lines[11..rows / 2]);
    put("part-2.csv", &lines[rows / 2..]);
    let mut shuffled = lines;
    shuffled.reverse();
    shuffled.rotate_left(rows / 3);
    put("shuffled.csv", &shuffled);
    folder
}

/// The bytes of the model that a fit of `inputs` makes under the name of its first file.
fn model(folder: &Folder, inputs: &str, flags: &str) -> Vec<u8> {
    folder.run(&format!("fit {inputs} -o m.narrows --force {QUICK} {flags}")).succeeds();
    let report = folder.run("inspect m.narrows --json").succeeds().stdout;
    let named = report.replace("part-0.csv", "all.csv").replace("shuffled.csv", "all.csv");
    named.into_bytes()
}

#[test]
fn a_sample_is_told_and_does_not_depend_on_how_rows_lie_in_files() {
    let folder = with_parts(900);
    let ran = folder.run(&format!("fit all.csv -o m.narrows --sample-rows 400 {QUICK}")).succeeds();
    for words in ["rows        a sample of 400 of 900: 288 train", "fitted to a sample of 400 of 900 rows"] {
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
    }
    let report = folder.run("inspect m.narrows --json").succeeds().json();
    assert_eq!(
        (report["population"]["rows"].as_u64(), report["population"]["sampled"].as_u64()),
        (Some(900), Some(400))
    );
    assert_eq!(report["population"]["columns"][0]["missing"].as_u64(), Some(0));
    let flags = "--sample-rows 400";
    assert_eq!(model(&folder, "all.csv", flags), model(&folder, "part-*.csv", flags));
    assert_ne!(model(&folder, "all.csv", flags), model(&folder, "shuffled.csv", flags));
    let keyed = "--sample-rows 400 --sample-key key";
    assert_eq!(model(&folder, "all.csv", keyed), model(&folder, "shuffled.csv", keyed));
    // No more rows than that: nothing changes.
    assert_eq!(model(&folder, "all.csv", "--sample-rows 900"), {
        let with_field = model(&folder, "all.csv", "");
        String::from_utf8(with_field).unwrap().replace("\"sample_rows\": 2000000", "\"sample_rows\": 900").into_bytes()
    });
    folder.check_fails("fit all.csv -o n.narrows --sample-key kay", 3, &["kay", "key"]);
    folder.check_fails("fit all.csv -o n.narrows --kind series --sample-key key", 2, &["--sample-key"]);
}

#[test]
fn rounds_train_on_the_rows_beyond_the_sample() {
    let folder = with_parts(900);
    let rounds = "--sample-rows 300 --rounds 3 --partitions 2 --round-steps 5";
    let ran = folder.run(&format!("fit part-*.csv -o m.narrows {rounds} {QUICK}")).succeeds();
    for words in ["round       1 of 3  ", "round       3 of 3  ", "note        then trained in 3 rounds on "] {
        assert!(ran.stderr.contains(words), "expected `{words}` in\n{}", ran.stderr);
    }
    let report = folder.run("inspect m.narrows --json").succeeds().json();
    assert_eq!(report["training"][0]["steps"].as_u64(), Some(65));
    assert_eq!(model(&folder, "all.csv", rounds), model(&folder, "part-*.csv", rounds));
    let ran = folder.run(&format!("fit all.csv -o a.narrows --sample-rows 300 --all-rows {QUICK}")).succeeds();
    assert!(ran.stderr.contains("rounds on 600 rows beyond the sample"), "{}", ran.stderr);
    let ran = folder.run(&format!("fit all.csv -o b.narrows --all-rows {QUICK}")).succeeds();
    assert!(ran.stderr.contains("note: all 900 rows fit into the sample"), "{}", ran.stderr);
    folder.check_fails("fit all.csv -o n.narrows --rounds 2", 2, &["expected more rows than the sample", "got 900"]);
    let piped = folder.shell(&format!("narrows fit - -o n.narrows --rounds 2 {QUICK} < all.csv"));
    piped.fails(2, &["--rounds: expected files", "got stdin"]);
    folder.check_fails("fit all.csv -o n.narrows --kind series --rounds 2", 2, &["rounds.count", "series"]);
}

#[test]
fn rounds_that_were_killed_go_on_to_the_same_model() {
    let folder = with_parts(900);
    let line = format!("fit all.csv -o m.narrows --sample-rows 300 --rounds 60 --round-steps 200 {QUICK}");
    let mut child =
        folder.command().args(format!("{line} --checkpoint").split_whitespace()).stderr(Stdio::null()).spawn().unwrap();
    let began = std::time::Instant::now();
    while !folder.path("m.narrows.checkpoint/rounds").exists() {
        assert!(began.elapsed().as_secs() < 120 && child.try_wait().unwrap().is_none(), "no round has ended");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let ran = folder.run(&format!("{line} --resume")).succeeds();
    assert!(!ran.stderr.contains("round       1 of 60"), "{}", ran.stderr);
    assert!(!folder.path("m.narrows.checkpoint").exists());
    let resumed = folder.bytes("m.narrows");
    folder.run(&format!("{line} --force")).succeeds();
    assert!(folder.bytes("m.narrows") == resumed);
}
