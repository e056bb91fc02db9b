//! Whatever the bytes, reading a compressed file gives rows or an error, never a crash.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use narrows_core::compress::TableDecompressor;
use narrows_core::{Model, TableModel};

static MODEL: LazyLock<TableModel> = LazyLock::new(|| {
    let bytes = include_bytes!("../../testdata/compressed/sheet.narrows");
    Model::from_bytes(bytes).expect("a golden model").into_table().expect("a model of tables")
});

fuzz_target!(|bytes: &[u8]| {
    if let Ok(mut reader) = TableDecompressor::new(&*MODEL, bytes) {
        while let Ok(Some(_)) = reader.next_table() {}
    }
});
