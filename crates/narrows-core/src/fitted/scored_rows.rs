//! The scores of new data row by row, with what a page needs to show them: which rows, their reasons, their columns beside
//! what is expected, their place on the code map.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::Float64Type;
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::adapter::TabularAdapter;
use super::core::Core;
use super::new_data::{ExplainedRows, NewDataReporter};
use super::roles::Verdict;
use super::scoring::Scores;
use super::series::{PointDetail, PointsAsked, new_points};
use super::tabular::{TabularKind, TabularModel};
use crate::baseline::Pca;
use crate::data::{Column, ColumnKind, DropReason, Schema, Table, conform};
use crate::detect::Reason;
use crate::distribution::{ColumnDistribution, ColumnValues};
use crate::error::Result;
use crate::report::{
    CalibrationSample, ColumnPanel, DETAILED, DETAILED_CELLS, DRAWN_VALUES, DrawnSeries, IdentifyingColumn, LISTED,
    ListedRows, NewDataReport, REASONS, Role, RowDetails, SampleLayout, ScoredData,
};

/// Columns that identify rows, at most.
const IDS: usize = 3;
/// Longest cell that is shown, in characters.
const CELL: usize = 200;
/// Levels of a category that are shown.
const LEVELS: usize = 50;
/// Bins of a number's distribution.
const BINS: usize = 30;

/// Makes the report on new data together with its rows; keeps the highest-scoring ones of very many.
#[derive(Debug)]
pub struct ScoredDataReporter<'m> {
    reporter: NewDataReporter<'m>,
    layout: SampleLayout,
    columns: Vec<Column>,
    ids: Vec<String>,
    rows: Vec<ScoredRow>,
    /// Points of series: those that score highest, and every series.
    points: Vec<(u64, PointDetail)>,
    drawn: Vec<DrawnSeries>,
}

/// A scored row.
#[derive(Debug)]
struct ScoredRow {
    number: u64,
    score: f64,
    p_value: f64,
    verdict: Option<Verdict>,
    ids: Vec<String>,
    place: Option<[f32; 2]>,
}

impl<'m> ScoredDataReporter<'m> {
    /// A report on data from `source`.
    pub fn new(model: &'m dyn TabularModel, source: impl Into<String>) -> ScoredDataReporter<'m> {
        let columns = shown_columns(model);
        let detailed = detailed_rows(columns.len());
        ScoredDataReporter {
            reporter: NewDataReporter::new(model, source).keeping(detailed),
            layout: layout(model),
            ids: identifying(model),
            columns,
            rows: Vec::new(),
            points: Vec::new(),
            drawn: Vec::new(),
        }
    }

    /// With metrics, as in [`NewDataReporter::labelled`].
    #[must_use]
    pub fn labelled(mut self, label: &str, normal: Option<&str>) -> ScoredDataReporter<'m> {
        self.reporter = self.reporter.labelled(label, normal);
        self
    }

    /// The columns that are read, the label aside.
    pub fn reads(&self) -> Schema {
        let mut schema = self.reporter.model.columns_read();
        for name in &self.ids {
            if schema.get(name).is_none() {
                schema.columns.push(Column::new(name, ColumnKind::Text));
            }
        }
        schema
    }

