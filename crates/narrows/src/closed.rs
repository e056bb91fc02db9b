//! Whether stdout was closed when the process began, as by `>&-`. What is written to it would be lost without an error:
//! before `main`, the standard library opens `/dev/null` in its place, so it must be looked at earlier.

use std::sync::atomic::{AtomicBool, Ordering};

static CLOSED: AtomicBool = AtomicBool::new(false);

/// Runs before the standard library starts.
#[cfg(unix)]
#[ctor::ctor]
fn look() {
    use std::os::fd::AsFd;
    if std::io::stdout().as_fd().try_clone_to_owned().is_err() {
        CLOSED.store(true, Ordering::Relaxed);
    }
}

/// Whether stdout was closed.
pub(crate) fn stdout_is_closed() -> bool {
    CLOSED.load(Ordering::Relaxed)
}
