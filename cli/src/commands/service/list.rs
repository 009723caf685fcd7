//! `rein service list`

use crate::complete;
use crate::ctx::Ctx;
use crate::error::CliError;
use clap::Args;
use rein_api::ExitCode;
use rein_domain::name::ServiceName;

/// List services: health, instances up by zone, versions, active changes
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only these
    #[arg(value_name = "SERVICE", add = complete::services())]
    services: Vec<ServiceName>,
    /// Only those that are not well: some instance down, drained, or below the floor
    #[arg(long)]
    unwell: bool,
}

pub(crate) async fn run(args: List, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    let mut list = ctx.client()?.services().await?;
    if !args.services.is_empty() {
        list.services.retain(|row| args.services.iter().any(|name| name.as_str() == row.name));
    }
    if args.unwell {
        list.services.retain(|row| row.health != "up" || row.drained > 0 || row.alarm.is_some());
    }
    ctx.show(&list)?;
    Ok(ExitCode::Done)
}
