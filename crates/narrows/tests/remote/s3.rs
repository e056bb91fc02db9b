//! Tables, models, scores, reports and compressed files in a bucket.

use narrows_core::data::Source;
use narrows_core::output::TableWriter;

use crate::folder::{Folder, QUICK, ordinary};
use crate::server::shared;

/// `train.csv` in three parts of unequal length, as `part-0.csv` and so on.
fn parts(folder: &Folder) -> Vec<(String, String)> {
    let text = ordinary(300);
    let (header, rows) = text.split_once('\n').unwrap();
    let rows: Vec<&str> = rows.lines().collect();
    let parts = [0..50, 50..260, 260..300].into_iter().enumerate();
    let parts = parts.map(|(i, range)| (format!("part-{i}.csv"), format!("{header}\n{}\n", rows[range].join("\n"))));
    let parts: Vec<_> = parts.collect();
    parts.iter().for_each(|(name, text)| folder.write(name, text));
    parts
}

/// A model without the name of its first input, and without the checksum over it.
fn nameless(model: &[u8]) -> (serde_json::Value, Vec<u8>) {
    let end = 8 + usize::try_from(u64::from_le_bytes(model[..8].try_into().unwrap())).unwrap();
    let header: serde_json::Value = serde_json::from_slice(&model[8..end]).unwrap();
    let document = header["__metadata__"].as_object().unwrap().values().next().unwrap().as_str().unwrap();
    let mut document: serde_json::Value = serde_json::from_str(document).unwrap();
    assert!(document["report"]["source"].take().is_string() && document["checksum"].take().is_string());
    (document, model[end..].to_vec())
}

/// A CSV file as Parquet.
fn parquet_of(folder: &Folder, name: &str) -> Vec<u8> {
    let table = Source::parse(&[folder.path(name).display().to_string()])
        .unwrap()
        .open(1000, None)
        .unwrap()
        .read_all()
        .unwrap();
    let path = folder.path(&format!("{name}.parquet"));
    let mut writer = TableWriter::create(&path).unwrap();
    writer.write(table.batch()).unwrap();
    writer.finish().unwrap();
    std::fs::read(path).unwrap()
}

#[test]
fn a_fit_to_a_pattern_or_a_folder_in_a_bucket_is_the_fit_to_the_files() {
    let Some(moto) = shared() else { return };
    let (bucket, folder) = (moto.bucket("fits"), Folder::new());
    for (name, text) in parts(&folder) {
        bucket.put(&format!("day/{name}"), text);
        bucket.put(&format!("typed/{name}.parquet"), parquet_of(&folder, &name));
    }
    bucket.put("day/_SUCCESS", "");
    bucket.put("day/.part-0.csv.crc", "not a table");
    bucket.put("day/deeper/part-0.csv", "other,columns\n1,2\n");
    let fit = |inputs: &str, model: &str| {
        bucket.run(&folder, &format!("fit {inputs} -o {model} {QUICK}")).succeeds();
        nameless(&folder.bytes(model))
    };
    let local = fit("part-0.csv part-1.csv part-2.csv", "local.narrows");
    assert!(fit("BUCKET/day/part-*.csv", "pattern.narrows") == local);
    let local = fit("part-0.csv.parquet part-1.csv.parquet part-2.csv.parquet", "typed.narrows");
    assert!(fit("BUCKET/typed/", "folder.narrows") == local);
    let mixed =
        fit("BUCKET/typed/part-0.csv.parquet part-1.csv.parquet BUCKET/typed/part-2.csv.parquet", "mixed.narrows");
    assert!(mixed == local);
}

#[test]
fn models_reports_and_scores_are_written_to_a_bucket_and_read_from_it() {
    let Some(moto) = shared() else { return };
    let (bucket, folder) = (moto.bucket("results"), Folder::with_model());
    let told =
        bucket.run(&folder, &format!("fit train.csv -o BUCKET/m.narrows --report BUCKET/r.html {QUICK}")).succeeds();
    assert!(told.stderr.contains("s3://results/m.narrows"), "{}", told.stderr);
    assert!(bucket.get("m.narrows").unwrap() == folder.bytes("m.narrows"));
    assert!(String::from_utf8_lossy(&bucket.get("r.html").unwrap()).contains("</html>"));
    assert_eq!(folder.names(), ["m.narrows", "train.csv"]);
    bucket.put("train.csv", folder.bytes("train.csv"));
    for name in ["s.csv", "s.csv.gz", "s.parquet", "s.arrow", "s.ndjson"] {
        folder.run(&format!("score m.narrows train.csv -o {name}")).succeeds();
        bucket.run(&folder, &format!("score BUCKET/m.narrows BUCKET/train.csv -o BUCKET/{name}")).succeeds();
        assert!(bucket.get(name).unwrap() == folder.bytes(name), "{name}");
    }
    let ran = bucket.run(&folder, "score BUCKET/m.narrows train.csv -o BUCKET/s.csv");
    ran.fails(2, &["`s3://results/s.csv` exists", "--force overwrites it"]);
    bucket.run(&folder, "score BUCKET/m.narrows train.csv -o BUCKET/s.csv --force").succeeds();
    let ran = bucket.run(&folder, "score BUCKET/m.narrows BUCKET/train.csv -o BUCKET/train.csv --force");
    ran.fails(2, &["expected another file than the input"]);
    assert_eq!(bucket.pending(), 0);
}

