//! Which model a file was made with: a hash of what decides how it decodes.
//!
//! It covers weights and rounding and nothing else, so that a model keeps its identity when its threshold moves or a
//! later version of the program saves it anew.

use xxhash_rust::xxh3::Xxh3;

use crate::codec::Coding;
use crate::fitted::Fitted;

pub(super) fn identity(fitted: &Fitted, coding: &Coding) -> u64 {
    let mut hash = Xxh3::new();
    for entry in fitted.judge.members[0].entries() {
        hash.update(entry.name.as_bytes());
        entry.data.iter().for_each(|value| hash.update(&value.to_le_bytes()));
    }
    let quantiser = &coding.quantiser;
    for value in quantiser.centre.iter().chain(&quantiser.step).chain([&quantiser.output_step]) {
        hash.update(&value.to_le_bytes());
    }
    for table in &quantiser.tables {
        hash.update(&table.lowest().to_le_bytes());
        hash.update(&table.shift().to_le_bytes());
        table.counts().iter().for_each(|count| hash.update(&count.to_le_bytes()));
    }
    hash.digest()
}
