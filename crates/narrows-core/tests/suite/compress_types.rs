//! Compressed tables keep every column: in its type, in its spelling if nothing may be lost, and whatever its type is.

use std::sync::{Arc, OnceLock};

use arrow::array::{
    Array, ArrayRef, BinaryArray, DictionaryArray, DurationSecondArray, Float32Array, Float64Array, Int8Array,
    Int32Array, Int64Array, LargeStringArray, ListArray, StringArray, StringViewArray, StructArray,
    Time32MillisecondArray, TimestampMicrosecondArray, UInt64Array,
};
use arrow::datatypes::{DataType, Field, Float64Type, Int8Type};
use narrows_codec::{Reader, Writer};
use narrows_core::compress::{
    CodeDetail, CompressionComparison, ErrorBound, Fidelity, TableCompressor, TableDecompressor,
};
use narrows_core::data::Table;
use narrows_core::{Preset, TableModel};

use crate::support::{fit_with, quick};

const CODE: Fidelity = Fidelity::Code(CodeDetail::Own);
const BOUND: Fidelity = Fidelity::Within(ErrorBound::Share(0.01));

fn of(columns: Vec<(&str, ArrayRef)>) -> Table {
    Table::from_arrays(columns.into_iter().map(|(name, array)| (name.to_owned(), array)).collect(), "made").unwrap()
}

/// A model of whole numbers `n`, of numbers `x` and of words `word`.
fn model() -> &'static TableModel {
    static MODEL: OnceLock<TableModel> = OnceLock::new();
    MODEL.get_or_init(|| {
        let rows = 0..300;
        let table = of(vec![
            ("n", Arc::new(rows.clone().map(|i| Some(f64::from(i * i % 97))).collect::<Float64Array>()) as ArrayRef),
            ("x", Arc::new(rows.clone().map(|i| Some((f64::from(i) * 0.37).sin())).collect::<Float64Array>())),
            ("word", Arc::new(rows.map(|i| Some(["red", "blue"][i as usize / 3 % 2])).collect::<StringArray>())),
        ]);
        fit_with(&quick(Preset::Deep), table, 1).unwrap()
    })
}

fn compress(table: &Table, fidelity: Fidelity, is_text: bool) -> (Vec<u8>, narrows_core::compress::Account) {
    let writer = TableCompressor::new(model(), fidelity, Vec::new()).unwrap().with_chunk_rows(3).unwrap();
    let mut writer = if is_text { writer.of_text() } else { writer };
    writer.push(table).unwrap();
    writer.finish().unwrap()
}

fn all(mut reader: TableDecompressor<&[u8]>) -> Table {
    let mut tables = Vec::new();
    while let Some(table) = reader.next_table().unwrap() {
        tables.push(table);
    }
    Table::concat(&tables).unwrap()
}

/// Compresses, holds what comes back against what was promised, and returns it.
fn check(table: &Table, fidelity: Fidelity) -> Table {
    let bytes = compress(table, fidelity, false).0;
    let back = all(TableDecompressor::new(model(), bytes.as_slice()).unwrap());
    CompressionComparison::new(model(), fidelity).unwrap().compare(table, &back).unwrap();
    back
}

/// Columns of the model, of five rows.
fn with(n: ArrayRef, x: ArrayRef, word: ArrayRef, others: Vec<(&str, ArrayRef)>) -> Table {
    of([vec![("n", n), ("x", x), ("word", word)], others].concat())
}

