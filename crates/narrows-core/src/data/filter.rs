//! Which rows are read: a condition as SQL writes it after WHERE, such as `amount > 0 and country in ('DE', 'FR')`.

use std::fmt;
use std::str::FromStr;

use arrow::datatypes::{DataType, Schema as ArrowSchema};

use super::condition::{ColumnTest, Condition};
use super::filter_parser::FilterParser;
use super::literal::Literal;
use super::outcomes::Outcomes;
use super::row_filter::RowFilter;
use super::schema::unknown_column;
use super::table::Table;
use crate::error::{Error, Result};

/// A condition on the cells of a row.
///
/// Comparisons (`=`, `!=`, `<`, `<=`, `>`, `>=`), `in (...)`, `between ... and ...` and `is null`, joined by `and`, `or`,
/// `not` and parentheses. Columns are plain or in double quotes or backticks, texts in single quotes, and dates are texts
/// in ISO 8601. A comparison with a missing cell is neither true nor false, and only rows for which the whole is true are
/// read.
///
/// ```
/// use narrows_core::data::Filter;
///
/// let filter: Filter = "amount > 0 and country = 'DE'".parse()?;
/// assert_eq!(filter.columns(), ["amount", "country"]);
/// # Ok::<(), narrows_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    text: String,
    condition: Condition,
}

impl FromStr for Filter {
    type Err = Error;

    /// # Errors
    /// [`Error::Recipe`], which names the place in the text.
    fn from_str(text: &str) -> Result<Filter> {
        let text = text.trim();
        let condition = FilterParser::new(text)?.condition()?;
        Ok(Filter { text: text.to_owned(), condition })
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Filter {
    /// The columns that it asks about, in the order written.
    pub fn columns(&self) -> Vec<&str> {
        let mut columns: Vec<&str> = Vec::new();
        for test in self.condition.tests() {
            if !columns.contains(&test.column.as_str()) {
                columns.push(&test.column);
            }
        }
        columns
    }

    /// The rows of a table with types for which it is true.
    pub(crate) fn matching(&self, table: &Table) -> Vec<u32> {
        RowFilter::new(self.clone(), Vec::new()).rows(table, false)
    }

    /// The condition.
    pub(super) fn condition(&self) -> &Condition {
        &self.condition
    }

    /// Whether the condition may be true, where `of_test` says what each test may give.
    pub(super) fn may_match(&self, mut of_test: impl FnMut(&ColumnTest) -> Outcomes) -> bool {
        let outcomes = self.condition.evaluate(&mut |test| Ok::<_, std::convert::Infallible>(of_test(test)));
        let Ok(outcomes) = outcomes;
        outcomes.may_be_true()
    }

    /// An error if a column is not among the `known` ones.
    pub(crate) fn check_columns(&self, known: &[&str]) -> Result<()> {
        match self.columns().into_iter().find(|column| !known.iter().any(|name| is_called(name, column))) {
            Some(unknown) => {
                let error = Error::recipe("where", format!("there is no column `{unknown}`"));
                Err(match unknown_column(unknown, known).hint() {
                    Some(hint) => error.with_hint(hint.clone()),
                    None => error,
                })
            }
            None => Ok(()),
        }
    }

    /// An error if a column of a file with types is compared with a value of another kind.
    pub(super) fn check_types(&self, schema: &ArrowSchema) -> Result<()> {
        for ColumnTest { column, test } in self.condition.tests() {
            let Some(field) = schema.fields().iter().find(|field| is_called(field.name(), column)) else { continue };
            if let Some((value, expected)) =
                test.values().iter().find_map(|value| Some((value, unfit(field.data_type(), value)?)))
            {
                let message =
                    format!("column `{column}` is of the type {}: expected {expected}, got {value}", field.data_type());
                return Err(Error::recipe("where", message));
            }
        }
        Ok(())
    }
}

/// Whether a column of a file is the one that a filter names; blanks around names in files do not count.
pub(super) fn is_called(name: &str, asked: &str) -> bool {
    name.trim() == asked.trim()
}

/// What a value that cannot be compared with cells of a type should be.
fn unfit(kind: &DataType, value: &Literal) -> Option<&'static str> {
    match kind {
        DataType::Dictionary(_, values) => unfit(values, value),
        DataType::Boolean => value.as_flag().is_none().then_some("true or false"),
        DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 => {
            let is_date = matches!(value, Literal::Text { moment: Some(_), .. });
            (!is_date).then_some("a date in single quotes, such as '2024-01-31' or '2024-01-31 12:00:00'")
        }
        kind if kind.is_numeric() => value.as_number().is_none().then_some("a number"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::{Field, TimeUnit};

    use super::*;

    fn filter(text: &str) -> Filter {
        text.parse().unwrap()
    }

    #[test]
    fn unknown_columns_suggest_near_ones() {
        let asks = filter("amuont > 0 and b = 1 or amuont < -3");
        assert_eq!(asks.columns(), ["amuont", "b"]);
        let error = asks.check_columns(&["amount", " b"]).unwrap_err();
        assert_eq!(error.to_string(), "where: there is no column `amuont`");
        assert!(error.hint_text().unwrap().contains("did you mean `amount`?"));
        assert!(asks.check_columns(&[" amuont", "b "]).is_ok());
    }

    #[test]
    fn values_must_suit_the_types_of_a_file() {
        let field = |name: &str, kind| Field::new(name, kind, true);
        let schema = ArrowSchema::new(vec![
            field("n", DataType::Int32),
            field("day", DataType::Date32),
            field("at", DataType::Timestamp(TimeUnit::Nanosecond, None)),
            field("flag", DataType::Boolean),
            field("word", DataType::Utf8),
        ]);
        let check = |text: &str, expected: Option<&str>| match (filter(text).check_types(&schema), expected) {
            (Ok(()), None) => {}
            (Err(error), Some(expected)) if error.to_string().contains(expected) => {}
            (got, _) => panic!("{text}: {got:?}"),
        };
        check("n > 5 and n != '7' and day >= '2024-01-31' and flag = true and word < 5", None);
        check("n = 'x'", Some("column `n` is of the type Int32: expected a number, got 'x'"));
        check("day > 5", Some("expected a date in single quotes"));
        check("at in ('2024-01-31', 'x')", Some("got 'x'"));
        check("flag = 1", Some("expected true or false, got 1"));
    }
}
