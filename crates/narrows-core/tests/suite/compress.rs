//! Compressed files: what was promised comes back, on any number of threads, from any chunk, and damage is told.

use std::io::Cursor;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use arrow::array::{ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::Float64Type;
use narrows_core::compress::{
    Account, CodeDetail, CompressionComparison, ErrorBound, Fidelity, TableCompressor, TableDecompressor, TableFidelity,
};
use narrows_core::data::Table;
use narrows_core::recipe::DataKind;
use narrows_core::rng::{Purpose, Stream};
use narrows_core::{Dataset, Error, Model, Preset, Recipe, Roles, Session, TableModel, TabularModel, fit};

use crate::support::{compute, fit_with, hurried, quick, session, sheet, to_bytes};

/// Rows with columns of every kind, cells missing in each, and a column the model will not know.
fn mixed(n: usize, seed: u64) -> Table {
    let mut stream = Stream::new(seed, Purpose::Demo, 1, 0);
    let a: Vec<f64> = (0..n).map(|_| f64::from(stream.normal())).collect();
    let holes: Vec<bool> = (0..n).map(|_| stream.uniform() < 0.05).collect();
    let cell = |i: usize, x: f64| (!holes[i]).then_some(x);
    let word =
        |i: usize| (!holes[(i + 1) % n]).then(|| ["red", "green, pale", "blue"][(a[i].abs() * 2.0) as usize % 3]);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new((0..n).map(|i| Some(format!("row {i}"))).collect::<StringArray>())),
        ("x", Arc::new(Float64Array::from(a.clone()))),
        ("y", Arc::new(a.iter().enumerate().map(|(i, a)| cell(i, 100.0 + 10.0 * a * a)).collect::<Float64Array>())),
        (
            "count",
            Arc::new(
                a.iter().enumerate().map(|(i, a)| cell(i, 0.0).map(|_| (a * 20.0) as i64)).collect::<Int64Array>(),
            ),
        ),
        ("word", Arc::new((0..n).map(word).collect::<StringArray>())),
        ("flag", Arc::new(a.iter().map(|a| Some(*a > 0.3)).collect::<BooleanArray>())),
        (
            "when",
            Arc::new(
                (0..n as i64)
                    .map(|i| Some(1_600_000_000_000_000 + i * 3_600_000_000))
                    .collect::<TimestampMicrosecondArray>()
                    .with_timezone("UTC"),
            ),
        ),
    ];
    Table::from_arrays(columns.into_iter().map(|(name, array)| (name.to_owned(), array)).collect(), "mixed").unwrap()
}

fn model() -> &'static TableModel {
    static MODEL: OnceLock<TableModel> = OnceLock::new();
    MODEL.get_or_init(|| {
        let mut recipe = quick(Preset::Deep);
        // Long enough for the code to say something.
        recipe.set("train.steps=1500").unwrap();
        fit_with(&recipe, mixed(600, 1), 1).unwrap()
    })
}

/// The model, computing on some number of threads.
fn on(model: &(impl Clone + Into<Model>), threads: usize) -> Box<dyn TabularModel> {
    model.clone().into().with_compute(&compute(threads)).into_tabular().unwrap()
}

fn compress(
    fitted: &(impl Clone + Into<Model>),
    tables: &[Table],
    fidelity: impl Into<TableFidelity>,
    chunk: usize,
    threads: usize,
) -> (Vec<u8>, Account) {
    let model = on(fitted, threads);
    let mut writer =
        TableCompressor::new(model.as_ref(), fidelity, Vec::new()).unwrap().with_chunk_rows(chunk).unwrap();
    tables.iter().for_each(|table| writer.push(table).unwrap());
    let (bytes, account) = writer.finish().unwrap();
    assert_eq!(account.bytes, bytes.len() as u64);
    (bytes, account)
}

fn read_all(fitted: &(impl Clone + Into<Model>), bytes: &[u8], threads: usize) -> narrows_core::Result<Table> {
    let mut reader = TableDecompressor::new(on(fitted, threads).as_ref(), bytes)?;
    let mut tables = Vec::new();
    while let Some(table) = reader.next_table()? {
        tables.push(table);
    }
    Table::concat(&tables)
}

const BOUND: Fidelity = Fidelity::Within(ErrorBound::Share(0.01));

