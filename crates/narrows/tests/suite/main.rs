//! Integration tests of the library, one binary.

mod bottleneck;
mod contract;
mod floors;
mod hostile;
mod old_models;
mod promised_rate;
mod restorers;
mod series_contract;
mod series_quality;
mod series_split;
mod support;
mod tune;
mod waves;
