//! Whatever the bytes, reading a model file gives a model or an error, never a crash.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = narrows_core::Model::from_bytes(bytes);
});
