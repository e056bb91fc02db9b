//! Input columns copied to the output.

use narrows_core::data::{Schema, Table};
use narrows_core::output::Columns;
use narrows_core::{Error, matching_columns};

use crate::failure::Failure;

/// Input columns copied to the output, by name or by pattern.
pub(crate) struct Keep {
    names: Vec<String>,
    /// Names of the results.
    taken: Vec<String>,
}

impl Keep {
    /// Columns to copy; an error if one of them is in `taken`.
    pub(crate) fn new(names: Vec<String>, taken: &[&str]) -> Result<Keep, Failure> {
        let keep = Keep { names, taken: taken.iter().map(|name| (*name).to_owned()).collect() };
        keep.names.iter().try_for_each(|name| keep.check_free(name, name))?;
        Ok(keep)
    }

    /// An error if `name`, which `pattern` matches, is that of a result.
    fn check_free(&self, name: &str, pattern: &str) -> Result<(), Failure> {
        if !self.taken.iter().any(|taken| taken == name) {
            return Ok(());
        }
        let matched = if name == pattern { String::new() } else { format!(", which `{pattern}` matches,") };
        Err(Error::recipe("--keep", format!("`{name}`{matched} is already a column of the output")).into())
    }

    /// Prepends these columns unless already listed.
    pub(crate) fn add(&mut self, names: Vec<String>) {
        let missing: Vec<String> = names.into_iter().filter(|name| !self.names.contains(name)).collect();
        self.names.splice(0..0, missing);
    }

    /// An error if output rows do not correspond to input rows.
    pub(crate) fn check_rows(&self, rows_are_independent: bool) -> Result<(), Failure> {
        if self.names.is_empty() || rows_are_independent {
            return Ok(());
        }
        Err(Error::recipe("--keep", "not possible here: the output has a row for each window of a series").into())
    }

    /// Columns to read: the model's, or all if others are kept.
    pub(crate) fn wanted<'a>(&self, schema: &'a Schema) -> Option<&'a Schema> {
        self.names.iter().all(|name| schema.get(name).is_some()).then_some(schema)
    }

    /// The names and patterns as given.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// The columns among `names` that are kept.
    pub(crate) fn matching(&self, names: &[&str]) -> Result<Vec<String>, Failure> {
        let mut found: Vec<String> = Vec::new();
        for pattern in &self.names {
            for name in matching_columns(std::slice::from_ref(pattern), names)? {
                self.check_free(name, pattern)?;
                if !found.iter().any(|known| known == name) {
                    found.push(name.to_owned());
                }
            }
        }
        Ok(found)
    }

    /// The kept columns of a table.
    pub(crate) fn columns(&self, table: &Table) -> Result<Columns, Failure> {
        let names = self.matching(&table.names())?;
        names.into_iter().map(|name| Ok((name.clone(), table.expect_column(&name)?.clone()))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_column_cannot_take_the_place_of_a_result() {
        assert!(Keep::new(vec!["score".to_owned()], &["row", "score"]).is_err());
        assert!(Keep::new(vec!["id".to_owned()], &["row", "score"]).is_ok());
        let keep = Keep::new(vec!["s*".to_owned()], &["row", "score"]).unwrap();
        let Err(Failure::Library(error)) = keep.matching(&["score", "side"]) else { panic!("a collision") };
        assert!(error.to_string().contains("`score`, which `s*` matches,"), "{error}");
    }

    #[test]
    fn patterns_keep_each_column_once_in_the_order_asked_for() {
        let keep = |names: &[&str]| Keep::new(names.iter().map(|name| (*name).to_owned()).collect(), &[]).unwrap();
        let columns = ["id", "pump_a", "pump_b", "note"];
        assert_eq!(keep(&["pump_*", "id", "*"]).matching(&columns).unwrap(), ["pump_a", "pump_b", "id", "note"]);
        assert!(keep(&["valve_*"]).matching(&columns).is_err());
    }
}
