//! Times as loggers write them: local time, rows twice, several columns that name a series.

use std::fmt::Write as _;

use crate::folder::Folder;

const FIT: &str = "--preset deep --kind series --id plant,pump --set data.window=12 --set train.steps=60 --set train.learning_rate=0.01";

/// Every quarter of an hour in Berlin, over the night in which clocks are put back.
fn local_time(point: usize) -> String {
    let minutes = point * 15;
    let shown = if minutes >= 27 * 60 { minutes - 60 } else { minutes };
    format!("2025-10-{:02} {:02}:{:02}", 25 + shown / 1440, shown / 60 % 24, shown % 60)
}

fn log(points: usize) -> String {
    let mut text = "ts,plant,pump,x,y\n".to_owned();
    for point in 0..points {
        for (pump, plant) in ["a", "a", "b"].into_iter().enumerate() {
            let angle = point as f64 * 0.52 + pump as f64;
            let wobble = ((point + 31 * pump) * 7919 % 101) as f64 / 500.0;
            let (x, y) = (20.0 + 3.0 * angle.sin() + wobble, angle.cos() - wobble);
            writeln!(text, "{},{plant},{},{x:.4},{y:.4}", local_time(point), pump % 2).unwrap();
        }
    }
    text
}

#[test]
fn local_time_is_read_by_its_zone_and_a_repeated_hour_is_no_error() {
    let folder = Folder::new();
    folder.write("log.csv", log(250));
    let told = folder.run(&format!("fit log.csv {FIT} --timezone Europe/Berlin -o m.narrows")).succeeds().stderr;
    assert!(told.contains("24 times of an hour that Europe/Berlin goes through twice"), "{told}");
    let report = folder.run("inspect m.narrows --json").succeeds().json();
    assert_eq!((report["series"]["n_points"].as_u64(), report["series"]["gaps"].as_u64()), (Some(750), Some(0)));
    // The model knows the zone, and rows at one time share a score.
    let mut new = log(250);
    // The last row again, with another value.
    let last = new.lines().last().unwrap().to_owned();
    writeln!(new, "{last}9").unwrap();
    folder.write("new.csv", new);
    let scored = folder.run("score m.narrows new.csv").succeeds();
    assert!(scored.stderr.contains("1 row at the time of another row, with other values"), "{}", scored.stderr);
    let lines: Vec<&str> = scored.stdout.lines().collect();
    assert_eq!(lines[0], "row,score,p_value,is_anomaly,flag,plant,pump,ts");
    let score = |line: &str| line.split(',').nth(1).unwrap().to_owned();
    assert_eq!(score(lines[750]), score(lines[751]));
    assert!(lines[751].contains(",duplicate,b,0,"), "{}", lines[751]);

    let told = folder.run(&format!("fit log.csv {FIT} -o n.narrows")).succeeds().stderr;
    assert!(told.contains("12 rows of an hour that is gone through again, as local time does"), "{told}");
    folder.check_fails(
        &format!("fit log.csv {FIT} -o x.narrows --duplicates error"),
        3,
        &["occurs twice", "--duplicates first"],
    );
    folder.check_fails(
        &format!("fit log.csv {FIT} -o x.narrows --timezone Berlin"),
        2,
        &["--timezone", "`Europe/Berlin`"],
    );
}
