//! A value that is given, or left to the program: `"auto"` in files and on the command line.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Either `auto` or a value; a file or a flag holds the word or the value itself.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Choice<T> {
    /// The program chooses, and says what it chose.
    #[default]
    Auto,
    /// The user chose.
    Given(T),
}

impl<T: Clone> Choice<T> {
    /// The given value, or what `choose` makes of the situation.
    pub fn or_else(&self, choose: impl FnOnce() -> T) -> T {
        match self {
            Choice::Auto => choose(),
            Choice::Given(value) => value.clone(),
        }
    }
}

impl<T: Serialize> Serialize for Choice<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Choice::Auto => serializer.serialize_str("auto"),
            Choice::Given(value) => value.serialize(serializer),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Choice<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Raw<T> {
            Given(T),
            Word(String),
        }
        match Raw::deserialize(deserializer) {
            Ok(Raw::Given(value)) => Ok(Choice::Given(value)),
            Ok(Raw::Word(word)) if word == "auto" => Ok(Choice::Auto),
            Ok(Raw::Word(word)) => Err(D::Error::custom(format!("expected `auto` or a value, got `{word}`"))),
            Err(_) => Err(D::Error::custom("expected `auto` or a value of the right type")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auto_and_values_survive_a_round_trip() {
        for choice in [Choice::Auto, Choice::Given(7_usize)] {
            let text = serde_json::to_string(&choice).unwrap();
            assert_eq!(serde_json::from_str::<Choice<usize>>(&text).unwrap(), choice);
        }
        let error = serde_json::from_str::<Choice<usize>>("\"many\"").unwrap_err().to_string();
        assert!(error.contains("got `many`"), "{error}");
    }
}
