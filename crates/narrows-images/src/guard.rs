//! Calls of decoders that others wrote. They panic on some damaged files, which is no bug of ours and must not end the
//! program: the panic becomes an error at the reader's edge.

use std::any::Any;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    /// Whether this thread is in a guarded call, so that a panic prints nothing.
    static IS_GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Runs a decoder of another crate on untrusted bytes. What it was working on must not be used after an error.
///
/// ```
/// assert_eq!(narrows_images::guarded(|| 7), Ok(7));
/// assert_eq!(narrows_images::guarded(|| panic!("no such block")), Err::<(), _>("no such block".to_owned()));
/// ```
///
/// # Errors
/// What a panic said.
pub fn guarded<T>(decode: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if !IS_GUARDED.get() {
                previous(panic);
            }
        }));
    });
    let before = IS_GUARDED.replace(true);
    let outcome = panic::catch_unwind(AssertUnwindSafe(decode));
    IS_GUARDED.set(before);
    outcome.map_err(|panic| reason(panic.as_ref()))
}

fn reason(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    // Some assertions print what they compare on further lines.
    text.and_then(|text| text.lines().next()).unwrap_or("the decoder gave up").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_and_later_calls_go_on() {
        let index = [1, 2, 3].len();
        let error = guarded(|| [1, 2, 3][index]).unwrap_err();
        assert!(error.contains("out of bounds"), "{error}");
        assert_eq!(guarded(|| guarded(|| panic!("inner {}", 1))), Ok(Err::<(), _>("inner 1".to_owned())));
        assert_eq!(guarded(|| panic::panic_any(7)), Err::<(), _>("the decoder gave up".to_owned()));
        assert_eq!(guarded(|| 2), Ok(2));
        assert!(!IS_GUARDED.get());
    }
}
