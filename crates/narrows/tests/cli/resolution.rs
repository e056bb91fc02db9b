//! Rows that are evenly spaced or discrete, and anomalies among the rows of a fit: what scores and thresholds make of them.

use std::fmt::Write as _;

use crate::folder::Folder;

/// What a model says of new rows.
struct Scored {
    threshold: f64,
    scores: Vec<f64>,
    is_anomaly: Vec<bool>,
}

/// Fits to one table with the default recipe and scores another.
fn fitted(train: &str, new: &str, flags: &str) -> Scored {
    let folder = Folder::new();
    folder.write("train.csv", train);
    folder.write("new.csv", new);
    let line = format!("fit train.csv -o m.narrows --json --set train.steps=600 {flags}");
    let threshold = folder.run(&line).succeeds().json()["detection"]["threshold"].as_f64().unwrap();
    let rows = folder.run("score m.narrows new.csv --json").succeeds().json();
    let rows = rows["rows"].as_array().unwrap();
    Scored {
        threshold,
        scores: rows.iter().map(|row| row["score"].as_f64().unwrap()).collect(),
        is_anomaly: rows.iter().map(|row| row["is_anomaly"].as_bool().unwrap()).collect(),
    }
}

impl Scored {
    /// 1 is ordinary, the threshold is of that size, and exactly the rows `wrong` are flagged, each with another score.
    #[track_caller]
    fn check(&self, wrong: &[usize]) {
        let Scored { threshold, scores, is_anomaly } = self;
        assert!((0.5..60.0).contains(threshold), "threshold {threshold}: {scores:?}");
        let flagged: Vec<usize> = (0..is_anomaly.len()).filter(|row| is_anomaly[*row]).collect();
        assert_eq!(flagged, wrong, "threshold {threshold}: {scores:?}");
        for row in 0..scores.len() {
            let is_wrong = wrong.contains(&row);
            assert!(if is_wrong { scores[row] < 1e12 } else { (0.01..4.0).contains(&scores[row]) }, "{scores:?}");
        }
        let mut distinct: Vec<f64> = wrong.iter().map(|row| scores[*row]).collect();
        distinct.sort_by(f64::total_cmp);
        assert!(distinct.windows(2).all(|pair| pair[1] > pair[0]), "{scores:?}");
    }
}

/// A table of two columns from the number of the row.
fn table(header: &str, n: usize, row: impl Fn(usize) -> String) -> String {
    let mut text = format!("{header}\n");
    (0..n).for_each(|i| writeln!(text, "{}", row(i)).unwrap());
    text
}

#[test]
fn a_line_of_whole_numbers() {
    // Every number once, in an order that looks like chance.
    let line = table("x,y", 100, |i| format!("{0},{0}", (i * 37) % 101 + 1));
    let scored = fitted(&line, "x,y\n50,50\n3,97\n60,60\n400,400\n", "");
    scored.check(&[1, 3]);
}

#[test]
fn a_ramp_of_set_points() {
    let ramp = table("set,pressure", 500, |i| {
        let set = 0.5 * ((i * 211) % 500) as f64;
        format!("{set:.1},{:.2}", 1.0 + 1.02 * set)
    });
    let scored = fitted(&ramp, "set,pressure\n100,103.0\n100,180\n100,3\n900,919\n", "");
    scored.check(&[1, 2, 3]);
}

#[test]
fn a_plateau_and_evenly_spaced_numbers() {
    let plateau =
        table("x", 40, |i| if i < 10 { "0.1".to_owned() } else { format!("{:.6}", 0.1 + 0.1 * (i - 9) as f64 / 30.0) });
    let Scored { threshold, scores, .. } = fitted(&plateau, "x\n0.1\n0.15\n0.21\n0.3\n63.69\n-5\n", "");
    assert!(scores[0] < 3.0 && scores[1] < 3.0 && threshold < 60.0, "{threshold} {scores:?}");
    assert!(scores[2] < scores[3] && scores[3] < scores[5] && scores[5] < scores[4], "{scores:?}");
    assert!(scores[5] > threshold, "{threshold} {scores:?}");
}

