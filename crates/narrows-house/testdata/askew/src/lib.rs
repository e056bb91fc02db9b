//! A crate where every kind of path goes up once; never compiled.

mod high;
mod low;
mod middle;
mod sibling;
mod stray;

#[cfg(test)]
mod tests_of_all;

pub use high::{Peak, summit as top};
pub use middle::Middle;

pub struct AtTheRoot;
