//! `rein service show`

use crate::complete;
use crate::ctx::Ctx;
use crate::error::CliError;
use clap::Args;
use rein_api::ExitCode;
use rein_domain::name::ServiceName;

/// Show one service: its instances and why each is as it is, its switches, its changes
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The service
    #[arg(value_name = "SERVICE", add = complete::services())]
    service: ServiceName,
}

pub(crate) async fn run(args: Show, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    let view = ctx.client()?.service(&args.service).await?;
    ctx.show(&view)?;
    Ok(ExitCode::Done)
}
