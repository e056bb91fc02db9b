//! The rows of a table that a threshold is set on: all, or those that a label calls normal.

use super::super::TabularModel;
use super::super::labels::LabelReader;
use super::super::roles::Verdict;
use crate::data::Table;
use crate::error::{Error, Hint, Place, Result};

/// Rows that are normal, and how many others a label leaves out.
#[derive(Debug, Clone)]
pub struct NormalRows<'t> {
    table: &'t Table,
    verdicts: Vec<Verdict>,
}

impl<'t> NormalRows<'t> {
    /// All rows of a table.
    pub fn all(table: &'t Table) -> NormalRows<'t> {
        NormalRows { table, verdicts: vec![Verdict::Normal; table.n_rows()] }
    }

    /// The rows of `table` whose column `label` has the value `normal`, several separated by commas; without it, the value
    /// is the one that the model was fitted with, else the evident one. Without `label` all rows.
    ///
    /// # Errors
    /// [`Error::Data`] if no label is named and rows are anomalous by the one that the model was fitted with, or if no row is
    /// left; [`Error::Mismatch`] if there is no such column.
    pub fn of(
        model: &dyn TabularModel,
        table: &'t Table,
        label: Option<&str>,
        normal: Option<&str>,
    ) -> Result<NormalRows<'t>> {
        let known = model.report().label.as_ref();
        let place = || Place::source(table.source());
        let Some(label) = label else {
            let known = known.filter(|known| table.column(&known.column).is_some());
            let Some(known) = known else { return Ok(NormalRows::all(table)) };
            let verdicts = LabelReader::new(&known.column, known.normal.as_deref()).read(table)?;
            let anomalous = verdicts.iter().filter(|verdict| **verdict == Verdict::Anomalous).count();
            if anomalous == 0 {
                return Ok(NormalRows::all(table));
            }
            let (n, column) = (table.n_rows(), &known.column);
            let message = format!(
                "expected normal rows to set a threshold on, got {anomalous} of {n} rows that `{column}` calls anomalous"
            );
            let hint = Hint::of("[label] ").then_text(column).then(" leaves them out");
            return Err(Error::data(place(), message).with_hint(hint));
        };
        let of_fit = known.filter(|known| known.column == label).and_then(|known| known.normal.as_deref());
        let mut labels = LabelReader::new(label, normal.or(of_fit));
        let rows = NormalRows { table, verdicts: labels.read(table)? };
        if rows.count(Verdict::Normal) == 0 {
            let message = format!("expected normal rows to set a threshold on, got none of {}", table.n_rows());
            return Err(Error::data(place(), message).with_hint(labels.advice()));
        }
        Ok(rows)
    }

    /// The table.
    pub fn table(&self) -> &'t Table {
        self.table
    }

    /// Number of rows labelled anomalous.
    pub fn anomalous(&self) -> u64 {
        self.count(Verdict::Anomalous)
    }

    /// Number of rows without a label.
    pub fn unlabelled(&self) -> u64 {
        self.count(Verdict::Unlabelled)
    }

    fn count(&self, class: Verdict) -> u64 {
        self.verdicts.iter().filter(|verdict| **verdict == class).count() as u64
    }

    /// Whether each row is normal.
    pub(in crate::fitted) fn is_normal(&self) -> Vec<bool> {
        self.verdicts.iter().map(|verdict| *verdict == Verdict::Normal).collect()
    }

    /// The normal rows as a table.
    pub(super) fn chosen(&self) -> Table {
        let is_normal = self.is_normal();
        if is_normal.iter().all(|is_normal| *is_normal) {
            return self.table.clone();
        }
        let rows: Vec<u32> = (0..is_normal.len() as u32).filter(|row| is_normal[*row as usize]).collect();
        self.table.take(&rows)
    }
}
