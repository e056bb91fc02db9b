//! Integration tests of the library, one binary.

mod contract;
mod floors;
mod hostile;
mod old_models;
mod promised_rate;
mod support;
