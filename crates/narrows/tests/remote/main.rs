//! Addresses instead of files, against an S3 server that runs here (moto, of PyPI) and a web server of our own.
#![cfg(feature = "remote")]

#[allow(dead_code)]
#[path = "../cli/folder.rs"]
mod folder;

mod blob_server;
mod proxy;
mod server;
mod web_server;

mod faults;
mod fetched;
mod others;
mod s3;
mod web;
