//! New rows: like the old ones, like given ones, between two of them, and judged.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array, StringArray};
use arrow::datatypes::Float64Type;
use narrows_core::data::Table;
use narrows_core::images::{Album, Channels, Image, Store};
use narrows_core::recipe::DataKind;
use narrows_core::rng::{Purpose, Stream};
use narrows_core::{Encoder, ImageModel, Model, Preset, Recipe, Session, TableModel, TabularModel, demo, fit};

use crate::support::{fit_with, quick, session, sheet, to_bytes};

/// Two kinds of rows: whole numbers, decimals, a flag, a category with rare levels, and missing cells.
fn customers(n: usize, seed: u64) -> Table {
    let (mut age, mut spent, mut member, mut town) = (vec![], vec![], vec![], vec![]);
    for row in 0..n {
        let mut stream = Stream::new(seed, Purpose::Demo, 0, row as u64);
        let is_old = stream.uniform() < 0.4;
        let years = if is_old { 60.0 } else { 25.0 } + 4.0 * stream.normal();
        age.push(Some(f64::from(years.round().clamp(18.0, 90.0))));
        let amount = if is_old { 200.0 } else { 30.0 } + 10.0 * stream.normal();
        spent.push((stream.uniform() > 0.15).then(|| (f64::from(amount.max(1.0)) * 100.0).round() / 100.0));
        member.push(Some(stream.uniform() < if is_old { 0.9 } else { 0.1 }));
        let place = if stream.uniform() < 0.01 {
            ["oslo", "bonn"][row % 2]
        } else if is_old {
            "rome"
        } else {
            "paris"
        };
        town.push(Some(place));
    }
    let columns: Vec<(String, ArrayRef)> = vec![
        ("age".to_owned(), Arc::new(Float64Array::from(age))),
        ("spent".to_owned(), Arc::new(Float64Array::from(spent))),
        ("member".to_owned(), Arc::new(BooleanArray::from(member))),
        ("town".to_owned(), Arc::new(StringArray::from(town))),
    ];
    Table::from_arrays(columns, "customers").unwrap()
}

fn of_customers(preset: Preset) -> TableModel {
    let mut recipe = quick(preset);
    ["train.steps=600", "backbone.code_size=3"].iter().for_each(|change| recipe.set(change).unwrap());
    fit_with(&recipe, customers(1500, 1), 2).unwrap()
}

fn numbers(table: &Table, column: &str) -> Float64Array {
    table.column(column).unwrap().as_primitive::<Float64Type>().clone()
}

#[test]
fn generated_tables_keep_types_ranges_decimals_categories_and_missing_cells() {
    for preset in [Preset::Deep, Preset::Variational] {
        let fitted = of_customers(preset);
        let new = fitted.generate(2000, 0, 5).unwrap();
        let age = numbers(&new, "age");
        assert!(age.iter().flatten().all(|x| x == x.round() && (18.0..=90.0).contains(&x)), "{preset}");
        let spent = numbers(&new, "spent");
        assert!(spent.iter().flatten().all(|x| ((x * 100.0).round() / 100.0 - x).abs() < 1e-9 && x >= 1.0), "{preset}");
        let missing = spent.null_count() as f64 / 2000.0;
        assert!((0.05..0.3).contains(&missing), "{preset}: {missing} missing");
        assert_eq!((age.null_count(), new.column("member").unwrap().as_boolean().null_count()), (0, 0));
        let towns = new.column("town").unwrap().as_string::<i32>().clone();
        assert!(towns.iter().flatten().all(|town| ["rome", "paris", "oslo", "bonn"].contains(&town)), "{preset}");
        let old = age.iter().flatten().filter(|age| *age > 45.0).count() as f64 / 2000.0;
        assert!((0.2..0.65).contains(&old), "{preset}: {old} old");
    }
}

