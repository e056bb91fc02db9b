//! The verbs that take images where others take tables: one file a verb, beside its twin for tables.

pub(super) mod code;
pub(super) mod compress;
pub(super) mod evaluate;
pub(super) mod fit;
pub(super) mod generate;
pub(super) mod score;