#[test]
fn a_log_of_few_kinds_of_rows() {
    // Retries once in fifty rows.
    let jobs = table("job,queue,retries", 800, |i| {
        let job = ["mail", "files", "db"][(i * i + i / 7) % 3];
        format!("{job},{},{}", if job == "db" { "slow" } else { "fast" }, usize::from(i % 50 == 49))
    });
    let new = "job,queue,retries\ndb,slow,0\nmail,fast,0\nfiles,fast,25\ndb,fast,0\n";
    let Scored { threshold, scores, is_anomaly } = fitted(&jobs, new, "");
    assert!(scores[..2].iter().all(|score| (0.2..2.0).contains(score)), "{scores:?}");
    assert!(is_anomaly[2] && (0.5..60.0).contains(&threshold), "{threshold}: {scores:?}");
    assert!(is_anomaly[3] && scores[3] > 1.2 * scores[0].max(scores[1]), "{threshold}: {scores:?}");

    // A share of the rows can be flagged although most scores are equal.
    let folder = Folder::new();
    folder.write("jobs.csv", &jobs);
    folder.run("fit jobs.csv -o m.narrows --set train.steps=600").succeeds();
    let found = folder.run("score m.narrows jobs.csv --threshold contamination=0.1 --json").succeeds().json();
    let flagged = found["rows"].as_array().unwrap().iter().filter(|row| row["is_anomaly"] == true).count();
    assert!((10..=80).contains(&flagged), "{flagged}");
}

/// Rows of two columns that go together, the first of them absurd.
fn with_absurd_rows(n: usize, absurd: usize) -> String {
    table("a,b", n, |i| {
        // Uniform numbers of a fixed sequence.
        let u = |k: usize| ((i * 3 + k) as f64 * 0.754_877_666).fract();
        let a = u(1) + u(2) - 1.0;
        if i < absurd {
            format!("{:.4},{:.4}", 40.0 + a, 900.0 + 13.0 * i as f64)
        } else {
            format!("{a:.4},{:.4}", 2.0 * a + 0.1 * u(0))
        }
    })
}

#[test]
fn absurd_values_among_the_rows_set_no_threshold() {
    let new = "a,b\n0.0,0.05\n0.1,9\n";
    // The absurd row is among those that train (3), or that calibrate (4 and 6).
    for seed in [3, 4, 6] {
        let scored = fitted(&with_absurd_rows(250, 1), new, &format!("--seed {seed}"));
        assert!(scored.threshold < 60.0, "seed {seed}: {} {:?}", scored.threshold, scored.scores);
        assert_eq!(scored.is_anomaly, [false, true], "seed {seed}: {} {:?}", scored.threshold, scored.scores);
    }
}

#[test]
fn what_is_set_aside_is_told_and_can_be_chosen() {
    let folder = Folder::new();
    folder.write("train.csv", with_absurd_rows(400, 4));
    let fit = |flags: &str| {
        // Under this seed some of the absurd rows calibrate.
        folder
            .run(&format!(
                "fit train.csv -o m.narrows --force --json --preset simple --set train.steps=300 --seed 4 {flags}"
            ))
            .succeeds()
            .json()
    };
    let auto = fit("");
    let set_aside = &auto["detection"]["set_aside"];
    let count = set_aside["count"].as_u64().unwrap_or_else(|| panic!("{}", auto["detection"]));
    assert!((1..=4).contains(&count) && set_aside["by"] == "gap" && set_aside["of"] == 80, "{set_aside}");
    assert!(set_aside["highest_kept"].as_f64() >= auto["detection"]["threshold"].as_f64());
    let warnings = auto["warnings"].to_string();
    assert!(warnings.contains("of 80 held-out scores") && warnings.contains("set aside"), "{warnings}");
    let told = folder.run("inspect m.narrows").succeeds();
    assert!(format!("{}{}", told.stdout, told.stderr).contains("of 80 held-out scores set aside"), "{}", told.stdout);

    let all = fit("--contamination 0");
    assert!(all["detection"].get("set_aside").is_none());
    assert!(all["detection"]["threshold"].as_f64().unwrap() > 100.0 * auto["detection"]["threshold"].as_f64().unwrap());
    let share = fit("--contamination 5%");
    assert_eq!(share["recipe"]["train"]["contamination"], 0.05);
    assert_eq!(
        (&share["detection"]["set_aside"]["by"], &share["detection"]["set_aside"]["count"]),
        (&"share".into(), &4.into())
    );
    let given = fit("--set train.contamination=0.05");
    assert_eq!(given["detection"], share["detection"]);

    folder.check_fails(
        "fit train.csv -o x.narrows --contamination 0.7",
        2,
        &["--contamination: expected a number from 0 up to but not including 0.5, got 0.7; or `auto`"],
    );
}