/// Bookings: identifiers, codes with leading zeros, flags, dates in order, a constant, and money that is zero or large.
pub(crate) fn bookings(n: usize) -> Table {
    let mut columns: Vec<Vec<String>> = vec![Vec::new(); 9];
    for row in 0..n {
        let mut stream = Stream::new(3, Purpose::Demo, 0, row as u64);
        let booked = 19_400 + (stream.uniform() * 500.0) as i64;
        let arrival = booked + (stream.uniform() * 90.0) as i64;
        let departure = arrival + 1 + (stream.uniform().powi(2) * 9.0) as i64;
        let day =
            |day: i64| jiff::civil::date(1970, 1, 1).checked_add(jiff::Span::new().days(day)).unwrap().to_string();
        let is_paid_in = stream.uniform() < 0.5;
        let amount = (3.0 + 1.5 * stream.normal()).exp();
        let cells = [
            format!("B-{row:05}"),
            day(arrival),
            day(departure),
            format!("{} {:02}:30:00", day(booked), 8 + row % 10),
            ["01067", "04109", "10115", "80331"][(stream.uniform() * 4.0) as usize].to_owned(),
            if stream.uniform() < 0.004 { "1" } else { "0" }.to_owned(),
            "EUR".to_owned(),
            if is_paid_in { format!("{amount:.2}") } else { "0".to_owned() },
            if is_paid_in { "0".to_owned() } else { format!("{amount:.2}") },
        ];
        columns.iter_mut().zip(cells).for_each(|(column, cell)| column.push(cell));
    }
    let names = ["id", "arrival", "departure", "booked", "zip", "fraud", "currency", "paid_in", "paid_out"];
    let array = |cells: &Vec<String>| Arc::new(StringArray::from_iter_values(cells)) as ArrayRef;
    let columns = names.iter().zip(&columns).map(|(name, cells)| ((*name).to_owned(), array(cells)));
    Table::from_arrays(columns.collect(), "bookings").unwrap()
}

/// Fitted once for all tests.
fn of_bookings() -> &'static TableModel {
    static MODEL: std::sync::OnceLock<TableModel> = std::sync::OnceLock::new();
    MODEL.get_or_init(|| {
        let mut recipe = quick(Preset::Variational);
        ["train.steps=1500", "backbone.code_size=6"].iter().for_each(|change| recipe.set(change).unwrap());
        fit_with(&recipe, bookings(3000), 2).unwrap()
    })
}

fn texts(table: &Table, column: &str) -> Vec<String> {
    table.column(column).unwrap().as_string::<i32>().iter().map(|cell| cell.unwrap_or_default().to_owned()).collect()
}

#[test]
fn new_rows_have_every_column_as_the_file_writes_it_and_pass_their_own_score() {
    let fitted = of_bookings();
    let (old, new) = (bookings(3000), fitted.generate(3000, 0, 7).unwrap());
    assert_eq!(new.names(), old.names());
    let ids = texts(&new, "id");
    assert_eq!((ids[0].as_str(), ids[2999].as_str()), ("B-03000", "B-05999"));
    assert!(texts(&new, "currency").iter().all(|cell| cell == "EUR"));
    assert!(texts(&new, "zip").iter().all(|zip| ["01067", "04109", "10115", "80331"].contains(&zip.as_str())));
    let (arrival, departure, booked) = (texts(&new, "arrival"), texts(&new, "departure"), texts(&new, "booked"));
    for row in 0..3000 {
        assert!(booked[row][..10] <= arrival[row][..] && arrival[row] < departure[row], "row {row}");
        assert!(arrival[row].len() == 10 && booked[row].ends_with(":30:00"), "row {row}: {}", booked[row]);
    }
    let range = |cells: &[String]| (cells.iter().min().cloned(), cells.iter().max().cloned());
    let (known, drawn) = (range(&texts(&old, "arrival")), range(&arrival));
    assert!(known.0 <= drawn.0 && drawn.1 <= known.1, "{drawn:?} beyond {known:?}");
    let frauds = numbers(&new, "fraud").iter().flatten().sum::<f64>();
    assert!((2.0..45.0).contains(&frauds), "{frauds} frauds, 12 expected");
    let scores = fitted.score(&new).unwrap();
    let flagged = scores.is_anomaly.iter().filter(|is_anomaly| **is_anomaly).count();
    assert!(flagged <= 60, "{flagged} of 3000 new rows are anomalies");
}

