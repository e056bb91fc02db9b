//! The recipe as a tree of values: merged, checked against the known fields, and typed at the end.
//!
//! An axis may be written as a bare word (`corruption = "gaussian"`): the variant with its defaults.

use serde_json::{Map, Value};

use super::Recipe;
use crate::error::{Error, Result, nearest};

/// Fields that hold a tagged choice, with the name of their tag.
const TAGGED: [(&str, &str); 10] = [
    ("data", "kind"),
    ("backbone", "kind"),
    ("backbone.code", "kind"),
    ("latent", "kind"),
    ("sparsity", "kind"),
    ("corruption", "kind"),
    ("loss", "kind"),
    ("detect.threshold", "rule"),
    ("train.optimizer", "kind"),
    ("train.schedule", "kind"),
];

/// Converts TOML, rejecting values that JSON cannot represent.
pub(super) fn from_toml(value: &toml::Value, path: &str) -> Result<Value> {
    let at = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    Ok(match value {
        toml::Value::String(text) => Value::String(text.clone()),
        toml::Value::Integer(number) => Value::from(*number),
        toml::Value::Float(number) => serde_json::Number::from_f64(*number)
            .map(Value::Number)
            .ok_or_else(|| Error::recipe(path, format!("expected a finite number, got {number}")))?,
        toml::Value::Boolean(flag) => Value::Bool(*flag),
        toml::Value::Datetime(date) => {
            return Err(Error::recipe(path, format!("expected a number, a word or a list, got the date {date}")));
        }
        toml::Value::Array(items) => {
            Value::Array(items.iter().map(|item| from_toml(item, path)).collect::<Result<_>>()?)
        }
        toml::Value::Table(table) => Value::Object(
            table.iter().map(|(key, value)| Ok((key.clone(), from_toml(value, &at(key))?))).collect::<Result<_>>()?,
        ),
    })
}

/// The value of a `--set`: TOML if it parses, else a bare word.
pub(super) fn parse_value(path: &str, text: &str) -> Result<Value> {
    if let Ok(table) = toml::from_str::<toml::Table>(&format!("value = {text}"))
        && let Some(value) = table.get("value")
        && table.len() == 1
    {
        return match value {
            toml::Value::Float(number) if !number.is_finite() => Err(Error::recipe(
                path,
                format!("{}, got {text}", expectation(path).unwrap_or("expected a finite number")),
            )),
            value => from_toml(value, path),
        };
    }
    if text.eq_ignore_ascii_case("nan") || text.eq_ignore_ascii_case("inf") {
        return Err(Error::recipe(
            path,
            format!("{}, got {text}", expectation(path).unwrap_or("expected a finite number")),
        ));
    }
    Ok(Value::String(text.to_owned()))
}

/// The constraint of the field at `path`, for errors about impossible values.
fn expectation(path: &str) -> Option<&'static str> {
    matches!(path, "train.learning_rate" | "prep.clip").then_some("expected a finite number above 0")
}

/// `value` under the dotted `path`.
pub(super) fn nest(path: &str, value: Value) -> Value {
    path.rsplit('.').fold(value, |inner, key| Value::Object(Map::from_iter([(key.to_owned(), inner)])))
}

/// The dotted paths of the fields that `changes` names.
pub(super) fn leaves(changes: &Value, path: &str, found: &mut Vec<String>) {
    match changes {
        Value::Object(fields) if !fields.is_empty() => fields.iter().for_each(|(key, value)| {
            leaves(value, &if path.is_empty() { key.clone() } else { format!("{path}.{key}") }, found);
        }),
        _ => found.push(path.to_owned()),
    }
}