    /// Scores the rows of `table`, as [`NewDataReporter::add`] does. Returns the scores.
    ///
    /// # Errors
    /// As [`NewDataReporter::add`].
    pub fn add(&mut self, table: &Table) -> Result<Scores> {
        let (scores, verdicts) = self.reporter.add_scored(table)?;
        if let (SampleLayout::Points, TabularKind::Series(model)) = (self.layout, self.reporter.model.by_kind()) {
            let points = detailed_rows(self.columns.len());
            let asked = PointsAsked { points, reasons: REASONS, values: DRAWN_VALUES };
            let mut found = new_points(&model, table, Some(asked))?;
            let numbered = |point: PointDetail| (table.row_number(point.row as usize), point);
            self.points = std::mem::take(&mut found.highest).into_iter().map(numbered).collect();
            self.drawn = std::mem::take(&mut found.drawn);
            self.reporter.set_points(found);
        }
        let places = self.places(table)?;
        let ids: Vec<&ArrayRef> = self.ids.iter().filter_map(|name| table.column(name)).collect();
        let format = FormatOptions::default();
        let formatters = ids.iter().map(|array| ArrayFormatter::try_new(array.as_ref(), &format));
        let formatters: Vec<ArrayFormatter<'_>> = formatters.filter_map(std::result::Result::ok).collect();
        for row in (0..table.n_rows()).filter(|row| !scores.score[*row].is_nan()) {
            self.rows.push(ScoredRow {
                number: table.row_number(row),
                score: scores.score[row],
                p_value: scores.p_value[row],
                verdict: verdicts.get(row).copied(),
                ids: formatters.iter().map(|formatter| cut(&formatter.value(row).to_string())).collect(),
                place: places.as_ref().map(|places| places[row]),
            });
        }
        if formatters.len() < self.ids.len() {
            self.ids.retain(|name| table.column(name).is_some());
        }
        if self.rows.len() > 2 * LISTED {
            keep_highest(&mut self.rows);
        }
        Ok(scores)
    }

    /// Where the rows are on the code map, if the model knows its axes and a row has a code.
    fn places(&self, table: &Table) -> Result<Option<Vec<[f32; 2]>>> {
        let kind = self.reporter.model.by_kind();
        let TabularKind::Table(model) = &kind else { return Ok(None) };
        let Some(axes) = axes(&model.core) else { return Ok(None) };
        let codes = model.core.codes(&TabularAdapter::samples(model.adapter.as_ref(), table)?.prepared);
        Ok(Some(places(axes, &codes)))
    }

    /// The report, and its rows.
    ///
    /// # Errors
    /// As [`NewDataReporter::finish`].
    pub fn finish(mut self) -> Result<(NewDataReport, ScoredData)> {
        let model = self.reporter.model;
        let kind = model.by_kind();
        let core = kind.core();
        let width = self.columns.len();
        let (found, explained) = self.reporter.finish_explained(width.max(REASONS))?;
        keep_highest(&mut self.rows);
        self.rows.sort_by_key(|row| row.number);
        let calibration = &core.threshold.calibration;
        let blocks = (calibration.blocks < calibration.scores.len()).then_some(calibration.blocks as u64);
        let calibration = CalibrationSample::of(&calibration.scores, blocks);
        let mut data = ScoredData::new(&found, self.layout, calibration);
        let position = |number: u64| self.rows.binary_search_by_key(&number, |row| row.number).ok();
        data.details = match self.layout {
            SampleLayout::Points => of_points(self.points, position),
            _ => of_rows(model, &self.columns, explained, position)?,
        };
        data.columns = panels(&self.columns, core);
        data.rows = listed(&self.ids, self.rows);
        data.training_map = core.report.code_map.clone();
        data.series = self.drawn;
        Ok((found, data))
    }
}

/// What a sample of a model is.
pub(super) fn layout(model: &dyn TabularModel) -> SampleLayout {
    match model.by_kind() {
        TabularKind::Table(_) => SampleLayout::Table,
        TabularKind::Series(_) if model.rows_are_independent() => SampleLayout::Steps,
        TabularKind::Series(_) => SampleLayout::Points,
    }
}

/// The columns that are shown of rows: those that scoring reads, without those that identify points.
fn shown_columns(model: &dyn TabularModel) -> Vec<Column> {
    let index = model.index_columns();
    model.columns_read().columns.into_iter().filter(|column| !index.contains(&column.name)).collect()
}

/// These columns with their training distributions.
pub(super) fn column_panels(model: &dyn TabularModel) -> Vec<ColumnPanel> {
    let kind = model.by_kind();
    let invariants = match &kind {
        TabularKind::Table(model) => TabularAdapter::invariants(model.adapter.as_ref()),
        TabularKind::Series(model) => TabularAdapter::invariants(model.adapter.as_ref()),
    };
    let mut panels = panels(&shown_columns(model), kind.core());
    for panel in &mut panels {
        panel.always = invariants.and_then(|invariants| invariants.always(&panel.name));
    }
    panels
}

