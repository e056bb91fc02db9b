//! Ctrl-C: a fit is asked to stop and keep its best; anything else stops at once and leaves nothing half-written.
//!
//! Reading a pipe cannot be woken by a flag, so outside a fit the handler itself removes the temporary files and
//! ends the process. SIGTERM and a closed terminal are treated alike.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use narrows::Error;

use crate::failure::{Failure, INTERRUPTED};
use crate::talk::Talk;

static GRACE: AtomicBool = AtomicBool::new(false);
static ASKED: AtomicBool = AtomicBool::new(false);
static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Begins to listen.
pub(crate) fn watch(talk: Talk) {
    let heard = ctrlc::set_handler(move || {
        let first = !ASKED.swap(true, Ordering::SeqCst);
        if first && GRACE.load(Ordering::SeqCst) {
            talk.line("\nstopping: the best so far is kept; press Ctrl-C again to quit without it");
            return;
        }
        // Held until the process ends, so that no new file appears after these are gone.
        let unfinished = UNFINISHED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        for path in unfinished.iter() {
            let _ = std::fs::remove_file(path);
        }
        Failure::from(Error::Interrupted).tell(talk);
        let _ = std::io::stderr().flush();
        std::process::exit(i32::from(INTERRUPTED));
    });
    // Without a handler Ctrl-C still ends the process, only less tidily.
    if let Err(error) = heard {
        talk.line(format_args!("warning: Ctrl-C will not be handled: {error}"));
    }
}

/// While it lives, the first Ctrl-C only sets the flag that [`asked`] reads.
pub(crate) struct Grace(());

/// Asks for [`Grace`].
pub(crate) fn grace() -> Grace {
    GRACE.store(true, Ordering::SeqCst);
    Grace(())
}

impl Drop for Grace {
    fn drop(&mut self) {
        GRACE.store(false, Ordering::SeqCst);
    }
}

/// Whether the user has asked to stop.
pub(crate) fn asked() -> bool {
    ASKED.load(Ordering::SeqCst)
}

/// A temporary file to be removed should the process be stopped, until this is dropped.
#[derive(Debug)]
pub(crate) struct Unfinished(PathBuf);

impl Unfinished {
    /// Registers `path`.
    pub(crate) fn new(path: &Path) -> Unfinished {
        list().push(path.to_path_buf());
        Unfinished(path.to_path_buf())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        list().retain(|path| *path != self.0);
    }
}

fn list() -> std::sync::MutexGuard<'static, Vec<PathBuf>> {
    UNFINISHED.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}
