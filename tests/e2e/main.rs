//! End to end: the binary as people run it, against clients that nobody here wrote.
//!
//! `kit` starts servers and types commands, `http` speaks to them without any client of ours,
//! `client` runs the foreign clients of `tests/clients`. Every other file is about one promise.
//! Each test has a server, ports and a directory of its own, and waits for conditions, never for time.

#![forbid(unsafe_code)]

mod kit {
    pub(crate) mod client;
    pub(crate) mod desk;
    pub(crate) mod http;
    pub(crate) mod room;
    pub(crate) mod screen;
    pub(crate) mod server;
    pub(crate) mod service;
    pub(crate) mod wait;
}

mod alerts;
mod api;
mod audit;
mod backup;
mod clients;
mod cluster;
mod consul;
mod demo;
mod diagnosis;
mod docs;
mod flows;
mod life;
mod proof;
mod quirks;
mod refusals;
mod registries;
mod secrets;
mod services;
mod silences;
mod telemetry;
mod top;
mod zookeeper;
