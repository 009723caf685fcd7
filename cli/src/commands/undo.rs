//! `rein undo`

use crate::args::{Wait, Write};
use crate::complete;
use crate::ctx::{Consent, Ctx};
use crate::error::CliError;
use crate::output::{Detail, Show};
use crate::wait::{self, Altered};
use clap::Args;
use rein_api::ExitCode;
use rein_api::changes::UndoRequest;
use rein_client::Key;
use rein_domain::name::ChangeId;

/// Take back your last act of the past hour: a layer, an end, an extension
///
/// Shows before → after for each switch first, and where nothing is to be seen, who holds it.
#[derive(Debug, Args)]
pub(crate) struct Undo {
    /// Only if the act to be taken back is on this change
    #[arg(value_name = "CHANGE", add = complete::changes())]
    change: Option<ChangeId>,
    /// Send it under this key: repeating a command under its key does it once
    #[arg(long, value_name = "UUIDv7")]
    idempotency_key: Option<Key>,
    #[command(flatten)]
    write: Write,
    #[command(flatten)]
    wait: Wait,
}

pub(crate) async fn run(args: Undo, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    let client = ctx.client()?;
    let named = match &args.change {
        Some(id) => Some(client.change(id.as_str()).await?.id),
        None => None,
    };
    let mut request = UndoRequest { change: named, dry_run: true };
    // Repeated under its key the act is already undone: there is nothing left to preview.
    let repeatable = args.idempotency_key.is_some() && args.write.yes && !args.write.dry_run;
    if !repeatable {
        let preview = client.undo(&request, &Key::fresh()).await?;
        if args.write.dry_run {
            ctx.show(&preview)?;
            ctx.say("dry run: nothing was changed")?;
            return Ok(ExitCode::Done);
        }
        let text = preview.table(&ctx.look_err(), Detail::Short);
        ctx.present(Consent::from(args.write.yes), &format!("undo would do this: {text}"))?;
        ctx.confirm(Consent::from(args.write.yes), "Undo?")?;
        // What is undone is what was shown, even if the same person acted elsewhere meanwhile.
        if request.change.is_none() && !preview.of.is_empty() {
            request.change = Some(preview.of);
        }
    }
    request.dry_run = false;
    let key = args.idempotency_key.unwrap_or_else(Key::fresh);
    ctx.parting.set([
        "it may or may not have been undone".to_owned(),
        "rein undo --dry-run   # what would be undone now".to_owned(),
    ]);
    let done = client.undo(&request, &key).await?;
    ctx.parting.clear();
    ctx.show(&done)?;
    if !args.wait.no_wait {
        let altered = Altered::by(&done.effects, [&done.change]);
        let reached = wait::altered(ctx, &client, altered, &args.wait).await?;
        wait::report(ctx, &reached)?;
        wait::verdict(&reached, &args.wait, "rein status")?;
    }
    Ok(ExitCode::Done)
}
