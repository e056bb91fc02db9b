//! The columns and rows of a table that take part in a fit.

use super::roles::{Roles, Verdict, verdicts};
use crate::data::{self, Column, ColumnKind, DropReason, Dropped, Schema, Table};
use crate::error::{Error, Hint, Place, Result};
use crate::report::Label;
use crate::train::{Observer, TrainingEvent};

/// Fewer normal rows cannot be split into training and calibration.
const FEWEST_ROWS: usize = 10;

/// The columns and rows that take part.
pub(super) struct ColumnSelection {
    /// The features, typed; all rows.
    pub(super) table: Table,
    /// The features.
    pub(super) schema: Schema,
    /// All columns as they came: name and kind.
    pub(super) all: Schema,
    /// Columns asked for that hold nothing to learn.
    pub(super) dropped: Vec<Dropped>,
    /// The label column.
    pub(super) label: Option<Label>,
    /// Rows that train and calibrate.
    pub(super) normal: Vec<u32>,
    /// Rows that the label calls anomalous.
    pub(super) anomalous: Vec<u32>,
    /// Rows whose label is missing.
    pub(super) unlabelled: u64,
    /// Columns that are neither feature nor label, and what they are for.
    pub(super) special: Vec<(String, String)>,
    /// What was chosen, in words.
    pub(super) notes: Vec<String>,
}

/// Which columns may be features.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FeatureFilter {
    /// All that say something about a row.
    Any,
    /// Numbers that change.
    Channels,
    /// Numbers, the same in every row or not: each is a step of the row's series.
    Steps,
}

impl FeatureFilter {
    fn reason(self, kind: ColumnKind, found: Option<DropReason>) -> Option<DropReason> {
        match self {
            FeatureFilter::Any => found,
            FeatureFilter::Steps if found == Some(DropReason::Constant) && kind == ColumnKind::Numeric => None,
            _ if found.is_none() && kind != ColumnKind::Numeric => Some(DropReason::NotNumeric),
            _ => found,
        }
    }
}

impl ColumnSelection {
    /// The names of the features, in order.
    pub(super) fn features(&self) -> Vec<&str> {
        let is_special = |name: &str| self.special.iter().any(|(special, _)| special == name);
        self.schema.names().into_iter().filter(|name| !is_special(name)).collect()
    }

    /// Chooses; `special` are columns with a part of their own, typed as they are listed, and what that part is.
    pub(super) fn choose(
        table: Table,
        roles: &Roles,
        wanted: FeatureFilter,
        special: Vec<(Column, String)>,
        observer: &dyn Observer,
    ) -> Result<ColumnSelection> {
        let is_special = |name: &str| special.iter().any(|(column, _)| column.name == name);
        let mut names = roles.features(&table.names())?;
        names.retain(|name| !is_special(name));
        let verdicts = match (&roles.label, &roles.normal) {
            (Some(label), Some(normal)) => verdicts(&table, label, normal)?,
            _ => vec![Verdict::Normal; table.n_rows()],
        };
        let rows =
            |wanted| (0..table.n_rows() as u32).filter(|row| verdicts[*row as usize] == wanted).collect::<Vec<u32>>();
        let (normal, anomalous) = (rows(Verdict::Normal), rows(Verdict::Anomalous));
        let unlabelled = (table.n_rows() - normal.len() - anomalous.len()) as u64;
        if normal.len() < FEWEST_ROWS {
            return Err(too_few(&table, roles, normal.len()));
        }

        let features = table.select(&names)?;
        let inferred = if normal.len() == table.n_rows() {
            data::infer(&features)?
        } else {
            let of_normal = data::infer(&features.take(&normal));
            // A cell that cannot be read is told by its row in the file, not by its row among the normal ones.
            of_normal.map_err(|error| data::infer(&features).err().unwrap_or(error))?
        };
        let mut dropped = Vec::new();
        let mut kept = Vec::new();
        for Column { name, kind } in &inferred.schema.columns {
            let found = inferred.dropped.iter().find(|dropped| dropped.column == *name).map(|dropped| dropped.reason);
            match wanted.reason(*kind, found) {
                Some(reason) => dropped.push(Dropped { column: name.clone(), reason }),
                None => kept.push(name.as_str()),
            }
        }
        if kept.is_empty() {
            let reasons: Vec<String> = dropped.iter().take(5).map(left_out).collect();
            return Err(Error::data(
                Place::source(table.source()),
                format!("no column is left to learn from: {}", reasons.join("; ")),
            ));
        }
        let mut schema = Schema { columns: special.iter().map(|(column, _)| column.clone()).collect() };
        schema.columns.extend(inferred.schema.select(&kept)?.columns);
        let all = all_columns(&table, &inferred.schema, &special);
        let mut notes: Vec<String> = dropped.iter().map(left_out).collect();
        notes.extend(inferred.notes.iter().cloned());
        notes.iter().for_each(|note| observer.on_event(TrainingEvent::Noted(note)));
        let typed = if special.is_empty() { features } else { table };
        let (typed, _) = data::conform(typed, &schema)?;
        Ok(ColumnSelection {
            table: typed,
            schema,
            all,
            dropped,
            label: roles.label.clone().map(|column| Label { column, normal: roles.normal.clone() }),
            normal,
            anomalous,
            unlabelled,
            special: special.into_iter().map(|(column, part)| (column.name, part)).collect(),
            notes,
        })
    }
}

/// Every column of the file, those that are no feature as text.
fn all_columns(table: &Table, features: &Schema, special: &[(Column, String)]) -> Schema {
    let column = |name: &&str| {
        let special = special.iter().map(|(column, _)| column).find(|column| column.name == **name);
        special
            .or_else(|| features.get(name))
            .cloned()
            .unwrap_or_else(|| Column { name: (*name).to_owned(), kind: ColumnKind::Text })
    };
    Schema { columns: table.names().iter().map(column).collect() }
}

fn left_out(dropped: &Dropped) -> String {
    format!("column `{}` left out: {}", dropped.column, dropped.reason)
}

fn too_few(table: &Table, roles: &Roles, n: usize) -> Error {
    let place = Place::source(table.source());
    match (&roles.label, &roles.normal) {
        (Some(label), Some(normal)) => {
            let message = format!(
                "expected at least {FEWEST_ROWS} rows whose `{label}` is `{normal}`, got {n} of {}",
                table.n_rows()
            );
            Error::data(place, message).with_hint(Hint::of("[normal] names the label's value in normal rows"))
        }
        _ => Error::data(place, format!("expected at least {FEWEST_ROWS} rows to fit, got {n}")),
    }
}
