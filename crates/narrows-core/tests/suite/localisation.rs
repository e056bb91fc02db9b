//! Where a fault of a series was: single bad readings, the channel they are in, and what lies beside them.

use std::sync::LazyLock;

use arrow::array::AsArray;
use arrow::datatypes::Float64Type;
use narrows_core::data::Table;
use narrows_core::recipe::DataKind;
use narrows_core::rng::{Purpose, Stream};
use narrows_core::{Dataset, Preset, Recipe, Roles, SeriesEvent, SeriesModel, TabularModel, fit};

use crate::support::session;

/// Points that an event may be too long, on both sides together, and a peak be off: none.
const MARGIN: u64 = 2;
const HOURS: usize = 24;

fn noise(seed: u64, t: usize, channel: u64) -> f64 {
    f64::from(Stream::new(seed, Purpose::Demo, channel, t as u64).normal())
}

/// Hours `first..first + n` of a meter with a daily period; `bad` readings are off by so much.
fn meter(first: usize, n: usize, bad: &[(usize, f64)]) -> Table {
    let reading = |t: usize| {
        let day = std::f64::consts::TAU * t as f64 / HOURS as f64;
        let off = bad.iter().find(|(hour, _)| *hour == t).map_or(0.0, |(_, off)| *off);
        50.0 + 20.0 * day.sin() + noise(1, t, 0) + off
    };
    let hours = first..first + n;
    Table::from_columns(vec![
        ("hour", hours.clone().map(|t| t as f64).collect::<Vec<f64>>()),
        ("value", hours.map(reading).collect()),
    ])
    .unwrap()
}

/// The same, with readings changed.
fn changed(table: &Table, column: &str, change: impl Fn(usize, f64) -> f64) -> Table {
    let columns = table.names().into_iter().map(|name| {
        let values = table.column(name).unwrap().as_primitive::<Float64Type>().values();
        let value = |(row, x): (usize, &f64)| if name == column { change(row, *x) } else { *x };
        (name.to_owned(), values.iter().enumerate().map(value).collect::<Vec<f64>>())
    });
    Table::from_columns(columns.collect()).unwrap()
}

fn flagged(model: &SeriesModel, table: &Table) -> Vec<usize> {
    let is_anomaly = model.score(table).unwrap().is_anomaly;
    (0..is_anomaly.len()).filter(|row| is_anomaly[*row]).collect()
}

/// Three sensors that follow one load, each with noise of its own; `bad` are time, channel and how far off.
fn sensors(first: usize, n: usize, bad: &[(usize, usize, f64)]) -> Table {
    let sizes = [(60.0, 8.0, 0.5), (1.0, 0.2, 0.03), (100.0, 10.0, 1.0)];
    let reading = |t: usize, c: usize| {
        let (middle, swing, spread) = sizes[c];
        let load = (std::f64::consts::TAU * t as f64 / 48.0 + c as f64 / 3.0).sin();
        let off = bad.iter().find(|(time, channel, _)| (*time, *channel) == (t, c)).map_or(0.0, |(_, _, off)| *off);
        middle + swing * load + spread * (noise(2, t, c as u64) + off)
    };
    let column = |c: usize| (first..first + n).map(|t| reading(t, c)).collect::<Vec<f64>>();
    let time = (first..first + n).map(|t| t as f64).collect();
    Table::from_columns(vec![("hour", time), ("temp", column(0)), ("vib", column(1)), ("flow", column(2))]).unwrap()
}

fn fitted(table: Table) -> SeriesModel {
    let mut recipe = Recipe::preset_for(Preset::Auto, DataKind::Series);
    recipe.set("train.steps=400").unwrap();
    let roles = Roles { time: Some("hour".to_owned()), ..Roles::default() };
    fit(&recipe, Dataset::table(table, roles), &session(2)).unwrap().into_series().unwrap()
}

static METER: LazyLock<SeriesModel> = LazyLock::new(|| fitted(meter(0, 2160, &[])));
static SENSORS: LazyLock<SeriesModel> = LazyLock::new(|| fitted(sensors(0, 2000, &[])));

