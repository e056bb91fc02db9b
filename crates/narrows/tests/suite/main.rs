//! Integration tests of the library, one binary.

mod contract;
mod floors;
mod hostile;
mod promised_rate;
mod support;
