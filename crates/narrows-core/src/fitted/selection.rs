//! Selection of the columns and rows that take part in a fit.

use super::feature_filter::FeatureFilter;
use super::generation::RowSketch;
use super::labels::LabelReader;
use super::leftovers::{check_spelling, is_number_of_rows};
use super::roles::{Roles, Verdict};
use super::unchanging::{NOTHING_VARIES, Unchanging};
use crate::data::{self, Column, ColumnKind, ColumnTypes, DropReason, Dropped, Population, Schema, Table};
use crate::error::{Error, Hint, Place, Result};
use crate::report::Label;
use crate::train::{Observer, TrainingEvent};

/// Fewest normal rows that can be split into training and calibration.
pub(super) const FEWEST_ROWS: usize = 10;

/// The selected columns and rows.
pub(super) struct ColumnSelection {
    /// The typed features; all rows.
    pub(super) table: Table,
    /// The schema of the features.
    pub(super) schema: Schema,
    /// Name and kind of all input columns.
    pub(super) all: Schema,
    /// Requested columns without information.
    pub(super) dropped: Vec<Dropped>,
    /// Requested columns that never change in normal rows, or are empty: no features, but perhaps invariants.
    pub(super) unchanging: Vec<Unchanging>,
    /// The cells of these columns as read; all rows.
    pub(super) raw: Table,
    /// Whether no column varies, so that some that do not are the features: a network has to have some.
    pub(super) nothing_varies: bool,
    /// The label column.
    pub(super) label: Option<Label>,
    /// Rows for training and calibration.
    pub(super) normal: Vec<u32>,
    /// Rows labelled anomalous.
    pub(super) anomalous: Vec<u32>,
    /// Rows whose label is missing.
    pub(super) unlabelled: u64,
    /// Columns that are neither feature nor label, with their purpose.
    pub(super) special: Vec<(String, String)>,
    /// The choices made, as text.
    pub(super) notes: Vec<String>,
    /// The columns of rows, for generation.
    pub(super) sketch: RowSketch,
    /// The rows that these are a sample of.
    pub(super) population: Option<Population>,
}

impl ColumnSelection {
    /// The names of the features, in order.
    pub(super) fn features(&self) -> Vec<&str> {
        let is_special = |name: &str| self.special.iter().any(|(special, _)| special == name);
        self.schema.names().into_iter().filter(|name| !is_special(name)).collect()
    }

    /// Adds notes and tells them.
    pub(super) fn note(&mut self, notes: Vec<String>, observer: &dyn Observer) {
        notes.iter().for_each(|note| observer.on_event(TrainingEvent::Noted(note)));
        self.notes.extend(notes);
    }

