//! `rein audit heads`

use crate::ctx::Ctx;
use crate::error::CliError;
use clap::Args;
use rein_api::ExitCode;

/// Print the signing key and the signed heads, to be kept elsewhere: -o json > FILE
#[derive(Debug, Args)]
pub(crate) struct Heads {}

pub(crate) async fn run(_: Heads, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    let heads = ctx.client()?.audit_heads().await?;
    ctx.show(&heads)?;
    Ok(ExitCode::Done)
}
