//! The binary `narrows`.

#![forbid(unsafe_code)]

use std::process::ExitCode;

// Thousands of batches are allocated and freed; an allocator that keeps its pages avoids page faults.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    narrows::main()
}
