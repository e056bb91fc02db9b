//! The highest floor; `attic` has a row of its own, on the same floor.

pub mod attic;

pub use attic::Beam;

pub struct Peak;

pub fn summit() {}
