//! Has no floor.
