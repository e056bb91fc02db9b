//! Long work watched from Python: it runs on a thread of its own without the GIL, while the calling thread tells a listener
//! what happens and looks for Ctrl-C.
//!
//! A listener is called before the work goes on, so that what it asks for takes effect at the same step in every run.

use std::panic::resume_unwind;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::time::Duration;

use narrows_core::train::{Observer, TrainingEvent};
use narrows_core::tune::{TrialRun, Watch};
use pyo3::prelude::*;
use serde_json::{Value, json};

use crate::threads::at_home;

/// How often Ctrl-C is looked for.
const POLL: Duration = Duration::from_millis(50);
/// As much stack as a main thread has.
const STACK_BYTES: usize = 8 << 20;

/// What happens in the work.
enum Message {
    /// An event, and where to say that it has been told.
    Event(&'static str, Value, SyncSender<()>),
    /// The work is done.
    Done,
}

/// The side of the work: sends events, and learns whether to stop.
pub(crate) struct Bridge {
    send: Sender<Message>,
    is_heard: bool,
    stop: AtomicBool,
}

impl Bridge {
    /// Tells an event and waits until it has been told.
    fn tell(&self, name: &'static str, data: Value) {
        if !self.is_heard || self.stop.load(Ordering::SeqCst) {
            return;
        }
        let (told, is_told) = sync_channel(1);
        if self.send.send(Message::Event(name, data, told)).is_ok() {
            // An error says that nobody listens any more.
            let _ = is_told.recv();
        }
    }
}

impl Observer for Bridge {
    fn on_event(&self, event: TrainingEvent<'_>) {
        let (name, data) = match event {
            TrainingEvent::Started { members, steps } => ("started", json!({"members": members, "steps": steps})),
            TrainingEvent::Checked { member, steps, check } => {
                let mut data = serde_json::to_value(check).expect("plain data");
                data["member"] = member.into();
                data["steps"] = steps.into();
                ("checked", data)
            }
            TrainingEvent::Finished { member } => ("finished", json!({"member": member})),
            TrainingEvent::Recovered { member, step, factor } => {
                ("recovered", json!({"member": member, "step": step, "factor": factor}))
            }
            TrainingEvent::RoundEnded { done, rounds, rows, validation_loss } => (
                "round_ended",
                json!({"done": done, "rounds": rounds, "rows": rows, "validation_loss": validation_loss}),
            ),
            TrainingEvent::Noted(text) => ("noted", json!({"text": text})),
            TrainingEvent::Warned(text) => ("warned", json!({"text": text})),
            _ => return,
        };
        self.tell(name, data);
    }

    fn interrupted(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }
}

impl Watch for Bridge {
    fn on_run(&self, run: &TrialRun, recalled: bool) {
        let mut data = serde_json::to_value(run).expect("plain data");
        data["recalled"] = recalled.into();
        self.tell("run", data);
    }

    fn interrupted(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }
}

/// A JSON value as an object of Python.
pub(crate) fn object<'py>(py: Python<'py>, data: &Value) -> PyResult<Bound<'py, PyAny>> {
    py.import("json")?.call_method1("loads", (data.to_string(),))
}

/// Does `work`, watched; the flag says whether Ctrl-C stopped it. Whatever a listener raises stops the work and is raised
/// again when that has ended.
pub(crate) fn watched<T: Send>(
    py: Python<'_>,
    listener: Option<&Bound<'_, PyAny>>,
    work: impl FnOnce(&Bridge) -> T + Send,
) -> PyResult<(T, bool)> {
    let (send, receive) = channel();
    let bridge = Bridge { send: send.clone(), is_heard: listener.is_some(), stop: AtomicBool::new(false) };
    let receive = Mutex::new(receive);
    std::thread::scope(|scope| {
        let work = || {
            let done = SaysDone(send);
            let result = at_home(|| work(&bridge));
            drop(done);
            result
        };
        let worker = std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work)?;
        let mut raised: Option<PyErr> = None;
        while let Some(next) = next(py, &receive) {
            let mut outcome = py.check_signals();
            if let (Next::Event(name, data, told), None, true) = (next, &raised, outcome.is_ok()) {
                let asked = listener.map(|listener| call(py, listener, name, &data)).transpose();
                match asked {
                    Ok(Some(true)) => bridge.stop.store(true, Ordering::SeqCst),
                    Ok(_) => {}
                    Err(error) => outcome = Err(error),
                }
                let _ = told.send(());
            }
            if let Err(error) = outcome {
                bridge.stop.store(true, Ordering::SeqCst);
                raised.get_or_insert(error);
            }
        }
        let result = py.detach(|| worker.join()).unwrap_or_else(|panic| resume_unwind(panic));
        match raised {
            Some(error) if !error.is_instance_of::<pyo3::exceptions::PyKeyboardInterrupt>(py) => Err(error),
            raised => Ok((result, raised.is_some())),
        }
    })
}

/// Says that the work is done when it is dropped, also by a panic.
struct SaysDone(Sender<Message>);

impl Drop for SaysDone {
    fn drop(&mut self) {
        let _ = self.0.send(Message::Done);
    }
}

enum Next {
    Event(&'static str, Value, SyncSender<()>),
    Nothing,
}

/// The next event, or nothing for a while; `None` at the end.
fn next(py: Python<'_>, receive: &Mutex<Receiver<Message>>) -> Option<Next> {
    let message = py.detach(|| {
        let receive = receive.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        receive.recv_timeout(POLL)
    });
    match message {
        Ok(Message::Event(name, data, told)) => Some(Next::Event(name, data, told)),
        Err(RecvTimeoutError::Timeout) => Some(Next::Nothing),
        Ok(Message::Done) | Err(RecvTimeoutError::Disconnected) => None,
    }
}

/// Tells a listener an event; whether it asks to stop.
fn call(py: Python<'_>, listener: &Bound<'_, PyAny>, name: &str, data: &Value) -> PyResult<bool> {
    listener.call1((name, object(py, data)?))?.is_truthy()
}
