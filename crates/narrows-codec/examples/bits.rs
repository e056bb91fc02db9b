//! How many bits a value a plane of integers costs, or codes.
//!
//!     cargo run --release -p narrows-codec --example bits -- values.i64 guesses.i64 rows 4500 140
//!     cargo run --release -p narrows-codec --example bits -- values.i64 guesses.i64 images 1 512 512 3 [chunk]
//!     cargo run --release -p narrows-codec --example bits -- codes.i64 training.i64 codes 4500 8 [chunk]
//!
//! Both files hold little-endian 64-bit integers: the values, and the guesses in 1/256 of a step (`-` for zeros). The
//! shape is `rows ROWS COLUMNS`, `series POINTS CHANNELS` or `images COUNT HEIGHT WIDTH CHANNELS`. With a chunk length,
//! so many rows, points or images at a time are coded, each chunk by itself. Every chunk is decoded and compared. Codes
//! are `codes ROWS UNITS`, and in the place of guesses comes a file of codes of any number of rows to make the tables from.

use narrows_codec::{Plane, Shape, Table, decode_codes, decode_plane, encode_codes, encode_plane};
use std::{env, error::Error, fs, time::Instant};

fn read(path: &str) -> Result<Vec<i64>, Box<dyn Error>> {
    let bytes = fs::read(path).map_err(|error| format!("cannot read {path}: {error}"))?;
    let (words, rest) = bytes.as_chunks::<8>();
    if !rest.is_empty() {
        return Err(format!("{path}: expected whole 64-bit integers, got {} bytes", bytes.len()).into());
    }
    Ok(words.iter().map(|word| i64::from_le_bytes(*word)).collect())
}

fn say(bytes: usize, values: usize, encoding: u128, decoding: u128) -> Result<(), Box<dyn Error>> {
    // Integers suffice: thousandths of a bit.
    let milli = bytes as u128 * 8000 / values.max(1) as u128;
    let text = format!(
        "{bytes} bytes, {}.{:03} bits a value, {values} values, encoded in {} ms, decoded in {} ms\n",
        milli / 1000,
        milli % 1000,
        encoding / 1000,
        decoding / 1000
    );
    std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes())?;
    Ok(())
}

fn codes(symbols: &[i64], training: &[i64], sizes: &[usize]) -> Result<(), Box<dyn Error>> {
    let &[rows, units, ref chunk @ ..] = sizes else {
        return Err("expected: CODES TRAINING codes ROWS UNITS [CHUNK]".into());
    };
    if units == 0 || rows * units != symbols.len() {
        return Err(format!("{rows} rows of {units} codes, but {} codes", symbols.len()).into());
    }
    let tables: Vec<Table> =
        (0..units).map(|unit| Table::from_symbols(training.iter().skip(unit).step_by(units).copied())).collect();
    let (mut bytes, mut encoding, mut decoding) = (0, 0, 0);
    for symbols in symbols.chunks(units * chunk.first().unwrap_or(&rows)) {
        let start = Instant::now();
        let coded = encode_codes(symbols, &tables);
        encoding += start.elapsed().as_micros();
        let start = Instant::now();
        let decoded = decode_codes(&coded, symbols.len() / units, &tables)?;
        decoding += start.elapsed().as_micros();
        if decoded != symbols {
            return Err("decoded other codes".into());
        }
        bytes += coded.len();
    }
    say(bytes, symbols.len(), encoding, decoding)
}

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = env::args().skip(1).collect();
    let [values, guesses, kind, sizes @ ..] = args.as_slice() else {
        return Err("expected: VALUES GUESSES rows|series|images SIZE... [CHUNK]".into());
    };
    let sizes = sizes.iter().map(|size| size.parse::<usize>()).collect::<Result<Vec<_>, _>>()?;
    if kind == "codes" {
        return codes(&read(values)?, &read(guesses)?, &sizes);
    }
    let (whole, chunk): (Shape, usize) = match (kind.as_str(), sizes.as_slice()) {
        ("rows", &[rows, columns, ref chunk @ ..]) => (Shape::Rows { rows, columns }, *chunk.first().unwrap_or(&rows)),
        ("series", &[points, channels, ref chunk @ ..]) => {
            (Shape::Series { points, channels }, *chunk.first().unwrap_or(&points))
        }
        ("images", &[count, height, width, channels, ref chunk @ ..]) => {
            (Shape::Images { count, height, width, channels }, *chunk.first().unwrap_or(&count))
        }
        _ => return Err("expected a shape: rows R C, series P C or images N H W C".into()),
    };
    let values = read(values)?;
    let guesses = if guesses == "-" { vec![0; values.len()] } else { read(guesses)? };
    let first = sizes[0].max(1);
    let unit = whole.values().unwrap_or(0) / first;
    if unit * first != values.len() || guesses.len() != values.len() {
        return Err(format!("{whole:?}, but {} values and {} guesses", values.len(), guesses.len()).into());
    }
    let (mut bytes, mut encoding, mut decoding) = (0, 0, 0);
    for (values, guesses) in values.chunks(unit * chunk).zip(guesses.chunks(unit * chunk)) {
        let number = values.len() / unit;
        let shape = match whole {
            Shape::Rows { columns, .. } => Shape::Rows { rows: number, columns },
            Shape::Series { channels, .. } => Shape::Series { points: number, channels },
            Shape::Images { height, width, channels, .. } => Shape::Images { count: number, height, width, channels },
            image => image,
        };
        let plane = Plane { shape, guesses };
        let start = Instant::now();
        let coded = encode_plane(values, &plane);
        encoding += start.elapsed().as_micros();
        let start = Instant::now();
        let decoded = decode_plane(&coded, &plane)?;
        decoding += start.elapsed().as_micros();
        if decoded != values {
            return Err("decoded other values".into());
        }
        bytes += coded.len();
        eprintln!("method {}", coded[0]);
    }
    say(bytes, values.len(), encoding, decoding)
}