#[test]
fn heavy_tails_and_columns_that_exclude_each_other_are_drawn_as_they_are() {
    let fitted = of_bookings();
    let (old, new) = (bookings(3000), fitted.generate(3000, 0, 8).unwrap());
    let read = |cells: Vec<String>| cells.iter().map(|cell| cell.parse::<f64>().unwrap()).collect::<Vec<f64>>();
    let known = [read(texts(&old, "paid_in")), read(texts(&old, "paid_out"))];
    let drawn = ["paid_in", "paid_out"].map(|column| numbers(&new, column).iter().flatten().collect::<Vec<f64>>());
    let both = (0..3000).filter(|row| drawn[0][*row] > 0.0 && drawn[1][*row] > 0.0).count();
    assert!(both < 60, "{both} of 3000 rows have both");
    for (known, drawn) in known.iter().zip(&drawn) {
        let positive = |cells: &[f64]| {
            let mut cells: Vec<f64> = cells.iter().copied().filter(|x| *x > 0.0).collect();
            cells.sort_by(f64::total_cmp);
            cells
        };
        let (known, drawn) = (positive(known), positive(drawn));
        assert!((1300..1700).contains(&drawn.len()), "{} above zero", drawn.len());
        // Of a log-normal distribution, the tail is wide, and the network small.
        for (share, most) in [(0.25, 1.6), (0.5, 1.6), (0.75, 1.6), (0.97, 2.5)] {
            let at = |cells: &[f64]| cells[(share * cells.len() as f64) as usize];
            let ratio = at(&drawn) / at(&known);
            assert!((1.0 / most..most).contains(&ratio), "quantile {share}: {} beside {}", at(&drawn), at(&known));
        }
    }
}

#[test]
fn types_of_the_training_file_are_those_of_new_rows() {
    use arrow::array::{Date32Array, Int32Array, TimestampMillisecondArray};
    let n = 400;
    let columns: Vec<(String, ArrayRef)> = vec![
        ("id".to_owned(), Arc::new(Int32Array::from_iter_values((0..n).map(|i| 5_000 + 7 * i)))),
        ("day".to_owned(), Arc::new(Date32Array::from_iter_values((0..n).map(|i| 19_000 + i % 90)))),
        (
            "at".to_owned(),
            Arc::new(TimestampMillisecondArray::from_iter_values(
                (0..n).map(|i| i64::from(19_000 + i % 90) * 86_400_000 + i64::from(i * 7919 % 1440) * 60_000),
            )),
        ),
        ("stars".to_owned(), Arc::new(Int32Array::from_iter_values((0..n).map(|i| [1, 2, 4, 5][i as usize * 7 % 4])))),
        ("ok".to_owned(), Arc::new((0..n).map(|i| Some(i % 3 == 0)).collect::<BooleanArray>())),
    ];
    let old = Table::from_arrays(columns, "typed").unwrap();
    for preset in [Preset::Variational, Preset::Deep] {
        let new = fit_with(&quick(preset), old.clone(), 1).unwrap().generate(300, 0, 1).unwrap();
        let types = |table: &Table| {
            let schema = table.batch().schema();
            schema.fields().iter().map(|field| (field.name().clone(), field.data_type().clone())).collect::<Vec<_>>()
        };
        // Dates of models that are not for generation are told by their parts.
        let (old, new_types) = (types(&old), types(&new));
        let compared = |types: &[(String, arrow::datatypes::DataType)]| {
            let is_date = |name: &str| preset == Preset::Deep && ["day", "at"].contains(&name);
            types.iter().filter(|(name, _)| !is_date(name)).cloned().collect::<Vec<_>>()
        };
        assert_eq!(compared(&old), compared(&new_types), "{preset}");
        let stars = arrow::compute::cast(new.column("stars").unwrap(), &arrow::datatypes::DataType::Float64).unwrap();
        assert!(stars.as_primitive::<Float64Type>().iter().flatten().all(|x| [1.0, 2.0, 4.0, 5.0].contains(&x)));
    }
}

