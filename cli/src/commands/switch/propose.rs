//! Preview, confirm, record, wait for proof.

use crate::commands::switch::lay::Lay;
use crate::ctx::{Consent, Ctx};
use crate::error::CliError;
use crate::output::{Format, json, yaml};
use crate::render::{Whose, c, preview};
use crate::state::Origin;
use crate::wait;
use rein_api::changes::{ChangeRequest, ChangedView, LegRequest, PreviewView, SwitchLegRequest};
use rein_api::{ErrorCode, ExitCode};
use rein_client::{Client, Key};
use std::collections::BTreeSet;

/// What is to be laid.
pub(super) struct Proposal<'a> {
    /// The request, but for the revisions seen.
    pub(super) request: ChangeRequest,
    /// Where its incident comes from.
    pub(super) whose: Option<Origin>,
    /// Switches on which it relaxes: for these the revision previewed is sent back.
    pub(super) relaxing: BTreeSet<String>,
    /// The command line.
    pub(super) args: &'a Lay,
}

pub(super) async fn run(
    ctx: &mut Ctx,
    client: &Client,
    mut proposal: Proposal<'_>,
) -> Result<ExitCode, CliError> {
    let args = proposal.args;
    let consent = Consent::from(args.write.yes);
    let laid = loop {
        proposal.request.seen.clear();
        let view = client.preview(&proposal.request).await.map_err(|e| refused(e.into(), &proposal))?;
        show(ctx, &view, &proposal)?;
        if args.write.dry_run {
            return Ok(ExitCode::Done);
        }
        // An added protection is right whatever happened meanwhile; giving something back is not.
        proposal.request.seen = view
            .legs
            .iter()
            .filter(|leg| proposal.relaxing.contains(&leg.effect.target))
            .map(|leg| (leg.effect.target.clone(), leg.revision))
            .collect();
        ctx.confirm(consent, &question(&proposal.request))?;
        let key = args.idempotency_key.clone().unwrap_or_else(Key::fresh);
        ctx.parting.set([
            "it may or may not be recorded".to_owned(),
            format!("rein change show --key {}   # what came of it", key.as_str()),
        ]);
        match client.lay(&proposal.request, &key).await.map_err(CliError::from) {
            Ok(laid) => break laid,
            Err(error) if error.code == Some(ErrorCode::Moved) && consent == Consent::Asked => {
                ctx.parting.clear();
                ctx.warn(&format!("{}; this is how it is now:", error.message))?;
            }
            Err(error) => return Err(refused(error, &proposal)),
        }
    };
    finish(ctx, client, laid, args).await
}

async fn finish(
    ctx: &mut Ctx,
    client: &Client,
    mut laid: ChangedView,
    args: &Lay,
) -> Result<ExitCode, CliError> {
    if !args.wait.no_wait {
        laid.change = wait::change(ctx, client, laid.change, &args.wait).await?;
    }
    ctx.parting.clear();
    ctx.show(&laid)?;
    if args.wait.no_wait {
        return Ok(ExitCode::Done);
    }
    wait::verdict(&wait::legs(&laid.change), &args.wait, &format!("rein change show {}", laid.change.id))?;
    Ok(ExitCode::Done)
}

/// A preview that was asked for is data; one on the way to a question is not.
fn show(ctx: &mut Ctx, view: &PreviewView, proposal: &Proposal<'_>) -> Result<(), CliError> {
    let whose = Whose { incident: proposal.whose };
    if !proposal.args.write.dry_run {
        let text = preview(&ctx.look_err(), view, &proposal.request, whose);
        return ctx.present(Consent::from(proposal.args.write.yes), &text);
    }
    let text = match ctx.format() {
        Format::Table | Format::Wide => preview(&ctx.look_out(), view, &proposal.request, whose),
        Format::Json => json(view)?,
        Format::Yaml => yaml(view)?,
        Format::Name => view.legs.iter().map(|leg| c(&leg.effect.target)).collect::<Vec<_>>().join("\n"),
    };
    ctx.put(&text)?;
    ctx.say("dry run: nothing was changed")
}

fn switches(request: &ChangeRequest) -> impl Iterator<Item = &SwitchLegRequest> {
    request.legs.iter().filter_map(LegRequest::as_switch)
}

fn question(request: &ChangeRequest) -> String {
    let names: Vec<&str> = switches(request).map(|leg| leg.switch.as_str()).collect();
    let setting = switches(request).next().map_or("", |leg| leg.setting.as_str());
    format!("Turn {} {setting}?", names.join(", "))
}

/// Adds what to type to a refusal that a flag or the state file brought about.
fn refused(error: CliError, proposal: &Proposal<'_>) -> CliError {
    match (error.code, proposal.whose, &proposal.request.incident) {
        (Some(ErrorCode::Over), Some(Origin::Used), Some(name)) => {
            error.hint(format!("rein incident use --clear   # {name} is the one in use"))
        }
        _ => held(error, &proposal.request),
    }
}

/// Adds what to type to a refusal because of layers in the way.
fn held(error: CliError, request: &ChangeRequest) -> CliError {
    if error.code != Some(ErrorCode::Held) || error.changes.is_empty() {
        return error;
    }
    let Some(leg) = switches(request).next() else { return error };
    let command = format!("rein switch {} {}", leg.setting, leg.switch);
    let flags = |flag: &str, ids: &[String]| ids.iter().map(|id| format!(" {flag} {id}")).collect::<String>();
    // Those the caller named are still meant.
    let all = [request.supersede.as_slice(), &error.changes].concat();
    let (end, supersede) = (flags("--end", &error.changes), flags("--supersede", &all));
    let mut error = error;
    error.hints.clear();
    error
        .hint(format!("{command}{end}   # end what holds it"))
        .hint(format!("{command}{supersede}   # or lay an exception over it"))
}
