//! The values of a label column: spellings of one value are folded, counted, and compared with the normal value.
//!
//! Values that differ in case or in surrounding blanks only are one value, as are numbers of equal size, and `true` and 1.
//! A missing cell is unlabelled unless its very token is asked for.

use std::collections::{BTreeMap, HashMap};

use arrow::array::AsArray;
use arrow::compute::cast;
use arrow::datatypes::DataType;

use super::roles::{Verdict, known};
use crate::data::{Table, token};
use crate::error::{Error, Hint, Result, nearest};
use crate::report::{Label, LabelValue};

/// Values kept in a report.
const REPORTED: usize = 100;
/// Other spellings kept of a value.
const SPELLINGS: usize = 5;

/// Names that mean normal, in lower case, with `_` for blanks and dashes.
const NORMAL: [&str; 27] = [
    "normal",
    "norm",
    "ok",
    "okay",
    "good",
    "benign",
    "healthy",
    "regular",
    "usual",
    "legit",
    "legitimate",
    "genuine",
    "inlier",
    "nominal",
    "negative",
    "pass",
    "passed",
    "clean",
    "ham",
    "valid",
    "no_anomaly",
    "no_attack",
    "no_fault",
    "no_failure",
    "non_anomalous",
    "not_anomalous",
    "nofault",
];
/// Words in the name of a column whose true value means an anomaly.
const ANOMALOUS: [&str; 17] = [
    "anomal",
    "outlier",
    "attack",
    "fraud",
    "fault",
    "fail",
    "defect",
    "error",
    "abnormal",
    "alarm",
    "malicious",
    "intrusion",
    "novel",
    "broken",
    "bad",
    "spam",
    "damage",
];

/// A value without its spelling.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum LabelKey {
    /// The bits of a number; true is 1 and false 0.
    Number(u64),
    /// Lower-case text.
    Word(String),
}

impl LabelKey {
    /// The value of trimmed text.
    fn of(text: &str) -> LabelKey {
        match token::number(text) {
            Some(x) if !x.is_nan() => return LabelKey::number(x),
            _ => {}
        }
        if text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false") {
            return LabelKey::number(f64::from(u8::from(text.len() == 4)));
        }
        LabelKey::Word(text.to_lowercase())
    }

    fn number(x: f64) -> LabelKey {
        // -0 is 0.
        LabelKey::Number((x + 0.0).to_bits())
    }

    fn as_number(&self) -> Option<f64> {
        match self {
            LabelKey::Number(bits) => Some(f64::from_bits(*bits)),
            LabelKey::Word(_) => None,
        }
    }

    fn as_flag(&self) -> Option<bool> {
        match self {
            LabelKey::Word(word) => token::flag(word),
            LabelKey::Number(_) => self.as_number().filter(|x| *x == 0.0 || *x == 1.0).map(|x| x == 1.0),
        }
    }

    /// Whether both are the same value; `no` is 0 if the other is a number.
    fn is(&self, other: &LabelKey) -> bool {
        self == other
            || (self.as_number().is_some() != other.as_number().is_some()
                && self.as_flag().is_some()
                && self.as_flag() == other.as_flag())
    }
}

/// Reads the labels of a table, or of its batches, and counts their values.
#[derive(Debug, Clone)]
pub(super) struct LabelReader {
    column: String,
    /// The normal value as named or as chosen.
    normal: Option<String>,
    /// Its parts, if several are separated by commas, and the whole.
    wanted: Vec<LabelKey>,
    values: Vec<FoldedValue>,
    places: HashMap<LabelKey, usize>,
    unlabelled: u64,
    /// The first token for a missing cell.
    missing: Option<String>,
}

#[derive(Debug, Clone)]
struct FoldedValue {
    key: LabelKey,
    spellings: BTreeMap<String, u64>,
    rows: u64,
    is_normal: bool,
}

impl FoldedValue {
    /// The most frequent spelling.
    fn name(&self) -> &str {
        let most = self.spellings.iter().max_by(|a, b| a.1.cmp(b.1).then(b.0.cmp(a.0)));
        most.map_or("", |(name, _)| name)
    }
}