#[test]
fn rows_that_match_a_condition_are_those_of_the_sequence_that_do() {
    let fitted = of_customers(Preset::Variational);
    let condition = "age > 45 and town = 'rome'".parse().unwrap();
    let mut rows = fitted.generate_where(&condition, 5).unwrap();
    let (first, second) = (rows.take(30).unwrap(), rows.take(70).unwrap());
    let whole = fitted.generate_where(&condition, 5).unwrap().take(100).unwrap();
    assert_eq!(whole.batch(), Table::concat(&[first, second]).unwrap().batch());
    assert!(numbers(&whole, "age").iter().flatten().all(|age| age > 45.0));
    assert!(texts(&whole, "town").iter().all(|town| town == "rome"));
    let (drawn, matched) = rows.counts();
    assert!(matched >= 100 && drawn > matched, "{matched} of {drawn}");
    // The rows of the sequence, in its order.
    let all = fitted.generate(drawn as usize, 0, 5).unwrap();
    let is_old = |row: &usize| numbers(&all, "age").value(*row) > 45.0 && texts(&all, "town")[*row] == "rome";
    let which: Vec<u32> = (0..200).filter(is_old).map(|row| row as u32).take(20).collect();
    assert_eq!(all.take(&which).batch(), whole.slice(0, which.len()).batch());
    let unknown = fitted.generate_where(&"agee > 3".parse().unwrap(), 5).err().unwrap();
    assert!(unknown.to_string().contains("there is no column `agee`"), "{unknown}");
    let never = fitted.generate_where(&"age > 400".parse().unwrap(), 5).unwrap().take(1).unwrap_err().to_string();
    assert!(never.contains("got 0 of") && never.contains("too rare"), "{never}");
    assert_eq!(fitted.generate_where(&condition, 5).unwrap().take(0).unwrap().names(), all.names());
}

#[test]
fn a_fit_judges_what_it_generates_and_says_where_codes_come_from() {
    let deep = of_customers(Preset::Deep);
    let found = deep.report().generation.clone().unwrap();
    assert!(found.density.components > 1, "{:?}", found.density);
    assert!(found.density.held_out.unwrap() > found.density.one_normal.unwrap(), "{:?}", found.density);
    let judged = found.sample_similarity.unwrap();
    assert_eq!(judged.columns.len(), 4);
    assert!((0.0..=1.0).contains(&judged.auc) && judged.copies.is_some(), "{judged:?}");
    assert!(judged.columns.iter().all(|column| column.distance < 0.35), "{judged:?}");
    let variational = of_customers(Preset::Variational).report().generation.clone().unwrap();
    assert_eq!(variational.units.unwrap().units, 3);
    // Its codes are not as the prior has them, and rows are drawn as they are.
    assert!(
        variational.density.held_out.unwrap() > variational.density.one_normal.unwrap(),
        "{:?}",
        variational.density
    );
    assert!(variational.sample_similarity.unwrap().columns.iter().all(|column| column.distance < 0.2));
    // The same is measured on rows that the model never saw, and on rows that are something else.
    let fresh = deep.generation_quality(&customers(600, 9), 600, 3).unwrap();
    let shuffled = customers(600, 9);
    let turned: Vec<u32> = (0..600).rev().collect();
    let columns = vec![
        ("age".to_owned(), shuffled.column("age").unwrap().clone()),
        ("spent".to_owned(), shuffled.take(&turned).column("spent").unwrap().clone()),
        ("member".to_owned(), shuffled.column("member").unwrap().clone()),
        ("town".to_owned(), shuffled.column("town").unwrap().clone()),
    ];
    let other = deep.generation_quality(&Table::from_arrays(columns, "other").unwrap(), 600, 3).unwrap();
    assert!(other.auc > fresh.auc + 0.05, "{} beside {}", other.auc, fresh.auc);
    let few = deep.generation_quality(&customers(10, 1), 600, 3).unwrap_err().to_string();
    assert!(few.contains("at least 20 rows"), "{few}");
}

