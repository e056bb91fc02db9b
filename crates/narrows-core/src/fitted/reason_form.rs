//! The forms in which reasons stand beside scores: as sentences, as columns of values, as objects.

use std::str::FromStr;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, StringArray};

use super::score_table::{reason_lists, reason_texts, side};
use crate::detect::Reason;
use crate::error::{Error, Result};
use crate::output::Columns;

/// The form of reasons in a table of scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReasonForm {
    /// `reason_1`, ...: a sentence each.
    Text,
    /// `reason_1_column`, `reason_1_expected`, `reason_1_got`, `reason_1_share`, `reason_1_direction`, ...
    Columns,
    /// `reasons`: a list of objects, for nested formats.
    Objects,
}

impl ReasonForm {
    /// All forms.
    pub const ALL: [ReasonForm; 3] = [ReasonForm::Text, ReasonForm::Columns, ReasonForm::Objects];

    /// The name of the form.
    pub fn name(self) -> &'static str {
        match self {
            ReasonForm::Text => "text",
            ReasonForm::Columns => "columns",
            ReasonForm::Objects => "objects",
        }
    }

    /// The `k` first reasons of each row in this form.
    pub fn columns(self, reasons: &[Vec<Reason>], k: usize) -> Columns {
        match self {
            ReasonForm::Text => reason_texts(reasons, k),
            ReasonForm::Columns => (0..k).flat_map(|rank| fields(reasons, rank)).collect(),
            ReasonForm::Objects => {
                let first: Vec<Vec<Reason>> = reasons.iter().map(|row| row.iter().take(k).cloned().collect()).collect();
                vec![("reasons".to_owned(), reason_lists(&first))]
            }
        }
    }
}

/// The columns of one rank; null for rows that have fewer reasons.
fn fields(reasons: &[Vec<Reason>], rank: usize) -> Columns {
    let of = || reasons.iter().map(|row| row.get(rank));
    let texts = |field: fn(&Reason) -> &str| -> ArrayRef {
        Arc::new(of().map(|reason| reason.map(field)).collect::<StringArray>())
    };
    let fields: [(&str, ArrayRef); 5] = [
        ("column", texts(|reason| &reason.column)),
        ("expected", texts(|reason| &reason.expected)),
        ("got", texts(|reason| &reason.got)),
        ("share", Arc::new(of().map(|reason| reason.map(|reason| reason.share)).collect::<Float64Array>())),
        ("direction", texts(|reason| side(reason.direction))),
    ];
    fields.into_iter().map(|(name, array)| (format!("reason_{}_{name}", rank + 1), array)).collect()
}

impl FromStr for ReasonForm {
    type Err = Error;

    fn from_str(name: &str) -> Result<ReasonForm> {
        ReasonForm::ALL.into_iter().find(|form| form.name() == name).ok_or_else(|| {
            let names = ReasonForm::ALL.map(ReasonForm::name).join(", ");
            Error::recipe("reason_form", format!("expected one of {names}, got `{name}`"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Format;
    use crate::output::{TableWriter, batch};

    fn reasons() -> Vec<Vec<Reason>> {
        let first = vec![Reason::number("a", 0.75, 1.0, 2.0), Reason::category("b", 0.25, "x, y", "z")];
        vec![first, Vec::new()]
    }

    fn check(form: ReasonForm, format: Format, expected: &str) {
        let mut bytes = Vec::new();
        let mut writer = TableWriter::new(&mut bytes, format).unwrap();
        writer.write(&batch(form.columns(&reasons(), 2))).unwrap();
        writer.finish().unwrap();
        assert_eq!(String::from_utf8(bytes).unwrap(), expected);
    }

    #[test]
    fn reasons_are_sentences_columns_or_objects() {
        let head = "reason_1\treason_2\n";
        let text = "`a`: expected about 1, got 2 (share 75 %)\t`b`: expected x, y, got z (share 25 %)\n\t\n";
        check(ReasonForm::Text, Format::Tsv, &format!("{head}{text}"));
        let names = ["column", "expected", "got", "share", "direction"];
        let head: Vec<String> = [1, 2].iter().flat_map(|i| names.map(|name| format!("reason_{i}_{name}"))).collect();
        let rows = "a,1,2,0.75,above,b,\"x, y\",z,0.25,other\n,,,,,,,,,\n";
        check(ReasonForm::Columns, Format::Csv, &format!("{}\n{rows}", head.join(",")));
        let objects = "{\"reasons\":[{\"column\":\"a\",\"expected\":\"1\",\"got\":\"2\",\"share\":0.75,\"direction\":\"above\"},\
                       {\"column\":\"b\",\"expected\":\"x, y\",\"got\":\"z\",\"share\":0.25,\"direction\":\"other\"}]}\n\
                       {\"reasons\":[]}\n";
        check(ReasonForm::Objects, Format::Ndjson, objects);
    }

    #[test]
    fn forms_have_names() {
        for form in ReasonForm::ALL {
            assert_eq!(form.name().parse::<ReasonForm>().unwrap(), form);
        }
        assert!("words".parse::<ReasonForm>().unwrap_err().to_string().contains("text, columns, objects"));
    }
}