impl LabelReader {
    /// A reader of `column`, whose normal rows have the value `normal`; without it, the evident one of the first table.
    pub(super) fn new(column: &str, normal: Option<&str>) -> LabelReader {
        let mut reader = LabelReader {
            column: column.to_owned(),
            normal: None,
            wanted: Vec::new(),
            values: Vec::new(),
            places: HashMap::new(),
            unlabelled: 0,
            missing: None,
        };
        if let Some(normal) = normal {
            reader.expect(normal);
        }
        reader
    }

    fn expect(&mut self, normal: &str) {
        let parts = normal.split(',').chain(std::iter::once(normal));
        self.wanted = parts.map(|part| LabelKey::of(part.trim())).collect();
        self.wanted.dedup();
        self.normal = Some(normal.to_owned());
    }

    /// The class of each row.
    ///
    /// # Errors
    /// [`Error::Mismatch`] without such a column; [`Error::Recipe`] if no value was named and none is evident.
    pub(super) fn read(&mut self, table: &Table) -> Result<Vec<Verdict>> {
        known(&self.column, &table.names())?;
        let text = cast(table.expect_column(&self.column)?, &DataType::Utf8)
            .map_err(|error| Error::mismatch(format!("the label cannot be read as text: {error}")))?;
        let rows: Vec<Option<usize>> = text.as_string::<i32>().iter().map(|cell| self.count(cell)).collect();
        if self.normal.is_none() {
            self.choose()?;
        }
        for value in &mut self.values {
            value.is_normal = self.wanted.iter().any(|wanted| wanted.is(&value.key));
        }
        let verdict = |row: Option<usize>| match row {
            None => Verdict::Unlabelled,
            Some(place) if self.values[place].is_normal => Verdict::Normal,
            Some(_) => Verdict::Anomalous,
        };
        Ok(rows.into_iter().map(verdict).collect())
    }

    /// The place of a cell's value; `None` without a label.
    fn count(&mut self, cell: Option<&str>) -> Option<usize> {
        let spelling = cell.unwrap_or_default();
        let text = spelling.trim();
        let key = LabelKey::of(text);
        // A token for missing cells is a label only if it is the one asked for.
        if token::is_missing(text) && !self.wanted.contains(&key) {
            self.unlabelled += 1;
            self.missing.get_or_insert_with(|| text.to_owned());
            return None;
        }
        let place = match self.places.get(&key) {
            Some(place) => *place,
            None => {
                let place = self.values.len();
                self.places.insert(key.clone(), place);
                self.values.push(FoldedValue { key, spellings: BTreeMap::new(), rows: 0, is_normal: false });
                place
            }
        };
        let value = &mut self.values[place];
        value.rows += 1;
        let has_room = value.spellings.len() <= SPELLINGS;
        match value.spellings.get_mut(spelling) {
            Some(n) => *n += 1,
            None if has_room => drop(value.spellings.insert(spelling.to_owned(), 1)),
            None => {}
        }
        Some(place)
    }

    /// Chooses the evident normal value.
    fn choose(&mut self) -> Result<()> {
        match self.evident() {
            Some(place) => {
                let name = self.values[place].name().trim().to_owned();
                self.expect(&name);
                Ok(())
            }
            None => {
                let message = format!(
                    "expected the value of `{}` in normal rows, as none is evident: {}",
                    self.column,
                    self.label().describe()
                );
                let mut hint = Hint::of("name it with [normal]; [ignore] leaves the column out and uses all rows");
                if let Some(missing) = &self.missing {
                    let named = if missing.is_empty() { "an empty value" } else { missing };
                    hint = hint.then("; if rows without a label are normal, give [normal] ").then_text(named);
                }
                Err(Error::recipe("normal", message).with_hint(hint))
            }
        }
    }

