//! `rein backend list`

use crate::ctx::Ctx;
use crate::error::CliError;
use clap::Args;
use rein_api::ExitCode;

/// List backends: plugin, whether they answer, what Rein has put there
#[derive(Debug, Args)]
pub(crate) struct List {}

pub(crate) async fn run(_: List, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    let list = ctx.client()?.backends().await?;
    ctx.show(&list)?;
    Ok(ExitCode::Done)
}
