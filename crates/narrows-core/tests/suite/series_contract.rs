//! What every kind of autoencoder must do with series, in both layouts. A new preset writes no such tests; it is listed,
//! and inherits them.

use std::collections::HashSet;
use std::sync::LazyLock;

use arrow::array::{AsArray, Float64Array};
use arrow::datatypes::Float64Type;
use narrows_core::data::{Layout, Table};
use narrows_core::report::Role;
use narrows_core::{Dataset, Model, Preset, Recipe, ScoreFlag, Scores, SeriesModel, TabularModel};

use crate::support::{check_resumes, compute, to_bytes};
use crate::waves::{PERIOD, SHORT, STEPS, beats, fit_series, machine, machines, quick_series, roles_of};

/// Points of each machine.
const POINTS: usize = 300;

struct Case {
    name: String,
    layout: Layout,
    recipe: Recipe,
    fitted: SeriesModel,
}

impl Case {
    fn data(&self) -> Table {
        data(self.layout)
    }

    fn score(&self, table: &Table) -> Scores {
        self.fitted.score(table).unwrap()
    }
}

fn data(layout: Layout) -> Table {
    match layout {
        Layout::Long => machines(POINTS),
        Layout::Rows => beats(150, PERIOD, 1),
    }
}

/// Every preset in every layout, and points of the axes of series that no preset names.
fn recipes() -> Vec<(String, Layout, Recipe)> {
    let mut all = Vec::new();
    for layout in [Layout::Long, Layout::Rows] {
        // A restorer reads images alone.
        let presets = Preset::ALL.into_iter().filter(|preset| *preset != Preset::Restore);
        all.extend(presets.map(|preset| (format!("{preset} {layout:?}"), layout, quick_series(preset, layout))));
    }
    let variants: [(Preset, Layout, &[&str]); 6] = [
        (Preset::Deep, Layout::Long, &["data.transform=centre", "data.scale=each"]),
        (Preset::Deep, Layout::Long, &["data.transform=difference", "detect.weighting=calibrated"]),
        (Preset::Seq2seq, Layout::Long, &["data.transform=detrend", "latent=gaussian"]),
        (Preset::Conv, Layout::Long, &["data.stride=5", "detect.score=mahalanobis"]),
        (Preset::Deep, Layout::Rows, &["data.transform=standardise", "detect.score=neighbour"]),
        (Preset::Seq2seq, Layout::Rows, &["data.transform=detrend", "corruption=gaussian"]),
    ];
    for (preset, layout, changes) in variants {
        let mut recipe = quick_series(preset, layout);
        changes.iter().for_each(|change| recipe.set(change).unwrap());
        all.push((format!("{preset} {layout:?} {}", changes.join(" ")), layout, recipe));
    }
    all
}

/// Fitted once for all tests.
static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| {
    let fitted = |(name, layout, recipe): (String, Layout, Recipe)| {
        let fitted = fit_series(&recipe, data(layout), 1).unwrap_or_else(|error| panic!("{name}: {error}"));
        Case { name, layout, recipe, fitted }
    };
    recipes().into_iter().map(fitted).collect()
});

fn each(check: impl Fn(&Case)) {
    for case in CASES.iter() {
        eprintln!("{}", case.name);
        check(case);
    }
}

fn each_of(layout: Layout, check: impl Fn(&Case)) {
    each(|case| {
        if case.layout == layout {
            check(case);
        }
    });
}

fn bits(numbers: &[f64]) -> Vec<u64> {
    numbers.iter().map(|x| x.to_bits()).collect()
}

fn numbers(table: &Table, column: &str) -> Vec<f64> {
    let array: &Float64Array = table.column(column).unwrap().as_primitive::<Float64Type>();
    array.iter().map(|x| x.unwrap_or(f64::NAN)).collect()
}

/// The rows of one machine.
fn rows_of(table: &Table, name: &str) -> Vec<u32> {
    let names = table.column("machine").unwrap().as_string::<i32>();
    (0..table.n_rows() as u32).filter(|row| names.value(*row as usize) == name).collect()
}

/// The row of a machine's minute.
fn row_at(table: &Table, name: &str, minute: f64) -> usize {
    let minutes = numbers(table, "minute");
    rows_of(table, name).into_iter().map(|row| row as usize).find(|row| minutes[*row] == minute).unwrap()
}

