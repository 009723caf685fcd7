//! Preview, confirm, record, wait for proof: the same for whatever a change lies over.

use crate::args::{Wait, Write};
use crate::commands::silence::doubt;
use crate::ctx::{Consent, Ctx};
use crate::error::CliError;
use crate::output::{Format, json, yaml};
use crate::render::{Look, Whose, c, doubted, preview};
use crate::state::Origin;
use crate::wait;
use rein_api::changes::{ChangeRequest, ChangedView, LegRequest, PreviewView, SwitchLegRequest};
use rein_api::{ErrorCode, ExitCode};
use rein_client::{Client, Key};
use rein_domain::matchers::Matchers;
use std::collections::BTreeSet;

/// What is to be laid, and how.
pub(crate) struct Proposal<'a> {
    /// The request, but for the revisions seen.
    pub(crate) request: ChangeRequest,
    /// Where its incident comes from.
    pub(crate) whose: Option<Origin>,
    /// Switches on which it relaxes: for these the revision previewed is sent back.
    pub(crate) relaxing: BTreeSet<String>,
    /// What is asked before it is done.
    pub(crate) question: String,
    /// What a silence hushes, where there is one to be doubted: most that match nothing are misspelt.
    pub(crate) matchers: Option<&'a Matchers>,
    /// The key it is sent under, where the caller has chosen one.
    pub(crate) key: Option<&'a Key>,
    /// Whether to ask, and whether to do it at all.
    pub(crate) write: &'a Write,
    /// Whether to wait for proof.
    pub(crate) wait: &'a Wait,
}

/// Lays it.
pub(crate) async fn run(
    ctx: &mut Ctx,
    client: &Client,
    mut proposal: Proposal<'_>,
) -> Result<ExitCode, CliError> {
    let consent = Consent::from(proposal.write.yes);
    let laid = loop {
        proposal.request.seen.clear();
        let view = client.preview(&proposal.request).await.map_err(|e| refused(e.into(), &proposal))?;
        let doubts = match proposal.matchers {
            Some(matchers) => doubt::of(client, matchers, &view.silences).await,
            None => None,
        };
        show(ctx, &view, &proposal, doubts)?;
        if proposal.write.dry_run {
            return Ok(ExitCode::Done);
        }
        // An added protection is right whatever happened meanwhile; giving something back is not.
        proposal.request.seen = view
            .legs
            .iter()
            .filter(|leg| proposal.relaxing.contains(&leg.effect.target))
            .map(|leg| (leg.effect.target.clone(), leg.revision))
            .collect();
        ctx.confirm(consent, &proposal.question)?;
        let key = proposal.key.cloned().unwrap_or_else(Key::fresh);
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
    finish(ctx, client, laid, proposal.wait).await
}

async fn finish(
    ctx: &mut Ctx,
    client: &Client,
    mut laid: ChangedView,
    wait: &Wait,
) -> Result<ExitCode, CliError> {
    if !wait.no_wait {
        laid.change = wait::change(ctx, client, laid.change, wait).await?;
    }
    ctx.parting.clear();
    ctx.show(&laid)?;
    if wait.no_wait {
        return Ok(ExitCode::Done);
    }
    wait::verdict(&wait::legs(&laid.change), wait, &format!("rein change show {}", laid.change.id))?;
    Ok(ExitCode::Done)
}

/// A preview that was asked for is data; one on the way to a question is not.
fn show(
    ctx: &mut Ctx,
    view: &PreviewView,
    proposal: &Proposal<'_>,
    doubts: Option<Vec<String>>,
) -> Result<(), CliError> {
    let whose = Whose { incident: proposal.whose };
    let text = |look: &Look| {
        let doubts = doubts.as_deref().map_or_else(String::new, |lines| doubted(look, lines));
        preview(look, view, &proposal.request, whose) + &doubts
    };
    if !proposal.write.dry_run {
        let text = text(&ctx.look_err());
        return ctx.present(Consent::from(proposal.write.yes), &text);
    }
    let legs = view.legs.iter().map(|leg| leg.effect.target.as_str());
    let names = legs.chain(view.silences.iter().map(|silence| silence.backend.as_str()));
    let names = names.chain(view.instances.iter().map(|instances| instances.effect.target.as_str()));
    let text = match ctx.format() {
        Format::Table | Format::Wide | Format::Svg => text(&ctx.look_out()),
        Format::Json => json(view)?,
        Format::Yaml => yaml(view)?,
        Format::Name => names.map(c).collect::<Vec<_>>().join("\n"),
    };
    ctx.put(&text)?;
    ctx.say("dry run: nothing was changed")
}

fn switches(request: &ChangeRequest) -> impl Iterator<Item = &SwitchLegRequest> {
    request.legs.iter().filter_map(LegRequest::as_switch)
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