/// How many rows of so many columns are shown with all of them.
fn detailed_rows(columns: usize) -> usize {
    (DETAILED_CELLS / columns.max(1)).clamp(20, DETAILED)
}

/// Leaves the highest-scoring rows of too many.
fn keep_highest(rows: &mut Vec<ScoredRow>) {
    if rows.len() > LISTED {
        rows.select_nth_unstable_by(LISTED, |a, b| b.score.total_cmp(&a.score).then(a.number.cmp(&b.number)));
        rows.truncate(LISTED);
    }
}

/// The columns that identify rows: those of series, and those that a fit found to be identifiers.
fn identifying(model: &dyn TabularModel) -> Vec<String> {
    let reason = DropReason::Identifier.to_string();
    let columns = &model.report().columns;
    let dropped = columns.iter().filter(|column| column.role == Role::Dropped && column.words.contains(&reason));
    let index = model.index_columns().into_iter();
    index.chain(dropped.map(|column| column.name.clone())).take(IDS).collect()
}

/// The axes of the code map, if they are for codes of this size.
pub(super) fn axes(core: &Core) -> Option<&Pca> {
    let axes = core.report.code_axes.as_ref()?;
    (axes.width() == core.code_size() && axes.components.len() == axes.n_components() * axes.width()).then_some(axes)
}

/// Codes on the axes of the code map.
pub(super) fn places(axes: &Pca, codes: &[f32]) -> Vec<[f32; 2]> {
    let d = axes.n_components();
    if d == 0 {
        return vec![[0.0; 2]; codes.len() / axes.width().max(1)];
    }
    axes.encode(codes).chunks_exact(d).map(|at| [at[0], at.get(1).copied().unwrap_or(0.0)]).collect()
}

fn listed(ids: &[String], rows: Vec<ScoredRow>) -> ListedRows {
    let has_labels = rows.iter().any(|row| row.verdict.is_some());
    let has_places = rows.iter().all(|row| row.place.is_some());
    let mut listed = ListedRows { listed: rows.len() as u64, ..ListedRows::default() };
    listed.ids = ids.iter().map(|name| IdentifyingColumn { name: name.clone(), values: Vec::new() }).collect();
    for row in rows {
        listed.row.push(row.number);
        listed.score.push(row.score);
        listed.p_value.push(row.p_value);
        if has_labels {
            listed.label.push(match row.verdict {
                Some(Verdict::Anomalous) => Some(1),
                Some(Verdict::Normal) => Some(0),
                Some(Verdict::Unlabelled) | None => None,
            });
        }
        if let (true, Some([x, y])) = (has_places, row.place) {
            listed.x.push(x);
            listed.y.push(y);
        }
        listed.ids.iter_mut().zip(row.ids).for_each(|(column, cell)| column.values.push(cell));
    }
    listed
}

/// The columns with their training distributions.
fn panels(columns: &[Column], core: &Core) -> Vec<ColumnPanel> {
    let known = |name: &str| core.distribution.iter().flat_map(|d| &d.columns).find(|column| column.column == name);
    columns.iter().map(|column| panel(column, known(&column.name))).collect()
}