/// The table with cells of a column replaced by what `change` makes of (row, value).
fn with(table: &Table, column: &str, change: impl Fn(usize, f64) -> f64) -> Table {
    let columns = table.names().into_iter().map(|name| {
        let array = table.column(name).unwrap().clone();
        if name != column {
            return (name.to_owned(), array);
        }
        let cells = numbers(table, name).into_iter().enumerate().map(|(row, x)| change(row, x));
        let array: Float64Array = cells.map(|x| (!x.is_nan()).then_some(x)).collect();
        (name.to_owned(), std::sync::Arc::new(array) as _)
    });
    Table::from_arrays(columns.collect(), table.source()).unwrap()
}

#[test]
fn the_same_seed_gives_the_same_bytes_for_any_number_of_threads() {
    each(|case| {
        let three = to_bytes(&fit_series(&case.recipe, case.data(), 3).unwrap());
        assert!(three == to_bytes(&case.fitted), "{}", case.name);
    });
}

#[test]
fn a_cut_and_resumed_training_gives_the_same_bytes() {
    each(|case| {
        let table = case.data();
        let dataset = Dataset::table(table.clone(), roles_of(&table));
        check_resumes(&case.name, &case.recipe, &dataset, &to_bytes(&case.fitted));
    });
}

#[test]
fn another_seed_gives_another_model() {
    for (name, layout, mut recipe) in recipes().into_iter().step_by(3) {
        recipe.seed = 1;
        let other = fit_series(&recipe, data(layout), 1).unwrap();
        let case = CASES.iter().find(|case| case.name == name).unwrap();
        assert_ne!(other.reconstruct(&data(layout)).unwrap().batch(), rebuilt(case).batch());
    }
}

fn rebuilt(case: &Case) -> Table {
    case.fitted.reconstruct(&case.data()).unwrap()
}

#[test]
fn saved_and_loaded_it_scores_the_same_bits_and_saves_the_same_bytes() {
    each(|case| {
        let bytes = to_bytes(&case.fitted);
        let loaded = Model::from_bytes(&bytes).unwrap().into_series().unwrap();
        let table = case.data();
        let (before, after) = (case.score(&table), loaded.score(&table).unwrap());
        assert_eq!(bits(&after.score), bits(&before.score));
        assert_eq!((bits(&after.p_value), after.flag), (bits(&before.p_value), before.flag));
        assert!(to_bytes(&loaded) == bytes);
        assert_eq!(loaded, case.fitted);
    });
}

#[test]
fn scores_are_the_same_for_any_number_of_threads_and_inputs_stay_untouched() {
    each(|case| {
        let table = case.data();
        let before = table.clone();
        let serial = case.score(&table);
        for threads in [2, 3] {
            let shared = case.fitted.clone().with_compute(&compute(threads));
            assert_eq!(bits(&shared.score(&table).unwrap().score), bits(&serial.score));
        }
        assert_eq!(table.batch(), before.batch());
    });
}

#[test]
fn explaining_scores_as_scoring_does_and_blames_what_is_wrong() {
    each(|case| {
        let table = case.data();
        let (odd, wrong) = match case.layout {
            Layout::Long => ("a", row_at(&table, "south", 100.0)),
            Layout::Rows => ("t05", 17),
        };
        let table = with(&table, odd, |row, x| if row == wrong { x + 40.0 } else { x });
        let explained = case.fitted.explain(&table, 99).unwrap();
        assert_eq!(bits(&explained.scores.score), bits(&case.score(&table).score));
        assert!(explained.scores.is_anomaly[wrong], "{}", explained.scores.score[wrong]);
        assert_eq!(explained.reasons[wrong][0].column, odd);
        assert_eq!(
            explained.reasons[wrong][0].got.parse::<f64>().unwrap().round(),
            numbers(&table, odd)[wrong].round()
        );
        for (reasons, score) in explained.reasons.iter().zip(&explained.scores.score) {
            assert!(reasons.is_empty() || !score.is_nan());
            assert!(reasons.iter().map(|reason| reason.share).sum::<f64>() < 1.0 + 1e-6);
            assert!(reasons.windows(2).all(|pair| pair[0].share >= pair[1].share));
        }
    });
}

#[test]
fn a_moved_threshold_moves_the_verdicts_and_nothing_else() {
    each(|case| {
        let table = case.data();
        let moved = case.fitted.clone().with_threshold(&"quantile=0.5".parse().unwrap()).unwrap();
        let (before, after) = (case.score(&table), moved.score(&table).unwrap());
        assert_eq!(bits(&after.score), bits(&before.score));
        let called = |scores: &Scores| scores.is_anomaly.iter().filter(|flag| **flag).count();
        assert!(called(&after) > called(&before));
    });
}

