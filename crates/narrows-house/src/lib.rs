//! The sources of the house as trees of modules, for the rules that `tests/house/` holds them to.
//!
//! A [`Crate`] is what a build without tests would see: modules are found by following `mod`, and everything under
//! `cfg(test)` is gone. [`Crate::resolve`] says where a path truly leads, whatever it is re-exported through, and
//! [`Crate::edges`] which modules name which. [`Rules`] compare these with `tables/floors.toml`; [`hold`] compares what
//! a rule found with the table of what is known, so that such tables only shrink.

#![forbid(unsafe_code)]

mod edges;
mod floors;
mod known;
mod names;
mod paths;
mod source;
mod tokens;

pub use edges::Edge;
pub use floors::Rules;
pub use known::{Found, hold, table};
pub use names::{End, Resolved};
pub use source::{Crate, Module, Target, crates, files, root, shown};
pub use tokens::each_level;
