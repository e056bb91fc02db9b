//! Ctrl-C handling: training stops and keeps its best weights, streams end; any other work is aborted without leaving
//! partial files.
//!
//! A blocking read cannot be woken by a flag, so unless a [`Grace`] is held, the handler itself removes temporary files, gives
//! up unfinished uploads and ends the process. SIGTERM and SIGHUP are handled alike.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use narrows_core::Error;

use crate::failure::{Failure, INTERRUPTED};
use crate::talk::Talk;

/// How often it is looked whether the user has asked to stop.
const LOOK: Duration = Duration::from_millis(50);

static GRACE: Mutex<Option<&str>> = Mutex::new(None);
static ASKED: AtomicBool = AtomicBool::new(false);
static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Installs the handler.
pub(crate) fn watch(talk: Talk) {
    let heard = ctrlc::set_handler(move || {
        let first = !ASKED.swap(true, Ordering::SeqCst);
        if let (true, Some(words)) = (first, *locked(&GRACE)) {
            if !words.is_empty() {
                talk.line(format_args!("\n{words}"));
            }
            return;
        }
        // Locked until the process ends, so that no new file is created after the removal.
        let unfinished = locked(&UNFINISHED);
        for path in unfinished.iter() {
            let _ = std::fs::remove_file(path);
        }
        narrows_core::data::abandon_uploads();
        Failure::from(Error::Interrupted).tell(talk);
        let _ = std::io::stderr().flush();
        std::process::exit(i32::from(INTERRUPTED));
    });
    // Without a handler, Ctrl-C still ends the process, but temporary files remain.
    if let Err(error) = heard {
        talk.line(format_args!("warning: cannot handle Ctrl-C: {error}"));
    }
}

/// While it exists, the first Ctrl-C only sets the flag read by [`asked`].
pub(crate) struct Grace(());

/// Starts a [`Grace`]; `message` is printed at the first Ctrl-C, unless it is empty.
pub(crate) fn grace(message: &'static str) -> Grace {
    *locked(&GRACE) = Some(message);
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

/// Waits until the user asks to stop; for as long as a [`Grace`] is held.
pub(crate) fn wait() {
    while !asked() {
        thread::sleep(LOOK);
    }
}

/// A temporary file to remove if the process is interrupted, until this is dropped.
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