#[test]
fn a_constant_channel_is_compared_and_every_column_is_told() {
    each_of(Layout::Long, |case| {
        let columns = &case.fitted.report().columns;
        let role = |name: &str| columns.iter().find(|column| column.name == name).unwrap().role.clone();
        assert_eq!((columns.len(), role("same")), (5, Role::Invariant));
        assert_eq!((role("a"), role("b")), (Role::Feature, Role::Feature));
        assert!(case.fitted.schema().get("same").is_none());
    });
}

#[test]
fn what_is_observed_has_a_score_and_what_is_not_has_a_flag() {
    each_of(Layout::Long, |case| {
        let table = case.data();
        let scores = case.score(&table);
        let missing = row_at(&table, "north", 31.0);
        let after_gap = row_at(&table, "north", 66.0);
        for row in 0..table.n_rows() {
            let expected = match row {
                _ if row == missing => ScoreFlag::Missing,
                _ if row == after_gap => ScoreFlag::AfterGap,
                // Nothing is known of how a series came to its first point.
                _ if case.name.contains("difference") && numbers(&table, "minute")[row] == 0.0 => ScoreFlag::Missing,
                _ => ScoreFlag::None,
            };
            assert_eq!(scores.flag[row], expected, "row {row}");
            assert_eq!(scores.score[row].is_nan(), expected == ScoreFlag::Missing, "row {row}");
            assert_eq!(scores.p_value[row].is_nan(), expected == ScoreFlag::Missing, "row {row}");
        }
        assert!(!scores.is_anomaly[missing]);
        let counts = &scores.counts;
        assert_eq!((counts.rows, counts.missing, counts.gaps, counts.gap_points), (table.n_rows() as u64, 3, 1, 6));
        assert_eq!(counts.unscored, scores.score.iter().filter(|score| score.is_nan()).count() as u64);
        assert!(counts.extra_columns.is_empty() && counts.lacking.is_empty() && counts.broken.is_empty());
    });
}

#[test]
fn a_series_shorter_than_a_window_has_no_score_and_says_so() {
    each_of(Layout::Long, |case| {
        let table = case.data();
        let short: Vec<u32> = rows_of(&table, "south")[..PERIOD - 1].to_vec();
        let scores = case.score(&table.take(&short));
        assert!(scores.score.iter().all(|score| score.is_nan()) && !scores.is_anomaly.contains(&true));
        assert!(scores.flag.iter().all(|flag| *flag == ScoreFlag::WarmUp));
        let enough = case.score(&table.take(&rows_of(&table, "south")[..PERIOD]));
        assert!(enough.score[1..].iter().all(|score| score.is_finite()));
    });
}

#[test]
fn each_of_several_series_scores_as_it_does_alone() {
    each_of(Layout::Long, |case| {
        let table = case.data();
        let together = case.score(&table);
        for name in ["north", "south"] {
            let rows = rows_of(&table, name);
            let alone = case.score(&table.take(&rows));
            let expected: Vec<f64> = rows.iter().map(|row| together.score[*row as usize]).collect();
            assert_eq!(bits(&alone.score), bits(&expected), "{name}");
        }
    });
}

#[test]
fn a_point_depends_on_the_windows_that_cover_it_and_on_no_other() {
    each_of(Layout::Long, |case| {
        let table = case.data().take(&rows_of(&case.data(), "south"));
        let before = case.score(&table).score;
        let after = case.score(&with(&table, "a", |row, x| if row == 150 { x + 50.0 } else { x })).score;
        for row in 0..table.n_rows() {
            // A difference reaches one point further.
            let is_far = row + PERIOD <= 150 || row >= 151 + PERIOD;
            assert!(!is_far || before[row].to_bits() == after[row].to_bits(), "row {row}");
        }
        assert!(after[150] > before[150]);
    });
}

