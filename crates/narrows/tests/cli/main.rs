//! The binary as its users meet it: every test runs `narrows` itself in a folder of its own.

mod drawing;
mod folder;

mod bad_images;
mod bad_input;
mod bad_output;
mod bad_recipe;
mod compress;
mod demo;
mod determinism;
mod drift;
mod encoder;
mod evaluate;
mod explain;
mod fit;
mod follow;
mod generate;
mod help;
mod image_files;
mod images;
mod interrupt;
mod invariants;
mod layouts;
mod losses;
mod names;
mod outputs;
mod resolution;
mod resume;
mod score;
mod series;
#[cfg(feature = "serve")]
mod serve;
mod serve_kills;
mod service;
mod small;
mod times;
mod transform;
mod tune;
