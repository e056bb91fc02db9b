//! A child with a row.

pub struct Beam;
