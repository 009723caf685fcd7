//! `rein change extend`

use crate::args::Wait;
use crate::complete;
use crate::ctx::Ctx;
use crate::error::CliError;
use crate::parse;
use crate::render::held_until;
use crate::wait;
use clap::Args;
use rein_api::ExitCode;
use rein_api::changes::{ChangeView, ExtendRequest};
use rein_client::{Client, Key};
use rein_domain::name::ChangeId;
use std::time::Duration;

/// Move a change's deadline later; it never revives one that is over
#[derive(Debug, Args)]
pub(crate) struct Extend {
    /// The change; the beginning of its id will do
    #[arg(value_name = "CHANGE", add = complete::changes())]
    id: ChangeId,
    #[command(flatten)]
    how: Longer,
}

/// By how much a deadline moves, and how that is done.
#[derive(Debug, Args)]
pub(crate) struct Longer {
    /// By how much, such as 1h
    #[arg(long = "for", value_name = "TIME", allow_hyphen_values = true, value_parser = parse::span)]
    pub(crate) by: Duration,
    /// Why
    #[arg(long, value_name = "TEXT", value_parser = parse::reason)]
    reason: Option<String>,
    /// Show what would happen and stop
    #[arg(long)]
    dry_run: bool,
    /// Send it under this key: repeating a command under its key does it once
    #[arg(long, value_name = "UUIDv7")]
    idempotency_key: Option<Key>,
    #[command(flatten)]
    wait: Wait,
}

pub(crate) async fn run(args: Extend, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    let client = ctx.client()?;
    let before = client.change(args.id.as_str()).await?;
    extend(ctx, &client, before, args.how).await
}

/// Extends one change, and waits until everybody has heard.
pub(crate) async fn extend(
    ctx: &mut Ctx,
    client: &Client,
    before: ChangeView,
    args: Longer,
) -> Result<ExitCode, CliError> {
    let request = ExtendRequest {
        by_seconds: args.by.as_secs(),
        reason: args.reason.unwrap_or_default(),
        seen: None,
        dry_run: args.dry_run,
    };
    let key = args.idempotency_key.unwrap_or_else(Key::fresh);
    let mut view = client.extend(&before.id, &request, &key).await?;
    if !args.dry_run && !args.wait.no_wait {
        view.change = wait::change(ctx, client, view.change, &args.wait).await?;
    }
    if ctx.for_people() {
        let text = held_until(&ctx.look_out(), &before, &view.change);
        ctx.put(&text)?;
    } else {
        ctx.show(&view)?;
    }
    if args.dry_run {
        ctx.say("dry run: nothing was changed")?;
    } else if !args.wait.no_wait {
        let again = format!("rein change show {}", view.change.id);
        wait::verdict(&wait::legs(&view.change), &args.wait, &again)?;
    }
    Ok(ExitCode::Done)
}
