//! `--shard`: parts of a whole, in any order, repeated, at once, and never mixed with those of other work.

use std::fs;

use crate::folder::{Folder, ordinary};

/// A folder with a model and `big/`, of five files.
fn with_files() -> Folder {
    let folder = Folder::with_model();
    fs::create_dir_all(folder.path("big")).unwrap();
    for (i, rows) in [40, 1, 70, 30, 200].into_iter().enumerate() {
        folder.write(&format!("big/{i}.csv"), ordinary(rows));
    }
    folder
}

/// The lines of CSV parts one after the other, with one header.
fn joined(folder: &Folder, parts: &[&str]) -> String {
    let texts: Vec<String> = parts.iter().map(|part| folder.read(&format!("parts/{part}"))).collect();
    let header = texts[0].lines().next().unwrap().to_owned();
    let rows = texts.iter().flat_map(|text| {
        assert_eq!(text.lines().next().unwrap(), header);
        text.lines().skip(1)
    });
    std::iter::once(header.as_str()).chain(rows).map(|line| format!("{line}\n")).collect()
}

#[test]
fn parts_one_after_the_other_are_the_whole() {
    let folder = with_files();
    let options = "--keep word --explain 2";
    let whole = folder.run(&format!("score m.narrows big {options}")).succeeds().stdout;
    for i in [2, 0, 1] {
        assert!(!folder.path("parts/_SUCCESS").exists());
        folder.run(&format!("score m.narrows big {options} --format csv --shard {i}/3 -o parts")).succeeds();
    }
    assert_eq!(joined(&folder, &["part-0.csv", "part-1.csv", "part-2.csv"]), whole);
    assert!(folder.path("parts/_SUCCESS").exists());
}

#[test]
fn shards_without_rows_have_the_columns_alone_and_engines_read_the_folder() {
    let folder = with_files();
    let whole = folder.run("score m.narrows big").succeeds().stdout;
    // Several at a time, as on a machine of several cores.
    let line = "seq 0 11 | xargs -P 2 -I{} bash -c 'narrows score m.narrows big -q --shard {}/12 -o parts'";
    let program = assert_cmd::cargo::cargo_bin!("narrows");
    let line = line.replace("narrows score", &format!("{} score", program.display()));
    folder.shell(&line).succeeds();
    let mut names: Vec<String> = fs::read_dir(folder.path("parts"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let parts: Vec<String> = (0..12).map(|i| format!("part-{i:02}.parquet")).collect();
    assert_eq!(names[..2], ["_SUCCESS", "_shards.json"]);
    assert_eq!(names[2..], parts);
    let read = narrows_core::data::Source::parse(&[folder.path("parts").display().to_string()]).unwrap();
    let table = read.open(1 << 16, None).unwrap().read_all().unwrap();
    let mut csv = Vec::new();
    let mut writer = narrows_core::output::TableWriter::new(&mut csv, narrows_core::data::Format::Csv).unwrap();
    writer.write(table.batch()).unwrap();
    writer.finish().unwrap();
    assert_eq!(String::from_utf8(csv).unwrap(), whole);
}

#[test]
fn a_part_that_is_there_is_left_and_one_that_is_lost_is_made_again() {
    let folder = with_files();
    let run = |rest: &str| folder.run(&format!("score m.narrows big --format csv -o parts {rest}")).succeeds();
    run("--shard 0/2");
    let first = folder.bytes("parts/part-0.csv");
    let ran = run("--shard 0/2");
    assert!(ran.stderr.contains("part-0.csv: the part is there already; --force writes it again"), "{}", ran.stderr);
    run("--shard 1/2");
    fs::remove_file(folder.path("parts/_SUCCESS")).unwrap();
    fs::remove_file(folder.path("parts/part-0.csv")).unwrap();
    assert!(run("--shard 1/2").stderr.contains("there already") && !folder.path("parts/_SUCCESS").exists());
    run("--shard 0/2");
    assert!(folder.path("parts/_SUCCESS").exists() && folder.bytes("parts/part-0.csv") == first);
    folder.write("parts/part-0.csv", "lost");
    run("--shard 0/2 --force");
    assert_eq!(folder.bytes("parts/part-0.csv"), first);
}

#[test]
fn parts_of_other_work_are_refused() {
    let folder = with_files();
    folder.run("score m.narrows big --shard 0/2 -o parts").succeeds();
    let check = |line: &str, expected: &str| {
        folder.check_fails(line, 2, &["--output: `parts` holds parts of other work", expected, "name another folder"]);
    };
    check("score m.narrows big --shard 0/4 -o parts", "the number of parts differs, 2 there and 4 here");
    check("score m.narrows big --shard 1/2 -o parts --format csv", "the format differs");
    check("score m.narrows big --shard 1/2 -o parts --explain 1 --force", "an option is another");
    check("score m.narrows big --shard 1/2 -o parts --where a>0", "an option is another");
    check("encode m.narrows big --shard 1/2 -o parts", "the verb differs");
    folder.write("big/0.csv", ordinary(41));
    check("score m.narrows big --shard 1/2 -o parts", "an input differs, big/0.csv of");
    fs::create_dir(folder.path("foreign")).unwrap();
    folder.write("foreign/part-0.parquet", "x");
    let expected = ["expected an empty folder or one of parts, got `part-0.parquet`"];
    folder.check_fails("score m.narrows big --shard 1/2 -o foreign", 2, &expected);
}

#[test]
fn what_cannot_be_divided_is_refused() {
    let folder = with_files();
    folder.check_fails("score m.narrows big --shard 2/2 -o parts", 2, &["from 0 to n-1", "`2/2`"]);
    folder.check_fails("score m.narrows big --shard 0/2", 2, &["--output"]);
    folder.check_fails("score m.narrows big --shard 0/2 -o -", 2, &["--output: expected a folder"]);
    folder.check_fails("score m.narrows big --shard 0/2 -o train.csv --force", 2, &["expected a folder for the parts"]);
    folder.check_fails("score m.narrows big --shard 0/2 -o big", 2, &["expected a folder without inputs"]);
    folder.check_fails("score m.narrows big --shard 0/2 -o parts --limit 3", 2, &["--shard: expected files"]);
    folder.check_fails("score m.narrows - --shard 0/2 -o parts", 2, &["--shard: expected files", "got stdin"]);
    folder.check_fails("score m.narrows big --shard 0/2 -o parts --top 3", 2, &["--top", "--shard"]);
}

#[test]
fn codes_are_written_in_parts_too() {
    let folder = with_files();
    let whole = folder.run("encode m.narrows big --keep word").succeeds().stdout;
    for i in 0..2 {
        folder.run(&format!("encode m.narrows big --keep word --format csv --shard {i}/2 -o parts")).succeeds();
    }
    assert_eq!(joined(&folder, &["part-0.csv", "part-1.csv"]), whole);
}
