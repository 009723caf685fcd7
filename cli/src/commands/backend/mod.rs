//! `rein backend`

mod check;
mod list;
mod show;

use crate::ctx::Ctx;
use crate::error::CliError;
use crate::suggest::nearest;
use clap::Subcommand;
use rein_api::{ErrorCode, ExitCode};
use rein_client::Client;
use rein_domain::name::BackendName;

/// Look at backends: the real systems that Rein writes into
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    List(list::List),
    Show(show::Show),
    Check(check::Check),
}

pub(crate) async fn run(verb: Verb, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    match verb {
        Verb::List(args) => list::run(args, ctx).await,
        Verb::Show(args) => show::run(args, ctx).await,
        Verb::Check(args) => check::run(args, ctx).await,
    }
}

/// Adds the nearest name to an error about one that is not declared.
pub(crate) async fn unknown(client: &Client, name: &BackendName, error: CliError) -> CliError {
    if error.code != Some(ErrorCode::NotFound) {
        return error;
    }
    let known = client.backends().await.map(|list| list.backends).unwrap_or_default();
    match nearest(name.as_str(), known.iter().map(|one| one.definition.name.as_str())) {
        Some(near) => error.hint(format!("did you mean {near}?")),
        None => error,
    }
}
