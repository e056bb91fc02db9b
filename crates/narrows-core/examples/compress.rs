//! Compression within a bound: fit a model to sensor readings, store more of them, read them back.

#![allow(clippy::print_stdout, reason = "an example prints its result")]

use narrows_core::arrow::array::AsArray;
use narrows_core::arrow::datatypes::Float64Type;
use narrows_core::compress::{ErrorBound, Fidelity, TableCompressor, TableDecompressor};
use narrows_core::data::Table;
use narrows_core::rng::{Purpose, Stream};
use narrows_core::{Preset, Recipe, Result, Session, fit};

/// Readings of six sensors that two hidden states drive.
fn readings(first: u64, n: u64) -> Result<Table> {
    let mut columns: Vec<(String, Vec<f64>)> = (0..6).map(|j| (format!("sensor_{j}"), Vec::new())).collect();
    for row in first..first + n {
        let mut stream = Stream::new(3, Purpose::Demo, 0, row);
        let (a, b) = (f64::from(stream.normal()), f64::from(stream.normal()));
        for (j, (_, column)) in columns.iter_mut().enumerate() {
            let weight = j as f64 / 5.0;
            let noise = 0.05 * f64::from(stream.normal());
            column.push(20.0 + 5.0 * (weight * a + (1.0 - weight) * b).tanh() + noise);
        }
    }
    Table::from_columns(columns)
}

fn main() -> Result<()> {
    let mut recipe = Recipe::preset(Preset::Compressing);
    recipe.train.steps = 1000;
    let model = fit(&recipe, readings(0, 3000)?, &Session::default())?.into_table()?;

    // No number may be off by more than 0.05.
    let bound = 0.05;
    let table = readings(10_000, 20_000)?;
    let mut writer = TableCompressor::new(&model, Fidelity::Within(ErrorBound::Absolute(bound)), Vec::new())?;
    writer.push(&table)?;
    let (bytes, account) = writer.finish()?;
    let original = 8 * table.n_rows() * table.names().len();
    println!("{original} bytes of doubles in {} bytes: {:.1} to 1", bytes.len(), original as f64 / bytes.len() as f64);
    println!(
        "{:.2} bits a number; bytes of codes {}, of residuals {}",
        account.bits_a_value(),
        account.codes,
        account.residual
    );
    if let Some(zstd) = account.zstd_of_cells {
        println!("zstd -19 makes {zstd} bytes of the same numbers, rounded in the same way");
    }

    // Chunk by chunk, with the model that wrote it.
    let mut reader = TableDecompressor::new(&model, bytes.as_slice())?;
    let mut chunks = Vec::new();
    while let Some(chunk) = reader.next_table()? {
        chunks.push(chunk);
    }
    let back = Table::concat(&chunks)?;
    let mut largest = 0.0_f64;
    for name in table.names() {
        let was = table.expect_column(name)?.as_primitive::<Float64Type>();
        let is = back.expect_column(name)?.as_primitive::<Float64Type>();
        largest = was.values().iter().zip(is.values()).map(|(was, is)| (was - is).abs()).fold(largest, f64::max);
    }
    println!("{} rows back; largest error {largest:.4}, bound {bound}", back.n_rows());
    Ok(())
}
