//! The command line of Narrows: a front end to the library `narrows-core`.
//!
//! Arguments become a recipe and a source, one library function does the work, and its result is printed. Data goes to
//! stdout, messages to stderr. No computation and no model defaults live here.
//!
//! [`main`] is the whole program, so that other packages can include the command.

#![forbid(unsafe_code)]

mod address;
mod arguments;
mod failure;
mod flags;
mod images;
mod input;
mod interrupt;
mod lines;
mod output;
mod pipeline;
mod progress;
mod recipe;
mod tables_in;
mod talk;
mod terminal_table;
mod verbs;
mod version;

use std::process::ExitCode;

use clap::Parser;

use crate::failure::Outcome;
use crate::verbs::Args;

/// Runs the command with the arguments of the process, and returns its exit code.
pub fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return failure::refuse(&error),
    };
    let talk = args.common.talk();
    interrupt::watch(talk);
    let result = verbs::run(args);
    if let Err(failure) = &result {
        failure.tell(talk);
    }
    Outcome::code(&result)
}
