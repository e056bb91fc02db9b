//! Columns of the input that are copied to the output.

use narrows_core::Error;
use narrows_core::data::{Schema, Table};
use narrows_core::output::Columns;

use crate::failure::Failure;

/// Columns of the input that are copied to the output.
pub(crate) struct Keep(Vec<String>);

impl Keep {
    /// Columns to copy beside those called `taken`.
    pub(crate) fn new(names: Vec<String>, taken: &[&str]) -> Result<Keep, Failure> {
        match names.iter().find(|name| taken.contains(&name.as_str())) {
            Some(name) => Err(Error::recipe("--keep", format!("the output has a column `{name}` of its own")).into()),
            None => Ok(Keep(names)),
        }
    }

    /// Copies these too, before the others, unless they are asked for anyway.
    pub(crate) fn add(&mut self, names: Vec<String>) {
        let missing: Vec<String> = names.into_iter().filter(|name| !self.0.contains(name)).collect();
        self.0.splice(0..0, missing);
    }

    /// Refuses to copy where the output has other rows than the input.
    pub(crate) fn check_rows(&self, rows_are_independent: bool) -> Result<(), Failure> {
        if self.0.is_empty() || rows_are_independent {
            return Ok(());
        }
        Err(Error::recipe("--keep", "expected no columns to keep: the output has a row for each window of a series")
            .into())
    }

    /// What must be read: the model's columns, or all where others are kept.
    pub(crate) fn wanted<'a>(&self, schema: &'a Schema) -> Option<&'a Schema> {
        self.0.iter().all(|name| schema.get(name).is_some()).then_some(schema)
    }

    /// The columns to copy.
    pub(crate) fn names(&self) -> &[String] {
        &self.0
    }

    /// The kept columns of a table.
    pub(crate) fn columns(&self, table: &Table) -> Result<Columns, Failure> {
        self.0.iter().map(|name| Ok((name.clone(), table.expect_column(name)?.clone()))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_column_cannot_take_the_place_of_a_result() {
        assert!(Keep::new(vec!["score".to_owned()], &["row", "score"]).is_err());
        assert!(Keep::new(vec!["id".to_owned()], &["row", "score"]).is_ok());
    }
}
