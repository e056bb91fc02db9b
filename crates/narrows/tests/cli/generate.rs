//! `narrows generate`: new rows, rows like given ones, rows between two, and how good they are.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use narrows_core::images::Channels;

use crate::drawing::{CODE, draw, read};
use crate::folder::Folder;

fn lines(text: &str) -> Vec<&str> {
    text.lines().collect()
}

/// A folder with `clean/` and `m.narrows`, a variational model of images with a code of two units.
fn images() -> Folder {
    static MODEL: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    let folder = Folder::new();
    draw(&folder, "clean", 30, 12, Channels::Grey);
    let model = MODEL.get_or_init(|| {
        let flags = "--preset variational --set backbone.code_size=2 --set train.epochs=2";
        folder.run(&format!("fit clean -o m.narrows {flags}")).succeeds();
        folder.bytes("m.narrows")
    });
    folder.write("m.narrows", model);
    folder
}

#[test]
fn no_rows_are_a_table_with_its_header() {
    let folder = Folder::with_model();
    assert_eq!(folder.run("generate m.narrows -n 0").succeeds().stdout, "a,b,c,word\n");
    folder.run("generate m.narrows -n 0 -o none.parquet").succeeds();
    let codes = folder.run("score m.narrows none.parquet");
    codes.fails(3, &["expected at least one row of data, got none"]);
}

