//! Whatever the bytes, reading an image file, mostly webp gives content or an error, never a crash.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    narrows_fuzz::images(bytes, "a");
});
