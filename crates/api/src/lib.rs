//! What travels between the command line and a server: requests, views, error codes, paths.
//!
//! Serde and schema only; no behaviour. A *request* is what a client sends, a *view* is what a
//! server shows. Conversions to and from the domain live on the server's side, one file per noun.

pub mod access;
pub mod alerts;
pub mod audit;
pub mod backends;
pub mod changes;
pub mod cluster;
pub mod definitions;
pub mod diagnosis;
pub mod error;
pub mod events;
pub mod held;
pub mod incidents;
pub mod markers;
pub mod paths;
pub mod proof;
pub mod services;
pub mod silences;
pub mod status;
pub mod switches;
pub mod telemetry;
pub mod time;

pub use error::{ErrorBody, ErrorCode, ExitCode};
pub use time::At;
