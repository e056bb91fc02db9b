//! The complete recipe, and the command that fits this model again.

use askama::Template;

use super::text::{cut, shell};
use crate::recipe::Recipe;
use crate::report::{Report, RestorerReport, Role};

/// The section.
#[derive(Template)]
#[template(path = "report/reproduce.html", whitespace = "preserve")]
pub(super) struct ReproduceSection {
    command: String,
    toml: String,
    seed: u64,
    preset: String,
    version: String,
}

impl ReproduceSection {
    pub(super) fn new(report: &Report) -> ReproduceSection {
        ReproduceSection::of(&report.recipe, command(report), &report.version)
    }

    pub(super) fn restorer(report: &RestorerReport) -> ReproduceSection {
        ReproduceSection::of(&report.recipe, fit(&report.album.source, Vec::new()), &report.version)
    }

    fn of(recipe: &Recipe, command: String, version: &str) -> ReproduceSection {
        ReproduceSection {
            command,
            toml: recipe.to_toml().trim().to_owned(),
            seed: recipe.seed,
            preset: recipe.preset.to_string(),
            version: version.to_owned(),
        }
    }
}

/// The command line that fits this model again.
pub(in crate::report) fn command(report: &Report) -> String {
    let mut roles = Vec::new();
    if let Some(label) = &report.label {
        // The label of an image is its folder; `--normal` names the normal folders.
        let is_folder = report.images.is_some();
        if !is_folder {
            roles.push(format!("--label {}", shell(&label.column)));
        }
        let normal = label.normal.iter().map(|names| if is_folder { names.replace(", ", ",") } else { names.clone() });
        roles.extend(normal.map(|normal| format!("--normal {}", shell(&normal))));
    }
    let ignored = report.columns.iter().filter(|column| column.role == Role::Ignored);
    roles.extend(ignored.map(|column| format!("--ignore {}", shell(&column.name))));
    fit(&report.source, roles)
}

/// The fit command of a source with role flags.
pub(in crate::report) fn fit(source: &str, roles: Vec<String>) -> String {
    let mut arguments = vec!["narrows fit".to_owned(), shell(&cut(source, 400))];
    arguments.extend(roles);
    arguments.push("--recipe recipe.toml -o model.narrows".to_owned());
    arguments.join(" ")
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn the_command_names_the_source_and_the_recipe_is_complete() {
        let report = sample::report();
        let section = ReproduceSection::new(&report);
        let (start, end) =
            ("narrows fit payments.csv --label is_fraud --normal 0", "--recipe recipe.toml -o model.narrows");
        assert!(section.command.starts_with(start) && section.command.ends_with(end), "{}", section.command);
        assert!(section.render().unwrap().contains("seed = "));
    }

    #[test]
    fn image_folders_and_restorer_sources_are_named() {
        let mut report = sample::report();
        report.columns.clear();
        report.label = Some(crate::report::Label {
            column: "folder".to_owned(),
            normal: Some("good, fine".to_owned()),
            ..Default::default()
        });
        report.images = Some(sample::images());
        assert_eq!(
            command(&report),
            "narrows fit payments.csv --normal good,fine --recipe recipe.toml -o model.narrows"
        );
        let section = ReproduceSection::restorer(&sample::restorer());
        assert_eq!(section.command, "narrows fit 'photos of 2025' --recipe recipe.toml -o model.narrows");
        assert!(section.toml.contains("corrupt = [\"gaussian:25\"]"), "{}", section.toml);
    }
}
