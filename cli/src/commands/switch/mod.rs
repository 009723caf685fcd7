//! `rein switch`

mod lay;
mod list;
mod off;
mod on;
mod release;
mod show;

use crate::ctx::Ctx;
use crate::error::CliError;
use crate::suggest::nearest;
use clap::Subcommand;
use rein_api::switches::SwitchView;
use rein_api::{ErrorCode, ExitCode};
use rein_client::Client;
use rein_domain::name::SwitchName;

/// Look at switches and flip them
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    List(list::List),
    Show(show::Show),
    Off(off::Off),
    On(on::On),
}

pub(crate) async fn run(verb: Verb, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    match verb {
        Verb::List(args) => list::run(args, ctx).await,
        Verb::Show(args) => show::run(args, ctx).await,
        Verb::Off(args) => off::run(args, ctx).await,
        Verb::On(args) => on::run(args, ctx).await,
    }
}

/// One switch, or an error that names the nearest one.
pub(crate) async fn look_up(client: &Client, name: &SwitchName) -> Result<SwitchView, CliError> {
    let error = match client.switch(name).await {
        Ok(view) => return Ok(view),
        Err(error) => CliError::from(error),
    };
    if error.code != Some(ErrorCode::NotFound) || !error.hints.is_empty() {
        return Err(error);
    }
    let known = client.switches().await.map(|list| list.switches).unwrap_or_default();
    let given = name.to_string();
    Err(match nearest(&given, known.iter().map(|switch| switch.name.as_str())) {
        Some(near) => error.hint(format!("did you mean {near}?")),
        None => error.hint("rein switch list   # those that exist"),
    })
}
