//! The command line of Narrows: a front end to the library `narrows-core`.
//!
//! Arguments become a recipe and a source, one library function does the work, and its result is printed. Data goes to
//! stdout, messages to stderr. No computation and no model defaults live here.
//!
//! [`main`] is the whole program, and [`run`] the same with arguments of the caller's, so that other packages can include the
//! command.

// Not `forbid`: the macro that looks at stdout before `main` allows itself what it needs (`closed.rs`).
#![deny(unsafe_code)]

mod address;
mod arguments;
mod closed;
mod device;
mod escape;
mod failure;
mod flags;
mod image_writer;
mod images;
mod input;
mod interrupt;
mod lines;
mod log_writer;
mod losses;
mod output;
mod pipeline;
mod progress;
mod reading;
mod recipe;
mod shards;
mod shell;
mod tables_in;
mod talk;
mod targets;
mod terminal_table;
mod told;
mod training_rows;
mod types;
mod verbs;
mod version;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use crate::failure::Outcome;
use crate::verbs::Args;

/// Runs the command with the arguments of the process, and returns its exit code.
pub fn main() -> ExitCode {
    ExitCode::from(run(std::env::args_os().skip(1)))
}

/// Runs the command with these arguments, which exclude the program name, and returns its exit code.
///
/// Once in a process: it handles Ctrl-C from then on, and has told what it told.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let words: Vec<OsString> = arguments.into_iter().collect();
    let code = run_words(&words);
    // A process that is not a Rust program does not do this when it ends.
    let _ = std::io::stdout().flush();
    code
}

/// Lets paths be addresses in object stores, in builds with the feature `remote`: for packages that call the library beside
/// the command. [`run`] does it, too.
pub fn provide_storage() {
    #[cfg(feature = "remote")]
    narrows_store::provide();
}

/// The cargo features that the command was built with, and the library that it calls.
pub fn features() -> Vec<&'static str> {
    version::features()
}

fn run_words(words: &[OsString]) -> u8 {
    provide_storage();
    let name = OsString::from("narrows");
    let args = match Args::try_parse_from(std::iter::once(&name).chain(words)) {
        Ok(args) => args,
        Err(error) => return failure::refuse(&error, words),
    };
    let talk = args.common.talk();
    talk.keep();
    interrupt::watch(talk);
    let result = verbs::run(args, words);
    if let Err(failure) = &result {
        failure.tell(talk);
    }
    let result = result.and_then(|outcome| output::tell_rest(talk).map(|()| outcome));
    Outcome::code(&result)
}
