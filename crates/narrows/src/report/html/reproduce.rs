//! The complete recipe, and the command that fits this model again.

use askama::Template;

use super::label::{cut, shell};
use crate::report::Report;

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
            command: format!("narrows fit {} --recipe recipe.toml -o model.narrows", shell(&cut(&report.source, 400))),
            toml: report.recipe.to_toml().trim().to_owned(),
            seed: report.recipe.seed,
            preset: report.recipe.preset.to_string(),
            version: report.version.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn the_command_names_the_source_and_the_recipe_is_complete() {
        let report = sample::report();
        let section = Reproduce::new(&report);
        assert_eq!(section.command, "narrows fit payments.csv --recipe recipe.toml -o model.narrows");
        assert!(section.render().unwrap().contains("seed = "));
    }
}