#[test]
fn events_hold_the_anomalous_points_and_what_is_shortly_between() {
    each_of(Layout::Long, |case| {
        let table = with(&case.data(), "b", |row, x| if (300..312).contains(&row) { x - 9.0 } else { x });
        let scores = case.score(&table);
        let names = table.column("machine").unwrap().as_string::<i32>();
        let minutes = numbers(&table, "minute");
        let mut held: HashSet<usize> = HashSet::new();
        for event in case.fitted.events(&table).unwrap() {
            let rows =
                (event.first_row as usize..=event.last_row as usize).filter(|row| names.value(*row) == event.series);
            let rows: Vec<usize> = rows.collect();
            assert_eq!(rows.len() as u64, event.points);
            assert_eq!(event.start, minutes[rows[0]].to_string());
            assert_eq!(event.end, minutes[rows[rows.len() - 1]].to_string());
            assert!(rows.contains(&(event.peak_row as usize)));
            assert_eq!(event.peak, scores.score[event.peak_row as usize]);
            assert_eq!(event.p_value, scores.p_value[event.peak_row as usize]);
            assert!(!event.reasons.is_empty() && event.reasons.len() <= 3);
            held.extend(rows);
        }
        let called: HashSet<usize> = (0..table.n_rows()).filter(|row| scores.is_anomaly[*row]).collect();
        // A fault that a few points do not show is one event.
        // Three points of two machines that take turns.
        let reach = 6;
        let near = |row: usize| (row.saturating_sub(reach)..=row + reach).any(|other| called.contains(&other));
        assert!(called.is_subset(&held) && held.iter().all(|row| near(*row)));
        assert!((300..312).any(|row| called.contains(&row)));
    });
}

#[test]
fn points_are_rebuilt_in_their_own_columns_and_units() {
    each_of(Layout::Long, |case| {
        let table = case.data();
        let rebuilt = rebuilt(case);
        assert_eq!((rebuilt.names(), rebuilt.n_rows()), (vec!["minute", "machine", "a", "b"], table.n_rows()));
        assert_eq!(rebuilt.column("machine"), table.column("machine"));
        assert_eq!(numbers(&rebuilt, "minute"), numbers(&table, "minute"));
        assert!(numbers(&rebuilt, "a").iter().all(|x| x.is_nan() || (10.0..30.0).contains(x)));
    });
}

#[test]
fn waves_of_points_come_back_missing_ones_too() {
    for preset in WAVES {
        let recipe = patient(preset, Layout::Long);
        let table = machines(POINTS);
        let rebuilt = fit_series(&recipe, table.clone(), 2).unwrap().reconstruct(&table).unwrap();
        let names = table.column("machine").unwrap().as_string::<i32>();
        let minutes = numbers(&table, "minute");
        for (c, channel) in ["a", "b"].into_iter().enumerate() {
            let truth = |row: usize| machine(names.value(row), minutes[row] as usize, 1)[0][c];
            let truth: Vec<f64> = (0..table.n_rows()).map(truth).collect();
            let explained = explained(&numbers(&rebuilt, channel), &truth);
            eprintln!("{preset} {channel}: {explained:.3}");
            assert!(explained > 0.8, "{preset} {channel}: {explained:.3}");
        }
    }
}

/// Presets that are trained long enough to rebuild a wave.
const WAVES: [Preset; 4] = [Preset::Auto, Preset::Deep, Preset::Seq2seq, Preset::Conv];

fn patient(preset: Preset, layout: Layout) -> Recipe {
    let mut recipe = quick_series(preset, layout);
    recipe.set("train.steps=300").unwrap();
    recipe.set("train.learning_rate=0.01").unwrap();
    recipe
}

/// 1 - error / variance.
fn explained(rebuilt: &[f64], truth: &[f64]) -> f64 {
    let pairs = || rebuilt.iter().zip(truth).filter(|(x, _)| !x.is_nan());
    let n = pairs().count() as f64;
    let mean = pairs().map(|(_, y)| y).sum::<f64>() / n;
    assert!(n > 0.95 * truth.len() as f64);
    1.0 - pairs().map(|(x, y)| (x - y).powi(2)).sum::<f64>() / pairs().map(|(_, y)| (y - mean).powi(2)).sum::<f64>()
}

#[test]
fn rows_are_rebuilt_in_their_own_columns_and_units() {
    each_of(Layout::Rows, |case| {
        let table = case.data();
        let rebuilt = rebuilt(case);
        assert_eq!((rebuilt.names(), rebuilt.n_rows()), (table.names(), table.n_rows()));
        let near = |x: &f64| (-5.0..15.0).contains(x);
        assert!(rebuilt.names().into_iter().all(|name| numbers(&rebuilt, name).iter().all(near)));
    });
}

#[test]
fn waves_of_rows_come_back_short_ones_too() {
    for preset in WAVES {
        let recipe = patient(preset, Layout::Rows);
        let table = beats(150, PERIOD, 1);
        let rebuilt = fit_series(&recipe, table.clone(), 2).unwrap().reconstruct(&table).unwrap();
        for (which, is_meant) in [("whole", false), ("short", true)] {
            let pairs = table.names().into_iter().flat_map(|name| {
                numbers(&rebuilt, name).into_iter().zip(numbers(&table, name)).enumerate().collect::<Vec<_>>()
            });
            let pairs =
                pairs.filter(|(row, (_, truth))| (row % 7 == 3) == is_meant && !truth.is_nan()).map(|(_, pair)| pair);
            let (rebuilt, truth): (Vec<f64>, Vec<f64>) = pairs.unzip();
            let explained = explained(&rebuilt, &truth);
            eprintln!("{preset} {which}: {explained:.3}");
            assert!(explained > 0.8, "{preset} {which}: {explained:.3}");
        }
    }
}

