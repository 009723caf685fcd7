//! `rein service`

mod graph;

use crate::ctx::Ctx;
use crate::error::CliError;
use clap::Subcommand;
use rein_api::ExitCode;

/// What can be done with services.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Graph(graph::Graph),
}

pub(crate) async fn run(verb: Verb, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    match verb {
        Verb::Graph(args) => graph::run(args, ctx).await,
    }
}
