//! The runtime that requests run on, while the caller waits.
//!
//! A caller may itself be on a thread of another runtime, or in a process that has been forked from one with a runtime: so
//! futures are spawned rather than driven by the caller, and a forked process makes its own.

use std::future::Future;
use std::io;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

/// Requests take hardly any processor time.
const THREADS: usize = 2;

static RUNTIME: Mutex<Option<(u32, Arc<Runtime>)>> = Mutex::new(None);

fn runtime() -> io::Result<Arc<Runtime>> {
    let mut runtime = RUNTIME.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let process = std::process::id();
    match &*runtime {
        Some((of, runtime)) if *of == process => Ok(Arc::clone(runtime)),
        _ => {
            let made = Builder::new_multi_thread()
                .worker_threads(THREADS)
                .thread_name("narrows-store")
                .enable_all()
                .build()?;
            // The threads of a runtime from before a fork are gone, and waiting for them would never end.
            std::mem::forget(runtime.take());
            let made = Arc::new(made);
            *runtime = Some((process, Arc::clone(&made)));
            Ok(made)
        }
    }
}

/// Starts a request; its result can be waited for.
pub(crate) fn start<T: Send + 'static>(
    future: impl Future<Output = io::Result<T>> + Send + 'static,
) -> io::Result<Receiver<io::Result<T>>> {
    let (send, receive) = sync_channel(1);
    runtime()?.spawn(async move {
        // Nobody may wait any more.
        let _ = send.send(future.await);
    });
    Ok(receive)
}

/// The result of a request that was started.
pub(crate) fn result<T>(receive: &Receiver<io::Result<T>>) -> io::Result<T> {
    receive.recv().unwrap_or_else(|_| Err(io::Error::other("the request ended without a result")))
}

/// Runs a request and waits for it.
pub(crate) fn wait<T: Send + 'static>(future: impl Future<Output = io::Result<T>> + Send + 'static) -> io::Result<T> {
    result(&start(future)?)
}

/// Runs a request and waits for it, but not for longer than this.
pub(crate) fn wait_at_most(time: Duration, future: impl Future<Output = ()> + Send + 'static) {
    let request = async move {
        future.await;
        Ok(())
    };
    if let Ok(receive) = start(request) {
        let _ = receive.recv_timeout(time);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_on_a_runtime_can_wait_as_well() {
        let outer = Builder::new_current_thread().build().unwrap();
        let found = outer.block_on(async { wait(async { Ok(7) }).unwrap() });
        assert_eq!(found, 7);
        assert!(wait::<()>(async { panic!("in a request") }).is_err());
    }
}