fn typed() -> Table {
    let words: DictionaryArray<Int8Type> =
        vec![Some("red"), None, Some("blue"), Some("red"), Some("red")].into_iter().collect();
    let lists = ListArray::from_iter_primitive::<arrow::datatypes::Int32Type, _, _>([
        Some(vec![Some(1)]),
        None,
        Some(vec![]),
        Some(vec![None, Some(3)]),
        Some(vec![Some(4)]),
    ]);
    let inner: ArrayRef = Arc::new(LargeStringArray::from(vec![Some("a"), None, Some("c"), Some(""), Some("e")]));
    let field = Arc::new(Field::new("inner", DataType::LargeUtf8, true));
    let bytes: Vec<Option<&[u8]>> = vec![Some(b"\x00\xff"), None, Some(b""), Some(b"abc"), Some(b"d")];
    with(
        Arc::new(Int8Array::from(vec![Some(1), None, Some(-3), Some(96), Some(127)])),
        Arc::new(Float32Array::from(vec![Some(0.1), Some(-0.7), None, Some(0.3), Some(0.9)])),
        Arc::new(words),
        vec![
            ("time", Arc::new(Time32MillisecondArray::from(vec![Some(0), None, Some(7), Some(86_399_999), Some(1)]))),
            ("took", Arc::new(DurationSecondArray::from(vec![Some(-5), None, Some(7), Some(0), Some(1)]))),
            ("bytes", Arc::new(BinaryArray::from(bytes))),
            ("list", Arc::new(lists)),
            ("struct", Arc::new(StructArray::from(vec![(field, inner)]))),
            (
                "view",
                Arc::new(StringViewArray::from(vec![Some("a"), None, Some(""), Some("longer than twelve"), Some("b")])),
            ),
            ("big", Arc::new(UInt64Array::from(vec![Some(u64::MAX), None, Some(0), Some(1), Some(2)]))),
            (
                "when",
                Arc::new(
                    TimestampMicrosecondArray::from(vec![Some(1), None, Some(2), Some(3), Some(4)])
                        .with_timezone("Europe/Berlin"),
                ),
            ),
        ],
    )
}

#[test]
fn columns_of_every_type_come_back_in_every_mode() {
    let table = typed();
    assert_eq!(check(&table, Fidelity::Lossless).batch().columns(), table.batch().columns());
    for fidelity in [BOUND, CODE] {
        let back = check(&table, fidelity);
        for (was, is) in table.batch().columns().iter().zip(back.batch().columns()) {
            assert_eq!((was.data_type(), was.logical_null_count()), (is.data_type(), is.logical_null_count()));
        }
        assert_eq!(back.batch().columns()[3..], table.batch().columns()[3..]);
    }
}

#[test]
fn a_type_of_few_digits_does_not_move_a_number_out_of_the_bound() {
    // The spacing of such floats is near the bound.
    let x: ArrayRef = Arc::new(Float32Array::from(vec![16_777_217.0, 3e7, -2.5e7, 1e9, 0.5]));
    let n: ArrayRef = Arc::new(Int32Array::from(vec![i32::MAX, i32::MIN, 0, 1, 2]));
    let word: ArrayRef = Arc::new(StringArray::from(vec!["red"; 5]));
    check(&with(n, x, word, Vec::new()), Fidelity::Within(ErrorBound::Absolute(0.6)));
}

fn text(cells: [&str; 5]) -> ArrayRef {
    Arc::new(cells.iter().map(|cell| (!cell.is_empty()).then_some(*cell)).collect::<StringArray>())
}

#[test]
fn numbers_in_text_come_back_as_they_were_written_if_nothing_may_be_lost() {
    let spelled = with(
        text(["04109", "7", "12", "+3", "1e1"]),
        text(["1.50", "", "NA", "-0", "0.25"]),
        text(["red", "blue ", "", "red", "blue"]),
        vec![("code", text(["007", "", "\"", " x", "1"]))],
    );
    let (few, many) = (text(["7", "0", "12", "96", "5"]), text(["07", "00", "12", "09", "05"]));
    let number = |n: &ArrayRef| with(n.clone(), text(["1"; 5]), text(["red"; 5]), Vec::new());
    for table in [&spelled, &number(&few), &number(&many)] {
        assert_eq!(check(table, Fidelity::Lossless).batch().columns(), table.batch().columns());
    }
    // In a format with types, numbers of a text file are numbers again.
    let bytes = compress(&spelled, Fidelity::Lossless, true).0;
    let back = all(TableDecompressor::new(model(), bytes.as_slice()).unwrap().with_types());
    let n = Float64Array::from(vec![4109.0, 7.0, 12.0, 3.0, 10.0]);
    assert_eq!(back.column("n").unwrap(), &(Arc::new(n) as ArrayRef));
    assert_eq!(back.column("code"), spelled.column("code"));
}

