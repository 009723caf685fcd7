//! `rein service`

mod accept_loss;
pub(crate) mod beside;
mod drain;
mod graph;
mod lay;
mod list;
mod show;
mod weigh;

use crate::ctx::Ctx;
use crate::error::CliError;
use clap::Subcommand;
use rein_api::ExitCode;

/// Look at services, their instances and the calls between them; take traffic from instances
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    List(list::List),
    Show(show::Show),
    Graph(graph::Graph),
    Drain(drain::Drain),
    Weigh(weigh::Weigh),
    AcceptLoss(accept_loss::AcceptLoss),
}

pub(crate) async fn run(verb: Verb, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    match verb {
        Verb::List(args) => list::run(args, ctx).await,
        Verb::Show(args) => show::run(args, ctx).await,
        Verb::Graph(args) => graph::run(args, ctx).await,
        Verb::Drain(args) => drain::run(args, ctx).await,
        Verb::Weigh(args) => weigh::run(args, ctx).await,
        Verb::AcceptLoss(args) => accept_loss::run(args, ctx).await,
    }
}
