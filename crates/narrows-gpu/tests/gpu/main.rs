//! The executor on whatever adapter this machine has: a graphics processor, or a driver that computes on the processor.
//! Without either, the tests are skipped with a message; with `NARROWS_REQUIRE_GPU=1` they fail.

mod contract;
mod steps;

use std::sync::OnceLock;

use narrows_gpu::{GpuExecutor, MissingGpu};

/// One for all tests, as each would compile the kernels anew.
fn executor() -> Option<GpuExecutor> {
    static SHARED: OnceLock<Result<GpuExecutor, MissingGpu>> = OnceLock::new();
    match SHARED.get_or_init(GpuExecutor::any) {
        Ok(executor) => Some(executor.clone()),
        Err(missing) => {
            assert!(std::env::var_os("NARROWS_REQUIRE_GPU").is_none(), "{missing}");
            eprintln!("skipped: {missing}");
            None
        }
    }
}
