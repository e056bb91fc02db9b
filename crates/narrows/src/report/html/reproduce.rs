//! The complete recipe, and the command that fits this model again.

use askama::Template;

use super::label::{cut, shell};
use crate::report::{Report, Role};

/// The section.
#[derive(Template)]
#[template(path = "report/reproduce.html", whitespace = "preserve")]
pub(super) struct Reproduce {
    command: String,
    toml: String,
    seed: u64,
    preset: String,
    version: String,
}

impl Reproduce {
    pub(super) fn new(report: &Report) -> Reproduce {
        Reproduce {
            command: command(report),
            toml: report.recipe.to_toml().trim().to_owned(),
            seed: report.recipe.seed,
            preset: report.recipe.preset.to_string(),
            version: report.version.clone(),
        }
    }
}

/// The command line that fits this model again.
fn command(report: &Report) -> String {
    let mut words = vec!["narrows fit".to_owned(), shell(&cut(&report.source, 400))];
    if let Some(label) = &report.label {
        words.push(format!("--label {}", shell(&label.column)));
        words.extend(label.normal.iter().map(|normal| format!("--normal {}", shell(normal))));
    }
    let ignored = report.columns.iter().filter(|column| column.role == Role::Ignored);
    words.extend(ignored.map(|column| format!("--ignore {}", shell(&column.name))));
    words.push("--recipe recipe.toml -o model.narrows".to_owned());
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn the_command_names_the_source_and_the_recipe_is_complete() {
        let report = sample::report();
        let section = Reproduce::new(&report);
        let (start, end) =
            ("narrows fit payments.csv --label is_fraud --normal 0", "--recipe recipe.toml -o model.narrows");
        assert!(section.command.starts_with(start) && section.command.ends_with(end), "{}", section.command);
        assert!(section.render().unwrap().contains("seed = "));
    }
}
