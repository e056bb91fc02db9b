//! Damaged inputs of every format: whatever the bytes, rows or an error, never a panic, and no more memory than a small
//! file justifies.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray, StringDictionaryBuilder,
    StringViewArray, TimestampMicrosecondArray,
};
use arrow::datatypes::Int32Type;
use arrow::ipc::CompressionType;
use arrow::ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
use narrows_core::compress::{ImageDecompressor, TableDecompressor};
use narrows_core::data::Source;
use narrows_core::images::{Album, Channels, Image, Limits, Photo};
use narrows_core::{Model, Recipe};
use ndarray::{Array1, Array2, Array3, ShapeBuilder};
use ndarray_npy::{NpzWriter, WriteNpyExt};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use crate::allocator::measured;

/// Documents that hold a whole table.
const JSON: [&str; 5] = [
    r#"[{"a": 1, "b": "x"}, {"a": 2.5, "b": null}, {"b": "y", "c": true}]"#,
    r#"{"a": [1, 2, 3], "b": ["x", "y", "z"]}"#,
    r#"{"columns": ["a", "b"], "index": [0, 1], "data": [[1, "x"], [2, "y"]]}"#,
    r#"{"a": {"0": 1, "1": 2}, "b": {"0": "x", "1": "y"}}"#,
    r#"{"meta": {"n": 2}, "rows": [{"a": 1, "b": {"c": 2}}, {"a": 3, "b": {"c": 4}}]}"#,
];

/// Damaged files of each kind; `many_more` tries a hundred times as many.
const FEW: usize = 120;
const MANY: usize = 20_000;

/// What a file of some kilobytes may take.
const MEMORY: usize = 700 << 20;

/// Damages bytes, the same way for the same seed.
pub(crate) struct Mutator {
    state: u64,
}

impl Mutator {
    pub(crate) fn new(seed: u64) -> Mutator {
        Mutator { state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1 }
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 11) as usize % n.max(1)
    }

    pub(crate) fn mutated(&mut self, whole: &[u8]) -> Vec<u8> {
        let mut bytes = whole.to_vec();
        for _ in 0..1 + self.below(3) {
            let at = self.below(bytes.len());
            let room = bytes.len() - at;
            match self.below(8) {
                0 | 1 if room > 0 => bytes[at] = self.below(256) as u8,
                2 if room > 0 => bytes[at] ^= 1 << self.below(8),
                3 if room >= 4 => {
                    let value = [u32::MAX, i32::MAX as u32, 1 << 31, 0, 1 << 24][self.below(5)];
                    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
                }
                4 if room >= 8 => {
                    let value = [u64::MAX, i64::MAX as u64, 1 << 63, 0, 1 << 40][self.below(5)];
                    bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
                }
                5 => bytes.truncate(at),
                6 => {
                    let from = self.below(bytes.len());
                    let part = bytes[from..from + self.below(bytes.len() - from)].to_vec();
                    bytes.splice(at..at, part);
                }
                7 => drop(bytes.drain(at..at + self.below(room.min(64)))),
                _ => {}
            }
        }
        bytes
    }
}

/// Reads damaged copies of `whole`, a sound file.
fn check(name: &str, whole: &[u8], times: usize, read: impl Fn(&Path) -> bool) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, whole).unwrap();
    assert!(read(&path), "{name}: the sound file was refused");
    for seed in 0..times {
        let bytes = Mutator::new(seed as u64).mutated(whole);
        std::fs::write(&path, &bytes).unwrap();
        let (outcome, memory) = measured(|| std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| read(&path))));
        if outcome.is_err() || memory > MEMORY {
            let kept = std::env::temp_dir().join(format!("narrows-mutation-{seed}-{name}"));
            std::fs::write(&kept, &bytes).unwrap();
            panic!("{name}: seed {seed}: a panic or {memory} bytes of memory; the file is {}", kept.display());
        }
    }
}

fn as_table(path: &Path) -> bool {
    let source = Source::parse(&[path.display().to_string()]).unwrap();
    source.open(50, None).and_then(|mut reader| reader.read_all()).is_ok()
}

fn as_images(path: &Path) -> bool {
    let limits = Limits { max_pixels: 1 << 20, ..Limits::default() };
    let album = Album::open(path, &limits).and_then(Album::check);
    album.is_ok_and(|album| (0..album.len()).all(|i| album.photo(i).is_ok()))
}