    /// The place of the evident normal value, if exactly one is.
    fn evident(&self) -> Option<usize> {
        let find = |x: f64| self.places.get(&LabelKey::number(x)).copied();
        let total: u64 = self.values.iter().map(|value| value.rows).sum();
        let is_most = |place: &usize| 2 * self.values[*place].rows >= total;
        let numbers = self.values.iter().map(|value| value.key.as_number()).collect::<Option<Vec<f64>>>();
        if self.values.iter().all(|value| value.key.as_flag().is_some()) {
            let of_flag = |flag| self.values.iter().position(|value| value.key.as_flag() == Some(flag));
            return match self.sense() {
                Some(sense) => of_flag(sense),
                None => of_flag(false).filter(is_most),
            };
        }
        match numbers {
            // scikit-learn: 1 for inliers, -1 for outliers. Other tables have it the other way round.
            Some(numbers) if numbers.iter().all(|x| x.abs() == 1.0) => find(1.0).filter(is_most),
            // Classes by number: 0 is the one without a fault if most rows have it.
            Some(_) => find(0.0).filter(is_most),
            None => {
                let is_named = |value: &FoldedValue| match &value.key {
                    LabelKey::Word(word) => {
                        let plain = word.trim_end_matches('.').replace([' ', '-'], "_");
                        NORMAL.contains(&plain.as_str())
                    }
                    LabelKey::Number(_) => false,
                };
                let mut named = (0..self.values.len()).filter(|place| is_named(&self.values[*place]));
                named.next().filter(|_| named.next().is_none())
            }
        }
    }

    /// The flag of normal rows as far as the column's name says: false for `is_fraud`, true for `is_normal`.
    fn sense(&self) -> Option<bool> {
        let name = self.column.to_lowercase();
        if ANOMALOUS.iter().any(|word| name.contains(word)) {
            return Some(false);
        }
        let words = name.split(|c: char| !c.is_alphanumeric());
        words.into_iter().any(|word| NORMAL.contains(&word) && word != "negative").then_some(true)
    }

    /// The column with the values read so far.
    pub(super) fn label(&self) -> Label {
        let mut values: Vec<LabelValue> = self.values.iter().map(reported).collect();
        values.sort_by(|a, b| b.rows.cmp(&a.rows).then(a.value.cmp(&b.value)));
        values.truncate(REPORTED);
        Label { column: self.column.clone(), normal: self.normal.clone(), values, unlabelled: self.unlabelled }
    }

    /// What to do if no row has the normal value: names those that there are.
    pub(super) fn advice(&self) -> Hint {
        let normal = self.normal.as_deref().unwrap_or_default();
        let is_there = self.values.iter().any(|value| value.is_normal);
        let near = nearest(normal, self.values.iter().map(FoldedValue::name));
        let near =
            near.first().filter(|_| !is_there).map_or_else(String::new, |near| format!(" (did you mean `{near}`?)"));
        let there = format!("`{}` has {}{near}; ", self.column, self.label().describe());
        Hint::from(there).then("[normal] names the label's value in normal rows")
    }
}

