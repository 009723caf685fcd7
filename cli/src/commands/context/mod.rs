//! `rein context`

mod add;
mod list;
mod using;

use crate::ctx::Ctx;
use crate::error::CliError;
use clap::Subcommand;
use rein_api::ExitCode;

/// Remember servers and choose among them
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Add(add::Add),
    Use(using::Use),
    List(list::List),
}

pub(crate) fn run(verb: Verb, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    match verb {
        Verb::Add(args) => add::run(args, ctx),
        Verb::Use(args) => using::run(args, ctx),
        Verb::List(args) => list::run(args, ctx),
    }
}