    /// Selects; `special` are typed columns with another role, and a description of it.
    pub(super) fn choose(
        table: Table,
        roles: &Roles,
        types: &ColumnTypes,
        wanted: FeatureFilter,
        special: Vec<(Column, String)>,
        observer: &dyn Observer,
    ) -> Result<ColumnSelection> {
        let is_special = |name: &str| special.iter().any(|(column, _)| column.name == name);
        types.check_columns(&table.names())?;
        let mut names = roles.features(&table.names())?;
        names.retain(|name| !is_special(name));
        let mut labels = roles.label.as_ref().map(|label| LabelReader::new(label, roles.normal.as_deref()));
        let verdicts = match &mut labels {
            Some(labels) => labels.read(&table)?,
            None => vec![Verdict::Normal; table.n_rows()],
        };
        let rows =
            |wanted| (0..table.n_rows() as u32).filter(|row| verdicts[*row as usize] == wanted).collect::<Vec<u32>>();
        let (normal, anomalous) = (rows(Verdict::Normal), rows(Verdict::Anomalous));
        let unlabelled = (table.n_rows() - normal.len() - anomalous.len()) as u64;
        if normal.len() < FEWEST_ROWS {
            return Err(too_few(&table, labels.as_ref(), normal.len()));
        }

        let features = table.select(&names)?;
        let inferred = if normal.len() == table.n_rows() {
            data::infer_as(&features, types)?
        } else {
            data::infer_as(&features.take(&normal), types)?
        };
        check_spelling(&table, &inferred)?;
        let population = table.population().cloned();
        let (mut dropped, mut unchanging) = (Vec::new(), Vec::new());
        let mut kept = Vec::new();
        for column in &inferred.schema.columns {
            let Column { name, kind, .. } = column;
            let found = inferred.dropped.iter().find(|dropped| dropped.column == *name).map(|dropped| dropped.reason);
            // A number asked for by its name is meant, also if it is a different one in every row.
            let is_asked = *kind == ColumnKind::Numeric && roles.columns.contains(name);
            let found = found.filter(|reason| !(is_asked && *reason == DropReason::Identifier));
            match wanted.reason(*kind, found) {
                Some(reason @ (DropReason::Constant | DropReason::AllMissing)) => {
                    unchanging.push(Unchanging { column: column.clone(), reason });
                }
                Some(reason) => dropped.push(Dropped { column: name.clone(), reason }),
                None => kept.push(name.as_str()),
            }
        }
        let mut notes = population.as_ref().map_or_else(|| Ok(Vec::new()), |population| population.notes(&table))?;
        let stands_in = |unchanging: &&Unchanging| {
            unchanging.reason == DropReason::Constant && wanted.suits(unchanging.column.kind)
        };
        let nothing_varies = kept.is_empty() && unchanging.iter().any(|unchanging| stands_in(&unchanging));
        if nothing_varies {
            kept.extend(unchanging.iter().filter(stands_in).map(|unchanging| unchanging.column.name.as_str()));
            notes.push(NOTHING_VARIES.to_owned());
        }
        if kept.is_empty() && dropped.iter().all(|dropped| is_number_of_rows(&inferred.schema, dropped)) {
            // Rows of whole numbers alone: a line or a grid rather than identifiers of something else.
            for dropped in dropped.extract_if(.., |dropped| dropped.reason == DropReason::Identifier) {
                let column = inferred.schema.get(&dropped.column).expect("a column of the schema");
                kept.push(column.name.as_str());
                notes.push(format!(
                    "column `{}` has another number in every row, as identifiers do, but nothing else is there to learn from",
                    column.name
                ));
            }
        }
        if kept.is_empty() {
            let empty = unchanging.iter().map(|Unchanging { column, reason }| left_out(&column.name, *reason));
            let reasons = dropped.iter().map(|Dropped { column, reason }| left_out(column, *reason)).chain(empty);
            let reasons: Vec<String> = reasons.take(5).collect();
            let message = format!("no column is left to learn from: {}", reasons.join("; "));
            let error = Error::data(Place::source(table.source()), message);
            let is_identifier = dropped.iter().any(|dropped| dropped.reason == DropReason::Identifier);
            let hint = Hint::of("a column of numbers that is named in [columns] is used whatever it holds");
            return Err(if is_identifier { error.with_hint(hint) } else { error });
        }
        let mut schema = Schema { columns: special.iter().map(|(column, _)| column.clone()).collect() };
        schema.columns.extend(inferred.schema.select(&kept)?.columns);
        let all = all_columns(&table, &inferred.schema, &special);
        let label = labels.as_ref().map(LabelReader::label);
        notes.extend(label.as_ref().map(|label| label_note(label, roles)));
        notes.extend(dropped.iter().map(|Dropped { column, reason }| left_out(column, *reason)));
        notes.extend(inferred.notes.iter().cloned());
        let names: Vec<&str> = unchanging.iter().map(|unchanging| unchanging.column.name.as_str()).collect();
        let raw = table.select(&names)?;
        let is_row = |name: &str| features.column(name).is_some();
        let sketch = RowSketch::of(&features, &inferred.schema, &normal, &dropped, is_row)?;
        let typed = if special.is_empty() { features } else { table };
        let (typed, conformed) = data::conform(typed, &schema)?;
        for (column, _) in special.iter().filter(|(column, _)| column.kind != ColumnKind::Text) {
            conformed.require(&typed, &column.name)?;
        }
        if normal.len() < typed.n_rows() {
            // What normal rows hold is told by the inference.
            notes.extend(conformed.unreadable.iter().map(|unreadable| format!("in all rows, {unreadable}")));
        }
        notes.iter().for_each(|note| observer.on_event(TrainingEvent::Noted(note)));
        Ok(ColumnSelection {
            table: typed,
            schema,
            all,
            dropped,
            unchanging,
            raw,
            nothing_varies,
            label,
            normal,
            anomalous,
            unlabelled,
            special: special.into_iter().map(|(column, part)| (column.name, part)).collect(),
            notes,
            sketch,
            population,
        })
    }
}