fn panel(column: &Column, known: Option<&ColumnDistribution>) -> ColumnPanel {
    let mut panel = ColumnPanel {
        name: column.name.clone(),
        kind: match column.kind {
            ColumnKind::Numeric => "number",
            ColumnKind::Boolean | ColumnKind::Category => "category",
            ColumnKind::Datetime => "date",
            ColumnKind::Text => "other",
        },
        edges: Vec::new(),
        counts: Vec::new(),
        quartiles: None,
        range: None,
        always: None,
        levels: Vec::new(),
        others: None,
        missing: known.map(|known| known.missing as f64 / known.rows.max(1) as f64),
    };
    match known.map(|known| &known.values) {
        Some(ColumnValues::Numbers(grid)) => {
            (panel.edges, panel.counts) = grid.histogram(BINS);
            panel.quartiles = grid.quartiles();
            panel.range = grid.range();
        }
        Some(ColumnValues::Levels(levels)) => {
            let mut by_count: Vec<(String, u64)> = levels.counts.iter().map(|(name, n)| (cut(name), *n)).collect();
            by_count.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
            let rest = by_count.split_off(by_count.len().min(LEVELS));
            panel.others = Some(levels.others + rest.iter().map(|(_, n)| n).sum::<u64>());
            panel.levels = by_count;
        }
        Some(ColumnValues::Dates) | None => {}
    }
    panel
}

fn of_points(points: Vec<(u64, PointDetail)>, position: impl Fn(u64) -> Option<usize>) -> RowDetails {
    let mut details = RowDetails::default();
    for (number, point) in points {
        let Some(position) = position(number) else { continue };
        let pairs: Vec<Pair> = point.got.iter().zip(&point.expected).map(|(got, e)| Pair::numbers(*got, *e)).collect();
        details.of.push(position as u64);
        details.reasons.push(point.reasons);
        details.got.push(pairs.iter().map(|pair| pair.got.clone()).collect());
        details.expected.push(pairs.into_iter().map(|pair| pair.expected).collect());
    }
    details
}

/// The cells of explained rows beside what is expected: where a column is to blame, what the reasons say.
fn of_rows(
    model: &dyn TabularModel,
    columns: &[Column],
    explained: ExplainedRows,
    position: impl Fn(u64) -> Option<usize>,
) -> Result<RowDetails> {
    let Some(table) = &explained.table else { return Ok(RowDetails::default()) };
    let schema = Schema { columns: columns.to_vec() };
    let (typed, _) = conform(table.clone(), &schema)?;
    let rebuilt = model.reconstruct(table)?;
    let cells: Vec<Vec<Pair>> = columns
        .iter()
        .map(|column| {
            pairs(table.column(&column.name), typed.column(&column.name), rebuilt.column(&column.name), table.n_rows())
        })
        .collect();
    let mut details = RowDetails::default();
    for (row, (number, mut reasons)) in explained.numbers.iter().zip(explained.reasons).enumerate() {
        let Some(position) = position(*number) else { continue };
        let of_column = |(column, cells): (&Column, &Vec<Pair>)| -> Pair {
            let pair = cells[row].clone();
            match reasons.iter().find(|reason| reason.column == column.name) {
                // Numbers have the same decimals; others are told as they came.
                Some(reason) if column.kind == ColumnKind::Numeric => {
                    Pair { expected: Some(cut(&reason.expected)), got: pair.got.map(|_| cut(&reason.got)) }
                }
                Some(reason) => Pair { expected: Some(cut(&reason.expected)), ..pair },
                None => pair,
            }
        };
        let pairs: Vec<Pair> = columns.iter().zip(&cells).map(of_column).collect();
        reasons.truncate(REASONS);
        details.of.push(position as u64);
        details.reasons.push(reasons);
        details.got.push(pairs.iter().map(|pair| pair.got.clone()).collect());
        details.expected.push(pairs.into_iter().map(|pair| pair.expected).collect());
    }
    Ok(details)
}

/// A cell and what is expected there, as text.
#[derive(Debug, Clone, Default, PartialEq)]
struct Pair {
    got: Option<String>,
    expected: Option<String>,
}

impl Pair {
    /// Both with the same number of decimals.
    fn numbers(got: f64, expected: f64) -> Pair {
        let known = |x: f64| x.is_finite();
        let written = Reason::number(
            "",
            0.0,
            if known(expected) { expected } else { got },
            if known(got) { got } else { expected },
        );
        Pair { got: known(got).then_some(written.got), expected: known(expected).then_some(written.expected) }
    }
}