fn batch() -> RecordBatch {
    let n = 120;
    let mut words = StringDictionaryBuilder::<Int32Type>::new();
    (0..n).for_each(|i| words.append_value(["red", "green", "blue"][i % 3]));
    let some = |i: usize| i % 11 != 5;
    let arrays: [(&str, ArrayRef); 8] = [
        ("x", Arc::new((0..n).map(|i| some(i).then_some(i as f64 / 7.0)).collect::<Float64Array>())),
        ("n", Arc::new((0..n as i64).collect::<Int64Array>())),
        ("flag", Arc::new((0..n).map(|i| some(i).then_some(i % 2 == 0)).collect::<BooleanArray>())),
        ("text", Arc::new((0..n).map(|i| some(i).then(|| format!("cell {i}"))).collect::<StringArray>())),
        ("view", Arc::new((0..n).map(|i| Some(format!("a longer cell {i}"))).collect::<StringViewArray>())),
        ("word", Arc::new(words.finish())),
        ("day", Arc::new(Date32Array::from((0..n as i32).collect::<Vec<i32>>()))),
        ("time", Arc::new(TimestampMicrosecondArray::from((0..n as i64).map(|i| i * 1_000_000).collect::<Vec<i64>>()))),
    ];
    RecordBatch::try_from_iter_with_nullable(arrays.map(|(name, array)| (name, array, true))).unwrap()
}

fn parquet(compression: Compression) -> Vec<u8> {
    let properties =
        WriterProperties::builder().set_compression(compression).set_max_row_group_row_count(Some(70)).build();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch().schema(), Some(properties)).unwrap();
    writer.write(&batch()).unwrap();
    writer.close().unwrap();
    bytes
}

fn arrow(is_file: bool, compression: Option<CompressionType>) -> Vec<u8> {
    let (batch, mut bytes) = (batch(), Vec::new());
    let options = IpcWriteOptions::default().try_with_compression(compression).unwrap();
    if is_file {
        let mut writer = FileWriter::try_new_with_options(&mut bytes, &batch.schema(), options).unwrap();
        writer.write(&batch).and_then(|()| writer.finish()).unwrap();
    } else {
        let mut writer = StreamWriter::try_new_with_options(&mut bytes, &batch.schema(), options).unwrap();
        writer.write(&batch).and_then(|()| writer.finish()).unwrap();
    }
    bytes
}

fn csv() -> Vec<u8> {
    let row = |i: usize| {
        format!("2024-03-{:02}T12:00:00Z,{},\"say \"\"{i}\"\"\",{}\n", 1 + i % 28, i as f64 / 3.0, i.is_multiple_of(2))
    };
    format!("time,x,text,flag\n{}", (0..60).map(row).collect::<String>()).into_bytes()
}

