//! `rein incident close`

use crate::args::{Wait, Write};
use crate::commands::change::end::merged;
use crate::complete;
use crate::ctx::{Consent, Ctx};
use crate::error::CliError;
use crate::parse;
use crate::render::{c, closing, duration, effects};
use crate::state;
use crate::wait::{self, Altered};
use clap::Args;
use rein_api::ExitCode;
use rein_api::changes::{EffectView, EndRequest};
use rein_api::incidents::{CloseRequest, ClosedIncidentView, IncidentView};
use rein_client::{Client, Key};
use rein_domain::name::{ChangeId, IncidentName};
use std::time::Duration;

/// Close an incident: end its changes, newest first, and take no new ones
///
/// Without --pace one record ends them all at once. With --pace they end one by one with a pause
/// between, so that load comes back in steps; Ctrl-C stops there and says what remains.
#[derive(Debug, Args)]
pub(crate) struct Close {
    /// The incident [default: REIN_INCIDENT, else the one in use]
    #[arg(value_name = "NAME", add = complete::incidents())]
    name: Option<IncidentName>,
    /// Leave this change in force until its own deadline; repeat for more
    #[arg(long, value_name = "CHANGE", add = complete::changes())]
    keep: Vec<ChangeId>,
    /// Pause between one change and the next, such as 30s
    #[arg(long, value_name = "TIME", default_value = "0", value_parser = parse::pause)]
    pace: Duration,
    #[command(flatten)]
    write: Write,
    #[command(flatten)]
    wait: Wait,
}

pub(crate) async fn run(args: Close, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    let name = state::needed(ctx, args.name.clone())?;
    let client = ctx.client()?;
    let incident = client.incident(name.as_str()).await?;
    let keep = kept(&incident, &args.keep)?;
    let mut request = CloseRequest { keep: keep.clone(), dry_run: true };
    let preview = client.close(name.as_str(), &request, &Key::fresh()).await?;
    if args.write.dry_run {
        if ctx.for_people() {
            let text = closing(&ctx.look_out(), &preview, &keep);
            ctx.put(&text)?;
        } else {
            ctx.show(&preview)?;
        }
        ctx.say("dry run: nothing was changed")?;
        return Ok(ExitCode::Done);
    }
    let text = closing(&ctx.look_err(), &preview, &keep);
    ctx.present(Consent::from(args.write.yes), &text)?;
    ctx.confirm(Consent::from(args.write.yes), &format!("Close {name}?"))?;
    let mut seen = Vec::new();
    if !args.pace.is_zero() {
        seen = lift(ctx, &client, &preview, &args).await?;
    }
    request.dry_run = false;
    ctx.parting.set([format!("rein incident show {name}   # whether it is closed")]);
    let closed = client.close(name.as_str(), &request, &Key::fresh()).await;
    let mut closed = closed.map_err(|e| CliError::from(e).recheck(&format!("rein incident show {name}")))?;
    ctx.parting.clear();
    if !seen.is_empty() {
        // What the whole of it did, not only what was left for the closing record.
        closed.effects = merged(seen.into_iter().chain(closed.effects));
        closed.ends = preview.ends;
    }
    ctx.show(&closed)?;
    if state::in_use(ctx, &name)? {
        state::set(ctx, None)?;
        ctx.say(&format!("{name} is no longer the incident in use"))?;
    }
    if !args.wait.no_wait {
        let ended = closed.incident.changes.iter().filter(|change| closed.ends.contains(&change.id));
        let altered = Altered::by(&closed.effects, ended);
        let reached = wait::altered(ctx, &client, altered, &args.wait).await?;
        wait::report(ctx, &reached)?;
        wait::verdict(&reached, &args.wait, "rein status")?;
    }
    Ok(ExitCode::Done)
}

/// The changes to keep, by their whole ids.
fn kept(incident: &IncidentView, keep: &[ChangeId]) -> Result<Vec<String>, CliError> {
    let whole = |begin: &ChangeId| {
        let mut fit = incident.changes.iter().filter(|change| change.id.starts_with(begin.as_str()));
        match (fit.next(), fit.next()) {
            (Some(one), None) => Ok(one.id.clone()),
            (Some(_), Some(_)) => {
                Err(CliError::usage(format!("{begin} fits several changes; write more of it")))
            }
            (None, _) => Err(CliError::usage(format!("{begin} is not a change of {}", incident.name))
                .hint(format!("rein incident show {}", incident.name))),
        }
    };
    keep.iter().map(whole).collect()
}

/// Ends the changes one by one, newest first, with a pause after each.
async fn lift(
    ctx: &mut Ctx,
    client: &Client,
    preview: &ClosedIncidentView,
    args: &Close,
) -> Result<Vec<EffectView>, CliError> {
    let (name, ids) = (&preview.incident.name, &preview.ends);
    let mut seen = Vec::new();
    for (at, id) in ids.iter().enumerate() {
        let left: Vec<_> = ids[at..].iter().map(|id| c(id)).collect();
        ctx.parting.set([
            format!("stopped after {at} of {}; still in force: {}", ids.len(), left.join(", ")),
            format!("rein incident close {}   # goes on from here", c(name)),
        ]);
        let request = EndRequest { reason: format!("closing {name}"), seen: None, dry_run: false };
        let ended = client.end(id, &request, &Key::fresh()).await;
        // One that ran out, or that somebody else ended meanwhile, is as it should be.
        let ended = match ended.map_err(CliError::from) {
            Ok(ended) => ended,
            Err(error) if error.code == Some(rein_api::ErrorCode::Over) => continue,
            Err(error) => {
                let error = error.about(id).detail(format!(
                    "{at} of {} ended; still in force: {}",
                    ids.len(),
                    left.join(", ")
                ));
                return Err(error.hint(format!("rein incident close {name}   # goes on from here")));
            }
        };
        let text = effects(&ctx.look_err(), &ended.effects);
        ctx.say(&format!("{} of {} ended: {}\n{text}", at + 1, ids.len(), c(id)))?;
        seen.extend(ended.effects);
        if at + 1 < ids.len() {
            let left: Vec<_> = ids[at + 1..].iter().map(|id| c(id)).collect();
            ctx.parting.set([
                format!("stopped after {} of {}; still in force: {}", at + 1, ids.len(), left.join(", ")),
                format!("rein incident close {}   # goes on from here", c(name)),
            ]);
            pause(ctx, args.pace).await?;
        }
    }
    Ok(seen)
}

async fn pause(ctx: &mut Ctx, pace: Duration) -> Result<(), CliError> {
    let mut left = pace;
    while !left.is_zero() {
        ctx.progress(&format!("next in {}; Ctrl-C stops here", duration(left)))?;
        let step = left.min(Duration::from_secs(1));
        tokio::time::sleep(step).await;
        left -= step;
    }
    ctx.progress("")
}
