//! `rein change end`

use crate::args::{Wait, Write};
use crate::complete;
use crate::ctx::{Consent, Ctx};
use crate::error::CliError;
use crate::parse;
use crate::render::{self, Look, c, effects};
use crate::wait::{self, Altered};
use clap::Args;
use rein_api::ExitCode;
use rein_api::changes::{ChangeView, ChangedView, EffectView, EndRequest};
use rein_client::{Client, Key};
use rein_domain::name::ChangeId;

/// End a change before its deadline
#[derive(Debug, Args)]
pub(crate) struct End {
    /// The change; the beginning of its id will do
    #[arg(value_name = "CHANGE", add = complete::changes())]
    id: ChangeId,
    /// Why
    #[arg(long, value_name = "TEXT", value_parser = parse::reason)]
    reason: Option<String>,
    /// Send it under this key: repeating a command under its key does it once
    #[arg(long, value_name = "UUIDv7")]
    idempotency_key: Option<Key>,
    #[command(flatten)]
    write: Write,
    #[command(flatten)]
    wait: Wait,
}

/// How changes are to be ended.
pub(crate) struct Ending {
    /// Why.
    pub(crate) reason: String,
    /// Whether to ask, and whether to do it at all.
    pub(crate) write: Write,
    /// The key, where there is only one to end.
    pub(crate) key: Option<Key>,
}

pub(crate) async fn run(args: End, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    let client = ctx.client()?;
    let ending =
        Ending { reason: args.reason.unwrap_or_default(), write: args.write, key: args.idempotency_key };
    end(ctx, &client, args.id.as_str(), ending, &args.wait).await
}

/// Ends one change, and waits until everybody has heard.
pub(crate) async fn end(
    ctx: &mut Ctx,
    client: &Client,
    id: &str,
    ending: Ending,
    wait: &Wait,
) -> Result<ExitCode, CliError> {
    let ended = many(ctx, client, &[id.to_owned()], ending).await?;
    let Some(ended) = ended.and_then(|mut all| all.pop()) else { return Ok(ExitCode::Done) };
    if ctx.for_people() {
        let text = format!("ended {}\n{}", c(&ended.change.id), effects(&ctx.look_out(), &ended.effects));
        ctx.put(&text)?;
    } else {
        ctx.show(&ended)?;
    }
    if !wait.no_wait {
        let altered = Altered::by(&ended.effects, [&ended.change]);
        let reached = wait::altered(ctx, client, altered, wait).await?;
        wait::report(ctx, &reached)?;
        wait::verdict(&reached, wait, "rein status")?;
    }
    Ok(ExitCode::Done)
}

/// Ends several changes, each by its own record; nothing if it was only looked at.
pub(crate) async fn many(
    ctx: &mut Ctx,
    client: &Client,
    ids: &[String],
    ending: Ending,
) -> Result<Option<Vec<ChangedView>>, CliError> {
    if ending.key.is_some() && ids.len() > 1 {
        return Err(CliError::usage("an idempotency key is for one record, and this would be several")
            .hint("end them one by one: rein change end CHANGE --idempotency-key KEY"));
    }
    let mut current: Vec<ChangeView> = Vec::new();
    let mut before = Vec::new();
    for id in ids {
        let change = client.change(id).await?;
        let look = EndRequest { reason: ending.reason.clone(), seen: None, dry_run: true };
        before.push(client.end(&change.id, &look, &Key::fresh()).await?);
        current.push(change);
    }
    let preview: Vec<EffectView> = before.iter().flat_map(|one| one.effects.clone()).collect();
    let given_back = |look: &Look| effects(look, &preview) + &render::ending(look, &current);
    let apart = if ids.len() > 1 { "each by itself:\n" } else { "" };
    if ending.write.dry_run {
        match (ctx.for_people(), before.pop()) {
            (false, Some(one)) if before.is_empty() => ctx.show(&one)?,
            _ => ctx.put(&format!("{apart}{}", given_back(&ctx.look_out())))?,
        }
        ctx.say("dry run: nothing was changed")?;
        return Ok(None);
    }
    let text = format!("{apart}{}", given_back(&ctx.look_err()));
    ctx.present(Consent::from(ending.write.yes), &text)?;
    let question =
        if ids.len() == 1 { format!("End {}?", ids[0]) } else { format!("End {}?", ids.join(", ")) };
    ctx.confirm(Consent::from(ending.write.yes), &question)?;
    let mut ended = Vec::new();
    for change in &current {
        match one(ctx, client, change, &ending).await {
            Ok(view) => ended.push(view),
            Err(error) if ended.is_empty() => return Err(error),
            Err(error) => return Err(partly(&ended, &current, error)),
        }
    }
    ctx.parting.clear();
    Ok(Some(ended))
}

async fn one(
    ctx: &mut Ctx,
    client: &Client,
    change: &ChangeView,
    ending: &Ending,
) -> Result<ChangedView, CliError> {
    let key = ending.key.clone().unwrap_or_else(Key::fresh);
    ctx.parting.set([
        format!("{} may or may not have ended", c(&change.id)),
        format!("rein change show {}   # what came of it", c(&change.id)),
    ]);
    // A repeated command must send the same body, and the revision may be another by then.
    let seen = if ending.key.is_some() { None } else { Some(change.revision) };
    let request = EndRequest { reason: ending.reason.clone(), seen, dry_run: false };
    let ended = client.end(&change.id, &request, &key).await;
    ended.map_err(|e| CliError::from(e).about(&change.id).recheck(&format!("rein change show {}", change.id)))
}

fn partly(ended: &[ChangedView], all: &[ChangeView], error: CliError) -> CliError {
    let done: Vec<&str> = ended.iter().map(|one| one.change.id.as_str()).collect();
    let left: Vec<&str> = all.iter().skip(ended.len()).map(|change| change.id.as_str()).collect();
    CliError::failed(format!("partly applied: {}", error.message))
        .detail(format!("ended: {}", done.join(", ")))
        .detail(format!("not ended: {}", left.join(", ")))
        .hint("rein undo   # takes back the last one ended")
}

/// One effect for each switch: from what it was before the first to what it is after the last.
pub(crate) fn merged(all: impl IntoIterator<Item = EffectView>) -> Vec<EffectView> {
    let mut merged: Vec<EffectView> = Vec::new();
    for effect in all {
        match merged.iter_mut().find(|earlier| earlier.target == effect.target) {
            None => merged.push(effect),
            Some(earlier) => {
                *earlier = EffectView {
                    visible: earlier.before != effect.after,
                    before: std::mem::take(&mut earlier.before),
                    ..effect
                };
            }
        }
    }
    merged
}
