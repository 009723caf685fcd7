//! The protocols by which services reach Rein: flagd sync, OFREP, Unleash.

#![forbid(unsafe_code)]

pub mod access;
pub mod compile;
pub mod flagd;
mod http;
pub mod ofrep;
mod seats;
pub mod unleash;