/// The cells of a column: numbers as such, others as they are written.
fn pairs(raw: Option<&ArrayRef>, typed: Option<&ArrayRef>, rebuilt: Option<&ArrayRef>, rows: usize) -> Vec<Pair> {
    let number = |array: Option<&ArrayRef>, row: usize| {
        let numbers = array?.as_primitive_opt::<Float64Type>()?;
        Some(if numbers.is_valid(row) { numbers.value(row) } else { f64::NAN })
    };
    let format = FormatOptions::default();
    let formatter = |array: Option<&ArrayRef>| {
        let array = array?.clone();
        ArrayFormatter::try_new(array.as_ref(), &format).ok().map(|formatter| {
            (0..rows).map(|row| array.is_valid(row).then(|| cut(&formatter.value(row).to_string()))).collect::<Vec<_>>()
        })
    };
    let is_number = typed.is_some_and(|array| array.as_primitive_opt::<Float64Type>().is_some());
    if is_number {
        let pair =
            |row| Pair::numbers(number(typed, row).unwrap_or(f64::NAN), number(rebuilt, row).unwrap_or(f64::NAN));
        return (0..rows).map(pair).collect();
    }
    let (got, expected) = (formatter(raw), formatter(rebuilt));
    let present = |row: usize| typed.is_none_or(|array| array.is_valid(row));
    let cell = |cells: &Option<Vec<Option<String>>>, row: usize| cells.as_ref().and_then(|cells| cells[row].clone());
    (0..rows)
        .map(|row| Pair { got: cell(&got, row).filter(|_| present(row)), expected: cell(&expected, row) })
        .collect()
}