/// Compresses in uneven portions and holds what comes back against what was promised.
fn check(fitted: &(impl Clone + Into<Model>), table: &Table, fidelity: impl Into<TableFidelity>) -> (Vec<u8>, Account) {
    let fidelity = fidelity.into();
    let n = table.n_rows();
    let portions = [table.slice(0, n / 3), table.slice(n / 3, n - n / 3)];
    let (bytes, account) = compress(fitted, &portions, fidelity.clone(), n / 2 + 1, 1);
    assert_eq!((account.rows, account.chunks), (n as u64, 2));
    let again = compress(fitted, std::slice::from_ref(table), fidelity.clone(), n / 2 + 1, 3).0;
    assert!(again == bytes, "other portions on other threads make another file");
    let back = read_all(fitted, &bytes, 1).unwrap();
    assert_eq!(read_all(fitted, &bytes, 3).unwrap(), back, "threads");
    CompressionComparison::new(on(fitted, 1).as_ref(), fidelity).unwrap().compare(table, &back).unwrap();
    (bytes, account)
}

#[test]
fn tables_of_every_kind_of_column_come_back_within_the_bound() {
    let table = mixed(500, 2);
    let bounds = [
        BOUND,
        Fidelity::Within(ErrorBound::Absolute(0.25)),
        Fidelity::Within(ErrorBound::Absolute(3.0)),
        Fidelity::Lossless,
    ];
    for fidelity in bounds {
        check(model(), &table, fidelity);
    }
    let size = |share| check(model(), &table, Fidelity::Within(ErrorBound::Share(share))).1.residual;
    assert!(size(0.1) < size(0.01) && size(0.01) < size(0.001), "a wider bound is cheaper");
}

#[test]
fn columns_have_bounds_of_their_own() {
    let table = mixed(500, 2);
    let chosen = |bounds: &[&str]| TableFidelity::chosen(bounds, false, None, None).unwrap();
    let largest = |back: &Table, name: &str| {
        let (was, is) = (table.column(name).unwrap(), back.column(name).unwrap());
        let number = |array: &ArrayRef| arrow::compute::cast(array, &arrow::datatypes::DataType::Float64).unwrap();
        let (was, is) = (number(was), number(is));
        let (was, is) = (was.as_primitive::<Float64Type>(), is.as_primitive::<Float64Type>());
        was.iter().zip(is).filter_map(|(was, is)| Some((was? - is?).abs())).fold(0.0, f64::max)
    };
    let (bytes, _) = check(model(), &table, chosen(&["10%", "x=0.01", "count=3"]));
    let back = read_all(model(), &bytes, 1).unwrap();
    assert!((0.001..=0.01).contains(&largest(&back, "x")), "x");
    assert!((1.0..=3.0).contains(&largest(&back, "count")), "count");
    assert!(largest(&back, "y") > 1.0, "y has the bound of the others");

    // Without a bound for the others, these come back as they were.
    let (bytes, _) = check(model(), &table, chosen(&["x=5%"]));
    let back = read_all(model(), &bytes, 1).unwrap();
    assert!(largest(&back, "x") > 0.01);
    for name in ["id", "y", "count", "word", "flag", "when"] {
        assert_eq!(back.column(name).unwrap(), table.column(name).unwrap(), "{name}");
    }
}

#[test]
fn bounds_of_columns_that_are_no_numbers_are_refused() {
    for (bounds, fragment) in [("word=1", "kind"), ("id=1", "does not know"), ("cuont=1", "does not know")] {
        let fidelity = TableFidelity::chosen(&[bounds], false, None, None).unwrap();
        let error = TableCompressor::new(model(), fidelity, Vec::new()).err().expect("a refusal");
        assert!(error.to_string().contains(fragment), "{error}");
        assert_eq!(error.hint_text().is_some_and(|hint| hint.contains("`count`")), bounds == "cuont=1");
    }
}

#[test]
fn whole_numbers_flags_and_dates_keep_their_types() {
    let table = mixed(100, 3);
    let (bytes, _) = check(model(), &table, Fidelity::Lossless);
    let back = read_all(model(), &bytes, 1).unwrap();
    for name in ["id", "count", "word", "flag", "when", "x"] {
        assert_eq!(back.column(name).unwrap(), table.column(name).unwrap(), "{name}");
    }
}

