//! The host with real processes: right ones, faulty ones, and ends.
#![allow(clippy::print_stdout, reason = "figures, for whoever runs this with --nocapture")]

mod calls;
mod ends;
mod guarded;
mod kit;
mod life;
mod outcomes;
mod starts;
