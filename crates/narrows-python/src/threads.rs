//! Threads of this process. A forked child has none of its parent's threads and would wait for them for ever, so it gets its
//! own, also where the library would use those that a process has in common.

use std::process;
use std::sync::{Mutex, OnceLock};

use narrows_core::Compute;
use pyo3::prelude::*;

/// The process that loaded the module.
static LOADED_BY: OnceLock<u32> = OnceLock::new();

/// The threads that calls share, and the process that they are of.
static SHARED: Mutex<Option<(u32, Compute)>> = Mutex::new(None);

/// Remembers the process that loads the module.
pub(crate) fn remember_process() {
    LOADED_BY.get_or_init(process::id);
}

/// Whether this is a child of the process that loaded the module.
fn is_forked() -> bool {
    *LOADED_BY.get_or_init(process::id) != process::id()
}

/// All cores.
pub(crate) fn all_cores() -> Compute {
    let mut shared = SHARED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let compute = match &*shared {
        Some((of, compute)) if *of == process::id() => return compute.clone(),
        _ if is_forked() => {
            Compute::with_threads(Compute::default().n_threads()).expect("as many threads as the parent has")
        }
        _ => Compute::default(),
    };
    *shared = Some((process::id(), compute.clone()));
    compute
}

/// Does `work` without the GIL.
pub(crate) fn detached<T: Send>(py: Python<'_>, work: impl FnOnce() -> T + Send) -> T {
    py.detach(|| at_home(work))
}

/// Does `work` where threads of this process take part in it.
pub(crate) fn at_home<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    if is_forked() { all_cores().install(work) } else { work() }
}
