//! Integration tests of the library, one binary.

mod allocator;
mod bottleneck;
mod compress;
mod compress_images;
mod compress_types;
mod contract;
mod forged_models;
mod generation;
mod handles;
mod hostile;
mod images_contract;
mod invariants;
mod localisation;
mod mutations;
mod old_models;
mod promised_rate;
mod reasons;
mod recipe_reference;
mod restorers;
mod series_contract;
mod series_quality;
mod series_split;
mod support;
mod tune;
mod validation_rows;
mod waves;