#[test]
fn the_code_alone_is_what_the_decoder_makes_of_it_and_finer_codes_are_closer() {
    let table = mixed(500, 4);
    let at = |quality| check(model(), &table, Fidelity::Code(CodeDetail::Quality(quality))).1;
    let [coarse, own, fine] = [1, 5, 9].map(at);
    assert!(coarse.codes < own.codes && own.codes < fine.codes, "{coarse:?} {own:?} {fine:?}");
    let error = |account: &Account| account.errors.root_mean_square();
    assert!(error(&fine) <= error(&own) && error(&own) < error(&coarse));
    // Nine is a sixteenth of the model's steps: as good as not rounded.
    let rebuilt = model().reconstruct(&table).unwrap();
    let (bytes, _) = compress(model(), std::slice::from_ref(&table), Fidelity::Code(CodeDetail::Quality(10)), 500, 1);
    let back = read_all(model(), &bytes, 1).unwrap();
    let numbers = |table: &Table| table.column("x").unwrap().as_primitive::<Float64Type>().values().to_vec();
    let off = numbers(&rebuilt).iter().zip(numbers(&back)).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(off < 0.05, "{off}");
    let bits = check(model(), &table, Fidelity::Code(CodeDetail::Bits(2.0))).1;
    assert!(bits.level > own.level && bits.bytes < own.bytes);
}

#[test]
fn cells_far_from_training_and_infinite_ones_are_kept_too() {
    let x = [1e300, f64::INFINITY, f64::NEG_INFINITY, -1e9, 0.1 + 0.2, 1e-320];
    let table = mixed(x.len(), 5);
    let columns = table.names().into_iter().map(|name| {
        let array = if name == "x" {
            Arc::new(Float64Array::from(x.to_vec())) as ArrayRef
        } else {
            table.column(name).unwrap().clone()
        };
        (name.to_owned(), array)
    });
    let table = Table::from_arrays(columns.collect(), "far").unwrap();
    for fidelity in [BOUND, Fidelity::Lossless] {
        let (bytes, account) = compress(model(), std::slice::from_ref(&table), fidelity, 100, 1);
        let back = read_all(model(), &bytes, 1).unwrap();
        CompressionComparison::new(model(), fidelity).unwrap().compare(&table, &back).unwrap();
        assert!(account.kept > 0);
    }
}

#[test]
fn some_rows_are_read_from_the_middle() {
    let table = mixed(300, 6);
    let (bytes, account) = compress(model(), std::slice::from_ref(&table), BOUND, 64, 1);
    assert_eq!(account.chunks, 5);
    let all = read_all(model(), &bytes, 1).unwrap();
    for rows in [0..1, 10..64, 63..65, 60..300, 299..300] {
        let mut reader = TableDecompressor::of_rows(model(), Cursor::new(&bytes), rows.clone()).unwrap();
        let mut tables = Vec::new();
        while let Some(table) = reader.next_rows().unwrap() {
            tables.push(table);
        }
        let some = Table::concat(&tables).unwrap();
        let expected = all.slice(rows.start as usize, (rows.end - rows.start) as usize);
        assert_eq!(some.batch(), expected.batch(), "{rows:?}");
    }
    let refused = TableDecompressor::of_rows(model(), Cursor::new(&bytes), 299..301).err().unwrap();
    assert!(refused.to_string().contains("rows of 0 to 299, got 299 to 300"), "{refused}");
}

/// Points of two machines that take turns, a stretch of times lost.
fn points(n: usize) -> Table {
    let mut stream = Stream::new(9, Purpose::Demo, 2, 0);
    let mut rows: Vec<(String, f64, [f64; 2])> = Vec::new();
    for t in (0..n).filter(|t| !(40..50).contains(t)) {
        for (machine, shift) in [("m1", 0.0), ("m2", 1.0)] {
            let angle = t as f64 / 3.0 + shift;
            let noise = f64::from(stream.normal()) * 0.05;
            rows.push((machine.to_owned(), t as f64, [50.0 + angle.sin() + noise, 0.1 * t as f64 + angle.cos()]));
        }
    }
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("machine", Arc::new(rows.iter().map(|row| Some(row.0.clone())).collect::<StringArray>())),
        ("t", Arc::new(rows.iter().map(|row| row.1).collect::<Float64Array>())),
        ("a", Arc::new(rows.iter().map(|row| row.2[0]).collect::<Float64Array>())),
        (
            "b",
            Arc::new(
                rows.iter().enumerate().map(|(i, row)| (i % 37 != 3).then_some(row.2[1])).collect::<Float64Array>(),
            ),
        ),
    ];
    Table::from_arrays(columns.into_iter().map(|(name, array)| (name.to_owned(), array)).collect(), "points").unwrap()
}

