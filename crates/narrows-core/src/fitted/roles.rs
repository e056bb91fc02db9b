//! Column roles: feature, label, or none.

use glob::Pattern;
use serde::Serialize;

use crate::data::{Duplicates, RowKey, RowSample, Table};
use crate::error::{Error, Hint, Place, Result, nearest};
use crate::recipe::Recipe;

/// Column roles. Names may contain the wildcards `*` and `?`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Roles {
    /// The label column; never a feature.
    pub label: Option<String>,
    /// The label of normal rows, several separated by commas; only these train. Case, surrounding blanks and the
    /// spelling of numbers do not matter. If `None`, it is the evident value, such as `normal` or 0; without one, a fit
    /// is refused.
    pub normal: Option<String>,
    /// The features; all columns if empty.
    pub columns: Vec<String>,
    /// Columns that are not features.
    pub ignore: Vec<String>,
    /// For series: the time column.
    pub time: Option<String>,
    /// For series: the columns that identify a series together.
    pub id: Vec<String>,
    /// For series: the time zone of times that have none of their own, such as `Europe/Berlin`; UTC by default.
    pub timezone: Option<String>,
    /// For series: what to do with rows of a series at the same time.
    pub duplicates: Duplicates,
    /// For tables: the last rows, this many, are validation rows: they stop the training and choose its weights, and do not
    /// train. 0 takes a share of the rows instead ([`Train::validation`](crate::train::Train::validation)).
    #[serde(skip_serializing_if = "is_zero")]
    pub validation_rows: u64,
    /// For tables: the columns that identify a row, so that which rows are sampled does not depend on their order; without
    /// any, the number of a row does.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sample_key: Vec<String>,
}

/// Roles that every table had before are written as before.
fn is_zero(rows: &u64) -> bool {
    *rows == 0
}

/// The class of a row by its label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The label has the normal value.
    Normal,
    /// The label has another value.
    Anomalous,
    /// The label is missing.
    Unlabelled,
}

impl Verdict {
    /// The rows that have a label.
    pub(crate) fn labelled(verdicts: &[Verdict]) -> Vec<u32> {
        (0..verdicts.len() as u32).filter(|row| verdicts[*row as usize] != Verdict::Unlabelled).collect()
    }
}

impl Roles {
    /// The rows to fit to: all of them, or if there are more than a fit takes, a sample. Rows for validation stay. What is
    /// a sample already is taken whole.
    pub(crate) fn sampled(&self, table: Table, recipe: &Recipe) -> Result<Table> {
        if table.population().is_some() {
            return Ok(table);
        }
        let sample = RowSample { rows: recipe.train.sample_rows, seed: recipe.seed };
        let key = RowKey::of(self.sample_key.clone());
        let given = usize::try_from(self.validation_rows).unwrap_or(usize::MAX).min(table.n_rows());
        if given == 0 {
            return table.sampled(sample, key);
        }
        let first = table.n_rows() - given;
        let sampled = table.slice(0, first).sampled(sample, key)?;
        match sampled.population().cloned() {
            None => Ok(table),
            Some(population) => Ok(Table::concat(&[sampled, table.slice(first, given)])?.sampled_from(population)),
        }
    }

    /// The columns of `names` that may be features, in order.
    pub(crate) fn features(&self, names: &[&str]) -> Result<Vec<String>> {
        if let Some(label) = &self.label {
            known(label, names)?;
        }
        if self.normal.is_some() && self.label.is_none() {
            return Err(Error::recipe("normal", "expected a label column beside it")
                .with_hint(Hint::of("name it with [label]")));
        }
        let wanted = matching(&self.columns, names)?;
        let ignored = matching(&self.ignore, names)?;
        let is_feature = |name: &str| {
            (self.columns.is_empty() || wanted.contains(&name))
                && !ignored.contains(&name)
                && self.label.as_deref() != Some(name)
        };
        let features: Vec<String> = names.iter().copied().filter(|name| is_feature(name)).map(str::to_owned).collect();
        if features.is_empty() {
            return Err(Error::data(Place::default(), "no column is left to learn from")
                .with_hint(Hint::of("see [columns] and [ignore]")));
        }
        Ok(features)
    }
}

/// The names that match any of `patterns`, by equality or by the wildcards `*` and `?`, pattern by pattern.
///
/// # Errors
/// [`Error::Mismatch`] for a pattern that matches none.
pub fn matching<'a>(patterns: &[String], names: &[&'a str]) -> Result<Vec<&'a str>> {
    let mut found = Vec::new();
    for pattern in patterns {
        let glob = Pattern::new(pattern).ok();
        let before = found.len();
        found.extend(
            names
                .iter()
                .copied()
                .filter(|name| *name == pattern || glob.as_ref().is_some_and(|glob| glob.matches(name))),
        );
        if found.len() == before {
            known(pattern, names)?;
        }
    }
    Ok(found)
}

/// Fails if no column has this name.
pub(crate) fn known(name: &str, names: &[&str]) -> Result<()> {
    if names.contains(&name) {
        return Ok(());
    }
    let near = nearest(name, names.iter().copied());
    let hint = if near.is_empty() {
        format!("columns: {}", names.iter().take(20).copied().collect::<Vec<_>>().join(", "))
    } else {
        format!("did you mean `{}`?", near.join("`, `"))
    };
    Err(Error::mismatch(format!("column `{name}` does not exist")).with_hint(hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_features(roles: Roles, expected: &[&str]) {
        let found = match roles.features(&["id", "x1", "x2", "y"]) {
            Ok(names) => names,
            Err(error) => vec![error.to_string()],
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn features_are_what_is_wanted_and_neither_label_nor_ignored() {
        check_features(Roles::default(), &["id", "x1", "x2", "y"]);
        check_features(Roles { label: Some("y".into()), ignore: vec!["id".into()], ..Roles::default() }, &["x1", "x2"]);
        check_features(Roles { columns: vec!["x*".into()], ignore: vec!["x2".into()], ..Roles::default() }, &["x1"]);
        check_features(Roles { label: Some("z".into()), ..Roles::default() }, &["column `z` does not exist"]);
        check_features(Roles { ignore: vec!["q*".into()], ..Roles::default() }, &["column `q*` does not exist"]);
    }
}