/// Merges `changes` into `tree`; `path` is the path of both.
pub(super) fn merge(tree: &mut Value, changes: &Value, path: &mut Vec<String>) -> Result<()> {
    let here = path.join(".");
    if let Some((_, tag)) = TAGGED.iter().find(|(field, _)| *field == here) {
        match changes {
            // A bare word is a variant with its defaults.
            Value::String(word) => {
                *tree = Value::Object(Map::from_iter([((*tag).to_owned(), Value::String(word.clone()))]));
                return Ok(());
            }
            // Another variant starts from its own defaults.
            Value::Object(fields) if fields.get(*tag).is_some_and(|variant| Some(variant) != tree.get(*tag)) => {
                *tree = changes.clone();
                return Ok(());
            }
            _ => {}
        }
    }
    match (tree, changes) {
        (Value::Object(fields), Value::Object(changes)) => {
            for (key, change) in changes {
                let known: Vec<String> = fields.keys().cloned().collect();
                let field = fields.get_mut(key).ok_or_else(|| unknown(&here, key, &known))?;
                path.push(key.clone());
                merge(field, change, path)?;
                path.pop();
            }
            Ok(())
        }
        (Value::Object(fields), change) => Err(Error::recipe(&here, format!("expected fields, got {change}"))
            .with_hint(format!(
                "name one of them: {}",
                fields.keys().map(|key| format!("{here}.{key}")).collect::<Vec<_>>().join(", ")
            ))),
        (tree, change) => {
            // Typing this field alone gives an error that names it.
            *tree = change.clone();
            Ok(())
        }
    }
}

fn unknown(here: &str, key: &str, known: &[String]) -> Error {
    let near = nearest(key, known.iter().map(String::as_str));
    let place = if here.is_empty() { "the recipe".to_owned() } else { format!("`{here}`") };
    let hint = if near.is_empty() {
        format!("fields of {place}: {}", known.join(", "))
    } else {
        format!("did you mean {}?", near.join(", "))
    };
    let field = if here.is_empty() { key.to_owned() } else { format!("{here}.{key}") };
    Error::recipe(field, format!("unknown field `{key}` of {place}")).with_hint(hint)
}

/// The typed recipe; a value of the wrong type is reported with its path.
pub(super) fn typed(tree: Value) -> Result<Recipe> {
    serde_path_to_error::deserialize(&tree).map_err(|error| {
        let path = error.path().to_string();
        let message = error.into_inner().to_string();
        let hint = quoted_variants(&message);
        let error = Error::recipe(if path == "." { "recipe".to_owned() } else { path }, in_plain_words(&message));
        match hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    })
}

/// A message such as "invalid type: string "x", expected usize" without the names of Rust's types.
fn in_plain_words(message: &str) -> String {
    let start = message.find("invalid type: ").or_else(|| message.find("invalid value: "));
    let parts = start.and_then(|start| {
        let (before, rest) = message.split_at(start);
        let (got, expected) = rest.split_once(": ")?.1.split_once(", expected ")?;
        Some((before, got, expected))
    });
    let Some((before, got, expected)) = parts else { return message.to_owned() };
    let expected = match expected {
        "usize" | "u64" | "u32" | "u16" | "u8" => "a whole number of at least 0",
        "f64" | "f32" => "a number",
        "a boolean" => "true or false",
        "a string" => "text",
        other => other,
    };
    let got = ["integer ", "floating point ", "boolean ", "string "].iter().find_map(|kind| got.strip_prefix(kind));
    let got = got.map_or_else(|| "another type".to_owned(), |got| got.trim_matches(['`', '"']).to_owned());
    match before.starts_with("expected `auto`") {
        true => format!("expected `auto` or {expected}, got {got}"),
        false => format!("expected {expected}, got {got}"),
    }
}

/// "did you mean", for a message of the form: unknown variant `x`, expected one of `a`, `b`.
fn quoted_variants(message: &str) -> Option<String> {
    let words: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let (got, choices) = words.split_first()?;
    if !message.starts_with("unknown variant") {
        return None;
    }
    let near = nearest(got, choices.iter().copied());
    (!near.is_empty()).then(|| format!("did you mean {}?", near.join(", ")))
}

#[cfg(test)]
mod tests {
    use crate::recipe::Recipe;

    fn check_refused(assignment: &str, expected: &str) {
        assert_eq!(Recipe::default().set(assignment).unwrap_err().to_string(), expected);
    }

    #[test]
    fn a_value_of_another_type_is_refused_in_plain_words() {
        check_refused("train.steps=x", "train.steps: expected a whole number of at least 0, got x");
        check_refused("train.steps=-1", "train.steps: expected a whole number of at least 0, got -1");
        check_refused(
            "train.batch_size=2.5",
            "train.batch_size: expected `auto` or a whole number of at least 0, got 2.5",
        );
        check_refused("train.steps=[1]", "train.steps: expected a whole number of at least 0, got another type");
    }
}
