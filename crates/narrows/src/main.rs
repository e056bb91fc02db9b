//! The binary `narrows`.

#![forbid(unsafe_code)]

use std::process::ExitCode;

// Batches come and go by the thousand; an allocator that keeps its pages saves the page faults.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    narrows::main()
}
