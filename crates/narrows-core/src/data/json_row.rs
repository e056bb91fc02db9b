//! Parses one JSON object to keys and cells, without an intermediate tree.
//!
//! Nested objects are flattened: `{"a": {"b": 1}}` has the key `a.b`. Arrays are not cells.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The keys of one object with their cells, in order.
pub(super) type JsonRow = Vec<(String, JsonCell)>;

/// Integers beyond this are not all floats: 2^53.
const EXACT: u128 = 1 << 53;

/// One flat JSON value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum JsonCell {
    Null,
    Number(f64),
    Flag(bool),
    /// Text, or an integer that a float does not hold exactly, such as a long id.
    Word(String),
    /// An array, whose elements are not read.
    List,
}

impl JsonCell {
    /// An integer.
    pub(super) fn whole(x: i128) -> JsonCell {
        if x.unsigned_abs() <= EXACT { JsonCell::Number(x as f64) } else { JsonCell::Word(x.to_string()) }
    }

    /// Description for messages, as in "got the number 7".
    pub(super) fn describe(&self) -> String {
        match self {
            JsonCell::Null => "null".to_owned(),
            JsonCell::Number(x) => format!("the number {x}"),
            JsonCell::Flag(flag) => flag.to_string(),
            JsonCell::Word(word) => format!("the text `{}`", word.chars().take(40).collect::<String>()),
            JsonCell::List => "an array".to_owned(),
        }
    }
}

/// Reads an object.
pub(super) struct RowVisitor;

impl<'de> Visitor<'de> for RowVisitor {
    type Value = JsonRow;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<JsonRow, A::Error> {
        let mut row = Vec::with_capacity(map.size_hint().unwrap_or(16));
        RowCells { name: String::new(), is_nested: false, row: &mut row }.visit_map(map)?;
        Ok(row)
    }
}

/// Appends a value to a row: one cell, or those of an object.
pub(super) struct RowCells<'a> {
    pub(super) name: String,
    /// The keys of an object follow the name and a dot.
    pub(super) is_nested: bool,
    pub(super) row: &'a mut JsonRow,
}

impl RowCells<'_> {
    fn push<E>(self, cell: JsonCell) -> Result<(), E> {
        self.row.push((self.name, cell));
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for RowCells<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for RowCells<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, text, true, false or null")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.push(JsonCell::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<(), E> {
        self.push(JsonCell::Flag(flag))
    }

    fn visit_i64<E>(self, x: i64) -> Result<(), E> {
        self.push(JsonCell::whole(x.into()))
    }

    fn visit_u64<E>(self, x: u64) -> Result<(), E> {
        self.push(JsonCell::whole(x.into()))
    }

    fn visit_f64<E>(self, x: f64) -> Result<(), E> {
        self.push(JsonCell::Number(x))
    }

    fn visit_str<E>(self, word: &str) -> Result<(), E> {
        self.push(JsonCell::Word(word.to_owned()))
    }

    fn visit_string<E>(self, word: String) -> Result<(), E> {
        self.push(JsonCell::Word(word))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        self.push(JsonCell::List)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            let name = if self.is_nested { format!("{}.{key}", self.name) } else { key };
            map.next_value_seed(RowCells { name, is_nested: true, row: &mut *self.row })?;
        }
        Ok(())
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
    fn objects_are_read_and_flattened() {
        check(
            r#"{"a":1,"b":-2.5,"c":"x","d":true,"e":null}"#,
            "a: the number 1, b: the number -2.5, c: the text `x`, d: true, e: null",
        );
        check(r#"{"a":{"b":1,"c":{"d":"x"}},"e":{}}"#, "a.b: the number 1, a.c.d: the text `x`");
        check(r#"{"a":[1,[2]]}"#, "a: an array");
        check("[1]", "invalid type: sequence, expected a JSON object");
    }

    #[test]
    fn integers_keep_all_their_digits() {
        check(r#"{"a":9007199254740992}"#, "a: the number 9007199254740992");
        check(r#"{"a":9007199254740993,"b":-9007199254740993}"#, "a: the text `9007199254740993`, b: the text `-90");
    }
}