/// The events whose peak is one of the rows, and the rows of the others.
fn check_events(events: &[SeriesEvent], faults: &[(u64, u64, &str)], others: usize) {
    let mut found = 0;
    for event in events {
        eprintln!(
            "{}-{} peak {} {:.2} {}",
            event.first_row, event.last_row, event.peak_row, event.peak, event.reasons[0]
        );
        let Some((first, last, channel)) =
            faults.iter().find(|(first, last, _)| event.first_row <= *last && *first <= event.last_row)
        else {
            continue;
        };
        found += 1;
        assert!((*first..=*last).contains(&event.peak_row), "peak {}", event.peak_row);
        assert_eq!(event.reasons[0].column, *channel);
        // Readings that are bad in a row hide each other, so that what is between them and the next flagged point counts.
        let margin = if first == last { MARGIN } else { 15 };
        assert!(event.points <= last - first + 1 + margin, "{} points from {}", event.points, event.first_row);
    }
    assert_eq!(found, faults.len());
    assert!(events.len() - found <= others, "{} events", events.len());
}

#[test]
fn a_bad_reading_is_an_event_of_its_own_length() {
    let first = 2160;
    for (bad, faults) in [
        (vec![(240, 25.0), (241, 30.0), (242, 25.0)], vec![(240, 242, "value")]),
        (vec![(100, -22.0), (380, 20.0)], vec![(100, 100, "value"), (380, 380, "value")]),
    ] {
        let bad: Vec<(usize, f64)> = bad.into_iter().map(|(t, off)| (first + t, off)).collect();
        let events = METER.events(&meter(first, 480, &bad)).unwrap();
        check_events(&events, &faults, 4);
    }
}

#[test]
fn the_channel_of_a_bad_reading_is_named() {
    let first = 2000;
    let bad = [(300, 0, 50.0), (700, 1, 30.0), (1100, 2, -45.0), (1500, 0, -40.0), (1501, 0, -40.0)];
    let bad: Vec<(usize, usize, f64)> = bad.iter().map(|(t, c, off)| (first + t, *c, *off)).collect();
    let events = SENSORS.events(&sensors(first, 1800, &bad)).unwrap();
    let faults = [(300, 300, "temp"), (700, 700, "vib"), (1100, 1100, "flow"), (1500, 1501, "temp")];
    check_events(&events, &faults, 20);
}

#[test]
fn the_expected_value_is_what_would_have_been_without_the_bad_reading() {
    let t = 2160 + 200;
    let events = METER.events(&meter(2160, 480, &[(t, 40.0)])).unwrap();
    let peak = events.iter().max_by(|a, b| a.peak.total_cmp(&b.peak)).unwrap();
    let expected: f64 = peak.reasons[0].expected.parse().unwrap();
    let truth = 50.0 + 20.0 * (std::f64::consts::TAU * t as f64 / HOURS as f64).sin();
    assert!((expected - truth).abs() < 5.0, "{expected} {truth}");
}

#[test]
fn points_beside_a_bad_reading_score_as_they_did_without_it() {
    let (first, n, at) = (2160, 480, 200);
    let without = METER.score(&meter(first, n, &[])).unwrap();
    let with = METER.score(&meter(first, n, &[(first + at, 40.0)])).unwrap();
    assert!(with.is_anomaly[at]);
    let more = (0..n).filter(|p| *p != at && with.is_anomaly[*p] && !without.is_anomaly[*p]).count();
    assert!(more as u64 <= MARGIN, "{more}");
}

