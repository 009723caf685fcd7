//! `rein incident extend`

use crate::args::Wait;
use crate::complete;
use crate::ctx::Ctx;
use crate::error::CliError;
use crate::parse;
use crate::render::{c, held_until};
use crate::state;
use crate::wait::{self, Altered};
use clap::Args;
use rein_api::ExitCode;
use rein_api::changes::{ChangeList, ChangeView, ExtendRequest};
use rein_client::Key;
use rein_domain::name::IncidentName;
use std::time::Duration;

/// Move the deadlines of all active changes of an incident later
///
/// Each change is extended by its own record. If some cannot be, the others are all the same.
#[derive(Debug, Args)]
pub(crate) struct Extend {
    /// The incident [default: REIN_INCIDENT, else the one in use]
    #[arg(value_name = "NAME", add = complete::incidents())]
    name: Option<IncidentName>,
    /// By how much, such as 1h
    #[arg(long = "for", value_name = "TIME", allow_hyphen_values = true, value_parser = parse::span)]
    by: Duration,
    /// Why
    #[arg(long, value_name = "TEXT", value_parser = parse::reason)]
    reason: Option<String>,
    /// Show what would happen and stop
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    wait: Wait,
}

pub(crate) async fn run(args: Extend, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    let name = state::needed(ctx, args.name)?;
    let client = ctx.client()?;
    let incident = client.incident(name.as_str()).await?;
    let active: Vec<&ChangeView> = incident.changes.iter().filter(|change| change.active).collect();
    if active.is_empty() {
        ctx.say(&format!("{name} has no active change; nothing was changed"))?;
        return Ok(ExitCode::Done);
    }
    let mut extended = Vec::new();
    let mut failed: Vec<(&ChangeView, CliError)> = Vec::new();
    for change in active {
        let request = ExtendRequest {
            by_seconds: args.by.as_secs(),
            reason: args.reason.clone().unwrap_or_default(),
            seen: Some(change.revision),
            dry_run: args.dry_run,
        };
        let done: Vec<String> = extended.iter().map(|view: &ChangeView| view.id.clone()).collect();
        ctx.parting.set([format!("extended so far: {}", none(&done)), format!("rein incident show {name}")]);
        match client.extend(&change.id, &request, &Key::fresh()).await {
            Ok(view) => {
                if ctx.for_people() {
                    let text = held_until(&ctx.look_out(), change, &view.change);
                    ctx.put(&text)?;
                }
                extended.push(view.change);
            }
            Err(error) => {
                let again = format!("rein change show {}", change.id);
                failed.push((change, CliError::from(error).recheck(&again)));
            }
        }
    }
    ctx.parting.clear();
    if !ctx.for_people() {
        ctx.show(&ChangeList { changes: extended.clone() })?;
    }
    if !failed.is_empty() {
        return Err(partly(&extended, failed));
    }
    if args.dry_run {
        ctx.say("dry run: nothing was changed")?;
    } else if !args.wait.no_wait {
        let switches = extended.iter().flat_map(|change| &change.legs).filter(|leg| leg.cell.is_none());
        let mut names: Vec<String> = switches.map(|leg| leg.target.clone()).collect();
        names.sort();
        names.dedup();
        let altered = Altered::by(&[], &extended).and(names);
        let reached = wait::altered(ctx, &client, altered, &args.wait).await?;
        wait::report(ctx, &reached)?;
        wait::verdict(&reached, &args.wait, &format!("rein incident show {name}"))?;
    }
    Ok(ExitCode::Done)
}

fn none(ids: &[String]) -> String {
    if ids.is_empty() { "none".to_owned() } else { ids.iter().map(|id| c(id)).collect::<Vec<_>>().join(", ") }
}

fn partly(extended: &[ChangeView], failed: Vec<(&ChangeView, CliError)>) -> CliError {
    // Where nothing at all was done, how it ended is how each of them ended.
    let exit = failed.first().filter(|_| extended.is_empty()).map_or(ExitCode::Failed, |(_, e)| e.exit);
    let message = if extended.is_empty() { "nothing was extended" } else { "partly applied" };
    let mut error = CliError::new(exit, message);
    for (change, why) in failed {
        error = error.detail(format!("{} not extended: {}", change.id, why.message));
        error.hints.extend(why.hints);
    }
    error.hints.dedup();
    error
}