#[test]
fn points_in_time_come_back_within_the_bound_whatever_was_taken_from_windows() {
    let table = points(400);
    for transform in ["none", "centre", "detrend", "standardise", "difference"] {
        let mut recipe = hurried(Recipe::preset_for(Preset::Deep, DataKind::Series));
        recipe.set("data.window=24").unwrap();
        recipe.set(&format!("data.transform={transform}")).unwrap();
        let roles = Roles { time: Some("t".into()), id: vec!["machine".into()], ..Roles::default() };
        let fitted = fit(&recipe, Dataset::table(table.clone(), roles), &Session::default()).unwrap();
        let fitted = fitted.into_series().unwrap();
        for fidelity in [BOUND, Fidelity::Lossless] {
            check(&fitted, &table, fidelity);
        }
        let alone = TableCompressor::new(&fitted, Fidelity::Code(CodeDetail::Own), Vec::new()).err();
        assert_eq!(alone.is_some(), transform == "difference", "{transform}");
        if transform != "difference" {
            let (_, account) = check(&fitted, &table, Fidelity::Code(CodeDetail::Own));
            assert!(account.errors.root_mean_square() < 0.35, "{transform} {}", account.errors.root_mean_square());
        }
    }
}

#[test]
fn rows_that_are_series_come_back_even_where_they_end_early() {
    let waves = |n: usize, seed: u64| -> Table {
        let mut stream = Stream::new(seed, Purpose::Demo, 3, 0);
        let mut columns: Vec<(String, Vec<f64>)> = (0..20).map(|t| (format!("t{t}"), Vec::new())).collect();
        for row in 0..n {
            let (phase, ends) = (f64::from(stream.normal()), if row % 7 == 3 { 13 } else { 20 });
            for (t, (_, column)) in columns.iter_mut().enumerate() {
                let value = (t as f64 / 3.0 + phase).sin() + 0.02 * f64::from(stream.normal());
                column.push(if t < ends { value } else { f64::NAN });
            }
        }
        Table::from_columns(columns).unwrap()
    };
    let mut recipe = hurried(Recipe::preset_for(Preset::Deep, DataKind::Series));
    recipe.set("data.layout=rows").unwrap();
    let fitted = fit(&recipe, waves(300, 1), &session(1)).unwrap();
    let table = waves(200, 2);
    let (bytes, account) = check(&fitted, &table, BOUND);
    assert!((bytes.len() as u64) < account.zstd_of_cells.unwrap(), "smaller than rounding and zstd");
    check(&fitted, &table, Fidelity::Code(CodeDetail::Own));
}

#[test]
fn another_model_and_another_kind_are_refused() {
    let (bytes, _) = compress(model(), &[mixed(50, 7)], BOUND, 50, 1);
    let other = fit_with(&quick(Preset::Deep), mixed(600, 8), 1).unwrap();
    let error = read_all(&other, &bytes, 1).unwrap_err();
    assert!(error.to_string().contains("made with this model"), "{error}");
    // A threshold moved, or the model saved and loaded: still the same model.
    let moved = model().clone().with_threshold(&narrows_core::detect::Threshold::Max).unwrap();
    let again = Model::from_bytes(&to_bytes(&moved)).unwrap();
    assert!(read_all(&again, &bytes, 1).is_ok());
}

#[test]
fn a_cut_or_changed_file_is_an_error_at_every_byte() {
    let (bytes, _) = compress(model(), &[mixed(40, 9)], BOUND, 40, 1);
    for end in (0..bytes.len()).step_by(7) {
        let error = read_all(model(), &bytes[..end], 1).unwrap_err();
        assert!(matches!(error, Error::Mismatch { .. }), "{end}: {error}");
    }
    for place in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[place] ^= 0x10;
        let error = read_all(model(), &changed, 1).unwrap_err();
        assert!(matches!(error, Error::Mismatch { .. }), "{place}: {error}");
    }
    let mut newer = bytes.clone();
    newer[4] = 99;
    let error = read_all(model(), &newer, 1).unwrap_err().to_string();
    assert!(error.contains("99"), "{error}");
}

#[test]
fn nothing_is_no_file_and_changed_columns_are_refused() {
    let writer = TableCompressor::new(model(), BOUND, Vec::new()).unwrap();
    assert!(writer.finish().unwrap_err().to_string().contains("got none"));
    let mut writer = TableCompressor::new(model(), BOUND, Vec::new()).unwrap().with_chunk_rows(10).unwrap();
    writer.push(&mixed(10, 1)).unwrap();
    let other = mixed(10, 1).select(&["x", "y", "count", "word", "flag", "when"]).unwrap();
    assert!(writer.push(&other).unwrap_err().to_string().contains("columns changed"));
    for detail in [CodeDetail::Quality(0), CodeDetail::Bits(f64::NAN)] {
        assert!(TableCompressor::new(model(), Fidelity::Code(detail), Vec::new()).is_err());
    }
}

fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../testdata/compressed").join(name)
}

/// Files of every version, which every later version and every machine must decode to these very numbers.
#[test]
fn golden_files_decode_to_the_same_numbers() {
    let fitted = Model::load(golden("sheet.narrows")).unwrap().into_table().unwrap();
    let versions = ["", "_2", "_3"].into_iter().flat_map(|version| [("bound", version), ("code", version)]);
    for (name, version) in versions.chain([("columns", "_3")]) {
        let bytes = std::fs::read(golden(&format!("sheet_{name}{version}.nrw"))).unwrap();
        let back = read_all(&fitted, &bytes, 2).unwrap();
        assert_eq!(bits(&back), std::fs::read_to_string(golden(&format!("sheet_{name}.txt"))).unwrap(), "{name}");
    }
}

/// The numbers of a table by their bits.
fn bits(table: &Table) -> String {
    let mut text = String::new();
    for row in 0..table.n_rows() {
        for name in table.names() {
            let column = table.column(name).unwrap().as_primitive::<Float64Type>();
            let cell = narrows_cell(column, row);
            text.push_str(&cell);
        }
        text.push('\n');
    }
    text
}

fn narrows_cell(column: &Float64Array, row: usize) -> String {
    use arrow::array::Array;
    if column.is_null(row) { "missing ".to_owned() } else { format!("{:016x} ", column.value(row).to_bits()) }
}

/// The same rows and model in each version.
#[test]
#[ignore = "writes the golden files of this version; they are made once and stay for ever"]
fn make_golden_files() {
    let fitted = Model::load(golden("sheet.narrows")).unwrap().into_table().unwrap();
    let columns = TableFidelity::chosen(&["1%", "x4=0.25"], false, None, None).unwrap();
    let fidelities = [("bound", BOUND.into()), ("code", Fidelity::Code(CodeDetail::Own).into()), ("columns", columns)];
    for (name, fidelity) in fidelities {
        let (bytes, _) = compress(&fitted, &[sheet(50, 2)], fidelity, 20, 1);
        let numbers = golden(&format!("sheet_{name}.txt"));
        if !numbers.exists() {
            std::fs::write(numbers, bits(&read_all(&fitted, &bytes, 1).unwrap())).unwrap();
        }
        std::fs::write(golden(&format!("sheet_{name}_{}.nrw", narrows_codec::VERSION)), bytes).unwrap();
    }
}

/// A file that nobody wrote: its checksums are right and its parts are not.
#[test]
fn a_forged_file_is_an_error_and_asks_for_no_memory() {
    use narrows_codec::{Header, Reader, Writer};
    let (bytes, _) = compress(model(), &[mixed(40, 9)], BOUND, 40, 1);
    let mut reader = Reader::new(bytes.as_slice()).unwrap();
    let header = reader.header().clone();
    let chunk = reader.next_chunk().unwrap().unwrap();
    let forged = |header: &Header, rows: u64, sections: &[Vec<u8>]| {
        let mut writer = Writer::new(Vec::new(), header).unwrap();
        let sections: Vec<&[u8]> = sections.iter().map(Vec::as_slice).collect();
        writer.chunk(rows, &sections).unwrap();
        writer.finish().unwrap()
    };
    assert!(read_all(model(), &forged(&header, chunk.rows, &chunk.sections), 1).is_ok());
    for rows in [0, 1, 39, 41, 1 << 20, 1 << 40, u64::MAX / 2] {
        assert!(read_all(model(), &forged(&header, rows, &chunk.sections), 1).is_err(), "{rows} rows");
    }
    for section in 0..chunk.sections.len() {
        let mut without = chunk.sections.clone();
        without.remove(section);
        assert!(read_all(model(), &forged(&header, chunk.rows, &without), 1).is_err(), "without {section}");
        for bytes in [vec![], vec![0], vec![0xff; 40], b"(\xb5/\xfd".to_vec()] {
            let mut other = chunk.sections.clone();
            other[section] = bytes;
            // An empty section may mean that there is nothing of its kind; whatever it means, it is no crash.
            let _ = read_all(model(), &forged(&header, chunk.rows, &other), 1);
        }
    }
    for settings in [vec![], vec![1, 2, 3], vec![0xff; 64]] {
        let header = Header { settings, ..header.clone() };
        assert!(read_all(model(), &forged(&header, chunk.rows, &chunk.sections), 1).is_err());
    }
}

