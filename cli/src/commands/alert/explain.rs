//! `rein alert explain`

use crate::commands::alert::whole;
use crate::complete;
use crate::ctx::Ctx;
use crate::error::CliError;
use clap::Args;
use rein_api::ExitCode;

/// Say why an alert stands where it stands: its points, what it is folded under, what under it
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The alert's id, or the beginning of it
    #[arg(value_name = "ID", add = complete::alerts())]
    id: String,
}

pub(crate) async fn run(args: Explain, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    let explained = ctx.client()?.explained_alert(&args.id).await?;
    ctx.show(&explained)?;
    whole(&explained.unreachable, &explained.calls)
}