/// Every column of the file; non-features as text.
fn all_columns(table: &Table, features: &Schema, special: &[(Column, String)]) -> Schema {
    let column = |name: &&str| {
        let special = special.iter().map(|(column, _)| column).find(|column| column.name == **name);
        special.or_else(|| features.get(name)).cloned().unwrap_or_else(|| Column::new(*name, ColumnKind::Text))
    };
    Schema { columns: table.names().iter().map(column).collect() }
}

fn left_out(column: &str, reason: DropReason) -> String {
    format!("column `{column}` left out: {reason}")
}

/// What the label says, in one line.
fn label_note(label: &Label, roles: &Roles) -> String {
    let chosen = match (&roles.normal, &label.normal) {
        (None, Some(normal)) => format!("; `{normal}` is taken as normal, as none was named"),
        _ => String::new(),
    };
    format!("label `{}`: {}{chosen}", label.column, label.describe())
}

fn too_few(table: &Table, labels: Option<&LabelReader>, n: usize) -> Error {
    let place = Place::source(table.source());
    match labels {
        Some(labels) => {
            let Label { column, normal, .. } = labels.label();
            let message = format!(
                "expected at least {FEWEST_ROWS} rows whose `{column}` is `{}`, got {n} of {}",
                normal.unwrap_or_default(),
                table.n_rows()
            );
            Error::data(place, message).with_hint(labels.advice())
        }
        None => Error::data(place, format!("expected at least {FEWEST_ROWS} rows to fit, got {n}")),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use arrow::array::{ArrayRef, AsArray, Float64Array, StringArray};
    use arrow::datatypes::{DataType, Float64Type};

    use super::*;
    use crate::train::Silent;

    /// Twelve rows: a number, a constant, categories, a row counter, and a label.
    fn table() -> Table {
        let n = 12;
        let numbers =
            |of: &dyn Fn(usize) -> f64| -> ArrayRef { Arc::new((0..n).map(|i| Some(of(i))).collect::<Float64Array>()) };
        let words = |of: &dyn Fn(usize) -> &'static str| -> ArrayRef {
            Arc::new((0..n).map(|i| Some(of(i))).collect::<StringArray>())
        };
        let columns = vec![
            ("x", numbers(&|i| (i as f64 * 0.7).sin())),
            ("same", numbers(&|_| 7.0)),
            ("colour", words(&|i| ["red", "blue"][i % 2])),
            ("bad", words(&|i| if i < 10 { "no" } else { "yes" })),
        ];
        Table::from_arrays(columns.into_iter().map(|(name, array)| (name.to_owned(), array)).collect(), "made").unwrap()
    }

    fn choose(roles: &Roles, wanted: FeatureFilter, special: Vec<(Column, String)>) -> Result<ColumnSelection> {
        ColumnSelection::choose(table(), roles, &ColumnTypes::default(), wanted, special, &Silent)
    }

    fn choose_of(table: Table, roles: &Roles) -> Result<ColumnSelection> {
        ColumnSelection::choose(table, roles, &ColumnTypes::default(), FeatureFilter::Any, Vec::new(), &Silent)
    }

    fn of_label(normal: Option<&str>) -> Roles {
        Roles { label: Some("bad".to_owned()), normal: normal.map(str::to_owned), ..Roles::default() }
    }

    fn reason(selection: &ColumnSelection, column: &str) -> Option<DropReason> {
        selection.dropped.iter().find(|dropped| dropped.column == column).map(|dropped| dropped.reason)
    }

    fn unchanging(selection: &ColumnSelection) -> Vec<&str> {
        selection.unchanging.iter().map(|unchanging| unchanging.column.name.as_str()).collect()
    }

    #[test]
    fn features_are_what_says_something_and_what_is_left_out_is_told() {
        let chosen = choose(&of_label(None), FeatureFilter::Any, Vec::new()).unwrap();
        assert_eq!(chosen.features(), ["x", "colour"]);
        assert_eq!(chosen.table.names(), ["x", "colour"]);
        assert_eq!((unchanging(&chosen), chosen.raw.names()), (vec!["same"], vec!["same"]));
        assert_eq!(chosen.all.names(), ["x", "same", "colour", "bad"]);
        // Without its normal value the evident one is taken, and told.
        assert_eq!((chosen.normal.len(), chosen.anomalous.len(), chosen.unlabelled), (10, 2, 0));
        assert_eq!(
            chosen.notes[0],
            "label `bad`: 10 `no` (normal); 2 `yes`; `no` is taken as normal, as none was named"
        );
        assert_eq!(chosen.label.unwrap().normal.as_deref(), Some("no"));
    }

    #[test]
    fn channels_of_series_are_numbers_that_change_and_steps_need_not() {
        let channels = choose(&of_label(None), FeatureFilter::Channels, Vec::new()).unwrap();
        assert_eq!((channels.features(), unchanging(&channels)), (vec!["x"], vec!["same"]));
        assert_eq!(reason(&channels, "colour"), Some(DropReason::NotNumeric));
        let steps = choose(&of_label(None), FeatureFilter::Steps, Vec::new()).unwrap();
        assert_eq!(steps.features(), ["x", "same"]);
        assert_eq!(reason(&steps, "colour"), Some(DropReason::NotNumeric));
    }

    #[test]
    fn the_label_says_which_rows_train() {
        let chosen = choose(&of_label(Some("no")), FeatureFilter::Any, Vec::new()).unwrap();
        assert_eq!(chosen.normal, (0..10).collect::<Vec<u32>>());
        assert_eq!(chosen.anomalous, [10, 11]);
        // Features keep all rows.
        assert_eq!(chosen.table.n_rows(), 12);
        let few = choose(&of_label(Some("yes")), FeatureFilter::Any, Vec::new()).err().unwrap();
        assert_eq!(few.to_string(), "made: expected at least 10 rows whose `bad` is `yes`, got 2 of 12");
    }

    #[test]
    fn a_column_with_a_part_of_its_own_is_typed_first_and_no_feature() {
        let time = Column::new("x", ColumnKind::Numeric);
        let special = vec![(time, "time".to_owned())];
        let roles = Roles { ignore: vec!["same".to_owned(), "bad".to_owned()], ..Roles::default() };
        let chosen = choose(&roles, FeatureFilter::Any, special).unwrap();
        assert_eq!(chosen.schema.names(), ["x", "colour"]);
        assert_eq!(chosen.features(), ["colour"]);
        assert_eq!(chosen.special, [("x".to_owned(), "time".to_owned())]);
        assert_eq!(chosen.table.column("x").unwrap().as_primitive::<Float64Type>().len(), 12);
        assert_eq!(chosen.all.get("same").unwrap().kind, ColumnKind::Text);
    }

    #[test]
    fn a_column_that_only_anomalies_change_says_nothing_of_normal_rows() {
        let n = 12;
        let mut columns: Vec<(String, Vec<f64>)> = vec![
            ("x".to_owned(), (0..n).map(|i| (f64::from(i) * 0.7).sin()).collect()),
            ("alarm".to_owned(), (0..n).map(|i| f64::from(i / 10)).collect()),
        ];
        columns.push(("bad".to_owned(), (0..n).map(|i| f64::from(i / 10)).collect()));
        let table = Table::from_columns(columns).unwrap();
        let chosen = choose_of(table, &of_label(Some("0"))).unwrap();
        assert_eq!(chosen.features(), ["x"]);
        assert_eq!(unchanging(&chosen), ["alarm"]);
    }

    fn of_text(columns: &[(&str, &dyn Fn(usize) -> String)], n: usize) -> Table {
        let array = |of: &dyn Fn(usize) -> String| Arc::new((0..n).map(|i| Some(of(i))).collect::<StringArray>());
        let columns = columns.iter().map(|(name, of)| ((*name).to_owned(), array(of) as ArrayRef));
        Table::from_arrays(columns.collect(), "made").unwrap()
    }

    #[test]
    fn a_number_asked_for_by_name_is_no_identifier() {
        let table = of_text(&[("id", &|i| (i * 3).to_string()), ("x", &|i| (i * i % 7).to_string())], 30);
        let chosen = choose_of(table.clone(), &Roles::default()).unwrap();
        assert_eq!((chosen.features(), reason(&chosen, "id")), (vec!["x"], Some(DropReason::Identifier)));
        let roles = Roles { columns: vec!["id".to_owned(), "x".to_owned()], ..Roles::default() };
        assert_eq!(choose_of(table, &roles).unwrap().features(), ["id", "x"]);
    }

    #[test]
    fn numbers_that_count_are_learnt_from_where_nothing_else_is() {
        let line = of_text(&[("x", &|i| i.to_string()), ("y", &|i| (2 * i).to_string())], 60);
        assert_eq!(choose_of(line, &Roles::default()).unwrap().features(), ["y"]);
        let line = of_text(&[("x", &|i| i.to_string()), ("y", &|i| (i + 5).to_string())], 60);
        let chosen = choose_of(line, &Roles::default()).unwrap();
        assert_eq!((chosen.features(), chosen.notes.len()), (vec!["x", "y"], 2));
        let text = of_text(&[("id", &|i| i.to_string()), ("text", &|i| format!("customer {i}"))], 60);
        assert!(choose_of(text, &Roles::default()).is_err());
    }

    #[test]
    fn cells_of_rows_that_do_not_train_are_told_too() {
        let value = |i: usize| if i == 29 { "off".to_owned() } else { format!("{}.5", i * i % 7) };
        let table = of_text(&[("x", &value), ("bad", &|i| (i / 25).to_string())], 30);
        let chosen = choose_of(table, &of_label(Some("0"))).unwrap();
        assert_eq!(chosen.notes[1..], ["in all rows, column `x`: 1 cell is not numbers, in row 29: `off`"]);
    }

    #[test]
    fn nothing_left_to_learn_from_is_told_with_its_reasons() {
        let text = of_text(&[("id", &|i| format!("customer {i}")), ("none", &|_| String::new())], 60);
        let error = choose_of(text, &Roles::default()).err().unwrap().to_string();
        let reasons = "column `id` left out: row identifier; column `none` left out: all cells are missing";
        assert!(error.contains(&format!("no column is left to learn from: {reasons}")), "{error}");
    }

    #[test]
    fn where_nothing_varies_columns_that_do_not_stand_in() {
        let roles = Roles { columns: vec!["same".to_owned()], ..Roles::default() };
        let chosen = choose(&roles, FeatureFilter::Any, Vec::new()).unwrap();
        assert_eq!((chosen.features(), unchanging(&chosen), chosen.nothing_varies), (vec!["same"], vec!["same"], true));
        assert_eq!(chosen.notes, [NOTHING_VARIES]);
        // A counter among them is no reason to learn it.
        let counted = of_text(&[("id", &|i| i.to_string()), ("state", &|_| "ok".to_owned())], 60);
        assert_eq!(choose_of(counted.clone(), &Roles::default()).unwrap().features(), ["state"]);
        let channels = FeatureFilter::Channels;
        let series =
            ColumnSelection::choose(counted, &Roles::default(), &ColumnTypes::default(), channels, Vec::new(), &Silent);
        assert!(series.is_ok_and(|chosen| chosen.features() == ["id"]), "words are no channels");
    }

    #[test]
    fn an_observer_hears_of_every_choice() {
        #[derive(Default)]
        struct Heard(Mutex<Vec<String>>);
        impl Observer for Heard {
            fn on_event(&self, event: TrainingEvent<'_>) {
                if let TrainingEvent::Noted(note) = event {
                    self.0.lock().unwrap().push(note.to_owned());
                }
            }
        }
        let heard = Heard::default();
        let roles = of_label(None);
        let chosen = ColumnSelection::choose(
            table(),
            &roles,
            &ColumnTypes::default(),
            FeatureFilter::Channels,
            Vec::new(),
            &heard,
        )
        .unwrap();
        assert_eq!(*heard.0.lock().unwrap(), chosen.notes);
        assert!(chosen.notes.len() >= 2);
        assert_eq!(chosen.table.column("x").unwrap().data_type(), &DataType::Float64);
    }
}
