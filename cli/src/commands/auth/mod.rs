//! `rein auth`

mod can_i;
mod whoami;

use crate::ctx::Ctx;
use crate::error::CliError;
use clap::Subcommand;
use rein_api::ExitCode;

/// Ask who you are and what you may do
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    #[command(name = "can-i")]
    CanI(can_i::CanI),
    Whoami(whoami::Whoami),
}

pub(crate) async fn run(verb: Verb, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    match verb {
        Verb::CanI(args) => can_i::run(args, ctx).await,
        Verb::Whoami(args) => whoami::run(args, ctx).await,
    }
}
