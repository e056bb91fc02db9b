//! Operations of table models on rows: score, explain, reconstruct, encode, decode, generate.

use std::collections::BTreeMap;

use arrow::array::AsArray;
use arrow::datatypes::Float64Type;

use super::adapter::{PreparedRows, TableAdapter};
use crate::compute::Compute;
use crate::data::{Column, ColumnKind, Schema, Table};
use crate::detect::residual::Slots;
use crate::ensemble::Ensemble;
use crate::error::Result;
use crate::fitted::adapter::{Adapter, Origin, SampleBatch, TabularAdapter};
use crate::fitted::core::Core;
use crate::fitted::encoder::code_columns;
use crate::fitted::evaluate::EvaluationSamples;
use crate::fitted::generation::{self, DrawnRows, levels, numbers};
use crate::fitted::invariants::{Evidence, Invariants};
use crate::fitted::roles::Verdict;
use crate::fitted::scoring::{Explained, OutsideRange, ScoreCounts, ScoreDetail};
use crate::model::Shape;
use crate::prep::{Block, BlockKind, Cell, Grain, Level, Prepared};
use crate::sample_similarity::{self, ColumnDistance, Values};

impl Adapter for TableAdapter {
    fn blocks(&self) -> &[Block] {
        self.pipeline.blocks()
    }

    fn slots(&self) -> Slots {
        TableAdapter::slots(self)
    }

    fn shape(&self) -> Shape {
        Shape::Row
    }

    fn generated(&self, core: &Core, outputs: &mut Vec<f32>, seed: u64) -> Vec<f32> {
        let width = self.pipeline.width();
        let n = outputs.len() / width.max(1);
        let cells = self.drawn(outputs, 0, seed, core.compute());
        let mut target = outputs.clone();
        let names = self.schema.names();
        for block in self.pipeline.blocks() {
            let hidden = matches!(block.kind, BlockKind::Number | BlockKind::Flag | BlockKind::Cyclic);
            let Some(column) = names.iter().position(|name| hidden && *name == block.column) else { continue };
            let missing = (0..n).filter(|row| cells[column][*row] == Cell::Missing);
            missing.for_each(|row| target[row * width..][block.range.clone()].fill(f32::NAN));
        }
        target
    }

    fn column_distances(&self, generated: &Prepared, held_out: &Prepared) -> Vec<ColumnDistance> {
        if self.pipeline.has_shapes() {
            return self.cell_distances(generated, held_out);
        }
        let blocks = self.pipeline.blocks().iter().filter(|block| block.kind != BlockKind::Missing);
        let distance = |block: &Block| {
            let missing = |rows: &Prepared| {
                let unseen = (0..rows.n).filter(|row| rows.target[row * rows.width + block.range.start].is_nan());
                unseen.count() as f64 / rows.n.max(1) as f64
            };
            let missing = Some([missing(held_out), missing(generated)]);
            let slots: Vec<usize> = block.range.clone().collect();
            let values = match block.kind {
                BlockKind::Levels | BlockKind::Flag => {
                    Values::Levels { generated: levels(generated, &slots), held_out: levels(held_out, &slots) }
                }
                BlockKind::Number | BlockKind::Cyclic | BlockKind::Missing => {
                    Values::Numbers { generated: numbers(generated, &slots), held_out: numbers(held_out, &slots) }
                }
            };
            sample_similarity::distances(&block.column, values, missing)
        };
        blocks.map(distance).collect()
    }
}

impl TabularAdapter for TableAdapter {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn invariants(&self) -> Option<&Invariants> {
        self.invariants.as_ref()
    }

    fn explain(&self, core: &Core, table: &Table, k: usize) -> Result<Explained> {
        let samples = self.prepare(table)?;
        let evidence = self.evidence(table, &samples.typed);
        let rows = 0..samples.prepared.n as u32;
        let scorer = &core.scorer;
        let detail = if k > 0 { ScoreDetail::Shares } else { ScoreDetail::Scores };
        let scored = scorer.score_with(&samples.prepared, detail);
        let mut reasons = Vec::new();
        if k > 0 {
            let of_errors = self.reasons(scorer, &samples, &scored.shares, k);
            reasons = rows.clone().zip(of_errors).map(|(row, reasons)| evidence.reasons(row, reasons, k)).collect();
        }
        let score = evidence.judged(rows, scored.scores);
        let counts = ScoreCounts {
            unscored: score.iter().filter(|score| score.is_nan()).count() as u64,
            ..self.counts(samples, evidence)
        };
        Ok(Explained { scores: core.threshold.scores(score, counts), reasons })
    }

    fn reconstruct(&self, core: &Core, table: &Table) -> Result<Table> {
        let prepared = self.prepare(table)?.prepared;
        self.decoded(&core.scorer.ensemble.output(&prepared.input), prepared.n)
    }

    fn samples(&self, table: &Table) -> Result<SampleBatch> {
        Ok(SampleBatch { prepared: self.prepare(table)?.prepared, levels: Vec::new(), origins: Vec::new() })
    }

    fn encode(&self, ensemble: &Ensemble, table: &Table) -> Result<Table> {
        let codes = ensemble.codes(&self.prepare(table)?.prepared.input);
        Table::from_columns(code_columns(&codes, ensemble.code_size()))
    }

    fn decoded(&self, outputs: &[f32], n: usize) -> Result<Table> {
        self.pipeline.inverse_table(outputs, n)
    }

