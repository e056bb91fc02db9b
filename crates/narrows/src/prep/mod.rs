//! From typed cells to numbers a network can read, and back.
