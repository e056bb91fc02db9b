//! `narrows compress` and `decompress`: rows and images go and come back, and what is wrong is told.

use narrows_core::images::Channels;

use crate::drawing::{CODE, draw, read};
use crate::folder::Folder;

fn cells(text: &str) -> Vec<Vec<String>> {
    text.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

#[test]
fn rows_come_back_within_the_bound_and_verify_says_so() {
    let folder = Folder::with_model();
    let ran = folder.run("compress m.narrows train.csv -o data.nrw --max-error 0.5% --verify").succeeds();
    for fragment in ["300 rows", "times smaller", "bits per value", "zstd -19", "verified"] {
        assert!(ran.stderr.contains(fragment), "`{fragment}` in {}", ran.stderr);
    }
    folder.run("decompress m.narrows data.nrw -o back.csv").succeeds();
    let (was, is) = (cells(&folder.read("train.csv")), cells(&folder.read("back.csv")));
    assert_eq!(was.len(), is.len());
    for (was, is) in was.iter().zip(&is) {
        assert_eq!(was[3], is[3], "words are kept");
        for (was, is) in was[..3].iter().zip(is) {
            let (was, is): (f64, f64) = (was.parse().unwrap(), is.parse().unwrap());
            // The ranges: 2 of a and b, about 3.1 of c.
            assert!((was - is).abs() <= 0.005 * 3.2, "{was} {is}");
        }
    }
}

#[test]
fn columns_have_bounds_of_their_own() {
    let folder = Folder::with_model();
    let ran = folder.run("compress m.narrows train.csv -o data.nrw --max-error a=5%,b=0.01 --verify").succeeds();
    assert!(ran.stderr.contains("(`a` bound 5 %, `b` bound 0.01, all others lossless)"), "{}", ran.stderr);
    folder.run("decompress m.narrows data.nrw -o back.csv").succeeds();
    let (was, is) = (cells(&folder.read("train.csv")), cells(&folder.read("back.csv")));
    let largest = |column: usize| {
        let number = |row: &Vec<String>| row[column].parse::<f64>().unwrap();
        was.iter().zip(&is).map(|(was, is)| (number(was) - number(is)).abs()).fold(0.0, f64::max)
    };
    assert!((0.01..=0.1001).contains(&largest(0)) && (0.001..=0.010_001).contains(&largest(1)));
    assert!(was.iter().zip(&is).all(|(was, is)| was[2..] == is[2..]), "c and the words are as they were");
}

#[test]
fn pipes_will_do_and_some_rows_are_read_alone() {
    let folder = Folder::with_model();
    let piped =
        folder.shell("narrows compress m.narrows - < train.csv | narrows decompress m.narrows -").succeeds().stdout;
    folder.run("compress m.narrows train.csv -o data.nrw --chunk-rows 100").succeeds();
    let filed = folder.run("decompress m.narrows data.nrw").succeeds().stdout;
    assert_eq!(cells(&piped), cells(&filed), "chunks of the code alone decode alike");
    let some = folder.run("decompress m.narrows data.nrw --rows 150-152").succeeds().stdout;
    assert_eq!(cells(&some), cells(&filed)[150..153]);
    let told = folder.run("compress m.narrows train.csv -o data.nrw --json --force").succeeds().json();
    assert_eq!(told["rows"], 300);
    assert!(told["ratio"].as_f64().unwrap() > 1.0 && told["zstd_of_file"].as_u64().unwrap() > 0, "{told}");
}

#[test]
fn what_the_code_is_worth_is_told() {
    let folder = Folder::with_model();
    let told = folder.run("compress m.narrows train.csv -o data.nrw --max-error 1% --json").succeeds().json();
    let trial = &told["code_trial"];
    let bytes = |name: &str| trial[name].as_u64().unwrap();
    assert!(trial["rows"] == 300 && bytes("bytes_with_code") > 0, "{told}");
    assert_eq!(told["code_bytes"] == 0, bytes("bytes_without_code") <= bytes("bytes_with_code"), "{told}");
    let text = folder.run("compress m.narrows train.csv -o data.nrw --max-error 1% --force").succeeds().stderr;
    assert!(text.contains("bytes with the code") && text.contains("without"), "{text}");
    let told = folder.run("compress m.narrows train.csv -o data.nrw --json --force").succeeds().json();
    assert!(told.get("code_trial").is_none(), "the code alone: {told}");
}

#[test]
fn empty_fields_of_a_text_file_stay_empty() {
    let folder = Folder::with_model();
    let holes: String = folder
        .read("train.csv")
        .lines()
        .enumerate()
        .map(|(row, line)| match line.split_once(',') {
            Some((_, rest)) if row % 7 == 3 => format!(",{rest}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    folder.write("holes.csv", &holes);
    folder.run("compress m.narrows holes.csv -o holes.nrw --lossless --verify").succeeds();
    assert_eq!(folder.run("decompress m.narrows holes.nrw").succeeds().stdout, holes);
}

#[test]
fn bounds_that_are_none_are_refused() {
    let folder = Folder::with_model();
    let check = |flags: &str, fragments: &[&str]| {
        folder.check_fails(&format!("compress m.narrows train.csv -o x.nrw {flags}"), 2, fragments);
    };
    check("--max-error 0", &["above 0", "--lossless"]);
    check("--max-error -1%", &["--max-error", "finite bound above 0"]);
    check("--max-error nan", &["finite bound above 0", "nan"]);
    check("--max-error much", &["a number"]);
    check("--max-error 1,2", &["--max-error", "as a second"]);
    check("--max-error word=1", &["--max-error", "`word`", "numeric column"]);
    check("--max-error bb=1", &["did you mean `b`"]);
    check("--quality 11", &["--quality", "1 to 10", "11"]);
    check("--quality -3", &["1 to 10"]);
    check("--bits nan", &["bits a code unit"]);
    check("--lossless --bits 3", &["cannot be used with"]);
    check("--chunk-rows 0", &["1 to", "got 0"]);
    folder.check_fails("compress m.narrows - --verify", 2, &["--verify", "pipe"]);
    folder.check_fails("compress m.narrows absent.csv -o x.nrw", 3, &["absent.csv"]);
    folder.write("none.csv", "a,b,c,word\n");
    folder.check_fails("compress m.narrows none.csv -o x.nrw", 3, &["none.csv"]);
}

#[test]
fn files_that_are_no_such_files_are_refused_and_nothing_is_left() {
    let folder = Folder::with_model();
    folder.run("compress m.narrows train.csv -o data.nrw --max-error 1%").succeeds();
    folder.check_fails("decompress m.narrows train.csv -o x.csv", 3, &["train.csv"]);
    folder.check_fails("decompress m.narrows m.narrows -o x.csv", 3, &["m.narrows"]);
    let bytes = folder.bytes("data.nrw");
    folder.write("cut.nrw", &bytes[..bytes.len() / 2]);
    folder.check_fails("decompress m.narrows cut.nrw -o x.csv", 3, &["cut.nrw"]);
    let mut flipped = bytes.clone();
    flipped[bytes.len() / 2] ^= 1;
    folder.write("flipped.nrw", &flipped);
    folder.check_fails("decompress m.narrows flipped.nrw -o x.csv", 3, &["flipped.nrw"]);
    folder.run("fit train.csv -o other.narrows --preset simple --set train.steps=40").succeeds();
    folder.check_fails("decompress other.narrows data.nrw -o x.csv", 3, &["made with this model", "hint"]);
    folder.check_fails("decompress m.narrows data.nrw -o x.csv --rows 299-300", 3, &["0 to 299, got 299 to 300"]);
    folder.check_fails("decompress m.narrows data.nrw -o x.csv --rows 9-3", 2, &["two row numbers"]);
    folder.write("empty.nrw", "");
    folder.check_fails("decompress m.narrows empty.nrw -o x.csv", 3, &["empty.nrw"]);
}

#[test]
fn images_go_and_come_back_as_files_and_as_a_folder() {
    let folder = Folder::new();
    draw(&folder, "clean", 12, 16, Channels::Grey);
    folder.run(&format!("fit clean -o m.narrows --preset compressing {CODE}")).succeeds();
    let told = folder.run("compress m.narrows clean -o all.nrw --max-error 2% --verify").succeeds().stderr;
    for fragment in ["12 images", "JPEG", "WebP", "PSNR", "verified"] {
        assert!(told.contains(fragment), "`{fragment}` in {told}");
    }
    folder.run("decompress m.narrows all.nrw -o back").succeeds();
    let far = |a: &str, b: &str| {
        let (a, b) = (read(&folder, a).image, read(&folder, b).image);
        a.pixels.iter().zip(&b.pixels).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    };
    assert!(far("clean/003.png", "back/003.png") <= 0.02 + 1e-6);
    folder.run("compress m.narrows clean/003.png -o one.nrw --lossless").succeeds();
    folder.run("decompress m.narrows one.nrw -o one.png").succeeds();
    assert_eq!(far("clean/003.png", "one.png"), 0.0);
    assert!(folder.bytes("one.nrw").len() < folder.bytes("clean/003.png").len() + 100);
    folder.check_fails("decompress m.narrows all.nrw -o single.png", 2, &["--output", "several images"]);
    folder.check_fails("decompress m.narrows all.nrw", 2, &["--output"]);
    folder.check_fails("decompress m.narrows clean/003.png -o x", 3, &["003.png"]);
    folder.check_fails("compress m.narrows clean -o x.nrw --max-error 0.2", 2, &["1 level"]);
}