#[test]
fn a_stuck_sensor_is_an_event_that_says_so() {
    let table = sensors(2000, 600, &[]);
    let stuck = table.column("vib").unwrap().as_primitive::<Float64Type>().value(200);
    let table = changed(&table, "vib", |row, x| if (200..240).contains(&row) { stuck } else { x });
    let scores = SENSORS.score(&table).unwrap();
    assert!((200..240).all(|row| scores.is_anomaly[row]));
    let events = SENSORS.events(&table).unwrap();
    let event = events.iter().find(|event| event.first_row <= 220 && 220 <= event.last_row).unwrap();
    let reason = event.reasons[0].to_string();
    assert!(reason.starts_with("`vib`: expected at most "), "{reason}");
    // The next value happens to be as good as equal.
    assert!(reason.contains(" points unchanged, got 41 "), "{reason}");
    let online = follow(&SENSORS, &table);
    assert!(!online[200] && online[210..240].iter().all(|is_anomaly| *is_anomaly));
}

/// The verdicts of a stream.
fn follow(model: &SeriesModel, table: &Table) -> Vec<bool> {
    let mut stream = model.stream().unwrap();
    (0..table.n_rows()).map(|row| stream.push(&table.slice(row, 1)).unwrap().is_anomaly).collect()
}

#[test]
fn a_stream_flags_a_bad_reading_and_not_what_follows() {
    let (first, n, at) = (2160, 300, 200);
    let without = follow(&METER, &meter(first, n, &[]));
    let with = follow(&METER, &meter(first, n, &[(first + at, 40.0)]));
    assert!(with[at]);
    let more = (at + 1..n).filter(|p| with[*p] && !without[*p]).count();
    assert!(more as u64 <= MARGIN, "{more}");
}

#[test]
fn what_was_not_measured_raises_no_alarm_beside_it() {
    let table = meter(2160, 480, &[]);
    let with_gap = changed(&table, "value", |row, x| if (200..210).contains(&row) { f64::NAN } else { x });
    let (without, with) = (flagged(&METER, &table), flagged(&METER, &with_gap));
    let more = with.iter().filter(|row| !without.contains(row)).count();
    assert!(more as u64 <= MARGIN, "{with:?} {without:?}");
    let endless = changed(&table, "value", |row, x| if (200..203).contains(&row) { f64::INFINITY } else { x });
    let scores = METER.score(&endless).unwrap();
    assert!((200..203).all(|row| scores.is_anomaly[row]));
    assert_eq!(scores.counts.infinite, 3);
    let more = flagged(&METER, &endless).iter().filter(|row| !without.contains(row)).count();
    // An infinite value is an anomaly by itself, whose windows remain a little odd.
    assert!(more as u64 <= 3 + 12, "{more}");
}

#[test]
fn a_drift_and_an_offset_that_stays_are_seen_although_the_mean_is_taken_out() {
    let table = meter(2160, 960, &[]);
    let drift = changed(&table, "value", |row, x| x + 30.0 * row as f64 / 960.0);
    let found = flagged(&METER, &drift);
    assert!(found.len() > 500 && (500..960).all(|row| found.contains(&row)), "{}", found.len());
    let shift = changed(&table, "value", |row, x| if row < 480 { x } else { x + 15.0 });
    let found = flagged(&METER, &shift);
    assert!((530..960).all(|row| found.contains(&row)), "{}", found.len());
    // Windows that hold the jump see it in their shape.
    assert!(found.iter().filter(|row| **row < 400).count() < 24, "{found:?}");
    let worst = METER.explain(&shift, 1).unwrap();
    let reason = worst.reasons[700][0].to_string();
    assert!(reason.starts_with("`value`: expected a window's mean from "), "{reason}");
}

#[test]
fn levels_that_never_return_have_no_say_and_fit_tells() {
    let walk = |t: usize| (0..=t / 8).map(|step| noise(5, step, 9)).sum::<f64>();
    let table = meter(0, 1440, &[]);
    let model = fitted(changed(&table, "value", |row, x| x + 10.0 * walk(row)));
    let told = |model: &SeriesModel, words: &str| model.report().notes.iter().any(|note| note.contains(words));
    assert!(told(&model, "slow drifts and lasting offsets will not be seen"), "{:?}", model.report().notes);
    assert!(told(&METER, "a mean beyond those of training"), "{:?}", METER.report().notes);
}
