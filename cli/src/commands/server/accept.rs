//! `rein server accept`

use crate::args::Write;
use crate::complete;
use crate::ctx::{Consent, Ctx};
use crate::error::CliError;
use crate::parse;
use crate::render::c;
use clap::Args;
use rein_api::ExitCode;
use rein_api::held::AcceptRequest;
use rein_client::Key;
use rein_domain::name::ChangeId;

/// Let a held store go on: one that was restored, or is behind what it has shipped
///
/// Shows what would come back: changes that would be in force again, and what would be written into
/// backends. Until then the server writes nothing, and services keep what they have.
#[derive(Debug, Args)]
pub(crate) struct Accept {
    /// End this change first, so that it does not come back; may be given again
    #[arg(long, value_name = "CHANGE", add = complete::changes())]
    end: Vec<ChangeId>,
    /// Why
    #[arg(long, value_name = "TEXT", value_parser = parse::reason)]
    reason: Option<String>,
    #[command(flatten)]
    write: Write,
}

pub(crate) async fn run(args: Accept, ctx: &mut Ctx) -> Result<ExitCode, CliError> {
    let client = ctx.client()?;
    let held = client.held().await?;
    if !held.held {
        if ctx.for_people() {
            ctx.say("the store is not held: there is nothing to accept")?;
        } else {
            ctx.show(&held)?;
        }
        return Ok(ExitCode::Done);
    }
    if args.write.dry_run {
        ctx.show(&held)?;
        return Ok(ExitCode::Done);
    }
    let text = crate::output::render(&held, crate::output::Format::Table, &ctx.look_err())?;
    let consent = Consent::from(args.write.yes);
    ctx.present(consent, &text)?;
    let ended = match args.end.len() {
        0 => String::new(),
        n => format!(" ({n} ended first)"),
    };
    ctx.confirm(consent, &format!("Let all of this come back{ended}?"))?;
    let request = AcceptRequest {
        end: args.end.iter().map(ToString::to_string).collect(),
        seen: Some(held.revision),
        reason: args.reason.unwrap_or_default(),
    };
    let accepted = client.accept(&request, &Key::fresh()).await;
    let accepted = accepted.map_err(|e| CliError::from(e).recheck("rein server status"))?;
    if ctx.for_people() {
        let list = |ids: &[String]| match ids {
            [] => "none".to_owned(),
            ids => ids.iter().map(|id| c(id).into_owned()).collect::<Vec<_>>().join(", "),
        };
        ctx.put(&format!(
            "accepted: the server goes on\n  in force again: {}\n  ended: {}",
            list(&accepted.changes),
            list(&accepted.ended)
        ))?;
    } else {
        ctx.show(&accepted)?;
    }
    Ok(ExitCode::Done)
}
