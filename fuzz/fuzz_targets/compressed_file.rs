//! Whatever the bytes, reading a compressed file gives rows or an error, never a crash.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use narrows_core::compress::TableDecompressor;
use narrows_core::{Fitted, Threads};

static MODEL: LazyLock<Fitted> = LazyLock::new(|| {
    narrows_core::file::from_bytes(include_bytes!("../../testdata/compressed/sheet.narrows")).expect("a golden model")
});

fuzz_target!(|bytes: &[u8]| {
    let threads = Threads::serial();
    if let Ok(mut reader) = TableDecompressor::new(&MODEL, bytes, &threads) {
        while let Ok(Some(_)) = reader.next_table() {}
    }
});