#[test]
fn varied_rows_go_further_with_the_spread_and_not_at_all_without() {
    let fitted = fit_with(&quick(Preset::Deep), sheet(300, 1), 1).unwrap();
    let given = sheet(20, 7);
    let like = fitted.variation(&given).unwrap();
    assert_eq!(like.n(), 20);
    let rebuilt = fitted.reconstruct(&given).unwrap();
    let off = |spread: f32| -> f64 {
        let varied = like.vary(20, 0, spread, 4).unwrap();
        assert_eq!(varied.names(), fitted.schema().names());
        let of = |name: &str| {
            let (a, b) = (numbers(&varied, name), numbers(&rebuilt, name));
            a.iter().flatten().zip(b.iter().flatten()).map(|(a, b)| (a - b).abs()).sum::<f64>()
        };
        ["x0", "x1", "x3"].map(of).iter().sum()
    };
    assert!(off(0.0) < 1e-5, "{}", off(0.0));
    assert!(off(0.05) > 1e-3 && off(0.6) > 3.0 * off(0.05), "{} {}", off(0.05), off(0.6));
    // One piece or many, the given rows in turn.
    let whole = like.vary(45, 0, 0.3, 4).unwrap();
    let parts = [like.vary(30, 0, 0.3, 4).unwrap(), like.vary(15, 30, 0.3, 4).unwrap()];
    assert_eq!(whole.batch(), Table::concat(&parts).unwrap().batch());
    let round = like.vary(40, 0, 0.0, 4).unwrap();
    assert_eq!(round.slice(0, 20).batch(), round.slice(20, 20).batch());
}

#[test]
fn the_way_between_two_rows_begins_and_ends_with_them() {
    for preset in [Preset::Deep, Preset::Variational] {
        let fitted = fit_with(&quick(preset), sheet(300, 1), 1).unwrap();
        let given = sheet(20, 7);
        let like = fitted.variation(&given).unwrap();
        let ends = like.vary(20, 0, 0.0, 0).unwrap();
        let way = like.between(3, 11, 8).unwrap();
        assert_eq!(way.n_rows(), 8);
        assert_eq!(way.slice(0, 1).batch(), ends.slice(3, 1).batch());
        assert_eq!(way.slice(7, 1).batch(), ends.slice(11, 1).batch());
        let still = like.between(5, 5, 3).unwrap();
        let x0 = numbers(&still, "x0");
        assert!((x0.value(0) - x0.value(1)).abs() < 1e-5 && x0.value(0) == x0.value(2));
        for (a, b) in [(0, 20), (99, 0)] {
            let error = like.between(a, b, 4).unwrap_err();
            let message = error.to_string();
            assert!(message.contains("rows from 0 to 19, as there are 20"), "{message}");
        }
    }
}

#[test]
fn series_are_varied_at_their_own_level() {
    let mut recipe = Recipe::preset_for(Preset::Deep, DataKind::Series);
    let changes = ["data.layout=rows", "data.transform=centre", "train.steps=200", "backbone.code_size=2"];
    changes.iter().for_each(|change| recipe.set(change).unwrap());
    let wave = |row: usize, t: usize| 50.0 * (row % 5) as f64 + (t as f64 * 0.7 + row as f64).sin();
    let columns: Vec<(String, Vec<f64>)> =
        (0..12).map(|t| (format!("t{t}"), (0..80).map(|row| wave(row, t)).collect())).collect();
    let table = Table::from_columns(columns).unwrap();
    let fitted = fit(&recipe, table.clone(), &session(1)).unwrap().into_series().unwrap();
    let given = table.take(&[4, 0]);
    let like = fitted.variation(&given).unwrap();
    let (same, rebuilt) = (like.vary(2, 0, 0.0, 0).unwrap(), fitted.reconstruct(&given).unwrap());
    assert_eq!(same.batch().columns(), rebuilt.batch().columns());
    let middle = like.between(0, 1, 3).unwrap().slice(1, 1);
    let mean = (0..12).map(|t| numbers(&middle, &format!("t{t}")).value(0)).sum::<f64>() / 12.0;
    assert!((mean - 100.0).abs() < 2.0, "{mean}");
    assert!(fitted.report().generation.as_ref().unwrap().sample_similarity.is_none(), "16 held-out rows judge nothing");
}

