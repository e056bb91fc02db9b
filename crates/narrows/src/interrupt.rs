//! Ctrl-C: a fit is asked to stop and keep its best, a stream to end; anything else stops at once and leaves nothing
//! half-written.
//!
//! Reading a pipe cannot be woken by a flag, so where nobody looks at it the handler itself removes the temporary files
//! and ends the process. SIGTERM and a closed terminal are treated alike.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use narrows_core::Error;

use crate::failure::{Failure, INTERRUPTED};
use crate::talk::Talk;

static GRACE: Mutex<Option<&str>> = Mutex::new(None);
static ASKED: AtomicBool = AtomicBool::new(false);
static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Begins to listen.
pub(crate) fn watch(talk: Talk) {
    let heard = ctrlc::set_handler(move || {
        let first = !ASKED.swap(true, Ordering::SeqCst);
        if let (true, Some(words)) = (first, *locked(&GRACE)) {
            talk.line(format_args!("\n{words}"));
            return;
        }
        // Held until the process ends, so that no new file appears after these are gone.
        let unfinished = locked(&UNFINISHED);
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

/// Asks for [`Grace`]; the first Ctrl-C is answered with these words.
pub(crate) fn grace(words: &'static str) -> Grace {
    *locked(&GRACE) = Some(words);
    Grace(())
}

impl Drop for Grace {
    fn drop(&mut self) {
        *locked(&GRACE) = None;
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
        locked(&UNFINISHED).push(path.to_path_buf());
        Unfinished(path.to_path_buf())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        locked(&UNFINISHED).retain(|path| *path != self.0);
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}
