//! Invariants: what every training row kept, such as a column that never changed or a cell that was never missing.
//!
//! A network learns nothing from a column that never changes, and it is the first thing that an operator would look at
//! once it does. So these columns are compared instead: a later cell that breaks an invariant raises the row's score by
//! the number of rows that kept it ([`evidence`]), unless the training rows themselves show that such breaks happen by
//! chance ([`rarity`]). They are learnt from the rows that train, so calibration rows may break them as new rows may,
//! and p-values and promised rates count them.

mod evidence;
mod learn;
mod rarity;

use serde::{Deserialize, Serialize};

use crate::data::{CellValue, Column, Schema};
use crate::error::{Error, Result};

pub use evidence::BrokenInvariants;
pub(super) use evidence::{Broken, Evidence, unseen, with_broken};
pub(super) use learn::{Candidate, LearntInvariants};
use rarity::ChanceLevels;

/// What every training row kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invariants {
    /// Number of training rows.
    rows: u64,
    /// Columns with one content, or none.
    constants: Vec<Constant>,
    /// Columns without a missing cell, by name.
    complete: Vec<String>,
    /// What breaks are worth that training rows show to be chance.
    #[serde(default)]
    chance: ChanceLevels,
    /// Whether no column varied: then nothing else decides, and the network, which has to have some input, is not asked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    decide_alone: bool,
}

/// A column whose cells were all the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Constant {
    column: Column,
    /// The content of all cells that were there; `None` if there were none.
    value: Option<CellValue<'static>>,
    /// Number of training rows that kept it.
    rows: u64,
}

impl Invariants {
    /// The content that a column always had, as text, if it had one.
    pub(crate) fn always(&self, column: &str) -> Option<String> {
        self.constants.iter().find(|constant| constant.name() == column)?.value.as_ref().map(ToString::to_string)
    }
}

impl Constant {
    pub(crate) fn name(&self) -> &str {
        &self.column.name
    }

    /// The content of all cells that were there, if any were.
    pub(crate) fn value(&self) -> Option<&CellValue<'static>> {
        self.value.as_ref()
    }

    /// Number of training rows that kept it.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// As in "always ok in 400 training rows".
    pub(crate) fn describe(&self) -> String {
        match &self.value {
            Some(value) => format!("always {value} in {} training rows", self.rows),
            None => format!("always empty in {} training rows", self.rows),
        }
    }
}

impl Invariants {
    /// Number of training rows.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// The columns with one content, or none.
    pub(crate) fn constants(&self) -> &[Constant] {
        &self.constants
    }

    /// The columns without a missing cell, by name.
    pub(crate) fn complete(&self) -> &[String] {
        &self.complete
    }

    /// The scores that 1, 2, ... broken constants are worth, as far as training rows show them by chance.
    pub(crate) fn chance_of_constants(&self) -> &[f64] {
        &self.chance.constants
    }

    /// Likewise of cells missing in complete columns.
    pub(crate) fn chance_of_missing(&self) -> &[f64] {
        &self.chance.missing
    }

    /// The constant column of this name.
    pub(crate) fn constant(&self, name: &str) -> Option<&Constant> {
        self.constants.iter().find(|constant| constant.name() == name)
    }

    /// Whether nothing but these invariants decides.
    pub(crate) fn decide_alone(&self) -> bool {
        self.decide_alone
    }

    /// The same for data of which no column varied.
    #[must_use]
    pub(crate) fn alone(self) -> Invariants {
        Invariants { decide_alone: true, ..self }
    }

    /// `schema`, which the network reads, with the columns that are only compared.
    pub(crate) fn columns_read(&self, schema: &Schema) -> Schema {
        let compared = self.constants.iter().filter(|constant| schema.get(constant.name()).is_none());
        Schema { columns: schema.columns.iter().cloned().chain(compared.map(|c| c.column.clone())).collect() }
    }

    /// Rejects invariants that do not fit the columns that the network reads, or that no rows can have kept; for those
    /// read from a file.
    ///
    /// # Errors
    /// [`Error::Mismatch`] with the inconsistency.
    pub(crate) fn check(&self, schema: &Schema) -> Result<()> {
        let wrong = |what: String| Err(Error::mismatch(format!("the invariants: {what}")));
        let read = self.columns_read(schema);
        let mut names = read.names();
        names.sort_unstable();
        if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return wrong(format!("expected every column once, got `{}` twice", twice[0]));
        }
        if let Some(unknown) = self.complete.iter().find(|name| read.get(name).is_none()) {
            return wrong(format!("there is no column `{unknown}`"));
        }
        let is_sound = |constant: &&Constant| {
            let is_finite = !matches!(constant.value, Some(CellValue::Number(x)) if !x.is_finite());
            is_finite && (1..=self.rows).contains(&constant.rows)
        };
        if let Some(constant) = self.constants.iter().find(|constant| !is_sound(constant)) {
            return wrong(format!("no value that 1 to {} rows can have kept in `{}`", self.rows, constant.name()));
        }
        match self.chance.is_sound() && (!self.decide_alone || !self.constants.is_empty()) {
            true => Ok(()),
            false => wrong("their scores are not those of rows".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::ColumnKind;

    fn invariants() -> Invariants {
        let column = |name: &str| Column::new(name, ColumnKind::Numeric);
        let constant = |name: &str, value| Constant { column: column(name), value, rows: 40 };
        Invariants {
            rows: 40,
            constants: vec![constant("errors", Some(CellValue::Number(0.5))), constant("spare", None)],
            complete: vec!["x".to_owned(), "errors".to_owned()],
            ..Invariants::default()
        }
    }

    fn schema() -> Schema {
        Schema { columns: vec![Column::new("x", ColumnKind::Numeric)] }
    }

    #[test]
    fn columns_that_are_compared_are_read_too() {
        assert_eq!(invariants().columns_read(&schema()).names(), ["x", "errors", "spare"]);
        let told: Vec<String> = invariants().constants.iter().map(Constant::describe).collect();
        assert_eq!(told, ["always 0.5 in 40 training rows", "always empty in 40 training rows"]);
    }

    #[test]
    fn invariants_go_through_json_and_are_checked() {
        let text = serde_json::to_string(&invariants()).unwrap();
        assert_eq!(serde_json::from_str::<Invariants>(&text).unwrap(), invariants());
        assert!(invariants().check(&schema()).is_ok());
        let refused = |change: fn(&mut Invariants)| {
            let mut forged = invariants();
            change(&mut forged);
            forged.check(&schema()).is_err()
        };
        assert!(refused(|forged| forged.complete.push("y".to_owned())));
        assert!(refused(|forged| forged.constants[0].rows = 0));
        assert!(refused(|forged| forged.constants[1].rows = 41));
        assert!(refused(|forged| forged.constants[0].value = Some(CellValue::Number(f64::INFINITY))));
        assert!(refused(|forged| forged.constants[1].column.name = "errors".to_owned()));
        assert!(refused(|forged| (forged.constants, forged.complete, forged.decide_alone) = (vec![], vec![], true)));
    }
}
