//! `narrows completions`: shell completion scripts.

use clap::{Args as ClapArgs, CommandFactory};
use clap_complete::Shell;

use crate::failure::{Failure, Outcome};
use crate::output;
use crate::verbs::Args;

/// Print a shell completion script
#[derive(Debug, ClapArgs)]
#[command(
    before_help = "Example: narrows completions bash > ~/.local/share/bash-completion/completions/narrows",
    before_long_help = "Examples:\n  narrows completions bash > ~/.local/share/bash-completion/completions/narrows\n  \
                        narrows completions zsh > \"${fpath[1]}/_narrows\"\n  \
                        narrows completions fish > ~/.config/fish/completions/narrows.fish"
)]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(self) -> Result<Outcome, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Args::command(), "narrows", &mut script);
        output::print(String::from_utf8_lossy(&script).trim_end())?;
        Ok(Outcome::Done)
    }
}
