//! `rein incident list`

use crate::ctx::Ctx;
use crate::error::CliError;
use clap::Args;
use rein_api::ExitCode;

/// List incidents, newest first
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only open ones
    #[arg(long)]
    open: bool,
}

pub(crate) async fn run(args: List, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    let mut list = ctx.client()?.incidents().await?;
    if args.open {
        list.incidents.retain(|incident| incident.closed.is_none());
    }
    ctx.show(&list)?;
    Ok(ExitCode::Done)
}
