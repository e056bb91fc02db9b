//! A server for models of Narrows, over HTTP.
//!
//! [`Server::start`] loads models and answers requests in the Open Inference Protocol (version 2), with scores and reasons
//! for rows in CSV, JSON, Arrow and Parquet beside it. Scores are those of the command, to the bit: rows are read by the
//! library's readers and scored by its models. Nothing here computes.
//!
//! A connection only moves bytes. Reading rows, scoring and writing answers happen on threads of their own, behind a bounded
//! queue ([`ServeLimits::queue`]); what does not fit is refused at once.
//!
//! ```no_run
//! use narrows_serve::{LogSink, ServeOptions, Server};
//!
//! let log = LogSink::new(|line| eprintln!("{line}"));
//! let server = Server::start(ServeOptions { models: vec!["models".into()], log, ..ServeOptions::default() })?;
//! println!("listening on {}", server.address());
//! server.wait();
//! # Ok::<(), narrows_core::Error>(())
//! ```

#![forbid(unsafe_code)]

mod access;
mod answer;
mod app;
mod connections;
mod hold;
mod hosts;
mod image_in;
mod image_out;
mod image_routes;
mod image_tensors;
mod keys;
mod metrics;
mod open_files;
mod openapi;
mod options;
mod pages;
mod patient_stream;
mod pieces;
mod predictions;
mod protocol;
mod queue;
mod refusal;
mod repository;
mod routes;
mod row_limits;
mod rows_in;
mod schema;
mod scoring;
mod served;
mod server;
mod statistics;
mod store;
mod stream_routes;
mod stream_rows;
mod streams;
mod tensor_answer;
mod tensors;
mod unfolded;
mod upload_folder;
mod values;
mod watch;

pub use options::{LogSink, OpenedData, ServeLimits, ServeOptions};
pub use server::Server;
