//! `rein change resolve`

use crate::args::{Wait, Write};
use crate::complete;
use crate::ctx::{Consent, Ctx};
use crate::error::CliError;
use crate::parse;
use crate::render::resolving;
use crate::wait::{self, Altered};
use clap::Args;
use rein_api::changes::{ChangeView, HowRequest, ResolveRequest};
use rein_api::{ErrorCode, ExitCode};
use rein_client::{Client, Key};
use rein_domain::name::ChangeId;

/// Settle a conflict: somebody else altered what Rein put into a backend
///
/// Shows what Rein wants there, what was found and what was there before, each with its age, and
/// what each of the three ways does.
#[derive(Debug, Args)]
pub(crate) struct Resolve {
    /// The change; the beginning of its id will do
    #[arg(value_name = "CHANGE", add = complete::conflicts())]
    id: ChangeId,
    #[command(flatten)]
    how: How,
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

/// One of the three ways.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct How {
    /// Write Rein's value over what is there
    #[arg(long)]
    reassert: bool,
    /// Leave what is there, and end the change
    #[arg(long)]
    adopt: bool,
    /// Put back what was there before, and end the change
    #[arg(long)]
    restore: bool,
}

impl How {
    fn chosen(&self) -> (HowRequest, &'static str) {
        match (self.reassert, self.adopt) {
            (true, _) => (HowRequest::Reassert, "reassert"),
            (_, true) => (HowRequest::Adopt, "adopt"),
            _ => (HowRequest::Restore, "restore"),
        }
    }
}

pub(crate) async fn run(args: Resolve, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    let client = ctx.client()?;
    let change = client.change(args.id.as_str()).await?;
    let (how, word) = args.how.chosen();
    let request = ResolveRequest { how, reason: args.reason.clone().unwrap_or_default(), dry_run: false };
    // Repeated under its key the conflict is already settled: there is nothing left to show.
    let repeatable = args.idempotency_key.is_some() && args.write.yes && !args.write.dry_run;
    if !repeatable {
        let look = ResolveRequest { dry_run: true, ..request.clone() };
        client.resolve(&change.id, &look, &Key::fresh()).await.map_err(|e| nothing(e.into(), &change))?;
        if args.write.dry_run {
            match ctx.for_people() {
                true => ctx.put(&resolving(&ctx.look_out(), &change, word))?,
                false => ctx.show(&change)?,
            }
            ctx.say("dry run: nothing was changed")?;
            return Ok(ExitCode::Done);
        }
        let text = resolving(&ctx.look_err(), &change, word);
        ctx.present(Consent::from(args.write.yes), &text)?;
        ctx.confirm(Consent::from(args.write.yes), &format!("Resolve {} with --{word}?", change.id))?;
    }
    settle(ctx, &client, &change, (&request, &args)).await
}

async fn settle(
    ctx: &mut Ctx,
    client: &Client,
    change: &ChangeView,
    (request, args): (&ResolveRequest, &Resolve),
) -> Result<ExitCode, CliError> {
    let again = format!("rein change show {}", change.id);
    let key = args.idempotency_key.clone().unwrap_or_else(Key::fresh);
    ctx.parting.set([
        format!("the conflict of {} may or may not be settled", change.id),
        format!("{again}   # what came of it"),
    ]);
    let done = client.resolve(&change.id, request, &key).await;
    let mut done = done.map_err(|e| nothing(CliError::from(e).recheck(&again), change))?;
    ctx.parting.clear();
    if args.wait.no_wait {
        ctx.show(&done.change)?;
        return Ok(ExitCode::Done);
    }
    let reached = wait::altered(ctx, client, Altered::by(&[], [&done.change]), &args.wait).await?;
    if let Ok(view) = client.change(&done.change.id).await {
        done.change = view;
    }
    ctx.show(&done.change)?;
    wait::verdict(&reached, &args.wait, &again)?;
    Ok(ExitCode::Done)
}

/// Without a conflict there is nothing to choose: the change's own commands do the rest.
fn nothing(error: CliError, change: &ChangeView) -> CliError {
    if error.code == Some(ErrorCode::Over) && change.active {
        return error.hint(format!("rein change end {}   # to take it back", change.id));
    }
    error
}
