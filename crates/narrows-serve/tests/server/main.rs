//! The server as its clients meet it: every test starts one on a free port and speaks HTTP over a socket.

mod client;
mod fixture;

mod bodies;
mod connections;
mod datatypes;
mod drift;
mod given_up;
mod limits;
mod pages;
mod protocol;
mod reload;
mod repository;
mod streams;
