//! `narrows evaluate`, and fitting with a label.

use crate::folder::{Folder, QUICK, labelled};

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("all.csv", labelled(300, 20));
    folder.run(&format!("fit all.csv --label bad --normal 0 -o m.narrows {QUICK}")).succeeds();
    folder
}

#[test]
fn json_holds_every_number() {
    let folder = folder();
    let evaluation = folder.run("evaluate m.narrows all.csv --label bad --normal 0 --json").succeeds().json();
    assert_eq!((evaluation["n"].as_u64(), evaluation["n_anomalies"].as_u64()), (Some(320), Some(20)));
    for field in ["auc_roc", "auc_pr", "threshold", "precision", "recall", "f1", "false_alarm_rate"] {
        assert!(evaluation[field].is_number(), "{field}: {evaluation}");
    }
    for baseline in ["pca", "isolation_forest"] {
        for field in ["auc_roc", "auc_pr"] {
            assert!(evaluation["baselines"][baseline][field].is_number(), "{baseline}.{field}: {evaluation}");
        }
    }
    assert!(evaluation["auc_roc"].as_f64().unwrap() > 0.9, "{evaluation}");
}

#[test]
fn people_get_a_table_with_intervals() {
    let folder = folder();
    let table = folder.run("evaluate m.narrows all.csv --label bad --normal 0").succeeds().stdout;
    for words in [
        "320 labelled rows, 20 anomalous",
        "AUC-ROC",
        "95 %",
        "this model",
        "PCA",
        "isolation forest",
        "precision",
        "false alarms",
    ] {
        assert!(table.contains(words), "expected `{words}` in\n{table}");
    }
}

#[test]
fn the_label_is_never_a_feature_and_only_normal_rows_train() {
    let folder = folder();
    let report = folder.run("inspect m.narrows --json").succeeds().json();
    let features: Vec<&str> =
        report["schema"]["columns"].as_array().unwrap().iter().map(|column| column["name"].as_str().unwrap()).collect();
    assert!(!features.contains(&"bad"), "{features:?}");
    assert_eq!(report["rows"]["not_normal"], 20);
}

#[test]
fn the_evident_normal_value_is_taken_and_labels_are_told() {
    let folder = Folder::new();
    // -1 marks the anomalies, as in scikit-learn; two rows have no label.
    let text = labelled(300, 20).replace(",0\n", ",1.0\n").replace(",1\n", ",-1\n").replacen(",1.0\n", ",NaN\n", 2);
    folder.write("all.csv", text);
    let told = folder.run(&format!("fit all.csv --label bad -o m.narrows {QUICK}")).succeeds().stderr;
    let line = "label `bad`: 298 `1.0` (normal); 20 `-1`; 2 without a label";
    assert!(told.contains(line) && told.contains("`1.0` is taken as normal, as none was named"), "{told}");
    // The model knows label and normal value.
    let table = folder.run("evaluate m.narrows all.csv").succeeds().stdout;
    assert!(table.starts_with(line) && table.contains("318 labelled rows, 20 anomalous"), "{table}");
    let turned = folder.run("evaluate m.narrows all.csv --label bad --normal -1 --json").succeeds().json();
    assert_eq!((turned["n_anomalies"].as_u64(), turned["label"]["unlabelled"].as_u64()), (Some(298), Some(2)));
    let told = "hint: `bad` has 298 `1.0`; 20 `-1`; 2 without a label; --normal names the label's value in normal rows";
    folder.check_fails(&format!("fit all.csv --label bad --normal 7 -o n.narrows {QUICK}"), 3, &[told]);
    let told = "the value of `word` in normal rows, as none is evident: ";
    folder.check_fails(&format!("fit all.csv --label word -o n.narrows {QUICK}"), 2, &["--normal", told]);
}

#[test]
fn another_threshold_changes_the_decision_and_not_the_ranking() {
    let folder = folder();
    let line = "evaluate m.narrows all.csv --label bad --normal 0 --json";
    let plain = folder.run(line).succeeds().json();
    let strict = folder.run(&format!("{line} --threshold fixed=1e6")).succeeds().json();
    assert_eq!(plain["auc_roc"], strict["auc_roc"]);
    assert_eq!((strict["threshold"].as_f64(), strict["recall"].as_f64()), (Some(1e6), Some(0.0)));
    assert!(strict["precision"].is_null());
}

#[test]
fn metrics_go_to_a_file_and_name_the_counts_behind_them() {
    let folder = folder();
    let line = "evaluate m.narrows all.csv --label bad --normal 0 --at 5,20";
    let text = folder.run(&format!("{line} -o m.json")).succeeds().stdout;
    for words in ["not flagged", "anomalous rows", "highest 5 ", "highest 20 "] {
        assert!(text.contains(words), "expected `{words}` in\n{text}");
    }
    let file: serde_json::Value = serde_json::from_str(&folder.read("m.json")).unwrap();
    let mut printed = folder.run(&format!("{line} --json")).succeeds().json();
    let told = ["notes", "warnings"].map(|key| printed.as_object_mut().unwrap().remove(key).unwrap());
    assert!(told.iter().all(serde_json::Value::is_array));
    assert_eq!(file, printed);
    let counts = ["true_positives", "false_positives", "true_negatives", "false_negatives"];
    assert_eq!(counts.iter().map(|name| file["confusion"][name].as_u64().unwrap()).sum::<u64>(), 320);
    assert_eq!((file["precision_at"][0]["k"].as_u64(), file["precision_at"][1]["k"].as_u64()), (Some(5), Some(20)));
    folder.run(&format!("{line} -o m.csv")).succeeds();
    let table = folder.read("m.csv");
    assert!(table.starts_with("metric,value,text\n") && table.contains("\nprecision_at.5.precision,"), "{table}");
}