fn reported(value: &FoldedValue) -> LabelValue {
    let name = value.name().to_owned();
    let also = value.spellings.keys().filter(|spelling| **spelling != name).take(SPELLINGS).cloned().collect();
    LabelValue { value: name, rows: value.rows, is_normal: value.is_normal, also }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, BooleanArray, Float64Array, StringArray};

    use super::*;

    fn table(column: &str, array: ArrayRef) -> Table {
        Table::from_arrays(vec![(column.to_owned(), array)], "t.csv").unwrap()
    }

    /// The classes of the rows as letters, and the line about the values.
    fn read(column: &str, cells: &[&str], normal: Option<&str>) -> String {
        let cells: ArrayRef = Arc::new(StringArray::from(cells.to_vec()));
        let mut reader = LabelReader::new(column, normal);
        match reader.read(&table(column, cells)) {
            Ok(verdicts) => format!("{} | {}", letters(&verdicts), reader.label().describe()),
            Err(error) => error.to_string(),
        }
    }

    fn letters(verdicts: &[Verdict]) -> String {
        let letter = |verdict: &Verdict| match verdict {
            Verdict::Normal => 'n',
            Verdict::Anomalous => 'a',
            Verdict::Unlabelled => '-',
        };
        verdicts.iter().map(letter).collect()
    }

    #[test]
    fn spellings_of_one_value_are_folded_and_told() {
        assert_eq!(
            read("y", &["Normal", "normal", "Normal", "NORMAL", "Normal ", "Attack"], Some("normal")),
            "nnnnna | 5 `Normal` (normal, also as `NORMAL`, `Normal `, `normal`); 1 `Attack`"
        );
        assert_eq!(read("y", &["0", "0.0", "-0", "1"], Some("0")), "nnna | 3 `-0` (normal, also as `0`, `0.0`); 1 `1`");
    }

    #[test]
    fn truth_is_one_and_no_is_nought_where_the_other_is_a_number() {
        assert_eq!(read("y", &["True", "False"], Some("0")), "an | 1 `False` (normal); 1 `True`");
        assert_eq!(read("y", &["1", "0"], Some("False")), "an | 1 `0` (normal); 1 `1`");
        assert_eq!(read("y", &["yes", "no", "n"], Some("0")), "ann | 1 `n` (normal); 1 `no` (normal); 1 `yes`");
        assert_eq!(read("y", &["no", "n"], Some("n")), "an | 1 `n` (normal); 1 `no`");
        let flags: ArrayRef = Arc::new(BooleanArray::from(vec![Some(false), Some(true), None]));
        assert_eq!(letters(&LabelReader::new("y", Some("0")).read(&table("y", flags)).unwrap()), "na-");
        let numbers: ArrayRef = Arc::new(Float64Array::from(vec![1.0, -1.0, f64::NAN]));
        assert_eq!(letters(&LabelReader::new("y", Some("-1")).read(&table("y", numbers)).unwrap()), "an-");
    }

    #[test]
    fn tokens_for_missing_cells_are_no_label_unless_asked_for() {
        assert_eq!(
            read("y", &["0", "NaN", "", "n/a", "1"], Some("0")),
            "n---a | 1 `0` (normal); 1 `1`; 3 without a label"
        );
        assert_eq!(
            read("y", &["none", "broken", ""], Some("None")),
            "na- | 1 `none` (normal); 1 `broken`; 1 without a label"
        );
        assert_eq!(read("y", &["", "broken"], Some("")), "na | 1 `` (normal); 1 `broken`");
    }

    #[test]
    fn several_values_may_be_normal() {
        assert_eq!(read("y", &["a", "b", "c"], Some("a, b")), "nna | 1 `a` (normal); 1 `b` (normal); 1 `c`");
        assert_eq!(read("y", &["a,b", "c"], Some("a,b")), "na | 1 `a,b` (normal); 1 `c`");
    }

    #[test]
    fn the_evident_value_is_taken_and_otherwise_the_values_are_listed() {
        let check = |column: &str, cells: &[&str], expected: &str| {
            let got = read(column, cells, None);
            assert_eq!(got.split(" | ").next().unwrap(), expected, "{column} {cells:?}");
        };
        check("y", &["normal.", "smurf.", "smurf."], "naa");
        check("y", &["BENIGN", "DDoS", "NaN"], "na-");
        check("y", &["0", "0", "1"], "nna");
        check("y", &["False", "True", "False"], "nan");
        check("is_fraud", &["0", "1", "1"], "naa");
        check("is_normal", &["0", "1", "1"], "ann");
        check("y", &["1", "-1", "1"], "nan");
        check("fault", &["no", "yes"], "na");
        check("y", &["0", "3", "0", "7"], "nana");
        check("Attack", &["No Attack", "Attack"], "na");
        let refused = |cells: &[&str]| {
            let got = read("y", cells, None);
            assert!(got.contains("expected the value of `y` in normal rows, as none is evident: "), "{got}");
            got
        };
        // Most rows have -1, as where 1 is a failure.
        refused(&["1", "-1", "-1"]);
        refused(&["0", "1", "1"]);
        refused(&["0", "1", "2", "3"]);
        refused(&["normal", "ok", "x"]);
        assert!(refused(&["red", "blue", "red"]).ends_with("2 `red`; 1 `blue`"));
    }

    #[test]
    fn values_that_are_not_there_answer_with_those_that_are() {
        let cells: ArrayRef = Arc::new(StringArray::from(vec!["Normal", "Attack", "Attack"]));
        let mut reader = LabelReader::new("y", Some("Nomral"));
        assert_eq!(letters(&reader.read(&table("y", cells)).unwrap()), "aaa");
        assert_eq!(
            reader.advice().to_string(),
            "`y` has 2 `Attack`; 1 `Normal` (did you mean `Normal`?); `normal` names the label's value in normal rows"
        );
        let none: ArrayRef = Arc::new(StringArray::from(vec!["x"]));
        assert!(LabelReader::new("z", None).read(&table("y", none)).is_err());
    }
}
