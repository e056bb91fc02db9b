//! The binary `narrows`: a door to the library.
//!
//! What was typed becomes a recipe and a source, one function of the library does the work, and its answer becomes
//! text again. Data goes to stdout, talk to stderr. Nothing is computed here and no default of the model lives here.

#![forbid(unsafe_code)]

mod args;
mod failure;
mod input;
mod interrupt;
mod lines;
mod output;
mod pictures;
mod pipeline;
mod progress;
mod recipe;
mod talk;
mod verbs;

use std::process::ExitCode;

use clap::Parser;

use crate::args::Args;
use crate::failure::Outcome;

// Batches come and go by the thousand; an allocator that keeps its pages saves the page faults.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
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