fn scenes(n: usize) -> Store {
    let scene = |i: usize| demo::scene(i, 5).crop(40, 8 * (i % 5), 16, 16).to_channels(Channels::Grey);
    let album = Album::of("scenes", (0..n).map(|i| (format!("{i}"), scene(i))).collect()).unwrap();
    Store::take(album, u64::MAX).unwrap()
}

fn of_images(preset: Preset, changes: &[&str]) -> ImageModel {
    let mut recipe = Recipe::preset_for(preset, DataKind::Images);
    let small = ["train.epochs=3", "train.batch_size=16"];
    small.iter().chain(changes).for_each(|change| recipe.set(change).unwrap());
    fit(&recipe, scenes(120), &Session::default()).unwrap().into_images().unwrap()
}

#[test]
fn images_are_varied_walked_between_and_laid_on_a_grid() {
    let fitted = of_images(Preset::Variational, &["backbone.code_size=2"]);
    let given = |i: usize| demo::scene(i, 9).crop(8, 8, 16, 16).to_channels(Channels::Grey);
    let (a, b) = (given(1), given(2));
    let rebuilt = |image: &Image| fitted.reconstruct(image);
    assert!(fitted.vary(&a, 0.0, 1, 0) == rebuilt(&a));
    assert!(fitted.vary(&a, 1.0, 1, 0) != rebuilt(&a));
    let way = fitted.interpolate(&a, &b, 5).unwrap();
    assert!(way.len() == 5 && way[0] == rebuilt(&a) && way[4] == rebuilt(&b));
    let grid = fitted.manifold(4).unwrap();
    assert_eq!(grid.len(), 16);
    assert!(fitted.manifold(0).unwrap_err().to_string().contains("expected from 1 to 100"));
    let wide = of_images(Preset::Simple, &["backbone.code_size=3"]);
    assert!(wide.manifold(4).unwrap_err().to_string().contains("a code of 2 units for a manifold, got 3"));
    let quality = fitted.evaluate_reconstruction(&scenes(30)).unwrap();
    assert!(quality.negative_elbo.is_some_and(|nats| nats > 0.0 && nats < 256.0), "{quality:?}");
    assert!(wide.evaluate_reconstruction(&scenes(30)).unwrap().negative_elbo.is_none());
    assert!(fitted.generation_quality(&scenes(40), 40, 1).unwrap().auc > 0.4);
}

#[test]
fn a_collapsed_code_is_counted_and_warned_of() {
    let mut recipe = quick(Preset::Variational);
    let changes = ["latent={ kind = \"gaussian\", beta = 1000.0, warm_up = 0.0 }", "train.steps=400"];
    changes.iter().for_each(|change| recipe.set(change).unwrap());
    let fitted = fit_with(&recipe, sheet(300, 1), 1).unwrap();
    let units = fitted.report().generation.as_ref().unwrap().units.clone().unwrap();
    assert_eq!(units.active, 0);
    assert!(fitted.report().warnings.iter().any(|warning| warning.starts_with("posterior collapse")));
}

