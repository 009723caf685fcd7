//! `rein alert list`

use crate::commands::alert::whole;
use crate::complete;
use crate::ctx::Ctx;
use crate::error::CliError;
use crate::render::{Alerts, Depth};
use clap::Args;
use rein_api::ExitCode;
use rein_api::alerts::JudgedQuery;
use rein_domain::alert::Priority;

/// List alerts that fire, most urgent first, symptoms folded under their likely cause
///
/// A line is all alerts of one name and service. What calls a service that fires is folded under
/// it, and what began with a change is folded under that; -v shows all of it, and what is silenced
/// or inhibited. What decides are declared rules (docs/alerts.md); `rein alert explain` says why.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Show what is folded, silenced and inhibited too; -v does the same
    #[arg(long)]
    folded: bool,
    /// Only what concerns this service
    #[arg(long, value_name = "NAME", add = complete::services())]
    service: Option<String>,
    /// Only what is at least as urgent: P2 for P1 and P2
    #[arg(long, value_name = "P1..P4")]
    priority: Option<Priority>,
}

pub(crate) async fn run(args: List, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    let query = JudgedQuery { service: args.service, priority: args.priority.map(|p| p.to_string()) };
    let judged = ctx.client()?.judged_alerts(&query).await?;
    if judged.backends.is_empty() {
        return Err(CliError::failed("no backend that hushes alerts is declared, so none is asked for them")
            .hint("declare one: docs/backends.md")
            .hint("rein backend list   # those there are"));
    }
    let (unreachable, calls) = (judged.unreachable.clone(), judged.calls.clone());
    let depth = if args.folded || ctx.global.verbose { Depth::Whole } else { Depth::Top };
    let asked = query != JudgedQuery::default();
    ctx.show(&Alerts { judged, depth, asked })?;
    whole(&unreachable, &calls)
}
