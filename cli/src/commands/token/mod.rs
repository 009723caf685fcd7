//! `rein token`

mod create;
mod list;
mod revoke;

use crate::ctx::Ctx;
use crate::error::CliError;
use clap::Subcommand;
use rein_api::ExitCode;

/// Make tokens, list and revoke them
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Create(create::Create),
    List(list::List),
    Revoke(revoke::Revoke),
}

pub(crate) async fn run(verb: Verb, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    match verb {
        Verb::Create(args) => create::run(args, ctx).await,
        Verb::List(args) => list::run(args, ctx).await,
        Verb::Revoke(args) => revoke::run(args, ctx).await,
    }
}