#[test]
fn a_row_scores_the_same_alone_in_a_batch_and_anywhere_in_it() {
    each_of(Layout::Rows, |case| {
        let table = beats(100, PERIOD, 2);
        let together = case.score(&table).score;
        for row in [0_u32, 3, 4, 99] {
            assert_eq!(bits(&case.score(&table.take(&[row])).score), bits(&together[row as usize..=row as usize]));
        }
        let backwards: Vec<u32> = (0..100).rev().collect();
        let mut reversed = case.score(&table.take(&backwards)).score;
        reversed.reverse();
        assert_eq!(bits(&reversed), bits(&together));
        assert!(case.fitted.rows_are_independent());
    });
}

#[test]
fn rows_of_any_length_have_a_score_and_rows_of_nothing_have_none() {
    each_of(Layout::Rows, |case| {
        let table = beats(30, PERIOD, 3);
        let scores = case.score(&table);
        assert!(
            scores.score.iter().all(|score| score.is_finite()) && scores.flag.iter().all(|f| *f == ScoreFlag::None)
        );
        let emptied = table
            .names()
            .into_iter()
            .fold(table.clone(), |table, name| with(&table, name, |row, x| if row == 5 { f64::NAN } else { x }));
        let scores = case.score(&emptied);
        assert!(scores.score[5].is_nan() && scores.p_value[5].is_nan() && !scores.is_anomaly[5]);
        assert_eq!((scores.flag[5], scores.counts.unscored), (ScoreFlag::Missing, 1));
        assert!(case.fitted.explain(&emptied, 3).unwrap().reasons[5].is_empty());
    });
}

#[test]
fn what_is_absent_has_no_say() {
    each_of(Layout::Rows, |case| {
        if case.recipe.backbone.points_at_once(PERIOD).is_none() {
            return;
        }
        // Infinite numbers are no observations: beyond the end of a short row they are as good as nothing.
        let table = beats(30, PERIOD, 4);
        let beyond = table.names().into_iter().skip(SHORT).fold(table.clone(), |table, name| {
            with(&table, name, |row, x| if row % 7 == 3 { f64::INFINITY } else { x })
        });
        let (short, marked) = (case.score(&table).score, case.score(&beyond).score);
        if !case.name.contains("detrend") {
            assert_eq!(bits(&short), bits(&marked), "{}", case.name);
        }
    });
}

#[test]
fn codes_have_their_width_and_decode_to_windows() {
    each(|case| {
        let table = case.data();
        let codes = case.fitted.encode(&table).unwrap();
        let decoded = case.fitted.decode(&codes).unwrap();
        let n_codes = codes.names().iter().filter(|name| name.starts_with("code_")).count();
        assert_eq!((n_codes, decoded.n_rows()), (case.fitted.code_size(), codes.n_rows()));
        match case.layout {
            Layout::Rows => {
                assert_eq!((codes.n_rows(), decoded.names()), (table.n_rows(), table.names()));
                if case.recipe.corruptions().len() == 1 && !case.name.contains("transform") {
                    assert_eq!(decoded.batch(), rebuilt(case).batch());
                }
            }
            Layout::Long => {
                // 300 points are 25 windows of 12.
                assert_eq!((&codes.names()[..3], codes.n_rows()), (&["row", "machine", "minute"][..], 50));
                let names = decoded.names();
                assert_eq!((names.len(), names[0], names[1], names[2]), (2 * PERIOD, "a_t0", "b_t0", "a_t1"));
            }
        }
    });
}

#[test]
fn generated_windows_are_the_same_in_one_piece_or_in_many() {
    each(|case| {
        let generate = |n, first| case.fitted.generate(n, first, 9).unwrap();
        let whole = generate(6, 0);
        assert_eq!(whole.batch(), Table::concat(&[generate(2, 0), generate(4, 2)]).unwrap().batch());
        let width = match case.layout {
            Layout::Long => 2 * PERIOD,
            Layout::Rows => STEPS,
        };
        assert_eq!((whole.n_rows(), whole.names().len()), (6, width));
        assert!(whole.names().into_iter().all(|name| numbers(&whole, name).iter().all(|x| x.is_finite())));
    });
}
