//! Converts flags to the types of columns.

use clap::Args as ClapArgs;
use narrows_core::Error;
use narrows_core::data::ColumnTypes;

use crate::failure::Failure;

/// Types of columns where they should not be inferred.
#[derive(Debug, Clone, Default, ClapArgs)]
#[command(next_help_heading = "Column types")]
pub(crate) struct TypeArgs {
    /// Read these columns as categories, also if they hold numbers, such as codes; by name or by pattern such as `x*`
    #[arg(long, value_name = "COLUMN,..", value_delimiter = ',')]
    categorical: Vec<String>,
    /// Read these columns as numbers; cells that are none are missing
    #[arg(long, value_name = "COLUMN,..", value_delimiter = ',')]
    numeric: Vec<String>,
    /// Read these columns as text, which is no feature
    #[arg(long, value_name = "COLUMN,..", value_delimiter = ',')]
    text: Vec<String>,
    /// Type of a column: `category`, `numeric`, `text` or `date`
    #[arg(long = "type", value_name = "COLUMN=TYPE,..", value_delimiter = ',')]
    types: Vec<String>,
    /// How dates are written, such as '%d.%m.%Y %H:%M' (as in strftime), day-first, month-first, year-first, compact,
    /// time-of-day, epoch-s, epoch-ms, epoch-us or epoch-ns; for one column as COLUMN=FORMAT; may be repeated
    #[arg(long, value_name = "[COLUMN=]FORMAT")]
    date_format: Vec<String>,
    /// Words that mean missing, beside empty cells, NA, NaN, null, none and ?
    #[arg(long, value_name = "WORD,..", value_delimiter = ',', allow_hyphen_values = true)]
    missing: Vec<String>,
}

impl TypeArgs {
    /// Converts to the library's type.
    pub(crate) fn types(&self) -> Result<ColumnTypes, Failure> {
        let mut types = ColumnTypes {
            categorical: self.categorical.clone(),
            numeric: self.numeric.clone(),
            text: self.text.clone(),
            date: Vec::new(),
            date_format: self.date_format.clone(),
            missing: self.missing.iter().map(|word| word.trim().to_owned()).collect(),
        };
        for given in &self.types {
            let (column, kind) = given.rsplit_once('=').unwrap_or((given, ""));
            let list = match kind.trim().to_ascii_lowercase().as_str() {
                "category" | "categorical" => &mut types.categorical,
                "numeric" | "number" => &mut types.numeric,
                "text" => &mut types.text,
                "date" | "datetime" => &mut types.date,
                _ => {
                    let message = format!("expected COLUMN=category, numeric, text or date, got `{given}`");
                    return Err(Error::recipe("--type", message).into());
                }
            };
            list.push(column.to_owned());
        }
        Ok(types)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::recipe::RecipeArgs;

    #[derive(Parser)]
    struct Flags {
        #[command(flatten)]
        types: TypeArgs,
    }

    fn types(flags: &[&str]) -> Result<ColumnTypes, Failure> {
        let flags = Flags::try_parse_from(["x"].iter().chain(flags)).unwrap();
        flags.types.types()
    }

    #[test]
    fn every_flag_says_something_of_columns() {
        let got = types(&[
            "--categorical",
            "zip,code_*",
            "--type",
            "a=number,b=date",
            "--missing",
            "-,Bad Input",
            "--date-format",
            "%b %d, %Y",
        ]);
        let words = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let expected = ColumnTypes {
            categorical: words(&["zip", "code_*"]),
            numeric: words(&["a"]),
            text: Vec::new(),
            date: words(&["b"]),
            date_format: words(&["%b %d, %Y"]),
            missing: words(&["-", "Bad Input"]),
        };
        assert_eq!(got.unwrap(), expected);
        assert!(types(&["--type", "a=money"]).is_err());
        assert!(types(&["--type", "a"]).is_err());
    }

    #[test]
    fn they_are_flags_of_the_recipe() {
        use clap::Args;
        let command = RecipeArgs::augment_args(clap::Command::new("x"));
        assert!(command.get_arguments().any(|arg| arg.get_long() == Some("date-format")));
    }
}
