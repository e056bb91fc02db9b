//! The label column of a report: its values, how many rows have each, and which are normal.

use serde::{Deserialize, Serialize};

/// Values listed in one line.
const LISTED: usize = 8;

/// The label column.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// Its name.
    pub column: String,
    /// Its value for normal rows, several separated by commas.
    pub normal: Option<String>,
    /// Its values, the most frequent first, at most 100; empty in reports of older versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<LabelValue>,
    /// Rows without a label: empty cells and tokens such as `NaN`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unlabelled: u64,
}

/// A value of the label column, with the spellings that are read as the same value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelValue {
    /// The most frequent spelling.
    pub value: String,
    /// Number of rows.
    pub rows: u64,
    /// Whether its rows are normal.
    pub is_normal: bool,
    /// Other spellings of it, by case, surrounding blanks, or as a number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
}

impl Label {
    /// The values in one line: "491 `ok` (normal); 19 `attack`; 3 without a label".
    pub fn describe(&self) -> String {
        let value = |value: &LabelValue| {
            let mut remarks: Vec<String> = value.is_normal.then(|| "normal".to_owned()).into_iter().collect();
            if !value.also.is_empty() {
                remarks.push(format!("also as {}", quoted(&value.also)));
            }
            let remarks = if remarks.is_empty() { String::new() } else { format!(" ({})", remarks.join(", ")) };
            format!("{} `{}`{remarks}", value.rows, value.value)
        };
        // Normal values first: the line is about them.
        let (normal, others): (Vec<_>, Vec<_>) = self.values.iter().partition(|value| value.is_normal);
        let all: Vec<&LabelValue> = normal.into_iter().chain(others).collect();
        let mut parts: Vec<String> = all.iter().take(LISTED).map(|v| value(v)).collect();
        if all.len() > LISTED {
            parts.push(format!("{} other values", all.len() - LISTED));
        }
        if self.unlabelled > 0 {
            parts.push(format!("{} without a label", self.unlabelled));
        }
        parts.join("; ")
    }
}

fn quoted(words: &[String]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_one_line_with_the_normal_ones_first() {
        let value = |value: &str, rows, is_normal, also: &[&str]| LabelValue {
            value: value.to_owned(),
            rows,
            is_normal,
            also: also.iter().map(|word| (*word).to_owned()).collect(),
        };
        let mut label = Label {
            column: "y".to_owned(),
            normal: Some("ok".to_owned()),
            values: vec![value("Attack", 19, false, &["attack "]), value("ok", 7, true, &["OK", "Ok"])],
            unlabelled: 3,
        };
        let line = "7 `ok` (normal, also as `OK`, `Ok`); 19 `Attack` (also as `attack `); 3 without a label";
        assert_eq!(label.describe(), line);
        label.values = (0..12).map(|i| value(&i.to_string(), 20 - i, i == 0, &[])).collect();
        assert!(label.describe().ends_with("; 13 `7`; 4 other values; 3 without a label"), "{}", label.describe());
    }

    #[test]
    fn labels_of_older_versions_are_read() {
        let label: Label = serde_json::from_str(r#"{"column":"y","normal":"0"}"#).unwrap();
        assert_eq!((label.normal.as_deref(), label.values.len(), label.unlabelled), (Some("0"), 0, 0));
        assert_eq!(serde_json::to_string(&label).unwrap(), r#"{"column":"y","normal":"0"}"#);
    }
}
