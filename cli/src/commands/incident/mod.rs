//! `rein incident`

mod close;
mod extend;
mod list;
mod show;
mod using;

use crate::ctx::Ctx;
use crate::error::CliError;
use clap::Subcommand;
use rein_api::ExitCode;

pub(crate) use using::Use;

/// Work on an incident: what was flipped for it, until when
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Use(Use),
    Show(show::Show),
    List(list::List),
    Extend(extend::Extend),
    Close(close::Close),
}

pub(crate) async fn run(verb: Verb, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    match verb {
        Verb::Use(args) => using::run(args, ctx),
        Verb::Show(args) => show::run(args, ctx).await,
        Verb::List(args) => list::run(args, ctx).await,
        Verb::Extend(args) => extend::run(args, ctx).await,
        Verb::Close(args) => close::run(args, ctx).await,
    }
}
