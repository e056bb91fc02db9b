//! Files that were written once and must decode for ever. A change that breaks one of them is a new version of the format.
//!
//! `cargo test -p narrows-codec --test golden -- --ignored` writes those that are not there yet, and never another.

use narrows_codec::{
    Header, Index, Plane, Reader, Shape, Table, VERSION, Writer, decode_codes, decode_plane, encode_codes,
    encode_plane, encode_plane_fast,
};
use std::{fs, io::Cursor, path::PathBuf};

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name)
}

/// A number that looks like chance in [-`most`, `most`].
fn noise(at: usize, most: i64) -> i64 {
    let mixed = (at as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    ((mixed ^ mixed >> 29) >> 33) as i64 % (2 * most + 1) - most
}

/// A triangle wave.
fn wave(at: usize, period: usize, height: i64) -> i64 {
    let (phase, half) = ((at % period) as i64, period as i64 / 2);
    height - 2 * height * (phase - half).abs() / half
}

fn shapes() -> [(&'static str, Shape); 5] {
    [
        ("rows", Shape::Rows { rows: 40, columns: 30 }),
        ("wild", Shape::Rows { rows: 20, columns: 10 }),
        ("series", Shape::Series { points: 300, channels: 3 }),
        ("image", Shape::Image { height: 20, width: 30, channels: 3 }),
        ("images", Shape::Images { count: 3, height: 16, width: 16, channels: 1 }),
    ]
}

fn values_and_guesses(name: &str, shape: Shape) -> (Vec<i64>, Vec<i64>) {
    let count = shape.values().unwrap();
    let (values, guesses) = (0..count)
        .map(|at| match name {
            "rows" => (wave(at, 30, 40) + noise(at, 2), wave(at, 30, 38) * 256 + 77),
            "wild" => (noise(at, 1 << (at % 54)), noise(at + 1, 1 << (at % 60))),
            "series" => (wave(at / 3, 50, 100) * (at % 3) as i64 + noise(at, 3), 0),
            _ => (wave(at, 31, 60) + wave(at / 30, 23, 50) + noise(at, 4), 128 * 256),
        })
        .unzip();
    (values, guesses)
}

fn codes() -> (Vec<i64>, Vec<Table>) {
    let tables = vec![
        Table::from_symbols((0..500).map(|at| noise(at, 5))),
        Table::from_symbols((0..500).map(|at| noise(at, 500))),
        Table::from_symbols((0..500).map(|at| noise(at, 5))).at(-2),
        Table::from_symbols((0..500).map(|at| noise(at, 500))).at(6),
    ];
    let symbols = (0..400).map(|at| noise(at, [7, 800, 20, 9][at % 4])).collect();
    (symbols, tables)
}

fn header(version: u64) -> Header {
    Header { version, codec: 2, model: 0xfeed_0000_0000_0001, settings: b"settings".to_vec() }
}

/// Planes of each coding since version 3: windows of a signal, a signal of channels, halved and in steps, flags, and runs.
fn signals() -> [(&'static str, Shape, Vec<i64>); 5] {
    let of = |count: usize, value: &dyn Fn(usize) -> i64| (0..count).map(value).collect::<Vec<i64>>();
    [
        (
            "windows",
            Shape::Rows { rows: 40, columns: 30 },
            of(1200, &|at| wave(at * 7 + at / 30 * 13, 61, 30) + noise(at, 2)),
        ),
        (
            "channels",
            Shape::Series { points: 400, channels: 2 },
            of(800, &|at| wave(at / 2, 50, 900) + noise(at * at % 7919, 30)),
        ),
        (
            "switch",
            Shape::Series { points: 900, channels: 1 },
            of(900, &|at| [-25, 3, 22, -25, 9][noise(at / 9, 2) as usize % 5]),
        ),
        (
            "flags",
            Shape::Rows { rows: 300, columns: 4 },
            of(1200, &|at| i64::from(noise(at / 4 / (7 + at % 4), 9) > 5) * 5000),
        ),
        ("runs", Shape::Series { points: 3000, channels: 1 }, of(3000, &|at| (at / 1000) as i64)),
    ]
}

#[test]
fn signals_decode() {
    let mut kinds = std::collections::BTreeSet::new();
    for (name, shape, values) in signals() {
        let bytes = fs::read(path(&format!("signal-{name}.bin"))).unwrap();
        let plane = Plane { shape, guesses: &vec![40; values.len()] };
        assert_eq!(decode_plane(&bytes, &plane).unwrap(), values, "{name}");
        assert_eq!(encode_plane(&values, &plane), bytes, "{name} is encoded otherwise");
        kinds.insert(bytes[0]);
    }
    assert!(kinds.len() > 2, "{kinds:?}");
}

#[test]
fn planes_decode() {
    for (name, shape) in shapes() {
        let (values, guesses) = values_and_guesses(name, shape);
        let bytes = fs::read(path(&format!("plane-{name}.bin"))).unwrap();
        assert_eq!(decode_plane(&bytes, &Plane { shape, guesses: &guesses }).unwrap(), values, "{name}");
    }
}

#[test]
fn codes_decode() {
    let (symbols, tables) = codes();
    assert_eq!(decode_codes(&fs::read(path("codes.bin")).unwrap(), 100, &tables).unwrap(), symbols);
}

#[test]
fn a_file_of_every_version_is_read() {
    (1..=VERSION).for_each(check_file);
}

fn check_file(version: u64) {
    let bytes = fs::read(path(&format!("version-{version}.nrwz"))).unwrap();
    let mut reader = Reader::new(bytes.as_slice()).unwrap();
    assert_eq!(reader.header(), &header(version));
    let first = reader.next_chunk().unwrap().unwrap();
    assert_eq!((first.first_row, first.rows, first.sections), (0, 1024, vec![b"one".to_vec(), vec![]]));
    let second = reader.next_chunk().unwrap().unwrap();
    assert_eq!((second.first_row, second.rows, &second.sections), (1024, 3, &vec![b"two".to_vec()]));
    assert!(reader.next_chunk().unwrap().is_none());
    let mut file = Cursor::new(&bytes);
    let index = Index::open(&mut file).unwrap();
    assert_eq!(index.read_chunk(&mut file, 1).unwrap(), second);
}

#[test]
#[ignore = "writes the golden files that are not there yet"]
fn write_missing() {
    let keep = |name: &str, bytes: Vec<u8>| {
        if !path(name).exists() {
            fs::write(path(name), bytes).unwrap();
        }
    };
    for (name, shape) in shapes() {
        let (values, guesses) = values_and_guesses(name, shape);
        keep(&format!("plane-{name}.bin"), encode_plane_fast(&values, &Plane { shape, guesses: &guesses }));
    }
    for (name, shape, values) in signals() {
        let plane = Plane { shape, guesses: &vec![40; values.len()] };
        keep(&format!("signal-{name}.bin"), encode_plane(&values, &plane));
    }
    let (symbols, tables) = codes();
    keep("codes.bin", encode_codes(&symbols, &tables));
    for version in 1..=VERSION {
        let mut writer = Writer::new(Vec::new(), &header(version)).unwrap();
        writer.chunk(1024, &[b"one", b""]).unwrap();
        writer.chunk(3, &[b"two"]).unwrap();
        keep(&format!("version-{version}.nrwz"), writer.finish().unwrap());
    }
}
