//! Files in other layouts than one value per cell under a header: padded, melted, in part.

use crate::folder::{Folder, QUICK, ordinary};

/// The rows of a table as measurements one by one.
fn melted(table: &str) -> String {
    let mut lines = table.lines();
    let names: Vec<&str> = lines.next().unwrap().split(',').collect();
    let mut text = "at,sensor,value\n".to_owned();
    for (i, line) in lines.enumerate() {
        for (name, value) in names.iter().zip(line.split(',')).take(3) {
            text.push_str(&format!("{},{name},{value}\n", i * 7 % 100));
        }
    }
    text
}

#[test]
fn a_table_padded_with_blanks_is_fitted_and_scored_as_one_with_commas() {
    let folder = Folder::with_model();
    folder.write("padded.txt", format!("{}\n", ordinary(20).replace(',', "   ").replace('\n', "  \n ")));
    folder.write("new.csv", ordinary(20));
    let scores = folder.run("score m.narrows padded.txt").succeeds().stdout;
    assert_eq!(scores, folder.run("score m.narrows new.csv").succeeds().stdout);
}

#[test]
fn measurements_one_by_one_are_pivoted_and_told() {
    let folder = Folder::new();
    folder.write("melted.csv", melted(&ordinary(100)));
    let ran = folder.run("fit melted.csv -o other.narrows --preset simple --set train.steps=20").stderr;
    assert!(ran.contains("--pivot sensor=value"), "{ran}");
    let ran = folder.run(&format!("fit melted.csv --pivot sensor=value -o m.narrows {QUICK}")).succeeds().stderr;
    assert!(ran.contains("300 rows of `sensor` and `value` became 100 rows with 3 columns: `a`, `b`, `c`"), "{ran}");
    folder.write("new.csv", "at,sensor,value\n1,a,0.5\n1,d,7\n1,c,2\n");
    let ran = folder.run("score m.narrows new.csv --pivot sensor=value --quiet").succeeds();
    assert_eq!(ran.stdout.lines().count(), 2, "{}", ran.stdout);
    for told in ["warning: ", "does not know: `d`", "read as missing: `b`"] {
        assert!(ran.stderr.contains(told), "{}", ran.stderr);
    }
    folder.check_fails("score m.narrows new.csv -o s.csv", 3, &["--pivot sensor=value"]);
}

#[test]
fn parts_of_a_table_keep_their_row_numbers() {
    let folder = Folder::with_model();
    let rows = |flags: &str| -> Vec<String> {
        let ran = folder.run(&format!("score m.narrows train.csv {flags}")).succeeds();
        ran.stdout.lines().skip(1).map(str::to_owned).collect()
    };
    let all = rows("");
    assert_eq!(rows("--limit 3"), all[..3]);
    let sample = rows("--sample 5");
    assert_eq!((sample.len(), &sample), (5, &rows("--sample 5")));
    assert!(sample.iter().all(|row| all.contains(row)), "{sample:?}");
    assert!(!rows("--limit 100 --sample 5").is_empty());
    let told = folder.run(&format!("fit train.csv --sample 200 -o part.narrows {QUICK}")).succeeds().stderr;
    assert!(told.contains("a sample of 200 of 300 rows is read"), "{told}");
    folder.check_fails("score m.narrows train.csv -o s.csv --limit 0", 2, &["--limit"]);
}
