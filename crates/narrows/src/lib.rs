//! The command line of Narrows: a front end to the library `narrows-core`.
//!
//! Arguments become a recipe and a source, one library function does the work, and its result is printed. Data goes to
//! stdout, messages to stderr. No computation and no model defaults live here.
//!
//! [`main`] is the whole program, so that other packages can include the command.

// Not `forbid`: the macro that looks at stdout before `main` allows itself what it needs (`closed.rs`).
#![deny(unsafe_code)]

mod address;
mod arguments;
mod closed;
mod escape;
mod failure;
mod flags;
mod image_writer;
mod images;
mod input;
mod interrupt;
mod lines;
mod losses;
mod output;
mod pipeline;
mod progress;
mod recipe;
mod tables_in;
mod talk;
mod targets;
mod terminal_table;
mod told;
mod types;
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
    talk.keep();
    interrupt::watch(talk);
    let result = verbs::run(args);
    if let Err(failure) = &result {
        failure.tell(talk);
    }
    let result = result.and_then(|outcome| output::tell_rest(talk).map(|()| outcome));
    Outcome::code(&result)
}