#[test]
fn compressed_files_lie_in_a_bucket_too() {
    let Some(moto) = shared() else { return };
    let (bucket, folder) = (moto.bucket("compressed"), Folder::with_model());
    bucket.put("m.narrows", folder.bytes("m.narrows"));
    bucket.put("train.csv", folder.bytes("train.csv"));
    folder.run("compress m.narrows train.csv -o local.nrz --lossless").succeeds();
    bucket.run(&folder, "compress BUCKET/m.narrows BUCKET/train.csv -o BUCKET/c.nrz --lossless").succeeds();
    assert!(bucket.get("c.nrz").unwrap() == folder.bytes("local.nrz"));
    bucket.run(&folder, "decompress BUCKET/m.narrows BUCKET/c.nrz -o back.csv").succeeds();
    assert_eq!(folder.read("back.csv"), folder.read("train.csv"));
    let rows = bucket.run(&folder, "decompress BUCKET/m.narrows BUCKET/c.nrz --rows 3-4").succeeds().stdout;
    assert_eq!(rows.lines().count(), 3);
    let ran = bucket.run(&folder, "compress m.narrows train.csv -o BUCKET/v.nrz --lossless --verify");
    ran.fails(2, &["--verify: expected a file on disk"]);
}

#[test]
fn shards_and_columns_in_names_of_folders_work_in_a_bucket() {
    let Some(moto) = shared() else { return };
    let (bucket, folder) = (moto.bucket("shards"), Folder::new());
    for (name, text) in parts(&folder) {
        let day = &name[5..6];
        std::fs::create_dir_all(folder.path(&format!("big/day={day}"))).unwrap();
        folder.write(&format!("big/day={day}/{name}"), &text);
        bucket.put(&format!("big/day={day}/{name}"), text);
    }
    folder.run(&format!("fit big/ -o local.narrows --ignore day {QUICK}")).succeeds();
    bucket.run(&folder, &format!("fit BUCKET/big/ -o stored.narrows --ignore day {QUICK}")).succeeds();
    assert!(nameless(&folder.bytes("stored.narrows")) == nameless(&folder.bytes("local.narrows")));
    folder.run("score local.narrows big/ --where day>0 --keep day -o local.csv").succeeds();
    bucket.run(&folder, "score local.narrows BUCKET/big/ --where day>0 --keep day -o stored.csv").succeeds();
    assert_eq!(folder.read("stored.csv"), folder.read("local.csv"));
    let shard = |i: usize| format!("score local.narrows BUCKET/big/ --shard {i}/2 -o BUCKET/scores/ --format csv");
    bucket.run(&folder, &shard(1)).succeeds();
    assert!(bucket.get("scores/_SUCCESS").is_none());
    bucket.run(&folder, &shard(0)).succeeds();
    assert!(bucket.get("scores/_SUCCESS").is_some());
    let told = bucket.run(&folder, &shard(1)).succeeds().stderr;
    assert!(told.contains("the part is there already"), "{told}");
    folder.run("score local.narrows big/ -o whole.csv").succeeds();
    let part = |i: usize| String::from_utf8(bucket.get(&format!("scores/part-{i}.csv")).unwrap()).unwrap();
    let (first, second) = (part(0), part(1));
    let rows = second.split_once('\n').unwrap().1;
    assert_eq!(format!("{first}{rows}"), folder.read("whole.csv"));
    let ran = bucket.run(&folder, "score local.narrows BUCKET/big/ --shard 0/3 -o BUCKET/scores/ --format csv");
    ran.fails(2, &["holds parts of other work"]);
    assert!(!folder.path("s3:").exists());
}

#[test]
fn what_needs_a_disk_says_so() {
    let Some(moto) = shared() else { return };
    let (bucket, folder) = (moto.bucket("disks"), Folder::with_model());
    let fails = |line: &str, code: i32, words: &[&str]| bucket.run(&folder, line).fails(code, words);
    fails("fit train.csv -o BUCKET/m.narrows --checkpoint", 2, &["--checkpoint: expected a model on disk"]);
    fails("tune train.csv -o BUCKET/m.narrows --journal BUCKET/j", 2, &["--journal: expected a file on disk"]);
    fails("score m.narrows BUCKET/a.csv --follow", 3, &["only a file on disk or a pipe is followed"]);
    fails("score m.narrows train.csv --follow -o BUCKET/a.csv", 2, &["a file on disk for rows as they come"]);
    fails("fit BUCKET/a.png", 3, &["images are read from disk"]);
    fails("score m.narrows ftp://host/a.csv", 3, &["is a URL, and only files are read", "curl -LO"]);
    assert_eq!(folder.names(), ["m.narrows", "train.csv"]);
}