/// Text of bounded length.
fn cut(text: &str) -> String {
    match text.char_indices().nth(CELL) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Float64Array, StringArray};

    use super::*;
    use crate::fitted::{Dataset, Model, Roles, Session, fit};
    use crate::recipe::{DataKind, Preset, Recipe};

    /// Rows of two numbers on a circle, a category that goes with them, and an identifier.
    fn rows(n: usize, odd: &[usize]) -> Table {
        let angle = |i: usize| i as f64 / 31.0;
        let x = |i: usize| if odd.contains(&i) { 9.0 } else { angle(i).sin() };
        let side = |i: usize| if angle(i).sin() > 0.0 { "up" } else { "down" };
        let label = |i: usize| if odd.contains(&i) { "fault" } else { "ok" };
        let columns: Vec<(String, ArrayRef)> = vec![
            ("id".to_owned(), Arc::new((0..n).map(|i| Some(format!("row-{i}-of-{n}"))).collect::<StringArray>())),
            ("x".to_owned(), Arc::new((0..n).map(|i| Some(x(i))).collect::<Float64Array>())),
            ("y".to_owned(), Arc::new((0..n).map(|i| Some(angle(i).cos())).collect::<Float64Array>())),
            ("side".to_owned(), Arc::new((0..n).map(|i| Some(side(i))).collect::<StringArray>())),
            ("label".to_owned(), Arc::new((0..n).map(|i| Some(label(i))).collect::<StringArray>())),
        ];
        Table::from_arrays(columns, "new.csv").unwrap()
    }

    fn fitted() -> Box<dyn TabularModel> {
        let mut recipe = Recipe::preset(Preset::Simple);
        recipe.set("train.steps=100").unwrap();
        let roles = Roles { label: Some("label".to_owned()), ..Roles::default() };
        let data = Dataset::table(rows(600, &[]), roles);
        fit(&recipe, data, &Session::default()).unwrap().into_tabular().unwrap()
    }

    #[test]
    fn rows_have_their_ids_their_labels_and_what_was_expected() {
        let model = fitted();
        let mut reporter = ScoredDataReporter::new(model.as_ref(), "new.csv").labelled("label", Some("ok"));
        assert!(reporter.reads().get("id").is_some());
        let scores = reporter.add(&rows(200, &[17, 150])).unwrap();
        let (found, data) = reporter.finish().unwrap();
        assert_eq!((data.rows.listed, data.read, data.scored), (200, 200, found.scored));
        assert_eq!(data.rows.score, scores.score);
        assert_eq!((data.rows.ids[0].name.as_str(), data.rows.ids[0].values[17].as_str()), ("id", "row-17-of-200"));
        assert_eq!((data.rows.label[17], data.rows.label[18]), (Some(1), Some(0)));
        assert_eq!((data.rows.x.len(), data.training_map.is_empty()), (200, false));
        let mut highest = [data.details.of[0], data.details.of[1]];
        highest.sort_unstable();
        assert_eq!(highest, [17, 150]);
        let column = data.columns.iter().position(|column| column.name == "x").unwrap();
        assert_eq!(data.details.reasons[0][0].column, "x");
        assert!(data.details.got[0][column].as_deref().unwrap().starts_with('9'));
        let expected: f64 = data.details.expected[0][column].as_deref().unwrap().parse().unwrap();
        assert!(expected < 5.0, "{expected}");
        let panel = &data.columns[column];
        assert_eq!((panel.kind, panel.counts.iter().sum::<u64>()), ("number", model.report().rows.train));
        let side = data.columns.iter().find(|column| column.name == "side").unwrap();
        assert_eq!((side.kind, side.levels.len()), ("category", 2));
        assert!(data.verdict.starts_with(&format!("{} of 200 rows", found.anomalies)));
    }

    #[test]
    fn the_highest_of_very_many_rows_are_listed_in_their_order() {
        let row = |number: u64| ScoredRow {
            number,
            score: (number % 1000) as f64,
            p_value: 0.5,
            verdict: None,
            ids: Vec::new(),
            place: None,
        };
        let mut rows: Vec<ScoredRow> = (0..LISTED as u64 + 1000).map(row).collect();
        keep_highest(&mut rows);
        assert_eq!(rows.len(), LISTED);
        assert!(rows.iter().all(|row| row.score >= 9.0), "the lowest are left out");
    }

    #[test]
    fn points_of_series_are_drawn_and_the_highest_explained() {
        let n = 1200;
        let x = |i: usize| if i == 700 { 6.0 } else { (i as f64 / 5.0).sin() };
        let table = |odd: bool| {
            let values = (0..n).map(|i| if odd { x(i) } else { (i as f64 / 5.0).sin() }).collect();
            Table::from_columns(vec![("x", values)]).unwrap()
        };
        let mut recipe = Recipe::preset_for(Preset::Simple, DataKind::Series);
        recipe.set("train.steps=60").unwrap();
        recipe.set("data.window=32").unwrap();
        let model = fit(&recipe, Dataset::from(table(false)), &Session::default()).unwrap();
        let Model::Series(model) = model else { panic!("series") };
        let mut reporter = ScoredDataReporter::new(&model, "new.csv");
        reporter.add(&table(true)).unwrap();
        let (found, data) = reporter.finish().unwrap();
        assert_eq!((data.layout, data.noun.many), (SampleLayout::Points, "points"));
        assert_eq!((data.series.len(), data.series[0].times.len(), data.series[0].of), (1, n, n as u64));
        assert_eq!(data.series[0].channels[0].signal[700], Some(6.0));
        assert!(data.details.of.iter().take(40).any(|at| data.rows.row[*at as usize] == 700));
        assert!(!data.series[0].events.is_empty() && !found.top.is_empty());
    }

    #[test]
    fn missing_cells_have_no_text_and_long_ones_are_cut() {
        assert_eq!(Pair::numbers(f64::NAN, 2.0), Pair { got: None, expected: Some("2".to_owned()) });
        assert_eq!(Pair::numbers(1.5, f64::NAN), Pair { got: Some("1.50".to_owned()), expected: None });
        assert_eq!(Pair::numbers(f64::NAN, f64::NAN), Pair::default());
        assert_eq!(cut(&"é".repeat(300)).chars().count(), CELL + 1);
    }
}
