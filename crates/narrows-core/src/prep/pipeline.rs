//! The preprocessing pipeline of a table: fitted on training rows, then immutable.

use std::borrow::Cow;
use std::ops::Range;

use narrows_engine::rng::Stream;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::Prep;
use super::base_dates::base_dates;
use super::block::Block;
use super::cell::Cell;
use super::cell_arrays::{array_of, by_column, instants};
use super::encoder::{ColumnEncoder, EncoderBlock, EncoderFit};
use super::grain::{Grain, OutputError};
use super::prepared::{BlockSlots, GapFill, PrepCounts, PrepTally, Prepared};
use super::residual_noise::ResidualNoise;
use super::spread::Spreads;
use super::summary::{ColumnPrep, PrepReport};
use crate::data::{Schema, Table};
use crate::error::{Error, Place, Result};

/// Rows prepared by one thread at a time.
const CHUNK: usize = 1024;

/// The encoders of a table's features, fitted on training rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pipeline {
    columns: Vec<FittedColumn>,
    blocks: Vec<Block>,
    width: usize,
    /// Empty in files before format 5.
    #[serde(default, skip_serializing_if = "Spreads::is_empty")]
    spreads: Spreads,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FittedColumn {
    summary: ColumnPrep,
    encoder: ColumnEncoder,
    /// The column's inputs, including its indicator.
    range: Range<usize>,
}

impl Pipeline {
    /// Fits on the training rows of the features only.
    ///
    /// # Errors
    /// [`Error::Data`] without training rows; [`Error::Mismatch`] without features, or for a feature that is missing,
    /// text or not typed; [`Error::Recipe`] for an invalid setting.
    ///
    /// ```
    /// use narrows_core::data::{Table, infer};
    /// use narrows_core::prep::{Cell, Pipeline, Prep};
    /// let table = Table::from_columns(vec![("x", vec![1.0, 2.0, 4.0])])?;
    /// let schema = infer(&table)?.schema;
    /// let (pipeline, _) = Pipeline::fit(&table, &schema, &["x".to_owned()], &[0, 1, 2], &Prep::default())?;
    /// let prepared = pipeline.transform(&table)?;
    /// let Cell::Number(x) = pipeline.inverse(&prepared.input[2..3])[0].1 else { panic!() };
    /// assert!((x - 4.0).abs() < 1e-6);
    /// # Ok::<(), narrows_core::Error>(())
    /// ```
    pub fn fit(
        table: &Table,
        schema: &Schema,
        features: &[String],
        rows: &[u32],
        prep: &Prep,
    ) -> Result<(Pipeline, PrepReport)> {
        if rows.is_empty() {
            return Err(Error::data(Place::source(table.source()), "expected training rows, got none"));
        }
        if let Some(row) = rows.iter().find(|row| **row as usize >= table.n_rows()) {
            let message = format!("expected training rows below {}, got {row}", table.n_rows());
            return Err(Error::data(Place::source(table.source()), message));
        }
        if features.is_empty() {
            let error = Error::mismatch("expected at least one column to learn from, got none");
            return Err(error.with_hint("constant, empty and id-like columns are not features"));
        }
        if prep.max_levels == 0 {
            return Err(Error::recipe("prep.max_levels", "expected at least 1, got 0"));
        }
        let chosen = schema.select(features)?;
        // The first failing feature is reported, independent of thread scheduling.
        let after = base_dates(table, &chosen, rows, prep);
        let results: Vec<Result<EncoderFit>> = chosen
            .columns
            .par_iter()
            .zip(&after)
            .map(|(column, after)| ColumnEncoder::fit(table, column, after.as_deref(), rows, prep))
            .collect();
        let mut pipeline = Pipeline::empty();
        let mut report = PrepReport { rows: rows.len(), ..PrepReport::default() };
        for found in results {
            let EncoderFit { encoder, summary, infinite, clipped, is_constant } = found?;
            let name = || summary.name.clone();
            report.infinite.extend((infinite > 0).then(|| (name(), infinite)));
            report.clipped.extend((clipped > 0).then(|| (name(), clipped)));
            report.constant.extend(is_constant.then(name));
            report.columns.push(summary.clone());
            pipeline.push(summary, encoder);
        }
        Ok((pipeline, report))
    }

