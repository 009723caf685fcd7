//! Wires; nothing else: parse, then hand over to the command line, a server, the demo or a plugin.

mod demo;
mod plugins;
mod server;

use rein_cli::{Begun, Handover};
use std::process::ExitCode;

fn main() -> ExitCode {
    let exit = match rein_cli::begin() {
        Begun::Over(exit) => exit,
        Begun::Handover(Handover::Server(args)) => server::run(args),
        Begun::Handover(Handover::Demo(args)) => demo::run(args),
        Begun::Handover(Handover::Plugin(args)) => return plugins::run(args),
        Begun::Handover(Handover::PluginNew(args)) => plugins::begin(&args),
    };
    ExitCode::from(exit as u8)
}
