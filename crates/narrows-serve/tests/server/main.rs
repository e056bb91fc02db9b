//! The server as its clients meet it: every test starts one on a free port and speaks HTTP over a socket.

mod client;
mod fixture;

mod bodies;
mod drift;
mod limits;
mod protocol;
mod reload;
mod streams;