#[test]
fn codes_of_another_width_or_without_a_number_are_refused_by_name() {
    let mut recipe = quick(Preset::Deep);
    recipe.set("backbone.code_size=3").unwrap();
    let fitted = fit_with(&recipe, sheet(300, 1), 1).unwrap();
    let codes = |units: usize, value: f64| {
        Table::from_columns((0..units).map(|unit| (format!("code_{unit}"), vec![0.1, value])).collect()).unwrap()
    };
    let refused = |table: &Table| fitted.decode(table).unwrap_err().to_string();
    assert!(fitted.decode(&codes(3, 0.2)).is_ok());
    assert!(refused(&codes(2, 0.2)).contains("`code_2`"), "{}", refused(&codes(2, 0.2)));
    assert!(refused(&codes(4, 0.2)).contains("expected codes of 3 units, up to `code_2`, got a column `code_3`"));
    assert_eq!(refused(&codes(3, f64::NAN)), "column `code_0`, row 1: expected a finite number, got nothing");
    assert!(refused(&codes(3, f64::INFINITY)).contains("row 1: expected a finite number, got inf"));
    assert!(refused(&codes(3, 1e300)).contains("expected a finite number"));
    // Columns that were kept beside the codes are passed over.
    let mut kept: Vec<(String, ArrayRef)> = vec![("id".to_owned(), Arc::new(StringArray::from(vec!["a", "b"])))];
    let plain = codes(3, 0.2);
    kept.extend(plain.names().iter().map(|name| ((*name).to_owned(), plain.column(name).unwrap().clone())));
    assert!(fitted.decode(&Table::from_arrays(kept, "codes").unwrap()).is_ok());
}

#[test]
fn no_rows_are_rows_too() {
    for preset in [Preset::Deep, Preset::Variational] {
        let fitted = fit_with(&quick(preset), sheet(300, 1), 1).unwrap();
        let none = fitted.generate(0, 0, 1).unwrap();
        assert_eq!((none.n_rows(), none.names()), (0, sheet(1, 1).names()));
    }
}

#[test]
fn an_encoder_alone_gives_the_same_codes_and_is_smaller() {
    for preset in [Preset::Auto, Preset::Deep, Preset::Variational] {
        let fitted = fit_with(&quick(preset), sheet(300, 1), 1).unwrap();
        let encoder = Encoder::from(&fitted);
        let (whole, bytes) = (to_bytes(&fitted), to_bytes(&encoder));
        assert!(bytes.len() < whole.len() / 2, "{preset}: {} of {}", bytes.len(), whole.len());
        let loaded = Model::from_bytes(&bytes).unwrap();
        assert!(loaded == Model::from(encoder.clone()), "{preset}: another encoder");
        let loaded = loaded.into_encoder().unwrap();
        assert!(to_bytes(&loaded) == bytes, "{preset}: other bytes when saved again");
        let table = sheet(40, 3);
        let expected = fitted.encode(&table).unwrap();
        assert_eq!(loaded.encode(&table).unwrap().batch(), expected.batch(), "{preset}");
        assert_eq!(loaded.encode(&table.take(&[7])).unwrap().batch(), expected.take(&[7]).batch());
        let refused = Model::from_bytes(&bytes).unwrap().into_table().unwrap_err().to_string();
        assert!(refused.contains("without its decoder"), "{refused}");
        for length in (0..bytes.len()).step_by(97) {
            assert!(Model::from_bytes(&bytes[..length]).is_err(), "{preset}: {length} bytes");
        }
    }
}

#[test]
fn an_encoder_of_images_gives_the_same_codes() {
    for changes in [&["backbone.channels=[4,8]", "backbone.code_size=4"][..], &["data.view=pieces", "data.side=8"]] {
        let fitted = of_images(Preset::Conv, changes);
        let bytes = to_bytes(&Encoder::from(&fitted));
        assert!(bytes.len() < to_bytes(&fitted).len());
        let encoder = Model::from_bytes(&bytes).unwrap().into_encoder().unwrap();
        let image = demo::scene(3, 9).crop(8, 8, 16, 16);
        assert_eq!(encoder.encode_image(&image).unwrap(), fitted.encode(&image));
        assert!(encoder.encode(&sheet(3, 1)).is_err());
    }
}
