//! The verbs: one file each, with its flags and a single library call.

pub(crate) mod completions;
pub(crate) mod compress;
pub(crate) mod decode;
pub(crate) mod decompress;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod drift;
pub(crate) mod encode;
pub(crate) mod evaluate;
pub(crate) mod explain;
pub(crate) mod export;
pub(crate) mod fit;
pub(crate) mod generate;
pub(crate) mod inspect;
pub(crate) mod man;
mod new_data;
#[cfg(feature = "serve")]
pub(crate) mod open;
pub(crate) mod reconstruct;
pub(crate) mod report;
pub(crate) mod restore;
pub(crate) mod score;
#[cfg(feature = "serve")]
pub(crate) mod serve;
mod summary;
pub(crate) mod tune;

use std::ffi::OsString;

use clap::{Parser, Subcommand};

use crate::failure::{Failure, Outcome};
use crate::flags::Common;

const EXAMPLES: &str = "Examples:
  narrows demo
  narrows fit train.csv -o m.narrows
  narrows score m.narrows new.csv -o scores.csv --explain 3";

/// Anomaly detection, image restoration, compression and generation with autoencoders, for tables, series and images.
#[derive(Debug, Parser)]
#[command(
    name = "narrows",
    version,
    long_version = crate::version::long(),
    before_long_help = EXAMPLES,
    verbatim_doc_comment,
    max_term_width = 110
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) verb: Verb,
    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Demo(demo::Demo),
    Fit(Box<fit::Fit>),
    Tune(Box<tune::Tune>),
    Score(score::Score),
    Evaluate(evaluate::Evaluate),
    Drift(drift::Drift),
    Explain(explain::Explain),
    Reconstruct(reconstruct::Reconstruct),
    Restore(restore::Restore),
    Encode(encode::Encode),
    Decode(decode::Decode),
    Generate(generate::Generate),
    Compress(compress::Compress),
    Decompress(decompress::Decompress),
    Export(export::Export),
    Inspect(inspect::Inspect),
    Report(report::Report),
    #[cfg(feature = "serve")]
    Open(open::Open),
    #[cfg(feature = "serve")]
    Serve(serve::Serve),
    Doctor(doctor::Doctor),
    Completions(completions::Completions),
    Man(man::Man),
}

/// Runs the verb; `words` are the arguments that `args` was made from.
pub(crate) fn run(args: Args, words: &[OsString]) -> Result<Outcome, Failure> {
    let common = &args.common;
    match args.verb {
        Verb::Demo(verb) => verb.run(common),
        Verb::Fit(verb) => verb.run(common),
        Verb::Tune(verb) => verb.run(common, words),
        Verb::Score(verb) => verb.run(common),
        Verb::Evaluate(verb) => verb.run(common),
        Verb::Drift(verb) => verb.run(common),
        Verb::Explain(verb) => verb.run(common),
        Verb::Reconstruct(verb) => verb.run(common),
        Verb::Restore(verb) => verb.run(common),
        Verb::Encode(verb) => verb.run(common),
        Verb::Decode(verb) => verb.run(common),
        Verb::Generate(verb) => verb.run(common),
        Verb::Compress(verb) => verb.run(common),
        Verb::Decompress(verb) => verb.run(common),
        Verb::Export(verb) => verb.run(common),
        Verb::Inspect(verb) => verb.run(common),
        Verb::Report(verb) => verb.run(common),
        #[cfg(feature = "serve")]
        Verb::Open(verb) => verb.run(common),
        #[cfg(feature = "serve")]
        Verb::Serve(verb) => verb.run(common),
        Verb::Doctor(verb) => verb.run(common),
        Verb::Completions(verb) => verb.run(),
        Verb::Man(verb) => verb.run(),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn flags_do_not_contradict_each_other() {
        Args::command().debug_assert();
    }

    #[test]
    fn every_verb_opens_its_help_with_an_example() {
        let mut command = Args::command();
        command.build();
        for verb in command.get_subcommands_mut().filter(|verb| verb.get_name() != "help") {
            let help = verb.render_long_help().to_string();
            assert!(help.starts_with("Example"), "{}: {help}", verb.get_name());
        }
    }
}
