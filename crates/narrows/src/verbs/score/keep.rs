//! Input columns copied to the output.

use narrows_core::Error;
use narrows_core::data::{Schema, Table};
use narrows_core::output::Columns;

use crate::failure::Failure;

/// Input columns copied to the output.
pub(crate) struct Keep(Vec<String>);

impl Keep {
    /// Columns to copy; an error if one of them is in `taken`.
    pub(crate) fn new(names: Vec<String>, taken: &[&str]) -> Result<Keep, Failure> {
        match names.iter().find(|name| taken.contains(&name.as_str())) {
            Some(name) => Err(Error::recipe("--keep", format!("`{name}` is already a column of the output")).into()),
            None => Ok(Keep(names)),
        }
    }

    /// Prepends these columns unless already listed.
    pub(crate) fn add(&mut self, names: Vec<String>) {
        let missing: Vec<String> = names.into_iter().filter(|name| !self.0.contains(name)).collect();
        self.0.splice(0..0, missing);
    }

    /// An error if output rows do not correspond to input rows.
    pub(crate) fn check_rows(&self, rows_are_independent: bool) -> Result<(), Failure> {
        if self.0.is_empty() || rows_are_independent {
            return Ok(());
        }
        Err(Error::recipe("--keep", "not possible here: the output has a row for each window of a series").into())
    }

    /// Columns to read: the model's, or all if others are kept.
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
