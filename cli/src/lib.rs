//! The command line: what a person types, and what they read.
//!
//! Arguments become domain types here, so that bad input dies before anything is sent; what the
//! server answers becomes text here. Nothing is decided here that a server decides. One file for
//! each verb, `commands/<noun>/<verb>.rs`; everything a person reads is made in `render/` by pure
//! functions of a view and a [`render::Look`], so that a test can hold the whole screen.
//!
//! [`begin`] is what a binary's `main` calls. It returns a [`Handover`] for the commands that
//! are not a client's: `rein server`, `rein demo` and what a server starts as plugins.

mod app;
mod args;
mod commands;
mod complete;
mod config;
mod connect;
mod ctx;
mod error;
pub mod handover;
mod io;
mod keeping;
mod output;
mod parse;
mod render;
mod shell;
mod state;
mod suggest;
mod wait;

pub use app::{Begun, begin, begin_with, run};
pub use args::command;
pub use config::demo_file_path;
pub use connect::DemoFile;
pub use error::CliError;
pub use handover::Handover;
pub use io::{Ask, Capture, Env, Io, Sink};
pub use keeping::Keeping;
