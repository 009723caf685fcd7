//! `rein change`

pub(crate) mod end;
pub(crate) mod extend;
mod list;
mod resolve;
mod show;

use crate::ctx::Ctx;
use crate::error::CliError;
use clap::Subcommand;
use rein_api::ExitCode;

/// Look at changes, end or extend them, settle their conflicts
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    List(list::List),
    Show(show::Show),
    End(end::End),
    Extend(extend::Extend),
    Resolve(resolve::Resolve),
}

pub(crate) async fn run(verb: Verb, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    match verb {
        Verb::List(args) => list::run(args, ctx).await,
        Verb::Show(args) => show::run(args, ctx).await,
        Verb::End(args) => end::run(args, ctx).await,
        Verb::Extend(args) => extend::run(args, ctx).await,
        Verb::Resolve(args) => resolve::run(args, ctx).await,
    }
}
