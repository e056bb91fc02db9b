//! The engine's promises, held from outside.

mod determinism;
mod inference;
mod maps;
