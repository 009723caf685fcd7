//! `rein marker`

mod list;

use crate::ctx::Ctx;
use crate::error::CliError;
use clap::Subcommand;
use rein_api::ExitCode;

/// Look at changes that were made elsewhere, as `rein mark` recorded them
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    List(list::List),
}

pub(crate) async fn run(verb: Verb, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    match verb {
        Verb::List(args) => list::run(args, ctx).await,
    }
}
