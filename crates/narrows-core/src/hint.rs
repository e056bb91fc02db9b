//! Advice that every front end words in its own terms.

use std::fmt;

/// What to do about an error. It may refer to arguments and verbs, which each front end names in its own way: `[time]` is
/// `--time` on the command line and `time=` in Python.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Reference(Reference),
}

/// What a hint refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// An argument, or a field of the recipe by its dotted path, and the value to give it.
    Argument {
        /// The argument's name.
        name: String,
        /// The value; none where any will do.
        value: Option<String>,
    },
    /// Something that a model can do, such as `restore`.
    Verb(String),
}

impl Hint {
    /// A hint from a template: `[name]` and `[name=value]` refer to arguments and recipe fields, `[verb name]` to verbs.
    ///
    /// ```
    /// use narrows_core::error::{Hint, Reference};
    ///
    /// let hint = Hint::of("name it with [label]; see [verb fit]");
    /// assert_eq!(hint.to_string(), "name it with `label`; see `fit`");
    /// let words = hint.render(|reference| match reference {
    ///     Reference::Argument { name, .. } => format!("--{name}"),
    ///     Reference::Verb(name) => format!("narrows {name}"),
    /// });
    /// assert_eq!(words, "name it with --label; see narrows fit");
    /// ```
    pub fn of(template: &str) -> Hint {
        let mut parts = Vec::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('[') {
            let Some((inside, after)) = after.split_once(']') else { break };
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(Part::Reference(reference(inside)));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Hint { parts }
    }

    /// The same hint, followed by a template.
    #[must_use]
    pub fn then(mut self, template: &str) -> Hint {
        self.parts.extend(Hint::of(template).parts);
        self
    }

    /// The same hint, followed by text in which nothing is a reference.
    #[must_use]
    pub fn then_text(mut self, text: &str) -> Hint {
        self.parts.push(Part::Text(text.to_owned()));
        self
    }

    /// The hint with its references named by `name`.
    pub fn render(&self, name: impl Fn(&Reference) -> String) -> String {
        let part = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Reference(reference) => name(reference),
        };
        self.parts.iter().map(part).collect()
    }
}

fn reference(inside: &str) -> Reference {
    if let Some(verb) = inside.strip_prefix("verb ") {
        return Reference::Verb(verb.to_owned());
    }
    match inside.split_once('=') {
        Some((name, value)) => Reference::Argument { name: name.to_owned(), value: Some(value.to_owned()) },
        None => Reference::Argument { name: inside.to_owned(), value: None },
    }
}

/// Plain text, in which nothing is a reference.
impl From<String> for Hint {
    fn from(text: String) -> Hint {
        Hint { parts: vec![Part::Text(text)] }
    }
}

/// Plain text, in which nothing is a reference.
impl From<&str> for Hint {
    fn from(text: &str) -> Hint {
        Hint::from(text.to_owned())
    }
}

/// References by their own names, in backticks.
impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(|reference| match reference {
            Reference::Argument { name, value: Some(value) } => format!("`{name}={value}`"),
            Reference::Argument { name, value: None } | Reference::Verb(name) => format!("`{name}`"),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_have_references_and_plain_text_has_none() {
        let hint = Hint::of("fit with [data.view=patches] or [verb score], not [ this");
        assert_eq!(hint.to_string(), "fit with `data.view=patches` or `score`, not [ this");
        assert_eq!(Hint::from("did you mean `a[0]`?").to_string(), "did you mean `a[0]`?");
        assert_eq!(Hint::of("").to_string(), "");
    }
}
