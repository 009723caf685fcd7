//! `rein service list`

use super::beside::Beside;
use crate::complete;
use crate::ctx::Ctx;
use crate::error::CliError;
use crate::render::{Services, c};
use clap::Args;
use rein_api::ExitCode;
use rein_domain::name::ServiceName;

/// List services: health, instances up by zone, versions, figures, firing alerts, active changes
///
/// Figures and alerts come from backends, where some are declared that have them. One that does not answer in
/// time is named, and the list goes without.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only these
    #[arg(value_name = "SERVICE", add = complete::services())]
    services: Vec<ServiceName>,
    /// Only those that are not well: some instance down or drained, below the floor, or an alert fires
    #[arg(long)]
    unwell: bool,
}

pub(crate) async fn run(args: List, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    let client = ctx.client()?;
    let (list, beside) = futures::join!(client.services(), Beside::of(&client, None));
    let mut list = list?;
    if !args.services.is_empty() {
        list.services.retain(|row| args.services.iter().any(|name| name.as_str() == row.name));
    }
    if args.unwell {
        let firing = beside.firing();
        list.services.retain(|row| {
            row.health != "up"
                || row.drained > 0
                || row.alarm.is_some()
                || firing.contains_key(row.name.as_str())
        });
    }
    unanswered(ctx, &beside)?;
    ctx.show(&Services { list, beside })?;
    Ok(ExitCode::Done)
}

/// Says whose figures or alerts are missing.
pub(super) fn unanswered(ctx: &mut Ctx, beside: &Beside) -> Result<(), CliError> {
    for (name, why) in &beside.unanswered {
        ctx.warn(&format!("{} does not answer, what it knows is missing here: {}", c(name), c(why)))?;
    }
    Ok(())
}