#[test]
fn a_billion_rows_stream() {
    let folder = Folder::with_model();
    let mut child = folder
        .command()
        .args(["generate", "m.narrows", "-n", "1000000000", "--threads", "1"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut rows = BufReader::new(child.stdout.take().unwrap()).lines();
    for _ in 0..30_000 {
        assert!(rows.next().is_some_and(|row| row.is_ok()));
    }
    #[cfg(target_os = "linux")]
    {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap().trim().trim_end_matches(" kB");
        let peak: u64 = peak.parse().unwrap();
        assert!(peak < 300_000, "{peak} kB");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    folder.check_fails("generate m.narrows -n -1", 2, &["-1"]);
    folder.check_fails("generate m.narrows", 2, &["--rows"]);
}

#[test]
fn given_rows_are_varied() {
    let folder = Folder::with_model();
    let few: String = folder.read("train.csv").lines().take(6).map(|line| format!("{line}\n")).collect();
    folder.write("few.csv", few);
    let run = |flags: &str| folder.run(&format!("generate m.narrows --like few.csv {flags}")).succeeds().stdout;
    let varied = run("--spread 0.3 --seed 1");
    assert_eq!((lines(&varied).len(), lines(&varied)[0]), (6, "a,b,c,word"));
    assert_eq!(varied, run("--seed 1"), "0.3 is the usual spread");
    assert_ne!(varied, run("--seed 2"));
    assert!(run("-n 12 --seed 1").starts_with(&varied));
    // Without a spread it is what reconstruct makes of them, with the five decimals of the data.
    let (still, rebuilt) = (run("--spread 0"), folder.run("reconstruct m.narrows few.csv").succeeds().stdout);
    for (a, b) in lines(&still).iter().zip(lines(&rebuilt)).skip(1) {
        let cells = |line: &str| line.split(',').map(str::to_owned).collect::<Vec<_>>();
        let (a, b) = (cells(a), cells(b));
        let number = |cell: &str| cell.parse::<f64>().unwrap();
        assert!((0..2).all(|i| (number(&a[i]) - number(&b[i]).clamp(-1.0, 1.0)).abs() < 1e-3), "{a:?} {b:?}");
        assert_eq!(a[3], b[3]);
    }
    for wrong in ["-0.1", "nan", "inf"] {
        let line = format!("generate m.narrows --like few.csv --spread={wrong} -o x.csv");
        folder.check_fails(&line, 2, &["--spread", "expected a number of at least 0"]);
    }
    folder.check_fails("generate m.narrows -n 3 --spread 0.3", 2, &["--like"]);
    folder.check_fails("generate m.narrows --like none.csv -o x.csv", 3, &["none.csv"]);
}

#[test]
fn rows_between_two_rows_that_exist() {
    let folder = Folder::with_model();
    let run = |flags: &str| folder.run(&format!("generate m.narrows --like train.csv {flags}")).succeeds().stdout;
    let way = run("--between 3,17 --steps 5");
    assert_eq!(lines(&way).len(), 6);
    let ends = run("--spread 0");
    assert_eq!((lines(&way)[1], lines(&way)[5]), (lines(&ends)[4], lines(&ends)[18]));
    assert_eq!(lines(&run("--between 3,3")).len(), 9);
    let line = |between: &str| format!("generate m.narrows --like train.csv --between {between} -o x.csv");
    folder.check_fails(&line("3,300"), 3, &["expected rows from 0 to 299, as there are 300, got 300"]);
    folder.check_fails(&line("3"), 2, &["--between", "two rows"]);
    folder.check_fails("generate m.narrows --between 3,4 -o x.csv", 2, &["--like"]);
    folder.check_fails(&format!("{} --steps 1", line("1,2")), 2, &["--steps", "expected from 2"]);
    folder.check_fails("generate m.narrows --manifold 4 -o x.png", 3, &["expected a model of images"]);
}

#[test]
fn generated_rows_are_judged() {
    let folder = Folder::with_model();
    let text = folder.run("generate m.narrows -n 200 --judge train.csv").succeeds().stdout;
    for words in ["200 rows generated, compared with 300 given", "AUC", "Kolmogorov-Smirnov", "total variation", "word"]
    {
        assert!(text.contains(words), "expected `{words}` in\n{text}");
    }
    let json = folder.run("generate m.narrows -n 200 --judge train.csv --json").succeeds().json();
    assert!(json["auc"].is_number() && json["columns"].as_array().unwrap().len() == 4, "{json}");
    folder.check_fails("generate m.narrows -n 3 --judge train.csv", 3, &["at least 20 rows"]);
    let report = folder.run("inspect m.narrows --json").succeeds().json();
    assert!(report["generation"]["sample_similarity"]["auc"].is_number(), "{report}");
    let text = folder.run("inspect m.narrows").succeeds().stdout;
    assert!(text.contains("generation  codes from") && text.contains("similarity  60 generated"), "{text}");
    folder.run("report m.narrows -o r.html").succeeds();
    assert!(folder.read("r.html").contains("<section id=\"generation\""));
}

/// Identifiers, a code with zeros in front, a rare flag, a constant, dates in order, and notes in prose.
fn orders(folder: &Folder) {
    let mut text = "order,zip,late,shop,ordered,sent,amount,note\n".to_owned();
    for row in 0..900_u32 {
        let mixed = row.wrapping_mul(2_654_435_761) >> 8;
        let (zip, late) = (["01067", "10115", "80331"][mixed as usize % 3], u8::from(row % 180 == 7));
        let (month, day) = (1 + mixed % 6, 1 + mixed / 7 % 20);
        let sent = format!("2024-{month:02}-{:02}", day + 1 + mixed / 11 % 7);
        let amount = f64::from(1 + mixed % 40) * f64::from(1 + mixed / 41 % 25) / 4.0;
        let note = format!("the {row}th customer said that all of it was well and that number {mixed} was not");
        text.push_str(&format!("A-{row:05},{zip},{late},main,2024-{month:02}-{day:02},{sent},{amount},{note}\n"));
    }
    folder.write("orders.csv", text);
    folder.run("fit orders.csv --preset variational --set train.epochs=30 -o o.narrows").succeeds();
}

#[test]
fn rows_of_a_file_come_back_with_all_their_columns() {
    let folder = Folder::new();
    orders(&folder);
    let made = folder.run("generate o.narrows -n 400 --seed 3 -o new.csv").succeeds();
    assert!(made.stderr.contains("column `note` is not made"), "{}", made.stderr);
    let text = folder.read("new.csv");
    assert_eq!(lines(&text)[0], "order,zip,late,shop,ordered,sent,amount");
    for (row, line) in lines(&text).iter().skip(1).enumerate() {
        let cells: Vec<&str> = line.split(',').collect();
        assert_eq!((cells[0], cells[3]), (format!("A-{:05}", 900 + row).as_str(), "main"));
        assert!(["01067", "10115", "80331"].contains(&cells[1]) && ["0", "1"].contains(&cells[2]), "{line}");
        assert!(("2024-01-01"..="2024-06-30").contains(&cells[4]) && cells[4] < cells[5], "{line}");
    }
    let scored = folder.run("score o.narrows new.csv --json -o scores.csv").succeeds();
    assert!(!scored.stderr.contains("never changed in training"), "{}", scored.stderr);
    let flagged = lines(&folder.read("scores.csv")).iter().filter(|line| line.contains(",true")).count();
    assert!(flagged <= 12, "{flagged} of 400 new rows are anomalies");
    folder.run("generate o.narrows -n 5 -o new.parquet").succeeds();
    folder.run("score o.narrows new.parquet -o scores.csv --force").succeeds();
}

#[test]
fn only_rows_that_match_are_made() {
    let folder = Folder::new();
    orders(&folder);
    let made = folder.shell("narrows generate o.narrows -n 50 --where \"zip = '01067' and amount > 20\"").succeeds();
    assert_eq!(lines(&made.stdout).len(), 51);
    for line in lines(&made.stdout).iter().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        assert!(cells[1] == "01067" && cells[6].parse::<f64>().unwrap() > 20.0, "{line}");
    }
    assert!(made.stderr.contains("rows drawn match zip = '01067' and amount > 20"), "{}", made.stderr);
    let more = folder.shell("narrows generate o.narrows -n 80 --where \"zip = '01067' and amount > 20\"").succeeds();
    assert!(more.stdout.starts_with(&made.stdout));
    for (condition, fragments) in
        [("zap = 1", ["zap", "zip"]), ("amount >", ["--where", "amount"]), ("amount > 1e9", ["got 0 of", "too rare"])]
    {
        folder.shell(&format!("narrows generate o.narrows -n 5 --where '{condition}'")).fails(2, &fragments);
    }
}

#[test]
fn images_are_varied_and_walked_between() {
    let folder = images();
    folder.run("generate m.narrows --like clean --spread 0.2 -o varied").succeeds();
    assert_eq!(std::fs::read_dir(folder.path("varied")).unwrap().count(), 30);
    let size = |name: &str| {
        let image = read(&folder, name).image;
        (image.height, image.width)
    };
    assert_eq!(size("varied/000003.png"), (12, 12));
    folder.run("generate m.narrows --like clean --between 2,9 --steps 4 -o way").succeeds();
    folder.run("generate m.narrows --between clean/002.png,clean/009.png --steps 4 -o files").succeeds();
    assert_eq!(folder.bytes("way/000003.png"), folder.bytes("files/000003.png"));
    folder.run("generate m.narrows --manifold 5 -o grid.png").succeeds();
    folder.run("generate m.narrows --manifold 2 -o small.png").succeeds();
    assert!(size("grid.png").0 > 2 * size("small.png").0 && size("grid.png").0 == size("grid.png").1);
    let error = |flags: &str, code: i32, words: &str| {
        folder.check_fails(&format!("generate m.narrows {flags}"), code, &[words]);
    };
    error("--like clean --between 2,30 -o x", 3, "expected images from 0 to 29, as there are 30, got 30");
    error("--between clean/002.png,none.png -o x", 2, "two image files");
    error("--manifold 0 -o x.png", 2, "from 1 to 100 images a side");
    error("-n 0 -o x.png", 2, "expected from 1 to 10,000 images on one sheet, got 0");
    error("-n 1000000000 -o x.png", 2, "expected from 1 to 10,000 images on one sheet, got 1,000,000,000");
    let told = folder.run("evaluate m.narrows clean --json").succeeds().json();
    assert!(told["negative_elbo"].as_f64().is_some_and(|nats| nats > 0.0), "{told}");
    assert!(folder.run("evaluate m.narrows clean").succeeds().stdout.contains("-ELBO"));
    let json = folder.run("generate m.narrows -n 30 --judge clean --json").succeeds().json();
    assert!(json["auc"].is_number(), "{json}");
}

#[test]
fn a_grid_wants_a_code_of_two_units() {
    let folder = Folder::new();
    draw(&folder, "clean", 12, 16, Channels::Grey);
    folder.run(&format!("fit clean -o m.narrows {CODE}")).succeeds();
    folder.check_fails("generate m.narrows --manifold 5 -o x.png", 3, &["a code of 2 units for a manifold, got 4"]);
    assert!(!folder.run("evaluate m.narrows clean").succeeds().stdout.contains("ELBO"));
}

#[test]
fn codes_of_another_width_or_without_a_number_are_refused() {
    let folder = Folder::with_model();
    let codes = folder.run("encode m.narrows train.csv --keep word,a").succeeds().stdout;
    let header = lines(&codes)[0];
    let k = header.split(',').filter(|name| name.starts_with("code_")).count();
    assert!(header.starts_with("word,a,code_0"), "{header}");
    folder.write("codes.csv", &codes);
    assert_eq!(lines(&folder.run("decode m.narrows codes.csv").succeeds().stdout).len(), 301);
    let with = |names: &str, values: &str| format!("{names}\n{values}\n");
    let names: Vec<String> = (0..k).map(|unit| format!("code_{unit}")).collect();
    let zeros = vec!["0.5"; k].join(",");
    folder.write("wide.csv", with(&format!("{},code_{k}", names.join(",")), &format!("{zeros},1")));
    folder.check_fails("decode m.narrows wide.csv -o x.csv", 3, &[&format!("got a column `code_{k}`")]);
    folder.write("narrow.csv", with(&names[..k - 1].join(","), &vec!["0.5"; k - 1].join(",")));
    folder.check_fails("decode m.narrows narrow.csv -o x.csv", 3, &[&format!("code_{}", k - 1), "missing"]);
    for (value, got) in [("NaN", "got"), ("", "got"), ("inf", "inf"), ("1e300", "e300")] {
        let cells = zeros.replacen("0.5", value, 1);
        folder.write("bad.csv", with(&names.join(","), &format!("{zeros}\n{cells}")));
        folder.check_fails(
            "decode m.narrows bad.csv -o x.csv",
            3,
            &["code_0", "row 1", "expected a finite number", got],
        );
    }
}
