//! Names of the library's arguments and verbs in Python, for error messages.

use narrows_core::Error;
use narrows_core::error::{Hint, Reference};

/// Arguments that Python calls otherwise.
const RENAMED: [(&str, &str); 5] = [
    ("assignments", "settings"),
    ("limit", "time"),
    ("recipe", "recipe"),
    ("seed", "random_state"),
    ("threads", "n_jobs"),
];

/// Fields of the recipe that have an argument of their own.
const SHORT: [(&str, &str); 15] = [
    ("backbone.code_size", "code_size"),
    ("train.batch_size", "batch_size"),
    ("train.epochs", "max_epochs"),
    ("train.learning_rate", "learning_rate"),
    ("train.steps", "max_steps"),
    ("data.layout", "layout"),
    ("data.stride", "stride"),
    ("data.window", "window"),
    ("detect.threshold", "threshold"),
    ("types.categorical", "categorical"),
    ("types.date", "date"),
    ("types.date_format", "date_format"),
    ("types.missing", "missing"),
    ("types.numeric", "numeric"),
    ("types.text", "text"),
];

/// Verbs whose method has another name.
const METHODS: [(&str, &str); 9] = [
    ("decode", "inverse_transform()"),
    ("encode", "transform()"),
    ("evaluate", "evaluate()"),
    ("explain", "explain()"),
    ("generate", "sample()"),
    ("inspect", "report_"),
    ("report", "report()"),
    ("score", "score_samples()"),
    ("export", "save()"),
];

fn found<'a>(table: &'a [(&str, &'a str)], name: &str) -> Option<&'a str> {
    table.iter().find(|(known, _)| *known == name).map(|(_, other)| *other)
}

/// The message of an error, with its hint.
pub(crate) fn message(error: &Error) -> String {
    let message = match error {
        Error::Recipe { field, message, .. } => {
            format!("{}: {message}", found(&RENAMED, field).or_else(|| found(&SHORT, field)).unwrap_or(field))
        }
        error => error.to_string(),
    };
    match error.hint() {
        Some(hint) => format!("{message}\nhint: {}", words(hint)),
        None => message,
    }
}

/// A hint with references as Python writes them.
pub(crate) fn words(hint: &Hint) -> String {
    hint.render(|reference| match reference {
        Reference::Verb(verb) => match found(&METHODS, verb) {
            Some(method) => method.to_owned(),
            None => format!("{verb}()"),
        },
        // Kinds of data are classes in Python.
        Reference::Argument { name, value: Some(kind) } if name == "kind" => match kind.as_str() {
            "series" => "`SeriesAutoEncoder`".to_owned(),
            "images" => "`ImageAutoEncoder`".to_owned(),
            _ => "`AutoEncoder`".to_owned(),
        },
        Reference::Argument { name, .. } if name == "corrupt" => "`ImageRestorer`".to_owned(),
        Reference::Argument { name, value } => {
            let short = found(&RENAMED, name).or_else(|| found(&SHORT, name));
            match (short, value) {
                (Some(name), Some(value)) => format!("{name}={}", literal(value)),
                (None, Some(value)) if name.contains('.') => format!("settings={{\"{name}\": {}}}", literal(value)),
                (None, Some(value)) => format!("{name}={}", literal(value)),
                (Some(name), None) => format!("`{name}`"),
                (None, None) => format!("`{name}`"),
            }
        }
    })
}

/// A value as a literal of Python.
fn literal(value: &str) -> String {
    match value {
        "true" => "True".to_owned(),
        "false" => "False".to_owned(),
        value if value.parse::<f64>().is_ok() => value.to_owned(),
        value => format!("{value:?}"),
    }
}