    /// Rejects a pipeline that is inconsistent or does not match `schema`; for pipelines read from a file.
    ///
    /// # Errors
    /// [`Error::Mismatch`] with the inconsistency.
    pub fn check(&self, schema: &Schema) -> Result<()> {
        let names: Vec<&str> = self.columns.iter().map(|column| column.summary.name.as_str()).collect();
        if names != schema.names() {
            return Err(Error::mismatch(format!("expected the columns {:?}, got {names:?}", schema.names())));
        }
        let mut again = Pipeline::empty();
        self.columns.iter().for_each(|column| again.push(column.summary.clone(), column.encoder.clone()));
        let same_places = again.width == self.width
            && self.width > 0
            && again.columns.iter().zip(&self.columns).all(|(a, b)| a.range == b.range)
            && again.blocks == self.blocks
            && self.in_order().len() == self.columns.len()
            && self.spreads.is_sound(self.width);
        if same_places {
            Ok(())
        } else {
            Err(Error::mismatch("the blocks of the prepared columns do not follow from the columns"))
        }
    }

    fn empty() -> Pipeline {
        Pipeline { columns: Vec::new(), blocks: Vec::new(), width: 0, spreads: Spreads::default() }
    }

    /// Number of inputs per row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Blocks of inputs by column, in order and without gaps.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// The encoder of each column, in order.
    pub(crate) fn encoders(&self) -> impl Iterator<Item = (&str, &ColumnEncoder)> {
        self.columns.iter().map(|column| (column.summary.name.as_str(), &column.encoder))
    }

    /// Summary of each column, in order.
    pub fn columns(&self) -> Vec<&ColumnPrep> {
        self.columns.iter().map(|column| &column.summary).collect()
    }

    /// Encodes every row of a typed table.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if a column is missing or not typed.
    pub fn transform(&self, table: &Table) -> Result<Prepared> {
        let bound = self.bind(table)?;
        let (n, width) = (table.n_rows(), self.width);
        let (mut input, mut target) = (vec![0.0; n * width], vec![0.0; n * width]);
        let tallies: Vec<Vec<PrepTally>> = input
            .par_chunks_mut(CHUNK * width)
            .zip(target.par_chunks_mut(CHUNK * width))
            .enumerate()
            .map(|(chunk, (input, target))| {
                let rows = input.len() / width;
                let write = |(column, bound): (&FittedColumn, &EncoderBlock<'_>)| {
                    let mut slots =
                        BlockSlots { input: &mut *input, target: &mut *target, width, start: column.range.start };
                    bound.write(chunk * CHUNK, rows, &mut slots)
                };
                self.columns.iter().zip(&bound).map(write).collect()
            })
            .collect();
        let of_column = |(i, column): (usize, &FittedColumn)| {
            let tally = tallies.iter().map(|tallies| tallies[i]).fold(PrepTally::default(), PrepTally::plus);
            tally.of(&column.summary.name)
        };
        let counts = PrepCounts::of(self.columns.iter().enumerate().map(of_column).collect());
        Ok(Prepared { input, target, n, width, counts })
    }

    /// What each input is if it was not observed, `[width]`.
    pub(crate) fn gaps(&self) -> Vec<GapFill> {
        self.columns.iter().flat_map(|column| column.encoder.gaps()).collect()
    }

    /// Decodes one row of inputs, `[width]`, by column in order.
    ///
    /// # Panics
    /// If `features` does not have length `width`.
    pub fn inverse(&self, features: &[f32]) -> Vec<(String, Cell)> {
        self.held_cells(features, &[])
    }

