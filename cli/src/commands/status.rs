//! `rein status`

use crate::ctx::Ctx;
use crate::error::CliError;
use clap::Args;
use rein_api::ExitCode;

/// Show what is in force and until when, what changed lately and by whom
#[derive(Debug, Args)]
pub(crate) struct Status {
    /// End with 10 if any layer is in force, or a backend does not answer
    #[arg(long)]
    exit_code: bool,
}

pub(crate) async fn run(args: Status, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    let status = ctx.client()?.status().await?;
    ctx.show(&status)?;
    let layered = status.switches.iter().any(|switch| !switch.layers.is_empty())
        || !status.layers.is_empty()
        || status.backends.iter().any(|backend| backend.fault.is_some());
    Ok(if args.exit_code && layered { ExitCode::Differs } else { ExitCode::Done })
}
