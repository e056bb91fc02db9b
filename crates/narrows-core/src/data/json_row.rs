//! Parses one line of JSON to keys and cells, without an intermediate tree.

use std::fmt;

use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The keys of one object with their cells, in order.
pub(super) type JsonRow = Vec<(String, JsonCell)>;

/// One flat JSON value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum JsonCell {
    Null,
    Number(f64),
    Flag(bool),
    Word(String),
}

impl JsonCell {
    /// Description for messages, as in "got the number 7".
    pub(super) fn describe(&self) -> String {
        match self {
            JsonCell::Null => "null".to_owned(),
            JsonCell::Number(x) => format!("the number {x}"),
            JsonCell::Flag(flag) => flag.to_string(),
            JsonCell::Word(word) => format!("the text `{}`", word.chars().take(40).collect::<String>()),
        }
    }
}

/// Reads a flat object; nested values are rejected by key.
pub(super) struct RowVisitor;

impl<'de> Visitor<'de> for RowVisitor {
    type Value = JsonRow;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<JsonRow, A::Error> {
        let mut row = Vec::with_capacity(map.size_hint().unwrap_or(16));
        while let Some(key) = map.next_key::<String>()? {
            let cell = map.next_value::<JsonCell>().map_err(|error| {
                let text = error.to_string();
                if text.starts_with("nested") { A::Error::custom(format!("key `{key}`: {text}")) } else { error }
            })?;
            row.push((key, cell));
        }
        Ok(row)
    }
}

impl<'de> serde::Deserialize<'de> for JsonCell {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<JsonCell, D::Error> {
        deserializer.deserialize_any(CellVisitor)
    }
}

struct CellVisitor;

impl<'de> Visitor<'de> for CellVisitor {
    type Value = JsonCell;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, text, true, false or null")
    }

    fn visit_unit<E>(self) -> Result<JsonCell, E> {
        Ok(JsonCell::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<JsonCell, E> {
        Ok(JsonCell::Flag(flag))
    }

    fn visit_i64<E>(self, x: i64) -> Result<JsonCell, E> {
        Ok(JsonCell::Number(x as f64))
    }

    fn visit_u64<E>(self, x: u64) -> Result<JsonCell, E> {
        Ok(JsonCell::Number(x as f64))
    }

    fn visit_f64<E>(self, x: f64) -> Result<JsonCell, E> {
        Ok(JsonCell::Number(x))
    }

    fn visit_str<E>(self, word: &str) -> Result<JsonCell, E> {
        Ok(JsonCell::Word(word.to_owned()))
    }

    fn visit_string<E>(self, word: String) -> Result<JsonCell, E> {
        Ok(JsonCell::Word(word))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<JsonCell, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Err(A::Error::custom(
            "nested values cannot be read: expected a number, text, true, false or null, got an array",
        ))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<JsonCell, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Err(A::Error::custom(
            "nested values cannot be read: expected a number, text, true, false or null, got an object",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: &str) {
        let mut json = serde_json::Deserializer::from_str(line);
        let told = match json.deserialize_any(RowVisitor) {
            Ok(row) => {
                row.iter().map(|(key, cell)| format!("{key}: {}", cell.describe())).collect::<Vec<_>>().join(", ")
            }
            Err(error) => error.to_string(),
        };
        assert!(told.starts_with(expected), "{told}");
    }

    #[test]
    fn flat_objects_are_read_and_nested_ones_refused_by_key() {
        check(
            r#"{"a":1,"b":-2.5,"c":"x","d":true,"e":null}"#,
            "a: the number 1, b: the number -2.5, c: the text `x`, d: true, e: null",
        );
        check(r#"{"a":{"b":1}}"#, "key `a`: nested values cannot be read");
        check(r#"{"a":[]}"#, "key `a`: nested values cannot be read");
        check("[1]", "invalid type: sequence, expected a JSON object");
    }
}