    /// The same with numbers rounded and clamped to the grains of their columns, if any.
    pub(crate) fn held_cells(&self, features: &[f32], grains: &[Option<Grain>]) -> Vec<(String, Cell)> {
        assert_eq!(features.len(), self.width, "one row of inputs");
        let read = |(i, column): (usize, &FittedColumn)| {
            let grain = grains.get(i).and_then(Option::as_ref);
            (column.summary.name.clone(), held(column.read(features), grain))
        };
        self.columns.iter().enumerate().map(read).collect()
    }

    /// The observed values of one row of a typed table, by column in the order of [`inverse`](Pipeline::inverse).
    ///
    /// # Panics
    /// If `row` is out of bounds, or the table is not valid for
    /// [`transform`](Pipeline::transform).
    pub fn original(&self, table: &Table, row: usize) -> Vec<(String, Cell)> {
        let bound = self.bind(table).expect("a table that has been transformed");
        let observed =
            |(column, bound): (&FittedColumn, EncoderBlock<'_>)| (column.summary.name.clone(), bound.observed(row));
        self.columns.iter().zip(bound).map(observed).collect()
    }

    /// Decodes `n` rows of inputs, `[n, width]`, to a table: columns with their names and types,
    /// datetimes as text of their parts.
    ///
    /// # Errors
    /// [`Error::Data`] if `features` does not have `n` rows.
    pub fn inverse_table(&self, features: &[f32], n: usize) -> Result<Table> {
        self.held_table(features, n, &[])
    }

    /// The same with numbers rounded and clamped to the grains of their columns, if any.
    pub(crate) fn held_table(&self, features: &[f32], n: usize, grains: &[Option<Grain>]) -> Result<Table> {
        if features.len() != n * self.width {
            let message = format!("expected {n} rows of {} inputs, got {} numbers", self.width, features.len());
            return Err(Error::data(Place::source("features"), message));
        }
        self.table_named(self.cells(features, grains), "reconstructed")
    }

    /// The same as cells, by column.
    pub(crate) fn cells(&self, features: &[f32], grains: &[Option<Grain>]) -> Vec<Vec<Cell>> {
        let order = self.in_order();
        let rows: Vec<Vec<Cell>> = features
            .par_chunks_exact(self.width)
            .map(|row| {
                let mut cells = vec![Cell::Missing; self.columns.len()];
                for (i, base) in &order {
                    let column = &self.columns[*i];
                    let base = base.map(|base| cells[base].clone());
                    let cell = column.encoder.read_after(&row[column.range.clone()], base.as_ref());
                    cells[*i] = held(cell, grains.get(*i).and_then(Option::as_ref));
                }
                cells
            })
            .collect();
        by_column(rows, self.columns.len())
    }

    /// Samples rows from the decoder's output, `[n, width]`, in place, and returns the cells, `[n]`, by column. Row `i`
    /// uses `stream(i)` only.
    pub(crate) fn draw(
        &self,
        features: &mut [f32],
        grains: &[Option<Grain>],
        noise: Option<&ResidualNoise>,
        stream: impl Fn(usize) -> Stream + Sync,
    ) -> Vec<Vec<Cell>> {
        let order = self.in_order();
        let drawn: Vec<Vec<Cell>> = features
            .par_chunks_exact_mut(self.width)
            .enumerate()
            .map(|(row, features)| {
                let mut stream = stream(row);
                let mut noises = vec![0.0; if noise.is_some() { self.width } else { 0 }];
                if let Some(noise) = noise {
                    noise.draw(&mut noises, &mut stream);
                }
                let mut cells = vec![Cell::Missing; self.columns.len()];
                for (i, base) in &order {
                    let column = &self.columns[*i];
                    let grain = grains.get(*i).and_then(Option::as_ref);
                    let noises = noises.get(column.range.clone()).unwrap_or_default();
                    let base = base.map(|base| cells[base].clone());
                    let features = &mut features[column.range.clone()];
                    cells[*i] = column.encoder.draw(features, grain, (noises, base.as_ref()), &mut stream);
                }
                cells
            })
            .collect();
        by_column(drawn, self.columns.len())
    }

    /// The columns in the order of decoding, each with the place of the one that it comes after; those that come after
    /// each other in a circle are left out.
    fn in_order(&self) -> Vec<(usize, Option<usize>)> {
        let place = |name: &str| self.columns.iter().position(|column| column.summary.name == name);
        let base: Vec<Option<&str>> = self.columns.iter().map(|column| column.encoder.after()).collect();
        let mut order: Vec<(usize, Option<usize>)> = Vec::with_capacity(self.columns.len());
        order.extend(base.iter().enumerate().filter(|(_, base)| base.is_none()).map(|(i, _)| (i, None)));
        loop {
            let before = order.len();
            for (i, base) in base.iter().enumerate() {
                let base = base.and_then(place).filter(|_| order.iter().all(|(known, _)| *known != i));
                order.extend(
                    base.filter(|base| order.iter().any(|(known, _)| known == base)).map(|base| (i, Some(base))),
                );
            }
            if order.len() == before {
                return order;
            }
        }
    }

    /// Whether numbers and dates are encoded for generation.
    pub(crate) fn has_shapes(&self) -> bool {
        let is_shape =
            |column: &FittedColumn| matches!(column.encoder, ColumnEncoder::Shape(_) | ColumnEncoder::Instant(_));
        self.columns.iter().any(is_shape)
    }

    /// The table of cells by column, as returned by [`draw`](Pipeline::draw).
    pub(crate) fn table_of(&self, cells: Vec<Vec<Cell>>) -> Result<Table> {
        self.table_named(cells, "generated")
    }

    fn table_named(&self, cells: Vec<Vec<Cell>>, name: &str) -> Result<Table> {
        let column = |(column, cells): (&FittedColumn, Vec<Cell>)| {
            let array = match column.encoder {
                ColumnEncoder::Instant(_) => instants(cells.into_iter()),
                _ => array_of(column.summary.kind, cells.into_iter()),
            };
            (column.summary.name.clone(), array)
        };
        Table::from_arrays(self.columns.iter().zip(cells).map(column).collect(), name)
    }

    /// The grains of the columns, from the training rows of a typed table and the reconstruction errors of the
    /// inputs, `[width]`.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if a column is missing or not typed.
    pub(crate) fn grains(&self, table: &Table, rows: &[u32], errors: &[OutputError]) -> Result<Vec<Option<Grain>>> {
        let bound = self.bind(table)?;
        Ok(self
            .columns
            .iter()
            .zip(bound)
            .map(|(column, bound)| bound.grain(rows, &errors[column.range.clone()]))
            .collect())
    }

    /// Notes the spread of each input in the training rows.
    pub(crate) fn note_spreads(&mut self, prepared: &Prepared, rows: &[u32]) {
        self.spreads = Spreads::of(&self.blocks, prepared, rows);
    }

    /// The spread of each input in the training rows, or the usual one if it was not noted.
    pub(crate) fn spreads(&self) -> Cow<'_, Spreads> {
        if self.spreads.is_empty() { Cow::Owned(Spreads::usual(&self.blocks)) } else { Cow::Borrowed(&self.spreads) }
    }

