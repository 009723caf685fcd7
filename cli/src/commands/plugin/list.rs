//! `rein plugin list`

use crate::ctx::Ctx;
use crate::error::CliError;
use clap::Args;
use rein_api::ExitCode;

/// List plugins: those that run for a backend, and those that could
#[derive(Debug, Args)]
pub(crate) struct List {}

pub(crate) async fn run(_: List, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    let list = ctx.client()?.plugins().await?;
    ctx.show(&list)?;
    Ok(ExitCode::Done)
}
