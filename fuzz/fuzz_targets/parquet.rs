//! Whatever the bytes, reading a Parquet file gives content or an error, never a crash.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    narrows_fuzz::table(bytes, "a.parquet");
});