    /// Brings the numbers of one row of outputs to the grains of their columns, if any.
    pub(crate) fn hold(&self, features: &mut [f32], grains: &[Option<Grain>]) {
        for (column, grain) in self.columns.iter().zip(grains) {
            let Some(grain) = grain else { continue };
            match &column.encoder {
                ColumnEncoder::Number(number) => {
                    let slot = &mut features[column.range.start];
                    *slot = number.forward(grain.hold(number.backward(*slot))).0;
                }
                ColumnEncoder::Shape(shape) => shape.hold(&mut features[column.range.clone()], |x| grain.hold(x)),
                _ => {}
            }
        }
    }

    /// Rejects grains of another pipeline; for grains read from a file.
    pub(crate) fn check_grains(&self, grains: &[Option<Grain>]) -> Result<()> {
        let fits = grains.is_empty() || grains.len() == self.columns.len();
        if fits && grains.iter().flatten().all(Grain::is_sound) {
            return Ok(());
        }
        Err(Error::mismatch("the grains of the columns do not follow from the columns"))
    }

    fn push(&mut self, summary: ColumnPrep, encoder: ColumnEncoder) {
        let start = self.width;
        for (kind, width, unit_interval) in encoder.layout() {
            let range = self.width..self.width + width;
            self.width = range.end;
            self.blocks.push(Block { column: summary.name.clone(), kind, range, unit_interval });
        }
        self.columns.push(FittedColumn { summary, encoder, range: start..self.width });
    }

