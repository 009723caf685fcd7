//! `rein auth whoami`

use crate::ctx::Ctx;
use crate::error::CliError;
use clap::Args;
use rein_api::ExitCode;

/// Show who you are to the server, in which role, until when
#[derive(Debug, Args)]
pub(crate) struct Whoami {}

pub(crate) async fn run(_: Whoami, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    let me = ctx.client()?.whoami().await?;
    ctx.show(&me)?;
    Ok(ExitCode::Done)
}
