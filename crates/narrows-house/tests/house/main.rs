//! The rules of the house, one a file, held to the sources of all crates.
//!
//! What a rule does not hold for yet stands in `tables/`, which only shrinks. Without tests: what is under `cfg(test)`
//! is not looked at.

mod counts;
mod files;
mod flags;
mod floors;
mod surface;
mod thresholds;
mod type_names;
mod unsafe_code;
mod words;
