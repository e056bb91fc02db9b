//! A value that is given, or chosen automatically: `"auto"` in files and on the command line.

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// Either `auto` or a value; files and flags hold the word or the value itself.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Choice<T> {
    /// Chosen automatically, and reported.
    #[default]
    Auto,
    /// Given by the user.
    Given(T),
}

impl<T: Clone> Choice<T> {
    /// The given value, or the result of `choose`.
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

impl<'de, T: DeserializeOwned> Deserialize<'de> for Choice<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        if value == "auto" {
            return Ok(Choice::Auto);
        }
        T::deserialize(&value).map(Choice::Given).map_err(|error| {
            let error = error.to_string();
            D::Error::custom(match value {
                // The error for an unknown word lists the known ones.
                Value::String(_) if error.starts_with("unknown variant") => error,
                Value::String(word) => format!("expected `auto` or a value, got `{word}`"),
                _ => format!("expected `auto` or a value of the right type: {error}"),
            })
        })
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