fn of(columns: Vec<(&str, ArrayRef)>) -> Table {
    Table::from_arrays(columns.into_iter().map(|(name, array)| (name.to_owned(), array)).collect(), "made").unwrap()
}

#[test]
fn a_table_of_words_and_flags_alone_comes_back() {
    let words = |n: usize| {
        let word = |i: usize| Some(["red", "green", "blue"][(i * i + i / 3) % 3]);
        of(vec![
            ("a", Arc::new((0..n).map(word).collect::<StringArray>()) as ArrayRef),
            ("b", Arc::new((0..n).map(|i| word(i + 1).filter(|_| i % 11 > 0)).collect::<StringArray>())),
            ("c", Arc::new((0..n).map(|i| Some((i * i) % 3 == 0)).collect::<BooleanArray>())),
        ])
    };
    let fitted = fit_with(&quick(Preset::Deep), words(300), 1).unwrap();
    for fidelity in [BOUND, Fidelity::Lossless] {
        let (bytes, _) = check(&fitted, &words(100), fidelity);
        assert_eq!(read_all(&fitted, &bytes, 1).unwrap().batch().columns(), words(100).batch().columns());
    }
    let (_, account) = check(&fitted, &words(100), Fidelity::Code(CodeDetail::Own));
    assert_eq!(account.words, 300);
    assert!(account.other_words > 0, "a network of a moment does not know every word");
}

#[test]
fn models_that_differ_in_units_or_names_alone_are_told_apart() {
    let scaled = |by: f64, names: [&'static str; 2]| {
        let x = |k: f64| (0..200).map(|i| by * (f64::from(i) * k).sin()).collect::<Vec<f64>>();
        Table::from_columns(vec![(names[0], x(0.37)), (names[1], x(0.74))]).unwrap()
    };
    let model = |by, names| fit_with(&quick(Preset::Simple), scaled(by, names), 1).unwrap();
    let first = model(1.0, ["p", "q"]);
    let (bytes, _) = compress(&first, &[scaled(1.0, ["p", "q"])], BOUND, 500, 1);
    assert!(read_all(&model(1.0, ["p", "q"]), &bytes, 1).is_ok(), "the same fit is the same model");
    for other in [model(2.0, ["p", "q"]), model(1.0, ["price", "q"])] {
        assert!(read_all(&other, &bytes, 1).unwrap_err().to_string().contains("made with this model"));
    }
}

#[test]
fn numbers_that_no_float_holds_are_kept_or_refused() {
    use arrow::array::{Decimal128Array, UInt64Array};
    let n = 200;
    let x: Vec<f64> = (0..n).map(|i| f64::from(i) * 1.5).collect();
    let train =
        Table::from_columns(vec![("x", x.clone()), ("y", x.iter().map(|x| (x * 0.1).sin()).collect())]).unwrap();
    let fitted = fit_with(&quick(Preset::Simple), train, 1).unwrap();
    let with = |array: ArrayRef| {
        let rows = array.len();
        of(vec![("x", array), ("y", Arc::new(Float64Array::from(vec![0.5; rows])))])
    };
    let decimal = Decimal128Array::from(vec![12_345_678_901_234_567_891_i128, 9_007_199_254_740_993]);
    let decimal = with(Arc::new(decimal.with_precision_and_scale(25, 0).unwrap()));
    for fidelity in [BOUND, Fidelity::Lossless] {
        let (bytes, _) = compress(&fitted, std::slice::from_ref(&decimal), fidelity, 10, 1);
        assert_eq!(read_all(&fitted, &bytes, 1).unwrap().column("x"), decimal.column("x"));
    }
    let bound = Fidelity::Within(ErrorBound::Absolute(0.001));
    for array in [
        Arc::new(UInt64Array::from(vec![1, u64::MAX])) as ArrayRef,
        Arc::new(Int64Array::from(vec![1, 9_007_199_254_740_993])),
        Arc::new(StringArray::from(vec!["1", "9007199254740993"])),
    ] {
        let mut writer = TableCompressor::new(&fitted, bound, Vec::new()).unwrap();
        writer.push(&with(array)).unwrap();
        let error = writer.finish().unwrap_err();
        assert!(error.to_string().contains("x") && error.hint().is_some(), "{error}");
    }
}