    fn varied(&self, outputs: &[f32], n: usize, _levels: &[Level], _origins: &[Origin]) -> Result<Table> {
        let rows = self.pipeline.held_table(outputs, n, &self.grains)?;
        self.form.as_ref().map_or(Ok(rows.clone()), |form| form.spelled(&rows))
    }

    fn new_rows(&self, core: &Core, outputs: &mut [f32], first: u64, seed: u64) -> Result<DrawnRows> {
        let typed = self.pipeline.table_of(self.drawn(outputs, first, seed, core.compute()))?;
        let written = match &self.form {
            Some(form) => form.completed(&typed, first, seed)?,
            None => typed.clone(),
        };
        Ok(DrawnRows { typed, written })
    }

    fn evaluate(
        &self,
        core: &Core,
        table: &Table,
        verdicts: &[Verdict],
        samples: &mut EvaluationSamples,
    ) -> Result<()> {
        let labelled = Verdict::labelled(verdicts);
        if labelled.is_empty() {
            return Ok(());
        }
        let table = table.take(&labelled);
        let rows = self.prepare(&table)?;
        samples.note_outside(&self.outside(&rows.typed), labelled.len());
        let score = core.scorer.score(&rows.prepared);
        let score = self.evidence(&table, &rows.typed).judged(0..labelled.len() as u32, score);
        samples.add_scored(core, &rows.prepared, score, labelled.iter().map(|row| verdicts[*row as usize]));
        Ok(())
    }
}

impl TableAdapter {
    /// The distances by the values of the columns, of which one may have several blocks.
    fn cell_distances(&self, generated: &Prepared, held_out: &Prepared) -> Vec<ColumnDistance> {
        let cells = |rows: &Prepared| self.pipeline.cells(&rows.input, &self.grains);
        let columns = self.schema.columns.iter().zip(cells(generated)).zip(cells(held_out));
        let distance = |((column, generated), held_out): ((&Column, Vec<Cell>), Vec<Cell>)| {
            let missing = |cells: &[Cell]| {
                cells.iter().filter(|cell| **cell == Cell::Missing).count() as f64 / cells.len().max(1) as f64
            };
            let shares = Some([missing(&held_out), missing(&generated)]);
            let values = match column.kind {
                ColumnKind::Numeric | ColumnKind::Datetime => {
                    let numbers = |cells: &[Cell]| {
                        let number = |cell: &Cell| match cell {
                            Cell::Number(x) => Some(*x as f32),
                            Cell::Instant(t) => Some(*t as f32),
                            _ => None,
                        };
                        cells.iter().filter_map(number).collect::<Vec<f32>>()
                    };
                    Values::Numbers { generated: numbers(&generated), held_out: numbers(&held_out) }
                }
                ColumnKind::Boolean | ColumnKind::Category | ColumnKind::Text => {
                    let mut known: BTreeMap<String, usize> = BTreeMap::new();
                    let mut places = |cells: &[Cell]| -> Vec<usize> {
                        let there = cells.iter().filter(|cell| **cell != Cell::Missing);
                        let place = |cell: &Cell| {
                            let next = known.len();
                            *known.entry(cell.to_string()).or_insert(next)
                        };
                        there.map(place).collect()
                    };
                    Values::Levels { generated: places(&generated), held_out: places(&held_out) }
                }
            };
            sample_similarity::distances(&column.name, values, shares)
        };
        columns.map(distance).collect()
    }

    fn counts(&self, samples: PreparedRows, evidence: Evidence) -> ScoreCounts {
        let counts = &samples.prepared.counts;
        ScoreCounts {
            rows: samples.prepared.n as u64,
            missing: counts.missing,
            clipped: counts.clipped,
            unseen_levels: counts.unseen_levels,
            outside: self.outside(&samples.typed),
            extra_columns: self.unread(samples.extra_columns),
            unreadable: samples.unreadable,
            broken: evidence.counts,
            lacking: evidence.lacking,
            ..ScoreCounts::default()
        }
    }

    /// Those of the columns that nothing is compared with either.
    fn unread(&self, mut extra: Vec<String>) -> Vec<String> {
        if let Some(invariants) = &self.invariants {
            extra.retain(|name| invariants.constant(name.trim()).is_none());
        }
        extra
    }

    /// The numeric columns with cells outside their training range.
    fn outside(&self, typed: &Table) -> Vec<OutsideRange> {
        let of_column = |(column, grain): (&Column, &Option<Grain>)| {
            let grain = grain.as_ref()?;
            let numbers = typed.column(&column.name)?.as_primitive_opt::<Float64Type>()?;
            let count = |is: &dyn Fn(f64) -> bool| numbers.iter().flatten().filter(|x| is(*x)).count() as u64;
            let (above, below) = (count(&|x| x > grain.highest), count(&|x| x < grain.lowest));
            (above + below > 0).then(|| OutsideRange { column: column.name.clone(), above, below })
        };
        self.schema.columns.iter().zip(&self.grains).filter_map(of_column).collect()
    }

    /// Samples the cells of decoded rows, by column, in place.
    fn drawn(&self, outputs: &mut [f32], first: u64, seed: u64, compute: &Compute) -> Vec<Vec<Cell>> {
        let stream = |row: usize| generation::cell_stream(seed, first + row as u64);
        compute.install(|| self.pipeline.draw(outputs, &self.grains, self.noise.as_ref(), stream))
    }
}
