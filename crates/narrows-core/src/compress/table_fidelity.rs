//! The fidelity of tables, whose columns may have bounds of their own.

use std::collections::BTreeMap;

use super::coder::ChunkCoder;
use super::fidelity::{CodeDetail, ErrorBound, Fidelity};
use crate::data::ColumnKind;
use crate::error::{Error, Result, nearest};

/// How closely the columns of a table are reconstructed.
#[derive(Debug, Clone, PartialEq)]
pub struct TableFidelity {
    /// Of all columns but those below.
    pub others: Fidelity,
    /// Bounds on the numbers of single columns, by name.
    pub columns: BTreeMap<String, ErrorBound>,
}

impl From<Fidelity> for TableFidelity {
    fn from(fidelity: Fidelity) -> TableFidelity {
        TableFidelity { others: fidelity, columns: BTreeMap::new() }
    }
}

impl TableFidelity {
    /// The fidelity that arguments ask for: bounds as text, lossless, bits of a code unit or a quality, the first that is
    /// given; without one the model's default.
    ///
    /// A bound is one for all columns, `1%`, or for one, `amount=0.01`; where only single columns have bounds, the others
    /// are compressed without loss.
    ///
    /// # Errors
    /// [`Error::Recipe`] for a bound that cannot be read or is given twice, and a quality that is no small whole number.
    pub fn chosen(
        bounds: &[impl AsRef<str>],
        lossless: bool,
        bits: Option<f64>,
        quality: Option<i64>,
    ) -> Result<TableFidelity> {
        if !bounds.is_empty() {
            return TableFidelity::within(bounds);
        }
        let fidelity = match (lossless, bits, quality) {
            (true, ..) => Fidelity::Lossless,
            (false, Some(bits), _) => Fidelity::Code(CodeDetail::Bits(bits)),
            (false, None, Some(quality)) => {
                let level = u8::try_from(quality).map_err(|_| {
                    Error::recipe("quality", format!("expected a whole number from 1 to 10, got {quality}"))
                })?;
                Fidelity::Code(CodeDetail::Quality(level))
            }
            (false, None, None) => Fidelity::Code(CodeDetail::Own),
        };
        Ok(fidelity.into())
    }

    fn within(bounds: &[impl AsRef<str>]) -> Result<TableFidelity> {
        let (mut others, mut columns) = (None, BTreeMap::new());
        for text in bounds.iter().map(AsRef::as_ref) {
            let is_second = match text.rsplit_once('=') {
                Some((column, bound)) => columns.insert(column.trim().to_owned(), bound.parse()?).is_some(),
                None => others.replace(text.parse()?).is_some(),
            };
            if is_second {
                let message = format!("expected one bound for all columns and one a column, got `{text}` as a second");
                return Err(Error::recipe("max_error", message));
            }
        }
        Ok(TableFidelity { others: others.map_or(Fidelity::Lossless, Fidelity::Within), columns })
    }

    /// The fidelity of images, which have no columns.
    ///
    /// # Errors
    /// [`Error::Recipe`] if a column has a bound of its own.
    pub fn of_images(&self) -> Result<Fidelity> {
        match self.columns.keys().next() {
            None => Ok(self.others),
            Some(column) => {
                let message = format!("expected one bound for images, got one for the column `{column}`");
                Err(Error::recipe("max_error", message))
            }
        }
    }

    /// The fidelity of a column.
    pub(super) fn of(&self, column: &str) -> Fidelity {
        self.columns.get(column).map_or(self.others, |bound| Fidelity::Within(*bound))
    }

    /// Checks that columns with bounds of their own are numbers that the model knows.
    pub(super) fn check(&self, coder: &ChunkCoder) -> Result<()> {
        let features = coder.features();
        let numbers =
            || features.iter().map(|feature| feature.column).filter(|column| column.kind == ColumnKind::Numeric);
        for name in self.columns.keys() {
            if numbers().any(|column| column.name == *name) {
                continue;
            }
            let got = match features.iter().find(|feature| feature.column.name == *name) {
                Some(feature) => format!("one of kind {}, which comes back as it was", feature.column.kind),
                None => "one that the model does not know, which comes back as it was".to_owned(),
            };
            let message = format!("a bound for the column `{name}`: expected a numeric column of the model, got {got}");
            let error = Error::recipe("max_error", message);
            let near = nearest(name, numbers().map(|column| column.name.as_str()));
            return Err(match near.is_empty() {
                true => error,
                false => error.with_hint(format!("did you mean `{}`?", near.join("`, `"))),
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_for_all_columns_or_for_one() {
        let chosen = |bounds: &[&str]| TableFidelity::chosen(bounds, false, None, None);
        let fidelity = chosen(&["1%", "a=b=0.5", " temp = 2 %"]).unwrap();
        assert_eq!(fidelity.others, Fidelity::Within(ErrorBound::Share(0.01)));
        assert_eq!(fidelity.of("a=b"), Fidelity::Within(ErrorBound::Absolute(0.5)));
        assert_eq!(fidelity.of("temp"), Fidelity::Within(ErrorBound::Share(0.02)));
        assert_eq!(fidelity.of("other"), fidelity.others);
        assert_eq!(chosen(&["a=1"]).unwrap().others, Fidelity::Lossless);
        for bounds in [&["1", "2"][..], &["a=1", "b=1", "a=2"]] {
            let error = chosen(bounds).unwrap_err().to_string();
            assert!(error.contains("as a second"), "{error}");
        }
        assert!(chosen(&["a="]).is_err() && chosen(&["a=0"]).is_err() && chosen(&[""]).is_err());
    }

    #[test]
    fn images_have_one_bound() {
        let bounds = TableFidelity::chosen(&["2", "a=1"], false, None, None).unwrap();
        assert!(bounds.of_images().unwrap_err().to_string().contains("`a`"));
        let quality = TableFidelity::chosen(&[] as &[&str], false, None, Some(3)).unwrap();
        assert_eq!(quality.of_images().unwrap(), Fidelity::Code(CodeDetail::Quality(3)));
        assert!(TableFidelity::chosen(&[] as &[&str], false, None, Some(-3)).is_err());
    }
}
