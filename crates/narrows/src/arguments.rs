//! Maps argument names of the library to command-line flags, for error messages.

use narrows_core::Error;
use narrows_core::error::{Hint, Reference};

/// Library arguments and their flags.
const FLAGS: &[(&str, &str)] = &[
    ("assignments", "--set"),
    ("bits", "--bits"),
    ("categorical", "--categorical"),
    ("chunk_rows", "--chunk-rows"),
    ("columns", "--columns"),
    ("comment", "--comment"),
    ("contamination", "--contamination"),
    ("corrupt", "--corrupt"),
    ("date_format", "--date-format"),
    ("delimiter", "--delimiter"),
    ("device", "--device"),
    ("duplicates", "--duplicates"),
    ("encoding", "--encoding"),
    ("force", "--force"),
    ("format", "--format"),
    ("goal", "--for"),
    ("id", "--id"),
    ("ignore", "--ignore"),
    ("kind", "--kind"),
    ("label", "--label"),
    ("layout", "--layout"),
    ("license", "--license"),
    ("limit", "--time-limit"),
    ("lossless", "--lossless"),
    ("manifold", "--manifold"),
    ("max_error", "--max-error"),
    ("missing", "--missing"),
    ("max_line_bytes", "--max-line-bytes"),
    ("max_ratio", "--max-ratio"),
    ("normal", "--normal"),
    ("numeric", "--numeric"),
    ("output", "--output"),
    ("pivot", "--pivot"),
    #[cfg(feature = "serve")]
    ("port", "--port"),
    ("preset", "--preset"),
    ("quality", "--quality"),
    ("recipe", "--recipe"),
    ("resize", "--resize"),
    ("resume", "--resume"),
    ("sample_key", "--sample-key"),
    ("shard", "--shard"),
    ("text", "--text"),
    ("threads", "--threads"),
    ("threshold", "--threshold"),
    ("time", "--time"),
    ("timezone", "--timezone"),
    ("trials", "--trials"),
    ("where", "--where"),
];

/// The flag of an argument.
fn flag(argument: &str) -> Option<&'static str> {
    FLAGS.iter().find(|(name, _)| *name == argument).map(|(_, flag)| *flag)
}

/// The message of an error, with arguments replaced by flags.
pub(crate) fn message(error: &Error) -> String {
    match error {
        Error::Recipe { field, message, .. } => format!("{}: {message}", flag(field).unwrap_or(field)),
        error => error.to_string(),
    }
}

/// A hint, with arguments replaced by flags and recipe fields by `--set`.
pub(crate) fn hint(hint: &Hint) -> String {
    hint.render(|reference| match reference {
        Reference::Verb(verb) => format!("narrows {verb}"),
        Reference::Argument { name, value } => match (flag(name), value) {
            (Some(flag), Some(value)) => format!("{flag} {value}"),
            (Some(flag), None) => flag.to_owned(),
            (None, Some(value)) => format!("--set {name}={value}"),
            (None, None) => format!("`{name}`"),
        },
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::verbs::Args;

    #[test]
    fn every_flag_of_the_table_exists() {
        let mut command = Args::command();
        command.build();
        let known: Vec<String> = command
            .get_subcommands()
            .flat_map(|verb| verb.get_arguments().filter_map(|arg| arg.get_long()).map(|long| format!("--{long}")))
            .collect();
        for (argument, flag) in FLAGS {
            assert!(known.iter().any(|known| known == flag), "{argument}: {flag}");
        }
    }

    #[test]
    fn arguments_become_flags_and_fields_become_assignments() {
        assert_eq!(message(&Error::recipe("max_error", "expected a bound")), "--max-error: expected a bound");
        assert_eq!(message(&Error::recipe("train.steps", "expected at least 1")), "train.steps: expected at least 1");
        let words = hint(&Hint::of("[corrupt=gaussian:25] or [backbone.code_size=2], see [verb fit] and [label]"));
        assert_eq!(words, "--corrupt gaussian:25 or --set backbone.code_size=2, see narrows fit and --label");
    }
}
