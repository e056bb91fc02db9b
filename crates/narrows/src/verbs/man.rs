//! `narrows man`: manual pages, generated from the help texts.

use std::fs;
use std::path::PathBuf;

use clap::{Args as ClapArgs, Command, CommandFactory};
use clap_mangen::Man as Page;
use narrows_core::Error;

use crate::failure::{EXIT_CODES, Failure, Outcome};
use crate::output;
use crate::targets::{ForceArg, Targets};
use crate::verbs::Args;

/// Print the manual page, or write one page per verb
#[derive(Debug, ClapArgs)]
#[command(
    before_help = "Example: narrows man | man -l -",
    before_long_help = "Examples:\n  narrows man | man -l -\n  narrows man --dir ~/.local/share/man/man1"
)]
pub(crate) struct Man {
    /// Folder to write one page per verb to
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    #[command(flatten)]
    force: ForceArg,
}

impl Man {
    pub(crate) fn run(self) -> Result<Outcome, Failure> {
        let mut command = Args::command();
        command.build();
        let Some(folder) = self.dir else {
            output::print(page(command)?.trim_end())?;
            return Ok(Outcome::Done);
        };
        fs::create_dir_all(&folder).map_err(|error| Error::write(&folder, error))?;
        let verbs: Vec<Command> = command.get_subcommands().filter(|verb| verb.get_name() != "help").cloned().collect();
        let file = |name: &str| folder.join(format!("{name}.1"));
        let mut pages = vec![(file("narrows"), page(command)?)];
        for verb in verbs {
            pages.push((file(&format!("narrows-{}", verb.get_name())), page(verb)?));
        }
        let targets = Targets::new(self.force);
        pages.iter().fold(targets, |targets, (path, _)| targets.writes("--dir", Some(path))).check()?;
        for (path, page) in pages {
            output::write_text(&path, &page)?;
        }
        Ok(Outcome::Done)
    }
}

fn page(command: Command) -> Result<String, Failure> {
    let examples = command.get_before_long_help().or(command.get_before_help()).map(ToString::to_string);
    let mut page = Vec::new();
    Page::new(command).render(&mut page).map_err(|error| Error::write("the manual page", error))?;
    let mut page = String::from_utf8_lossy(&page).into_owned();
    if let Some(examples) = examples {
        page.push_str(&section(&examples));
    }
    page.push_str(&exit_status());
    Ok(page)
}

/// The exit codes as a section.
fn exit_status() -> String {
    let rows =
        EXIT_CODES.map(|(code, meaning)| format!(".TP\n.B {code}\n{}\n", meaning.replace('`', "").replace('-', "\\-")));
    format!(".SH EXIT STATUS\n{}", rows.concat())
}

/// The examples as a section without filling.
fn section(examples: &str) -> String {
    let lines = examples.lines().map(|line| line.trim_start_matches("Examples:").trim_start_matches("Example:").trim());
    // Escapes backslashes, and hyphens so that they are not typeset as dashes.
    let lines = lines.filter(|line| !line.is_empty()).map(|line| line.replace('\\', "\\e").replace('-', "\\-"));
    format!(".SH EXAMPLES\n.nf\n{}\n.fi\n", lines.collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_has_examples_and_the_exit_codes() {
        let mut command = Args::command();
        command.build();
        let verbs = command.get_subcommands().filter(|verb| verb.get_name() != "help").cloned();
        for verb in verbs.chain([command.clone()]) {
            let name = verb.get_name().to_owned();
            let page = page(verb).unwrap();
            assert!(page.contains(".SH EXAMPLES\n.nf\nnarrows "), "{name}");
            assert!(page.contains(".SH EXIT STATUS\n.TP\n.B 0\nsuccess\n"), "{name}");
        }
    }

    #[test]
    fn examples_become_a_section() {
        assert_eq!(section("Example: narrows fit a.csv"), ".SH EXAMPLES\n.nf\nnarrows fit a.csv\n.fi\n");
        assert_eq!(section("Examples:\n  narrows x -o y"), ".SH EXAMPLES\n.nf\nnarrows x \\-o y\n.fi\n");
    }
}
