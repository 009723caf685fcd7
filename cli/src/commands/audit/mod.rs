//! `rein audit`

mod heads;
mod list;
mod outside;
mod proof;
mod verify;

use crate::ctx::Ctx;
use crate::error::CliError;
use clap::Subcommand;
use rein_api::ExitCode;

/// Read the audit trail and verify it
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    List(list::List),
    Verify(verify::Verify),
    Heads(heads::Heads),
}

pub(crate) async fn run(verb: Verb, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    match verb {
        Verb::List(args) => list::run(args, ctx).await,
        Verb::Verify(args) => verify::run(args, ctx).await,
        Verb::Heads(args) => heads::run(args, ctx).await,
    }
}
