//! Places that cannot be written to: exit code 1 or 2, and never a partial file.

use crate::folder::{Folder, QUICK};

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk() {
    let folder = Folder::with_model();
    folder.check_fails("score m.narrows train.csv -o /dev/full", 1, &["cannot write /dev/full", "No space left"]);
    folder.check_fails(
        "score m.narrows train.csv -o /dev/full --format parquet",
        1,
        &["cannot write /dev/full", "No space left"],
    );
    folder.check_fails("score m.narrows train.csv -o /dev/full --format ndjson", 1, &["cannot write /dev/full"]);
    folder.shell("narrows score m.narrows train.csv > /dev/full").fails(1, &["cannot write stdout", "No space left"]);
    folder.shell("narrows inspect m.narrows --json > /dev/full").fails(1, &["cannot write stdout"]);
    folder.check_fails("generate m.narrows -n 10 -o /dev/full", 1, &["cannot write /dev/full"]);
}

/// A disk that fills up in the middle of a file, by the limit on a file's size.
#[test]
#[cfg(target_os = "linux")]
fn a_disk_that_fills_up_halfway_leaves_no_partial_file() {
    let folder = Folder::with_model();
    folder.write("scores.csv", "old");
    let before = folder.names();
    for line in [
        "narrows score m.narrows train.csv -f -o scores.csv",
        "narrows score m.narrows train.csv -o new.csv",
        "narrows fit train.csv -o new.narrows --preset deep --set train.steps=5",
        "narrows report m.narrows -o new.html",
    ] {
        let ran = folder.shell(&format!("trap '' XFSZ; ulimit -f 1; {line}"));
        ran.fails(
            1,
            &["cannot write", line.rsplit(' ').find(|word| word.contains('.') && !word.contains('=')).unwrap()],
        );
        assert_eq!(folder.names(), before, "{line}");
    }
    assert_eq!(folder.read("scores.csv"), "old");
}

#[test]
fn a_folder_that_is_not_there_is_found_out_before_the_work() {
    let folder = Folder::with_model();
    folder.check_fails("fit train.csv -o no/such/m.narrows", 1, &["cannot write no/such/m.narrows"]);
    folder.check_fails("fit train.csv -o n.narrows --report no/such/r.html", 1, &["cannot write no/such/r.html"]);
    folder.check_fails("score m.narrows train.csv -o no/such/s.csv", 1, &["cannot write no/such/s.csv"]);
    folder.check_fails("score m.narrows train.csv -o train.csv/s.csv", 1, &["cannot write train.csv/s.csv"]);
    folder.check_fails("report m.narrows -o no/such/r.html", 1, &["cannot write no/such/r.html"]);
}

#[test]
fn a_model_is_not_replaced_unasked() {
    let folder = Folder::with_model();
    let before = folder.bytes("m.narrows");
    folder.check_fails("fit train.csv -o m.narrows", 2, &["`m.narrows` exists", "hint: --force"]);
    folder.check_fails("fit train.csv -o /dev/null --force", 2, &["expected a file"]);
    folder.check_fails("fit train.csv -o - ", 2, &["expected a file"]);
    assert_eq!(folder.bytes("m.narrows"), before);
    folder.run(&format!("fit train.csv -o m.narrows --force {QUICK} --seed 9")).succeeds();
    assert_ne!(folder.bytes("m.narrows"), before);
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let folder = Folder::with_model();
    let ran = folder.shell("set -o pipefail; narrows generate m.narrows -n 200000 | head -n 2").succeeds();
    assert_eq!(ran.stdout.lines().count(), 2);
    assert_eq!(ran.stderr, "");
}

#[test]
fn an_ending_without_a_format_is_refused() {
    let folder = Folder::with_model();
    folder.check_fails("score m.narrows train.csv -o scores.xlsx", 2, &["scores.xlsx", ".csv", "hint: "]);
    folder.run("score m.narrows train.csv -o scores.xlsx --format csv").succeeds();
}