    fn bind<'a>(&'a self, table: &'a Table) -> Result<Vec<EncoderBlock<'a>>> {
        self.columns.iter().map(|column| column.encoder.bind(table, &column.summary.name)).collect()
    }
}

impl FittedColumn {
    fn read(&self, features: &[f32]) -> Cell {
        self.encoder.read(&features[self.range.clone()])
    }
}

/// A number as its column could hold it.
fn held(cell: Cell, grain: Option<&Grain>) -> Cell {
    match (cell, grain) {
        (Cell::Number(x), Some(grain)) => Cell::Number(grain.hold(x)),
        (cell, _) => cell,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Array, ArrayRef, StringArray};

    use super::*;
    use crate::data::{conform, infer};

    fn words(cells: &[&str]) -> ArrayRef {
        Arc::new(StringArray::from(cells.to_vec()))
    }

    /// Typed columns of every kind, with a deviating last row.
    fn table() -> (Table, Schema) {
        let raw = Table::from_arrays(
            vec![
                ("amount".to_owned(), words(&["1", "", "3", "1e300"])),
                ("ok".to_owned(), words(&["yes", "no", "yes", "?"])),
                ("proto".to_owned(), words(&["tcp", "udp", "tcp", "icmp"])),
                ("at".to_owned(), words(&["2024-03-12T14:20:00Z", "2024-03-13", "2024-03-28", ""])),
                ("id".to_owned(), words(&["a", "b", "c", "d"])),
            ],
            "t.csv",
        )
        .unwrap();
        let schema = infer(&raw).unwrap().schema;
        (conform(raw, &schema).unwrap().0, schema)
    }

    fn features(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn fitted() -> (Pipeline, PrepReport, Table) {
        let (table, schema) = table();
        let names = features(&["amount", "ok", "proto", "at"]);
        let (pipeline, report) = Pipeline::fit(&table, &schema, &names, &[0, 1, 2], &Prep::default()).unwrap();
        (pipeline, report, table)
    }

    #[test]
    fn blocks_tile_the_inputs_in_the_order_of_the_features() {
        let (pipeline, report, _) = fitted();
        let told: Vec<String> = pipeline
            .blocks()
            .iter()
            .map(|block| format!("{} {:?} {:?} {}", block.column, block.kind, block.range, block.unit_interval))
            .collect();
        assert_eq!(
            told,
            [
                "amount Number 0..1 false",
                "amount Missing 1..2 true",
                "ok Flag 2..3 true",
                "proto Levels 3..6 true",
                "at Cyclic 6..10 false",
            ]
        );
        assert_eq!((pipeline.width(), report.rows, report.columns.len()), (10, 3, 4));
        assert_eq!(
            pipeline.columns()[0].what,
            "standardised (mean 2, std 1); 1 missing filled with median 2, with an indicator"
        );
    }

    #[test]
    fn only_training_rows_have_influence_and_others_are_counted() {
        let (pipeline, _, table) = fitted();
        let prepared = pipeline.transform(&table).unwrap();
        assert_eq!(prepared.input[..3], [-1.0, 0.0, 1.0]);
        let last = &prepared.input[30..];
        assert_eq!(last[..6], [1e3, 0.0, 1.0, 0.0, 0.0, 1.0]);
        assert!(prepared.target[32].is_nan() && prepared.target[36].is_nan() && last[6] == 0.0);
        let counts = &prepared.counts;
        assert_eq!((counts.missing, counts.clipped, counts.unseen_levels, counts.columns.len()), (3, 1, 1, 4));
    }

    #[test]
    fn inverse_and_original_tell_the_same_of_a_training_row() {
        let (pipeline, _, table) = fitted();
        let prepared = pipeline.transform(&table).unwrap();
        for row in 0..3 {
            let told = |cells: Vec<(String, Cell)>| {
                cells.iter().map(|(name, cell)| format!("{name}={cell}")).collect::<Vec<_>>()
            };
            let back = told(pipeline.inverse(&prepared.input[row * 10..][..10]));
            assert_eq!(back, told(pipeline.original(&table, row)));
        }
        assert_eq!(pipeline.original(&table, 3)[1].1, Cell::Missing);
        let back = pipeline.inverse_table(&prepared.input, 4).unwrap();
        assert_eq!(back.names(), ["amount", "ok", "proto", "at"]);
        assert!(back.column("amount").unwrap().is_null(1));
        assert!(pipeline.inverse_table(&prepared.input, 3).is_err());
    }

    #[test]
    fn a_row_alone_is_prepared_as_among_others_for_any_number_of_threads() {
        let n = 5000;
        let column = |k: f64| (0..n).map(|i| (f64::from(i) * k).sin()).collect::<Vec<f64>>();
        let table = Table::from_columns(vec![("a", column(0.1)), ("b", column(0.7))]).unwrap();
        let schema = infer(&table).unwrap().schema;
        let rows: Vec<u32> = (0..n as u32).collect();
        let (pipeline, _) = Pipeline::fit(&table, &schema, &features(&["a", "b"]), &rows, &Prep::default()).unwrap();
        let whole = pipeline.transform(&table).unwrap();
        let one = pipeline.transform(&table.slice(4321, 1)).unwrap();
        assert_eq!(one.input, whole.input[4321 * 2..][..2]);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        assert_eq!(pool.install(|| pipeline.transform(&table)).unwrap(), whole);
    }

    #[test]
    fn a_pipeline_goes_through_json_unchanged() {
        let (pipeline, ..) = fitted();
        let text = serde_json::to_string(&pipeline).unwrap();
        let back: Pipeline = serde_json::from_str(&text).unwrap();
        assert_eq!(back, pipeline);
        assert_eq!(serde_json::to_string(&back).unwrap(), text);
    }

    #[test]
    fn what_cannot_be_fitted_is_refused() {
        let (table, schema) = table();
        let check = |names: &[&str], rows: &[u32], expected: &str| {
            let error = Pipeline::fit(&table, &schema, &features(names), rows, &Prep::default()).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        };
        check(&["amount"], &[], "t.csv: expected training rows, got none");
        check(&["amount"], &[9], "expected training rows below 4, got 9");
        check(&[], &[0], "expected at least one column to learn from");
        check(&["amuont"], &[0], "there is no column `amuont`");
        let raw = Table::from_arrays(vec![("amount".to_owned(), words(&["1"]))], "t").unwrap();
        let error = Pipeline::fit(&raw, &schema, &features(&["amount"]), &[0], &Prep::default()).unwrap_err();
        assert_eq!(error.to_string(), "column `amount`: expected numbers typed as numeric, got Utf8");
        let none = Prep { max_levels: 0, ..Prep::default() };
        assert!(Pipeline::fit(&table, &schema, &features(&["amount"]), &[0], &none).is_err());
        let (pipeline, ..) = fitted();
        assert!(pipeline.transform(&table.without(&["ok"])).is_err());
    }
}