fn ndjson() -> Vec<u8> {
    let row = |i: usize| {
        format!(
            "{{\"x\":{},\"text\":\"caf\\u00e9 {i}\",\"flag\":{},\"none\":null}}\n",
            i as f64 / 3.0,
            i.is_multiple_of(2)
        )
    };
    (0..60).map(row).collect::<String>().into_bytes()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn npy(array: &impl WriteNpyExt) -> Vec<u8> {
    let mut bytes = Vec::new();
    array.write_npy(&mut bytes).unwrap();
    bytes
}

fn npz(is_packed: bool) -> Vec<u8> {
    let bytes = std::io::Cursor::new(Vec::new());
    let mut writer = if is_packed { NpzWriter::new_compressed(bytes) } else { NpzWriter::new(bytes) };
    writer.add_array("X", &Array2::from_shape_fn((40, 3), |(i, j)| (i * j) as f64)).unwrap();
    writer.add_array("y", &Array1::from_iter((0..40).map(|i| i % 2 == 0))).unwrap();
    writer.finish().unwrap().into_inner()
}

fn tables(times: usize) {
    check("a.csv", &csv(), times, as_table);
    check("a.csv.gz", &gzip(&csv()), times, as_table);
    check("a.csv.zst", &zstd::encode_all(csv().as_slice(), 1).unwrap(), times, as_table);
    check("a.ndjson", &ndjson(), times, as_table);
    let blanks = String::from_utf8(csv()).unwrap().replace(',', "  ");
    check("a.txt", blanks.as_bytes(), times, as_table);
    let utf_16: Vec<u8> = blanks.encode_utf16().flat_map(u16::to_le_bytes).collect();
    check("b.csv", &[b"\xff\xfe".as_slice(), &utf_16].concat(), times, as_table);
    for (i, text) in JSON.iter().enumerate() {
        check(&format!("{i}.json"), text.as_bytes(), times, as_table);
    }
    check("a.npy", &npy(&Array2::from_shape_fn((40, 3), |(i, j)| (i * j) as f32)), times, as_table);
    check("b.npy", &npy(&Array2::from_shape_fn((40, 3).f(), |(i, j)| (i * j) as i16)), times, as_table);
    check("a.npz", &npz(true), times, as_table);
    check("b.npz", &npz(false), times, as_table);
}

fn arrows(times: usize) {
    for compression in [None, Some(CompressionType::LZ4_FRAME), Some(CompressionType::ZSTD)] {
        check("a.arrow", &arrow(true, compression), times, as_table);
        check("a.arrows", &arrow(false, compression), times, as_table);
    }
}

fn parquets(times: usize) {
    let zstd = Compression::ZSTD(ZstdLevel::default());
    for compression in [Compression::UNCOMPRESSED, Compression::SNAPPY, zstd, Compression::LZ4_RAW] {
        check("a.parquet", &parquet(compression), times, as_table);
    }
}

fn images(times: usize) {
    let noise = |i: usize| ((i * 7_919) % 251) as f32 / 250.0;
    let image = Image::new(19, 23, Channels::Rgb, (0..19 * 23 * 3).map(noise).collect());
    let folder = tempfile::tempdir().unwrap();
    for extension in ["png", "jpg", "webp", "tif", "bmp", "gif", "ppm", "pam"] {
        let path = folder.path().join("whole").with_extension(extension);
        Photo::from(image.clone()).write(&path).unwrap();
        check(&format!("a.{extension}"), &std::fs::read(path).unwrap(), times, as_images);
    }
    let digits = npy(&Array3::from_shape_fn((3, 8, 9), |(i, y, x)| (i * 70 + y * 9 + x) as u8));
    let idx = [&[0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 8, 0, 0, 0, 9], &digits[digits.len() - 216..]].concat();
    check("a-idx3-ubyte", &idx, times, as_images);
    check("a-idx3-ubyte.gz", &gzip(&idx), times, as_images);
    check("images.npy", &digits, times, as_images);
}

fn recipes(times: usize) {
    let text = Recipe::preset("auto".parse().unwrap()).to_toml();
    check("a.toml", text.as_bytes(), times, |path| {
        let text = String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
        Recipe::from_toml(&text).is_ok_and(|recipe| recipe.check().is_ok())
    });
}

fn compressed(times: usize) {
    let here = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs the tests"));
    let golden = |name: &str| here.join("../../testdata/compressed").join(name);
    let sheet = Model::load(golden("sheet.narrows")).unwrap().into_table().unwrap();
    let discs = Model::load(golden("discs.narrows")).unwrap().into_images().unwrap();
    let rows = |path: &Path| -> narrows_core::Result<()> {
        let mut rows = TableDecompressor::new(&sheet, File::open(path).unwrap())?;
        while rows.next_table()?.is_some() {}
        Ok(())
    };
    let images = |path: &Path| -> narrows_core::Result<()> {
        let mut images = ImageDecompressor::new(&discs, File::open(path).unwrap())?;
        while images.next_images()?.is_some() {}
        Ok(())
    };
    for name in ["sheet_bound.nrw", "sheet_code.nrw"] {
        check(name, &std::fs::read(golden(name)).unwrap(), times, |path| rows(path).is_ok());
    }
    for name in ["discs_bound.nrw", "discs_code.nrw"] {
        check(name, &std::fs::read(golden(name)).unwrap(), times, |path| images(path).is_ok());
    }
}

#[test]
fn damaged_compressed_files_are_content_or_an_error() {
    compressed(FEW / 2);
}

#[test]
fn damaged_text_and_arrays_are_rows_or_an_error() {
    tables(FEW);
}

#[test]
fn damaged_arrow_files_are_rows_or_an_error() {
    arrows(FEW);
}

#[test]
fn damaged_parquet_files_are_rows_or_an_error() {
    parquets(FEW);
}

#[test]
fn damaged_image_files_are_images_or_an_error() {
    images(FEW / 2);
}

#[test]
fn damaged_recipes_are_recipes_or_an_error() {
    recipes(FEW);
}

#[test]
#[ignore = "minutes: run after a change of a reader"]
fn many_more() {
    let times = std::env::var("NARROWS_MUTATIONS").map_or(MANY, |n| n.parse().expect("a number"));
    tables(times);
    arrows(times);
    parquets(times);
    images(times);
    recipes(times);
    compressed(times);
}