#[test]
fn a_few_cells_that_are_written_otherwise_are_corrected_one_by_one() {
    let number = |i: usize| match i {
        4 => "007".to_owned(),
        5 => "+3".to_owned(),
        27 => "9007199254740993".to_owned(),
        _ => (i * 7 % 90).to_string(),
    };
    let words = |word: &dyn Fn(usize) -> String| Arc::new((0..30).map(|i| Some(word(i))).collect::<StringArray>());
    let table = with(words(&number), words(&|_| "0.5".into()), words(&|_| "red".into()), Vec::new());
    let bytes = {
        let writer = TableCompressor::new(model(), Fidelity::Lossless, Vec::new()).unwrap();
        let mut writer = writer.with_chunk_rows(20).unwrap();
        writer.push(&table).unwrap();
        writer.finish().unwrap().0
    };
    let chunk = Reader::new(bytes.as_slice()).unwrap().next_chunk().unwrap().unwrap();
    assert!(!chunk.sections[3].is_empty() && !chunk.sections[8].is_empty(), "numbers and their corrections");
    let back = all(TableDecompressor::new(model(), bytes.as_slice()).unwrap());
    assert_eq!(back.batch().columns(), table.batch().columns());
}

#[test]
fn cells_that_lose_their_spelling_are_counted() {
    let table =
        with(text(["04109", "7", "007", "+3", "1e1"]), text(["1.50", "", "NA", "0", "1"]), text(["red"; 5]), vec![]);
    for fidelity in [BOUND, CODE] {
        let account = compress(&table, fidelity, true).1;
        let [altered] = &account.altered[..] else { panic!("one column, got {:?}", account.altered) };
        assert_eq!((altered.column.as_str(), altered.respelled, altered.lost), ("n", 3, 0));
        assert_eq!(altered.example, "04109");
    }
    assert!(compress(&table, Fidelity::Lossless, true).1.altered.is_empty());
}

#[test]
fn cells_that_floats_do_not_tell_apart_come_back_to_the_bit() {
    let n = Int64Array::from(vec![Some(i64::MAX), Some(9_007_199_254_740_993), None, Some(5), Some(-1)]);
    let x = Float64Array::from(vec![Some(-0.0), Some(f64::NAN), None, Some(f64::INFINITY), Some(0.1)]);
    let word = text(["red", "blue", "red", "blue", "red"]);
    let table = with(Arc::new(n), Arc::new(x), word.clone(), Vec::new());
    let back = check(&table, Fidelity::Lossless);
    assert_eq!(back.batch().columns(), table.batch().columns());
    let floats = Float64Array::from(vec![Some(-0.0), Some(f64::NAN), None, Some(3.0), Some(0.1)]);
    let table = with(Arc::new(floats), Arc::new(Float64Array::from(vec![0.5; 5])), word, Vec::new());
    let back = check(&table, Fidelity::Lossless);
    let bits = |table: &Table| {
        use arrow::array::AsArray;
        let column = table.column("n").unwrap().as_primitive::<Float64Type>().clone();
        column.iter().map(|x| x.map(f64::to_bits)).collect::<Vec<_>>()
    };
    assert_eq!(bits(&back), bits(&table));
}

#[test]
fn a_code_that_another_arithmetic_decodes_differently_is_an_error() {
    const CHECK: usize = 9;
    let table = with(text(["1", "2", "3", "4", "5"]), text(["0.5"; 5]), text(["red"; 5]), Vec::new());
    let bytes = compress(&table, CODE, false).0;
    let mut reader = Reader::new(bytes.as_slice()).unwrap();
    let mut writer = Writer::new(Vec::new(), reader.header()).unwrap();
    while let Some(mut chunk) = reader.next_chunk().unwrap() {
        chunk.sections[CHECK][0] ^= 1;
        writer.chunk(chunk.rows, &chunk.sections.iter().map(Vec::as_slice).collect::<Vec<_>>()).unwrap();
    }
    let forged = writer.finish().unwrap();
    let error = TableDecompressor::new(model(), forged.as_slice()).unwrap().next_table().unwrap_err().to_string();
    assert!(error.contains("this machine decodes the codes to other numbers"), "{error}");
}
