//! Recipes and flags that make no sense: exit code 2, with the nearest names.

use crate::folder::Folder;

fn check(flags: &str, fragments: &[&str]) {
    Folder::with_data().check_fails(&format!("fit train.csv -o m.narrows {flags}"), 2, fragments);
}

#[test]
fn not_a_number_in_set() {
    check("--set train.learning_rate=nan", &["train.learning_rate", "expected a finite number above 0", "got nan"]);
    check("--set train.learning_rate=inf", &["train.learning_rate"]);
    check("--set train.batch_size=many", &["train.batch_size"]);
    check("--set train.learning_rate", &["expected path=value"]);
}

#[test]
fn an_unknown_field_in_set_is_answered_with_the_nearest() {
    check("--set train.batch_sise=4", &["batch_sise", "hint: did you mean", "batch_size"]);
    check("--set trian.batch_size=4", &["trian", "hint: did you mean", "train"]);
    check("--set corruption=gausian", &["gausian", "gaussian"]);
}

#[test]
fn an_unknown_field_in_a_recipe_file_is_answered_with_the_nearest() {
    let folder = Folder::with_data();
    folder.write("r.toml", "[train]\nbatchsize = 4\n");
    folder.check_fails("fit train.csv -o m.narrows --recipe r.toml", 2, &["batchsize", "batch_size"]);
    folder.write("r.toml", "[train\n");
    folder.check_fails("fit train.csv -o m.narrows --recipe r.toml", 2, &["recipe"]);
    folder.write("r.toml", "[train]\nlearning_rate = nan\n");
    folder.check_fails("fit train.csv -o m.narrows --recipe r.toml", 2, &["train.learning_rate"]);
    folder.check_fails("fit train.csv -o m.narrows --recipe none.toml", 3, &["none.toml"]);
}

#[test]
fn wrong_words_in_flags() {
    check("--preset depe", &["depe", "deep"]);
    check("--threshold quantil=0.9", &["quantil", "quantile"]);
    check("--threshold quantile=nan", &["quantile"]);
    check("--threads 0", &["--threads", "from 1 to 1024"]);
    check("--columms a", &["--columms", "--columns"]);
    check("--normal 0", &["--label"]);
    check("--delimiter ab", &["--delimiter"]);
}

#[test]
fn an_unknown_column_is_answered_with_the_nearest() {
    let folder = Folder::with_data();
    folder.check_fails("fit train.csv -o m.narrows --columns a,wrd", 3, &["wrd", "word"]);
    folder.check_fails("fit train.csv -o m.narrows --ignore wrd", 3, &["wrd", "word"]);
}

#[test]
fn errors_are_json_on_request() {
    let folder = Folder::with_data();
    for (line, code, kind) in [
        ("fit train.csv -o m.narrows --set train.batch_sise=4 --json", 2, "usage"),
        ("fit none.csv -o m.narrows --json", 3, "data"),
        ("score train.csv train.csv --json", 4, "model_file"),
        ("score --jsn --json", 2, "usage"),
    ] {
        let ran = folder.run(line);
        assert_eq!((ran.code, ran.stdout.as_str()), (code, ""), "{line}: {}", ran.stderr);
        let error: serde_json::Value =
            serde_json::from_str(&ran.stderr).unwrap_or_else(|error| panic!("{error}: {}", ran.stderr));
        assert_eq!(error["error"]["code"], kind, "{line}");
        assert!(error["error"]["message"].is_string() && error["error"].get("help").is_some(), "{error}");
    }
}
